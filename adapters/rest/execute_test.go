package rest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

const execute = "/api/v1/ai/execute"

func TestATaskReachesTheGateway(t *testing.T) {
	w := start(t)
	var got inbound.Call
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		got = c
		return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, nil
	}
	body := `{"task":" do it\n","task_type":"review","model_name":"claude/sonnet","context":{"latency_slo_ms":800,"max_tokens":100,"temperature":0.5,
		"top_p":1,"system_prompt":"be brief","messages":[{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
		{"role":"tool","tool_call_id":"c1","content":"42"},{"role":"developer","content":"\u0000"}],
		"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{ "type" : "object" },"strict":true}}],
		"tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"a":1},"strict":false}},
		"cache":false,"tags":["a","b"],"end_user":"eu"}}`
	if a := w.post(execute, body, aiKey, "X-Forge-Strict: true", "X-Forge-Task-Type: creative", "X-Request-ID: request-1"); a.status != 200 {
		t.Fatal(a)
	}
	yes, no, max, temp, topP := true, false, 100, 0.5, 1.0
	wantReq := &chat.Request{
		Messages: []chat.Message{
			chat.Text(chat.RoleSystem, "be brief"),
			{Role: chat.RoleUser, Parts: []chat.Part{{Text: "look"}, {Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "AAAA"}}}},
			{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c1", Name: "f", Arguments: `{"a":1}`}}}},
			chat.Result("c1", "42"),
			chat.Text(chat.RoleSystem, "\x00"),
			chat.Text(chat.RoleUser, " do it\n"),
		},
		MaxTokens: &max, Temperature: &temp, TopP: &topP, Tools: []chat.Tool{{Name: "f", Description: "d", Schema: []byte(`{ "type" : "object" }`), Strict: &yes}},
		ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}, Format: chat.Format{Kind: chat.FormatSchema, Name: "s", Schema: []byte(`{"a":1}`), Strict: &no},
		EndUser: "eu", Strict: true,
	}
	req, err := got.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wantReq, req); d != "" {
		t.Error(d)
	}
	want := inbound.Call{
		Caller: got.Caller, Surface: inbound.SurfaceExecute, Dialect: chat.DialectExecute, TraceID: got.TraceID, RequestID: "request-1",
		Model: "claude/sonnet", TaskType: "review", SLOMs: 800, Strict: true, Tags: []string{"a", "b"}, EndUser: "eu", Cache: inbound.CacheOff,
		TextBytes: wantReq.TextBytes(), MaxTokens: 100, Vision: true, Tools: true, Schema: true,
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(inbound.Call{}, "Parse", "Fingerprint")); d != "" {
		t.Error(d)
	}
}

func TestHeadersSpeakWhereTheBodyIsSilent(t *testing.T) {
	w := start(t)
	var got inbound.Call
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		got = c
		return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, nil
	}
	w.post(execute, `{"task":"x","model_name":null}`, aiKey, "X-Forge-Task-Type: analysis", "X-Forge-Latency-SLO-Ms: 700", "X-Forge-Cache: off")
	if got.TaskType != "analysis" || got.SLOMs != 700 || got.Model != "" {
		t.Errorf("got %q, %d, %q", got.TaskType, got.SLOMs, got.Model)
	}
}

func TestTheAnswerToATask(t *testing.T) {
	w := start(t)
	got := w.post(execute, `{"task":"x"}`, aiKey)
	want := `{"success":true,"output":"hello","finish_reason":"stop","tool_calls":[],"model_used":"openai/gpt-x","execution_time":1.5,` +
		`"metadata":{"task_type":"general","provider":"openai","model":"gpt-x","decision_id":"d1","input_tokens":10,"output_tokens":5,"cached_tokens":4,` +
		`"cache_write_tokens":0,"reasoning_tokens":2,"tokens_used":15,"usage_source":"provider","cost_usd":"0.123456","cost_cents":12.3456,"cache":"miss",` +
		`"attempts":[{"provider":"openai","model":"gpt-x","outcome":"ok","latency_ms":1.5}],"trace_id":"` + got.header.Get("X-Trace-Id") + `"},"error":null}`
	if string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	for name, want := range map[string]string{
		"X-Forge-Decision-Id": "d1", "X-Forge-Provider": "openai", "X-Forge-Model": "gpt-x", "X-Forge-Cache": "miss", "X-Forge-Dropped": "", "X-Forge-Decision": "",
	} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
}

