package database_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/domain/routing"
)

// changing makes a change of the tenant's policy.
func changing(t *testing.T, s *database.Policies, change func(p *routing.Policy) error) {
	t.Helper()
	if err := s.Update(t.Context(), "tenant", change); err != nil {
		t.Fatal(err)
	}
}

// found gives the tenant's policy.
func found(t *testing.T, s *database.Policies) *routing.Policy {
	t.Helper()
	p, err := s.Find(t.Context(), "tenant")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestATenantThatChoseNoTermsHasThoseOfTheInstallation changes the defaults once a tenant has set a flag and an alias, and again once it has chosen terms.
func TestATenantThatChoseNoTermsHasThoseOfTheInstallation(t *testing.T) {
	claude := routing.Target{Provider: "claude", Model: "m"}
	first := routing.Defaults{Order: []string{"openai", "claude"}}
	second := routing.Defaults{
		Order: []string{"claude", "openai"}, Weights: routing.Weights{Cost: 7}, MaxAttempts: 9, Deadline: time.Minute,
		Routes: map[routing.TaskType][]routing.Target{routing.Review: {claude}},
	}
	for name, stores := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := database.NewPolicies(stores.migrated(t)(t), first)
			changing(t, s, func(p *routing.Policy) error {
				return p.SetFlag(routing.Flag{Name: routing.DisableFlag("openai"), Enabled: true})
			})
			changing(t, s, func(p *routing.Policy) error {
				return p.SetAlias(routing.Alias{Name: "fast", Mode: routing.Ordered, Targets: []routing.AliasTarget{{Target: claude}}})
			})
			s.Adopt(second)
			p := found(t, s)
			if diff := cmp.Diff(routing.NewPolicy("tenant", second).Terms(), p.Terms()); diff != "" {
				t.Errorf("the terms of one that chose none (-want +got):\n%s", diff)
			}
			if _, ok := p.OwnAlias("fast"); !ok || !p.Disabled("openai") || p.Version() != 3 {
				t.Errorf("version %d, openai disabled %t, the alias %t; want the flag and the alias kept", p.Version(), p.Disabled("openai"), ok)
			}
			chosen := p.Terms()
			chosen.MaxAttempts, chosen.Routes = 2, nil
			changing(t, s, func(p *routing.Policy) error { return p.Revise(p.Version(), chosen) })
			want := found(t, s).Terms()
			s.Adopt(routing.Defaults{Order: second.Order, MaxAttempts: 4, Routes: second.Routes})
			changing(t, s, func(p *routing.Policy) error { return p.ClearFlag(routing.DisableFlag("openai")) })
			if diff := cmp.Diff(want, found(t, s).Terms()); diff != "" || want.MaxAttempts != 2 {
				t.Errorf("the terms of one that chose its own (-want +got):\n%s", diff)
			}
		})
	}
}

// TestANodeThatDoesNotKnowAProviderTakesNothingAwayFromIt has a change made by a node whose configuration lacks a provider that flags, an alias and a
// route name.
func TestANodeThatDoesNotKnowAProviderTakesNothingAwayFromIt(t *testing.T) {
	house := routing.Target{Provider: "house", Model: "m"}
	both, one := routing.Defaults{Order: []string{"openai", "house"}}, routing.Defaults{Order: []string{"openai"}}
	alias := func(name string, targets ...routing.Target) routing.Alias {
		a := routing.Alias{Name: name, Mode: routing.Ordered}
		for _, to := range targets {
			a.Targets = append(a.Targets, routing.AliasTarget{Target: to})
		}
		return a
	}
	openai, other := routing.Target{Provider: "openai", Model: "m"}, routing.Target{Provider: "openai", Model: "other"}
	for name, stores := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := stores.migrated(t)(t)
			knows, lacks := database.NewPolicies(db, both), database.NewPolicies(db, one)
			changing(t, knows, func(p *routing.Policy) error {
				terms := p.Terms()
				terms.Routes = map[routing.TaskType][]routing.Target{routing.Review: {house, openai}}
				return p.Revise(p.Version(), terms)
			})
			for _, a := range []routing.Alias{alias("only", house), alias("first", house, openai), alias("changed", house, openai), alias("gone", openai)} {
				changing(t, knows, func(p *routing.Policy) error { return p.SetAlias(a) })
			}
			changing(t, knows, func(p *routing.Policy) error {
				return p.SetFlag(routing.Flag{Name: routing.DisableFlag("house"), Enabled: true})
			})

			changing(t, lacks, func(p *routing.Policy) error {
				return p.SetFlag(routing.Flag{Name: routing.FlagCacheV1, Enabled: true})
			})
			changing(t, lacks, func(p *routing.Policy) error { return p.SetAlias(alias("changed", other)) })
			changing(t, lacks, func(p *routing.Policy) error { return p.RemoveAlias("gone") })

			p := found(t, knows)
			want := []routing.Alias{alias("changed", other), alias("first", house, openai), alias("only", house)}
			if diff := cmp.Diff(want, p.Aliases()); diff != "" {
				t.Errorf("aliases (-want +got):\n%s", diff)
			}
			if !p.Disabled("house") || !p.CachesV1() || len(p.Routes(routing.Review)) != 2 {
				t.Errorf("house disabled %t, caching %t, routes %v; want all of it", p.Disabled("house"), p.CachesV1(), p.Routes(routing.Review))
			}
		})
	}
}
