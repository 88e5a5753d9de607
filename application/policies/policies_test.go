package policies_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/application/policies"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

// watcher notes whose policy is to be read anew.
type watcher struct{ told []string }

func (w *watcher) Invalidate(tenantID string) { w.told = append(w.told, tenantID) }

// house is a tenant with the service over a real database.
type house struct {
	*identity.World
	*policies.Service
	watcher *watcher
	owner   inbound.Caller
}

func newHouse(t *testing.T) house {
	t.Helper()
	w := identity.New(t)
	h := house{World: w, watcher: &watcher{}, owner: w.Owner(t, "owner@example.com")}
	store := database.NewPolicies(w.DB, routing.Defaults{Order: []string{"openai", "claude"}})
	h.Service = policies.New(policies.Deps{Policies: store, Tx: w.DB, Watcher: h.watcher, Clock: w.Clock.Now})
	return h
}

// fails fails the test unless an error is the one wanted, nil for none.
func fails(t *testing.T, name string, got, want error) {
	t.Helper()
	if (want == nil) != (got == nil) || !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

func TestAChangeIsKeptAndMadeKnown(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	before, err := h.Policy(ctx, h.owner)
	if err != nil {
		t.Fatal(err)
	}
	terms := before.Terms()
	terms.MaxAttempts = 7
	revised, err := h.Revise(ctx, h.owner, before.Version(), terms)
	fails(t, "revise", err, nil)
	flag, err := h.SetFlag(ctx, h.owner, routing.ForceFlag("claude"), true)
	fails(t, "set flag", err, nil)
	if want := (routing.Flag{Name: routing.ForceFlag("claude"), Enabled: true, At: h.Clock.Now(), By: string(h.owner.UserID)}); !cmp.Equal(flag, want) {
		t.Errorf("the flag: got %+v, want %+v", flag, want)
	}
	alias := routing.Alias{Name: "fast", Mode: routing.Ordered, Targets: []routing.AliasTarget{{Target: routing.Target{Provider: "openai", Model: "m"}}}}
	_, err = h.SetAlias(ctx, h.owner, alias)
	fails(t, "set alias", err, nil)

	after, err := h.Policy(ctx, h.owner)
	if err != nil {
		t.Fatal(err)
	}
	if revised.Version() != before.Version()+1 || after.Version() != before.Version()+3 || after.MaxAttempts() != 7 || after.Forced() != "claude" {
		t.Errorf("revised to version %d, then version %d with %d attempts and %q forced", revised.Version(), after.Version(), after.MaxAttempts(), after.Forced())
	}
	if got, ok := after.Alias("fast"); !ok || !cmp.Equal(got, alias) {
		t.Errorf("the alias: got %+v, want %+v", got, alias)
	}
	_, err = h.Revise(ctx, h.owner, 0, terms)
	fails(t, "revise whatever version", err, nil)
	fails(t, "clear flag", h.ClearFlag(ctx, h.owner, flag.Name), nil)
	fails(t, "remove alias", h.RemoveAlias(ctx, h.owner, "fast"), nil)
	if n := h.Audited(t, "routing_policy_changed"); n != 6 {
		t.Errorf("%d lines in the audit log, want one of each of the 6 changes", n)
	}
	if want := slices.Repeat([]string{string(h.owner.TenantID)}, 6); !cmp.Equal(h.watcher.told, want) {
		t.Errorf("made known: got %v, want the tenant with each change", h.watcher.told)
	}
}

func TestARefusedChangeIsNotKept(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	_, err := h.SetFlag(ctx, h.owner, routing.ForceFlag("openai"), true)
	fails(t, "force", err, nil)
	before, _ := h.Policy(ctx, h.owner)

	_, err = h.SetFlag(ctx, h.owner, routing.ForceFlag("claude"), true)
	fails(t, "a second force", err, routing.ErrForceConflict)
	_, err = h.SetFlag(ctx, h.owner, "no.flag", true)
	fails(t, "a flag of nobody's", err, routing.ErrNoFlag)
	fails(t, "a flag of nobody's, cleared", h.ClearFlag(ctx, h.owner, "no.flag"), routing.ErrNoFlag)
	_, err = h.Revise(ctx, h.owner, before.Version()-1, before.Terms())
	fails(t, "an earlier version", err, routing.ErrStale)
	_, err = h.Revise(ctx, h.owner, before.Version(), routing.Terms{})
	fails(t, "terms of nothing", err, fault.ErrValidation)
	_, err = h.SetAlias(ctx, h.owner, routing.Alias{Name: "auto"})
	fails(t, "an alias by the router's name", err, fault.ErrValidation)
	fails(t, "an alias of nobody's", h.RemoveAlias(ctx, h.owner, "fast"), routing.ErrNoAlias)

	after, _ := h.Policy(ctx, h.owner)
	if diff := cmp.Diff(before.Snapshot(), after.Snapshot()); diff != "" {
		t.Errorf("the policy: -before +after:\n%s", diff)
	}
}

func TestOnlyAdministratorsOfTheTenantReachItsPolicy(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	other := h.Owner(t, "other@example.com")
	_, err := h.SetFlag(ctx, h.owner, routing.DisableFlag("openai"), true)
	fails(t, "disable", err, nil)
	if p, err := h.Policy(ctx, other); err != nil || p.Disabled("openai") {
		t.Errorf("another tenant: openai disabled %v, %v; want its own policy", p.Disabled("openai"), err)
	}
	member, key := h.owner, h.owner
	member.Role = tenant.Plain
	key.SessionID, key.KeyID, key.Scopes = "", "k", []tenant.Scope{tenant.ScopeAI}
	for name, c := range map[string]inbound.Caller{"a member": member, "a key without the scope": key} {
		refused := map[string]func(context.Context) error{
			"read":   func(ctx context.Context) error { _, err := h.Policy(ctx, c); return err },
			"revise": func(ctx context.Context) error { _, err := h.Revise(ctx, c, 0, routing.Terms{}); return err },
			"flag": func(ctx context.Context) error {
				_, err := h.SetFlag(ctx, c, routing.DisableFlag("openai"), false)
				return err
			},
			"clear":  func(ctx context.Context) error { return h.ClearFlag(ctx, c, routing.DisableFlag("openai")) },
			"alias":  func(ctx context.Context) error { _, err := h.SetAlias(ctx, c, routing.Alias{}); return err },
			"remove": func(ctx context.Context) error { return h.RemoveAlias(ctx, c, "fast") },
		}
		for what, do := range refused {
			if err := do(ctx); err == nil || fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s, %s: got %v, want it forbidden", name, what, err)
			}
		}
	}
	if n := h.Audited(t, "authz_fail"); n != 12 {
		t.Errorf("%d refusals in the audit log, want 12", n)
	}
}

func TestAStoreThatFailsIsSaid(t *testing.T) {
	h := newHouse(t)
	down := errors.New("down")
	h.Policies = broken{down}
	_, err := h.Policy(t.Context(), h.owner)
	fails(t, "read", err, down)
	_, err = h.SetFlag(t.Context(), h.owner, routing.DisableFlag("openai"), true)
	fails(t, "flag", err, down)
	if len(h.watcher.told) != 1 {
		t.Errorf("made known %d times, want once: what failed may have been kept", len(h.watcher.told))
	}
}

// broken is a store that fails.
type broken struct{ err error }

func (b broken) Find(context.Context, string) (*routing.Policy, error) { return nil, b.err }

func (b broken) Update(context.Context, string, func(*routing.Policy) error) error { return b.err }

var _ outbound.Policies = broken{}
