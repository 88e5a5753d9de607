package database

import (
	"context"
	"database/sql"
	"errors"
	"reflect"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

type tenantRow struct {
	bun.BaseModel `bun:"table:tenants"`

	ID        string  `bun:"id,pk,type:text"`
	Name      string  `bun:"name,type:text,notnull"`
	Slug      string  `bun:"slug,type:text,notnull"`
	Personal  bool    `bun:"personal,notnull"`
	CreatedAt instant `bun:"created_at,type:timestamptz,notnull"`
}

type memberRow struct {
	bun.BaseModel `bun:"table:memberships"`

	TenantID string  `bun:"tenant_id,pk,type:text"`
	UserID   string  `bun:"user_id,pk,type:text"`
	Role     string  `bun:"role,type:text,notnull"`
	Since    instant `bun:"since,type:timestamptz,notnull"`

	// The foreign keys, for drafts of migrations; never loaded.
	Tenant *tenantRow `bun:"rel:belongs-to,join:tenant_id=id"`
	User   *userRow   `bun:"rel:belongs-to,join:user_id=id"`
}

func tenantRowOf(s tenant.Snapshot) *tenantRow {
	return &tenantRow{ID: string(s.ID), Name: s.Name, Slug: s.Slug, Personal: s.Personal, CreatedAt: at(s.CreatedAt)}
}

func memberRowOf(t tenant.ID, m tenant.Member) *memberRow {
	return &memberRow{TenantID: string(t), UserID: string(m.User), Role: string(m.Role), Since: at(m.Since)}
}

func (r *tenantRow) tenant(members []memberRow) *tenant.Tenant {
	s := tenant.Snapshot{ID: tenant.ID(r.ID), Name: r.Name, Slug: r.Slug, Personal: r.Personal, CreatedAt: r.CreatedAt.Time}
	for _, m := range members {
		s.Members = append(s.Members, tenant.Member{User: user.ID(m.UserID), Role: tenant.Role(m.Role), Since: m.Since.Time})
	}
	return tenant.Restore(s)
}

// tenants implements outbound.Tenants and outbound.Memberships.
type tenants struct{ store }

var (
	_ outbound.Tenants     = tenants{}
	_ outbound.Memberships = tenants{}
)

// Add implements outbound.Tenants.
func (r tenants) Add(ctx context.Context, t *tenant.Tenant) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		s := t.Snapshot()
		switch added, err := sc.insert(ctx, tenantRowOf(s)); {
		case err != nil:
			return err
		case !added:
			return r.taken(ctx, sc, s)
		}
		if err := r.keepMembers(ctx, sc, tenant.Snapshot{}, s); err != nil {
			return err
		}
		return r.audit(ctx, sc, t)
	})
}

// taken says that another tenant has the slug.
func (r tenants) taken(ctx context.Context, sc *scope, s tenant.Snapshot) error {
	other, err := sc.tx.NewSelect().Model((*tenantRow)(nil)).Where("slug = ?", s.Slug).Where("id <> ?", string(s.ID)).Exists(ctx)
	switch {
	case err != nil:
		return err
	case other:
		return tenant.ErrSlugTaken
	default:
		return errOneRow
	}
}

// Find implements outbound.Tenants.
func (r tenants) Find(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
	return r.one(ctx, "id = ?", string(id))
}

// FindBySlug implements outbound.Tenants.
func (r tenants) FindBySlug(ctx context.Context, slug string) (*tenant.Tenant, error) {
	return r.one(ctx, "slug = ?", slug)
}

// Role implements outbound.Memberships.
func (r tenants) Role(ctx context.Context, t tenant.ID, u user.ID) (tenant.Role, error) {
	var role string
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		err := db.NewSelect().Model((*memberRow)(nil)).Column("role").Where("tenant_id = ?", key(string(t))).Where("user_id = ?", key(string(u))).Scan(ctx, &role)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return tenant.Role(role), err
}

