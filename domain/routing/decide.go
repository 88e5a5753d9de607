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
	var places [MaxAliasTargets]int // room for the usual number, so that nothing is allocated
	c := choice{policy: p, request: &r, now: f.At, routes: p.plan[r.Task], weights: p.weights, left: len(f.Providers), decision: &d}
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
	weights  Weights
	places   []int // of the alias's targets
	left     int   // at most so many targets are still to come
	decision *Decision
}

// provider looks at the models of a provider that the request is about: the pinned one, those of the alias, those that the policy routes the
// task to, else the default.
func (c *choice) provider(pf *ProviderFacts) {
	r := c.request
	aside := Reason("") // why the default model is none of them
	switch {
	case r.Pin != nil:
		if aside = NotPinned; r.Pin.Provider == pf.Name {
			c.model(pf, r.Pin.Model, "", 0)
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
			c.model(pf, routed[i].Model, "", 0)
		}
		if len(routed) > 0 {
			return
		}
	}
	c.model(pf, pf.DefaultModel, aside, 0)
}

// model makes a candidate or an exclusion of a model. aside is why it is not asked for, "" when it is; place is the alias's,
// which the candidate holds as its rank until it is ranked.
func (c *choice) model(pf *ProviderFacts, name string, aside Reason, place int) {
	d, t := c.decision, Target{Provider: pf.Name, Model: name}
	m := pf.known(name)
	if m == nil {
		m = &ModelFacts{Model: name, Price: pf.Price}
	}
	c.left--
	if x, out := c.exclude(pf, m, t, aside); out {
		if d.Excluded == nil {
			d.Excluded = make([]Exclusion, 0, c.left+1)
		}
		x.Target = t
		d.Excluded = append(d.Excluded, x)
		return
	}
	d.Candidates = append(d.Candidates, Candidate{Target: t, Rank: place})
	score(&d.Candidates[len(d.Candidates)-1], &c.weights, c.request, m)
}

// exclude finds the first reason against a target, in the order of the reasons.
func (c *choice) exclude(pf *ProviderFacts, m *ModelFacts, t Target, aside Reason) (Exclusion, bool) {
	p, r := c.policy, c.request
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

// standing is what the rank of a candidate goes by: for an alias its place, else its score; then the fallback order.
type standing struct {
	score float64
	order int // of its provider
	at    int // where the candidate is
}

// rank sorts the candidates, best first: those of an alias by its order, others by score; ties go by the fallback order of providers, then by the
// model's name.
func (c *choice) rank() {
	cs := c.decision.Candidates
	var room [64]standing // for the usual number, so that nothing is allocated
	by := room[:0]
	for i := range cs {
		s := standing{score: cs[i].Score, order: c.policy.place(cs[i].Provider), at: i}
		if c.places != nil {
			s.score = float64(cs[i].Rank)
		}
		by = append(by, s)
	}
	slices.SortFunc(by, func(a, b standing) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		case a.order != b.order:
			return cmp.Compare(a.order, b.order)
		default: // of one provider, or of two that the policy does not know
			return cmp.Or(cmp.Compare(cs[a.at].Model, cs[b.at].Model), cmp.Compare(cs[a.at].Provider, cs[b.at].Provider))
		}
	})
	for i := range by {
		from := by[i].at
		for from < i { // what stood there was moved when its place was filled
			from = by[from].at
		}
		cs[i], cs[from] = cs[from], cs[i]
		cs[i].Rank = i + 1
	}
}