func TestToolCallsAndCosts(t *testing.T) {
	nanos := func(n int64) *int64 { return &n }
	tests := map[string]struct {
		cost *int64
		want string
	}{
		"unpriced":  {nil, `"cost_usd":null,"cost_cents":null,"cost_reason":"unpriced"`},
		"nothing":   {nanos(0), `"cost_usd":"0","cost_cents":0,`},
		"the least": {nanos(1), `"cost_usd":"0.000000001","cost_cents":0.0000001,`},
		"whole":     {nanos(2_000_000_000), `"cost_usd":"2","cost_cents":200,`},
		"both":      {nanos(12_340_000_000), `"cost_usd":"12.34","cost_cents":1234,`},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
				r := receipt()
				r.CostNanos, r.Finish, r.Dropped = tc.cost, chat.FinishToolCalls, []string{"seed", "logit_bias"}
				return inbound.Answer{Receipt: r, Response: saying(
					calling("c1", "f", `{"a": 1}`), calling("c2", "g", `[1]`), calling("c3", "h", `{"a":`), calling("c4", "i", `null`),
				)}, nil
			}
			got := w.post(execute, `{"task":"x"}`, aiKey)
			const calls = `"output":"","finish_reason":"tool_calls","tool_calls":[{"id":"c1","name":"f","arguments":{"a":1}},{"id":"c2","name":"g","arguments":{"_raw":"[1]"}},` +
				`{"id":"c3","name":"h","arguments":{"_raw":"{\"a\":"}},{"id":"c4","name":"i","arguments":{"_raw":"null"}}]`
			if !strings.Contains(string(got.body), tc.want) || !strings.Contains(string(got.body), calls) {
				t.Errorf("got  %s\nwant %s and %s", got, tc.want, calls)
			}
			if d := got.header.Get("X-Forge-Dropped"); d != "seed, logit_bias" {
				t.Errorf("got dropped %q", d)
			}
		})
	}
}

