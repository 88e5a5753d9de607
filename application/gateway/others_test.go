package gateway_test

import (
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
)

// TestABodyNamesNoModelThatTheTenantMayNotUse holds it of models that a vendor would answer with in place of the call's own.
func TestABodyNamesNoModelThatTheTenantMayNotUse(t *testing.T) {
	tests := map[string]struct {
		allowed []string // none: all
		dialect chat.Dialect
		others  []string
		refused bool
	}{
		"every model is allowed":            {nil, chat.DialectOpenAIChat, []string{"openai/gpt-5"}, false},
		"a model that is not on the list":   {[]string{"gpt-4o"}, chat.DialectOpenAIChat, []string{"openai/gpt-5"}, true},
		"one of several is not":             {[]string{"gpt-4o", "openrouter/openai/gpt-5"}, chat.DialectOpenAIChat, []string{"openai/gpt-5", "x/y"}, true},
		"a model of the list":               {[]string{"gpt-4o", "openrouter/openai/gpt-5"}, chat.DialectOpenAIChat, []string{"openai/gpt-5"}, false},
		"Anthropic's, on the list":          {[]string{"gpt-4o", "claude/claude-opus-4-1"}, chat.DialectAnthropic, []string{"claude-opus-4-1"}, false},
		"Anthropic's, not on the list":      {[]string{"gpt-4o", "openrouter/claude-opus-4-1"}, chat.DialectAnthropic, []string{"claude-opus-4-1"}, true},
		"a dialect that knows no such name": {[]string{"gpt-4o"}, chat.DialectResponses, nil, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.change(func(p *routing.Policy) error { return change.Allow(p, tc.allowed...) })
				call := request("gpt-4o")
				call.Dialect, call.Others = tc.dialect, tc.others
				_, err := w.Execute(t.Context(), call)
				if tc.refused {
					wantFault(t, err, fault.Forbidden, "provider_disabled")
				} else if err != nil {
					t.Errorf("got %v, want an answer", err)
				}
			})
		})
	}
}
