package database

import (
	"context"
	"database/sql"
	"reflect"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// totpRow is a live factor; a user whose factor is off has none.
type totpRow struct {
	bun.BaseModel `bun:"table:user_totp"`

	UserID    string  `bun:"user_id,pk,type:text"`
	Secret    []byte  `bun:"secret_enc,type:bytea,notnull"`
	LastStep  int64   `bun:"last_step,notnull"`
	Failures  int     `bun:"fail_count,type:bigint,notnull"`
	EnabledAt instant `bun:"enabled_at,type:timestamptz,notnull"`

	// The foreign key, for drafts of migrations; never loaded.
	User *userRow `bun:"rel:belongs-to,join:user_id=id"`
}

// pendingRow is a setup that waits for its first code.
type pendingRow struct {
	bun.BaseModel `bun:"table:user_totp_pending"`

	UserID    string            `bun:"user_id,pk,type:text"`
	SetupID   string            `bun:"setup_id,type:text,notnull"`
	SessionID string            `bun:"session_id,type:text,notnull"`
	Secret    []byte            `bun:"secret_enc,type:bytea,notnull"`
	Codes     list[[]freshCode] `bun:"codes,type:jsonb,notnull"`
	ExpiresAt instant           `bun:"expires_at,type:timestamptz,notnull"`

	// The foreign key, for drafts of migrations; never loaded.
	User *userRow `bun:"rel:belongs-to,join:user_id=id"`
}

// freshCode is a recovery code of a setup: nobody has used it.
type freshCode struct {
	Root byte   `json:"root"`
	MAC  []byte `json:"mac"`
}

// codeRow is a recovery code of a live factor.
type codeRow struct {
	bun.BaseModel `bun:"table:recovery_codes"`

	UserID string  `bun:"user_id,pk,type:text"`
	N      int     `bun:"n,pk,type:bigint"` // its place in the set
	Root   byte    `bun:"root,type:bigint,notnull"`
	MAC    []byte  `bun:"code_mac,type:bytea,notnull"`
	UsedAt instant `bun:"used_at,type:timestamptz"`

	// The foreign key, for drafts of migrations; never loaded.
	User *userRow `bun:"rel:belongs-to,join:user_id=id"`
}

func totpRowOf(s user.FactorSnapshot) *totpRow {
	return &totpRow{UserID: string(s.User), Secret: s.Secret, LastStep: s.LastStep, Failures: s.Failures, EnabledAt: at(s.EnabledAt)}
}

func pendingRowOf(u user.ID, p user.Pending) *pendingRow {
	row := &pendingRow{UserID: string(u), SetupID: p.SetupID, SessionID: p.SessionID, Secret: p.Secret, ExpiresAt: at(p.ExpiresAt), Codes: listOf([]freshCode{})}
	for _, c := range p.Codes {
		row.Codes.Of = append(row.Codes.Of, freshCode{c.Root, c.MAC[:]})
	}
	return row
}

func (r *pendingRow) pending() *user.Pending {
	p := &user.Pending{SetupID: r.SetupID, SessionID: r.SessionID, Secret: r.Secret, ExpiresAt: r.ExpiresAt.Time}
	for _, c := range r.Codes.Of {
		p.Codes = append(p.Codes, recoveryCode(c.Root, c.MAC, instant{}))
	}
	return p
}

func recoveryCode(root byte, mac []byte, used instant) user.RecoveryCode {
	c := user.RecoveryCode{Root: root, UsedAt: used.Time}
	copy(c.MAC[:], mac)
	return c
}

// factorRow is a line of a factor as one statement reads it: the live secret and the setup, each NULL when there is none, beside each recovery code.
type factorRow struct {
	UserID    string  `bun:"user_id"`
	Secret    []byte  `bun:"secret_enc"`
	LastStep  int64   `bun:"last_step"`
	Failures  int     `bun:"fail_count"`
	EnabledAt instant `bun:"enabled_at"`

	N      sql.NullInt64 `bun:"n"`
	Root   byte          `bun:"root"`
	MAC    []byte        `bun:"code_mac"`
	UsedAt instant       `bun:"used_at"`

	SetupID   sql.NullString    `bun:"setup_id"`
	SessionID string            `bun:"session_id"`
	Fresh     []byte            `bun:"fresh_enc"`
	Codes     list[[]freshCode] `bun:"codes"`
	ExpiresAt instant           `bun:"expires_at"`
}

func snapshotOf(u user.ID, rows []factorRow) user.FactorSnapshot {
	s := user.FactorSnapshot{User: u}
	if len(rows) == 0 {
		return s
	}
	first := rows[0]
	if first.SetupID.Valid {
		p := pendingRow{SetupID: first.SetupID.String, SessionID: first.SessionID, Secret: first.Fresh, Codes: first.Codes, ExpiresAt: first.ExpiresAt}
		s.Pending = p.pending()
	}
	if first.EnabledAt.IsZero() {
		return s
	}
	s.On, s.Secret, s.LastStep, s.Failures, s.EnabledAt = true, first.Secret, first.LastStep, first.Failures, first.EnabledAt.Time
	for _, row := range rows {
		if row.N.Valid {
			s.Codes = append(s.Codes, recoveryCode(row.Root, row.MAC, row.UsedAt))
		}
	}
	return s
}

// factors implements outbound.Factors. Whatever changes a factor locks its user first, so that there is something to lock before there is a factor,
// and no two that do wait for each other.
type factors struct{ store }

var _ outbound.Factors = factors{}

// snapshot reads a factor in one statement, so that it is of one moment.
func (factors) snapshot(ctx context.Context, db bun.IDB, u user.ID) (user.FactorSnapshot, error) {
	var rows []factorRow
	err := db.NewSelect().TableExpr("users AS u").
		ColumnExpr("t.secret_enc, t.last_step, t.fail_count, t.enabled_at, c.n, c.root, c.code_mac, c.used_at").
		ColumnExpr("p.setup_id, p.session_id, p.secret_enc AS fresh_enc, p.codes, p.expires_at").
		Join("LEFT JOIN user_totp AS t ON t.user_id = u.id").Join("LEFT JOIN recovery_codes AS c ON c.user_id = u.id").
		Join("LEFT JOIN user_totp_pending AS p ON p.user_id = u.id").
		Where("u.id = ?", key(u)).OrderExpr("c.n").Scan(ctx, &rows)
	return snapshotOf(u, rows), err
}

// Find implements outbound.Factors.
func (r factors) Find(ctx context.Context, u user.ID) (*user.Factor, error) {
	var s user.FactorSnapshot
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		s, err = r.snapshot(ctx, db, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return user.RestoreFactor(s), nil
}

// Update implements outbound.Factors.
func (r factors) Update(ctx context.Context, u user.ID, change func(*user.Factor) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		if err := r.lockUser(ctx, sc, u); err != nil {
			return found(err, user.ErrNotFound)
		}
		s, err := r.snapshot(ctx, sc.tx, u)
		if err != nil {
			return err
		}
		f := user.RestoreFactor(s)
		if err := change(f); err != nil {
			return err
		}
		if err := r.keep(ctx, sc, s, f.Snapshot()); err != nil {
			return err
		}
		return r.audit(ctx, sc, f)
	})
}

