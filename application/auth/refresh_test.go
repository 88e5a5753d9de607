package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

func refresh(t *testing.T, w *identity.World, token string) inbound.Tokens {
	t.Helper()
	got, err := w.Auth.Refresh(t.Context(), token, inbound.Origin{IP: "192.0.2.2", UserAgent: "later"})
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	return got
}

func refused(t *testing.T, w *identity.World, name, token string) {
	t.Helper()
	if got, err := w.Auth.Refresh(t.Context(), token, inbound.Origin{}); !errors.Is(err, session.ErrRefreshInvalid) || got.Access != "" {
		t.Errorf("%s: got %v, want %v", name, err, session.ErrRefreshInvalid)
	}
}

func TestRefreshRotates(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	first := w.Login(t, ada)
	w.Clock.Advance(10 * time.Minute)
	second := refresh(t, w, first.Refresh)
	if second.Refresh == first.Refresh || second.Access == first.Access || second.SessionID != first.SessionID {
		t.Errorf("got %+v after %+v", second, first)
	}
	if !second.AuthTime.Equal(first.AuthTime) || len(second.AMR) != 1 || second.AMR[0] != "pwd" {
		t.Errorf("proof: got %v %v, want that of the login", second.AuthTime, second.AMR)
	}
	if second.RefreshFor != 7*24*time.Hour || second.AccessFor != 15*time.Minute {
		t.Errorf("lifetimes: got %v and %v", second.RefreshFor, second.AccessFor)
	}
	w.Caller(t, second.Access)
	kept, err := w.DB.View().Sessions.Find(t.Context(), first.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	if s := kept.Snapshot(); s.Gen != 2 || s.IP != "192.0.2.2" || s.Agent != "later" {
		t.Errorf("kept: got %+v", s)
	}
}

func TestALostAnswerIsGivenAgainWithinTheGrace(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	first := w.Login(t, ada)
	second := refresh(t, w, first.Refresh)
	w.Clock.Advance(10 * time.Second)
	again := refresh(t, w, first.Refresh)
	if again.Refresh != second.Refresh {
		t.Error("another successor")
	}
	if want := second.RefreshFor - 10*time.Second; again.RefreshFor != want {
		t.Errorf("remains: got %v, want %v", again.RefreshFor, want)
	}
	refresh(t, w, second.Refresh)
}

func TestAnOldTokenEndsItsSessionAndNoOther(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	other := w.Login(t, ada)
	first := w.Login(t, ada)
	second := refresh(t, w, first.Refresh)
	w.Caller(t, second.Access)
	w.Clock.Advance(10*time.Second + time.Microsecond)
	for range 20 {
		refused(t, w, "the old token", first.Refresh)
	}
	refused(t, w, "the new token", second.Refresh)
	if _, err := w.Gate.Authenticate(t.Context(), second.Access); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("its access token: got %v", err)
	}
	if _, _, dead, err := w.Cache.Record(t.Context(), first.SessionID); !dead || err != nil {
		t.Errorf("tombstone: got %v, %v", dead, err)
	}
	w.Caller(t, other.Access)
	refresh(t, w, other.Refresh)
	kept, err := w.DB.View().Sessions.Find(t.Context(), first.SessionID)
	if err != nil || !kept.Revoked() || kept.Snapshot().Reason != session.ByReuse {
		t.Errorf("kept: got %+v, %v", kept.Snapshot(), err)
	}
	if l := w.Letters(t); len(l) != 1 || l[0].To != ada || l[0].Subject != "One of your sessions was ended" {
		t.Errorf("got mails %v, want one notice for twenty replays", l)
	}
}

func TestTwoRotationsBackIsReuseEvenWithinTheGrace(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	first := w.Login(t, ada)
	third := refresh(t, w, refresh(t, w, first.Refresh).Refresh)
	refused(t, w, "the first token", first.Refresh)
	refused(t, w, "the third token", third.Refresh)
}

