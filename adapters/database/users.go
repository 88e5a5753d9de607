package database

import (
	"context"
	"reflect"
	"slices"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

const findBatch = 500

type userRow struct {
	bun.BaseModel `bun:"table:users"`

	ID            string  `bun:"id,pk,type:text"`
	EmailDisplay  string  `bun:"email_display,type:text,notnull"`
	EmailCanon    string  `bun:"email_canon,type:text,notnull"`
	Username      string  `bun:"username,type:text,nullzero"`
	DisplayName   string  `bun:"display_name,type:text,notnull"`
	Status        string  `bun:"status,type:text,notnull"`
	PlatformAdmin bool    `bun:"platform_admin,notnull"`
	Epoch         int64   `bun:"session_epoch,notnull"`
	PasswordHash  string  `bun:"password_hash,type:text,notnull"`
	PasswordSet   instant `bun:"password_set,type:timestamptz,notnull"`
	MFA           bool    `bun:"mfa,notnull"`
	CreatedAt     instant `bun:"created_at,type:timestamptz,notnull"`
	LastTenant    string  `bun:"last_tenant,type:text,notnull"`
}

func userRowOf(s user.Snapshot) *userRow {
	return &userRow{
		ID: string(s.ID), EmailDisplay: s.EmailDisplay, EmailCanon: s.EmailCanon, Username: s.Username, DisplayName: s.DisplayName,
		Status: string(s.Status), PlatformAdmin: s.PlatformAdmin, Epoch: s.Epoch, PasswordHash: s.PasswordHash, PasswordSet: at(s.PasswordSet),
		MFA: s.MFA, CreatedAt: at(s.CreatedAt), LastTenant: s.LastTenant,
	}
}

func (r *userRow) user() *user.User {
	return user.Restore(user.Snapshot{
		ID: user.ID(r.ID), EmailDisplay: r.EmailDisplay, EmailCanon: r.EmailCanon, Username: r.Username, DisplayName: r.DisplayName,
		Status: user.Status(r.Status), PlatformAdmin: r.PlatformAdmin, Epoch: r.Epoch, PasswordHash: r.PasswordHash, PasswordSet: r.PasswordSet.Time,
		MFA: r.MFA, CreatedAt: r.CreatedAt.Time, LastTenant: r.LastTenant,
	})
}

// users implements outbound.Users and outbound.Directory.
type users struct{ store }

var (
	_ outbound.Users     = users{}
	_ outbound.Directory = users{}
)

// Add implements outbound.Users.
func (r users) Add(ctx context.Context, u *user.User) error {
	row := userRowOf(u.Snapshot())
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		switch added, err := sc.insert(ctx, row); {
		case err != nil:
			return err
		case !added:
			return r.taken(ctx, sc, row)
		}
		return r.audit(ctx, sc, u)
	})
}

// taken says which of a user's names another one has.
func (r users) taken(ctx context.Context, sc *scope, row *userRow) error {
	var rival userRow
	err := sc.tx.NewSelect().Model(&rival).Where("id <> ?", row.ID).
		Where("email_canon = ? OR username = ?", row.EmailCanon, row.Username).
		OrderExpr("CASE WHEN email_canon = ? THEN 0 ELSE 1 END", row.EmailCanon).Limit(1).Scan(ctx)
	switch {
	case err != nil:
		return found(err, errOneRow)
	case rival.EmailCanon == row.EmailCanon:
		return user.ErrEmailTaken
	default:
		return user.ErrUsernameTaken
	}
}

// Find implements outbound.Users.
func (r users) Find(ctx context.Context, id user.ID) (*user.User, error) {
	return r.one(ctx, "id = ?", string(id))
}

// FindAll implements outbound.Directory. It asks for some at a time, as a statement holds a bounded number of values.
func (r users) FindAll(ctx context.Context, ids []user.ID) ([]*user.User, error) {
	out := make([]*user.User, 0, len(ids))
	for some := range slices.Chunk(ids, findBatch) {
		keys := make([]any, len(some))
		for i, id := range some {
			keys[i] = key(id)
		}
		var rows []userRow
		err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
			return db.NewSelect().Model(&rows).Where("id IN ?", bun.Tuple(keys)).Scan(ctx)
		})
		if err != nil {
			return nil, err
		}
		for i := range rows {
			out = append(out, rows[i].user())
		}
	}
	return out, nil
}

// FindByEmail implements outbound.Users.
func (r users) FindByEmail(ctx context.Context, canon string) (*user.User, error) {
	return r.one(ctx, "email_canon = ?", canon)
}

// FindByUsername implements outbound.Users.
func (r users) FindByUsername(ctx context.Context, name string) (*user.User, error) {
	return r.one(ctx, "username = ?", name)
}

func (r users) one(ctx context.Context, where, name string) (*user.User, error) {
	var row userRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where(where, key(name)).Scan(ctx), user.ErrNotFound)
	})
	if err != nil {
		return nil, err
	}
	return row.user(), nil
}

// Update implements outbound.Users.
func (r users) Update(ctx context.Context, id user.ID, change func(*user.User) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		var row userRow
		q := r.db.dialect.lock(sc.tx.NewSelect().Model(&row).Where("id = ?", key(id)))
		if err := found(q.Scan(ctx), user.ErrNotFound); err != nil {
			return err
		}
		u := row.user()
		before := u.Snapshot()
		if err := change(u); err != nil {
			return err
		}
		if err := r.keep(ctx, sc, before, u.Snapshot()); err != nil {
			return err
		}
		return r.audit(ctx, sc, u)
	})
}

// Remove implements outbound.Users. What belongs to the user goes with its row; the audit log names no parents and stays.
func (r users) Remove(ctx context.Context, id user.ID, change func(*user.User) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		var row userRow
		q := r.db.dialect.lockWhole(sc.tx.NewSelect().Model(&row).Where("id = ?", key(id)))
		if err := found(q.Scan(ctx), user.ErrNotFound); err != nil {
			return err
		}
		u := row.user()
		if err := change(u); err != nil {
			return err
		}
		if _, err := sc.tx.NewDelete().Model(&row).WherePK().Exec(ctx); err != nil {
			return err
		}
		return r.audit(ctx, sc, u)
	})
}

// keep writes what has changed, if anything has.
func (r users) keep(ctx context.Context, sc *scope, before, after user.Snapshot) error {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	row := userRowOf(after)
	if before.EmailCanon == after.EmailCanon && before.Username == after.Username {
		return sc.rewrite(ctx, row)
	}
	taken, err := r.guarded(ctx, sc, func(ctx context.Context, sc *scope) error { return sc.rewrite(ctx, row) })
	if err == nil && taken {
		return r.taken(ctx, sc, row)
	}
	return err
}
