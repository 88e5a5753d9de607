package health_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/health"
)

// behind is a database whose clock is behind ours by so many nanoseconds, and that takes its time to answer.
func behind(by *atomic.Int64, takes time.Duration) database {
	return database{now: func() (time.Time, error) {
		time.Sleep(takes / 2)
		now := time.Now().Add(-time.Duration(by.Load()))
		time.Sleep(takes - takes/2)
		return now, nil
	}}
}

// log is written and read at once.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take gives what was written since the last time.
func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func TestTheClockIsComparedWithTheDatabases(t *testing.T) {
	tests := map[string]struct {
		behind, takes time.Duration
		skew          time.Duration
		says          string // "" when the clock is right
	}{
		"the same time":                    {},
		"five seconds ahead":               {behind: 5 * time.Second, skew: 5 * time.Second},
		"more than five seconds ahead":     {behind: 5*time.Second + 1, skew: 5*time.Second + 1, says: "5s ahead"},
		"an hour ahead":                    {behind: time.Hour, skew: time.Hour, says: "1h0m0s ahead"},
		"five seconds behind":              {behind: -5 * time.Second, skew: -5 * time.Second},
		"an hour behind":                   {behind: -time.Hour, skew: -time.Hour, says: "1h0m0s behind"},
		"the same time, told slowly":       {takes: 20 * time.Second},
		"nine seconds ahead, told slowly":  {behind: 9 * time.Second, takes: 10 * time.Second, skew: 4 * time.Second},
		"nine seconds behind, told slowly": {behind: -9 * time.Second, takes: 10 * time.Second, skew: -4 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var by atomic.Int64
				by.Store(int64(tc.behind))
				s := health.New(health.Deps{Database: behind(&by, tc.takes), Cache: cache{}, Clock: time.Now})
				err := s.CheckClock(t.Context())
				if s.Skew() != tc.skew {
					t.Errorf("got a skew of %s, want %s", s.Skew(), tc.skew)
				}
				if errors.Is(err, health.ErrSkew) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
					t.Errorf("got %v, want what says %q", err, tc.says)
				}
				if r := s.Ready(t.Context()); !r.Ready || slices.Contains(r.Degraded, "clock") != (tc.says != "") {
					t.Errorf("got readiness %t, degraded %q", r.Ready, r.Degraded)
				}
			})
		})
	}
}

func TestADatabaseThatDoesNotAnswerIsNoSkew(t *testing.T) {
	away := errors.New("away")
	db := database{now: func() (time.Time, error) { return time.Time{}, away }}
	s := health.New(health.Deps{Database: db, Cache: cache{}, Clock: time.Now})
	if err := s.CheckClock(t.Context()); !errors.Is(err, away) || errors.Is(err, health.ErrSkew) || s.Skew() != 0 {
		t.Errorf("got %v and a skew of %s, want the database's error", err, s.Skew())
	}
}

func TestEveryMinuteAClockThatIsOffIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines log
		var by atomic.Int64
		s := health.New(health.Deps{Database: behind(&by, 0), Cache: cache{}, Clock: time.Now, Log: slog.New(slog.NewJSONHandler(&lines, nil))})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		for _, step := range []struct {
			by   time.Duration
			want []string // parts of the lines of this minute
		}{
			{0, nil},
			{-time.Hour, []string{`"level":"ERROR"`, `"skew_ms":-3600000`}},
			{6 * time.Second, []string{`"level":"ERROR"`, `"skew_ms":6000`}},
			{time.Second, []string{`"level":"INFO"`, "again"}},
			{time.Second, nil},
		} {
			by.Store(int64(step.by))
			time.Sleep(time.Minute - 1)
			synctest.Wait()
			early := lines.take()
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			got := lines.take()
			if early != "" {
				t.Errorf("%s behind, before the minute is over: got %s, want nothing", step.by, early)
			}
			if step.want == nil && got != "" {
				t.Errorf("%s behind: got %s, want nothing", step.by, got)
			}
			for _, want := range step.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s behind: got %s, want %s", step.by, got, want)
				}
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}
