package decisions

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

var _ inbound.Decisions = (*Service)(nil)

// ErrFactsGone is a decision that was kept longer than what it was made from.
var ErrFactsGone = fault.New(fault.NotFound, "facts_gone", "what this decision was made from is kept no longer, so it cannot be made again")

// Recent is what this node knows before the store does. A decision stays in it until the store has it.
type Recent interface {
	// Recent gives a tenant's decision.
	Recent(tenantID, id string) (outbound.Decision, bool)
	// RecentOf lists a tenant's decisions, in no order.
	RecentOf(tenantID string) []outbound.Decision
	// RecentSheet gives a sheet.
	RecentSheet(id string) (outbound.Sheet, bool)
}

// Deps are what Service needs.
type Deps struct {
	Decisions outbound.Decisions
	Recent    Recent
}

// Service implements inbound.Decisions.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Find implements inbound.Decisions.
func (s *Service) Find(ctx context.Context, caller inbound.Caller, id string) (inbound.DecisionRecord, error) {
	d, err := s.find(ctx, caller, id)
	if err != nil {
		return inbound.DecisionRecord{}, err
	}
	return DecodeShown(d.Shown)
}

func (s *Service) find(ctx context.Context, caller inbound.Caller, id string) (outbound.Decision, error) {
	tenantID := string(caller.TenantID)
	if d, ok := s.Recent.Recent(tenantID, id); ok {
		return d, nil
	}
	d, err := s.Decisions.Find(ctx, tenantID, id)
	if err != nil {
		return d, fmt.Errorf("find decision: %w", err)
	}
	return d, nil
}

// List implements inbound.Decisions. What is recent is read first: a decision that the store takes over meanwhile is in both and not in neither.
func (s *Service) List(ctx context.Context, caller inbound.Caller, q inbound.DecisionQuery) ([]inbound.DecisionRecord, error) {
	tenantID := string(caller.TenantID)
	var found []outbound.Decision
	for _, d := range s.Recent.RecentOf(tenantID) {
		if asks(&q, &d) {
			found = append(found, d)
		}
	}
	kept, err := s.Decisions.List(ctx, tenantID, outbound.DecisionFilter{
		Before: q.Before, Limit: q.Limit, TaskType: q.TaskType, Provider: q.Provider, Model: q.Model, Outcome: q.Outcome, From: q.From, To: q.To,
	})
	if err != nil {
		return nil, fmt.Errorf("list decisions: %w", err)
	}
	found = append(found, kept...)
	slices.SortStableFunc(found, func(a, b outbound.Decision) int { return cmp.Compare(b.ID, a.ID) })
	found = slices.CompactFunc(found, func(a, b outbound.Decision) bool { return a.ID == b.ID })
	found = found[:min(len(found), max(0, q.Limit))]
	records := make([]inbound.DecisionRecord, 0, len(found))
	for _, d := range found {
		r, err := DecodeShown(d.Shown)
		if err != nil {
			return nil, fmt.Errorf("list decisions: %s: %w", d.ID, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// asks reports whether a query asks for a decision.
func asks(q *inbound.DecisionQuery, d *outbound.Decision) bool {
	for _, f := range [...]struct{ want, have string }{
		{q.TaskType, d.TaskType}, {q.Provider, d.Provider}, {q.Model, d.Model}, {q.Outcome, d.Outcome},
	} {
		if f.want != "" && f.want != f.have {
			return false
		}
	}
	at := d.CreatedAt.Truncate(time.Microsecond) // as the store has it
	return (q.Before == "" || d.ID < q.Before) && (q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || at.Before(q.To))
}

// Replay implements inbound.Decisions.
func (s *Service) Replay(ctx context.Context, caller inbound.Caller, id string) (inbound.Replay, error) {
	kept, err := s.find(ctx, caller, id)
	if err != nil {
		return inbound.Replay{}, err
	}
	then, err := DecodeShown(kept.Shown)
	if err != nil {
		return inbound.Replay{}, err
	}
	policy, facts, err := s.sheets(ctx, &kept)
	if err != nil {
		return inbound.Replay{}, err
	}
	request, readings, err := DecodeInputs(kept.Inputs)
	if err != nil {
		return inbound.Replay{}, unreadable(err)
	}
	now := routing.Decide(policy, request, facts.As(then.Decision.At, readings))
	now.ID = then.Decision.ID
	return inbound.Replay{Same: same(then, now), Decision: now}, nil
}

// sheets gives what a decision refers to. One from before sheets were kept refers to nothing, which is not there.
func (s *Service) sheets(ctx context.Context, d *outbound.Decision) (*routing.Policy, routing.Facts, error) {
	body, err := s.sheet(ctx, d.PolicyID)
	if err != nil {
		return nil, routing.Facts{}, err
	}
	policy, err := DecodePolicy(body)
	if err != nil {
		return nil, routing.Facts{}, unreadable(err)
	}
	if body, err = s.sheet(ctx, d.SnapshotID); err != nil {
		return nil, routing.Facts{}, err
	}
	facts, err := DecodeFacts(body)
	if err != nil {
		return nil, routing.Facts{}, unreadable(err)
	}
	return policy, facts, nil
}

// unreadable is what another version kept.
func unreadable(err error) error {
	return ErrFactsGone.Saying("what this decision was made from was kept by a version of Forge 1 that this one cannot read").With(err)
}

func (s *Service) sheet(ctx context.Context, id string) ([]byte, error) {
	if sheet, ok := s.Recent.RecentSheet(id); ok {
		return sheet.Body, nil
	}
	sheet, err := s.Decisions.Sheet(ctx, id)
	if errors.Is(err, fault.ErrNotFound) {
		return nil, ErrFactsGone.With(err)
	}
	if err != nil {
		return nil, fmt.Errorf("find sheet: %w", err)
	}
	return sheet.Body, nil
}

// same compares a decision with a record, in all that is kept of it.
func same(then inbound.DecisionRecord, now routing.Decision) bool {
	was := then.Decision
	if then.Alias != "" {
		was.Request.Alias = &routing.Alias{Name: then.Alias}
	}
	return bytes.Equal(AppendShown(nil, was, nil, ""), AppendShown(nil, now, nil, ""))
}
