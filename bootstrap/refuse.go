package bootstrap

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/application/health"
)

// refuse says why not to begin, of what only the servers can tell. It names variables and never what they hold.
func (a *App) refuse(ctx context.Context) error {
	return errors.Join(a.refuseClock(ctx), a.refuseRedis(ctx))
}

func (a *App) refuseClock(ctx context.Context) error {
	err := a.Health.CheckClock(ctx)
	if !errors.Is(err, health.ErrSkew) {
		return err
	}
	hint := "set the clocks of both hosts, by NTP for instance"
	if a.Config.ClockOffsetFile != "" {
		hint = "what FORGE_CLOCK_OFFSET_FILE names must hold 0s at start; move the clock afterwards"
	}
	return fmt.Errorf("DATABASE_URL: %w; %s", err, hint)
}

// refuseRedis refuses a Redis that may throw away what must stay: counters of wrong passwords, and the ends of sessions. One that does not answer now is
// no reason not to start, because what needs it says so by itself.
func (a *App) refuseRedis(ctx context.Context) error {
	if a.Eviction == nil {
		return nil
	}
	const must = "the server's maxmemory-policy must be noeviction, or counters and the ends of sessions get lost when its memory is full"
	switch policy, err := a.Eviction(ctx); {
	case err != nil:
		a.Log.Warn("Redis does not answer, so its maxmemory-policy is not known; it must be noeviction", "logger", "bootstrap")
	case policy == "":
		a.Log.Warn("Redis does not tell its maxmemory-policy; it must be noeviction", "logger", "bootstrap")
	case policy != "noeviction" && a.Config.Env == Prod:
		return errors.New("REDIS_URL: " + must)
	case policy != "noeviction":
		a.Log.Warn(must, "logger", "bootstrap")
	}
	return nil
}
