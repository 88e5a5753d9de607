package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

type registrationRow struct {
	bun.BaseModel `bun:"table:registrations"`

	ID           string  `bun:"id,pk,type:text"`
	EmailDisplay string  `bun:"email_display,type:text,notnull"`
	EmailCanon   string  `bun:"email_canon,type:text,notnull"`
	Username     string  `bun:"username,type:text,notnull"`
	DisplayName  string  `bun:"display_name,type:text,notnull"`
	PasswordHash string  `bun:"password_hash,type:text,notnull"`
	TokenHash    []byte  `bun:"token_hash,type:bytea,notnull"`
	TenantName   string  `bun:"tenant_name,type:text,notnull"`
	TenantSlug   string  `bun:"tenant_slug,type:text,notnull"`
	CreatedAt    instant `bun:"created_at,type:timestamptz,notnull"`
	ExpiresAt    instant `bun:"expires_at,type:timestamptz,notnull"`
}

func registrationRowOf(r user.Registration) *registrationRow {
	return &registrationRow{
		ID: r.ID, EmailDisplay: r.Email.String(), EmailCanon: r.Email.Canon(), Username: r.Username.String(), DisplayName: r.DisplayName,
		PasswordHash: r.PasswordHash, TokenHash: r.TokenHash[:], TenantName: r.TenantName, TenantSlug: r.TenantSlug,
		CreatedAt: at(r.CreatedAt), ExpiresAt: at(r.ExpiresAt),
	}
}

func (r *registrationRow) registration() user.Registration {
	out := user.Registration{
		ID: r.ID, Email: user.RestoreEmail(r.EmailDisplay, r.EmailCanon), Username: user.RestoreUsername(r.Username), DisplayName: r.DisplayName,
		PasswordHash: r.PasswordHash, TenantName: r.TenantName, TenantSlug: r.TenantSlug, CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time,
	}
	copy(out.TokenHash[:], r.TokenHash)
	return out
}

// registrations implements outbound.Registrations.
type registrations struct{ store }

var _ outbound.Registrations = registrations{}

// Add implements outbound.Registrations.
func (r registrations) Add(ctx context.Context, reg user.Registration) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		added, err := sc.insert(ctx, registrationRowOf(reg))
		if err == nil && !added {
			err = errOneRow
		}
		return err
	})
}

// Since implements outbound.Registrations.
func (r registrations) Since(ctx context.Context, canon string, after, now time.Time) (made, live int, err error) {
	err = r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		if r.sc != nil {
			if err := r.db.dialect.lockName(ctx, r.sc.tx, "registrations:"+canon); err != nil {
				return err
			}
		}
		return db.NewSelect().Model((*registrationRow)(nil)).
			ColumnExpr("count(*) FILTER (WHERE created_at > ?)", at(after)).ColumnExpr("count(*) FILTER (WHERE expires_at > ?)", at(now)).
			Where("email_canon = ?", key(canon)).Scan(ctx, &made, &live)
	})
	return made, live, err
}

// Newest implements outbound.Registrations.
func (r registrations) Newest(ctx context.Context, canon string, now time.Time) (user.Registration, error) {
	var row registrationRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).
			Where("email_canon = ?", key(canon)).Where("expires_at > ?", at(now)).
			Order("created_at DESC", "id DESC").Limit(1).Scan(ctx), user.ErrNotFound)
	})
	if err != nil {
		return user.Registration{}, err
	}
	return row.registration(), nil
}

// Rivals implements outbound.Registrations.
func (r registrations) Rivals(ctx context.Context, canon, passwordHash string, now time.Time) (int, error) {
	var n int64
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		n, err = db.NewSelect().Model((*registrationRow)(nil)).Where("email_canon = ?", key(canon)).Where("expires_at > ?", at(now)).
			Where("password_hash <> ?", key(passwordHash)).Count(ctx)
		return err
	})
	return int(n), err
}

// Take implements outbound.Registrations. It locks the address before it deletes anything, so that rivals' proofs come one after the other and never meet
// in a deadlock; of many that then delete one row, one does.
func (r registrations) Take(ctx context.Context, tokenHash [32]byte, now time.Time) (user.Registration, error) {
	var row registrationRow
	err := r.write(ctx, func(ctx context.Context, sc *scope) error {
		row = registrationRow{}
		var canon string
		err := sc.tx.NewSelect().Model((*registrationRow)(nil)).Column("email_canon").Where("token_hash = ?", tokenHash[:]).Where("expires_at > ?", at(now)).Scan(ctx, &canon)
		if err != nil {
			return found(err, user.ErrNotFound)
		}
		if err := r.db.dialect.lockName(ctx, sc.tx, "registrations:"+canon); err != nil {
			return err
		}
		err = sc.tx.NewDelete().Model(&row).Where("token_hash = ?", tokenHash[:]).Where("expires_at > ?", at(now)).Returning("*").Scan(ctx)
		if err != nil {
			return found(err, user.ErrNotFound)
		}
		_, err = sc.tx.NewDelete().Model((*registrationRow)(nil)).Where("email_canon = ?", row.EmailCanon).Exec(ctx)
		return err
	})
	if err != nil {
		return user.Registration{}, err
	}
	return row.registration(), nil
}

// Sweep implements outbound.Registrations.
func (r registrations) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.sweep(ctx, (*registrationRow)(nil), "expires_at < ?", at(before))
}
