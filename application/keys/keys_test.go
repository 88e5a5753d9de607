package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/keys"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

func TestTheFirstStartBeginsTheSet(t *testing.T) {
	w := identity.New(t)
	n := newNode(w)
	n.wantStates(t, "before the first start", "")
	if err := n.Load(t.Context()); err != nil {
		t.Fatalf("load: %v", err)
	}
	n.wantStates(t, "after it", "1 active, 2 next")
	began, err := n.List(t.Context())
	if err != nil || !began[0].Since.Equal(w.Clock.Now()) {
		t.Errorf("key 1 signs since %v, %v; want now", began[0].Since, err)
	}
	w.Clock.Advance(time.Hour)
	again := load(t, w.Node(t))
	list, err := again.List(t.Context())
	if diff := cmp.Diff(began, list); err != nil || diff != "" {
		t.Errorf("another start changed the set: %v\n%s", err, diff)
	}
	if !again.good(n.sign(t)) {
		t.Error("two nodes of one database have other keys")
	}
}

func TestManyFirstStartsAtOnceBeginOneSet(t *testing.T) {
	w := identity.New(t)
	nodes := make([]*node, 20)
	var all sync.WaitGroup
	for i := range nodes {
		nodes[i] = newNode(w.Node(t))
		all.Go(func() {
			if err := nodes[i].Load(t.Context()); err != nil {
				t.Errorf("load: %v", err)
			}
		})
	}
	all.Wait()
	nodes[0].wantStates(t, "after all", "1 active, 2 next")
}

func TestRotateAndDropAreFeltAtOnceAndAudited(t *testing.T) {
	n := load(t, identity.New(t))
	ctx := outbound.WithActor(t.Context(), outbound.Actor{TenantID: "the tenant whose log shows it"})
	first := n.sign(t)
	list, err := n.Rotate(ctx)
	if got := statesOf(list); err != nil || got != "1 retired, 2 active, 3 next" {
		t.Fatalf("rotate: got %q, %v", got, err)
	}
	n.wantStates(t, "stored", "1 retired, 2 active, 3 next")
	second := n.sign(t)
	if !n.good(first) || !n.good(second) {
		t.Errorf("after a rotation the old token is good %t, the new one %t; want both", n.good(first), n.good(second))
	}
	if list, err = n.Drop(ctx, 1); err != nil || statesOf(list) != "2 active, 3 next" {
		t.Fatalf("drop: got %q, %v", statesOf(list), err)
	}
	if n.good(first) || !n.good(second) {
		t.Errorf("after the drop the old token is good %t, the new one %t; want only the new", n.good(first), n.good(second))
	}
	if list, err = n.Drop(ctx, 2); err != nil || statesOf(list) != "3 active, 4 next" {
		t.Fatalf("drop the active: got %q, %v", statesOf(list), err)
	}
	if n.good(second) || !n.good(n.sign(t)) {
		t.Error("the active key was dropped, but its token is good, or the next one's is not")
	}
	for _, number := range []int{1, 0, -3, 99} {
		if _, err := n.Drop(ctx, number); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("drop %d: got %v, want %v", number, err, signing.ErrNoKey)
		}
	}
	n.wantStates(t, "after drops of none", "3 active, 4 next")
	lines, err := n.DB.View().Audit.List(t.Context(), "the tenant whose log shows it", outbound.AuditFilter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, l := range lines {
		events = append(events, l.Event+" "+l.SubjectID)
	}
	want := []string{"key_dropped signing-key-2", "key_rotated signing-key-3", "key_dropped signing-key-1", "key_rotated signing-key-2"}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("the audit log, newest first (-want +got):\n%s", diff)
	}
}

func TestTheKeySetIsThatOfTheKeysInUse(t *testing.T) {
	n := load(t, identity.New(t))
	before, err := n.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := n.JWKS()
	if err != nil || bytes.Equal(before, after) || bytes.Count(after, []byte(`"kid"`)) != 3 {
		t.Errorf("after a rotation the key set is %s, %v; before %s", after, err, before)
	}
}

