package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

// Flag is a switch of the tenant's.
type Flag struct {
	Name      string     `json:"name"`
	Enabled   bool       `json:"enabled"`
	UpdatedAt *time.Time `json:"updated_at" doc:"Null for a flag that came from an earlier version"`
	UpdatedBy *string    `json:"updated_by" doc:"A user's id; null when nobody knows"`
}

// FlagBody turns a flag on or off.
type FlagBody struct {
	Enabled bool `json:"enabled"`
}

// FlagNames are names of flags.
type FlagNames struct {
	Items []string `json:"items" nullable:"false"`
}

// Target is where calls go.
type Target struct {
	Provider string `json:"provider"`
	Model    string `json:"model" maxLength:"256"`
}

// Weights turn cost, latency and a missed latency objective into a score; lower is better.
type Weights struct {
	Cost       float64 `json:"cost" minimum:"0" maximum:"1000000000" doc:"Per cent"`
	Latency    float64 `json:"latency" minimum:"0" maximum:"1000000000" doc:"Per millisecond of p95"`
	SLOPenalty float64 `json:"slo_penalty" minimum:"0" maximum:"1000000000" doc:"Per millisecond of p95 over the objective"`
}

// Routes say which targets serve which task type; a type without is served by every provider's default model.
type Routes struct {
	General        []Target `json:"general,omitempty" nullable:"false"`
	CodeGeneration []Target `json:"code_generation,omitempty" nullable:"false"`
	Analysis       []Target `json:"analysis,omitempty" nullable:"false"`
	Creative       []Target `json:"creative,omitempty" nullable:"false"`
	Review         []Target `json:"review,omitempty" nullable:"false"`
}

// RoutingPolicy is the tenant's routing policy.
type RoutingPolicy struct {
	Version       int64    `json:"version" doc:"Grows by one with each change of terms, flags and aliases; also in ETag"`
	Weights       Weights  `json:"weights"`
	FallbackOrder []string `json:"fallback_order" nullable:"false"`
	Routes        Routes   `json:"routes"`
	AllowedModels []string `json:"allowed_models" nullable:"false" doc:"<provider>/<model> or a model's name; empty allows all"`
	MaxAttempts   int      `json:"max_attempts"`
	DeadlineMs    int64    `json:"deadline_ms" doc:"Of a call with all its attempts; 0: the installation's"`
}

// RoutingPolicyBody sets the terms of the routing policy. What is left out gets its default.
type RoutingPolicyBody struct {
	Version       int64    `json:"version,omitempty" minimum:"1" doc:"When given, one that If-Match names; 412 when it is not in force, with * too"`
	Weights       *Weights `json:"weights,omitempty"`
	FallbackOrder []string `json:"fallback_order,omitempty" nullable:"false" doc:"At least one provider; those left out follow in default order"`
	Routes        *Routes  `json:"routes,omitempty"`
	AllowedModels []string `json:"allowed_models,omitempty" nullable:"false"`
	MaxAttempts   *int     `json:"max_attempts,omitempty" minimum:"1" maximum:"10"`
	DeadlineMs    *int64   `json:"deadline_ms,omitempty" minimum:"0" maximum:"3600000"`
}

var (
	errNoIfMatch = fault.New(fault.Precondition, "precondition_required", "send If-Match with the version that you read, so that nobody's change is lost")
	errVersions  = fault.ErrValidation.At(fault.Field{Pointer: "/version", Code: "contradiction", Message: "is another version than If-Match names"})
)

func (x *exchange) listFlags() error {
	p, err := x.s.deps.Policies.Policy(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out, err := page(x, p.Flags(), oldestFirst, func(f routing.Flag) (time.Time, string) { return time.Time{}, f.Name })
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, mapList(out, flagOf))
}

func (x *exchange) routerFlags() error {
	p, err := x.s.deps.Policies.Policy(x.ctx, x.caller)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, FlagNames{Items: p.RouterFlags()})
}

func (x *exchange) setFlag() error {
	var b FlagBody
	if err := x.decode(&b); err != nil {
		return err
	}
	f, err := x.s.deps.Policies.SetFlag(x.ctx, x.caller, x.pathParam("name"), b.Enabled)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, flagOf(f))
}

