package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

type callRow struct {
	bun.BaseModel `bun:"table:calls"`

	ID             string                       `bun:"id,pk,type:text"`
	CreatedAt      instant                      `bun:"created_at,type:timestamptz,notnull"`
	Region         string                       `bun:"region,type:text,notnull"`
	TenantID       string                       `bun:"tenant_id,type:text,notnull"`
	UserID         string                       `bun:"user_id,type:text,notnull"`
	KeyID          string                       `bun:"key_id,type:text,notnull"`
	SessionID      string                       `bun:"session_id,type:text,notnull"`
	TraceID        string                       `bun:"trace_id,type:text,notnull"`
	Surface        string                       `bun:"surface,type:text,notnull"`
	TaskType       string                       `bun:"task_type,type:text,notnull"`
	RequestedModel string                       `bun:"requested_model,type:text,notnull"`
	Provider       string                       `bun:"provider,type:text,notnull"`
	Model          string                       `bun:"model,type:text,notnull"`
	ServedModel    string                       `bun:"served_model,type:text,notnull"`
	Outcome        string                       `bun:"outcome,type:text,notnull"`
	InputTokens    int                          `bun:"input_tokens,type:bigint,notnull"`
	OutputTokens   int                          `bun:"output_tokens,type:bigint,notnull"`
	CachedTokens   int                          `bun:"cached_tokens,type:bigint,notnull"`
	CacheWrite     int                          `bun:"cache_write,type:bigint,notnull"`
	Reasoning      int                          `bun:"reasoning,type:bigint,notnull"`
	UsageSource    string                       `bun:"usage_source,type:text,notnull"`
	CostNanos      *int64                       `bun:"cost_nanos"`
	LatencyMs      int64                        `bun:"latency_ms,notnull"`
	FirstByteMs    int64                        `bun:"first_byte_ms,notnull"`
	Cache          string                       `bun:"cache,type:text,notnull"`
	Stream         bool                         `bun:"stream,notnull"`
	DecisionID     string                       `bun:"decision_id,type:text,notnull"`
	Decision       string                       `bun:"decision,type:text,notnull"`
	Attempts       list[[]outbound.CallAttempt] `bun:"attempts,type:jsonb,notnull"`
	Tags           list[[]string]               `bun:"tags,type:jsonb,notnull"`
	EndUser        string                       `bun:"end_user,type:text,notnull"`
}

// callColumns are the columns in the order of callArgs.
var callColumns = []string{
	"id", "created_at", "region", "tenant_id", "user_id", "key_id", "session_id", "trace_id", "surface", "task_type", "requested_model", "provider",
	"model", "served_model", "outcome", "input_tokens", "output_tokens", "cached_tokens", "cache_write", "reasoning", "usage_source", "cost_nanos",
	"latency_ms", "first_byte_ms", "cache", "stream", "decision_id", "decision", "attempts", "tags", "end_user",
}

// callArgs appends the values of a row. Text is mended rather than refused, so that one row never spoils a batch.
func callArgs(args []any, created any, c *outbound.Call) []any {
	var cost any
	if c.CostNanos != nil {
		cost = *c.CostNanos
	}
	return append(args,
		mended(c.ID), created, mended(c.Region), mended(c.TenantID), mended(c.UserID), mended(c.KeyID), mended(c.SessionID), mended(c.TraceID),
		mended(c.Surface), mended(c.TaskType), mended(c.RequestedModel), mended(c.Provider), mended(c.Model), mended(c.ServedModel),
		mended(c.Outcome), int64(c.InputTokens), int64(c.OutputTokens), int64(c.CachedTokens), int64(c.CacheWrite), int64(c.Reasoning),
		mended(c.UsageSource), cost, c.LatencyMs, c.FirstByteMs, mended(c.Cache), c.Stream, mended(c.DecisionID), mended(shownOf(c)),
		attemptsText(c.Attempts), tagsText(c.Tags), mended(c.EndUser))
}

func shownOf(c *outbound.Call) string {
	if c.Decision == nil {
		return ""
	}
	return string(c.Decision.Shown)
}

func attemptsText(attempts []outbound.CallAttempt) string {
	if len(attempts) == 0 {
		return "[]"
	}
	out := make([]outbound.CallAttempt, len(attempts))
	for i, a := range attempts {
		a.Provider, a.Model, a.Credential, a.Outcome = mended(a.Provider), mended(a.Model), mended(a.Credential), mended(a.Outcome)
		out[i] = a
	}
	return jsonText(out)
}

func tagsText(tags []string) string {
	if len(tags) == 0 {
		return "[]"
	}
	out := make([]string, len(tags))
	for i, tag := range tags {
		out[i] = mended(tag)
	}
	return jsonText(out)
}

