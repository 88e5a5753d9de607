package routing

import "strings"

// derive works out what Decide reads of a policy, so that deciding searches no lists.
func (p *Policy) derive() {
	p.deriveFlags()
	p.ranks = make(map[string]int, len(p.order))
	for i, name := range p.order {
		p.ranks[name] = i
	}
	p.plan = make(map[TaskType]map[string][]Target, len(p.routes))
	for task, targets := range p.routes {
		by := map[string][]Target{}
		for _, t := range targets {
			by[t.Provider] = append(by[t.Provider], t)
		}
		p.plan[task] = by
	}
	p.allows = allow(p.allowed)
}

// deriveFlags reads the flags. Of two forced providers, which only a damaged store can have, the first in order stays so.
func (p *Policy) deriveFlags() {
	p.forced, p.disabled = "", nil
	for _, provider := range p.defaults.Order {
		switch name := ForceFlag(provider); {
		case !p.flags[name].Enabled:
		case p.forced == "":
			p.forced = provider
		default:
			delete(p.flags, name)
		}
		if p.flags[DisableFlag(provider)].Enabled {
			p.disabled = append(p.disabled, provider)
		}
	}
}

// place is where the fallback order has a provider; one that it does not have comes last.
func (p *Policy) place(provider string) int {
	if i, ok := p.ranks[provider]; ok {
		return i
	}
	return len(p.ranks)
}

// allowance is a list of allowed models made ready for questions. An empty one allows all.
type allowance map[Target]struct{}

// allow reads every name as that of a model at any provider, and, where it can be, as that of one provider's.
func allow(names []string) allowance {
	a := make(allowance, len(names))
	for _, name := range names {
		a[Target{Model: name}] = struct{}{}
		if provider, model, ok := strings.Cut(name, "/"); ok && provider != "" {
			a[Target{Provider: provider, Model: model}] = struct{}{}
		}
	}
	return a
}

func (a allowance) has(t Target) bool {
	if len(a) == 0 {
		return true
	}
	if _, ok := a[Target{Model: t.Model}]; ok {
		return true
	}
	_, ok := a[t]
	return ok
}