func TestFiftyAtOnceGetOneSuccessor(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	first := w.Login(t, ada)
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		seen = map[string]int{}
	)
	for range 50 {
		all.Go(func() {
			got, err := w.Auth.Refresh(t.Context(), first.Refresh, inbound.Origin{})
			if err != nil {
				t.Errorf("refresh: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[got.Refresh]++
		})
	}
	all.Wait()
	if len(seen) != 1 {
		t.Fatalf("got %d successors, want 1", len(seen))
	}
	for successor := range seen {
		refresh(t, w, successor)
	}
	kept, err := w.DB.View().Sessions.Find(t.Context(), first.SessionID)
	if err != nil || kept.Generation() != 3 {
		t.Errorf("generation: got %d, %v, want 3", kept.Generation(), err)
	}
}

func TestForgedTokensAreRefusedAndEndNothing(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	live := w.Login(t, ada)
	old := live
	live = refresh(t, w, live.Refresh)
	w.Clock.Advance(time.Minute)
	shown, _ := session.ParseRefreshToken(old.Refresh)
	forge := func(how func(*session.RefreshToken)) string {
		forged := shown
		how(&forged)
		return forged.String()
	}
	for name, token := range map[string]string{
		"another MAC":        forge(func(r *session.RefreshToken) { r.MAC[0] ^= 1 }),
		"another generation": forge(func(r *session.RefreshToken) { r.Gen = 0 }),
		"a later generation": forge(func(r *session.RefreshToken) { r.Gen = 9 }),
		"another root":       forge(func(r *session.RefreshToken) { r.Root ^= 1 }),
		"another session":    forge(func(r *session.RefreshToken) { r.ID = session.ID(identity.NewID()) }),
		"an access token":    live.Access,
		"nothing":            "",
		"padding":            old.Refresh + "=",
		"a blank":            " " + live.Refresh,
		"a line break":       live.Refresh + "\r\n",
		"an all-zero MAC":    forge(func(r *session.RefreshToken) { r.MAC = [32]byte{} }),
		"a megabyte":         "fr1." + strings.Repeat("A", 1<<20),
		"another version":    strings.Replace(live.Refresh, "fr1.", "fr2.", 1),
		"only its head":      live.Refresh[:32],
		"standard alphabet":  "fr1." + base64.StdEncoding.EncodeToString(make([]byte, 21)) + "." + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	} {
		refused(t, w, name, token)
	}
	refresh(t, w, live.Refresh)
}

func TestRefreshEndsWithTheSession(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Clock.Advance(7*24*time.Hour - time.Second)
	tokens = refresh(t, w, tokens.Refresh)
	w.Clock.Advance(7 * 24 * time.Hour)
	refused(t, w, "idle too long", tokens.Refresh)

	tokens = w.Login(t, ada)
	for range 5 { // steady use: 30 days are over in the fifth round
		w.Clock.Advance(6*24*time.Hour - time.Second)
		tokens = refresh(t, w, tokens.Refresh)
	}
	if tokens.RefreshFor != 5*time.Second || tokens.AccessFor != 5*time.Second {
		t.Errorf("what remains: got %v and %v, want 5s", tokens.RefreshFor, tokens.AccessFor)
	}
	w.Clock.Advance(5 * time.Second)
	refused(t, w, "past its absolute end", tokens.Refresh)
	if _, err := w.Gate.Authenticate(t.Context(), tokens.Access); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("access past the absolute end: got %v", err)
	}
}

func TestRefreshAsksForUserAndMembership(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *identity.World, inbound.Verified){
		"disabled": func(t *testing.T, w *identity.World, v inbound.Verified) {
			change(t, w, v.UserID, func(u *user.User) { u.Disable(w.Clock.Now()) })
		},
		"disabled and enabled": func(t *testing.T, w *identity.World, v inbound.Verified) {
			change(t, w, v.UserID, func(u *user.User) { u.Disable(w.Clock.Now()); u.Enable(w.Clock.Now()) })
		},
		"password changed": func(t *testing.T, w *identity.World, v inbound.Verified) {
			change(t, w, v.UserID, func(u *user.User) { u.ChangePassword("$argon2id$", w.Clock.Now()) })
		},
		"disabled in the same epoch": func(t *testing.T, w *identity.World, v inbound.Verified) {
			change(t, w, v.UserID, func(u *user.User) {
				s := u.Snapshot()
				s.Status = user.Disabled
				*u = *user.Restore(s)
			})
		},
		"removed from the tenant": func(t *testing.T, w *identity.World, v inbound.Verified) { leave(t, w, v.UserID, v.TenantID) },
	} {
		w := identity.New(t)
		v := w.User(t, ada, "")
		w.User(t, "bob@example.com", "")
		tokens, others := w.Login(t, ada), w.Login(t, "bob@example.com")
		end(t, w, v)
		refused(t, w, name, tokens.Refresh)
		kept, err := w.DB.View().Sessions.Find(t.Context(), tokens.SessionID)
		if err != nil || kept.Generation() != 1 || kept.Revoked() {
			t.Errorf("%s: session changed: generation %d, revoked %v, %v", name, kept.Generation(), kept.Revoked(), err)
		}
		refresh(t, w, others.Refresh)
	}
}

func TestRefreshShowsTheRoleOfTheMoment(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	tokens := w.Login(t, ada)
	heir := w.User(t, "heir@example.com", "")
	err := w.DB.Do(t.Context(), func(ctx context.Context, r outbound.Repos) error {
		return r.Tenants.Update(ctx, v.TenantID, func(tn *tenant.Tenant) error {
			return errors.Join(tn.Join(heir.UserID, tenant.Owner, w.Clock.Now()), tn.ChangeRole(v.UserID, tenant.Viewer, w.Clock.Now()))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := w.Caller(t, refresh(t, w, tokens.Refresh).Access); c.Role != tenant.Viewer {
		t.Errorf("got role %s, want viewer", c.Role)
	}
}

func TestRefreshFailsWithTheDatabase(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	w.Faults.Down(fault.ErrDependency)
	if _, err := w.Auth.Refresh(t.Context(), tokens.Refresh, inbound.Origin{}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("got %v", err)
	}
	w.Faults.Down(nil)
	w.Faults.Before(func() { w.Faults.Down(fault.ErrDependency) })
	refresh(t, w, tokens.Refresh)
	if _, err := w.Auth.Refresh(t.Context(), tokens.Refresh, inbound.Origin{}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("got %v", err)
	}
}

func TestWhoeverLeavesDoesNotEndTheRefreshOfOthers(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	gone, cancel := context.WithCancel(t.Context())
	started, others := make(chan struct{}), make(chan error, 1)
	w.Faults.Before(func() { // the first caller is about to rotate: it leaves, and another joins
		go func() {
			close(started)
			_, err := w.Auth.Refresh(t.Context(), tokens.Refresh, inbound.Origin{})
			others <- err
		}()
		<-started
		cancel()
	})
	if _, err := w.Auth.Refresh(gone, tokens.Refresh, inbound.Origin{}); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := <-others; err != nil {
		t.Errorf("the other: %v", err)
	}
}
