package database

import (
	"reflect"
	"slices"

	"github.com/forge1/forge1/domain/routing"
)

// changed gives the row once its policy has changed. What the change left alone stays as it was kept: terms that were never chosen, and what names
// providers that this installation does not have now, because its configuration is older or newer than that of another node.
func (r *policyRow) changed(p *routing.Policy, before, after routing.PolicySnapshot) *policyRow {
	next := policyRowOf(after)
	if sameTerms(before, after) {
		next.WeightCost, next.WeightLatency, next.WeightSLO = r.WeightCost, r.WeightLatency, r.WeightSLO
		next.FallbackOrder, next.Routes, next.AllowedModels = r.FallbackOrder, r.Routes, r.AllowedModels
		next.MaxAttempts, next.DeadlineUs = r.MaxAttempts, r.DeadlineUs
	}
	for _, f := range r.Flags.Of {
		if _, err := p.Flag(f.Name); err != nil {
			next.Flags.Of = append(next.Flags.Of, f)
		}
	}
	next.Aliases.Of = keptAliases(r.Aliases.Of, before.Aliases, after.Aliases)
	return next
}

func sameTerms(a, b routing.PolicySnapshot) bool {
	return a.Weights == b.Weights && a.MaxAttempts == b.MaxAttempts && a.Deadline == b.Deadline && slices.Equal(a.FallbackOrder, b.FallbackOrder) &&
		slices.Equal(a.AllowedModels, b.AllowedModels) && reflect.DeepEqual(a.Routes, b.Routes)
}

// keptAliases gives the aliases to keep: those of after, with all their targets where the change left them alone, and those that were not restored.
func keptAliases(kept, before, after []routing.Alias) []routing.Alias {
	find := func(in []routing.Alias, name string) int {
		return slices.IndexFunc(in, func(a routing.Alias) bool { return a.Name == name })
	}
	out := slices.Clone(after)
	for _, a := range kept {
		b, now := find(before, a.Name), find(after, a.Name)
		switch {
		case b < 0 && now < 0 && len(out) < routing.MaxAliases:
			out = append(out, a)
		case b >= 0 && now >= 0 && reflect.DeepEqual(before[b], after[now]):
			out[now] = a
		}
	}
	return out
}
