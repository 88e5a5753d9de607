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
	NotForced     Reason = "not_forced"
	DisabledByTen Reason = "disabled"
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
	Detail string // for capability: embedding, text, vision, tools or schema; for rate_limited: CredentialRefused, or ""
}

// CredentialRefused is the detail of a target whose credentials rest because the vendor refused them, which slowing down would not mend.
const CredentialRefused = "credential refused" //nolint:gosec // words about one

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
	var places [MaxAliasTargets]int // room for the usual number, so that nothing is allocated
	c := choice{policy: p, request: &r, now: f.At, routes: p.plan[r.Task], left: len(f.Providers), decision: &d}
	switch {
	case r.Pin != nil:
	case r.Alias != nil:
		c.left += len(r.Alias.Targets)
		c.places = r.Alias.places(r.Draw, places[:0])
	default:
		c.left += len(p.routes[r.Task])
	}
	d.Candidates = make([]Candidate, 0, c.left)
	for i := range f.Providers {
		c.provider(&f.Providers[i])
	}
	c.rank()
	return d
}

// choice is a decision in the making.
type choice struct {
	policy   *Policy
	request  *Request
	now      time.Time
	routes   map[string][]Target // of the task, by provider
	places   []int               // of the alias's targets
	left     int                 // at most so many targets are still to come
	decision *Decision
}

// provider looks at the models of a provider that the request is about: the pinned one, those of the alias, those that the policy routes the
// task to, else the default.
func (c *choice) provider(pf *ProviderFacts) {
	r, place := c.request, c.policy.place(pf.Name)
	aside := Reason("") // why the default model is none of them
	switch {
	case r.Pin != nil:
		if aside = NotPinned; r.Pin.Provider == pf.Name {
			c.model(pf, r.Pin.Model, "", place)
			return
		}
	case r.Alias != nil:
		aside = NotPinned
		named := false
		for i := range r.Alias.Targets {
			if t := &r.Alias.Targets[i]; t.Provider == pf.Name {
				named = true
				c.model(pf, t.Model, "", c.places[i])
			}
		}
		if named {
			return
		}
	case len(c.routes) > 0:
		aside = WrongTask
		routed := c.routes[pf.Name]
		for i := range routed {
			c.model(pf, routed[i].Model, "", place)
		}
		if len(routed) > 0 {
			return
		}
	}
	c.model(pf, pf.DefaultModel, aside, place)
}

// model makes a candidate or an exclusion of a model. aside is why it is not asked for, "" when it is; place, in the fallback order or that of the
// alias, stands in the candidate as its rank until it is ranked.
func (c *choice) model(pf *ProviderFacts, name string, aside Reason, place int) {
	d, m := c.decision, pf.known(name)
	if m == nil {
		m = &ModelFacts{Model: name, Price: pf.Price}
	}
	t := Target{Provider: pf.Name, Model: name}
	c.left--
	reason := c.against(pf, m, t, aside)
	if reason == "" {
		d.Candidates = append(d.Candidates, Candidate{Target: t, Rank: place})
		score(&d.Candidates[len(d.Candidates)-1], &c.policy.weights, c.request, m)
		return
	}
	if d.Excluded == nil {
		d.Excluded = make([]Exclusion, 0, c.left+1)
	}
	x := Exclusion{Target: t, Reason: reason}
	switch {
	case reason == NoCapability:
		x.Detail = c.request.lacks(m)
	case reason == BreakerOpen:
		x.Until = m.OpenUntil
	case reason == RateLimited && m.Refused:
		x.Until, x.Detail = m.RestUntil, CredentialRefused
	case reason == RateLimited:
		x.Until = m.RestUntil
	}
	d.Excluded = append(d.Excluded, x)
}

// against finds the first reason against a target, in the order of the reasons, "" when there is none.
func (c *choice) against(pf *ProviderFacts, m *ModelFacts, t Target, aside Reason) Reason {
	p, r := c.policy, c.request
	switch {
	case !pf.Configured:
		return NotConfigured
	case aside != "":
		return aside
	case r.Pin == nil && r.Alias == nil && len(c.routes) == 0 && !m.serves(r.Task):
		return WrongTask
	case !p.Allows(t):
		return ByPolicy
	case p.forced != "" && p.forced != t.Provider:
		return NotForced
	case p.Disabled(t.Provider):
		return DisabledByTen
	case r.lacks(m) != "":
		return NoCapability
	case m.Known && m.Context > 0 && r.MaxTokens > m.Context-r.InputTokens: // a sum could overflow
		return WindowTooFew
	case m.OpenUntil.After(c.now):
		return BreakerOpen
	case m.RestUntil.After(c.now):
		return RateLimited
	default:
		return ""
	}
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
	case r.Embedding && !m.Embeds:
		return "embedding"
	case m.Embeds && !r.Embedding:
		return "text"
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

// score fills a candidate in.
func score(c *Candidate, w *Weights, r *Request, m *ModelFacts) {
	c.P95Ms, c.EstInput, c.EstOutput = DefaultP95Ms, r.InputTokens, r.MaxTokens
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
}

// rank sorts the candidates, best first: those of an alias by its order, others by score; ties go by the fallback order of providers, then by the
// model's name.
func (c *choice) rank() {
	cs := c.decision.Candidates
	var room [64]int // for the usual number, so that nothing is allocated
	order := room[:0]
	for i := range cs {
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &cs[i], &cs[j]
		switch {
		case c.places == nil && a.Score < b.Score:
			return -1
		case c.places == nil && a.Score > b.Score:
			return 1
		case a.Rank != b.Rank:
			return cmp.Compare(a.Rank, b.Rank)
		default: // of one provider, or of two that the policy does not know
			return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Provider, b.Provider))
		}
	})
	arrange(cs, order)
	for i := range cs {
		cs[i].Rank = i + 1
	}
}

// arrange puts cs[order[i]] in place i, for every i: around each cycle of the order it moves every candidate once. The order is used up.
func arrange(cs []Candidate, order []int) {
	for start := range order {
		if order[start] == start {
			continue
		}
		first, i := cs[start], start
		for {
			from := order[i]
			order[i] = i
			if from == start {
				cs[i] = first
				break
			}
			cs[i] = cs[from]
			i = from
		}
	}
}
