package routing_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

func TestTermsAreChecked(t *testing.T) {
	long := strings.Repeat("m", 256)
	route := func(task routing.TaskType, targets ...routing.Target) func(*routing.Terms) {
		return func(t *routing.Terms) { t.Routes[task] = targets }
	}
	tests := map[string]struct {
		change func(*routing.Terms)
		want   []string // pointers and codes; none: the terms are good
	}{
		"nothing is changed": {func(*routing.Terms) {}, nil},
		"every weight is wrong": {
			func(t *routing.Terms) {
				t.Weights = routing.Weights{Cost: -0.1, Latency: math.NaN(), SLOPenalty: math.Inf(1)}
			},
			[]string{"/weights/cost out_of_range", "/weights/latency out_of_range", "/weights/slo_penalty out_of_range"},
		},
		"weights at their bounds": {func(t *routing.Terms) { t.Weights = routing.Weights{Cost: 1e9} }, nil},
		"an order of nobody":      {func(t *routing.Terms) { t.FallbackOrder = nil }, []string{"/fallback_order out_of_range"}},
		"an order with a stranger and a provider twice": {
			func(t *routing.Terms) { t.FallbackOrder = []string{"openai", "stranger", "claude", "openai"} },
			[]string{"/fallback_order/1 unknown_provider", "/fallback_order/3 duplicate"},
		},
		"no attempt":                   {func(t *routing.Terms) { t.MaxAttempts = 0 }, []string{"/max_attempts out_of_range"}},
		"ten attempts":                 {func(t *routing.Terms) { t.MaxAttempts = 10 }, nil},
		"too many attempts":            {func(t *routing.Terms) { t.MaxAttempts = 11 }, []string{"/max_attempts out_of_range"}},
		"a deadline below 0":           {func(t *routing.Terms) { t.Deadline = -1 }, []string{"/deadline_ms out_of_range"}},
		"a deadline of less than a ms": {func(t *routing.Terms) { t.Deadline = time.Millisecond - 1 }, []string{"/deadline_ms out_of_range"}},
		"the shortest deadline":        {func(t *routing.Terms) { t.Deadline = time.Millisecond }, nil},
		"the longest deadline":         {func(t *routing.Terms) { t.Deadline = time.Hour }, nil},
		"too long a deadline":          {func(t *routing.Terms) { t.Deadline = time.Hour + 1 }, []string{"/deadline_ms out_of_range"}},
		"names of models": {
			func(t *routing.Terms) {
				t.AllowedModels = []string{"openai/ok", "", "a\nb", "\xff", "a\u0085b", long, long + "m", "models/ö:x"}
			},
			[]string{
				"/allowed_models/1 invalid_value", "/allowed_models/2 invalid_value", "/allowed_models/3 invalid_value", "/allowed_models/4 invalid_value",
				"/allowed_models/6 invalid_value",
			},
		},
		"too many allowed models": {
			func(t *routing.Terms) { t.AllowedModels = make([]string, routing.MaxAllowed+1) }, []string{"/allowed_models out_of_range"},
		},
		"a route of no task type": {route("po~et/ry", to("openai", "m")), []string{"/routes/po~0et~1ry unknown_value"}},
		"routes that cannot be": {
			route(routing.Review, to("openai", "m"), to("stranger", "m"), to("openai", ""), to("openai", "m"), to("claude", "m")),
			[]string{"/routes/review/1/provider unknown_provider", "/routes/review/2/model invalid_value", "/routes/review/3/model duplicate"},
		},
		"a route that is not allowed": {func(t *routing.Terms) {
			t.AllowedModels = []string{"claude/m"}
			route(routing.Creative, to("claude", "m"), to("openai", "m"))(t)
		}, []string{"/routes/creative/1/model contradiction"}},
		"as many targets as may be": {route(routing.Review, many(routing.MaxRoutes)...), nil},
		"too many targets":          {route(routing.Review, many(routing.MaxRoutes+1)...), []string{"/routes/review out_of_range"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := policy()
			before := p.Snapshot()
			terms := p.Terms()
			tt.change(&terms)
			err := p.Revise(p.Version(), terms)
			names(t, err, tt.want...)
			if err != nil && !cmp.Equal(before, p.Snapshot()) {
				t.Errorf("terms that were refused changed the policy:\n%s", cmp.Diff(before, p.Snapshot()))
			}
		})
	}
}

func many(n int) []routing.Target {
	var out []routing.Target
	for i := range n {
		out = append(out, to("openai", fmt.Sprint(i)))
	}
	return out
}

func TestAFloodOfMistakesIsNotSaidWhole(t *testing.T) {
	p := policy()
	terms := p.Terms()
	terms.FallbackOrder = slices.Repeat([]string{"stranger"}, 100_000)
	f, ok := errors.AsType[*fault.Error](p.Revise(1, terms))
	if !ok || len(f.Fields) > 200 {
		t.Errorf("error %.80v, want one of at most 200 fields", f)
	}
}

func TestTermsAreSetUnderAVersion(t *testing.T) {
	p := policy()
	terms := p.Terms()
	for _, version := range []int64{0, 2, -1} {
		if err := p.Revise(version, terms); !errors.Is(err, routing.ErrStale) || fault.KindOf(err) != fault.Stale {
			t.Errorf("a change of version %d: %v, want it stale", version, err)
		}
	}
	must(t, p.Revise(1, terms))
	if err := p.Revise(1, terms); !errors.Is(err, routing.ErrStale) || p.Version() != 2 {
		t.Errorf("a second change of version 1: %v, version %d; want it stale, and version 2", err, p.Version())
	}
	terms.MaxAttempts = 0
	if err := p.Revise(1, terms); !errors.Is(err, routing.ErrStale) {
		t.Errorf("a stale change that is wrong as well: %v, want it stale", err)
	}
}

func TestParseTaskType(t *testing.T) {
	for _, task := range append([]routing.TaskType{""}, routing.TaskTypes()...) {
		want := task
		if want == "" {
			want = routing.General
		}
		if got, err := routing.ParseTaskType(string(task)); got != want || err != nil {
			t.Errorf("%q is read as %q, %v", task, got, err)
		}
	}
	for _, bad := range []string{"poetry", "General", " general", "general\x00"} {
		_, err := routing.ParseTaskType(bad)
		names(t, err, "/task_type unknown_value")
	}
}

func TestTargetsPrintAsNames(t *testing.T) {
	if got := to("openrouter", "openai/gpt-4o").String(); got != "openrouter/openai/gpt-4o" {
		t.Errorf("got %s", got)
	}
}
