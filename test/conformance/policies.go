package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
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
	want := routing.NewPolicy("tenant", KnownProviders()).Snapshot()
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want)
	must(t, "update without change", s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
		same(t, "what change is given", p.Snapshot(), want)
		return nil
	}))
	same(t, "the policy after no change", findPolicy(t, s, "tenant").Snapshot(), want)
}

// changeAll changes everything that a policy has.
func changeAll(p *routing.Policy) error {
	for _, err := range []error{
		p.SetWeights(routing.Weights{Cost: 0.1, Latency: 1e-9, SLOPenalty: 12345678.901}),
		p.SetFallbackOrder([]string{"gemini", "claude"}),
		p.Route(routing.CodeGeneration, []routing.Target{{Provider: "claude", Model: "m'1"}, {Provider: "openai", Model: `m"2\`}}),
		p.Route(routing.Review, []routing.Target{{Provider: "gemini", Model: "m/3"}}),
		p.Force("claude"), p.Disable("openai"), p.Disable("claude"), p.Limit(7, 90*time.Second+time.Millisecond),
	} {
		if err != nil {
			return err
		}
	}
	p.Allow([]string{"claude/m'1", hostile})
	return nil
}

func policiesRoundTrip(t *testing.T, s PolicyStore) {
	want := routing.NewPolicy("tenant", KnownProviders())
	must(t, "change", changeAll(want))
	must(t, "update", s.Update(t.Context(), "tenant", changeAll))
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want.Snapshot())
}

func policiesEmptied(t *testing.T, s PolicyStore) {
	must(t, "update", s.Update(t.Context(), "tenant", changeAll))
	var want routing.PolicySnapshot
	must(t, "empty", s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
		p.Allow(nil)
		p.Release("claude")
		p.Enable("openai")
		p.Enable("claude")
		for _, task := range routing.TaskTypes() {
			if err := p.Route(task, nil); err != nil {
				return err
			}
		}
		want = p.Snapshot()
		return p.SetWeights(routing.Weights{})
	}))
	got := findPolicy(t, s, "tenant").Snapshot()
	want.Weights, want.Version = routing.Weights{}, want.Version+1
	same(t, "the policy", got, want)
}

func policiesIsolation(t *testing.T, s PolicyStore) {
	must(t, "update", s.Update(t.Context(), "mine", changeAll))
	for _, other := range []string{"theirs", "", "min%", "MINE", "mine\x00"} {
		same(t, "the policy of "+other, findPolicy(t, s, other).Snapshot(), routing.NewPolicy(other, KnownProviders()).Snapshot())
	}
	if got := findPolicy(t, s, "mine").Tenant(); got != "mine" {
		t.Errorf("the policy is of %q, want mine", got)
	}
}

func policiesRefused(t *testing.T, s PolicyStore) {
	refused := func(p *routing.Policy) error {
		must(t, "disable", p.Disable("openai"))
		return errChange
	}
	wantErr(t, "update", s.Update(t.Context(), "tenant", refused), errChange)
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), routing.NewPolicy("tenant", KnownProviders()).Snapshot())
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
		return s.Update(t.Context(), "tenant", func(p *routing.Policy) error { return p.Force(name) })
	}
	must(t, "force", force("openai"))
	wantErr(t, "force another", force("gemini"), routing.ErrForceConflict)
	if got := findPolicy(t, s, "tenant").Forced(); got != "openai" {
		t.Errorf("forced is %q, want openai", got)
	}
}

func policiesLoseNothing(t *testing.T, s PolicyStore) {
	none(t, race(50, func(int) error { // the first of them finds no row to lock
		return s.Update(t.Context(), "tenant", func(p *routing.Policy) error { return p.SetWeights(p.Weights()) })
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
			return p.Force(KnownProviders()[i%4])
		})
	})
	if n := winners(t, errs, routing.ErrForceConflict); n != 1 {
		t.Errorf("%d of 20 forced a provider, want 1", n)
	}
}

func policiesEvents(t *testing.T, s PolicyStore) {
	ctx := outbound.WithActor(t.Context(), outbound.Actor{UserID: "ada"})
	must(t, "update", s.Update(ctx, "tenant", func(p *routing.Policy) error { return p.Disable("openai") }))
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
			p.Allow([]string{text})
			return nil
		}))
		wantInvalid(t, "routes, "+what, s.Update(t.Context(), "tenant", func(p *routing.Policy) error {
			return p.Route(routing.General, []routing.Target{{Provider: "openai", Model: text}})
		}))
	}
	same(t, "the version", findPolicy(t, s, "tenant").Version(), int64(1))
}

func policiesUnshared(t *testing.T, s PolicyStore) {
	must(t, "update", s.Update(t.Context(), "tenant", changeAll))
	mine := findPolicy(t, s, "tenant")
	want := mine.Snapshot()
	mine.Release("claude")
	must(t, "disable", mine.Disable("gemini"))
	same(t, "the policy", findPolicy(t, s, "tenant").Snapshot(), want)
}
