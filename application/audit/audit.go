// Package audit says who acts (By, From), refuses roles with a line in the audit log (Refuse), and shows a tenant's administrators what happened (Service).
package audit

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// The refusals.
var (
	// ErrRole is a caller whose role does not go that far.
	ErrRole = fault.New(fault.Forbidden, "role_insufficient", "your role in this tenant does not allow it")
	// ErrSessionOnly is an API key that asks for what only a person may do.
	ErrSessionOnly = fault.New(fault.Forbidden, "session_required", "sign in for this; an API key does not reach it")
)

// Pages of the log.
const (
	DefaultPage = 50
	MaxPage     = 1000

	maxAgentBytes = 256
)

// By has the rest of a request say who acts, and from where.
func By(ctx context.Context, c inbound.Caller) context.Context {
	a := actor(inbound.OriginOf(ctx))
	a.UserID, a.TenantID, a.SessionID, a.KeyID = string(c.UserID), string(c.TenantID), string(c.SessionID), string(c.KeyID)
	return outbound.WithActor(ctx, a)
}

// From has the rest of a request say where it came from, when nobody is known to act.
func From(ctx context.Context, o inbound.Origin) context.Context {
	return outbound.WithActor(ctx, actor(o))
}

func actor(o inbound.Origin) outbound.Actor {
	return outbound.Actor{IP: o.IP, Agent: Agent(o.UserAgent), RequestID: o.RequestID, TraceID: o.TraceID}
}

// Agent is what a client says of itself, shortened to what is worth keeping.
func Agent(s string) string {
	if len(s) > maxAgentBytes {
		s = s[:maxAgentBytes]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// Refuse gives ErrRole, with a line in the log that says who wanted to do what.
func Refuse(ctx context.Context, tx outbound.Tx, clock outbound.Clock, c inbound.Caller, action string) error {
	err := tx.View().Audit.Append(By(ctx, c), event.Noted{
		Name: "authz_fail", Subject: string(c.UserID), Reason: ErrRole.Code, Detail: map[string]string{"action": action, "role": string(c.Role)}, At: clock(),
	})
	if err != nil {
		return fmt.Errorf("note refusal: %w", err)
	}
	return ErrRole
}

// Administers lets administrators pass, and refuses everyone else. A key needs the scope besides.
func Administers(ctx context.Context, tx outbound.Tx, clock outbound.Clock, c inbound.Caller, action string) error {
	if c.Role.Administers() && c.May(tenant.ScopeAdmin) {
		return nil
	}
	return Refuse(ctx, tx, clock, c, action)
}

// Deps are what Service needs.
type Deps struct {
	Tx    outbound.Tx
	Clock outbound.Clock
}

// Service implements inbound.Audit.
type Service struct{ Deps }

var _ inbound.Audit = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// List implements inbound.Audit.
func (s *Service) List(ctx context.Context, caller inbound.Caller, q inbound.AuditQuery) ([]inbound.AuditLine, error) {
	if err := Administers(ctx, s.Tx, s.Clock, caller, "audit.list"); err != nil {
		return nil, err
	}
	limit := DefaultPage
	if q.Limit > 0 {
		limit = min(q.Limit, MaxPage)
	}
	filter := outbound.AuditFilter{Event: q.Event, Actor: q.Actor, Subject: q.Subject, From: q.From, To: q.To}
	kept, err := s.Tx.View().Audit.List(ctx, string(caller.TenantID), filter, q.Before, limit)
	if err != nil {
		return nil, fmt.Errorf("list audit log: %w", err)
	}
	lines := make([]inbound.AuditLine, len(kept))
	for i, e := range kept {
		lines[i] = inbound.AuditLine{
			ID: e.ID, At: e.At, Event: e.Event, ActorID: e.ActorID, KeyID: e.KeyID, SubjectID: e.SubjectID, SessionID: e.SessionID, Reason: e.Reason,
			RequestID: e.RequestID, TraceID: e.TraceID, IP: e.IP, UserAgent: e.Agent, Detail: e.Detail,
		}
	}
	return lines, nil
}

// Refused implements inbound.Audit.
func (s *Service) Refused(ctx context.Context, caller inbound.Caller, action string) error {
	return Refuse(ctx, s.Tx, s.Clock, caller, action)
}
