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