func (x *exchange) clearFlag() error {
	if err := x.s.deps.Policies.ClearFlag(x.ctx, x.caller, x.pathParam("name")); err != nil {
		return err
	}
	return x.empty()
}

func flagOf(f routing.Flag) Flag {
	out := Flag{Name: f.Name, Enabled: f.Enabled, UpdatedBy: orNull(f.By)}
	if !f.At.IsZero() {
		at := f.At.UTC()
		out.UpdatedAt = &at
	}
	return out
}

func (x *exchange) routingPolicy() error {
	p, err := x.s.deps.Policies.Policy(x.ctx, x.caller)
	if err != nil {
		return err
	}
	return x.replyPolicy(p)
}

func (x *exchange) replyPolicy(p *routing.Policy) error {
	x.fc.Response.Header.Set("ETag", etag(p.Version()))
	return x.reply(http.StatusOK, policyOf(p))
}

func (x *exchange) revisePolicy() error {
	var b RoutingPolicyBody
	if err := x.decode(&b); err != nil {
		return err
	}
	match, err := x.ifMatch()
	if err != nil {
		return err
	}
	now, err := x.s.deps.Policies.Policy(x.ctx, x.caller)
	if err != nil {
		return err
	}
	from, err := b.from(match, now.Version())
	if err != nil {
		return err
	}
	p, err := x.s.deps.Policies.Revise(x.ctx, x.caller, from, b.terms(now.DefaultTerms()))
	if err != nil {
		return err
	}
	return x.replyPolicy(p)
}

// tags are what If-Match names.
type tags []string

// anyTag is the header that takes every version.
const anyTag = "*"

// ifMatch reads If-Match (RFC 9110, 13.1.1), which may be a list, on several lines too.
func (x *exchange) ifMatch() (tags, error) {
	var out tags
	for _, line := range x.fc.Request.Header.PeekAll("If-Match") {
		for tag := range strings.SplitSeq(string(line), ",") { // a version's tag has no comma
			if tag = strings.Trim(tag, " \t"); tag != "" {
				out = append(out, tag)
			}
		}
	}
	if len(out) == 0 {
		return nil, errNoIfMatch
	}
	return out, nil
}

// match reports whether a version is among the tags. They are compared to the letter, so a weak one is no version's.
func (t tags) match(version int64) bool {
	return t.all() || slices.Contains(t, etag(version))
}

func (t tags) all() bool { return len(t) == 1 && t[0] == anyTag }

func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// from gives the version that the change was made from, 0 for whatever there is: the body's when it names one, else that of the tags which is in
// force, else one that no policy has.
func (b *RoutingPolicyBody) from(t tags, now int64) (int64, error) {
	switch {
	case b.Version != 0 && !t.match(b.Version):
		return 0, errVersions
	case b.Version != 0:
		return b.Version, nil
	case t.all():
		return 0, nil
	case t.match(now):
		return now, nil
	default:
		return -1, nil
	}
}

// terms puts the body in the place of the default terms.
func (b *RoutingPolicyBody) terms(t routing.Terms) routing.Terms {
	if b.Weights != nil {
		t.Weights = routing.Weights{Cost: b.Weights.Cost, Latency: b.Weights.Latency, SLOPenalty: b.Weights.SLOPenalty}
	}
	if b.FallbackOrder != nil {
		t.FallbackOrder = b.FallbackOrder
	}
	if b.MaxAttempts != nil {
		t.MaxAttempts = *b.MaxAttempts
	}
	if b.AllowedModels != nil {
		t.AllowedModels = b.AllowedModels
	}
	if b.DeadlineMs != nil {
		t.Deadline = time.Duration(*b.DeadlineMs) * time.Millisecond
	}
	if b.Routes == nil {
		return t
	}
	t.Routes = map[routing.TaskType][]routing.Target{}
	for task, targets := range b.Routes.byTask() {
		for _, to := range *targets {
			t.Routes[task] = append(t.Routes[task], routing.Target{Provider: to.Provider, Model: to.Model})
		}
	}
	return t
}

