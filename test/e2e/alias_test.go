package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

// owner signs the harness's owner in and gives a client that may administer the tenant.
func owner(t *testing.T, f *harness.Forge) *harness.Client {
	t.Helper()
	var in struct {
		Token string `json:"access_token"`
	}
	f.As("").JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": f.Email, "password": f.Password}, &in)
	return f.As(in.Token)
}

// set makes a request of an administrator and demands that it is taken.
func set(t *testing.T, c *harness.Client, path string, body any) {
	t.Helper()
	c.JSON(t, http.MethodPut, "/api/v1/admin/"+path, body, nil)
}

// TestAnApplicationOnAnAliasDoesNotNoticeThatKeysFail has a pool of three keys behind the first target of an alias. One is revoked and one throttled
// while the application works.
func TestAnApplicationOnAnAliasDoesNotNoticeThatKeysFail(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := harness.New(t, harness.Options{Stores: stores, Env: map[string]string{"OPENAI_API_KEY": "key-one,key-two,key-three"}})
			for _, v := range []string{"openai", "anthropic"} {
				f.Behave(t, v, `{"mode":"echo"}`)
			}
			set(t, owner(t, f), "aliases/fast", map[string]any{"targets": []any{
				map[string]any{"provider": "openai", "model": "gpt-4o-mini"}, map[string]any{"provider": "claude", "model": "claude-haiku-4-5"},
			}})
			var models struct{ Data []struct{ ID string } }
			f.JSON(t, http.MethodGet, "/v1/models", nil, &models)
			if !slices.ContainsFunc(models.Data, func(m struct{ ID string }) bool { return m.ID == "fast" }) {
				t.Error("/v1/models does not list the alias")
			}
			f.JSON(t, http.MethodGet, "/v1/models/fast", nil, nil)

			ask := func(n int) (served map[string]int) {
				served = map[string]int{}
				for range n {
					a := f.Do(t, http.MethodPost, "/v1/chat/completions", map[string]any{"model": "fast", "messages": []any{map[string]any{"role": "user", "content": "hello"}}})
					if a.Status != http.StatusOK {
						t.Errorf("the application sees %d %s", a.Status, a.Body)
					}
					served[a.Header.Get("X-Forge-Provider")]++
				}
				return served
			}
			if got := ask(10); got["openai"] != 10 {
				t.Errorf("with three sound keys: served by %v, want the first target", got)
			}
			f.Behave(t, "openai", `{"mode":"echo","fail_keys":{"key-one":401}}`)
			if got := ask(10); got["openai"] != 10 {
				t.Errorf("with a revoked key: served by %v, want the first target", got)
			}
			f.Behave(t, "openai", `{"mode":"echo","fail_keys":{"key-one":401,"key-two":429},"retry_after":30}`)
			if got := ask(20); got["openai"] != 20 {
				t.Errorf("with a revoked and a throttled key: served by %v, want the first target", got)
			}
			if asked := f.VendorStats(t, "openai").Failed; asked != 2 {
				t.Errorf("the two bad keys were tried %d times, want once each: they rest", asked)
			}
			f.Behave(t, "openai", `{"mode":"echo","fail_keys":{"key-one":401,"key-two":429,"key-three":401},"retry_after":30}`)
			if got := ask(5); got["claude"] != 5 {
				t.Errorf("without a sound key: served by %v, want the second target", got)
			}
		})
	}
}

func TestAWeightedAliasSplitsTheCalls(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, v := range []string{"openai", "gemini"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	set(t, owner(t, f), "aliases/split", map[string]any{"mode": "weighted", "targets": []any{
		map[string]any{"provider": "openai", "model": "gpt-4o-mini", "weight": 1}, map[string]any{"provider": "gemini", "model": "gemini-2.5-flash", "weight": 1},
	}})
	served := map[string]int{}
	for range 60 {
		var got executed
		f.JSON(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": "hello", "model_name": "split", "context": map[string]any{"cache": false}}, &got)
		served[got.Metadata.Provider]++
	}
	if served["openai"] < 10 || served["gemini"] < 10 || len(served) != 2 {
		t.Errorf("60 calls went to %v, want about half to each", served)
	}
}

func TestFlagsActAtOnce(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	admin := owner(t, f)
	execute := func(model string) harness.Answer {
		return f.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": "hello", "model_name": model, "context": map[string]any{"cache": false}})
	}
	for _, name := range []string{"openrouter", "openai", "claude", "gemini"} {
		flag := "flags/router.force_provider_" + name
		set(t, admin, flag, map[string]bool{"enabled": true})
		if a := execute("auto"); a.Header.Get("X-Forge-Provider") != name {
			t.Errorf("with %s forced: served by %q with %d", name, a.Header.Get("X-Forge-Provider"), a.Status)
		}
		other := "gemini/gemini-2.5-flash"
		if name == "gemini" {
			other = "openai/gpt-4o-mini"
		}
		if a := execute(other); a.Status != http.StatusForbidden || a.Field("code") != "provider_disabled" {
			t.Errorf("a pin against the force of %s: got %d %s, want 403 provider_disabled", name, a.Status, a.Body)
		}
		if a := admin.Do(t, http.MethodDelete, "/api/v1/admin/"+flag, nil); a.Status != http.StatusNoContent {
			t.Errorf("clear %s: got %d", flag, a.Status)
		}
	}
	for _, name := range []string{"openrouter", "openai", "claude"} {
		set(t, admin, "flags/router.disable_provider_"+name, map[string]bool{"enabled": true})
	}
	if a := execute("auto"); a.Header.Get("X-Forge-Provider") != "gemini" {
		t.Errorf("with three disabled: served by %q with %d %s, want gemini", a.Header.Get("X-Forge-Provider"), a.Status, a.Body)
	}
	set(t, admin, "flags/router.disable_provider_gemini", map[string]bool{"enabled": true})
	if a := execute("auto"); a.Status != http.StatusServiceUnavailable || a.Field("code") != "no_provider_available" || !strings.Contains(a.Field("detail"), "disabled") {
		t.Errorf("with all disabled: got %d %s, want 503 that says so", a.Status, a.Body)
	}
	set(t, admin, "flags/router.force_provider_claude", map[string]bool{"enabled": true})
	if a := execute("auto"); a.Header.Get("X-Forge-Provider") != "claude" {
		t.Errorf("with one disabled and forced: served by %q with %d, want it: force beats disable", a.Header.Get("X-Forge-Provider"), a.Status)
	}
}
