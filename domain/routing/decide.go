package routing

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// Reason says why a target is no candidate.
type Reason string

// The reasons, in the order in which they are found.
const (
	NotConfigured Reason = "not_configured"
	NotPinned     Reason = "not_pinned"
	WrongTask     Reason = "task_type"
	ByPolicy      Reason = "policy"
	DisabledByTen Reason = "disabled"
	NotForced     Reason = "not_forced"
	NoCapability  Reason = "capability"
	WindowTooFew  Reason = "context_window"
	BreakerOpen   Reason = "breaker_open"
	RateLimited   Reason = "rate_limited"
)

// Candidate is a target that may serve, with what its score is made of.
type Candidate struct {
	Target
	Rank       int // 1 is best
	Score      float64
	CostCents  float64
	P95Ms      int
	P95Known   bool
	EstInput   int
	EstOutput  int
	SLOPenalty float64
}

// Exclusion is a target that may not serve, with the one reason. Until is when that may end, zero when nobody knows.
type Exclusion struct {
	Target
	Reason Reason
	Until  time.Time
	Detail string // for capability: vision, tools or schema
}

// Decision is what Decide found: every target once, as candidate or exclusion.
type Decision struct {
	ID            string
	At            time.Time
	Task          TaskType
	PolicyVersion int64
	SnapshotID    string
	Candidates    []Candidate // best first
	Excluded      []Exclusion
}

// Chosen is the best candidate, false when there is none.
func (d Decision) Chosen() (Candidate, bool) {
	if len(d.Candidates) == 0 {
		return Candidate{}, false
	}
	return d.Candidates[0], true
}

// Decide ranks every target that may serve the request and says of every other why it may not. It is pure: the same policy, request
// and facts give the same decision. The caller sets ID.
func Decide(p *Policy, r Request, f Facts) Decision {
	d := Decision{
		At: f.At, Task: r.Task, PolicyVersion: p.Version(), SnapshotID: f.SnapshotID, Candidates: make([]Candidate, 0, len(f.Providers)),
	}
	for i := range f.Providers {
		pf := &f.Providers[i]
		for m := range modelsFor(p, r, pf) {
			t := Target{Provider: pf.Name, Model: m.Model}
			if x, out := exclude(p, r, f.At, pf, m); out {
				x.Target = t
				d.Excluded = append(d.Excluded, x)
				continue
			}
			d.Candidates = append(d.Candidates, score(p.Weights(), r, t, m))
		}
	}
	rank(p.order, d.Candidates)
	return d
}

// modelsFor gives the models of a provider that the request is about: the pinned one, those the policy routes the task to, else the default.
func modelsFor(p *Policy, r Request, pf *ProviderFacts) iter.Seq[*ModelFacts] {
	return func(yield func(*ModelFacts) bool) {
		if r.Pin != nil && r.Pin.Provider == pf.Name {
			yield(pf.model(r.Pin.Model))
			return
		}
		routed := false
		if r.Pin == nil {
			for _, t := range p.Routes(r.Task) {
				if t.Provider != pf.Name {
					continue
				}
				if routed = true; !yield(pf.model(t.Model)) {
					return
				}
			}
		}
		if !routed {
			yield(pf.model(pf.DefaultModel))
		}
	}
}

// model finds a model's facts, or makes those of an unknown one.
func (pf *ProviderFacts) model(name string) *ModelFacts {
	for i := range pf.Models {
		if pf.Models[i].Model == name {
			return &pf.Models[i]
		}
	}
	return &ModelFacts{Model: name}
}

func exclude(p *Policy, r Request, now time.Time, pf *ProviderFacts, m *ModelFacts) (Exclusion, bool) {
	t := Target{Provider: pf.Name, Model: m.Model}
	switch {
	case !pf.Configured:
		return Exclusion{Reason: NotConfigured}, true
	case r.Pin != nil && *r.Pin != t:
		return Exclusion{Reason: NotPinned}, true
	case r.Pin == nil && !serves(p, r.Task, t, m):
		return Exclusion{Reason: WrongTask}, true
	case !p.Allows(t):
		return Exclusion{Reason: ByPolicy}, true
	case p.Forced() != "" && p.Forced() != t.Provider:
		return Exclusion{Reason: NotForced}, true
	case p.Disabled(t.Provider):
		return Exclusion{Reason: DisabledByTen}, true
	}
	if what := lacks(r, m); what != "" {
		return Exclusion{Reason: NoCapability, Detail: what}, true
	}
	if m.Known && m.Context > 0 && r.MaxTokens > m.Context-r.InputTokens { // a sum could overflow
		return Exclusion{Reason: WindowTooFew}, true
	}
	if m.OpenUntil.After(now) {
		return Exclusion{Reason: BreakerOpen, Until: m.OpenUntil}, true
	}
	if m.RestUntil.After(now) {
		return Exclusion{Reason: RateLimited, Until: m.RestUntil}, true
	}
	return Exclusion{}, false
}

func serves(p *Policy, task TaskType, t Target, m *ModelFacts) bool {
	if routes := p.Routes(task); len(routes) > 0 {
		return slices.Contains(routes, t)
	}
	return len(m.Tasks) == 0 || slices.Contains(m.Tasks, task)
}

// lacks names the first ability that the request needs and the catalogue denies.
func lacks(r Request, m *ModelFacts) string {
	switch {
	case !m.Known:
		return ""
	case r.Vision && !m.Vision:
		return "vision"
	case r.Tools && !m.Tools:
		return "tools"
	case r.Schema && !m.Schema:
		return "schema"
	default:
		return ""
	}
}

func score(w Weights, r Request, t Target, m *ModelFacts) Candidate {
	c := Candidate{Target: t, P95Ms: DefaultP95Ms, EstInput: r.InputTokens, EstOutput: r.MaxTokens}
	if l, ok := m.P95Ms[r.Task]; ok && l.Samples >= MinSamples {
		c.P95Ms, c.P95Known = l.P95Ms, true
	}
	if c.EstOutput == 0 {
		c.EstOutput = DefaultOutputTokens
		if n := m.OutputTokens[r.Task]; n > 0 {
			c.EstOutput = n
		}
	}
	c.CostCents = m.Price.Cents(c.EstInput, c.EstOutput)
	if over := c.P95Ms - r.SLOMs; r.SLOMs > 0 && over > 0 {
		c.SLOPenalty = w.SLOPenalty * float64(over)
	}
	c.Score = w.Cost*c.CostCents + w.Latency*float64(c.P95Ms) + c.SLOPenalty
	return c
}

// rank sorts the candidates, best first; ties go by the order of providers, then by the model's name.
func rank(order []string, cs []Candidate) {
	slices.SortStableFunc(cs, func(a, b Candidate) int {
		if c := cmp.Compare(a.Score, b.Score); c != 0 {
			return c
		}
		if a.Provider != b.Provider {
			return cmp.Compare(slices.Index(order, a.Provider), slices.Index(order, b.Provider))
		}
		return cmp.Compare(a.Model, b.Model)
	})
	for i := range cs {
		cs[i].Rank = i + 1
	}
}
