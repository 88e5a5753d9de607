package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

// PolicyStore is a store of policies under test, over the providers KnownProviders.
type PolicyStore struct {
	outbound.Policies
	// Audit lists the audit log in the order in which it was written. Nil: the store keeps none.
	Audit func(t *testing.T) []Audited
}

// KnownProviders are the providers that a store under test is to know, in the default fallback order.
func KnownProviders() []string { return []string{"openrouter", "openai", "claude", "gemini"} }

// Policies is the suite of outbound.Policies.
func Policies(t *testing.T, new func(t *testing.T) PolicyStore) {
	tests := map[string]func(t *testing.T, s PolicyStore){
		"a tenant without policy has the default":    policiesDefault,
		"a policy comes back as it was":              policiesRoundTrip,
		"a policy is its tenant's alone":             policiesIsolation,
		"a refused change is not kept":               policiesRefused,
		"a second force is refused":                  policiesForce,
		"changes at once lose nothing":               policiesLoseNothing,
		"of many that force at once one does":        policiesForceRace,
		"changes are recorded":                       policiesEvents,
		"a context that has ended keeps nothing":     policiesContext,
		"text that cannot be kept is a mistake":      policiesUnstorable,
		"what a change is given is not shared":       policiesUnshared,
		"emptied lists come back empty, not default": policiesEmptied,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func findPolicy(t *testing.T, s PolicyStore, tenantID string) *routing.Policy {
	t.Helper()
	p, err := s.Find(t.Context(), tenantID)
	must(t, "find policy", err)
	return p
}

func policiesDefault(t *testing.T, s PolicyStore) {
	want := routing.NewPolicy("tenant", routing.Defaults{Order: KnownProviders()}).Snapshot()
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want)
	must(t, "update without change", s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
		same(t, "what change is given", p.Snapshot(), want)
		return nil
	}))
	same(t, "the policy after no change", findPolicy(t, s, "tenant").Snapshot(), want)
}

