package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Database is the suite of outbound.Database. new gives a database whose schema is not there yet, and what brings it up.
func Database(t *testing.T, kind string, new func(t *testing.T) (db outbound.Database, migrate func(context.Context) error)) {
	t.Run("it answers, and says what it is", func(t *testing.T) {
		db, _ := new(t)
		must(t, "ping", db.Ping(t.Context()))
		if got := db.Kind(); got != kind {
			t.Errorf("kind %q, want %q", got, kind)
		}
		wantErr(t, "ping with an ended context", db.Ping(canceled(t)), context.Canceled)
	})
	t.Run("it tells the time", func(t *testing.T) {
		db, _ := new(t)
		first, err := db.Now(t.Context())
		must(t, "time", err)
		utc(t, "time", first)
		second, err := db.Now(t.Context())
		must(t, "time, once more", err)
		if first.IsZero() || second.Before(first) || first != first.Truncate(time.Microsecond) {
			t.Errorf("the time was %v, then %v", first, second)
		}
		_, err = db.Now(canceled(t))
		wantErr(t, "time with an ended context", err, context.Canceled)
	})
	t.Run("it counts what is pending", func(t *testing.T) {
		db, migrate := new(t)
		before, err := db.Pending(t.Context())
		must(t, "pending before", err)
		if before == 0 {
			t.Error("nothing is pending in an empty database")
		}
		must(t, "migrate", migrate(t.Context()))
		after, err := db.Pending(t.Context())
		must(t, "pending after", err)
		if after != 0 {
			t.Errorf("%d are pending after migrating", after)
		}
		must(t, "migrate again", migrate(t.Context()))
	})
}
