package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/forge1/forge1/test/harness"
)

// decided is a decision as it is shown.
type decided struct {
	ID         string
	TaskType   string `json:"task_type"`
	Policy     int64  `json:"policy_version"`
	Snapshot   string `json:"snapshot_id"`
	Alias      string
	Chosen     *struct{ Provider, Model string }
	Candidates []map[string]any
	Excluded   []map[string]any
	Attempts   []struct{ Provider, Model, Outcome string }
	Outcome    *string
}

// why is what a decision says of where a call may go.
func (d decided) why() any {
	return []any{d.TaskType, d.Policy, d.Alias, d.Chosen, d.Candidates, d.Excluded}
}

// told reads a decision back, and makes it again.
func told(t *testing.T, c *harness.Client, id string) decided {
	t.Helper()
	var d decided
	c.JSON(t, http.MethodGet, "/api/v1/router/decisions/"+id, nil, &d)
	var again struct {
		Same     bool
		Decision decided
	}
	c.JSON(t, http.MethodGet, "/api/v1/router/decisions/"+id+"/replay", nil, &again)
	if diff := cmp.Diff(d.why(), again.Decision.why()); diff != "" || !again.Same || d.ID != id {
		t.Errorf("decision %s of %q, made again: same %t (-was +is):\n%s", id, d.ID, again.Same, diff)
	}
	return d
}

// TestEveryAnswerCanBeExplainedAtOnce makes calls of every kind while a vendor fails and latencies are learned, and asks of each why it went where it went.
func TestEveryAnswerCanBeExplainedAtOnce(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := harness.New(t, harness.Options{Stores: stores, Env: map[string]string{
				"GOOGLE_AI_API_KEY": "", "CIRCUIT_BREAKER_THRESHOLD": "2", "OPENROUTER_1K_TOKEN_COST_CENTS": "0.0001",
			}})
			for _, v := range []string{"openai", "anthropic"} {
				f.Behave(t, v, `{"mode":"echo"}`)
			}
			f.Behave(t, "openrouter", `{"mode":"echo","fail_rate":0.4,"fail_status":500,"seed":7}`)
			set(t, owner(t, f), "aliases/fast", map[string]any{"mode": "weighted", "targets": []any{
				map[string]any{"provider": "openai", "model": "gpt-4o-mini", "weight": 1}, map[string]any{"provider": "claude", "model": "claude-haiku-4-5", "weight": 2},
			}})
			for name, body := range map[string]map[string]any{
				"routed":             {"task": "x"},
				"with an objective":  {"task": "x", "task_type": "review", "context": map[string]any{"latency_slo_ms": 1, "max_tokens": 33}},
				"with tools":         {"task": "x", "context": map[string]any{"tools": []any{map[string]any{"type": "function", "function": map[string]any{"name": "f"}}}}},
				"pinned":             {"task": "x", "model_name": "claude/claude-haiku-4-5"},
				"of an unknown name": {"task": "x", "model_name": "openai/never-heard-of"},
				"of an alias":        {"task": "x", "model_name": "fast"},
				"that nobody serves": {"task": "x", "model_name": "gemini/gemini-2.5-flash"},
				"streamed":           {"task": "x", "stream": true},
			} {
				for range 8 {
					a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", body)
					d := told(t, f.Client, a.Header.Get("X-Forge-Decision-Id"))
					switch {
					case d.Outcome == nil && body["stream"] == nil:
						t.Errorf("%s: the outcome of an answer is not known", name)
					case a.Status == http.StatusOK && a.Header.Get("X-Forge-Provider") != d.Attempts[len(d.Attempts)-1].Provider:
						t.Errorf("%s: served by %s, after the attempts %v", name, a.Header.Get("X-Forge-Provider"), d.Attempts)
					case a.Status != http.StatusOK && d.Outcome != nil && *d.Outcome != a.Field("code"):
						t.Errorf("%s: got %d %s, explained as %s", name, a.Status, a.Body, *d.Outcome)
					case (d.Alias != "") != (name == "of an alias"), (d.Chosen == nil) != (len(d.Candidates) == 0):
						t.Errorf("%s: got %+v", name, d)
					}
				}
			}
		})
	}
}

