package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
)

var (
	begin = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	terms = session.Terms{Idle: 7 * 24 * time.Hour, Absolute: 30 * 24 * time.Hour, Grace: 10 * time.Second}
	salt  = [16]byte{1, 2, 3}
)

const id = session.ID("0199f2c4-0000-7000-8000-000000000001")

func start() *session.Session {
	return session.Start(id, "u-1", "t-1", salt, 3, []string{"pwd"}, "192.0.2.1", "curl", terms, begin)
}

func TestANewSession(t *testing.T) {
	amr := []string{"pwd"}
	s := session.Start(id, "u-1", "t-1", salt, 3, amr, "192.0.2.1", "curl", terms, begin)
	amr[0] = "changed by the caller"
	want := session.Snapshot{
		ID: id, User: "u-1", Tenant: "t-1", Gen: 1, Salt: salt, Epoch: 3, CreatedAt: begin, RotatedAt: begin, IdleUntil: begin.Add(terms.Idle),
		AbsUntil: begin.Add(terms.Absolute), AMR: []string{"pwd"}, AuthTime: begin, IP: "192.0.2.1", Agent: "curl",
	}
	if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]event.Event{session.Started{ID: id, User: "u-1", At: begin}}, s.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	got := []any{s.ID(), s.User(), s.Tenant(), s.Generation(), s.Salt(), s.AuthTime(), s.AMR(), s.RefreshUntil(), s.Until(), s.Epoch(), s.Revoked()}
	if diff := cmp.Diff([]any{id, user.ID("u-1"), "t-1", uint32(1), salt, begin, []string{"pwd"}, begin.Add(terms.Idle), begin.Add(terms.Absolute), int64(3), false}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.AMR()[0] = "changed by the caller"
	s.Snapshot().AMR[0] = "changed by the caller"
	if s.AMR()[0] != "pwd" {
		t.Error("the caller can change the proof")
	}
	short := session.Start(id, "u-1", "t-1", salt, 3, nil, "", "", session.Terms{Idle: time.Hour, Absolute: time.Minute}, begin)
	if !short.RefreshUntil().Equal(begin.Add(time.Minute)) {
		t.Errorf("idle end %v lies past the absolute one", short.RefreshUntil())
	}
}

func TestRotate(t *testing.T) {
	const own, epoch = 1, 3
	for name, c := range map[string]struct {
		before  func(*session.Session)
		gen     uint32
		epoch   int64
		after   time.Duration // since the start
		want    session.Rotation
		events  []string
		nextGen uint32
	}{
		"the token in force":                   {nil, own, epoch, time.Hour, session.Rotated, nil, 2},
		"at the last instant":                  {nil, own, epoch, terms.Idle - 1, session.Rotated, nil, 2},
		"idle too long":                        {nil, own, epoch, terms.Idle, session.Refused, nil, 1},
		"an older epoch":                       {nil, own, epoch + 1, time.Hour, session.Refused, nil, 1},
		"a newer epoch":                        {nil, own, epoch - 1, time.Hour, session.Refused, nil, 1},
		"revoked":                              {func(s *session.Session) { s.Revoke(session.ByLogout, begin) }, own, epoch, 0, session.Refused, nil, 1},
		"revoked, and an old token":            {func(s *session.Session) { s.Rotate(1, epoch, "", "", terms, begin); s.Revoke(session.ByLogout, begin) }, 1, epoch, time.Hour, session.Refused, nil, 2},
		"one generation back, in time":         {rotated(1), 1, epoch, time.Hour + terms.Grace, session.Grace, []string{"authn_token_refresh_grace"}, 2},
		"one generation back, too late":        {rotated(1), 1, epoch, time.Hour + terms.Grace + 1, session.Reused, []string{"authn_token_reuse"}, 2},
		"two generations back, at once":        {rotated(2), 1, epoch, time.Hour, session.Reused, []string{"authn_token_reuse"}, 3},
		"a generation that never was":          {nil, 7, epoch, time.Hour, session.Refused, nil, 1},
		"the generation before the first":      {nil, 0, epoch, terms.Grace + 1, session.Reused, []string{"authn_token_reuse"}, 1},
		"one back on a clock that is late":     {rotated(1), 1, epoch, time.Hour - terms.Grace, session.Grace, []string{"authn_token_refresh_grace"}, 2},
		"one back when the clock was set back": {rotated(1), 1, epoch, time.Hour - terms.Grace - 1, session.Reused, []string{"authn_token_reuse"}, 2},
		"no longer live, and an old one":       {rotated(2), 1, epoch, terms.Absolute, session.Refused, nil, 3},
		"one generation back, old epoch":       {rotated(1), 1, epoch + 1, time.Hour, session.Refused, nil, 2},
	} {
		s := start()
		if c.before != nil {
			c.before(s)
		}
		s.Events()
		before := s.Snapshot()
		got := s.Rotate(c.gen, c.epoch, "192.0.2.9", "later", terms, begin.Add(c.after))
		var events []string
		for _, e := range s.Events() {
			events = append(events, e.EventName())
		}
		if got != c.want || s.Generation() != c.nextGen || !slices.Equal(events, c.events) {
			t.Errorf("%s: got %v, generation %d, events %v; want %v, %d, %v", name, got, s.Generation(), events, c.want, c.nextGen, c.events)
		}
		switch after := s.Snapshot(); got {
		case session.Refused, session.Grace:
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s changed the session: %s", name, diff)
			}
		case session.Reused:
			if !s.Revoked() || after.Reason != session.ByReuse || s.Live(c.epoch, begin.Add(c.after)) {
				t.Errorf("%s: got %+v, want it ended for reuse", name, after)
			}
		case session.Rotated:
			if after.IP != "192.0.2.9" || after.Agent != "later" || !after.RotatedAt.Equal(begin.Add(c.after)) || !after.AuthTime.Equal(begin) {
				t.Errorf("%s: got %+v", name, after)
			}
		}
	}
}

