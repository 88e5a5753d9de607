// Package usage tells tenants what they used: sums, and the rows that they are made of.
package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Days is how many days a summary looks back when it is not said, today included.
const Days = 30

// Deps are what Service needs.
type Deps struct {
	Usage outbound.Usage
	Clock outbound.Clock
}

// Service implements inbound.Usage.
type Service struct{ Deps }

var _ inbound.Usage = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Summary implements inbound.Usage.
func (s *Service) Summary(ctx context.Context, caller inbound.Caller, q inbound.UsageQuery) ([]inbound.UsageGroup, error) {
	filter, some := seen(caller, q.UsageFilter)
	if !some {
		return nil, nil
	}
	filter.From = s.since(q.UsageFilter)
	by := make([]outbound.UsageDimension, len(q.By))
	for i, d := range q.By {
		by[i] = outbound.UsageDimension(d)
	}
	kept, err := s.Usage.Summary(ctx, string(caller.TenantID), outbound.UsageQuery{UsageFilter: filter, By: by, After: q.After, Limit: q.Limit})
	if err != nil {
		return nil, fmt.Errorf("sum up usage: %w", err)
	}
	groups := make([]inbound.UsageGroup, len(kept))
	for i, g := range kept {
		groups[i] = inbound.UsageGroup(g)
	}
	return groups, nil
}

// since is when a summary begins.
func (s *Service) since(f inbound.UsageFilter) time.Time {
	switch {
	case !f.From.IsZero():
		return f.From
	case !f.To.IsZero():
		return f.To.AddDate(0, 0, -Days)
	default:
		y, m, d := s.Clock().UTC().Date()
		return time.Date(y, m, d-Days+1, 0, 0, 0, 0, time.UTC)
	}
}

// Calls implements inbound.Usage.
func (s *Service) Calls(ctx context.Context, caller inbound.Caller, q inbound.CallQuery) ([]inbound.CallRecord, error) {
	filter, some := seen(caller, q.UsageFilter)
	if !some {
		return nil, nil
	}
	kept, err := s.Usage.Calls(ctx, string(caller.TenantID), outbound.CallFilter{UsageFilter: filter, Before: q.Before, Limit: q.Limit})
	if err != nil {
		return nil, fmt.Errorf("list calls: %w", err)
	}
	records := make([]inbound.CallRecord, len(kept))
	for i := range kept {
		records[i] = record(&kept[i])
	}
	return records, nil
}

// seen narrows a filter to what the caller may see, false when that is nothing. A filter never widens it.
func seen(caller inbound.Caller, f inbound.UsageFilter) (outbound.UsageFilter, bool) {
	out := outbound.UsageFilter{
		From: f.From, To: f.To, Outcome: f.Outcome, Provider: f.Provider, Model: f.Model, TaskType: f.TaskType, UserID: f.Member, KeyID: f.Key, Tag: f.Tag,
		EndUser: f.EndUser,
	}
	own, is := &out.UserID, string(caller.UserID)
	switch {
	case caller.Role.Administers() && caller.May(tenant.ScopeAdmin):
		return out, true
	case caller.KeyID != "":
		own, is = &out.KeyID, string(caller.KeyID)
	}
	if *own != "" && *own != is || is == "" {
		return out, false
	}
	*own = is
	return out, true
}

func record(c *outbound.Call) inbound.CallRecord {
	r := inbound.CallRecord{
		ID: c.ID, CreatedAt: c.CreatedAt, Member: c.UserID, Key: c.KeyID, Surface: c.Surface, TaskType: c.TaskType, RequestedModel: c.RequestedModel,
		Provider: c.Provider, Model: c.Model, ServedModel: c.ServedModel, Outcome: c.Outcome, Region: c.Region, Cache: c.Cache, Stream: c.Stream,
		DecisionID: c.DecisionID, TraceID: c.TraceID, Tags: c.Tags, EndUser: c.EndUser, Latency: ms(c.LatencyMs), FirstByte: ms(c.FirstByteMs),
		Used: inbound.Used{
			InputTokens: c.InputTokens, OutputTokens: c.OutputTokens, CachedTokens: c.CachedTokens, CacheWrite: c.CacheWrite, Reasoning: c.Reasoning,
			UsageSource: c.UsageSource, CostNanos: c.CostNanos,
		},
		Attempts: make([]inbound.AttemptRecord, len(c.Attempts)),
	}
	for i := range c.Attempts {
		a := &c.Attempts[i]
		r.Attempts[i] = inbound.AttemptRecord{
			StartedAt: a.StartedAt, Provider: a.Provider, Model: a.Model, ServedModel: a.ServedModel, Outcome: a.Outcome, Latency: ms(a.LatencyMs),
			FirstByte: ms(a.FirstByteMs), Used: inbound.Used{
				InputTokens: a.InputTokens, OutputTokens: a.OutputTokens, CachedTokens: a.CachedTokens, CacheWrite: a.CacheWrite, Reasoning: a.Reasoning,
				UsageSource: a.UsageSource, CostNanos: a.CostNanos,
			},
		}
	}
	return r
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
