package conformance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Users is the suite of outbound.Users.
func Users(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a user comes back as it was, by each of its names":    usersRoundTrip,
		"nobody is not found":                                  usersNotFound,
		"many are found at once, whoever is there":             usersFindAll,
		"an address has one account":                           usersEmailTaken,
		"a username has one owner, no username any number":     usersUsernameTaken,
		"of many that claim an address at once one gets it":    usersEmailRace,
		"of many that claim a username at once one gets it":    usersUsernameRace,
		"a change is kept, with its events":                    usersUpdate,
		"a refused change is not":                              usersRefusedUpdate,
		"a change to a taken name is refused and spoils none":  usersUpdateTaken,
		"changes at once lose nothing":                         usersLoseNothing,
		"text that cannot be kept is the caller's mistake":     usersUnstorable,
		"an id is used once":                                   usersIDOnce,
		"a removed user is forgotten with all that is its own": usersRemove,
		"a refused removal is none":                            usersRemoveRefused,
		"nobody is not removed":                                usersRemoveNobody,
		"of many that remove a user at once one does":          usersRemoveRace,
		"a removal that meets sign-ins leaves nothing of them": usersRemoveMeetsSignIns,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// strangeUser is a user whose every field is set to something that is easily lost.
func strangeUser() *user.User {
	return user.Restore(user.Snapshot{
		ID: user.ID(nextID()), EmailDisplay: "Strange@Example.COM", EmailCanon: "strange@example.com", Username: "st.range_1", DisplayName: hostile,
		Status: user.Disabled, PlatformAdmin: true, Epoch: 1 << 40, PasswordHash: "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", MFA: true,
		PasswordSet: storeEpoch.Add(-time.Microsecond), CreatedAt: storeEpoch.In(time.FixedZone("far", 5*3600+45*60)).Add(time.Microsecond),
		LastTenant: "some-tenant",
	})
}

func usersRoundTrip(t *testing.T, s Store) {
	ctx := t.Context()
	for name, u := range map[string]*user.User{"strange": strangeUser(), "plain": newUser(t, "ada")} {
		want := u.Snapshot()
		must(t, "add", s.View().Users.Add(ctx, u))
		for how, find := range map[string]func() (*user.User, error){
			"by id":       func() (*user.User, error) { return s.View().Users.Find(ctx, want.ID) },
			"by address":  func() (*user.User, error) { return s.View().Users.FindByEmail(ctx, want.EmailCanon) },
			"by username": func() (*user.User, error) { return s.View().Users.FindByUsername(ctx, want.Username) },
		} {
			got, err := find()
			must(t, name+" "+how, err)
			same(t, name+" "+how, got.Snapshot(), want)
			utc(t, name+" "+how, got.CreatedAt())
		}
	}
}

func usersFindAll(t *testing.T, s Store) {
	ctx, users, directory := t.Context(), s.View().Users, s.View().Directory
	strange := strangeUser()
	must(t, "add", users.Add(ctx, strange))
	ids, want := []user.ID{strange.ID(), "another", "", "\x00", "a\xffb"}, map[user.ID]user.Snapshot{strange.ID(): strange.Snapshot()}
	for i := range 600 {
		u := newUser(t, fmt.Sprint("u", i))
		if i%2 == 0 {
			must(t, "add", users.Add(ctx, u))
			want[u.ID()] = u.Snapshot()
		}
		ids = append(ids, u.ID())
	}
	addUser(t, s, "ada") // nobody asks for her
	got, err := directory.FindAll(ctx, ids)
	must(t, "find all", err)
	if len(got) != len(want) {
		t.Errorf("got %d users, want %d", len(got), len(want))
	}
	for _, u := range got {
		same(t, "a user of many", u.Snapshot(), want[u.ID()])
	}
	if none, err := directory.FindAll(ctx, nil); len(none) != 0 || err != nil {
		t.Errorf("of none: got %d, %v", len(none), err)
	}
}

func usersNotFound(t *testing.T, s Store) {
	addUser(t, s, "ada")
	ctx, users := t.Context(), s.View().Users
	names := map[string]string{"another": "bob", "upper case": "ADA", "a pattern": "a%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		_, err := users.Find(ctx, user.ID(name))
		wantErr(t, "by id, "+what, err, user.ErrNotFound)
		_, err = users.FindByEmail(ctx, name+"@example.com")
		wantErr(t, "by address, "+what, err, user.ErrNotFound)
		_, err = users.FindByUsername(ctx, name)
		wantErr(t, "by username, "+what, err, user.ErrNotFound)
		wantErr(t, "update, "+what, users.Update(ctx, user.ID(name), func(*user.User) error { return nil }), user.ErrNotFound)
	}
}

func usersEmailTaken(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	twin, err := user.New(user.ID(nextID()), user.RestoreEmail("ADA@example.com", "ada@example.com"), user.RestoreUsername("bob"), "", "h", storeEpoch)
	must(t, "make user", err)
	wantErr(t, "add", s.View().Users.Add(t.Context(), twin), user.ErrEmailTaken)
	got, err := s.View().Users.FindByEmail(t.Context(), "ada@example.com")
	must(t, "find", err)
	same(t, "the first owner", got.Snapshot(), ada.Snapshot())
	s.wantEvents(t, "user_verified")
}

func usersUsernameTaken(t *testing.T, s Store) {
	addUser(t, s, "ada")
	twin, err := user.New(user.ID(nextID()), email("bob"), user.RestoreUsername("ada"), "", "h", storeEpoch)
	must(t, "make user", err)
	wantErr(t, "add", s.View().Users.Add(t.Context(), twin), user.ErrUsernameTaken)
	for i := range 3 {
		u, err := user.New(user.ID(nextID()), email(fmt.Sprint("anon", i)), user.Username{}, "", "h", storeEpoch)
		must(t, "make user", err)
		must(t, "add a user without username", s.View().Users.Add(t.Context(), u))
	}
}

func usersEmailRace(t *testing.T, s Store) {
	all := make([]*user.User, 20)
	for i := range all {
		u, err := user.New(user.ID(nextID()), email("ada"), user.RestoreUsername(fmt.Sprint("ada", i)), "", "h", storeEpoch)
		must(t, "make user", err)
		all[i] = u
	}
	errs := race(len(all), func(i int) error { return s.View().Users.Add(t.Context(), all[i]) })
	if n := winners(t, errs, user.ErrEmailTaken); n != 1 {
		t.Errorf("%d of %d got the address, want 1", n, len(all))
	}
	s.wantEvents(t, "user_verified")
}

func usersUsernameRace(t *testing.T, s Store) {
	all := make([]*user.User, 20)
	for i := range all {
		u, err := user.New(user.ID(nextID()), email(fmt.Sprint("ada", i)), user.RestoreUsername("ada"), "", "h", storeEpoch)
		must(t, "make user", err)
		all[i] = u
	}
	errs := race(len(all), func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error { return repos.Users.Add(ctx, all[i]) })
	})
	if n := winners(t, errs, user.ErrUsernameTaken); n != 1 {
		t.Errorf("%d of %d got the username, want 1", n, len(all))
	}
}