func (r *Routes) byTask() map[routing.TaskType]*[]Target {
	return map[routing.TaskType]*[]Target{
		routing.General: &r.General, routing.CodeGeneration: &r.CodeGeneration, routing.Analysis: &r.Analysis,
		routing.Creative: &r.Creative, routing.Review: &r.Review,
	}
}

func policyOf(p *routing.Policy) RoutingPolicy {
	t := p.Terms()
	out := RoutingPolicy{
		Version: p.Version(), Weights: Weights{Cost: t.Weights.Cost, Latency: t.Weights.Latency, SLOPenalty: t.Weights.SLOPenalty},
		FallbackOrder: t.FallbackOrder, AllowedModels: append([]string{}, t.AllowedModels...), MaxAttempts: t.MaxAttempts,
		DeadlineMs: t.Deadline.Milliseconds(),
	}
	for task, targets := range out.Routes.byTask() {
		for _, to := range t.Routes[task] {
			*targets = append(*targets, Target{Provider: to.Provider, Model: to.Model})
		}
	}
	return out
}

// Alias is a name that stands for targets.
type Alias struct {
	Name      string        `json:"name"`
	Mode      string        `json:"mode" enum:"ordered,weighted"`
	Targets   []AliasTarget `json:"targets" nullable:"false"`
	Inherited bool          `json:"inherited" doc:"The installation's; an alias of the tenant's own with the name takes its place"`
}

// AliasTarget is one of an alias's targets.
type AliasTarget struct {
	Provider string   `json:"provider"`
	Model    string   `json:"model" maxLength:"256"`
	Weight   *float64 `json:"weight,omitempty" nullable:"true" minimum:"0" maximum:"1000000000" doc:"How often it comes first, as a part of the sum; in weighted aliases alone. 1 when absent, 0 comes last"`
}

// AliasBody says what an alias stands for.
type AliasBody struct {
	Mode    string        `json:"mode,omitempty" enum:"ordered,weighted" doc:"ordered when absent: tried as they stand"`
	Targets []AliasTarget `json:"targets" nullable:"false"`
}

func (x *exchange) listAliases() error {
	p, err := x.s.deps.Policies.Policy(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out, err := page(x, p.Aliases(), oldestFirst, func(a routing.Alias) (time.Time, string) { return time.Time{}, a.Name })
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, mapList(out, func(a routing.Alias) Alias { return aliasOf(p, a) }))
}

func (x *exchange) alias() error {
	p, err := x.s.deps.Policies.Policy(x.ctx, x.caller)
	if err != nil {
		return err
	}
	a, ok := p.Alias(x.pathParam("name"))
	if !ok {
		return routing.ErrNoAlias
	}
	return x.reply(http.StatusOK, aliasOf(p, a))
}

func (x *exchange) setAlias() error {
	var b AliasBody
	if err := x.decode(&b); err != nil {
		return err
	}
	a := routing.Alias{Name: x.pathParam("name"), Mode: routing.Ordered}
	if b.Mode != "" {
		a.Mode = routing.AliasMode(b.Mode)
	}
	for _, t := range b.Targets {
		to := routing.AliasTarget{Target: routing.Target{Provider: t.Provider, Model: t.Model}, Weight: 1}
		if t.Weight != nil {
			to.Weight = *t.Weight
		}
		a.Targets = append(a.Targets, to)
	}
	got, err := x.s.deps.Policies.SetAlias(x.ctx, x.caller, a)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, aliasOf(nil, got))
}

func (x *exchange) removeAlias() error {
	if err := x.s.deps.Policies.RemoveAlias(x.ctx, x.caller, x.pathParam("name")); err != nil {
		return err
	}
	return x.empty()
}

// aliasOf puts an alias in the answer's form. p is nil for one that is known to be the tenant's own.
func aliasOf(p *routing.Policy, a routing.Alias) Alias {
	out := Alias{Name: a.Name, Mode: string(a.Mode), Targets: []AliasTarget{}}
	if p != nil {
		_, own := p.OwnAlias(a.Name)
		out.Inherited = !own
	}
	for _, t := range a.Targets {
		to := AliasTarget{Provider: t.Provider, Model: t.Model}
		if a.Mode == routing.Weighted {
			to.Weight = &t.Weight
		}
		out.Targets = append(out.Targets, to)
	}
	return out
}
