package routing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/routing"
)

func TestAPolicyIsValidAfterAnySequenceOfChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		for range rapid.IntRange(1, 25).Draw(t, "changes") {
			before := p.Snapshot()
			err := alter(t, p)
			after, events := p.Snapshot(), p.Events()
			grown := after.Version - before.Version
			if grown != int64(len(events)) || grown < 0 || grown > 1 || err != nil && grown != 0 {
				t.Fatalf("version %d to %d with events %v and %v", before.Version, after.Version, events, err)
			}
			if grown == 0 && !cmp.Equal(before, after) {
				t.Fatalf("without a new version (%v) the policy changed:\n%s", err, cmp.Diff(before, after))
			}
			valid(t, p)
		}
	})
}

// valid fails the test unless a policy could have been made by changes that nobody refused.
func valid(t *rapid.T, p *routing.Policy) {
	s := p.Snapshot()
	if sorted := slices.Sorted(slices.Values(s.FallbackOrder)); !slices.Equal(sorted, slices.Sorted(slices.Values(known))) {
		t.Fatalf("fallback order %v is no permutation of %v", s.FallbackOrder, known)
	}
	forced := 0
	for _, f := range s.Flags {
		if f.Name != routing.FlagCacheV1 && !slices.Contains(p.RouterFlags(), f.Name) {
			t.Fatalf("flag %+v", f)
		}
		if f.Enabled && slices.Contains(p.RouterFlags()[:len(known)], f.Name) {
			if forced++; f.Name != routing.ForceFlag(p.Forced()) {
				t.Fatalf("flag %+v while %q is forced", f, p.Forced())
			}
		}
	}
	if p.Forced() == "" && forced > 0 || p.Forced() != "" && forced != 1 || p.Disabled(p.Forced()) {
		t.Fatalf("%d providers are forced: %q", forced, p.Forced())
	}
	for task, targets := range s.Routes {
		if len(targets) == 0 {
			t.Fatalf("no routes of %s are kept", task)
		}
	}
	again := routing.NewPolicy(s.Tenant, defaults())
	if err := again.Revise(1, p.Terms()); err != nil {
		t.Fatalf("terms %+v would be refused: %v", p.Terms(), err)
	}
	for _, a := range s.Aliases {
		if err := again.SetAlias(a); err != nil {
			t.Fatalf("alias %+v would be refused: %v", a, err)
		}
	}
}

func TestAPolicyComesBackAsItWasKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := policies.Draw(t, "policy").Snapshot()
		back := routing.RestorePolicy(kept, defaults())
		if diff := cmp.Diff(kept, back.Snapshot(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-kept +restored):\n%s", diff)
		}
		if events := back.Events(); len(events) > 0 {
			t.Fatalf("restoring recorded %v", events)
		}
	})
}

func TestAnyKeptPolicyIsValidOnceRestored(t *testing.T) {
	flags := rapid.Custom(func(t *rapid.T) routing.Flag {
		provider := providers.Draw(t, "of")
		name := rapid.SampledFrom([]string{"", "cache.v1", routing.ForceFlag(provider), routing.DisableFlag(provider)})
		return routing.Flag{Name: name.Draw(t, "flag"), Enabled: rapid.Bool().Draw(t, "enabled")}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := routing.PolicySnapshot{
			Tenant: "t1", Version: rapid.Int64Range(-1, 5).Draw(t, "version"),
			Weights:       routing.Weights{Cost: numbers.Draw(t, "cost"), Latency: 1, SLOPenalty: numbers.Draw(t, "penalty")},
			FallbackOrder: rapid.SliceOfN(providers, 0, 6).Draw(t, "order"),
			Routes: map[routing.TaskType][]routing.Target{
				"poetry": {to("openai", "a")}, routing.Review: append(rapid.SliceOfN(targets, 0, 5).Draw(t, "route"), to("openai", "")),
				routing.General: many(rapid.SampledFrom([]int{0, routing.MaxRoutes, routing.MaxRoutes + 1}).Draw(t, "routes")),
			},
			AllowedModels: allowances.Draw(t, "allowed"), Flags: rapid.SliceOfN(flags, 0, 8).Draw(t, "flags"),
			Aliases:     append(rapid.SliceOfN(aliases, 0, 4).Draw(t, "aliases"), ordered("slow", to("stranger", "a"), to("openai", "a"), to("openai", ""))),
			MaxAttempts: rapid.IntRange(-1, 12).Draw(t, "attempts"), Deadline: time.Duration(rapid.IntRange(-1, 4000).Draw(t, "seconds")) * time.Second,
		}
		if rapid.IntRange(0, 9).Draw(t, "many") == 0 {
			s.AllowedModels = slices.Repeat([]string{"a"}, routing.MaxAllowed+1)
		}
		p := routing.RestorePolicy(s, defaults())
		valid(t, p)
		if p.Version() < 1 {
			t.Fatalf("version %d", p.Version())
		}
		if again := routing.RestorePolicy(p.Snapshot(), defaults()); !cmp.Equal(p.Snapshot(), again.Snapshot(), cmpopts.EquateEmpty()) {
			t.Fatalf("restored twice (-once +twice):\n%s", cmp.Diff(p.Snapshot(), again.Snapshot()))
		}
		for _, name := range []string{"a", "b", "other"} {
			target := to("openai", name)
			listed := len(s.AllowedModels) == 0 || slices.Contains(s.AllowedModels, name) || slices.Contains(s.AllowedModels, "openai/"+name)
			if p.Allows(target) && !listed {
				t.Fatalf("%s is allowed, which %q does not", target, s.AllowedModels)
			}
		}
	})
}
