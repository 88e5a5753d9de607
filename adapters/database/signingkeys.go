package database

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/outbound"
)

type keyRow struct {
	bun.BaseModel `bun:"table:signing_keys"`

	Number int     `bun:"n,pk,type:bigint"`
	State  string  `bun:"state,type:text,notnull"`
	Since  instant `bun:"since,type:timestamptz,notnull"`
}

// signingKeys implements outbound.SigningKeys.
type signingKeys struct{ store }

var _ outbound.SigningKeys = signingKeys{}

// List implements outbound.SigningKeys.
func (r signingKeys) List(ctx context.Context) (out []signing.Key, err error) {
	err = r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		out, err = keysOf(ctx, db)
		return err
	})
	return out, err
}

func keysOf(ctx context.Context, db bun.IDB) ([]signing.Key, error) {
	var rows []keyRow
	if err := db.NewSelect().Model(&rows).Order("n").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]signing.Key, 0, len(rows))
	for _, row := range rows {
		out = append(out, signing.Key{Number: row.Number, State: signing.State(row.State), Since: row.Since.Time})
	}
	return out, nil
}

// Update implements outbound.SigningKeys. The set is locked by a name, because at first there is no row to lock.
func (r signingKeys) Update(ctx context.Context, change func(*signing.Set) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		if err := r.db.dialect.lockName(ctx, sc.tx, "signing-keys"); err != nil {
			return err
		}
		before, err := keysOf(ctx, sc.tx)
		if err != nil {
			return err
		}
		set := signing.Restore(before, r.db.clock())
		if err := change(set); err != nil {
			return err
		}
		if err := r.keep(ctx, sc, before, set.Keys()); err != nil {
			return err
		}
		return r.audit(ctx, sc, set)
	})
}

// keep writes the keys that are new or have changed, and deletes those that have gone.
func (signingKeys) keep(ctx context.Context, sc *scope, before, after []signing.Key) error {
	for _, k := range before {
		if slices.ContainsFunc(after, func(other signing.Key) bool { return other.Number == k.Number }) {
			continue
		}
		if _, err := sc.tx.NewDelete().Model(&keyRow{Number: k.Number}).WherePK().Exec(ctx); err != nil {
			return err
		}
	}
	var rows []keyRow
	for _, k := range after {
		if !slices.Contains(before, k) {
			rows = append(rows, keyRow{Number: k.Number, State: string(k.State), Since: at(k.Since)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := sc.tx.NewInsert().Model(&rows).On("CONFLICT (n) DO UPDATE").Set("state = EXCLUDED.state").Set("since = EXCLUDED.since").Exec(ctx)
	return err
}
