package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

type inviteRow struct {
	bun.BaseModel `bun:"table:invites"`

	ID           string  `bun:"id,pk,type:text"`
	TenantID     string  `bun:"tenant_id,type:text,notnull"`
	EmailDisplay string  `bun:"email_display,type:text,notnull"`
	EmailCanon   string  `bun:"email_canon,type:text,notnull"`
	Role         string  `bun:"role,type:text,notnull"`
	TokenHash    []byte  `bun:"token_hash,type:bytea,notnull"`
	InvitedBy    string  `bun:"invited_by,type:text,notnull"`
	CreatedAt    instant `bun:"created_at,type:timestamptz,notnull"`
	ExpiresAt    instant `bun:"expires_at,type:timestamptz,notnull"`

	// The foreign key, for drafts of migrations; never loaded.
	Tenant *tenantRow `bun:"rel:belongs-to,join:tenant_id=id"`
}

func inviteRowOf(s tenant.InviteSnapshot) *inviteRow {
	return &inviteRow{
		ID: string(s.ID), TenantID: string(s.Tenant), EmailDisplay: s.EmailDisplay, EmailCanon: s.EmailCanon, Role: string(s.Role),
		TokenHash: s.TokenHash[:], InvitedBy: string(s.By), CreatedAt: at(s.CreatedAt), ExpiresAt: at(s.ExpiresAt),
	}
}

func (r *inviteRow) invite() *tenant.Invite {
	s := tenant.InviteSnapshot{
		ID: tenant.InviteID(r.ID), Tenant: tenant.ID(r.TenantID), EmailDisplay: r.EmailDisplay, EmailCanon: r.EmailCanon, Role: tenant.Role(r.Role),
		By: user.ID(r.InvitedBy), CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time,
	}
	copy(s.TokenHash[:], r.TokenHash)
	return tenant.RestoreInvite(s)
}

// invites implements outbound.Invites.
type invites struct{ store }

var _ outbound.Invites = invites{}

// Add implements outbound.Invites. It replaces in one statement, so that of two that invite an address at once neither is refused.
func (r invites) Add(ctx context.Context, i *tenant.Invite) error {
	row := inviteRowOf(i.Snapshot())
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		if err := checkText(row); err != nil {
			return err
		}
		_, err := sc.tx.NewInsert().Model(row).On("CONFLICT (tenant_id, email_canon) DO UPDATE").
			Set("id = EXCLUDED.id").Set("email_display = EXCLUDED.email_display").Set("role = EXCLUDED.role").Set("token_hash = EXCLUDED.token_hash").
			Set("invited_by = EXCLUDED.invited_by").Set("created_at = EXCLUDED.created_at").Set("expires_at = EXCLUDED.expires_at").Exec(ctx)
		if err != nil {
			return err
		}
		return r.audit(ctx, sc, i)
	})
}

// List implements outbound.Invites.
func (r invites) List(ctx context.Context, t tenant.ID, now time.Time) ([]*tenant.Invite, error) {
	var rows []inviteRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("tenant_id = ?", key(t)).Where("expires_at > ?", at(now)).Order("created_at DESC", "id DESC").Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	out := make([]*tenant.Invite, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].invite())
	}
	return out, nil
}

// Peek implements outbound.Invites.
func (r invites) Peek(ctx context.Context, tokenHash [32]byte, now time.Time) (*tenant.Invite, error) {
	var row inviteRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("token_hash = ?", tokenHash[:]).Where("expires_at > ?", at(now)).Scan(ctx), tenant.ErrInviteNotFound)
	})
	if err != nil {
		return nil, err
	}
	return row.invite(), nil
}

// Take implements outbound.Invites.
func (r invites) Take(ctx context.Context, tokenHash [32]byte, now time.Time, change func(*tenant.Invite) error) error {
	return r.end(ctx, change, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("token_hash = ?", tokenHash[:]).Where("expires_at > ?", at(now))
	})
}

// Revoke implements outbound.Invites.
func (r invites) Revoke(ctx context.Context, t tenant.ID, id tenant.InviteID, change func(*tenant.Invite) error) error {
	return r.end(ctx, change, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("id = ?", key(id)).Where("tenant_id = ?", key(t))
	})
}

// end deletes the one invitation that which picks, once change agrees. Others that want it wait for its lock, and then it is not there.
func (r invites) end(ctx context.Context, change func(*tenant.Invite) error, which func(*bun.SelectQuery) *bun.SelectQuery) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		var row inviteRow
		if err := found(r.db.dialect.lock(which(sc.tx.NewSelect().Model(&row))).Scan(ctx), tenant.ErrInviteNotFound); err != nil {
			return err
		}
		i := row.invite()
		if err := change(i); err != nil {
			return err
		}
		if _, err := sc.tx.NewDelete().Model(&row).WherePK().Exec(ctx); err != nil {
			return err
		}
		return r.audit(ctx, sc, i)
	})
}

// Sweep implements outbound.Invites.
func (r invites) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.sweep(ctx, (*inviteRow)(nil), "expires_at < ?", at(before))
}