func TestExplainSaysWhatExecuteThenDoes(t *testing.T) {
	f := harness.New(t, harness.Options{Env: map[string]string{"CIRCUIT_BREAKER_THRESHOLD": "1", "OPENROUTER_1K_TOKEN_COST_CENTS": "0.0001"}})
	for _, v := range []string{"openai", "anthropic", "gemini"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	for i := range 14 {
		if i == 7 { // its breaker opens
			f.Behave(t, "openrouter", `{"mode":"echo","fail_rate":1,"fail_status":500}`)
		}
		body := map[string]any{"task": strings.Repeat("why? ", i), "context": map[string]any{"latency_slo_ms": 50}}
		if i%3 == 2 {
			body["model_name"] = "openai/gpt-4o-mini"
		}
		if body["task"] == "" {
			body["task"] = "why?"
		}
		var before decided
		f.JSON(t, http.MethodPost, "/api/v1/router/explain", body, &before)
		a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", body, "X-Forge-Explain", "true")
		header, err := base64.RawURLEncoding.DecodeString(a.Header.Get("X-Forge-Decision"))
		var after, inside decided
		var answer struct {
			Metadata struct{ Decision json.RawMessage }
		}
		if err == nil {
			err = json.Unmarshal(header, &after)
		}
		a.Into(t, &answer)
		if err == nil {
			err = json.Unmarshal(answer.Metadata.Decision, &inside)
		}
		if diff := cmp.Diff(before.why(), after.why()); err != nil || diff != "" {
			t.Errorf("call %d: %v, explained and then done (-explained +done):\n%s", i, err, diff)
		}
		if diff := cmp.Diff(after, inside); diff != "" {
			t.Errorf("call %d: the header and metadata.decision differ:\n%s", i, diff)
		}
		if before.Chosen == nil || after.Attempts[0].Provider != before.Chosen.Provider || after.Attempts[0].Model != before.Chosen.Model {
			t.Errorf("call %d: explained as %v, tried %v first", i, before.Chosen, after.Attempts)
		}
		if a := f.Do(t, http.MethodGet, "/api/v1/router/decisions/"+before.ID, nil); a.Status != http.StatusNotFound {
			t.Errorf("what was explained without a call is kept: got %d, want 404", a.Status)
		}
	}
	t.Run("also when nobody can serve", func(t *testing.T) {
		f := harness.New(t, harness.Options{NoKeys: true})
		var d decided
		f.JSON(t, http.MethodPost, "/api/v1/router/explain", map[string]any{"task": "x"}, &d)
		if d.Chosen != nil || len(d.Candidates) != 0 || len(d.Excluded) != 4 || d.Outcome != nil {
			t.Errorf("got %+v", d)
		}
	})
}

func TestDecisionsAreListedByWhatTheyAre(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	f.Behave(t, "gemini", `{"mode":"echo","fail_rate":1,"fail_status":500}`)
	var ids []string // newest first
	for _, body := range []map[string]any{
		{"task": "x", "model_name": "openai/gpt-4o-mini"},
		{"task": "x", "model_name": "openai/gpt-4o", "task_type": "review"},
		{"task": "x", "model_name": "claude/claude-haiku-4-5", "task_type": "review"},
		{"task": "x", "model_name": "gemini/gemini-2.5-flash"},
		{"task": "x", "model_name": "openai/gpt-4o-mini", "task_type": "creative"},
	} {
		a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", body)
		ids = slices.Insert(ids, 0, a.Header.Get("X-Forge-Decision-Id"))
	}
	list := func(c *harness.Client, query string) (got []string, next string) {
		t.Helper()
		var page struct {
			Items []decided
			Next  *string `json:"next_cursor"`
		}
		c.JSON(t, http.MethodGet, "/api/v1/router/decisions?"+query, nil, &page)
		for _, d := range page.Items {
			got = append(got, d.ID)
		}
		if page.Next != nil {
			next = *page.Next
		}
		return got, next
	}
	pick := func(places ...int) (out []string) {
		for _, i := range places {
			out = append(out, ids[i])
		}
		return out
	}
	cases := map[string][]string{
		"":                                   ids,
		"task_type=review":                   pick(2, 3),
		"provider=openai":                    pick(0, 3, 4),
		"model=gpt-4o-mini":                  pick(0, 4),
		"outcome=provider_error":             pick(1),
		"outcome=ok&provider=openai":         pick(0, 3, 4),
		"task_type=review&provider=claude":   pick(2),
		"from=2020-01-01T00:00:00Z":          ids,
		"to=2020-01-01T00:00:00Z":            nil,
		"limit=2&task_type=general":          pick(1, 4),
		"outcome=budget_exceeded&limit=1":    nil,
		"model=gpt-4o&provider=openai&limit": pick(3),
	}
	check := func(when string) {
		t.Helper()
		for query, want := range cases {
			if got, next := list(f.Client, query); !slices.Equal(got, want) || next != "" {
				t.Errorf("%s, %q: got %v, then %q, want %v", when, query, got, next, want)
			}
		}
		var walked []string
		cursor := ""
		for range 4 {
			page, next := list(f.Client, "limit=2&cursor="+cursor)
			if walked = append(walked, page...); next == "" {
				break
			}
			cursor = next
		}
		if !slices.Equal(walked, ids) {
			t.Errorf("%s, by pages of two: got %v, want %v", when, walked, ids)
		}
	}
	check("at once")

	other := newcomer(t, f)
	if got, _ := list(other, ""); len(got) != 0 {
		t.Errorf("another tenant sees %v", got)
	}
	for _, path := range []string{ids[0], ids[0] + "/replay"} {
		if a := other.Do(t, http.MethodGet, "/api/v1/router/decisions/"+path, nil); a.Status != http.StatusNotFound || a.Field("code") != "not_found" {
			t.Errorf("another tenant asks for %s: got %d %s, want 404", path, a.Status, a.Body)
		}
	}
	check("with another tenant there")
}

// newcomer registers somebody with a tenant of their own, and signs them in.
func newcomer(t *testing.T, f *harness.Forge) *harness.Client {
	t.Helper()
	const email, password = "lin.day@example.com", "the teapot sings at dawn"
	nobody := f.As("")
	nobody.JSON(t, http.MethodPost, "/api/v1/auth/register", map[string]any{"email": email, "password": password}, nil)
	nobody.JSON(t, http.MethodPost, "/api/v1/auth/verify-email", map[string]string{"token": f.TokenMailedTo(t, email, "verify")}, nil)
	var in tokens
	nobody.JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": email, "password": password}, &in)
	return f.As(in.Access)
}

// TestADecisionIsReadAndMadeAgainOnAnyNode has two nodes on one Postgres. In the end the sheets are swept before the decisions.
func TestADecisionIsReadAndMadeAgainOnAnyNode(t *testing.T) {
	here := harness.New(t, harness.Options{Stores: harness.Servers})
	there := harness.New(t, harness.Options{Beside: here})
	var ids []string
	for i := range 12 {
		a := here.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": fmt.Sprint("task ", i)})
		id := a.Header.Get("X-Forge-Decision-Id")
		told(t, here.Client, id)
		ids = append(ids, id)
	}
	for _, id := range ids {
		harness.Eventually(t, "the other node to know the decision", func() bool {
			return there.Do(t, http.MethodGet, "/api/v1/router/decisions/"+id, nil).Status == http.StatusOK
		})
		if a, b := told(t, here.Client, id), told(t, there.Client, id); !cmp.Equal(a, b) {
			t.Errorf("the nodes tell differently (-here +there):\n%s", cmp.Diff(a, b))
		}
	}
	sweepSheets(t, here.Database())
	third := harness.New(t, harness.Options{Beside: here})
	for _, id := range ids {
		if a := third.Do(t, http.MethodGet, "/api/v1/router/decisions/"+id, nil); a.Status != http.StatusOK {
			t.Errorf("once its facts are swept, a decision: got %d %s, want 200", a.Status, a.Body)
		}
		a := third.Do(t, http.MethodGet, "/api/v1/router/decisions/"+id+"/replay", nil)
		if a.Status != http.StatusNotFound || a.Field("code") != "facts_gone" {
			t.Errorf("once its facts are swept, a replay: got %d %s, want 404 facts_gone", a.Status, a.Body)
		}
	}
}

func sweepSheets(t *testing.T, database string) {
	t.Helper()
	if _, err := url.Parse(database); database == "" || err != nil {
		t.Fatalf("no database: %v", err)
	}
	db, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	if gone, err := db.Exec(t.Context(), "DELETE FROM routing_sheets"); err != nil || gone.RowsAffected() == 0 {
		t.Fatalf("sweep the sheets: %v, %v", gone, err)
	}
}

func TestTheCommandLineExplains(t *testing.T) {
	f := harness.New(t, harness.Options{Env: map[string]string{"GOOGLE_AI_API_KEY": "", "OPENROUTER_1K_TOKEN_COST_CENTS": "0.0001"}})
	t.Setenv("FORGE_API_KEY", f.Key)
	t.Setenv("PUBLIC_BASE_URL", f.URL)
	code, out, errOut := run(t, strings.Repeat("word ", 100), "router", "explain", "--task-type", "review", "--slo-ms", "500", "--max-tokens", "99", "--tools", "--vision", "--schema", "--task", "-")
	for _, want := range []string{"task type review", "RANK", "1000 assumed", "99", "SLO PENALTY", "250", "gemini/", "not_configured"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("explain: got %d, and no %q in\n%s%s", code, want, out, errOut)
		}
	}
	a := f.Do(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": "x"})
	id := a.Header.Get("X-Forge-Decision-Id")
	code, out, errOut = run(t, "", "router", "decision", id, "--url", f.URL+"/")
	for _, want := range []string{"decision " + id, "ATTEMPT", "outcome: ok"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("decision: got %d, and no %q in\n%s%s", code, want, out, errOut)
		}
	}
	if code, out, errOut = run(t, "", "router", "decision", id, "--replay"); code != 0 || !strings.Contains(errOut, "the same") || !strings.Contains(out, "RANK") {
		t.Errorf("replay: got %d\n%s%s", code, out, errOut)
	}
	code, out, _ = run(t, "", "--json", "router", "decision", id, "--replay")
	var again struct {
		Same     bool
		Decision decided
	}
	if err := json.Unmarshal([]byte(out), &again); code != 0 || err != nil || !again.Same || again.Decision.ID != id {
		t.Errorf("replay as JSON: got %d %s", code, out)
	}
	code, out, _ = run(t, "", "--json", "router", "explain", "--model", "openai/gpt-4o-mini")
	var d decided
	if err := json.Unmarshal([]byte(out), &d); code != 0 || err != nil || d.Chosen == nil || d.Chosen.Model != "gpt-4o-mini" {
		t.Errorf("explain as JSON: got %d %s", code, out)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		args string
		code int
		says string
	}{
		"a model that is none":     {nil, "explain --model no-such-model", 1, "model_not_found"},
		"a decision that is none":  {nil, "decision nope", 1, "not_found"},
		"no key":                   {map[string]string{"FORGE_API_KEY": ""}, "explain", 1, "set FORGE_API_KEY"},
		"a wrong key":              {map[string]string{"FORGE_API_KEY": "f1_wrong"}, "explain", 1, "scope router"},
		"an unknown task type":     {nil, "explain --task-type poetry", 2, "task-type"},
		"an objective below 0":     {nil, "explain --slo-ms=-1", 2, "slo-ms"},
		"an objective of an hour":  {nil, "explain --slo-ms 3600000", 2, "slo-ms"},
		"no id":                    {nil, "decision", 2, "id"},
		"an address that is none":  {nil, "explain --url localhost", 2, "--url"},
		"a server that is nothing": {nil, "explain --url http://127.0.0.1:9", 1, "no server answers"},
		"another kind of server":   {nil, "explain --url " + f.Vendors, 1, "look at --url"},
		"an empty task":            {nil, "explain --task=", 1, "task"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			code, out, errOut := run(t, "", append([]string{"router"}, strings.Fields(c.args)...)...)
			if code != c.code || out != "" || !strings.Contains(errOut, c.says) || strings.Contains(errOut, f.Key) || strings.Contains(errOut, "f1_wrong") {
				t.Errorf("got %d, %q and %q; want %d and %q", code, out, errOut, c.code, c.says)
			}
		})
	}
}
