package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

// routes is a fake of a tenant's policy, which is new for each request: it has the alias fast, and claude is forced.
type routes struct{ house *house }

func (r *routes) policy(ctx context.Context, caller inbound.Caller, asked any) *routing.Policy {
	r.house.note(ctx, caller, asked)
	if d := r.house.terms; len(d.Order) > 0 {
		return routing.NewPolicy(string(caller.TenantID), d)
	}
	p := routing.NewPolicy(string(caller.TenantID), routing.Defaults{
		Order: []string{"openrouter", "openai", "claude", "gemini"},
		Aliases: []routing.Alias{{Name: "cheap", Mode: routing.Weighted, Targets: []routing.AliasTarget{
			{Target: routing.Target{Provider: "openai", Model: "gpt-4o-mini"}, Weight: 3}, {Target: routing.Target{Provider: "gemini", Model: "g"}},
		}}},
	})
	_ = p.SetAlias(routing.Alias{Name: "fast", Mode: routing.Ordered, Targets: []routing.AliasTarget{{Target: routing.Target{Provider: "openai", Model: "gpt-4o"}}}})
	_ = p.SetFlag(routing.Flag{Name: routing.ForceFlag("claude"), Enabled: true, At: epoch, By: "u1"})
	return p
}

func (r *routes) Policy(ctx context.Context, caller inbound.Caller) (*routing.Policy, error) {
	return r.policy(ctx, caller, nil), nil
}

func (r *routes) Revise(ctx context.Context, caller inbound.Caller, version int64, t routing.Terms) (*routing.Policy, error) {
	p := r.policy(ctx, caller, t)
	if version == 0 {
		version = p.Version()
	}
	return p, p.Revise(version, t)
}

func (r *routes) SetFlag(ctx context.Context, caller inbound.Caller, name string, enabled bool) (routing.Flag, error) {
	p := r.policy(ctx, caller, name)
	if err := p.SetFlag(routing.Flag{Name: name, Enabled: enabled, At: epoch, By: string(caller.UserID)}); err != nil {
		return routing.Flag{}, err
	}
	return p.Flag(name)
}

func (r *routes) ClearFlag(ctx context.Context, caller inbound.Caller, name string) error {
	return r.policy(ctx, caller, name).ClearFlag(name)
}

func (r *routes) SetAlias(ctx context.Context, caller inbound.Caller, a routing.Alias) (routing.Alias, error) {
	return a, r.policy(ctx, caller, a).SetAlias(a)
}

func (r *routes) RemoveAlias(ctx context.Context, caller inbound.Caller, name string) error {
	return r.policy(ctx, caller, name).RemoveAlias(name)
}