// rotated rotates so many times, an hour after the start.
func rotated(times uint32) func(*session.Session) {
	return func(s *session.Session) {
		for gen := range times {
			s.Rotate(gen+1, 3, "", "", terms, begin.Add(time.Hour))
		}
	}
}

func TestRevokeEndsOnce(t *testing.T) {
	s := start()
	s.Events()
	s.Revoke(session.ByAdmin, begin.Add(time.Minute))
	s.Revoke(session.ByLogout, begin.Add(time.Hour))
	if snap := s.Snapshot(); snap.Reason != session.ByAdmin || !snap.RevokedAt.Equal(begin.Add(time.Minute)) {
		t.Errorf("got %+v, want the first end", snap)
	}
	want := []event.Event{session.Ended{ID: id, User: "u-1", Reason: session.ByAdmin, At: begin.Add(time.Minute)}}
	if diff := cmp.Diff(want, s.Events()); diff != "" || want[0].EventName() != "authn_token_revoked" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	if (session.Started{}).EventName() != "authn_token_created" {
		t.Error("the name of the event of a start changed")
	}
}

func TestCarryOver(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*session.Session)
		to     int64
		want   int64
	}{
		"to the next epoch":           {nil, 4, 4},
		"to its own":                  {nil, 3, 3},
		"past one in between":         {nil, 5, 3}, // that one ended it
		"back":                        {nil, 2, 3},
		"one that was ended":          {func(s *session.Session) { s.Revoke(session.ByUser, begin) }, 4, 3},
		"one that ended by its reuse": {func(s *session.Session) { s.Rotate(0, 3, "", "", terms, begin.Add(time.Hour)) }, 4, 3},
	} {
		s := start()
		if c.before != nil {
			c.before(s)
		}
		s.Events()
		before := s.Snapshot()
		s.CarryOver(c.to)
		before.Epoch = c.want
		if diff := cmp.Diff(before, s.Snapshot()); diff != "" || len(s.Events()) != 0 {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestAdvanceIsARotationWithoutAToken(t *testing.T) {
	byToken, byStep := start(), start()
	later := begin.Add(25 * 24 * time.Hour)
	if got := byToken.Rotate(1, 3, "192.0.2.9", "later", terms, begin.Add(6*24*time.Hour)); got != session.Rotated {
		t.Fatalf("got %v", got)
	}
	byStep.Advance("192.0.2.9", "later", terms, begin.Add(6*24*time.Hour))
	if diff := cmp.Diff(byToken.Snapshot(), byStep.Snapshot()); diff != "" {
		t.Errorf("-rotated +advanced:\n%s", diff)
	}
	byStep.Advance("", "", terms, later)
	if !byStep.RefreshUntil().Equal(byStep.Until()) {
		t.Errorf("idle end %v, want the absolute one %v", byStep.RefreshUntil(), byStep.Until())
	}
	if got := byStep.Rotate(2, 3, "", "", terms, later.Add(terms.Grace)); got != session.Grace {
		t.Errorf("the token until then, within the grace: got %v, want %v", got, session.Grace)
	}
	if got := byStep.Rotate(2, 3, "", "", terms, later.Add(terms.Grace+1)); got != session.Reused {
		t.Errorf("the token until then, after the grace: got %v, want %v", got, session.Reused)
	}
}

func TestProveRemembersWhenAndHow(t *testing.T) {
	s := start()
	s.Events()
	first, second := begin.Add(time.Hour), begin.Add(2*time.Hour)
	want := s.Snapshot()
	s.Prove("otp", first)
	s.Prove("otp", second)
	want.AMR, want.AuthTime = []string{"pwd", "otp"}, second
	if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	told := func(at time.Time) event.Event {
		return event.Noted{Name: "authn_step_up", Subject: "u-1", Session: string(id), At: at}
	}
	if diff := cmp.Diff([]event.Event{told(first), told(second)}, s.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
}

func TestSwitchTo(t *testing.T) {
	s := start()
	s.Events()
	want := s.Snapshot()
	later := begin.Add(time.Hour)
	s.SwitchTo("t-1", later)
	if diff := cmp.Diff(want, s.Snapshot()); diff != "" || len(s.Events()) != 0 {
		t.Errorf("to where it is: -want +got:\n%s", diff)
	}
	s.SwitchTo("t-2", later)
	want.Tenant = "t-2"
	if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	told := event.Noted{Name: "authn_tenant_switched", Subject: "u-1", Session: string(id), Tenant: "t-2", Detail: map[string]string{"from": "t-1"}, At: later}
	if diff := cmp.Diff([]event.Event{told}, s.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
}

// TestASessionObeysItsTermsWhateverHappens plays owner and thief with random waits against the rules told in another way.
func TestASessionObeysItsTermsWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := session.Terms{
			Idle: time.Duration(rapid.IntRange(1, 100).Draw(t, "idle")) * time.Second, Absolute: time.Duration(rapid.IntRange(1, 300).Draw(t, "abs")) * time.Second,
			Grace: time.Duration(rapid.IntRange(0, 10).Draw(t, "grace")) * time.Second,
		}
		s := session.Start(id, "u", "t", salt, 1, nil, "", "", terms, begin)
		now, epoch, last := begin, int64(1), begin
		ended := false
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "wait")) * time.Second)
			before := s.Snapshot()
			switch rapid.SampledFrom([]string{"refresh", "refresh", "refresh", "replay", "revoke", "epoch", "carry over", "advance", "prove", "switch"}).Draw(t, "step") {
			case "refresh":
				good := !ended && now.Sub(begin) < terms.Absolute && now.Sub(last) < terms.Idle
				got := s.Rotate(s.Generation(), epoch, "", "", terms, now)
				if (got == session.Rotated) != good {
					t.Fatalf("refresh: got %v, want good %v", got, good)
				}
				if good {
					last = now
				}
			case "replay":
				gen := rapid.Uint32Range(0, s.Generation()).Draw(t, "gen")
				if gen == s.Generation() {
					continue
				}
				live := s.Live(epoch, now)
				got := s.Rotate(gen, epoch, "", "", terms, now)
				switch inGrace := gen+1 == before.Gen && now.Sub(before.RotatedAt) <= terms.Grace; {
				case !live && got != session.Refused, live && inGrace && got != session.Grace, live && !inGrace && got != session.Reused:
					t.Fatalf("replay of %d at %d: got %v, live %v, in grace %v", gen, before.Gen, got, live, inGrace)
				}
				ended = ended || s.Revoked()
			case "revoke":
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					s.Revoke(session.ByLogout, now)
					ended = true
				}
			case "epoch":
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					epoch++
					ended = true
				}
			case "carry over": // a change of the user that this session lives through, if it still does
				epoch++
				s.CarryOver(epoch)
			case "advance":
				if s.Live(epoch, now) {
					s.Advance("", "", terms, now)
					last = now
				}
			case "prove":
				s.Prove("otp", now)
			case "switch":
				s.SwitchTo("other", now)
			}
			after := s.Snapshot()
			if after.AbsUntil != before.AbsUntil || after.IdleUntil.After(after.AbsUntil) || after.Gen < before.Gen || after.AuthTime.Before(before.AuthTime) {
				t.Fatalf("got %+v after %+v", after, before)
			}
			if ended && s.Live(epoch, now) {
				t.Fatal("an ended session lives")
			}
			if diff := cmp.Diff(after, session.Restore(after).Snapshot()); diff != "" {
				t.Fatalf("restored: -want +got:\n%s", diff)
			}
		}
	})
}
