// Package policies is what a tenant's administrators do to its routing policy: terms, flags and aliases.
package policies

import (
	"context"
	"fmt"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Watcher is told that a tenant's policy has changed, so that the change acts at once on this node.
type Watcher interface {
	// Invalidate forgets what was read of the tenant's policy.
	Invalidate(tenantID string)
}

// Deps are what Service needs.
type Deps struct {
	Policies outbound.Policies
	Tx       outbound.Tx
	Watcher  Watcher
	Clock    outbound.Clock
}

// Service implements inbound.Policies.
type Service struct{ Deps }

var _ inbound.Policies = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Policy implements inbound.Policies.
func (s *Service) Policy(ctx context.Context, caller inbound.Caller) (*routing.Policy, error) {
	if err := audit.Administers(ctx, s.Tx, s.Clock, caller, "policy.read"); err != nil {
		return nil, err
	}
	p, err := s.Policies.Find(ctx, string(caller.TenantID))
	if err != nil {
		return nil, fmt.Errorf("find policy: %w", err)
	}
	return p, nil
}

// Revise implements inbound.Policies.
func (s *Service) Revise(ctx context.Context, caller inbound.Caller, version int64, t routing.Terms) (*routing.Policy, error) {
	return s.change(ctx, caller, "policy.revise", func(p *routing.Policy) error {
		if version == 0 {
			return p.Revise(p.Version(), t)
		}
		return p.Revise(version, t)
	})
}

// SetFlag implements inbound.Policies.
func (s *Service) SetFlag(ctx context.Context, caller inbound.Caller, name string, enabled bool) (routing.Flag, error) {
	p, err := s.change(ctx, caller, "flag.set", func(p *routing.Policy) error {
		return p.SetFlag(routing.Flag{Name: name, Enabled: enabled, At: s.Clock(), By: string(caller.UserID)})
	})
	if err != nil {
		return routing.Flag{}, err
	}
	return p.Flag(name)
}

// ClearFlag implements inbound.Policies.
func (s *Service) ClearFlag(ctx context.Context, caller inbound.Caller, name string) error {
	_, err := s.change(ctx, caller, "flag.clear", func(p *routing.Policy) error { return p.ClearFlag(name) })
	return err
}

// SetAlias implements inbound.Policies.
func (s *Service) SetAlias(ctx context.Context, caller inbound.Caller, a routing.Alias) (routing.Alias, error) {
	_, err := s.change(ctx, caller, "alias.set", func(p *routing.Policy) error { return p.SetAlias(a) })
	return a, err
}

// RemoveAlias implements inbound.Policies.
func (s *Service) RemoveAlias(ctx context.Context, caller inbound.Caller, name string) error {
	_, err := s.change(ctx, caller, "alias.remove", func(p *routing.Policy) error { return p.RemoveAlias(name) })
	return err
}

// change changes the tenant's policy and gives it as it is then. Whoever may not do it leaves a line in the audit log.
func (s *Service) change(ctx context.Context, caller inbound.Caller, action string, change func(*routing.Policy) error) (*routing.Policy, error) {
	if err := audit.Administers(ctx, s.Tx, s.Clock, caller, action); err != nil {
		return nil, err
	}
	var changed *routing.Policy
	err := s.Policies.Update(audit.By(ctx, caller), string(caller.TenantID), func(p *routing.Policy) error {
		changed = p
		return change(p)
	})
	s.Watcher.Invalidate(string(caller.TenantID)) // also when it failed: what is not known to have failed may have been kept
	if err != nil {
		return nil, fmt.Errorf("change policy: %w", err)
	}
	return changed, nil
}