func TestTasksThatAreRefused(t *testing.T) {
	in := func(context string) string { return `{"task":"x","context":{` + context + `}}` }
	tests := map[string]struct {
		body    string
		options []string
		status  int
		code    string
		field   string
	}{
		"no task":                        {`{}`, nil, 400, "missing_field", "/task"},
		"an empty task":                  {`{"task":""}`, nil, 422, "validation_failed", "/task"},
		"a task of a million and one":    {`{"task":"` + strings.Repeat("a", 1_000_001) + `"}`, nil, 422, "validation_failed", "/task"},
		"half a million of two bytes":    {`{"task":"` + strings.Repeat("é", 500_001) + `"}`, nil, 422, "validation_failed", "/task"},
		"an unknown field":               {`{"task":"x","prompt":"y"}`, nil, 400, "unknown_field", "/prompt"},
		"an unknown task type":           {`{"task":"x","task_type":"poetry"}`, nil, 422, "validation_failed", "/task_type"},
		"a task type that is a number":   {`{"task":"x","task_type":1}`, nil, 400, "wrong_type", "/task_type"},
		"an unknown field of context":    {in(`"model":"x"`), nil, 400, "unknown_field", "/context/model"},
		"an objective of nothing":        {in(`"latency_slo_ms":0`), nil, 422, "validation_failed", "/context/latency_slo_ms"},
		"an objective of too much":       {in(`"latency_slo_ms":600001`), nil, 422, "validation_failed", "/context/latency_slo_ms"},
		"max_tokens of nothing":          {in(`"max_tokens":0`), nil, 422, "validation_failed", "/context/max_tokens"},
		"max_tokens in part":             {in(`"max_tokens":1.5`), nil, 400, "wrong_type", "/context/max_tokens"},
		"temperature of too much":        {in(`"temperature":2.1`), nil, 422, "validation_failed", "/context/temperature"},
		"top_p of too little":            {in(`"top_p":-0.1`), nil, 422, "validation_failed", "/context/top_p"},
		"seventeen tags":                 {in(`"tags":["a"` + strings.Repeat(`,"a"`, 16) + `]`), nil, 422, "validation_failed", "/context/tags"},
		"a long tag":                     {in(`"tags":["` + strings.Repeat("a", 65) + `"]`), nil, 422, "validation_failed", "/context/tags/0"},
		"a tag with a control character": {in(`"tags":["a\u0000"]`), nil, 422, "validation_failed", "/context/tags/0"},
		"a model with a line break":      {`{"task":"x","model_name":"a\nb"}`, nil, 422, "validation_failed", "/model_name"},
		"messages that are none":         {in(`"messages":{}`), nil, 400, "wrong_type", "/context/messages"},
		"a message that is none":         {in(`"messages":["x"]`), nil, 400, "wrong_type", "/context/messages/0"},
		"a message without role":         {in(`"messages":[{"content":"x"}]`), nil, 400, "missing_field", "/context/messages/0/role"},
		"a message without content":      {in(`"messages":[{"role":"user"}]`), nil, 400, "missing_field", "/context/messages/0/content"},
		"an unknown role":                {in(`"messages":[{"role":"user","content":"x"},{"role":"robot","content":"x"}]`), nil, 422, "validation_failed", "/context/messages/1/role"},
		"an unknown field of a message":  {in(`"messages":[{"role":"user","content":"x","cache_control":{}}]`), nil, 400, "unknown_field", "/context/messages/0/cache_control"},
		"content of another kind":        {in(`"messages":[{"role":"user","content":5}]`), nil, 400, "wrong_type", "/context/messages/0/content"},
		"an unknown part":                {in(`"messages":[{"role":"user","content":[{"type":"video","video":{}}]}]`), nil, 422, "validation_failed", "/context/messages/0/content/0/type"},
		"a part without text":            {in(`"messages":[{"role":"user","content":[{"type":"text"}]}]`), nil, 400, "missing_field", "/context/messages/0/content/0/text"},
		"an image by file":               {in(`"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]`), nil, 422, "validation_failed", "/context/messages/0/content/0/image_url/url"},
		"a tool answer to nothing":       {in(`"messages":[{"role":"tool","content":"x"}]`), nil, 400, "missing_field", "/context/messages/0/tool_call_id"},
		"tool calls of a user":           {in(`"messages":[{"role":"user","content":"x","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}]`), nil, 422, "validation_failed", "/context/messages/0/tool_calls"},
		"a tool without name":            {in(`"tools":[{"type":"function","function":{}}]`), nil, 400, "missing_field", "/context/tools/0/function/name"},
		"a tool of another kind":         {in(`"tools":[{"type":"web_search","function":{"name":"f"}}]`), nil, 422, "validation_failed", "/context/tools/0/type"},
		"a tool whose schema is none":    {in(`"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`), nil, 400, "wrong_type", "/context/tools/0/function/parameters"},
		"an unknown tool choice":         {in(`"tool_choice":"maybe"`), nil, 422, "validation_failed", "/context/tool_choice"},
		"an unknown format":              {in(`"response_format":{"type":"xml"}`), nil, 422, "validation_failed", "/context/response_format/type"},
		"a format without schema":        {in(`"response_format":{"type":"json_schema"}`), nil, 400, "missing_field", "/context/response_format/json_schema"},
		"an objective by header":         {`{"task":"x"}`, []string{"X-Forge-Latency-SLO-Ms: soon"}, 422, "validation_failed", "X-Forge-Latency-Slo-Ms"},
		"a task type by header":          {`{"task":"x"}`, []string{"X-Forge-Task-Type: poetry"}, 422, "validation_failed", "X-Forge-Task-Type"},
		"a flag by header":               {`{"task":"x"}`, []string{"X-Forge-Explain: 1"}, 422, "validation_failed", "X-Forge-Explain"},
		"a cache by header":              {`{"task":"x"}`, []string{"X-Forge-Cache: maybe"}, 422, "validation_failed", "X-Forge-Cache"},
		"a key without scope":            {`{"task":"x"}`, []string{"Authorization: ", routerKey}, 403, "insufficient_scope", ""},
		"nobody":                         {`{"task":"x"}`, []string{"Authorization: "}, 401, "unauthenticated", ""},
	}
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		t.Error("the gateway was asked")
		return inbound.Answer{}, nil
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post(execute, tc.body, append([]string{aiKey}, tc.options...)...)
			var p struct{ Errors []struct{ Field string } }
			got.into(t, &p)
			field := ""
			if len(p.Errors) > 0 {
				field = p.Errors[0].Field
			}
			if got.status != tc.status || got.code() != tc.code || field != tc.field {
				t.Errorf("got %s, want %d %s at %s", got, tc.status, tc.code, tc.field)
			}
		})
	}
}