func TestRoutingIsAdministered(t *testing.T) {
	const (
		flag     = `{"name":"router.force_provider_claude","enabled":true,"updated_at":"2030-01-31T12:00:00Z","updated_by":"u1"}`
		fast     = `{"name":"fast","mode":"ordered","targets":[{"provider":"openai","model":"gpt-4o"}],"inherited":false}`
		cheap    = `{"name":"cheap","mode":"weighted","targets":[{"provider":"openai","model":"gpt-4o-mini","weight":3},{"provider":"gemini","model":"g","weight":0}],"inherited":true}`
		order    = `"fallback_order":["openrouter","openai","claude","gemini"]`
		defaults = `{"version":3,"weights":{"cost":1,"latency":0.01,"slo_penalty":0.5},` + order + `,"routes":{},"allowed_models":[],"max_attempts":3,"deadline_ms":0}`
		changed  = `{"version":4,"weights":{"cost":2,"latency":0,"slo_penalty":0.25},"fallback_order":["gemini","openrouter","openai","claude"],` +
			`"routes":{"review":[{"provider":"claude","model":"m"}]},"allowed_models":["claude/m"],"max_attempts":5,"deadline_ms":1500}`
		change = `{"version":3,"weights":{"cost":2,"latency":0,"slo_penalty":0.25},"fallback_order":["gemini"],` +
			`"routes":{"review":[{"provider":"claude","model":"m"}]},"allowed_models":["claude/m"],"max_attempts":5,"deadline_ms":1500}`
	)
	tests := map[string]struct {
		method, path, body, match string
		status                    int
		want                      string
	}{
		"the flags":                             {"GET", "flags", ``, ``, 200, `{"items":[` + flag + `],"next_cursor":null}`},
		"the router's flags":                    {"GET", "flags/router", ``, ``, 200, `{"items":["router.force_provider_openrouter","router.force_provider_openai","router.force_provider_claude","router.force_provider_gemini","router.disable_provider_openrouter","router.disable_provider_openai","router.disable_provider_claude","router.disable_provider_gemini"]}`},
		"a flag turned on":                      {"PUT", "flags/router.force_provider_claude", `{"enabled":true}`, ``, 200, flag},
		"a second force":                        {"PUT", "flags/router.force_provider_openai", `{"enabled":true}`, ``, 409, "force_conflict"},
		"a flag of nobody's":                    {"PUT", "flags/router.force_provider_acme", `{"enabled":true}`, ``, 404, "not_found"},
		"a flag without a word":                 {"PUT", "flags/router.force_provider_claude", `{}`, ``, 400, "missing_field /enabled"},
		"a flag that is maybe":                  {"PUT", "flags/router.force_provider_claude", `{"enabled":"yes"}`, ``, 400, "wrong_type /enabled"},
		"a flag cleared":                        {"DELETE", "flags/router.force_provider_claude", ``, ``, 204, ""},
		"a flag of nobody's cleared":            {"DELETE", "flags/x", ``, ``, 404, "not_found"},
		"the policy":                            {"GET", "routing-policy", ``, ``, 200, defaults},
		"a change":                              {"PUT", "routing-policy", change, `"3"`, 200, changed},
		"a change of any version":               {"PUT", "routing-policy", `{"max_attempts":1}`, `*`, 200, `{"version":4,"weights":{"cost":1,"latency":0.01,"slo_penalty":0.5},` + order + `,"routes":{},"allowed_models":[],"max_attempts":1,"deadline_ms":0}`},
		"a change of no version":                {"PUT", "routing-policy", change, ``, 428, "precondition_required"},
		"a change of an earlier version":        {"PUT", "routing-policy", `{}`, `"2"`, 412, "stale_version"},
		"a change of a tag that is none":        {"PUT", "routing-policy", `{}`, `3`, 412, "stale_version"},
		"a change of a weak tag":                {"PUT", "routing-policy", `{}`, `W/"3"`, 412, "stale_version"},
		"a change of one of two versions":       {"PUT", "routing-policy", change, `"2", "3"`, 200, changed},
		"a change of one of many tags":          {"PUT", "routing-policy", change, `"x" ,W/"3",,"3"`, 200, changed},
		"a change of two earlier versions":      {"PUT", "routing-policy", `{}`, `"1","2"`, 412, "stale_version"},
		"a change of a tag with a nought":       {"PUT", "routing-policy", `{}`, `"03"`, 412, "stale_version"},
		"a change of nothing but commas":        {"PUT", "routing-policy", `{}`, `, ,`, 428, "precondition_required"},
		"a change of any, made from an earlier": {"PUT", "routing-policy", `{"version":2}`, `*`, 412, "stale_version"},
		"a change of a listed, earlier version": {"PUT", "routing-policy", `{"version":2}`, `"2","3"`, 412, "stale_version"},
		"a change of two versions":              {"PUT", "routing-policy", `{"version":2}`, `"3"`, 422, "validation_failed /version"},
		"a weight below nothing":                {"PUT", "routing-policy", `{"weights":{"cost":-1,"latency":0,"slo_penalty":0}}`, `"3"`, 422, "validation_failed /weights/cost"},
		"a weight beyond numbers":               {"PUT", "routing-policy", `{"weights":{"cost":1e999,"latency":0,"slo_penalty":0}}`, `"3"`, 400, "wrong_type /weights/cost"},
		"a weight that is missing":              {"PUT", "routing-policy", `{"weights":{"cost":1,"latency":0}}`, `"3"`, 400, "missing_field /weights/slo_penalty"},
		"an empty fallback order":               {"PUT", "routing-policy", `{"fallback_order":[]}`, `"3"`, 422, "validation_failed /fallback_order"},
		"a fallback order with a stranger":      {"PUT", "routing-policy", `{"fallback_order":["openai","acme"]}`, `"3"`, 422, "validation_failed /fallback_order/1"},
		"a route to a stranger":                 {"PUT", "routing-policy", `{"routes":{"review":[{"provider":"acme","model":"m"}]}}`, `"3"`, 422, "validation_failed /routes/review/0/provider"},
		"a route of a task that is none":        {"PUT", "routing-policy", `{"routes":{"poetry":[]}}`, `"3"`, 400, "unknown_field /routes/poetry"},
		"a route to what is not allowed":        {"PUT", "routing-policy", `{"allowed_models":["x"],"routes":{"review":[{"provider":"claude","model":"m"}]}}`, `"3"`, 422, "validation_failed /routes/review/0/model"},
		"attempts without end":                  {"PUT", "routing-policy", `{"max_attempts":11}`, `"3"`, 422, "validation_failed /max_attempts"},
		"a deadline of a day":                   {"PUT", "routing-policy", `{"deadline_ms":86400000}`, `"3"`, 422, "validation_failed /deadline_ms"},
		"the aliases":                           {"GET", "aliases", ``, ``, 200, `{"items":[` + cheap + `,` + fast + `],"next_cursor":null}`},
		"an alias":                              {"GET", "aliases/fast", ``, ``, 200, fast},
		"an alias of the installation":          {"GET", "aliases/cheap", ``, ``, 200, cheap},
		"an alias of nobody's":                  {"GET", "aliases/slow", ``, ``, 404, "not_found"},
		"an alias set":                          {"PUT", "aliases/fast", `{"targets":[{"provider":"openai","model":"gpt-4o"}]}`, ``, 200, fast},
		"an alias by the name of the router":    {"PUT", "aliases/auto:x", `{"targets":[{"provider":"openai","model":"gpt-4o"}]}`, ``, 422, "validation_failed /name"},
		"an alias for nothing":                  {"PUT", "aliases/fast", `{"targets":[]}`, ``, 422, "validation_failed /targets"},
		"an alias for a stranger":               {"PUT", "aliases/fast", `{"targets":[{"provider":"acme","model":"m"}]}`, ``, 422, "validation_failed /targets/0/provider"},
		"an alias that weighs less than nought": {"PUT", "aliases/fast", `{"mode":"weighted","targets":[{"provider":"openai","model":"m","weight":-0.5}]}`, ``, 422, "validation_failed /targets/0/weight"},
		"an alias that weighs nothing":          {"PUT", "aliases/fast", `{"mode":"weighted","targets":[{"provider":"openai","model":"m","weight":0}]}`, ``, 422, "validation_failed /targets/0/weight"},
		"an alias of a mode that is none":       {"PUT", "aliases/fast", `{"mode":"random","targets":[{"provider":"openai","model":"m"}]}`, ``, 422, "validation_failed /mode"},
		"an alias removed":                      {"DELETE", "aliases/fast", ``, ``, 204, ""},
		"an alias of the installation removed":  {"DELETE", "aliases/cheap", ``, ``, 404, "not_found"},
	}
	w := start(t)
	for name, tc := range tests {
		for who, prefix := range map[string]string{"admin": adminPath, "platform": otherPath} {
			t.Run(name+" as "+who, func(t *testing.T) {
				options := []string{kindToken + who}
				if tc.match != "" {
					options = append(options, "If-Match: "+tc.match)
				}
				got := w.do(tc.method, prefix+tc.path, tc.body, options...)
				if said := said(t, got); got.status != tc.status || said != tc.want {
					t.Errorf("got  %s\nwant %d %s", got, tc.status, tc.want)
				}
				if tag := got.header.Get("ETag"); tc.path == "routing-policy" && tc.status == 200 && tag == "" {
					t.Error("no ETag")
				}
			})
		}
	}
}

