package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/ports/outbound"
)

// Calls implements outbound.Calls. Rows are written by statements made by hand: at a thousand calls a second, building a statement of their text
// anew costs twice what SQLite needs to keep them.
type Calls struct {
	store
	mu       sync.Mutex
	prepared map[insertion]*sql.Stmt
}

var _ outbound.Calls = (*Calls)(nil)

// NewCalls keeps calls in a database.
func NewCalls(db *DB) *Calls {
	return &Calls{store: store{db: db}, prepared: map[insertion]*sql.Stmt{}}
}

// bulk is a table that is written in batches.
type bulk struct {
	table    string
	columns  []string
	conflict string // what becomes of a row that is there
}

// insertion is the insert of some rows into a table.
type insertion struct {
	into *bulk
	rows int
}

// Append implements outbound.Calls.
func (r *Calls) Append(ctx context.Context, b outbound.Batch) error {
	rows := rowsOf(b)
	if rows.empty() {
		return nil
	}
	stmts, err := r.statements(ctx, rows)
	if err != nil {
		return fmt.Errorf("append calls: %w", err)
	}
	d := r.db.dialect
	err = r.write(ctx, func(ctx context.Context, sc *scope) error {
		w := bulkWriter{db: r.db, tx: sc.tx, prepared: stmts}
		if err := fill(ctx, &w, &callBulk, rows.calls, func(args []any, c *outbound.Call) []any { return callArgs(args, d, c) }); err != nil {
			return err
		}
		if err := fill(ctx, &w, &attemptBulk, rows.attempts, func(args []any, a *attemptOf) []any { return attemptArgs(args, d, a) }); err != nil {
			return err
		}
		if err := fill(ctx, &w, &decisionBulk, rows.decisions, func(args []any, x **outbound.Decision) []any { return decisionArgs(args, d, *x) }); err != nil {
			return err
		}
		return fill(ctx, &w, &sheetBulk, rows.sheets, func(args []any, s *outbound.Sheet) []any { return sheetArgs(args, d, s) })
	})
	if err != nil {
		return fmt.Errorf("append calls: %w", err)
	}
	return nil
}

// batchRows are the rows of a batch by their tables.
type batchRows struct {
	calls     []outbound.Call
	attempts  []attemptOf
	decisions []*outbound.Decision
	sheets    []outbound.Sheet
}

func rowsOf(b outbound.Batch) batchRows {
	rows := batchRows{calls: b.Calls, sheets: newestSheets(b.Sheets)}
	for i := range b.Calls {
		c := &b.Calls[i]
		for n := range c.Attempts {
			rows.attempts = append(rows.attempts, attemptOf{c, n})
		}
		if c.Decision != nil {
			rows.decisions = append(rows.decisions, c.Decision)
		}
	}
	return rows
}

// newestSheets gives each sheet once: Postgres changes no row twice in one statement. They are in the order of their ids, so that two batches which
// refresh the same ones wait for each other rather than in a circle.
func newestSheets(sheets []outbound.Sheet) []outbound.Sheet {
	sheets = slices.Clone(sheets)
	slices.SortFunc(sheets, func(a, b outbound.Sheet) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), b.CreatedAt.Compare(a.CreatedAt))
	})
	return slices.CompactFunc(sheets, func(a, b outbound.Sheet) bool { return a.ID == b.ID })
}

func (b batchRows) empty() bool { return len(b.calls) == 0 && len(b.sheets) == 0 }

// counts says how many rows go into which table.
func (b batchRows) counts() map[*bulk]int {
	return map[*bulk]int{&callBulk: len(b.calls), &attemptBulk: len(b.attempts), &decisionBulk: len(b.decisions), &sheetBulk: len(b.sheets)}
}

// statements gives the prepared inserts that a batch needs; none where statements are not prepared. They are prepared before the transaction, which
// holds the one connection that writes.
func (r *Calls) statements(ctx context.Context, rows batchRows) (map[insertion]*sql.Stmt, error) {
	if !r.db.dialect.prepares() {
		return nil, nil
	}
	ctx, cancel := r.db.bounded(ctx)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for table, rest := range rows.counts() {
		for rest > 0 {
			in := insertion{table, r.db.dialect.batch(rest)}
			if r.prepared[in] == nil {
				stmt, err := r.db.writes.DB.PrepareContext(ctx, in.text(r.db.dialect.placeholder))
				if err != nil {
					return nil, r.db.classify(ctx, err)
				}
				r.prepared[in] = stmt
			}
			rest -= in.rows
		}
	}
	return maps.Clone(r.prepared), nil
}

// text is the statement.
func (in insertion) text(placeholder func(i int) string) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + in.into.table + " (" + strings.Join(in.into.columns, ", ") + ") VALUES ")
	for row := range in.rows {
		for col := range in.into.columns {
			switch {
			case col > 0:
				b.WriteByte(',')
			case row > 0:
				b.WriteString("),(")
			default:
				b.WriteByte('(')
			}
			b.WriteString(placeholder(row*len(in.into.columns) + col + 1))
		}
	}
	b.WriteString(") " + in.into.conflict)
	return b.String()
}

// bulkWriter runs inserts in a transaction.
type bulkWriter struct {
	db       *DB
	tx       bun.Tx
	prepared map[insertion]*sql.Stmt
}

func (w *bulkWriter) run(ctx context.Context, in insertion, args []any) error {
	if stmt := w.prepared[in]; stmt != nil {
		_, err := w.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	}
	_, err := w.tx.Tx.ExecContext(ctx, in.text(w.db.dialect.placeholder), args...)
	return err
}

// fill inserts rows, as many to a statement as the database likes best.
func fill[T any](ctx context.Context, w *bulkWriter, into *bulk, rows []T, values func(args []any, row *T) []any) error {
	args := make([]any, 0, w.db.dialect.batch(len(rows))*len(into.columns))
	for len(rows) > 0 {
		in := insertion{into, w.db.dialect.batch(len(rows))}
		args = args[:0]
		for i := range rows[:in.rows] {
			args = values(args, &rows[i])
		}
		if err := w.run(ctx, in, args); err != nil {
			return err
		}
		rows = rows[in.rows:]
	}
	return nil
}

// Sweep implements outbound.Calls.
func (r *Calls) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.batches(ctx, func(ctx context.Context, sc *scope) (sql.Result, error) {
		var ids []string
		err := sc.tx.NewSelect().Model((*callRow)(nil)).Column("id").Where("id < ?", idAfter(before)).Where("created_at < ?", at(before)).Limit(sweepBatch).Scan(ctx, &ids)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return driver.RowsAffected(0), nil
		}
		if _, err := sc.tx.NewDelete().Model((*attemptRow)(nil)).Where("call_id IN (?)", bun.List(ids)).Exec(ctx); err != nil {
			return nil, err
		}
		return sc.tx.NewDelete().Model((*callRow)(nil)).Where("id IN (?)", bun.List(ids)).Exec(ctx)
	})
}

// idAfter is greater than the id, a UUIDv7, of every row from before then: those begin with the time in milliseconds. It saves an index of times, which
// would be written with every row, to be read by sweepers alone. What is made at one time may have an id of another by as much as clocks differ.
func idAfter(t time.Time) string {
	ms := fmt.Sprintf("%012x", max(0, t.Add(time.Hour).UnixMilli()))
	return ms[:8] + "-" + ms[8:]
}
