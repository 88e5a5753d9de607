package database

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// How often a transaction that met another is run, and how long it steps back in between.
const (
	maxTries  = 6
	firstWait = 2 * time.Millisecond
)

// Do implements outbound.Tx.
func (db *DB) Do(ctx context.Context, work func(ctx context.Context, repos outbound.Repos) error) error {
	return db.within(ctx, func(ctx context.Context, sc *scope) error {
		return work(ctx, store{db, sc}.repos())
	})
}

// View implements outbound.Tx. A change made through it is a transaction of its own.
func (db *DB) View() outbound.Repos { return store{db: db}.repos() }

// scope is a transaction in one of its tries.
type scope struct {
	tx bun.Tx
	// Aggregates hand out their events once. Those given to a try that is undone are given to the next.
	drained, earlier map[any][]event.Event
}

// take gives the events of an aggregate: those that it has now, after those that an earlier try took from it.
func (sc *scope) take(aggregate interface{ Events() []event.Event }) []event.Event {
	events := append(sc.earlier[aggregate], aggregate.Events()...)
	delete(sc.earlier, aggregate)
	sc.drained[aggregate] = append(sc.drained[aggregate], events...)
	return events
}

// within runs work in a transaction, again while it meets others, until the patience of the configuration ends.
func (db *DB) within(parent context.Context, work func(context.Context, *scope) error) error {
	ctx, cancel := db.bounded(parent)
	defer cancel()
	earlier := map[any][]event.Event{}
	for try := 1; ; try++ {
		sc := &scope{drained: map[any][]event.Event{}, earlier: earlier}
		err := db.once(ctx, sc, work)
		if err == nil || !db.tryAgain(err) {
			if try > 1 && errors.Is(ctx.Err(), context.DeadlineExceeded) { // patience ran out over the others, not over the server
				return fault.ErrBusy.With(err)
			}
			return db.classify(ctx, err)
		}
		if try == maxTries || !wait(ctx, try) {
			return fault.ErrBusy.With(err)
		}
		for aggregate, events := range sc.drained {
			earlier[aggregate] = append(events, earlier[aggregate]...)
		}
	}
}

// once runs one try. A panic in work undoes it.
func (db *DB) once(ctx context.Context, sc *scope, work func(context.Context, *scope) error) (err error) {
	sc.tx, err = db.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			_ = sc.tx.Rollback() // it has its own reason to be undone
		}
	}()
	if err := work(ctx, sc); err != nil {
		return err
	}
	if err := sc.tx.Commit(); err != nil {
		return err
	}
	done = true
	return nil
}

// wait steps back for a random while that doubles with each try, false when the context ends first.
func wait(ctx context.Context, try int) bool {
	t := time.NewTimer(rand.N(firstWait << try))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// store is what every repository stands on: the database, and the transaction that it takes part in, if any.
type store struct {
	db *DB
	sc *scope // nil outside of a transaction
}

func (s store) repos() outbound.Repos {
	return outbound.Repos{
		Users: users{s}, Registrations: registrations{s}, Tenants: tenants{s}, Sessions: sessions{s}, APIKeys: apiKeys{s}, Outbox: outbox{s},
	}
}

// read runs reads in the transaction at hand, or outside of any.
func (s store) read(ctx context.Context, work func(context.Context, bun.IDB) error) error {
	if s.sc != nil {
		return s.db.classify(ctx, work(ctx, s.sc.tx))
	}
	ctx, cancel := s.db.bounded(ctx)
	defer cancel()
	return s.db.classify(ctx, work(ctx, s.db.reads))
}

// write runs a change in the transaction at hand, or in one of its own.
func (s store) write(ctx context.Context, work func(context.Context, *scope) error) error {
	if s.sc != nil {
		return s.db.classify(ctx, work(ctx, s.sc))
	}
	return s.db.within(ctx, work)
}

// insert adds a row unless one with a unique key of it is there, and reports which it was. A refusal does not spoil the transaction.
func (sc *scope) insert(ctx context.Context, row any) (bool, error) {
	if err := checkText(row); err != nil {
		return false, err
	}
	return affected(sc.tx.NewInsert().Model(row).On("CONFLICT DO NOTHING").Exec(ctx))
}

// rewrite replaces a row by its primary key.
func (sc *scope) rewrite(ctx context.Context, row any) error {
	if err := checkText(row); err != nil {
		return err
	}
	_, err := sc.tx.NewUpdate().Model(row).WherePK().Exec(ctx)
	return err
}

// sweep deletes the rows of a model that nothing needs any more, and says how many.
func (s store) sweep(ctx context.Context, model any, where string, args ...any) (int, error) {
	var n int64
	err := s.write(ctx, func(ctx context.Context, sc *scope) error {
		res, err := sc.tx.NewDelete().Model(model).Where(where, args...).Exec(ctx)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}

// guarded runs a statement that may violate a unique index inside a savepoint, so that a refusal does not spoil the transaction. taken reports
// the refusal.
func (s store) guarded(ctx context.Context, sc *scope, work func(context.Context, *scope) error) (taken bool, err error) {
	err = sc.tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return work(ctx, &scope{tx: tx, drained: sc.drained, earlier: sc.earlier})
	})
	if err != nil && s.db.dialect.failure(err) == unique {
		return true, nil
	}
	return false, err
}

// errOneRow is a primary key that is in use: ids are made once, so this is a mistake of ours.
var errOneRow = errors.New("a row with this id is there already")
