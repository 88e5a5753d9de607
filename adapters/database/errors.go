package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/fault"
)

// classify turns what a driver says into a fault, with the driver's error as the private cause. It leaves faults as they are, and errors that
// are not a driver's. ctx is the context the statement ran with.
func (db *DB) classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch ended := ctx.Err(); {
	case errors.Is(ended, context.Canceled):
		if errors.Is(err, context.Canceled) {
			return err
		}
		return fmt.Errorf("%w: %w", ended, err)
	case ended != nil, errors.Is(err, context.DeadlineExceeded):
		return fault.ErrDependency.With(err)
	}
	switch db.dialect.failure(err) {
	case contends, occupied:
		return fault.ErrBusy.With(err)
	case absent:
		return fault.ErrDependency.With(err)
	case orphan:
		return fault.ErrNotFound.With(err)
	case badText:
		return errText.With(err)
	default:
		return err
	}
}

// tryAgain reports whether a transaction that ended so may succeed when it is run anew.
func (db *DB) tryAgain(err error) bool { return db.dialect.failure(err) == contends }

// found turns "no rows" into the sentinel of what was looked for.
func found(err, missing error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return missing
	}
	return err
}

// affected reports whether a statement changed any row.
func affected(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
