package auth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// running runs a worker in the bubble until the function returned is called.
func running(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

func TestRegistrationsThatNobodyCompletedAreSweptWhenTheyCountNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := identity.New(t)
		defer running(t, w.Auth.Run)()
		w.Register(t, inbound.Register{Email: ada})
		w.User(t, "bob@example.com", "")
		register(t, w, inbound.Register{Email: "bob@example.com"}) // a row that only counts the mail
		long := w.Clock.Now().Add(-time.Hour)
		rows := func(email string) int {
			made, _, err := w.DB.View().Registrations.Since(t.Context(), email, long, w.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		for _, step := range []struct {
			after    time.Duration
			ada, bob int
		}{{time.Hour, 1, 1}, {time.Minute, 1, 0}, {23 * time.Hour, 1, 0}, {time.Hour, 0, 0}} {
			w.Clock.Advance(step.after)
			time.Sleep(11 * time.Minute)
			if a, b := rows(ada), rows("bob@example.com"); a != step.ada || b != step.bob {
				t.Errorf("%v later: %d and %d rows, want %d and %d", step.after, a, b, step.ada, step.bob)
			}
		}
	})
}

func TestLastUseIsKeptEveryTenSecondsAndWhatIsPastForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := identity.New(t)
		stop := running(t, w.Gate.Run)
		defer stop()
		w.User(t, ada, "")
		k := key(t, w, w.Login(t, ada), inbound.CreateKey{})
		w.Caller(t, k.Key)
		used := w.Clock.Now()
		time.Sleep(11 * time.Second)
		kept, err := w.DB.View().APIKeys.Find(t.Context(), k.View.ID)
		if err != nil || !kept.Snapshot().LastUsed.Equal(used) {
			t.Errorf("last use: got %v, %v, want %v", kept.Snapshot().LastUsed, err, used)
		}
		w.Clock.Advance(5 * time.Second)
		time.Sleep(10 * time.Second)
		if n := auth.Remembered(w.Gate); n != 0 {
			t.Errorf("remembers %d that are past", n)
		}
	})
}
