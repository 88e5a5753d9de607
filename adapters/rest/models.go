package rest

import (
	"net/http"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

// Models lists what can be asked for.
type Models struct {
	Items []Model `json:"items" nullable:"false"`
}

// Model is one model of one provider.
type Model struct {
	Name         string   `json:"name" doc:"<provider>/<model>, as model names are given"`
	Provider     string   `json:"provider"`
	Capabilities []string `json:"capabilities" nullable:"false" doc:"Task types"`
	Features     []string `json:"features" nullable:"false" doc:"vision, tools, json_schema, streaming"`
	Context      *int     `json:"context_window" doc:"Tokens; null when unknown"`
	Price        *Price   `json:"price"`
	Available    bool     `json:"available"`
	Reason       *string  `json:"reason" doc:"Why it is not available"`
}

// Price is in US dollars per 1,000 tokens, as decimals.
type Price struct {
	Input      string `json:"input_per_1k_usd"`
	Output     string `json:"output_per_1k_usd"`
	CacheRead  string `json:"cache_read_per_1k_usd"`
	CacheWrite string `json:"cache_write_per_1k_usd"`
}

// Capabilities says who serves what.
type Capabilities struct {
	TaskTypes []string            `json:"task_types" nullable:"false"`
	Matrix    map[string][]string `json:"matrix" doc:"Providers by task type"`
}

// Providers says how the providers stand.
type Providers struct {
	Providers []Provider `json:"providers" nullable:"false"`
}

// Provider is how one provider stands.
type Provider struct {
	Name       string     `json:"name"`
	Configured bool       `json:"configured"`
	Breaker    string     `json:"breaker" enum:"closed,open,half_open"`
	OpenUntil  *time.Time `json:"open_until"`
	P95Ms      *int       `json:"p95_ms" doc:"The highest of the task types; null until enough calls were seen"`
	Success    *float64   `json:"success_rate" doc:"0 to 1, of the last attempts; null before the first"`
	LastError  *string    `json:"last_error_class"`
}

func (x *exchange) models() error {
	views, err := x.s.deps.Gateway.Models(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out := Models{Items: make([]Model, len(views))}
	for i, v := range views {
		out.Items[i] = modelOf(v)
	}
	return x.reply(http.StatusOK, out)
}

func modelOf(v inbound.ModelView) Model {
	m := Model{
		Name: routing.Target{Provider: v.Provider, Model: v.Model}.String(), Provider: v.Provider, Capabilities: []string{},
		Features: append([]string{}, v.Features...), Available: v.Available, Reason: orNull(string(v.Reason)),
	}
	for _, t := range v.Capabilities {
		m.Capabilities = append(m.Capabilities, string(t))
	}
	if v.Context > 0 {
		m.Context = &v.Context
	}
	if p := v.Price; p != nil {
		m.Price = &Price{Input: perThousand(p.Input), Output: perThousand(p.Output), CacheRead: perThousand(p.CacheRead), CacheWrite: perThousand(p.CacheWrite)}
	}
	return m
}

// perThousand writes atto-dollars per token as dollars per 1,000 tokens.
func perThousand(attos int64) string { return decimal(attos, 15) }

func (x *exchange) capabilities() error {
	c, err := x.s.deps.Gateway.Capabilities(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out := Capabilities{TaskTypes: []string{}, Matrix: make(map[string][]string, len(c.Matrix))}
	for _, t := range c.TaskTypes {
		out.TaskTypes = append(out.TaskTypes, string(t))
		out.Matrix[string(t)] = append([]string{}, c.Matrix[t]...)
	}
	return x.reply(http.StatusOK, out)
}

func (x *exchange) providers() error {
	out := Providers{Providers: []Provider{}}
	for _, h := range x.s.deps.Gateway.Health(x.ctx) {
		p := Provider{Name: h.Name, Configured: h.Configured, Breaker: h.Breaker, OpenUntil: timeOrNull(h.OpenUntil), LastError: orNull(h.LastError)}
		if h.P95Ms > 0 {
			p.P95Ms = &h.P95Ms
		}
		if h.Attempts > 0 {
			p.Success = &h.Success
		}
		out.Providers = append(out.Providers, p)
	}
	return x.reply(http.StatusOK, out)
}
