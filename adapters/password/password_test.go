package password_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

var cheap = password.Params{Memory: 64, Time: 1, Threads: 1}

func TestConformance(t *testing.T) {
	conformance.Hasher(t, func(*testing.T) outbound.Hasher {
		return password.New(password.Config{Params: cheap, Concurrency: 2, Queue: 32, Wait: time.Minute})
	})
}

func TestKeptHashesAreRead(t *testing.T) {
	h := password.New(password.Config{Params: password.OWASP, Queue: 1, Wait: time.Second})
	fresh, err := h.Hash(t.Context(), secret.New("correct horse"))
	if err != nil || !strings.HasPrefix(fresh, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("got %q, %v", fresh, err)
	}
	zeros := strings.Repeat("A", 43) // a key of 32 bytes
	tail := "$c29tZXNhbHRzb21lc2FsdA$" + zeros
	for name, c := range map[string]struct {
		phc       string
		ok, stale bool
		err       error
	}{
		"today's":             {fresh, true, false, nil},
		"too dear":            {"$argon2id$v=19$m=65537,t=1,p=1" + tail, false, false, password.ErrUnreadable},
		"too many":            {"$argon2id$v=19$m=64,t=11,p=1" + tail, false, false, password.ErrUnreadable},
		"too wide":            {"$argon2id$v=19$m=64,t=1,p=5" + tail, false, false, password.ErrUnreadable},
		"dearest":             {"$argon2id$v=19$m=65536,t=1,p=1" + tail, false, true, nil},
		"longest":             {"$argon2id$v=19$m=64,t=10,p=1" + tail, false, true, nil},
		"widest":              {"$argon2id$v=19$m=64,t=1,p=4" + tail, false, true, nil},
		"of zeros":            {"$argon2id$v=19$m=0,t=0,p=0" + tail, false, false, password.ErrUnreadable},
		"of no time":          {"$argon2id$v=19$m=64,t=0,p=1" + tail, false, false, password.ErrUnreadable},
		"of no threads":       {"$argon2id$v=19$m=64,t=1,p=0" + tail, false, false, password.ErrUnreadable},
		"of another spelling": {"$argon2id$v=19$m=064,t=1,p=1" + tail, false, false, password.ErrUnreadable},
		"of another version":  {"$argon2id$v=16$m=64,t=1,p=1" + tail, false, false, password.ErrUnreadable},
		"with another salt":   {"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRz$" + zeros, false, true, nil},
		"with a broken line":  {"$argon2id$v=19$m=64,t=1,p=1$c29tZXNh\r\nbHRzb21lc2FsdA$" + zeros, false, false, password.ErrUnreadable},
		"with loose bits":     {"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdB$" + zeros, false, false, password.ErrUnreadable},
		"with a short salt":   {"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbA$" + zeros, false, false, password.ErrUnreadable},
		"with a short key":    {"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", false, false, password.ErrUnreadable},
		"of argon2i":          {"$argon2i$v=19$m=64,t=1,p=1" + tail, false, false, password.ErrUnreadable},
		"with more numbers":   {"$argon2id$v=19$m=64,t=1,p=1,x=1" + tail, false, false, password.ErrUnreadable},
		"without salt":        {"$argon2id$v=19$m=64,t=1,p=1$$" + zeros, false, false, password.ErrUnreadable},
		"without key":         {"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$", false, false, password.ErrUnreadable},
		"of bcrypt":           {"$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", false, false, password.ErrUnreadable},
	} {
		ok, stale, err := h.Verify(t.Context(), c.phc, secret.New("correct horse"))
		if ok != c.ok || stale != c.stale || !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, %v, %v, want %v, %v, %v", name, ok, stale, err, c.ok, c.stale, c.err)
		}
	}
}

func TestACheaperHashMatchesAndIsStale(t *testing.T) {
	old := password.New(password.Config{Params: cheap})
	phc, err := old.Hash(t.Context(), secret.New("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	now := password.New(password.Config{Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
	if ok, stale, err := now.Verify(t.Context(), phc, secret.New("correct horse")); !ok || !stale || err != nil {
		t.Errorf("got %v, %v, %v, want true, true", ok, stale, err)
	}
}

// The cost of argon2 is its memory; it is taken whether or not there is a hash to compare with.
func TestNobodysHashCostsWhatSomebodysDoes(t *testing.T) {
	h := password.New(password.Config{Params: password.Params{Memory: 8 << 10, Time: 1, Threads: 1}})
	phc, err := h.Hash(t.Context(), secret.New("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	cost := func(phc string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := h.Verify(t.Context(), phc, secret.New("another horse")); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if somebody, nobody := cost(phc), cost(""); nobody < 8<<20 || max(somebody, nobody)-min(somebody, nobody) > 64<<10 {
		t.Errorf("somebody's takes %d bytes, nobody's %d", somebody, nobody)
	}
}

func TestHashesAtOnceAreAsManyAsSaid(t *testing.T) {
	for said, want := range map[int]int{-1: 1, 0: 1, 1: 1, 3: 3} {
		if got := password.New(password.Config{Params: cheap, Concurrency: said}).AtOnce(); got != want {
			t.Errorf("%d: got %d, want %d", said, got, want)
		}
	}
}

func TestWhereNobodyMayWaitWhoeverIsLateIsRefused(t *testing.T) {
	h, free := busy(t, 0, time.Hour)
	defer free()
	if _, _, err := h.Verify(t.Context(), "", secret.New("x")); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("got %v, want %v", err, fault.ErrBusy)
	}
}

// busy is a hasher of one turn that is taken until the function returned is called.
func busy(t *testing.T, queue int, wait time.Duration) (*password.Hasher, func()) {
	t.Helper()
	h := password.New(password.Config{Params: cheap, Concurrency: 1, Queue: queue, Wait: wait})
	return h, password.Occupy(h)
}

func TestWhoFindsTheLineFullIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, free := busy(t, 2, time.Hour)
		var waiting sync.WaitGroup
		for range 2 {
			waiting.Go(func() {
				if _, err := h.Hash(t.Context(), secret.New("x")); err != nil {
					t.Errorf("in line: %v", err)
				}
			})
		}
		synctest.Wait()
		if _, err := h.Hash(t.Context(), secret.New("x")); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("got %v, want %v", err, fault.ErrBusy)
		}
		free()
		waiting.Wait()
		if _, err := h.Hash(t.Context(), secret.New("x")); err != nil {
			t.Errorf("after the line is gone: %v", err)
		}
	})
}

func TestWhoWaitsTooLongIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, free := busy(t, 2, 2*time.Second)
		defer free()
		start := time.Now()
		_, _, err := h.Verify(t.Context(), "", secret.New("x"))
		if took := time.Since(start); !errors.Is(err, fault.ErrBusy) || took != 2*time.Second {
			t.Errorf("got %v after %v, want %v after 2s", err, took, fault.ErrBusy)
		}
	})
}

func TestWhoLeavesTheLineLeavesARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, free := busy(t, 1, time.Hour)
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := h.Hash(ctx, secret.New("x"))
			left <- err
		}()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		go func() {
			_, err := h.Hash(t.Context(), secret.New("x"))
			left <- err
		}()
		synctest.Wait()
		free()
		if err := <-left; err != nil {
			t.Errorf("the next in line: %v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	h := password.New(password.Config{Params: password.OWASP, Queue: 32, Wait: time.Minute})
	phc, err := h.Hash(b.Context(), secret.New("correct horse"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), phc, secret.New("correct horse")); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
