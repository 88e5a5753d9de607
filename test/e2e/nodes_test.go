package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/test/harness"
)

// TestChangesOfRoutingActOnEveryNodeWithinASecond changes flags, aliases and the policy on one of two nodes. The other, which has the policy of before
// in mind, goes by the new one a second later at the latest.
func TestChangesOfRoutingActOnEveryNodeWithinASecond(t *testing.T) {
	one := harness.New(t, harness.Options{Stores: harness.Servers})
	other := harness.New(t, harness.Options{Beside: one})
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		one.Behave(t, v, `{"mode":"echo"}`)
	}
	admin := owner(t, one)
	served := func(f *harness.Forge, model string) string {
		a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": "hello", "model_name": model, "context": map[string]any{"cache": false}})
		if a.Status != http.StatusOK {
			return a.Field("code")
		}
		return a.Header.Get("X-Forge-Provider")
	}
	const target = `"targets":[{"provider":"gemini","model":"gemini-2.5-flash"}]`
	for _, tt := range []struct {
		what, method, path, body, model string
		headers                         []string
		want                            string
	}{
		{"claude forced", http.MethodPut, "flags/router.force_provider_claude", `{"enabled":true}`, "auto", nil, "claude"},
		{"the force lifted", http.MethodDelete, "flags/router.force_provider_claude", "", "gemini/gemini-2.5-flash", nil, "gemini"},
		{"claude disabled", http.MethodPut, "flags/router.disable_provider_claude", `{"enabled":true}`, "claude/claude-haiku-4-5", nil, "provider_disabled"},
		{"an alias made", http.MethodPut, "aliases/quick", `{` + target + `}`, "quick", nil, "gemini"},
		{"gemini not allowed", http.MethodPut, "routing-policy", `{"allowed_models":["gpt-4o-mini"]}`, "quick", []string{"If-Match", "*"}, "provider_disabled"},
		{"an alias removed", http.MethodDelete, "aliases/quick", "", "quick", nil, "model_not_found"},
	} {
		served(other, tt.model) // now it has the policy in mind
		var body any
		if tt.body != "" {
			body = tt.body
		}
		if a := admin.Do(t, tt.method, "/api/v1/admin/"+tt.path, body, tt.headers...); a.Status/100 != 2 {
			t.Fatalf("%s: got %d %s", tt.what, a.Status, a.Body)
		}
		second := time.After(time.Second)
		if got := served(one, tt.model); got != tt.want {
			t.Errorf("%s: the node that took it says %q at once, want %q", tt.what, got, tt.want)
		}
		<-second
		if got := served(other, tt.model); got != tt.want {
			t.Errorf("%s: the other node says %q a second later, want %q", tt.what, got, tt.want)
		}
	}
	a := admin.Do(t, http.MethodGet, "/api/v1/admin/audit?event=routing_policy_changed", nil)
	for _, what := range []string{"flag router.force_provider_claude on", "flag router.force_provider_claude cleared", "alias quick removed", "terms"} {
		if !strings.Contains(string(a.Body), `"what":"`+what+`"`) {
			t.Errorf("the audit log does not say %q: %s", what, a.Body)
		}
	}
}

// TestOfTwoNodesThatReviseThePolicyOneIsToldOfTheOther makes two changes from one version, on two nodes at once. One is taken; the other is refused,
// and nothing of it is kept.
func TestOfTwoNodesThatReviseThePolicyOneIsToldOfTheOther(t *testing.T) {
	one := harness.New(t, harness.Options{Stores: harness.Servers})
	other := harness.New(t, harness.Options{Beside: one})
	clients := []*harness.Client{owner(t, one), owner(t, other)}
	for range 10 {
		tag := clients[0].Do(t, http.MethodGet, "/api/v1/admin/routing-policy", nil).Header.Get("ETag")
		type outcome struct{ attempts, status int }
		outcomes := make(chan outcome, 2)
		for i, c := range clients {
			go func() {
				a := c.Do(t, http.MethodPut, "/api/v1/admin/routing-policy", map[string]any{"max_attempts": i + 5}, "If-Match", tag)
				outcomes <- outcome{i + 5, a.Status}
			}()
		}
		taken := 0
		for range clients {
			switch o := <-outcomes; {
			case o.status == http.StatusOK && taken == 0:
				taken = o.attempts
			case o.status != http.StatusPreconditionFailed:
				t.Errorf("a change from the version that another has changed: got %d, want 412", o.status)
			}
		}
		var now struct {
			MaxAttempts int `json:"max_attempts"`
		}
		clients[1].JSON(t, http.MethodGet, "/api/v1/admin/routing-policy", nil, &now)
		if taken == 0 || now.MaxAttempts != taken {
			t.Errorf("%d attempts were taken and %d are kept", taken, now.MaxAttempts)
		}
	}
}