// TestWhatIsLeftOutGetsTheInstallationsDefault leaves everything out, and then says that there are no routes and no deadline.
func TestWhatIsLeftOutGetsTheInstallationsDefault(t *testing.T) {
	w := start(t)
	w.house.terms = routing.Defaults{
		Order: []string{"gemini", "claude", "openai", "openrouter"}, Weights: routing.Weights{Cost: 3}, MaxAttempts: 5, Deadline: time.Minute,
		Routes: map[routing.TaskType][]routing.Target{routing.Review: {{Provider: "claude", Model: "m"}}},
	}
	const terms = `"weights":{"cost":3,"latency":0,"slo_penalty":0},"fallback_order":["gemini","claude","openai","openrouter"],`
	for body, want := range map[string]string{
		`{}`:                            terms + `"routes":{"review":[{"provider":"claude","model":"m"}]},"allowed_models":[],"max_attempts":5,"deadline_ms":60000}`,
		`{"routes":{},"deadline_ms":0}`: terms + `"routes":{},"allowed_models":[],"max_attempts":5,"deadline_ms":0}`,
	} {
		if got := w.do("PUT", adminPath+"routing-policy", body, kindToken+"admin", "If-Match: *"); got.status != 200 || !strings.HasSuffix(string(got.body), want) {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

// TestTagsOnSeveralLinesAreOneList sends two headers, which are one list (RFC 9110, 5.3).
func TestTagsOnSeveralLinesAreOneList(t *testing.T) {
	w := start(t)
	if got := w.do("PUT", adminPath+"routing-policy", `{}`, kindToken+"admin", `If-Match: "1"`, `If-Match: "3"`); got.status != 200 {
		t.Errorf("got %s, want 200", got)
	}
}

// TestAFullPolicyIsNotTooLarge fills every list with names as long as they may be, for the tenant's own administrators and for a platform's.
func TestAFullPolicyIsNotTooLarge(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("%0256d", i) }
	var allowed, targets []string
	for i := range routing.MaxAllowed {
		allowed = append(allowed, `"`+name(i)+`"`)
	}
	for i := range routing.MaxRoutes {
		targets = append(targets, `{"provider":"openrouter","model":"`+name(i)+`"}`)
	}
	var routes []string
	for _, task := range routing.TaskTypes() {
		routes = append(routes, `"`+string(task)+`":[`+strings.Join(targets, ",")+`]`)
	}
	full := `{"allowed_models":[` + strings.Join(allowed, ",") + `],"routes":{` + strings.Join(routes, ",") + `}}`
	w := start(t)
	for who, path := range map[string]string{"admin": adminPath, "platform": otherPath} {
		if got := w.do("PUT", path+"routing-policy", full, kindToken+who, "If-Match: *"); got.status != 200 {
			t.Errorf("as %s: got %d of %d bytes sent, want 200", who, got.status, len(full))
		}
		if got := w.do("PUT", path+"routing-policy", full+strings.Repeat(" ", 512<<10), kindToken+who, "If-Match: *"); got.status != 413 {
			t.Errorf("as %s, and half a MiB more: got %s, want 413", who, got)
		}
		if got := w.do("PUT", path+"aliases/fast", `{"targets":[]}`+strings.Repeat(" ", 16<<10), kindToken+who); got.status != 413 {
			t.Errorf("an alias of over 16 KiB as %s: got %s, want 413", who, got)
		}
	}
	wrong := strings.ReplaceAll(full, name(0)[:200], `\n`)
	if got := w.do("PUT", adminPath+"routing-policy", wrong, kindToken+"admin", "If-Match: *"); got.status != 422 || len(got.body) > 32<<10 {
		t.Errorf("every name wrong: got %d with %d bytes, want 422 that names some", got.status, len(got.body))
	}
}

func TestScriptsOfListedOriginsMaySendIfMatch(t *testing.T) {
	const good = "https://app.example"
	w := start(t, func(c *rest.Config) { c.CORSOrigins, c.CORSCredentials = []string{good}, true })
	got := w.do("OPTIONS", adminPath+"routing-policy", "", "Origin: "+good, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: if-match")
	if allowed := got.header.Get("Access-Control-Allow-Headers"); !strings.Contains(allowed, "If-Match") {
		t.Errorf("got %q, want If-Match among them", allowed)
	}
}
