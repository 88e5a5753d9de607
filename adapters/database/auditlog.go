package database

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/ports/outbound"
)

func (r *auditRow) entry() outbound.AuditEntry {
	return outbound.AuditEntry{
		ID: r.ID, At: r.At.Time, Event: r.Event, ActorID: r.ActorID, KeyID: r.KeyID, SubjectID: r.SubjectID, TenantID: r.TenantID, SessionID: r.SessionID,
		Reason: r.Reason, RequestID: r.RequestID, TraceID: r.TraceID, IP: r.IP, Agent: r.Agent, Detail: r.Detail.Of,
	}
}

// auditLog implements outbound.AuditLog.
type auditLog struct{ store }

var _ outbound.AuditLog = auditLog{}

// Append implements outbound.AuditLog.
func (r auditLog) Append(ctx context.Context, events ...event.Event) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error { return r.record(ctx, sc, events) })
}

// List implements outbound.AuditLog. Ids grow with time, so that their order is that of the lines, and one id says where a page ended.
func (r auditLog) List(ctx context.Context, tenantID string, f outbound.AuditFilter, before string, limit int) ([]outbound.AuditEntry, error) {
	if tenantID == "" || limit <= 0 {
		return nil, nil
	}
	var rows []auditRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		q := db.NewSelect().Model(&rows).Where("tenant_id = ?", key(tenantID)).Order("id DESC").Limit(int64(limit))
		for column, text := range map[string]string{"event": f.Event, "actor_id": f.Actor, "subject_id": f.Subject} {
			if text != "" {
				q.Where("? = ?", bun.Ident(column), key(text))
			}
		}
		if before != "" {
			q.Where("id < ?", key(before))
		}
		if !f.From.IsZero() {
			q.Where("at >= ?", at(f.From))
		}
		if !f.To.IsZero() {
			q.Where("at < ?", at(f.To))
		}
		return q.Scan(ctx)
	})
	if err != nil {
		return nil, err
	}
	out := make([]outbound.AuditEntry, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].entry())
	}
	return out, nil
}

// Sweep implements outbound.AuditLog. The database refuses every other DELETE.
func (r auditLog) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.batches(ctx, func(ctx context.Context, sc *scope) (sql.Result, error) {
		if err := r.db.dialect.allowSweep(ctx, sc.tx, before); err != nil {
			return nil, err
		}
		res, err := r.sweepSome(ctx, sc, (*auditRow)(nil), "at < ?", at(before))
		if err != nil {
			return nil, err
		}
		return res, r.db.dialect.forbidSweep(ctx, sc.tx)
	})
}
