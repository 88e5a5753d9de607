package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

type oneTimeRow struct {
	bun.BaseModel `bun:"table:one_time_tokens"`

	ID        string  `bun:"id,pk,type:text"`
	Kind      string  `bun:"kind,type:text,notnull"`
	Hash      []byte  `bun:"token_hash,type:bytea,notnull"`
	UserID    string  `bun:"user_id,type:text,notnull"`
	Epoch     int64   `bun:"epoch,notnull"`
	CreatedAt instant `bun:"created_at,type:timestamptz,notnull"`
	ExpiresAt instant `bun:"expires_at,type:timestamptz,notnull"`
	UsedAt    instant `bun:"used_at,type:timestamptz"`

	// The foreign key, for drafts of migrations; never loaded.
	User *userRow `bun:"rel:belongs-to,join:user_id=id"`
}

func oneTimeRowOf(t outbound.OneTimeToken) *oneTimeRow {
	return &oneTimeRow{
		ID: t.ID, Kind: t.Kind, Hash: t.Hash[:], UserID: string(t.User), Epoch: t.Epoch, CreatedAt: at(t.CreatedAt), ExpiresAt: at(t.ExpiresAt),
	}
}

func (r *oneTimeRow) token() outbound.OneTimeToken {
	t := outbound.OneTimeToken{
		ID: r.ID, Kind: r.Kind, User: user.ID(r.UserID), Epoch: r.Epoch, CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time,
	}
	copy(t.Hash[:], r.Hash)
	return t
}

// oneTimeTokens implements outbound.OneTimeTokens.
type oneTimeTokens struct{ store }

var _ outbound.OneTimeTokens = oneTimeTokens{}

// Add implements outbound.OneTimeTokens.
func (r oneTimeTokens) Add(ctx context.Context, t outbound.OneTimeToken) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		added, err := sc.insert(ctx, oneTimeRowOf(t))
		if err == nil && !added {
			err = errOneRow
		}
		return err
	})
}

// epochOf selects the epoch of a token's user, nothing when the user is not active.
func epochOf(db bun.IDB) *bun.SelectQuery {
	return db.NewSelect().TableExpr("users AS u").ColumnExpr("u.session_epoch").Where("u.id = one_time_row.user_id").Where("u.status = ?", string(user.Active))
}

// Peek implements outbound.OneTimeTokens.
func (r oneTimeTokens) Peek(ctx context.Context, kind string, hash [32]byte, now time.Time) (outbound.OneTimeToken, error) {
	var row oneTimeRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("token_hash = ?", hash[:]).Where("kind = ?", key(kind)).Where("used_at IS NULL").
			Where("expires_at > ?", at(now)).Where("epoch = (?)", epochOf(db)).Scan(ctx), fault.ErrNotFound)
	})
	if err != nil {
		return outbound.OneTimeToken{}, err
	}
	return row.token(), nil
}

// Take implements outbound.OneTimeTokens. The statement locks the user before the token, as all others do: so no transaction that raises the epoch at
// the same time goes unseen, and none that ends the user's tokens meets it in a deadlock.
func (r oneTimeTokens) Take(ctx context.Context, kind string, hash [32]byte, now time.Time) (outbound.OneTimeToken, error) {
	var row oneTimeRow
	err := r.write(ctx, func(ctx context.Context, sc *scope) error {
		row = oneTimeRow{}
		return found(sc.tx.NewUpdate().Model(&row).Set("used_at = ?", at(now)).Where("token_hash = ?", hash[:]).Where("kind = ?", key(kind)).
			Where("used_at IS NULL").Where("expires_at > ?", at(now)).Where("epoch = (?)", r.db.dialect.lock(epochOf(sc.tx))).
			Returning("*").Scan(ctx), fault.ErrNotFound)
	})
	if err != nil {
		return outbound.OneTimeToken{}, err
	}
	return row.token(), nil
}

// Since implements outbound.OneTimeTokens.
func (r oneTimeTokens) Since(ctx context.Context, kind string, u user.ID, after, now time.Time) (made, live int, err error) {
	err = r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		if r.sc != nil {
			if err := r.lockUser(ctx, r.sc, u); err != nil {
				return found(err, nil)
			}
		}
		return db.NewSelect().Model((*oneTimeRow)(nil)).
			ColumnExpr("count(*) FILTER (WHERE created_at > ?)", at(after)).
			ColumnExpr("count(*) FILTER (WHERE used_at IS NULL AND expires_at > ? AND epoch = (?))", at(now), epochOf(db)).
			Where("user_id = ?", key(u)).Where("kind = ?", key(kind)).Scan(ctx, &made, &live)
	})
	return made, live, err
}

// Drop implements outbound.OneTimeTokens.
func (r oneTimeTokens) Drop(ctx context.Context, kind string, u user.ID, now time.Time) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		if err := r.lockUser(ctx, sc, u); err != nil {
			return found(err, nil)
		}
		_, err := sc.tx.NewUpdate().Model((*oneTimeRow)(nil)).Set("used_at = ?", at(now)).
			Where("user_id = ?", key(u)).Where("kind = ?", key(kind)).Where("used_at IS NULL").Exec(ctx)
		return err
	})
}

// Sweep implements outbound.OneTimeTokens.
func (r oneTimeTokens) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.sweep(ctx, (*oneTimeRow)(nil), "expires_at < ?", at(before))
}
