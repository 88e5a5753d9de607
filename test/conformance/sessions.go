package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Sessions is the suite of outbound.Sessions.
func Sessions(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a session comes back as it was":                        sessionsRoundTrip,
		"no session is not found":                               sessionsNotFound,
		"a user's live sessions are listed, newest first":       sessionsOfUser,
		"of many refreshes at once one rotates":                 sessionsRefreshRace,
		"a refresh that meets a logout does not outlive it":     sessionsRefreshMeetsLogout,
		"reuse ends the session, and that is kept":              sessionsReuse,
		"a refused change is not kept":                          sessionsRefused,
		"grace changes nothing but is recorded":                 sessionsGrace,
		"text that cannot be kept is the caller's mistake":      sessionsUnstorable,
		"a session and what it was paid with come together":     sessionsTogether,
		"a generation past the signed bound comes back as is":   sessionsGeneration,
		"what a sign-in step changes is kept, with its events":  sessionsSteps,
		"a session does not move to a tenant that is not there": sessionsSwitchNowhere,
		"a change leaves other sessions, and what it left out":  sessionsChangeOnlyThat,
		"of many sign-in steps at once each counts":             sessionsStepsRace,
		"sweeping deletes what ended before, nothing else":      sessionsSweep,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// signedIn adds a user, a tenant and a session.
func signedIn(t *testing.T, s Store) (*user.User, *tenant.Tenant, *session.Session) {
	t.Helper()
	ada := addUser(t, s, "ada")
	in := addTenant(t, s, "engines", ada)
	return ada, in, addSession(t, s, ada, in, storeEpoch)
}

func addSession(t *testing.T, s Store, u *user.User, in *tenant.Tenant, now time.Time) *session.Session {
	t.Helper()
	on := newSession(u, in, now)
	must(t, "add session", s.View().Sessions.Add(t.Context(), on))
	return on
}

func findSession(t *testing.T, s Store, id session.ID) *session.Session {
	t.Helper()
	got, err := s.View().Sessions.Find(t.Context(), id)
	must(t, "find session", err)
	return got
}

func sessionsRoundTrip(t *testing.T, s Store) {
	ada, in, on := signedIn(t, s)
	got := findSession(t, s, on.ID())
	same(t, "a fresh session", got.Snapshot(), on.Snapshot())
	utc(t, "a fresh session", got.AuthTime())
	snap := newSession(ada, in, storeEpoch.Add(time.Microsecond)).Snapshot()
	snap.RevokedAt, snap.Reason, snap.AMR = storeEpoch.Add(time.Hour), session.ByAdmin, nil
	for i := range snap.Salt {
		snap.Salt[i] = byte(i * 17)
	}
	must(t, "add", s.View().Sessions.Add(t.Context(), session.Restore(snap)))
	same(t, "an ended session", findSession(t, s, snap.ID).Snapshot(), snap)
}

func sessionsGeneration(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	snap := newSession(ada, in, storeEpoch).Snapshot()
	snap.Gen = 1<<32 - 1
	must(t, "add", s.View().Sessions.Add(t.Context(), session.Restore(snap)))
	same(t, "the session", findSession(t, s, snap.ID).Snapshot(), snap)
}

func sessionsNotFound(t *testing.T, s Store) {
	signedIn(t, s)
	names := map[string]string{"another": nextID(), "a pattern": "0%", "nothing": ""}
	for what, text := range unstorable {
		names[what] = text
	}
	for what, name := range names {
		_, err := s.View().Sessions.Find(t.Context(), session.ID(name))
		wantErr(t, "find, "+what, err, session.ErrNotFound)
		err = s.View().Sessions.Update(t.Context(), session.ID(name), func(*session.Session) error { return nil })
		wantErr(t, "update, "+what, err, session.ErrNotFound)
		none, err := s.View().Sessions.OfUser(t.Context(), user.ID(name), storeEpoch)
		must(t, "of user, "+what, err)
		if len(none) != 0 {
			t.Errorf("of user, %s: got %d sessions, want none", what, len(none))
		}
	}
}

func sessionsOfUser(t *testing.T, s Store) {
	ada, in, first := signedIn(t, s)
	bob := addUser(t, s, "bob")
	addSession(t, s, bob, addTenant(t, s, "looms", bob), storeEpoch)
	elsewhere := addTenant(t, s, "elsewhere", ada)
	now := storeEpoch.Add(30 * time.Minute)
	second := addSession(t, s, ada, elsewhere, now.Add(-time.Minute))
	third := addSession(t, s, ada, in, now.Add(-time.Microsecond))
	ended := addSession(t, s, ada, in, now)
	must(t, "end one", s.View().Sessions.Update(t.Context(), ended.ID(), func(on *session.Session) error {
		on.Revoke(session.ByUser, now)
		return nil
	}))
	addSession(t, s, ada, in, now.Add(-time.Hour)) // idle for exactly as long as it may be
	list, err := s.View().Sessions.OfUser(t.Context(), ada.ID(), now)
	must(t, "of user", err)
	var got []session.ID
	for _, on := range list {
		got = append(got, on.ID())
	}
	same(t, "ada's sessions", got, []session.ID{third.ID(), second.ID(), first.ID()})
	same(t, "the last of them", list[2].Snapshot(), first.Snapshot())
}

func sessionsRefreshRace(t *testing.T, s Store) {
	_, _, on := signedIn(t, s)
	now := storeEpoch.Add(time.Minute)
	outcomes := make([]session.Rotation, 50)
	none(t, race(50, func(i int) error {
		return s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
			outcomes[i] = on.Rotate(1, 1, "192.0.2.1", "curl", sessionTerms, now)
			return nil
		})
	}))
	rotated := 0
	for _, o := range outcomes {
		if o == session.Rotated {
			rotated++
		} else if o != session.Grace {
			t.Errorf("a racer got outcome %d, want grace", o)
		}
	}
	if got := findSession(t, s, on.ID()); rotated != 1 || got.Generation() != 2 {
		t.Errorf("%d racers rotated to generation %d, want 1 and 2", rotated, got.Generation())
	}
}

