package database

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/ports/outbound"
)

// Usage implements outbound.Usage.
type Usage struct{ store }

var _ outbound.Usage = Usage{}

// NewUsage reads the calls of a database.
func NewUsage(db *DB) Usage { return Usage{store{db: db}} }

// Calls implements outbound.Usage.
func (r Usage) Calls(ctx context.Context, tenantID string, f outbound.CallFilter) ([]outbound.Call, error) {
	if f.Limit <= 0 {
		return nil, nil
	}
	var (
		rows     []callRow
		attempts []attemptRow
	)
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		q := db.NewSelect().Model(&rows).Order("created_at DESC", "id DESC").Limit(int64(f.Limit))
		r.filter(q, tenantID, f.UsageFilter)
		if f.Before != "" { // the first condition is one that an index serves, the second parts calls of one moment
			q.Where("c.created_at <= (SELECT x.created_at FROM ai_calls AS x WHERE x.id = ?)", key(f.Before)).
				Where("(c.created_at, c.id) < (SELECT x.created_at, x.id FROM ai_calls AS x WHERE x.id = ?)", key(f.Before))
		}
		if err := q.Scan(ctx); err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]string, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		return db.NewSelect().Model(&attempts).Where("call_id IN (?)", bun.List(ids)).Order("call_id", "number").Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	of := map[string][]outbound.CallAttempt{}
	for i := range attempts {
		of[attempts[i].CallID] = append(of[attempts[i].CallID], attempts[i].attempt())
	}
	out := make([]outbound.Call, 0, len(rows))
	for i := range rows {
		c := rows[i].call()
		c.Attempts = of[c.ID]
		out = append(out, c)
	}
	return out, nil
}

// filter asks for a tenant's calls, which the query calls c.
func (r Usage) filter(q *bun.SelectQuery, tenantID string, f outbound.UsageFilter) {
	q.Where("c.tenant_id = ?", key(tenantID))
	within(q, "c.created_at", f.From, f.To)
	equal(q, map[string]string{
		"c.outcome": f.Outcome, "c.provider": f.Provider, "c.model": f.Model, "c.task_type": f.TaskType, "c.user_id": f.UserID, "c.key_id": f.KeyID, "c.end_user": f.EndUser,
	})
	if f.Tag != "" {
		q.Where("EXISTS (SELECT 1 FROM ? WHERE has.value = ?)", bun.Safe(r.db.dialect.each("c.tags", "has")), key(f.Tag))
	}
}

// dimension is the expression of what calls are grouped by. Text is ordered by its bytes, whatever the order of the database.
func (r Usage) dimension(by outbound.UsageDimension) (string, error) {
	column, ok := map[outbound.UsageDimension]string{
		outbound.ByModel: "c.model", outbound.ByProvider: "c.provider", outbound.ByTaskType: "c.task_type", outbound.ByMember: "c.user_id",
		outbound.ByKey: "c.key_id", outbound.ByTag: "coalesce(t.value, '')", outbound.ByDay: r.db.dialect.utcDay("c.created_at"),
	}[by]
	if !ok {
		return "", errors.New("calls are not grouped by " + string(by))
	}
	return r.db.dialect.bytewise(column), nil
}

// groupNames are the columns of the values of a group.
var groupNames = []string{"g0", "g1", "g2", "g3", "g4", "g5", "g6"}

// The sums of a group are added up in two halves of 32 bits, because a sum that overflows is an error to both databases.
var halved = []string{"c.input_tokens", "c.output_tokens", "c.cached_tokens", "coalesce(c.cost_nanos, 0)"}

// Summary implements outbound.Usage.
func (r Usage) Summary(ctx context.Context, tenantID string, q outbound.UsageQuery) ([]outbound.UsageGroup, error) {
	if q.Limit <= 0 {
		return nil, nil
	}
	if n := len(q.By); n == 0 || n > len(groupNames) || q.After != nil && len(q.After) != n {
		return nil, errors.New("sum up usage: as many values as dimensions, 1 to 7")
	}
	var out []outbound.UsageGroup
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		query, err := r.summary(db, tenantID, q)
		if err != nil {
			return err
		}
		rows, err := query.Rows(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // its error is that of Err
		out, err = groups(rows, len(q.By))
		return err
	})
	return out, err
}

func (r Usage) summary(db bun.IDB, tenantID string, q outbound.UsageQuery) (*bun.SelectQuery, error) {
	inner := db.NewSelect().TableExpr("ai_calls AS c")
	r.filter(inner, tenantID, q.UsageFilter)
	for i, by := range q.By {
		expr, err := r.dimension(by)
		if err != nil {
			return nil, err
		}
		inner.ColumnExpr("? AS ?", bun.Safe(expr), bun.Ident(groupNames[i])).GroupExpr("?", bun.Safe(expr))
		if by == outbound.ByTag { // each of the tags once, however often the call has it
			inner.Join("LEFT JOIN ? ON NOT EXISTS (SELECT 1 FROM ? WHERE e.key < t.key AND e.value = t.value)",
				bun.Safe(r.db.dialect.each("c.tags", "t")), bun.Safe(r.db.dialect.each("c.tags", "e")))
		}
	}
	inner.ColumnExpr("count(*) AS calls")
	for _, column := range halved {
		inner.ColumnExpr("CAST(sum(? >> 32) AS bigint), CAST(sum(? & 4294967295) AS bigint)", bun.Safe(column), bun.Safe(column))
	}
	inner.ColumnExpr("sum(CASE WHEN c.cost_nanos IS NULL AND (c.input_tokens > 0 OR c.output_tokens > 0) THEN 1 ELSE 0 END)")
	names := strings.Join(groupNames[:len(q.By)], ", ")
	outer := db.NewSelect().TableExpr("(?) AS g", inner).ColumnExpr("*").OrderExpr(names).Limit(int64(q.Limit))
	if q.After != nil {
		after := make([]key, len(q.After))
		for i, v := range q.After {
			after[i] = key(v)
		}
		outer.Where("(?) > (?)", bun.Safe(names), bun.List(after))
	}
	return outer, nil
}

// groups reads rows of n values and their sums.
func groups(rows *sql.Rows, n int) ([]outbound.UsageGroup, error) {
	var out []outbound.UsageGroup
	for rows.Next() {
		g := outbound.UsageGroup{Values: make([]string, n)}
		var halves [8]int64
		into := make([]any, 0, n+2+len(halves))
		for i := range g.Values {
			into = append(into, &g.Values[i])
		}
		into = append(into, &g.Calls)
		for i := range halves {
			into = append(into, &halves[i])
		}
		if err := rows.Scan(append(into, &g.Unpriced)...); err != nil {
			return nil, err
		}
		g.InputTokens, g.OutputTokens = whole(halves[0], halves[1]), whole(halves[2], halves[3])
		g.CachedTokens, g.CostNanos = whole(halves[4], halves[5]), whole(halves[6], halves[7])
		out = append(out, g)
	}
	return out, rows.Err()
}

// whole puts a number together from its upper half and its lower, which may be more than 32 bits, up to the greatest there is.
func whole(upper, lower int64) int64 {
	upper += lower >> 32
	switch {
	case upper > math.MaxInt32:
		return math.MaxInt64
	case upper < math.MinInt32:
		return math.MinInt64
	default:
		return upper<<32 | lower&math.MaxUint32
	}
}