func usersUpdate(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	bob := addUser(t, s, "bob")
	later := storeEpoch.Add(time.Hour + time.Microsecond)
	var want user.Snapshot
	must(t, "update", s.View().Users.Update(t.Context(), ada.ID(), func(u *user.User) error {
		same(t, "what change is given", u.Snapshot(), ada.Snapshot())
		u.ChangePassword("$new", later)
		u.Disable(later)
		u.MakePlatformAdmin(later)
		u.SignedIn("some-tenant")
		want = u.Snapshot()
		return nil
	}))
	got, err := s.View().Users.Find(t.Context(), ada.ID())
	must(t, "find", err)
	same(t, "the changed user", got.Snapshot(), want)
	got, err = s.View().Users.Find(t.Context(), bob.ID())
	must(t, "find the other", err)
	same(t, "the other user", got.Snapshot(), bob.Snapshot())
	s.wantEvents(t, "user_verified", "user_verified", "authn_password_change", "user_disabled", "user_platform_admin")
}

func usersRefusedUpdate(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	err := s.View().Users.Update(t.Context(), ada.ID(), func(u *user.User) error {
		u.Disable(storeEpoch)
		return errChange
	})
	wantErr(t, "update", err, errChange)
	got, err := s.View().Users.Find(t.Context(), ada.ID())
	must(t, "find", err)
	same(t, "the user", got.Snapshot(), ada.Snapshot())
	s.wantEvents(t, "user_verified")
}

func usersUpdateTaken(t *testing.T, s Store) {
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	rename := func(change func(*user.Snapshot)) func(*user.User) error {
		return func(u *user.User) error {
			snap := u.Snapshot()
			change(&snap)
			*u = *user.Restore(snap)
			return nil
		}
	}
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		err := repos.Users.Update(ctx, bob.ID(), rename(func(s *user.Snapshot) { s.Username = "ada" }))
		wantErr(t, "to a taken username", err, user.ErrUsernameTaken)
		err = repos.Users.Update(ctx, bob.ID(), rename(func(s *user.Snapshot) { s.EmailCanon = "ada@example.com" }))
		wantErr(t, "to a taken address", err, user.ErrEmailTaken)
		return repos.Users.Update(ctx, ada.ID(), rename(func(s *user.Snapshot) { s.Username = "countess" }))
	})
	must(t, "do", err)
	got, err := s.View().Users.FindByUsername(t.Context(), "countess")
	must(t, "find by the new name", err)
	same(t, "the renamed user's id", got.ID(), ada.ID())
	got, err = s.View().Users.FindByUsername(t.Context(), "bob")
	must(t, "find the refused", err)
	same(t, "the refused user", got.Snapshot(), bob.Snapshot())
	_, err = s.View().Users.FindByUsername(t.Context(), "ada")
	wantErr(t, "find by the old name", err, user.ErrNotFound)
}

func usersLoseNothing(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	none(t, race(50, func(int) error {
		return s.View().Users.Update(t.Context(), ada.ID(), func(u *user.User) error {
			u.EndSessions()
			return nil
		})
	}))
	got, err := s.View().Users.Find(t.Context(), ada.ID())
	must(t, "find", err)
	if want := ada.Epoch() + 50; got.Epoch() != want {
		t.Errorf("after 50 changes at once: epoch %d, want %d", got.Epoch(), want)
	}
}

func usersUnstorable(t *testing.T, s Store) {
	for what, text := range unstorable {
		snap := strangeUser().Snapshot()
		snap.DisplayName = text
		err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			wantInvalid(t, "add "+what, repos.Users.Add(ctx, user.Restore(snap)))
			_, err := repos.Users.FindByUsername(ctx, "after-the-refusal")
			wantErr(t, "a read after it", err, user.ErrNotFound)
			return nil
		})
		must(t, "do", err)
	}
}

func usersIDOnce(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	twin, err := user.New(ada.ID(), email("bob"), user.RestoreUsername("bob"), "", "h", storeEpoch)
	must(t, "make user", err)
	if err := s.View().Users.Add(t.Context(), twin); err == nil {
		t.Error("a second user of the same id was taken")
	}
	got, err := s.View().Users.Find(t.Context(), ada.ID())
	must(t, "find", err)
	same(t, "the first owner", got.Snapshot(), ada.Snapshot())
}
