package health

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxSkew is how far the clock of this process may be from the database's. Nodes that are further apart disagree about what has expired.
const MaxSkew = 5 * time.Second

// watchEvery is how often the clock is compared.
const watchEvery = time.Minute

// ErrSkew is the cause when the clock is further off than MaxSkew.
var ErrSkew = errors.New("the clock is off")

// Skew is how far the clock of this process is ahead of the database's, as last measured; negative when it is behind.
func (s *Service) Skew() time.Duration { return time.Duration(s.skew.Load()) }

// CheckClock compares the clock of this process with the database's, which on an embedded database is the same. It fails with ErrSkew when they are
// further apart than MaxSkew.
func (s *Service) CheckClock(ctx context.Context) error {
	before := s.deps.Clock()
	theirs, err := s.deps.Database.Now(ctx)
	if err != nil {
		return fmt.Errorf("compare the clock: %w", err)
	}
	skew := apart(before, s.deps.Clock(), theirs)
	s.skew.Store(int64(skew))
	switch {
	case skew > MaxSkew:
		return fmt.Errorf("%w: it is %s ahead of the database's, more than %s", ErrSkew, skew.Round(time.Millisecond), MaxSkew)
	case skew < -MaxSkew:
		return fmt.Errorf("%w: it is %s behind the database's, more than %s", ErrSkew, -skew.Round(time.Millisecond), MaxSkew)
	}
	return nil
}

// apart is how far ahead of theirs our clock is for certain: theirs was read at some moment between before and after, and a slow answer is no skew.
func apart(before, after, theirs time.Time) time.Duration {
	switch {
	case theirs.Before(before):
		return before.Sub(theirs)
	case theirs.After(after):
		return after.Sub(theirs)
	default:
		return 0
	}
}

// Run compares the clock every minute until the context ends. While it is off, each comparison says so in the log, for an alert to find, and Ready
// says that the clock degrades. A database that does not answer is no news of the clock.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		was := s.Skew()
		switch err := s.CheckClock(ctx); {
		case errors.Is(err, ErrSkew):
			s.deps.Log.Error("the clocks of this process and of the database are too far apart", "logger", "health", "skew_ms", s.Skew().Milliseconds())
		case err == nil && was.Abs() > MaxSkew:
			s.deps.Log.Info("the clock agrees with the database's again", "logger", "health", "skew_ms", s.Skew().Milliseconds())
		}
	}
}