func TestOtherNodesFollowWithinAMinuteAndAcceptTheNextKeyBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := load(t, identity.New(t))
		two := load(t, one.Node(t))
		stop := two.run(t)
		defer stop()
		two.pass(time.Second)
		first := two.sign(t)
		if _, err := one.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !two.good(one.sign(t)) {
			t.Error("a node that has not followed yet refuses the key that was published ahead")
		}
		two.pass(30 * time.Second)
		if !one.good(two.sign(t)) || !two.good(first) {
			t.Error("after 30 s the nodes do not accept each other's tokens, or the old one")
		}
		if _, err := one.Drop(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		two.pass(30 * time.Second)
		if two.good(first) {
			t.Error("30 s after the drop another node accepts the token")
		}
		if !two.good(two.sign(t)) || !one.good(two.sign(t)) {
			t.Error("after the drop new tokens are refused")
		}
		stop()
		if n := strings.Count(two.log.String(), "signing keys in use"); n != 3 {
			t.Errorf("%d times other keys came into use, want 3: the first, after the rotation, after the drop\n%s", n, two.log)
		}
	})
}

// TestADropEndsAccessWithinAMinute goes through the gatekeeper, which believes what it has checked for a while.
func TestADropEndsAccessWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := load(t, identity.New(t))
		two := load(t, one.Node(t))
		defer one.run(t)()
		defer two.run(t)()
		one.User(t, "ada@example.com", "ada")
		in := one.Login(t, "ada@example.com")
		one.Caller(t, in.Access)
		two.Caller(t, in.Access)
		for range 20 { // somewhere between two looks
			one.pass(777 * time.Millisecond)
			two.Caller(t, in.Access)
		}
		if _, err := one.Drop(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			on     *node
			within int
		}{"the same node": {one, 5}, "the other": {two, 40}} {
			seconds := 0
			for ; seconds < 100; seconds++ {
				if _, err := c.on.Gate.Authenticate(t.Context(), in.Access); err != nil {
					break
				}
				c.on.pass(time.Second)
			}
			if seconds > c.within {
				t.Errorf("on %s the token was good for %d s after the drop, want at most %d", name, seconds, c.within)
			}
		}
		again, err := two.Auth.Refresh(t.Context(), in.Refresh, identity.Somewhere())
		if err != nil {
			t.Fatalf("refresh after the drop: %v", err)
		}
		one.Caller(t, again.Access)
		two.Caller(t, again.Access)
	})
}

func TestKeysTurnByThemselvesAndRetiredOnesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := load(t, identity.New(t))
		two := load(t, one.Node(t))
		defer one.run(t)()
		defer two.run(t)()
		one.Clock.Advance(signing.MaxAge - time.Minute - 30*time.Second)
		one.pass(30 * time.Second)
		one.wantStates(t, "a minute before", "1 active, 2 next")
		before := one.sign(t)
		one.pass(time.Minute + 30*time.Second)
		one.wantStates(t, "after 30 days", "1 retired, 2 active, 3 next")
		for _, n := range []*node{one, two} {
			if !n.good(before) || !n.good(one.sign(t)) || !n.good(two.sign(t)) {
				t.Error("after 30 days a token is refused")
			}
		}
		one.pass(25 * time.Minute) // 15 min, 30 s, 10 min
		one.wantStates(t, "while someone may need the retired key", "1 retired, 2 active, 3 next")
		one.pass(time.Minute)
		one.wantStates(t, "when nobody can", "2 active, 3 next")
		one.Clock.Advance(signing.MaxAge)
		one.pass(30 * time.Second)
		one.wantStates(t, "after 60 days", "2 retired, 3 active, 4 next")
	})
}

func TestANodeThatStartsAfterLongTurnsTheKeys(t *testing.T) {
	w := identity.New(t)
	load(t, w)
	w.Clock.Advance(45 * 24 * time.Hour)
	n := load(t, w.Node(t))
	n.wantStates(t, "after 45 days", "1 retired, 2 active, 3 next")
	if !n.good(n.sign(t)) {
		t.Error("a new token is refused")
	}
}

