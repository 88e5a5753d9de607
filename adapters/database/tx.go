package database

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
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
		Users: users{s}, Directory: users{s}, Registrations: registrations{s}, Tenants: tenants{s}, Memberships: tenants{s}, Sessions: sessions{s}, APIKeys: apiKeys{s}, Outbox: outbox{s},
		Factors: factors{s}, OneTime: oneTimeTokens{s}, Invites: invites{s}, SigningKeys: signingKeys{s}, Audit: auditLog{s},
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

// add adds a row that is known not to be there.
func (sc *scope) add(ctx context.Context, row any) error {
	if err := checkText(row); err != nil {
		return err
	}
	_, err := sc.tx.NewInsert().Model(row).Exec(ctx)
	return err
}

// lockUser locks a user until the end of the transaction. It fails with sql.ErrNoRows.
func (s store) lockUser(ctx context.Context, sc *scope, u user.ID) error {
	var id string
	return s.db.dialect.lock(sc.tx.NewSelect().TableExpr("users AS u").ColumnExpr("u.id").Where("u.id = ?", key(u))).Scan(ctx, &id)
}

// rewrite replaces a row by its primary key.
func (sc *scope) rewrite(ctx context.Context, row any) error {
	if err := checkText(row); err != nil {
		return err
	}
	_, err := sc.tx.NewUpdate().Model(row).WherePK().Exec(ctx)
	return err
}

// change writes the columns in which a row, a pointer, has come to differ from what it was, if any.
func (sc *scope) change(ctx context.Context, was, is any) error {
	old, now := reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem()
	var columns []string
	for _, f := range sc.tx.Dialect().Tables().Get(now.Type()).Fields {
		if !reflect.DeepEqual(old.FieldByIndex(f.Index).Interface(), now.FieldByIndex(f.Index).Interface()) {
			columns = append(columns, f.Name)
		}
	}
	if len(columns) == 0 {
		return nil
	}
	if err := checkText(is); err != nil {
		return err
	}
	_, err := sc.tx.NewUpdate().Model(is).Column(columns...).WherePK().Exec(ctx)
	return err
}

// sweepBatch bounds what one statement of a sweep deletes, so that no sweep outlasts the patience for a transaction, nor keeps others waiting.
const sweepBatch = 5000

// sweep deletes the rows of a model that nothing needs any more, and says how many.
func (s store) sweep(ctx context.Context, model any, where string, args ...any) (int, error) {
	return s.batches(ctx, func(ctx context.Context, sc *scope) (sql.Result, error) {
		return s.sweepSome(ctx, sc, model, where, args...)
	})
}

// sweepSome deletes a batch of rows. It asks each again before it goes: one that changed since it was chosen may be needed.
func (s store) sweepSome(ctx context.Context, sc *scope, model any, where string, args ...any) (sql.Result, error) {
	some := sc.tx.NewSelect().Model(model).Column("id").Where(where, args...).Limit(sweepBatch)
	return sc.tx.NewDelete().Model(model).Where(s.db.dialect.among("id"), some).Where(where, args...).Exec(ctx)
}

// batches deletes until a batch is not full, each in a transaction of its own unless there is one at hand. It says how many went, also when it fails.
func (s store) batches(ctx context.Context, one func(context.Context, *scope) (sql.Result, error)) (int, error) {
	sum := 0
	for {
		var n int64
		err := s.write(ctx, func(ctx context.Context, sc *scope) error {
			res, err := one(ctx, sc)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return sum, err
		}
		sum += int(n)
		if n < sweepBatch {
			return sum, nil
		}
	}
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
