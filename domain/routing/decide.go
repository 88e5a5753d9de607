package routing

import (
	"cmp"
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
	Detail string // for capability: vision, tools or schema; for rate_limited: CredentialRefused, or ""
}

// CredentialRefused is the detail of a target whose credentials rest because the vendor refused them, which slowing down would not mend.
const CredentialRefused = "credential refused"

// Decision is what Decide found: every target once, as candidate or exclusion.
type Decision struct {
	ID            string
	At            time.Time
	Task          TaskType
	Request       Request // what was asked
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
	d := Decision{At: f.At, Task: r.Task, Request: r, PolicyVersion: p.Version(), SnapshotID: f.SnapshotID}
	c := choice{policy: p, request: r, now: f.At, decision: &d}
	c.routes = p.Routes(r.Task)
	if r.Alias != nil {
		c.places = r.Alias.order(r.Draw)
	}
	n := len(f.Providers)
	switch {
	case r.Pin != nil:
	case r.Alias != nil:
		n += len(r.Alias.Targets)
	default:
		n += len(c.routes)
	}
	d.Candidates = make([]Candidate, 0, n)
	for i := range f.Providers {
		c.provider(&f.Providers[i])
	}
	c.rank()
	return d
}

// choice is a decision in the making.
type choice struct {
	policy   *Policy
	request  Request
	now      time.Time
	routes   []Target
	places   []int // of the alias's targets
	decision *Decision
}

// provider looks at the models of a provider that the request is about: the pinned one, those of the alias, those that the policy routes the
// task to, else the default.
func (c *choice) provider(pf *ProviderFacts) {
	r := &c.request
	switch {
	case r.Pin != nil:
		if r.Pin.Provider == pf.Name {
			c.model(pf, r.Pin.Model, "")
			return
		}
		c.model(pf, pf.DefaultModel, NotPinned)
	case r.Alias != nil:
		named := false
		for i := range r.Alias.Targets {
			if t := r.Alias.Targets[i].Target; t.Provider == pf.Name {
				named = true
				c.model(pf, t.Model, "")
			}
		}
		if !named {
			c.model(pf, pf.DefaultModel, NotPinned)
		}
	default:
		routed := false
		for _, t := range c.routes {
			if t.Provider == pf.Name {
				routed = true
				c.model(pf, t.Model, "")
			}
		}
		if !routed && len(c.routes) > 0 {
			c.model(pf, pf.DefaultModel, WrongTask)
		} else if !routed {
			c.model(pf, pf.DefaultModel, "")
		}
	}
}

// model makes a candidate or an exclusion of a model. aside is why it is not asked for, "" when it is.
func (c *choice) model(pf *ProviderFacts, name string, aside Reason) {
	t := Target{Provider: pf.Name, Model: name}
	m := pf.known(name)
	if m == nil {
		m = &ModelFacts{Model: name, Price: pf.Price}
	}
	if x, out := c.exclude(pf, m, t, aside); out {
		x.Target = t
		c.decision.Excluded = append(c.decision.Excluded, x)
		return
	}
	c.decision.Candidates = append(c.decision.Candidates, score(c.policy.Weights(), &c.request, t, m))
}

func (c *choice) exclude(pf *ProviderFacts, m *ModelFacts, t Target, aside Reason) (Exclusion, bool) {
	p, r := c.policy, &c.request
	switch {
	case !pf.Configured:
		return Exclusion{Reason: NotConfigured}, true
	case aside != "":
		return Exclusion{Reason: aside}, true
	case r.Pin == nil && r.Alias == nil && len(c.routes) == 0 && !m.serves(r.Task):
		return Exclusion{Reason: WrongTask}, true
	case !p.Allows(t):
		return Exclusion{Reason: ByPolicy}, true
	case p.Forced() != "" && p.Forced() != t.Provider:
		return Exclusion{Reason: NotForced}, true
	case p.Disabled(t.Provider):
		return Exclusion{Reason: DisabledByTen}, true
	}
	if what := r.lacks(m); what != "" {
		return Exclusion{Reason: NoCapability, Detail: what}, true
	}
	if m.Known && m.Context > 0 && r.MaxTokens > m.Context-r.InputTokens { // a sum could overflow
		return Exclusion{Reason: WindowTooFew}, true
	}
	if m.OpenUntil.After(c.now) {
		return Exclusion{Reason: BreakerOpen, Until: m.OpenUntil}, true
	}
	if m.RestUntil.After(c.now) {
		x := Exclusion{Reason: RateLimited, Until: m.RestUntil}
		if m.Refused {
			x.Detail = CredentialRefused
		}
		return x, true
	}
	return Exclusion{}, false
}

// serves reports whether the model takes the task type; one of which nothing is said takes all.
func (m *ModelFacts) serves(task TaskType) bool {
	return len(m.Tasks) == 0 || slices.Contains(m.Tasks, task)
}

// lacks names the first ability that the request needs and the catalogue denies.
func (r *Request) lacks(m *ModelFacts) string {
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

func score(w Weights, r *Request, t Target, m *ModelFacts) Candidate {
	c := Candidate{Target: t, P95Ms: DefaultP95Ms, EstInput: r.InputTokens, EstOutput: r.MaxTokens}
	figures := m.Of(r.Task)
	if figures.Samples >= MinSamples {
		c.P95Ms, c.P95Known = figures.P95Ms, true
	}
	if c.EstOutput == 0 {
		c.EstOutput = DefaultOutputTokens
		if figures.OutputTokens > 0 {
			c.EstOutput = figures.OutputTokens
		}
	}
	c.CostCents = m.Price.Cents(c.EstInput, c.EstOutput)
	if over := c.P95Ms - r.SLOMs; r.SLOMs > 0 && over > 0 {
		c.SLOPenalty = w.SLOPenalty * float64(over)
	}
	c.Score = w.Cost*c.CostCents + w.Latency*float64(c.P95Ms) + c.SLOPenalty
	return c
}

// rank sorts the candidates, best first: those of an alias by its order, others by score; ties go by the fallback order of providers, then by the
// model's name.
func (c *choice) rank() {
	cs := c.decision.Candidates
	slices.SortFunc(cs, func(a, b Candidate) int {
		if c.places != nil {
			return cmp.Compare(c.place(a.Target), c.place(b.Target))
		}
		if by := cmp.Compare(a.Score, b.Score); by != 0 {
			return by
		}
		if a.Provider != b.Provider {
			return cmp.Compare(slices.Index(c.policy.order, a.Provider), slices.Index(c.policy.order, b.Provider))
		}
		return cmp.Compare(a.Model, b.Model)
	})
	for i := range cs {
		cs[i].Rank = i + 1
	}
}

// place is where the alias has the target.
func (c *choice) place(t Target) int { return c.places[c.request.Alias.position(t)] }