// keep writes what has changed, if anything has.
func (r factors) keep(ctx context.Context, sc *scope, before, after user.FactorSnapshot) error {
	if err := r.keepLive(ctx, sc, before, after); err != nil {
		return err
	}
	if err := r.keepCodes(ctx, sc, before, after); err != nil {
		return err
	}
	switch {
	case reflect.DeepEqual(before.Pending, after.Pending):
		return nil
	case after.Pending == nil:
		_, err := sc.tx.NewDelete().Model(&pendingRow{UserID: string(after.User)}).WherePK().Exec(ctx)
		return err
	}
	row := pendingRowOf(after.User, *after.Pending)
	if before.Pending == nil {
		return sc.add(ctx, row)
	}
	return sc.change(ctx, pendingRowOf(before.User, *before.Pending), row)
}

func (factors) keepLive(ctx context.Context, sc *scope, before, after user.FactorSnapshot) error {
	row := totpRowOf(after)
	switch {
	case before.On && after.On:
		return sc.change(ctx, totpRowOf(before), row)
	case after.On:
		return sc.add(ctx, row)
	case before.On:
		_, err := sc.tx.NewDelete().Model(row).WherePK().Exec(ctx)
		return err
	default:
		return nil
	}
}

func (factors) keepCodes(ctx context.Context, sc *scope, before, after user.FactorSnapshot) error {
	var rows []codeRow
	for i, c := range after.Codes {
		if i >= len(before.Codes) || before.Codes[i] != c {
			rows = append(rows, codeRow{UserID: string(after.User), N: i, Root: c.Root, MAC: c.MAC[:], UsedAt: at(c.UsedAt)})
		}
	}
	if len(rows) > 0 {
		_, err := sc.tx.NewInsert().Model(&rows).On("CONFLICT (user_id, n) DO UPDATE").
			Set("root = EXCLUDED.root").Set("code_mac = EXCLUDED.code_mac").Set("used_at = EXCLUDED.used_at").Exec(ctx)
		if err != nil {
			return err
		}
	}
	if len(after.Codes) >= len(before.Codes) {
		return nil
	}
	_, err := sc.tx.NewDelete().Model((*codeRow)(nil)).Where("user_id = ?", string(after.User)).Where("n >= ?", len(after.Codes)).Exec(ctx)
	return err
}

// UseStep implements outbound.Factors. The statement locks the user before the factor, as Update does.
func (r factors) UseStep(ctx context.Context, u user.ID, step int64) (used bool, err error) {
	err = r.write(ctx, func(ctx context.Context, sc *scope) error {
		owner := r.db.dialect.lock(sc.tx.NewSelect().TableExpr("users AS u").ColumnExpr("u.id").Where("u.id = ?", key(u)))
		used, err = affected(sc.tx.NewUpdate().Model((*totpRow)(nil)).Set("last_step = ?", step).Set("fail_count = 0").
			Where("user_id = (?)", owner).Where("last_step < ?", step).Where("fail_count < ?", user.MaxFactorFailures).Exec(ctx))
		return err
	})
	return used, err
}
