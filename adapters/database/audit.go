package database

import (
	"context"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// auditRow is what happened, by whom, to whom, from where. It holds no secret: events carry none.
type auditRow struct {
	bun.BaseModel `bun:"table:audit_log"`

	ID        string                  `bun:"id,pk,type:text"`
	At        instant                 `bun:"at,type:timestamptz,notnull"`
	Event     string                  `bun:"event,type:text,notnull"`
	ActorID   string                  `bun:"actor_id,type:text,notnull"`
	KeyID     string                  `bun:"key_id,type:text,notnull"`
	SubjectID string                  `bun:"subject_id,type:text,notnull"`
	TenantID  string                  `bun:"tenant_id,type:text,notnull"`
	SessionID string                  `bun:"session_id,type:text,notnull"`
	Reason    string                  `bun:"reason,type:text,notnull"`
	RequestID string                  `bun:"request_id,type:text,notnull"`
	TraceID   string                  `bun:"trace_id,type:text,notnull"`
	IP        string                  `bun:"ip,type:text,notnull"`
	Agent     string                  `bun:"user_agent,type:text,notnull"`
	Detail    list[map[string]string] `bun:"detail,type:jsonb,notnull"`
}

// audit keeps the events of an aggregate, in the transaction that changed it.
func (s store) audit(ctx context.Context, sc *scope, aggregate interface{ Events() []event.Event }) error {
	return s.record(ctx, sc, sc.take(aggregate))
}

// record keeps events, with the Actor of the context.
func (s store) record(ctx context.Context, sc *scope, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	rows := make([]auditRow, 0, len(events))
	for _, e := range events {
		rows = append(rows, s.auditRowOf(outbound.ActorOf(ctx), e))
	}
	_, err := sc.tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// auditRowOf says what happened. What the event leaves open, the actor says: where, and with which session. Text from outside is mended, so that a
// strange header never keeps a change from being recorded.
func (s store) auditRowOf(a outbound.Actor, e event.Event) auditRow {
	f := factsOf(e)
	if f.at.IsZero() {
		f.at = s.db.clock()
	}
	if f.tenant == "" {
		f.tenant = a.TenantID
	}
	if f.session == "" {
		f.session = a.SessionID
	}
	detail := make(map[string]string, len(f.detail))
	for k, v := range f.detail {
		detail[mended(k)] = mended(v)
	}
	return auditRow{
		ID: s.db.newID(), At: at(f.at), Event: mended(e.EventName()), ActorID: mended(a.UserID), KeyID: mended(a.KeyID), SubjectID: mended(f.subject),
		TenantID: mended(f.tenant), SessionID: mended(f.session), Reason: mended(f.reason), RequestID: mended(a.RequestID), TraceID: mended(a.TraceID),
		IP: mended(a.IP), Agent: mended(a.Agent), Detail: listOf(detail),
	}
}

// facts is what an event says: whom it is about, where, when, why.
type facts struct {
	subject, tenant, session, reason string
	at                               time.Time
	detail                           map[string]string
}

// factsOf reads an event. One that is not known here is kept by its name alone.
func factsOf(e event.Event) facts {
	switch e := e.(type) {
	case event.Noted:
		return facts{subject: e.Subject, tenant: e.Tenant, session: e.Session, reason: e.Reason, at: e.At, detail: e.Detail}
	case user.Verified:
		return facts{subject: string(e.ID), at: e.At}
	case user.StatusChanged:
		return facts{subject: string(e.ID), at: e.At}
	case user.PasswordChanged:
		return facts{subject: string(e.ID), at: e.At}
	case session.Started:
		return facts{subject: string(e.User), session: string(e.ID), at: e.At}
	case session.GraceUsed:
		return facts{subject: string(e.User), session: string(e.ID), at: e.At}
	case session.TokenReused:
		return facts{subject: string(e.User), session: string(e.ID), reason: string(session.ByReuse), at: e.At}
	case session.Ended:
		return facts{subject: string(e.User), session: string(e.ID), reason: string(e.Reason), at: e.At}
	case tenant.Founded:
		return facts{subject: string(e.Owner), tenant: string(e.ID), at: e.At}
	case tenant.MemberJoined:
		return facts{subject: string(e.User), tenant: string(e.Tenant), at: e.At, detail: map[string]string{"role": string(e.Role)}}
	case tenant.RoleChanged:
		return facts{subject: string(e.User), tenant: string(e.Tenant), at: e.At, detail: map[string]string{"role": string(e.Role)}}
	case tenant.MemberLeft:
		return facts{subject: string(e.User), tenant: string(e.Tenant), at: e.At}
	default:
		return keyAndPolicyFacts(e)
	}
}

func keyAndPolicyFacts(e event.Event) facts {
	switch e := e.(type) {
	case tenant.KeyCreated:
		return facts{subject: string(e.Key), tenant: string(e.Tenant), at: e.At, detail: map[string]string{"creator": string(e.By)}}
	case tenant.KeyRotated:
		return facts{subject: string(e.Key), tenant: string(e.Tenant), at: e.At, detail: map[string]string{"successor": string(e.By)}}
	case tenant.KeyRevoked:
		return facts{subject: string(e.Key), tenant: string(e.Tenant), at: e.At}
	case routing.PolicyChanged:
		return facts{tenant: e.Tenant, detail: map[string]string{"version": strconv.FormatInt(e.Version, 10), "what": e.What}}
	default:
		return facts{}
	}
}