// jsonText writes texts and numbers as JSON, which cannot fail.
func jsonText(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func (r *callRow) call() outbound.Call {
	return outbound.Call{
		ID: r.ID, CreatedAt: r.CreatedAt.Time, Region: r.Region, TenantID: r.TenantID, UserID: r.UserID, KeyID: r.KeyID, SessionID: r.SessionID,
		TraceID: r.TraceID, Surface: r.Surface, TaskType: r.TaskType, RequestedModel: r.RequestedModel, Provider: r.Provider, Model: r.Model,
		ServedModel: r.ServedModel, Outcome: r.Outcome, InputTokens: r.InputTokens, OutputTokens: r.OutputTokens, CachedTokens: r.CachedTokens,
		CacheWrite: r.CacheWrite, Reasoning: r.Reasoning, UsageSource: r.UsageSource, CostNanos: r.CostNanos, LatencyMs: r.LatencyMs,
		FirstByteMs: r.FirstByteMs, Cache: r.Cache, Stream: r.Stream, DecisionID: r.DecisionID, Decision: &outbound.Decision{ID: r.DecisionID, TenantID: r.TenantID, Shown: []byte(r.Decision)},
		Attempts: r.Attempts.Of, Tags: r.Tags.Of, EndUser: r.EndUser,
	}
}

// Calls implements outbound.Calls. Rows are written by statements made by hand: at a thousand calls a second, building a statement of their text
// anew costs twice what SQLite needs to keep them.
type Calls struct {
	store
	mu       sync.Mutex
	prepared map[int]*sql.Stmt // by the number of rows
}

var _ outbound.Calls = (*Calls)(nil)

// NewCalls keeps calls in a database.
func NewCalls(db *DB) *Calls { return &Calls{store: store{db: db}, prepared: map[int]*sql.Stmt{}} }

// Append implements outbound.Calls.
func (r *Calls) Append(ctx context.Context, rows []outbound.Call) error {
	if len(rows) == 0 {
		return nil
	}
	d := r.db.dialect
	stmts, err := r.statements(ctx, len(rows))
	if err != nil {
		return fmt.Errorf("append calls: %w", err)
	}
	err = r.write(ctx, func(ctx context.Context, sc *scope) error {
		args := make([]any, 0, d.batch(len(rows))*len(callColumns))
		for rest := rows; len(rest) > 0; {
			n := d.batch(len(rest))
			args = args[:0]
			for i := range rest[:n] {
				args = callArgs(args, d.timeArg(rest[i].CreatedAt), &rest[i])
			}
			if stmt := stmts[n]; stmt != nil {
				_, err = sc.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
			} else {
				_, err = sc.tx.Tx.ExecContext(ctx, callInsert(n, d.placeholder), args...)
			}
			if err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("append calls: %w", err)
	}
	return nil
}

// statements gives the prepared inserts that a batch needs, by their number of rows; none where statements are not prepared. They are prepared before
// the transaction, which holds the one connection that writes.
func (r *Calls) statements(ctx context.Context, rows int) (map[int]*sql.Stmt, error) {
	if !r.db.dialect.prepares() {
		return nil, nil
	}
	ctx, cancel := r.db.bounded(ctx)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for rest := rows; rest > 0; {
		n := r.db.dialect.batch(rest)
		if r.prepared[n] == nil {
			stmt, err := r.db.writes.DB.PrepareContext(ctx, callInsert(n, r.db.dialect.placeholder))
			if err != nil {
				return nil, r.db.classify(ctx, err)
			}
			r.prepared[n] = stmt
		}
		rest -= n
	}
	return maps.Clone(r.prepared), nil
}

// callInsert is the insert of n rows, which leaves alone what is there.
func callInsert(n int, placeholder func(i int) string) string {
	var b strings.Builder
	b.WriteString("INSERT INTO calls (" + strings.Join(callColumns, ", ") + ") VALUES ")
	for row := range n {
		for col := range callColumns {
			switch {
			case col > 0:
				b.WriteByte(',')
			case row > 0:
				b.WriteString("),(")
			default:
				b.WriteByte('(')
			}
			b.WriteString(placeholder(row*len(callColumns) + col + 1))
		}
	}
	b.WriteString(") ON CONFLICT DO NOTHING")
	return b.String()
}

// Find implements outbound.Calls.
func (r *Calls) Find(ctx context.Context, tenantID, id string) (outbound.Call, error) {
	var row callRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return found(db.NewSelect().Model(&row).Where("tenant_id = ?", key(tenantID)).Where("id = ?", key(id)).Scan(ctx), fault.ErrNotFound)
	})
	if err != nil {
		return outbound.Call{}, err
	}
	return row.call(), nil
}

// List implements outbound.Calls.
func (r *Calls) List(ctx context.Context, tenantID, before string, limit int) ([]outbound.Call, error) {
	if limit <= 0 {
		return nil, nil
	}
	var rows []callRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		q := db.NewSelect().Model(&rows).Where("tenant_id = ?", key(tenantID)).Order("id DESC").Limit(int64(limit))
		if before != "" {
			q = q.Where("id < ?", key(before))
		}
		return q.Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	out := make([]outbound.Call, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].call())
	}
	return out, nil
}