func sessionsRefreshMeetsLogout(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	for range 10 {
		on := addSession(t, s, ada, in, storeEpoch)
		none(t, race(4, func(i int) error {
			return s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
				if i == 0 {
					on.Revoke(session.ByLogout, storeEpoch)
				} else {
					on.Rotate(1, 1, "", "", sessionTerms, storeEpoch)
				}
				return nil
			})
		}))
		if got := findSession(t, s, on.ID()); !got.Revoked() {
			t.Fatal("a session lives on after logout because it was refreshed at the same time")
		}
	}
}

func sessionsReuse(t *testing.T, s Store) {
	_, _, on := signedIn(t, s)
	already := len(s.events(t))
	for _, gen := range []uint32{1, 2, 1} {
		must(t, "rotate", s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
			on.Rotate(gen, 1, "", "", sessionTerms, storeEpoch.Add(time.Minute))
			return nil
		}))
	}
	if got := findSession(t, s, on.ID()).Snapshot(); got.Reason != session.ByReuse || !got.RevokedAt.Equal(storeEpoch.Add(time.Minute)) {
		t.Errorf("after reuse: ended %q at %v, want %q at %v", got.Reason, got.RevokedAt, session.ByReuse, storeEpoch.Add(time.Minute))
	}
	if s.Audit != nil {
		log := s.Audit(t)[already:]
		same(t, "the audit log", []string{log[0].Event, log[0].Session, log[0].Reason}, []string{"authn_token_reuse", string(on.ID()), "reuse"})
	}
}

func sessionsRefused(t *testing.T, s Store) {
	_, _, on := signedIn(t, s)
	already := s.events(t)
	s.refuse(t, errChange, func(ctx context.Context, repos outbound.Repos) error {
		return repos.Sessions.Update(ctx, on.ID(), func(on *session.Session) error {
			on.Revoke(session.ByAdmin, storeEpoch)
			return errChange
		})
	})
	same(t, "the session", findSession(t, s, on.ID()).Snapshot(), on.Snapshot())
	s.wantEvents(t, already...)
}

func sessionsGrace(t *testing.T, s Store) {
	_, _, on := signedIn(t, s)
	rotate := func() {
		must(t, "rotate", s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
			on.Rotate(1, 1, "192.0.2.1", "curl", sessionTerms, storeEpoch.Add(time.Second))
			return nil
		}))
	}
	rotate()
	before := findSession(t, s, on.ID()).Snapshot()
	already := s.events(t)
	rotate()
	same(t, "the session", findSession(t, s, on.ID()).Snapshot(), before)
	s.wantEvents(t, append(already, "authn_token_refresh_grace")...)
}

func sessionsUnstorable(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	for what, text := range unstorable {
		snap := newSession(ada, in, storeEpoch).Snapshot()
		snap.Agent = text
		wantInvalid(t, "agent with "+what, s.View().Sessions.Add(t.Context(), session.Restore(snap)))
		snap.Agent, snap.AMR = "", []string{text}
		wantInvalid(t, "amr with "+what, s.View().Sessions.Add(t.Context(), session.Restore(snap)))
	}
}

func sessionsTogether(t *testing.T, s Store) {
	ada, in, _ := signedIn(t, s)
	on := newSession(ada, in, storeEpoch)
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "add", repos.Sessions.Add(ctx, on))
		return repos.Users.Update(ctx, ada.ID(), func(*user.User) error { return errChange })
	})
	wantErr(t, "do", err, errChange)
	_, err = s.View().Sessions.Find(t.Context(), on.ID())
	wantErr(t, "find", err, session.ErrNotFound)
}
