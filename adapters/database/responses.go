package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

type responseRow struct {
	bun.BaseModel `bun:"table:kept_responses"`

	TenantID  string  `bun:"tenant_id,pk,type:text"`
	ID        string  `bun:"id,pk,type:text"`
	CreatedAt instant `bun:"created_at,type:timestamptz,notnull"`
	ExpiresAt instant `bun:"expires_at,type:timestamptz,notnull"`
	Sealed    []byte  `bun:"sealed,type:bytea,notnull"`
}

// KeptResponses implements outbound.KeptResponses.
type KeptResponses struct{ store }

var _ outbound.KeptResponses = KeptResponses{}

// NewKeptResponses keeps responses in a database.
func NewKeptResponses(db *DB) KeptResponses { return KeptResponses{store{db: db}} }

var keptResponses = bulk{
	table: "kept_responses", columns: []string{"tenant_id", "id", "created_at", "expires_at", "sealed"}, conflict: "ON CONFLICT DO NOTHING",
}

// Add implements outbound.KeptResponses. The values are arguments, since Bun writes them into the statement, which SQLite would have to read: of some
// megabytes that takes seconds.
func (r KeptResponses) Add(ctx context.Context, k outbound.SealedResponse) error {
	d := r.db.dialect
	row := &responseRow{TenantID: k.TenantID, ID: k.ID}
	args := []any{k.TenantID, k.ID, d.timeArg(k.CreatedAt), d.timeArg(k.ExpiresAt), k.Sealed}
	in := insertion{&keptResponses, 1}
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		if err := checkText(row); err != nil {
			return err
		}
		_, err := sc.tx.Tx.ExecContext(ctx, in.text(d.placeholder), args...)
		return err
	})
}

// Find implements outbound.KeptResponses.
func (r KeptResponses) Find(ctx context.Context, tenantID, id string, now time.Time) (outbound.SealedResponse, error) {
	var row responseRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("tenant_id = ?", key(tenantID)).Where("id = ?", key(id)).Where("expires_at > ?", at(now)).Scan(ctx),
			fault.ErrNotFound)
	})
	if err != nil {
		return outbound.SealedResponse{}, err
	}
	return outbound.SealedResponse{TenantID: row.TenantID, ID: row.ID, CreatedAt: row.CreatedAt.Time, ExpiresAt: row.ExpiresAt.Time, Sealed: row.Sealed}, nil
}

// Remove implements outbound.KeptResponses.
func (r KeptResponses) Remove(ctx context.Context, tenantID, id string, now time.Time) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		removed, err := affected(sc.tx.NewDelete().Model((*responseRow)(nil)).Where("tenant_id = ?", key(tenantID)).Where("id = ?", key(id)).
			Where("expires_at > ?", at(now)).Exec(ctx))
		if err == nil && !removed {
			err = fault.ErrNotFound
		}
		return err
	})
}

// Sweep implements outbound.KeptResponses. What is chosen is found again by its place, as it has no key of one column.
func (r KeptResponses) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	n, place := int64(0), r.db.dialect.place()
	err := r.write(ctx, func(ctx context.Context, sc *scope) error {
		some := sc.tx.NewSelect().Model((*responseRow)(nil)).ColumnExpr(place).Where("expires_at <= ?", at(now)).Order("expires_at").Limit(int64(limit))
		res, err := sc.tx.NewDelete().Model((*responseRow)(nil)).Where(r.db.dialect.among(place), some).Where("expires_at <= ?", at(now)).Exec(ctx)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}