func TestTheDecisionIsExplained(t *testing.T) {
	w := start(t)
	got := w.post(execute, `{"task":"x"}`, aiKey, "X-Forge-Explain: true")
	const want = `{"id":"d1","created_at":"2030-01-31T12:00:00Z","task_type":"general","policy_version":3,"snapshot_id":"f1","chosen":{"provider":"openai","model":"gpt-x"},` +
		`"candidates":[{"provider":"openai","model":"gpt-x","rank":1,"score":12.5,"cost_cents":2.5,"p95_ms":1000,"p95_known":false,"est_input_tokens":3,"est_output_tokens":256,"slo_penalty":0}],` +
		`"excluded":[{"provider":"claude","model":"sonnet","reason":"breaker_open","until":"2030-01-31T12:00:00Z"}],` +
		`"attempts":[{"provider":"openai","model":"gpt-x","outcome":"ok","latency_ms":1.5}],"outcome":"ok"}`
	header, err := base64.RawURLEncoding.DecodeString(got.header.Get("X-Forge-Decision"))
	if err != nil || string(header) != want {
		t.Errorf("header: got %s, %v\nwant %s", header, err, want)
	}
	if !strings.Contains(string(got.body), `"decision":`+want) {
		t.Errorf("metadata: got %s", got)
	}
}

func TestALargeDecisionIsTrimmedToItsHeader(t *testing.T) {
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		r := receipt()
		for i := range 300 {
			target := routing.Target{Provider: "p", Model: fmt.Sprintf("model-%d", i)}
			r.Decision.Excluded = append(r.Decision.Excluded, routing.Exclusion{Target: target, Reason: routing.ByPolicy})
			r.Decision.Candidates = append(r.Decision.Candidates, routing.Candidate{Target: target, Rank: i + 2})
		}
		return inbound.Answer{Receipt: r, Response: chat.Said("x", "")}, nil
	}
	got := w.post(execute, `{"task":"x"}`, aiKey, "X-Forge-Explain: true").header.Get("X-Forge-Decision")
	b, err := base64.RawURLEncoding.DecodeString(got)
	var d struct {
		Trimmed bool
		Chosen  struct{ Model string }
	}
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil || len(got) > 8<<10 || len(got) < 4<<10 || !d.Trimmed || d.Chosen.Model != "gpt-x" {
		t.Errorf("got %d bytes, %+v, %v", len(got), d, err)
	}
}

func TestTheOutcomeIsThatOfTheCall(t *testing.T) {
	w := start(t)
	outcome := func(a answer) string {
		b, err := base64.RawURLEncoding.DecodeString(a.header.Get("X-Forge-Decision"))
		var d struct{ Outcome *string }
		if err == nil {
			err = json.Unmarshal(b, &d)
		}
		switch {
		case err != nil:
			t.Errorf("read the header: %v", err)
			return ""
		case d.Outcome == nil:
			return "null"
		}
		return *d.Outcome
	}
	ask := func(stream bool) answer {
		return w.post(execute, fmt.Sprintf(`{"task":"x","stream":%t}`, stream), aiKey, "X-Forge-Explain: true")
	}
	if got := outcome(ask(false)); got != "ok" {
		t.Errorf("answered: got %s, want ok", got)
	}
	if got := outcome(ask(true)); got != "null" {
		t.Errorf("a stream that begins: got %s, want null", got)
	}
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		r := receipt()
		r.Attempts[0].Outcome = "timeout"
		return inbound.Answer{Receipt: r}, fault.New(fault.Timeout, "provider_timeout", "no provider answered in time")
	}
	if got := outcome(ask(false)); got != "provider_timeout" {
		t.Errorf("failed: got %s, want the call's code", got)
	}
}

func TestExplainAsksNoVendor(t *testing.T) {
	const path = "/api/v1/router/explain"
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		t.Error("a vendor was asked")
		return inbound.Answer{}, nil
	}
	var got struct {
		Attempts []any
		Outcome  *string
		Chosen   *struct{ Provider string }
	}
	a := w.post(path, `{"task":"x"}`, routerKey)
	a.into(t, &got)
	if a.status != 200 || got.Outcome != nil || got.Attempts == nil || len(got.Attempts) != 0 || got.Chosen.Provider != "openai" {
		t.Errorf("got %s", a)
	}
	w.models.explain = func(inbound.Call) (routing.Decision, error) {
		return routing.Decision{ID: "d2", At: epoch, Task: routing.General}, nil
	}
	if a := w.post(path, `{"task":"x"}`, sessionToken); a.status != 200 || !strings.Contains(string(a.body), `"chosen":null,"candidates":[],"excluded":[]`) {
		t.Errorf("got %s", a)
	}
	if a := w.post(path, `{"task":"x"}`, aiKey); a.status != 403 {
		t.Errorf("with a key for models: got %s, want 403", a)
	}
	if a := w.post(path, `{"tsk":"x"}`, routerKey); a.status != 400 {
		t.Errorf("got %s, want 400", a)
	}
}

