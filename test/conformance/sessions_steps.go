package conformance

import (
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
)

func updateSession(t *testing.T, s Store, id session.ID, change func(*session.Session)) {
	t.Helper()
	must(t, "update session", s.View().Sessions.Update(t.Context(), id, func(on *session.Session) error {
		change(on)
		return nil
	}))
}

func sessionsSteps(t *testing.T, s Store) {
	ada, _, on := signedIn(t, s)
	elsewhere := addTenant(t, s, "elsewhere", ada)
	now := storeEpoch.Add(time.Minute)
	steps := []struct {
		what, event string
		change      func(*session.Session)
	}{
		{"carried over", "", func(on *session.Session) { on.CarryOver(ada.Epoch() + 1) }},
		{"advanced", "", func(on *session.Session) { on.Advance("198.51.100.7", "later "+hostile, sessionTerms, now) }},
		{"proven by a means it had", "authn_step_up", func(on *session.Session) { on.Prove("otp", now) }},
		{"proven by another", "authn_step_up", func(on *session.Session) { on.Prove("recovery", now.Add(time.Second)) }},
		{"in another tenant", "authn_tenant_switched", func(on *session.Session) { on.SwitchTo(string(elsewhere.ID()), now) }},
		{"in the same", "", func(on *session.Session) { on.SwitchTo(string(elsewhere.ID()), now) }},
		{"ended", "authn_token_revoked", func(on *session.Session) { on.Revoke(session.ByMFA, now) }},
		{"carried over too late", "", func(on *session.Session) { on.CarryOver(ada.Epoch() + 2) }},
	}
	already := len(s.events(t))
	var events []string
	for _, step := range steps {
		before := findSession(t, s, on.ID()).Snapshot()
		var want session.Snapshot
		updateSession(t, s, on.ID(), func(on *session.Session) {
			same(t, "what change is given", on.Snapshot(), before)
			step.change(on)
			want = on.Snapshot()
		})
		same(t, "the session "+step.what, findSession(t, s, on.ID()).Snapshot(), want)
		if step.event != "" {
			events = append(events, step.event)
		}
	}
	if s.Audit == nil {
		return
	}
	log := s.Audit(t)[already:]
	same(t, "the audit log", s.events(t)[already:], events)
	same(t, "the step up", []string{log[0].Subject, log[0].Session}, []string{string(ada.ID()), string(on.ID())})
	same(t, "the switch", []string{log[2].Subject, log[2].Session, log[2].Tenant}, []string{string(ada.ID()), string(on.ID()), string(elsewhere.ID())})
}

func sessionsSwitchNowhere(t *testing.T, s Store) {
	_, _, on := signedIn(t, s)
	before := findSession(t, s, on.ID()).Snapshot()
	for what, id := range map[string]string{"another": nextID(), "nothing": ""} {
		err := s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
			on.SwitchTo(id, storeEpoch)
			return nil
		})
		wantErr(t, "to "+what, err, fault.ErrNotFound)
	}
	for what, text := range unstorable {
		err := s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
			on.Advance("", text, sessionTerms, storeEpoch)
			return nil
		})
		wantInvalid(t, "agent with "+what, err)
	}
	same(t, "the session", findSession(t, s, on.ID()).Snapshot(), before)
}

func sessionsChangeOnlyThat(t *testing.T, s Store) {
	ada, in, on := signedIn(t, s)
	other := addSession(t, s, ada, in, storeEpoch)
	elsewhere := addTenant(t, s, "elsewhere", ada)
	updateSession(t, s, on.ID(), func(on *session.Session) { on.SwitchTo(string(elsewhere.ID()), storeEpoch) })
	want := on.Snapshot()
	want.Tenant = string(elsewhere.ID())
	same(t, "the session", findSession(t, s, on.ID()).Snapshot(), want)
	same(t, "the other session", findSession(t, s, other.ID()).Snapshot(), other.Snapshot())
	list, err := s.View().Sessions.OfUser(t.Context(), ada.ID(), storeEpoch)
	must(t, "of user", err)
	got := map[session.ID]string{}
	for _, on := range list {
		got[on.ID()] = on.Tenant()
	}
	same(t, "the tenants of ada's sessions", got, map[session.ID]string{on.ID(): string(elsewhere.ID()), other.ID(): string(in.ID())})
}

func sessionsStepsRace(t *testing.T, s Store) {
	_, _, on := signedIn(t, s)
	none(t, race(50, func(i int) error {
		return s.View().Sessions.Update(t.Context(), on.ID(), func(on *session.Session) error {
			if i%2 == 0 {
				on.Advance("", "", sessionTerms, storeEpoch.Add(time.Minute))
			} else {
				on.Prove("recovery", storeEpoch.Add(time.Minute))
			}
			return nil
		})
	}))
	got := findSession(t, s, on.ID())
	same(t, "the proofs", got.AMR(), []string{"pwd", "otp", "recovery"})
	if got.Generation() != 26 {
		t.Errorf("after 25 steps at once: generation %d, want 26", got.Generation())
	}
}

func sessionsSweep(t *testing.T, s Store) {
	ada, in, on := signedIn(t, s)
	bound := storeEpoch.Add(sessionTerms.Idle)
	ended := func(at time.Time) *session.Session {
		on := addSession(t, s, ada, in, storeEpoch.Add(2*time.Hour))
		updateSession(t, s, on.ID(), func(on *session.Session) { on.Revoke(session.ByUser, at) })
		return on
	}
	short := newSession(ada, in, storeEpoch).Snapshot()
	short.AbsUntil, short.IdleUntil = bound.Add(-time.Microsecond), bound.Add(time.Hour)
	must(t, "add", s.View().Sessions.Add(t.Context(), session.Restore(short)))
	gone := []session.ID{ended(bound.Add(-time.Microsecond)).ID(), addSession(t, s, ada, in, storeEpoch.Add(-time.Microsecond)).ID(), short.ID}
	stay := []session.ID{on.ID(), ended(bound).ID(), addSession(t, s, ada, in, storeEpoch.Add(time.Hour)).ID()}
	already := s.events(t)
	for _, want := range []int{len(gone), 0} {
		n, err := s.View().Sessions.Sweep(t.Context(), bound)
		must(t, "sweep", err)
		if n != want {
			t.Errorf("swept %d, want %d", n, want)
		}
	}
	for _, id := range gone {
		wantErr(t, "find what was swept", second(s.View().Sessions.Find(t.Context(), id)), session.ErrNotFound)
	}
	for _, id := range stay {
		must(t, "find what stays", second(s.View().Sessions.Find(t.Context(), id)))
	}
	s.wantEvents(t, already...)
}
