package health_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/health"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
)

type database struct {
	ping    error
	pending int
	err     error
	hang    bool
	now     func() (time.Time, error)
}

func (d database) Ping(ctx context.Context) error {
	if d.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.ping
}
func (d database) Pending(context.Context) (int, error) { return d.pending, d.err }
func (d database) Kind() string                         { return "sqlite" }
func (d database) Now(context.Context) (time.Time, error) {
	return d.now()
}

type cache struct{ ping error }

func (c cache) Ping(context.Context) error { return c.ping }
func (c cache) Record(context.Context, session.ID) (outbound.SessionRecord, bool, bool, error) {
	return outbound.SessionRecord{}, false, false, nil
}
func (c cache) Keep(context.Context, outbound.SessionRecord, time.Duration) error { return nil }
func (c cache) Bury(context.Context, session.ID, time.Duration) error             { return nil }

func TestReady(t *testing.T) {
	secretText := errors.New("dial tcp 10.1.2.3:5432: password authentication failed")
	tests := map[string]struct {
		db       database
		cache    cache
		ready    bool
		degraded []string
		errors   []string // of database, migrations, cache
	}{
		"everything answers":              {ready: true, errors: []string{"", "", ""}},
		"the database is away":            {db: database{ping: secretText}, errors: []string{"unreachable", "", ""}},
		"the database hangs":              {db: database{hang: true}, errors: []string{"timeout", "", ""}},
		"migrations are pending":          {db: database{pending: 2}, errors: []string{"", "pending", ""}},
		"migrations cannot be read":       {db: database{err: secretText}, errors: []string{"", "unreachable", ""}},
		"the cache is away, and degrades": {cache: cache{ping: secretText}, ready: true, degraded: []string{"cache"}, errors: []string{"", "", "unreachable"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := health.New(health.Deps{Database: tc.db, Cache: tc.cache, CacheKind: "memory", Clock: time.Now})
			r := s.Ready(t.Context())
			if r.Ready != tc.ready {
				t.Errorf("ready: got %v, want %v", r.Ready, tc.ready)
			}
			if d := cmp.Diff(tc.degraded, r.Degraded); d != "" {
				t.Errorf("degraded (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.errors, []string{r.Database.Error, r.Migrations.Error, r.Cache.Error}); d != "" {
				t.Errorf("errors (-want +got):\n%s", d)
			}
			if r.Database.Detail != "sqlite" || r.Cache.Detail != "memory" {
				t.Errorf("details: got %q and %q, want sqlite and memory", r.Database.Detail, r.Cache.Detail)
			}
		})
	}
}