func TestADatabaseThatIsAwayKeepsTheKeysInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := load(t, identity.New(t))
		two := load(t, one.Node(t))
		stop := two.run(t)
		defer stop()
		token := two.sign(t)
		two.store.fail(fault.ErrDependency)
		if _, err := one.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		two.pass(2 * time.Minute)
		if !two.good(token) || !two.good(two.sign(t)) {
			t.Error("without the database tokens are refused")
		}
		for name, use := range map[string]func() error{
			"list":   func() error { _, err := two.List(t.Context()); return err },
			"rotate": func() error { _, err := two.Rotate(t.Context()); return err },
			"drop":   func() error { _, err := two.Drop(t.Context(), 1); return err },
			"load":   func() error { return two.Load(t.Context()) },
		} {
			if err := use(); !errors.Is(err, fault.ErrDependency) {
				t.Errorf("%s: got %v, want %v", name, err, fault.ErrDependency)
			}
		}
		two.store.fail(nil)
		two.pass(30 * time.Second)
		stop()
		if raw, err := two.JWKS(); err != nil || bytes.Count(raw, []byte(`"kid"`)) != 3 {
			t.Errorf("with the database again it does not follow: %s, %v", raw, err)
		}
		log := two.log.String()
		if bad, good := strings.Count(log, "cannot be followed"), strings.Count(log, "followed again"); bad != 1 || good != 1 {
			t.Errorf("the log says %d times that it cannot follow and %d times that it does again, want once each:\n%s", bad, good, log)
		}
	})
}

func TestASetThatBeginsWhileTheDatabaseFails(t *testing.T) {
	n := newNode(identity.New(t))
	n.store.Tx = failing{n.store.Tx}
	if err := n.Load(t.Context()); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("got %v, want %v", err, fault.ErrBusy)
	}
}

// failing reads and does not write.
type failing struct{ outbound.Tx }

func (failing) Do(context.Context, func(context.Context, outbound.Repos) error) error {
	return fault.ErrBusy
}

func TestASetWithoutAnActiveKeyIsRefusedUntilItIsRotated(t *testing.T) {
	n := load(t, identity.New(t))
	token := n.sign(t)
	err := n.DB.View().SigningKeys.Update(t.Context(), func(set *signing.Set) error {
		*set = *signing.Restore([]signing.Key{
			{Number: 1, State: signing.Retired, Since: n.Clock.Now()}, {Number: 2, State: signing.Next, Since: n.Clock.Now()},
		}, n.Clock.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "forge1 keys rotate") {
		t.Errorf("got %v, want what to do", err)
	}
	if !n.good(token) {
		t.Error("the keys in use have changed")
	}
	if _, err := n.Rotate(t.Context()); err != nil {
		t.Fatalf("rotate: %v", err)
	}
	n.wantStates(t, "after a rotation", "1 retired, 2 active, 3 next")
	if err := n.Load(t.Context()); err != nil || !n.good(n.sign(t)) {
		t.Errorf("after a rotation: %v", err)
	}
}

// refusing takes no keys.
type refusing struct{ outbound.Tokens }

var errRefused = errors.New("no")

func (refusing) Use([]signing.Key) error { return errRefused }

func TestKeysThatCannotBeUsedAreSaid(t *testing.T) {
	w := identity.New(t)
	s := keys.New(keys.Deps{Tx: w.DB, Tokens: refusing{w.Tokens}, Clock: w.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err := s.Load(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("got %v, want %v", err, errRefused)
	}
}

func TestRotationsAndLooksAtOnceEndWithTheNewestKeys(t *testing.T) {
	w := identity.New(t)
	n := load(t, w)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if i%2 == 0 {
				if err := n.Load(t.Context()); err != nil {
					t.Errorf("load: %v", err)
				}
				return
			}
			if _, err := n.Rotate(t.Context()); err != nil {
				t.Errorf("rotate: %v", err)
			}
		})
	}
	all.Wait()
	token := n.sign(t)
	if other := load(t, w.Node(t)); !other.good(token) {
		t.Error("the node signs with a key that is not stored")
	}
	if _, err := n.Drop(t.Context(), 11); err != nil {
		t.Fatalf("drop the active: %v", err)
	}
	if n.good(token) {
		t.Error("the last rotation is not what the node uses")
	}
	if _, err := n.Tokens.Verify(token, n.Clock.Now()); errors.Is(err, session.ErrTokenExpired) {
		t.Error("it was refused for its time")
	}
}