// changeAll changes everything that a policy has.
func changeAll(p *routing.Policy) error {
	at := time.Date(2030, 1, 31, 12, 0, 0, 123456000, time.UTC)
	for _, err := range []error{
		change.Weights(p, routing.Weights{Cost: 0.1, Latency: 1e-9, SLOPenalty: 12345678.901}),
		change.Order(p, "gemini", "claude"),
		change.Route(p, routing.CodeGeneration, routing.Target{Provider: "claude", Model: "m'1"}, routing.Target{Provider: "openai", Model: `m"2\`}),
		change.Route(p, routing.Review, routing.Target{Provider: "gemini", Model: "m/3"}),
		change.Force(p, "claude"), change.Disable(p, "openai"), change.Limit(p, 7, 90*time.Second+time.Millisecond),
		p.SetFlag(routing.Flag{Name: routing.DisableFlag("claude"), Enabled: true, At: at, By: "ada"}),
		p.SetFlag(routing.Flag{Name: routing.FlagCacheV1, At: at, By: "ada"}),
		p.SetAlias(routing.Alias{Name: "fast", Mode: routing.Weighted, Targets: []routing.AliasTarget{
			{Target: routing.Target{Provider: "openai", Model: `m"2\`}, Weight: 0.1}, {Target: routing.Target{Provider: "claude", Model: "m'1"}, Weight: 3},
		}}),
		p.SetAlias(routing.Alias{Name: "a:b.c_d", Mode: routing.Ordered, Targets: []routing.AliasTarget{{Target: routing.Target{Provider: "gemini", Model: "m"}}}}),
		change.Allow(p, "claude/m'1", `m"2\`, "gemini/m/3", "<>&'; DROP TABLE users; --\u2028"),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func policiesRoundTrip(t *testing.T, s PolicyStore) {
	want := routing.NewPolicy("tenant", routing.Defaults{Order: KnownProviders()})
	must(t, "change", changeAll(want))
	must(t, "update", s.Update(t.Context(), "tenant", changeAll))
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want.Snapshot())
}

func policiesEmptied(t *testing.T, s PolicyStore) {
	must(t, "update", s.Update(t.Context(), "tenant", changeAll))
	var want routing.PolicySnapshot
	must(t, "empty", s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
		for _, f := range p.Flags() {
			must(t, "clear", p.ClearFlag(f.Name))
		}
		for _, a := range p.Aliases() {
			must(t, "remove", p.RemoveAlias(a.Name))
		}
		must(t, "allow", change.Allow(p))
		for _, task := range routing.TaskTypes() {
			if err := change.Route(p, task); err != nil {
				return err
			}
		}
		want = p.Snapshot()
		return change.Weights(p, routing.Weights{})
	}))
	got := findPolicy(t, s, "tenant").Snapshot()
	want.Weights, want.Version = routing.Weights{}, want.Version+1
	same(t, "the policy", got, want)
}

func policiesIsolation(t *testing.T, s PolicyStore) {
	must(t, "update", s.Update(t.Context(), "mine", changeAll))
	for _, other := range []string{"theirs", "", "min%", "MINE", "mine\x00"} {
		same(t, "the policy of "+other, findPolicy(t, s, other).Snapshot(), routing.NewPolicy(other, routing.Defaults{Order: KnownProviders()}).Snapshot())
	}
	if got := findPolicy(t, s, "mine").Tenant(); got != "mine" {
		t.Errorf("the policy is of %q, want mine", got)
	}
}

func policiesRefused(t *testing.T, s PolicyStore) {
	refused := func(p *routing.Policy) error {
		must(t, "disable", change.Disable(p, "openai"))
		return errChange
	}
	wantErr(t, "update", s.Update(t.Context(), "tenant", refused), errChange)
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), routing.NewPolicy("tenant", routing.Defaults{Order: KnownProviders()}).Snapshot())
	must(t, "change", s.Update(t.Context(), "tenant", changeAll))
	want := findPolicy(t, s, "tenant").Snapshot()
	wantErr(t, "update", s.Update(t.Context(), "tenant", refused), errChange)
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want)
	if s.Audit != nil {
		if n := len(s.Audit(t)); n != int(want.Version)-1 {
			t.Errorf("%d rows in the audit log, want the %d of the change that was kept", n, want.Version-1)
		}
	}
}

func policiesForce(t *testing.T, s PolicyStore) {
	force := func(name string) error {
		return s.Update(t.Context(), "tenant", func(p *routing.Policy) error { return change.Force(p, name) })
	}
	must(t, "force", force("openai"))
	wantErr(t, "force another", force("gemini"), routing.ErrForceConflict)
	if got := findPolicy(t, s, "tenant").Forced(); got != "openai" {
		t.Errorf("forced is %q, want openai", got)
	}
}

func policiesLoseNothing(t *testing.T, s PolicyStore) {
	none(t, race(50, func(int) error { // the first of them finds no row to lock
		return s.Update(t.Context(), "tenant", func(p *routing.Policy) error { return change.Weights(p, p.Weights()) })
	}))
	if got := findPolicy(t, s, "tenant").Version(); got != 51 {
		t.Errorf("after 50 changes at once: version %d, want 51", got)
	}
}

func policiesForceRace(t *testing.T, s PolicyStore) {
	errs := race(20, func(i int) error {
		return s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
			if p.Forced() != "" {
				return routing.ErrForceConflict
			}
			return change.Force(p, KnownProviders()[i%4])
		})
	})
	if n := winners(t, errs, routing.ErrForceConflict); n != 1 {
		t.Errorf("%d of 20 forced a provider, want 1", n)
	}
}

func policiesEvents(t *testing.T, s PolicyStore) {
	ctx := outbound.WithActor(t.Context(), outbound.Actor{UserID: "ada"})
	must(t, "update", s.Update(ctx, "tenant", func(p *routing.Policy) error { return change.Disable(p, "openai") }))
	if s.Audit == nil {
		return
	}
	log := s.Audit(t)
	if len(log) != 1 || log[0].Event != "routing_policy_changed" || log[0].Tenant != "tenant" || log[0].Actor != "ada" || log[0].At.IsZero() {
		t.Errorf("the audit log: got %+v, want one routing_policy_changed of tenant by ada", log)
	}
}

func policiesContext(t *testing.T, s PolicyStore) {
	wantErr(t, "update with an ended context", s.Update(canceled(t), "tenant", changeAll), context.Canceled)
	_, err := s.Find(canceled(t), "tenant")
	wantErr(t, "find with an ended context", err, context.Canceled)
	same(t, "the version", findPolicy(t, s, "tenant").Version(), int64(1))
}

func policiesUnstorable(t *testing.T, s PolicyStore) {
	for what, text := range unstorable {
		wantInvalid(t, "tenant, "+what, s.Update(t.Context(), text, changeAll))
		wantInvalid(t, "allowed, "+what, s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
			return change.Allow(p, text)
		}))
		wantInvalid(t, "routes, "+what, s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
			return change.Route(p, routing.General, routing.Target{Provider: "openai", Model: text})
		}))
	}
	same(t, "the version", findPolicy(t, s, "tenant").Version(), int64(1))
}

func policiesUnshared(t *testing.T, s PolicyStore) {
	must(t, "update", s.Update(t.Context(), "tenant", changeAll))
	mine := findPolicy(t, s, "tenant")
	want := mine.Snapshot()
	must(t, "release", change.Release(mine, "claude"))
	must(t, "disable", change.Disable(mine, "gemini"))
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want)
}