func (r tenants) one(ctx context.Context, where, name string) (out *tenant.Tenant, err error) {
	err = r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		var row tenantRow
		if err := db.NewSelect().Model(&row).Where(where, key(name)).Scan(ctx); err != nil {
			return found(err, tenant.ErrNotFound)
		}
		members, err := membersOf(ctx, db, row.ID)
		out = row.tenant(members)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func membersOf(ctx context.Context, db bun.IDB, tenantIDs ...string) (rows []memberRow, err error) {
	err = db.NewSelect().Model(&rows).Where("tenant_id IN (?)", bun.List(tenantIDs)).Order("since", "user_id").Scan(ctx)
	return rows, err
}

// OfUser implements outbound.Tenants.
func (r tenants) OfUser(ctx context.Context, u user.ID) (out []*tenant.Tenant, err error) {
	err = r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		var rows []tenantRow
		err := db.NewSelect().Model(&rows).
			Join("JOIN memberships AS m ON m.tenant_id = tenant_row.id").
			Where("m.user_id = ?", key(u)).OrderExpr("m.since, tenant_row.id").Scan(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]string, 0, len(rows))
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		members, err := membersOf(ctx, db, ids...)
		if err != nil {
			return err
		}
		byTenant := map[string][]memberRow{}
		for _, m := range members {
			byTenant[m.TenantID] = append(byTenant[m.TenantID], m)
		}
		out = make([]*tenant.Tenant, 0, len(rows))
		for _, row := range rows {
			out = append(out, row.tenant(byTenant[row.ID]))
		}
		return nil
	})
	return out, err
}

// Update implements outbound.Tenants. The lock on the tenant's row guards its members too: nobody else writes them.
func (r tenants) Update(ctx context.Context, id tenant.ID, change func(*tenant.Tenant) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		t, err := r.locked(ctx, sc, id, r.db.dialect.lock)
		if err != nil {
			return err
		}
		before := t.Snapshot()
		if err := change(t); err != nil {
			return err
		}
		if err := r.keep(ctx, sc, before, t.Snapshot()); err != nil {
			return err
		}
		return r.audit(ctx, sc, t)
	})
}

// Remove implements outbound.Tenants. What belongs to the tenant goes with its row.
func (r tenants) Remove(ctx context.Context, id tenant.ID, change func(*tenant.Tenant) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		t, err := r.locked(ctx, sc, id, r.db.dialect.lockWhole)
		if err != nil {
			return err
		}
		if err := change(t); err != nil {
			return err
		}
		if _, err := sc.tx.NewDelete().Model((*tenantRow)(nil)).Where("id = ?", key(id)).Exec(ctx); err != nil {
			return err
		}
		return r.audit(ctx, sc, t)
	})
}

// locked loads a tenant and keeps all others from it.
func (r tenants) locked(ctx context.Context, sc *scope, id tenant.ID, lock func(*bun.SelectQuery) *bun.SelectQuery) (*tenant.Tenant, error) {
	var row tenantRow
	q := lock(sc.tx.NewSelect().Model(&row).Where("id = ?", key(id)))
	if err := found(q.Scan(ctx), tenant.ErrNotFound); err != nil {
		return nil, err
	}
	members, err := membersOf(ctx, sc.tx, row.ID)
	if err != nil {
		return nil, err
	}
	return row.tenant(members), nil
}

// keep writes what has changed, if anything has.
func (r tenants) keep(ctx context.Context, sc *scope, before, after tenant.Snapshot) error {
	if err := r.keepMembers(ctx, sc, before, after); err != nil {
		return err
	}
	was, is := tenantRowOf(before), tenantRowOf(after)
	switch {
	case reflect.DeepEqual(was, is):
		return nil
	case was.Slug == is.Slug:
		return sc.rewrite(ctx, is)
	}
	taken, err := r.guarded(ctx, sc, func(ctx context.Context, sc *scope) error { return sc.rewrite(ctx, is) })
	if err == nil && taken {
		return tenant.ErrSlugTaken
	}
	return err
}

// keepMembers writes the members that are new or have changed, and deletes those that have gone.
func (tenants) keepMembers(ctx context.Context, sc *scope, before, after tenant.Snapshot) error {
	was := map[user.ID]tenant.Member{}
	for _, m := range before.Members {
		was[m.User] = m
	}
	var rows []*memberRow
	for _, m := range after.Members {
		if old, ok := was[m.User]; !ok || old != m {
			rows = append(rows, memberRowOf(after.ID, m))
		}
		delete(was, m.User)
	}
	if err := checkText(rows); err != nil {
		return err
	}
	if len(rows) > 0 {
		_, err := sc.tx.NewInsert().Model(&rows).On("CONFLICT (tenant_id, user_id) DO UPDATE").
			Set("role = EXCLUDED.role").Set("since = EXCLUDED.since").Exec(ctx)
		if err != nil {
			return err
		}
	}
	for gone := range was {
		_, err := sc.tx.NewDelete().Model((*memberRow)(nil)).
			Where("tenant_id = ?", string(after.ID)).Where("user_id = ?", string(gone)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}
