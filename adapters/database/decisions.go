package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

type decisionRow struct {
	bun.BaseModel `bun:"table:routing_decisions"`

	ID            string  `bun:"id,pk,type:text"`
	TenantID      string  `bun:"tenant_id,type:text,notnull"`
	CreatedAt     instant `bun:"created_at,type:timestamptz,notnull"`
	TaskType      string  `bun:"task_type,type:text,notnull"`
	Provider      string  `bun:"provider,type:text,notnull"`
	Model         string  `bun:"model,type:text,notnull"`
	Outcome       string  `bun:"outcome,type:text,notnull"`
	PolicyVersion int64   `bun:"policy_version,notnull"`
	SnapshotID    string  `bun:"snapshot_id,type:text,notnull"`
	PolicyID      string  `bun:"policy_id,type:text,notnull"`
	Shown         string  `bun:"shown,type:text,notnull"`
	Inputs        string  `bun:"inputs,type:text,notnull"`
}

type sheetRow struct {
	bun.BaseModel `bun:"table:routing_sheets"`

	ID        string  `bun:"id,pk,type:text"`
	CreatedAt instant `bun:"created_at,type:timestamptz,notnull"`
	Body      string  `bun:"body,type:text,notnull"`
}

// decisionBulk has its columns in the order of decisionArgs.
var decisionBulk = bulk{"routing_decisions", []string{
	"id", "tenant_id", "created_at", "task_type", "provider", "model", "outcome", "policy_version", "snapshot_id", "policy_id", "shown", "inputs",
}, keepFirst}

func decisionArgs(args []any, d dialect, x *outbound.Decision) []any {
	return append(args,
		mended(x.ID), mended(x.TenantID), d.timeArg(x.CreatedAt), mended(x.TaskType), mended(x.Provider), mended(x.Model), mended(x.Outcome), x.PolicyVersion,
		mended(x.SnapshotID), mended(x.PolicyID), mended(string(x.Shown)), mended(string(x.Inputs)))
}

// sheetBulk has its columns in the order of sheetArgs. A sheet that is there is as new as it was last sent, so that no sweep takes what is still
// referred to.
var sheetBulk = bulk{
	"routing_sheets",
	[]string{"id", "created_at", "body"},
	"ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at WHERE excluded.created_at > routing_sheets.created_at",
}

func sheetArgs(args []any, d dialect, s *outbound.Sheet) []any {
	return append(args, mended(s.ID), d.timeArg(s.CreatedAt), mended(string(s.Body)))
}

func (r *decisionRow) decision() outbound.Decision {
	return outbound.Decision{
		ID: r.ID, TenantID: r.TenantID, CreatedAt: r.CreatedAt.Time, TaskType: r.TaskType, Provider: r.Provider, Model: r.Model, Outcome: r.Outcome,
		PolicyVersion: r.PolicyVersion, SnapshotID: r.SnapshotID, PolicyID: r.PolicyID, Shown: []byte(r.Shown), Inputs: []byte(r.Inputs),
	}
}

// Decisions implements outbound.Decisions.
type Decisions struct{ store }

var _ outbound.Decisions = Decisions{}

// NewDecisions reads the decisions of a database.
func NewDecisions(db *DB) Decisions { return Decisions{store{db: db}} }

// Find implements outbound.Decisions.
func (r Decisions) Find(ctx context.Context, tenantID, id string) (outbound.Decision, error) {
	var row decisionRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("id = ?", key(id)).Where("tenant_id = ?", key(tenantID)).Scan(ctx), fault.ErrNotFound)
	})
	if err != nil {
		return outbound.Decision{}, err
	}
	return row.decision(), nil
}

// List implements outbound.Decisions.
func (r Decisions) List(ctx context.Context, tenantID string, f outbound.DecisionFilter) ([]outbound.Decision, error) {
	if f.Limit <= 0 {
		return nil, nil
	}
	var rows []decisionRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		q := db.NewSelect().Model(&rows).Where("tenant_id = ?", key(tenantID)).Order("id DESC").Limit(int64(f.Limit))
		if f.Before != "" {
			q.Where("id < ?", key(f.Before))
		}
		within(q, "created_at", f.From, f.To)
		equal(q, map[string]string{"task_type": f.TaskType, "provider": f.Provider, "model": f.Model, "outcome": f.Outcome})
		return q.Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	out := make([]outbound.Decision, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].decision())
	}
	return out, nil
}

// within asks for a time from one on and before another; zero bounds nothing.
func within(q *bun.SelectQuery, column string, from, to time.Time) {
	if !from.IsZero() {
		q.Where("? >= ?", bun.Ident(column), at(from))
	}
	if !to.IsZero() {
		q.Where("? < ?", bun.Ident(column), at(to))
	}
}

// equal asks for columns to hold texts; "" asks for nothing.
func equal(q *bun.SelectQuery, texts map[string]string) {
	for column, text := range texts {
		if text != "" {
			q.Where("? = ?", bun.Ident(column), key(text))
		}
	}
}

// Sheet implements outbound.Decisions.
func (r Decisions) Sheet(ctx context.Context, id string) (outbound.Sheet, error) {
	var row sheetRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("id = ?", key(id)).Scan(ctx), fault.ErrNotFound)
	})
	if err != nil {
		return outbound.Sheet{}, err
	}
	return outbound.Sheet{ID: row.ID, CreatedAt: row.CreatedAt.Time, Body: []byte(row.Body)}, nil
}

// Sweep implements outbound.Decisions.
func (r Decisions) Sweep(ctx context.Context, before time.Time) (int, error) {
	n, err := r.sweep(ctx, (*decisionRow)(nil), "id < ? AND created_at < ?", idAfter(before), at(before))
	if err != nil {
		return n, err
	}
	sheets, err := r.sweep(ctx, (*sheetRow)(nil), "created_at < ?", at(before.Add(-outbound.SheetMargin)))
	return n + sheets, err
}
