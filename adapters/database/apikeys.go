package database

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

type apiKeyRow struct {
	bun.BaseModel `bun:"table:api_keys"`

	ID         string               `bun:"id,pk,type:text"`
	TenantID   string               `bun:"tenant_id,type:text,notnull"`
	CreatorID  string               `bun:"creator_id,type:text,notnull"`
	Name       string               `bun:"name,type:text,notnull"`
	SecretHash []byte               `bun:"secret_hash,type:bytea,notnull"`
	Scopes     list[[]tenant.Scope] `bun:"scopes,type:jsonb,notnull"`
	CreatedAt  instant              `bun:"created_at,type:timestamptz,notnull"`
	ExpiresAt  instant              `bun:"expires_at,type:timestamptz"`
	EndsAt     instant              `bun:"ends_at,type:timestamptz"`
	LastUsed   instant              `bun:"last_used_at,type:timestamptz"`

	// The foreign keys, for drafts of migrations; never loaded.
	Tenant  *tenantRow `bun:"rel:belongs-to,join:tenant_id=id"`
	Creator *userRow   `bun:"rel:belongs-to,join:creator_id=id"`
}

func apiKeyRowOf(s tenant.KeySnapshot) *apiKeyRow {
	return &apiKeyRow{
		ID: string(s.ID), TenantID: string(s.Tenant), CreatorID: string(s.Creator), Name: s.Name, SecretHash: s.SecretHash[:],
		Scopes: listOf(s.Scopes), CreatedAt: at(s.CreatedAt), ExpiresAt: at(s.ExpiresAt), EndsAt: at(s.EndsAt), LastUsed: at(s.LastUsed),
	}
}

func (r *apiKeyRow) key() *tenant.APIKey {
	s := tenant.KeySnapshot{
		ID: tenant.KeyID(r.ID), Tenant: tenant.ID(r.TenantID), Creator: user.ID(r.CreatorID), Name: r.Name, Scopes: r.Scopes.Of,
		CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time, EndsAt: r.EndsAt.Time, LastUsed: r.LastUsed.Time,
	}
	copy(s.SecretHash[:], r.SecretHash)
	return tenant.RestoreKey(s)
}

// apiKeys implements outbound.APIKeys.
type apiKeys struct{ store }

var _ outbound.APIKeys = apiKeys{}

// Add implements outbound.APIKeys.
func (r apiKeys) Add(ctx context.Context, k *tenant.APIKey) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		switch added, err := sc.insert(ctx, apiKeyRowOf(k.Snapshot())); {
		case err != nil:
			return err
		case !added:
			return errOneRow
		}
		return r.audit(ctx, sc, k)
	})
}

// Find implements outbound.APIKeys.
func (r apiKeys) Find(ctx context.Context, id tenant.KeyID) (*tenant.APIKey, error) {
	var row apiKeyRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("id = ?", key(id)).Scan(ctx), tenant.ErrKeyNotFound)
	})
	if err != nil {
		return nil, err
	}
	return row.key(), nil
}

// List implements outbound.APIKeys.
func (r apiKeys) List(ctx context.Context, t tenant.ID, creator user.ID) ([]*tenant.APIKey, error) {
	var rows []apiKeyRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("tenant_id = ?", key(t)).Where("creator_id = ?", key(creator)).
			Order("created_at DESC", "id DESC").Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	out := make([]*tenant.APIKey, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].key())
	}
	return out, nil
}

// Update implements outbound.APIKeys.
func (r apiKeys) Update(ctx context.Context, id tenant.KeyID, change func(*tenant.APIKey) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		var row apiKeyRow
		q := r.db.dialect.lock(sc.tx.NewSelect().Model(&row).Where("id = ?", key(id)))
		if err := found(q.Scan(ctx), tenant.ErrKeyNotFound); err != nil {
			return err
		}
		k := row.key()
		before := k.Snapshot()
		if err := change(k); err != nil {
			return err
		}
		if after := k.Snapshot(); !reflect.DeepEqual(before, after) {
			if err := sc.rewrite(ctx, apiKeyRowOf(after)); err != nil {
				return err
			}
		}
		return r.audit(ctx, sc, k)
	})
}

// Touch implements outbound.APIKeys. Keys are touched in one order, so that two batches never wait for each other.
func (r apiKeys) Touch(ctx context.Context, used map[tenant.KeyID]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		for _, id := range slices.Sorted(maps.Keys(used)) {
			_, err := sc.tx.NewUpdate().Model((*apiKeyRow)(nil)).Set("last_used_at = ?", at(used[id])).
				Where("id = ?", key(id)).Where("last_used_at IS NULL OR last_used_at < ?", at(used[id])).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep implements outbound.APIKeys.
func (r apiKeys) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.sweep(ctx, (*apiKeyRow)(nil), "ends_at < ? OR expires_at < ?", at(before), at(before))
}
