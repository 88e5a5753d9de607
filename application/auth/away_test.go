package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

func TestWithoutTheThrottleNothingIsGuessedAndTheRestGoesOn(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	c := w.Challenge(t, ada)
	again, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
	if err != nil {
		t.Fatal(err)
	}
	w.Throttle.Down(errors.New("connection refused"))
	code := w.Code(t, setup.Secret, 1)
	p := inbound.Proof{Password: right, Code: code}
	tries := steps(t, w, caller, p, again.SetupID, code)
	tries["login"] = func() error { return try(t, w, ada, right, "192.0.2.1") }
	tries["complete"] = func() error { _, err := w.Auth.Complete(t.Context(), c.Token, code, ""); return err }
	tries["register"] = func() error {
		_, err := w.Auth.Register(t.Context(), inbound.Register{Email: "b@example.com", Password: right})
		return err
	}
	verifies, hashes := w.Hasher.Verifies.Load(), w.Hasher.Hashes.Load()
	for name, try := range tries {
		if err := try(); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: got %v, want %v", name, err, fault.ErrDependency)
		}
	}
	if w.Hasher.Verifies.Load() != verifies || w.Hasher.Hashes.Load() != hashes {
		t.Error("a hash was spent")
	}
	w.Caller(t, tokens.Access)
	next := refresh(t, w, tokens.Refresh)
	if err := w.Auth.Pace(t.Context(), caller); err != nil {
		t.Errorf("pace: %v", err)
	}
	if _, err := w.Auth.Refresh(t.Context(), "fr1.nothing", inbound.Origin{}); !errors.Is(err, session.ErrRefreshInvalid) {
		t.Errorf("a forged token: got %v", err)
	}
	if err := w.Auth.Logout(t.Context(), inbound.Logout{RefreshToken: next.Refresh}); err != nil {
		t.Errorf("logout: %v", err)
	}
	w.Throttle.Down(nil)
	w.Clock.Advance(identity.Period)
	w.LoginWith(t, ada, setup.Secret)
}

func TestAThrottleThatIsAwayIsAskedOnceASecondWhereItIsNotNeeded(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	caller := w.Caller(t, w.Login(t, ada).Access)
	w.Throttle.Down(errors.New("connection refused"))
	asked := w.Throttle.Asked.Load()
	for range 10 {
		_ = w.Auth.Pace(t.Context(), caller)
	}
	if n := w.Throttle.Asked.Load() - asked; n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	w.Clock.Advance(time.Second)
	w.Throttle.Down(nil)
	_ = w.Auth.Pace(t.Context(), caller)
	if n := w.Throttle.Asked.Load() - asked; n != 2 {
		t.Errorf("a second later: asked %d times, want twice", n)
	}
}

func TestWithoutChallengesNobodyPassesTheSecondFactor(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, _ := w.Enrol(t, ada)
	c := w.Challenge(t, ada)
	w.Challenges.Down(errors.New("connection refused"))
	if err := try(t, w, ada, right, "192.0.2.1"); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("login: got %v", err)
	}
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("complete: got %v", err)
	}
	w.Challenges.Down(nil)
	if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); err != nil {
		t.Errorf("complete when they are back: %v", err)
	}
}

// between runs something after a throttle has admitted an attempt.
type between struct {
	outbound.Throttle
	do func()
}

func (b *between) Admit(ctx context.Context, lease string, ttl time.Duration, buckets []outbound.Bucket) (outbound.Admission, error) {
	a, err := b.Throttle.Admit(ctx, lease, ttl, buckets)
	b.do()
	return a, err
}

func TestAGuessThatCannotBeCountedIsNotAnswered(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	again, err := w.Auth.Setup(t.Context(), caller, inbound.Proof{Password: right, Code: w.Code(t, setup.Secret, 0)})
	if err != nil {
		t.Fatal(err)
	}
	bad := w.WrongCode(t, setup.Secret)
	tries := steps(t, w, caller, inbound.Proof{Password: wrong, Code: bad}, again.SetupID, bad)
	tries["login"] = func() error { return try(t, w, ada, wrong, "192.0.2.1") }
	c := w.Challenge(t, ada)
	tries["complete"] = func() error { _, err := w.Auth.Complete(t.Context(), c.Token, bad, ""); return err }
	inner := w.Throttle.Throttle
	w.Throttle.Throttle = &between{Throttle: inner, do: func() { w.Throttle.Down(errors.New("connection refused")) }}
	for name, try := range tries {
		w.Throttle.Down(nil)
		if err := try(); !errors.Is(err, fault.ErrDependency) {
			t.Errorf("%s: got %v, want %v", name, err, fault.ErrDependency)
		}
	}
	w.Throttle.Throttle = inner
	w.Throttle.Down(nil)
	w.Clock.Advance(identity.Period)
	w.LoginWith(t, ada, setup.Secret)
}

func TestACrowdWaitsTwoSecondsAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := identity.New(t)
		w.User(t, ada, "")
		var seen []outbound.Bucket
		inner := w.Throttle.Throttle
		w.Throttle.Throttle = &watched{Throttle: inner, see: func(b []outbound.Bucket) { seen = b }}
		if err := try(t, w, ada, right, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		w.Throttle.Throttle = inner
		for i := range 5 {
			if a, err := w.Throttle.Admit(t.Context(), fmt.Sprint("lease ", i), time.Minute, seen); err != nil || a.Verdict != outbound.Admitted {
				t.Fatalf("lease %d: got %v, %v", i, a, err)
			}
		}
		begun := time.Now()
		if err := try(t, w, ada, right, "192.0.2.1"); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("got %v, want %v", err, fault.ErrBusy)
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("waited %v, want 2s", took)
		}
		leaves, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.Auth.Login(leaves, inbound.Login{Email: ada, Password: right, Origin: inbound.Origin{IP: "192.0.2.1"}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller leaves: got %v", err)
		}
		var busy atomic.Int64
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				begun := time.Now()
				if err := try(t, w, ada, right, "192.0.2.1"); errors.Is(err, fault.ErrBusy) && time.Since(begun) == 0 {
					busy.Add(1)
				}
			})
		}
		all.Wait()
		if n := busy.Load(); n != 200-128 {
			t.Errorf("%d of 200 were sent away at once, want those past 128", n)
		}
		done := make(chan error)
		go func() { done <- try(t, w, ada, right, "192.0.2.1") }()
		time.Sleep(time.Second) // in the bubble: until all wait
		if err := w.Throttle.Settle(t.Context(), "lease 3", false, seen); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("once one has left: %v", err)
		}
	})
}

// watched shows what buckets are asked for.
type watched struct {
	outbound.Throttle
	see func([]outbound.Bucket)
}

func (s *watched) Admit(ctx context.Context, lease string, ttl time.Duration, buckets []outbound.Bucket) (outbound.Admission, error) {
	s.see(buckets)
	return s.Throttle.Admit(ctx, lease, ttl, buckets)
}

// attentive is a throttle that listens to its context.
type attentive struct{ outbound.Throttle }

func (a attentive) Settle(ctx context.Context, lease string, failed bool, buckets []outbound.Bucket) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.Throttle.Settle(ctx, lease, failed, buckets)
}

func TestAGuessCountsThoughTheClientLeaves(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	inner := w.Throttle.Throttle
	for range 5 {
		ctx, leave := context.WithCancel(t.Context())
		w.Throttle.Throttle = attentive{&between{Throttle: inner, do: leave}}
		_, _ = w.Auth.Login(ctx, inbound.Login{Email: ada, Password: wrong, Origin: inbound.Origin{IP: "192.0.2.1"}})
		leave()
	}
	w.Throttle.Throttle = inner
	if err := try(t, w, ada, right, "192.0.2.1"); err != nil { // no hash was spent on any of them
		t.Errorf("left before the hash: %v", err)
	}
	for range 5 {
		ctx, leave := context.WithCancel(t.Context())
		w.Throttle.Throttle = attentive{inner}
		w.Hasher.After(leave)
		_, _ = w.Auth.Login(ctx, inbound.Login{Email: ada, Password: wrong, Origin: inbound.Origin{IP: "192.0.2.1"}})
	}
	w.Hasher.After(nil)
	full(t, "left after the hash", try(t, w, ada, right, "192.0.2.1"), 15*time.Minute)
}

func TestABusyHasherCountsAsNoGuess(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	w.Hasher.FailVerify(fault.ErrBusy)
	for range 20 {
		if err := try(t, w, ada, wrong, "192.0.2.1"); !errors.Is(err, fault.ErrBusy) {
			t.Fatal(err)
		}
		if err := w.Auth.Disable(t.Context(), caller, inbound.Proof{Password: wrong, RecoveryCode: setup.RecoveryCodes[0]}); !errors.Is(err, fault.ErrBusy) {
			t.Fatal(err)
		}
	}
	w.Hasher.FailVerify(nil)
	if err := try(t, w, ada, right, "192.0.2.1"); err != nil {
		t.Errorf("then: %v", err)
	}
	if f := factor(t, w, v.UserID); f.Failures != 0 {
		t.Errorf("%d failures of the factor", f.Failures)
	}
}

func TestBucketsNameNobody(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "ada")
	var keys []string
	w.Throttle.Throttle = &watched{Throttle: w.Throttle.Throttle, see: func(all []outbound.Bucket) {
		for _, b := range all {
			keys = append(keys, b.Key)
		}
	}}
	_ = try(t, w, ada, wrong, "192.0.2.1")
	_ = try(t, w, "nobody@example.com", wrong, "192.0.2.1")
	tokens := w.Login(t, ada)
	refresh(t, w, tokens.Refresh)
	if len(keys) != 10 {
		t.Fatalf("got %v", keys)
	}
	for _, key := range keys {
		for _, name := range []string{"ada", "nobody", "example", "192.0", string(v.UserID), string(tokens.SessionID)} {
			if strings.Contains(key, name) {
				t.Errorf("%q holds %q", key, name)
			}
		}
	}
}

func TestAThrottleThatIsFullSaysSo(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	w.Throttle.Down(fault.ErrBusy)
	if err := try(t, w, ada, right, "192.0.2.1"); !errors.Is(err, fault.ErrBusy) || errors.Is(err, fault.ErrDependency) {
		t.Errorf("got %v", err)
	}
}

func TestAClientThatLeavesIsNotToldThatTheThrottleIsAway(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	ctx, leave := context.WithCancel(t.Context())
	w.Throttle.Throttle = &between{Throttle: silent{}, do: leave}
	if _, err := w.Auth.Login(ctx, inbound.Login{Email: ada, Password: right}); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrDependency) {
		t.Errorf("got %v", err)
	}
}

// silent is a throttle whose every answer is an error.
type silent struct{ outbound.Throttle }

func (silent) Admit(context.Context, string, time.Duration, []outbound.Bucket) (outbound.Admission, error) {
	return outbound.Admission{}, errors.New("the call was ended")
}