func TestListsOfTheGateway(t *testing.T) {
	tests := map[string]struct {
		path   string
		status int
		want   string
	}{
		"models": {"/api/v1/ai/models", 200, `{"items":[{"name":"openai/gpt-x","provider":"openai","capabilities":["general","code_generation","analysis","creative","review"],"features":["tools"],"context_window":1000,` +
			`"price":{"input_per_1k_usd":"0.0025","output_per_1k_usd":"0.01","cache_read_per_1k_usd":"0","cache_write_per_1k_usd":"0"},"available":true,"reason":null},` +
			`{"name":"claude/sonnet","provider":"claude","capabilities":[],"features":[],"context_window":null,"price":null,"available":false,"reason":"not_configured"},` +
			`{"name":"openrouter/vendor/model:free","provider":"openrouter","capabilities":[],"features":[],"context_window":null,"price":null,"available":false,"reason":"breaker_open"}]}`},
		"capabilities": {"/api/v1/ai/capabilities", 200, `{"task_types":["general","review"],"matrix":{"general":["openai"],"review":[]}}`},
		"OpenAI's models": {"/v1/models", 200, `{"object":"list","data":[{"id":"auto","object":"model","created":0,"owned_by":"forge1"},{"id":"auto:general","object":"model","created":0,"owned_by":"forge1"},` +
			`{"id":"auto:code_generation","object":"model","created":0,"owned_by":"forge1"},{"id":"auto:analysis","object":"model","created":0,"owned_by":"forge1"},{"id":"auto:creative","object":"model","created":0,"owned_by":"forge1"},` +
			`{"id":"auto:review","object":"model","created":0,"owned_by":"forge1"},{"id":"fast","object":"model","created":0,"owned_by":"forge1"},` +
			`{"id":"openai/gpt-x","object":"model","created":0,"owned_by":"openai"},{"id":"openrouter/vendor/model:free","object":"model","created":0,"owned_by":"openrouter"}]}`},
		"one alias":               {"/v1/models/fast", 200, `{"id":"fast","object":"model","created":0,"owned_by":"forge1"}`},
		"one model":               {"/v1/models/openai/gpt-x", 200, `{"id":"openai/gpt-x","object":"model","created":0,"owned_by":"openai"}`},
		"one by its bare name":    {"/v1/models/gpt-x", 200, `{"id":"gpt-x","object":"model","created":0,"owned_by":"openai"}`},
		"one model with slashes":  {"/v1/models/openrouter/vendor/model:free", 200, `{"id":"openrouter/vendor/model:free","object":"model","created":0,"owned_by":"openrouter"}`},
		"one model as SDKs write": {"/v1/models/openrouter%2Fvendor%2Fmodel%3Afree", 200, `{"id":"openrouter/vendor/model:free","object":"model","created":0,"owned_by":"openrouter"}`},
		"auto":                    {"/v1/models/auto:review", 200, `{"id":"auto:review","object":"model","created":0,"owned_by":"forge1"}`},
		"no such model":           {"/v1/models/openai/gpt-0", 404, `{"error":{"message":"there is no model of that name here","type":"invalid_request_error","code":"model_not_found","param":"model"}}`},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := w.get(tc.path, aiKey); got.status != tc.status || string(got.body) != tc.want {
				t.Errorf("got  %s\nwant %d %s", got, tc.status, tc.want)
			}
		})
	}
	got := w.get("/api/v1/ai/health", aiKey)
	if !strings.Contains(string(got.body), `"name":"openai","configured":true,"breaker":"closed","open_until":null,"p95_ms":900,"success_rate":0.75,"last_error_class":"timeout"}`) ||
		!strings.Contains(string(got.body), `"name":"claude","configured":false,"breaker":"open","open_until":"`+epoch.Format(time.RFC3339)+`","p95_ms":null,"success_rate":null,"last_error_class":null}`) {
		t.Errorf("health: got %s", got)
	}
}
