package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:auth_sessions"`

	ID        string         `bun:"id,pk,type:text"`
	UserID    string         `bun:"user_id,type:text,notnull"`
	TenantID  string         `bun:"tenant_id,type:text,notnull"`
	Gen       int64          `bun:"gen,notnull"`
	Salt      []byte         `bun:"salt,type:bytea,notnull"`
	Epoch     int64          `bun:"epoch,notnull"`
	CreatedAt instant        `bun:"created_at,type:timestamptz,notnull"`
	RotatedAt instant        `bun:"rotated_at,type:timestamptz,notnull"`
	IdleUntil instant        `bun:"idle_expires_at,type:timestamptz,notnull"`
	AbsUntil  instant        `bun:"abs_expires_at,type:timestamptz,notnull"`
	RevokedAt instant        `bun:"revoked_at,type:timestamptz"`
	Reason    string         `bun:"reason,type:text,notnull"`
	AMR       list[[]string] `bun:"amr,type:jsonb,notnull"`
	AuthTime  instant        `bun:"auth_time,type:timestamptz,notnull"`
	IP        string         `bun:"ip,type:text,notnull"`
	Agent     string         `bun:"user_agent,type:text,notnull"`

	// The foreign keys, for drafts of migrations; never loaded.
	Tenant *tenantRow `bun:"rel:belongs-to,join:tenant_id=id"`
	User   *userRow   `bun:"rel:belongs-to,join:user_id=id"`
}

func sessionRowOf(s session.Snapshot) *sessionRow {
	return &sessionRow{
		ID: string(s.ID), UserID: string(s.User), TenantID: s.Tenant, Gen: int64(s.Gen), Salt: s.Salt[:], Epoch: s.Epoch, CreatedAt: at(s.CreatedAt),
		RotatedAt: at(s.RotatedAt), IdleUntil: at(s.IdleUntil), AbsUntil: at(s.AbsUntil), RevokedAt: at(s.RevokedAt), Reason: string(s.Reason),
		AMR: listOf(s.AMR), AuthTime: at(s.AuthTime), IP: s.IP, Agent: s.Agent,
	}
}

func (r *sessionRow) session() *session.Session {
	s := session.Snapshot{
		ID: session.ID(r.ID), User: user.ID(r.UserID), Tenant: r.TenantID, Gen: uint32(r.Gen), Epoch: r.Epoch, CreatedAt: r.CreatedAt.Time,
		RotatedAt: r.RotatedAt.Time, IdleUntil: r.IdleUntil.Time, AbsUntil: r.AbsUntil.Time, RevokedAt: r.RevokedAt.Time, Reason: session.Reason(r.Reason),
		AMR: r.AMR.Of, AuthTime: r.AuthTime.Time, IP: r.IP, Agent: r.Agent,
	}
	copy(s.Salt[:], r.Salt)
	return session.Restore(s)
}

// sessions implements outbound.Sessions.
type sessions struct{ store }

var _ outbound.Sessions = sessions{}

// Add implements outbound.Sessions.
func (r sessions) Add(ctx context.Context, s *session.Session) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		switch added, err := sc.insert(ctx, sessionRowOf(s.Snapshot())); {
		case err != nil:
			return err
		case !added:
			return errOneRow
		}
		return r.audit(ctx, sc, s)
	})
}

// Find implements outbound.Sessions.
func (r sessions) Find(ctx context.Context, id session.ID) (*session.Session, error) {
	var row sessionRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("id = ?", key(id)).Scan(ctx), session.ErrNotFound)
	})
	if err != nil {
		return nil, err
	}
	return row.session(), nil
}

// OfUser implements outbound.Sessions.
func (r sessions) OfUser(ctx context.Context, u user.ID, now time.Time) ([]*session.Session, error) {
	var rows []sessionRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("user_id = ?", key(u)).Where("revoked_at IS NULL").
			Where("idle_expires_at > ?", at(now)).Where("abs_expires_at > ?", at(now)).
			Order("created_at DESC", "id DESC").Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	out := make([]*session.Session, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].session())
	}
	return out, nil
}

// Update implements outbound.Sessions.
func (r sessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		var row sessionRow
		q := r.db.dialect.lock(sc.tx.NewSelect().Model(&row).Where("id = ?", key(id)))
		if err := found(q.Scan(ctx), session.ErrNotFound); err != nil {
			return err
		}
		s := row.session()
		before := sessionRowOf(s.Snapshot())
		if err := change(s); err != nil {
			return err
		}
		if err := sc.change(ctx, before, sessionRowOf(s.Snapshot())); err != nil {
			return err
		}
		return r.audit(ctx, sc, s)
	})
}

// Sweep implements outbound.Sessions.
func (r sessions) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.sweep(ctx, (*sessionRow)(nil), "revoked_at < ? OR idle_expires_at < ? OR abs_expires_at < ?", at(before), at(before), at(before))
}
