// Package health says whether this process can serve: it asks the database, the cache and the migrations, each within a second. It watches over the
// clock, too, by which every node must agree with the database.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Limit bounds each check.
const Limit = time.Second

// Deps are what the checks ask.
type Deps struct {
	Database  outbound.Database
	Cache     outbound.SessionCache
	CacheKind CacheKind
	Clock     outbound.Clock
	Log       *slog.Logger
}

// CacheKind names the store behind the cache for people: redis, memory.
type CacheKind string

// Service implements inbound.Health.
type Service struct {
	deps Deps
	skew atomic.Int64 // nanoseconds, as last measured
}

var _ inbound.Health = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{deps: d} }

// Ready implements inbound.Health. Only the database and the migrations decide; a cache that is away and a clock that is off degrade.
func (s *Service) Ready(ctx context.Context) inbound.Readiness {
	var r inbound.Readiness
	done := make(chan struct{})
	go func() { // its end is awaited below; Limit bounds it
		defer close(done)
		r.Cache = s.check(ctx, string(s.deps.CacheKind), s.deps.Cache.Ping)
	}()
	r.Database = s.check(ctx, s.deps.Database.Kind(), s.deps.Database.Ping)
	r.Migrations = s.check(ctx, "", func(ctx context.Context) error {
		n, err := s.deps.Database.Pending(ctx)
		if err == nil && n > 0 {
			return errPending
		}
		return err
	})
	<-done
	r.Ready = r.Database.OK && r.Migrations.OK
	if !r.Cache.OK {
		r.Degraded = append(r.Degraded, "cache")
	}
	if s.Skew().Abs() > MaxSkew {
		r.Degraded = append(r.Degraded, "clock")
	}
	return r
}

var errPending = errors.New("migrations are pending")

// check runs one check within Limit and gives a class of what went wrong, never a driver's text.
func (s *Service) check(ctx context.Context, detail string, ask func(context.Context) error) inbound.Check {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	began := s.deps.Clock()
	answer := make(chan error, 1)
	go func() { answer <- ask(ctx) }() // ends when ask does; ask is bounded by ctx
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = ctx.Err()
	}
	c := inbound.Check{OK: err == nil, Latency: s.deps.Clock().Sub(began), Detail: detail}
	switch {
	case err == nil:
	case errors.Is(err, errPending):
		c.Error = "pending"
	case errors.Is(err, context.DeadlineExceeded):
		c.Error = "timeout"
	default:
		c.Error = "unreachable"
	}
	return c
}
