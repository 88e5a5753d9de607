package rest_test

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

const messagesPath = "/v1/messages"

// messagesBody is a body of the least fields with more of them.
func messagesBody(more string) string {
	return `{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func TestAMessageReachesTheGateway(t *testing.T) {
	w := start(t)
	var got inbound.Call
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		got = c
		return inbound.Answer{Receipt: receipt(), Body: []byte(`{"content":[],"x":1}`)}, nil
	}
	body := `{"model":"claude/x","max_tokens":9,"metadata":{"user_id":"ada"},"system":[{"type":"text","text":"be brief"}],"tools":[{"name":"f","description":"does","input_schema":{"type":"object"}}],
		"output_config":{"format":{"type":"json_schema","schema":{}}},"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image","source":{"type":"url","url":"https://x/y"}},
		{"type":"document","source":{"type":"text","media_type":"text/plain","data":"four"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aGk="}}]},
		{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"ok"}]}]}]}`
	a := w.post(messagesPath, body, "X-Api-Key: "+aiKey, "Anthropic-Version: 2023-06-01", "Anthropic-Beta: a", "Anthropic-Beta: b")
	if a.status != 200 || string(a.body) != `{"content":[],"x":1}` || a.header.Get("Request-Id") != a.header.Get("X-Request-Id") || a.header.Get("X-Forge-Provider") != "openai" {
		t.Errorf("got %s with %v", a, a.header)
	}
	if string(got.Body) != body || got.Dialect != chat.DialectAnthropic || got.Surface != inbound.SurfaceMessages || got.Model != "claude/x" || got.EndUser != "ada" || got.MaxTokens != 9 {
		t.Errorf("got the call %+v", got)
	}
	if !got.Vision || !got.Tools || !got.Schema || got.TextBytes != len(`be brief`+`f`+`does`+`{"type":"object"}`+`{}`+`hi`+`four`+`f`+`{}`+`ok`) {
		t.Errorf("got %d bytes of text, vision %t, tools %t, schema %t", got.TextBytes, got.Vision, got.Tools, got.Schema)
	}
	if d := cmp.Diff(map[string]string{"Anthropic-Version": "2023-06-01", "Anthropic-Beta": "a, b"}, got.Header); d != "" {
		t.Error(d)
	}
	one, err := got.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	w.post(messagesPath, strings.Replace(body, `"ada"`, `"bob"`, 1), aiKey)
	if other, _ := got.Fingerprint(); other != one {
		t.Error("the end user changes the fingerprint")
	}
	w.post(messagesPath, strings.Replace(body, `"hi"`, `"ho"`, 1), aiKey)
	if other, _ := got.Fingerprint(); other == one {
		t.Error("the text does not change the fingerprint")
	}
}

func TestCredentialsOfAnthropicsClients(t *testing.T) {
	w := start(t)
	tests := map[string]struct {
		path    string
		options []string
		status  int
	}{
		"a key":                        {messagesPath, []string{"X-Api-Key: " + aiKey}, 200},
		"an access token":              {messagesPath, []string{"X-Api-Key: " + sessionToken}, 200},
		"a bearer":                     {messagesPath, []string{aiKey}, 200},
		"both, the same":               {messagesPath, []string{aiKey, "X-Api-Key: " + aiKey}, 200},
		"both, not the same":           {messagesPath, []string{aiKey, "X-Api-Key: " + sessionToken}, 401},
		"a key and no bearer":          {messagesPath, []string{"Authorization: Basic eA==", "X-Api-Key: " + aiKey}, 401},
		"two keys":                     {messagesPath, []string{"X-Api-Key: " + aiKey, "X-Api-Key: " + aiKey}, 401},
		"a key with a blank":           {messagesPath, []string{"X-Api-Key: " + aiKey + " x"}, 401},
		"a key that is none":           {messagesPath, []string{"X-Api-Key: nobody"}, 401},
		"none":                         {messagesPath, nil, 401},
		"a key without the scope":      {messagesPath, []string{"X-Api-Key: " + routerKey}, 403},
		"a key of the other dialect's": {chatPath, []string{"X-Api-Key: " + aiKey}, 401},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			body := messagesBody("")
			if tc.path == chatPath {
				body = openAIBody("")
			}
			if got := w.post(tc.path, body, tc.options...); got.status != tc.status {
				t.Errorf("got %s, want %d", got, tc.status)
			}
		})
	}
}

func TestMessagesBodiesThatAreRefused(t *testing.T) {
	tests := map[string]struct {
		body   string
		status int
		want   string // in the message
	}{
		"nothing":                      {` `, 400, "an object is missing"},
		"a list":                       {`[]`, 400, "must be an object"},
		"cut off":                      {`{"model":"auto","max_tokens":1,"messages":[{"role":"user","content":"hi`, 400, "a string does not end"},
		"something behind it":          {messagesBody("") + "x", 400, "something follows"},
		"invalid UTF-8":                {messagesBody(",\"x\":\"\xff\""), 400, "not valid UTF-8"},
		"a lone surrogate":             {messagesBody(`,"x":"\ud800"`), 400, "a surrogate stands alone"},
		"depth":                        {messagesBody(`,"x":` + strings.Repeat("[", 100_000)), 400, "too deep"},
		"depth in content":             {messagesBody(`,"system":` + strings.Repeat(`[{"content":`, 50_000)), 400, "too deep"},
		"no model":                     {`{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}`, 400, "model: the field is required"},
		"no messages":                  {`{"model":"auto","max_tokens":1}`, 400, "messages: the field is required"},
		"no limit":                     {`{"model":"auto","messages":[{"role":"user","content":"x"}]}`, 400, "max_tokens: the field is required"},
		"empty messages":               {`{"model":"auto","max_tokens":1,"messages":[]}`, 422, "messages must have at least 1 item"},
		"a model that is a number":     {`{"model":1,"max_tokens":1,"messages":[]}`, 400, "model must be a string"},
		"a model that is empty":        {`{"model":"","max_tokens":1,"messages":[]}`, 422, "model must be 1 to 256 bytes"},
		"a message that is none":       {`{"model":"auto","max_tokens":1,"messages":["hi"]}`, 400, "messages[0] must be an object"},
		"content of another kind":      {`{"model":"auto","max_tokens":1,"messages":[{"role":"user","content":7}]}`, 400, "messages[0].content must be a string or an array of blocks"},
		"stream of another kind":       {messagesBody(`,"stream":"yes"`), 400, "stream must be true or false"},
		"system of another kind":       {messagesBody(`,"system":{}`), 400, "system must be a string or an array"},
		"a limit in part":              {`{"model":"auto","max_tokens":1.5,"messages":[]}`, 400, "max_tokens must be a whole number"},
		"a limit below nothing":        {`{"model":"auto","max_tokens":-1,"messages":[]}`, 422, "max_tokens must be at least 0"},
		"a limit that is null":         {`{"model":"auto","max_tokens":null,"messages":[]}`, 400, "max_tokens must be a number"},
		"the model twice":              {messagesBody(`,"model":"other"`), 400, "model stands twice"},
		"the model twice by escape":    {messagesBody(`,"\u006dodel":"other"`), 400, "model stands twice"},
		"the limit in other case":      {messagesBody(`,"MAX_TOKENS":7`), 400, "another spelling"},
		"the speed twice":              {messagesBody(`,"speed":"standard","speed":"fast"`), 400, "speed stands twice"},
		"stream twice":                 {messagesBody(`,"stream":true,"stream":false`), 400, "stream stands twice"},
		"a header that is none":        {"", 422, "X-Forge-Strict must be true or false"},
		"a body that is not announced": {"", 415, "application/json"},
	}
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		t.Error("the gateway was asked")
		return inbound.Answer{}, nil
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			options := []string{aiKey}
			switch {
			case tc.status == 415:
				tc.body, options = messagesBody(""), append(options, "Content-Type: text/plain")
			case tc.body == "":
				tc.body, options = messagesBody(""), append(options, "X-Forge-Strict: maybe")
			}
			checkRefused(t, w.post(messagesPath, tc.body, options...), tc.status, "invalid_request_error", tc.want)
		})
	}
}

func TestWhatOnlyAVendorUnderstandsIsItsToRefuse(t *testing.T) {
	w := start(t)
	passed := ""
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		passed = string(c.Body)
		return inbound.Answer{Receipt: receipt(), Body: []byte(`{"content":[]}`)}, nil
	}
	for _, more := range []string{
		`,"tools":[1,{"name":1,"description":{},"input_schema":[]}]`, `,"system":[1,{"type":1,"text":[],"source":1,"content":{}}]`, `,"metadata":{"user_id":7,"x":[]}`, `,"metadata":{"user_id":"\u0000"}`,
		`,"output_config":{"effort":[],"format":{"type":1,"x":{}}}`, `,"output_config":{"format":7}`, `,"output_format":{"schema":7}`, `,"new_field":{"a":[1,2,{"b":null}]}`, `,"system":[{"type":"document","source":{"type":7,"data":7}}]`,
		`,"thinking":null,"container":{"id":"c"},"stop_sequences":[],"top_k":5,"tool_choice":{},"service_tier":"x","context_management":{},"cache_control":null,"mcp_servers":[{}]`,
	} {
		body := messagesBody(more)
		if got := w.post(messagesPath, body, aiKey); got.status != 200 || passed != body {
			t.Errorf("got %s for %s, want %s", got, passed, body)
		}
	}
}

// checkRefused holds a failure against Anthropic's shape.
func checkRefused(t *testing.T, got answer, status int, kind, text string) {
	t.Helper()
	var e struct {
		Type      string
		Error     struct{ Type, Message string }
		RequestID string `json:"request_id"`
	}
	got.into(t, &e)
	if got.status != status || e.Type != "error" || e.Error.Type != kind || !strings.Contains(e.Error.Message, text) || e.RequestID != got.header.Get("Request-Id") {
		t.Errorf("got %s, want %d %s: %s", got, status, kind, text)
	}
}

func TestFailuresInAnthropicsShape(t *testing.T) {
	tests := map[string]struct {
		err    error
		status int
		kind   string
		text   string
	}{
		"the vendor's word":    {&fault.Error{Kind: fault.Malformed, Code: "c", Msg: "no such effort", Param: "reasoning_effort"}, 400, "invalid_request_error", "thinking: no such effort"},
		"a word that names it": {&fault.Error{Kind: fault.Invalid, Code: "c", Msg: "tools[1].input_schema is odd", Param: "tools[1].function.parameters"}, 422, "invalid_request_error", "tools[1].input_schema is odd"},
		"unauthenticated":      {fault.New(fault.Unauthenticated, "c", "m"), 401, "authentication_error", "m"},
		"payment":              {fault.New(fault.Payment, "c", "m"), 402, "billing_error", "m"},
		"forbidden":            {fault.New(fault.Forbidden, "c", "m"), 403, "permission_error", "m"},
		"not found":            {fault.New(fault.NotFound, "c", "m"), 404, "not_found_error", "m"},
		"too large":            {fault.New(fault.TooLarge, "c", "m"), 413, "request_too_large", "m"},
		"exhausted":            {fault.New(fault.Exhausted, "c", "m"), 429, "rate_limit_error", "m"},
		"ours":                 {errors.New("kept inside"), 500, "api_error", "something went wrong"},
		"upstream":             {fault.New(fault.Upstream, "c", "m"), 502, "api_error", "m"},
		"nobody":               {fault.New(fault.Unavailable, "c", "m"), 503, "overloaded_error", "m"},
		"timeout":              {fault.New(fault.Timeout, "c", "m"), 504, "timeout_error", "m"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) { return inbound.Answer{}, tc.err }
			w.models.count = func(inbound.Call) (inbound.Count, error) { return inbound.Count{}, tc.err }
			checkRefused(t, w.post(messagesPath, messagesBody(""), aiKey), tc.status, tc.kind, tc.text)
			checkRefused(t, w.post(messagesPath+"/count_tokens", messagesBody(""), aiKey), tc.status, tc.kind, tc.text)
		})
	}
	checkRefused(t, w.get(messagesPath+"/batches", aiKey), 404, "not_found_error", "nothing at this path")
	checkRefused(t, w.get(messagesPath, aiKey), 405, "invalid_request_error", "does not take this method")
}

func TestDroppedFieldsHaveAnthropicsNames(t *testing.T) {
	w := start(t)
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		if _, err := c.Parse(); err != nil {
			return inbound.Answer{}, err
		}
		r := receipt()
		r.Dropped = []string{"stop", "reasoning_effort", "response_format", "tools[1]", "messages[0].content[0]", "messages[2].content[1]", "messages[3].content[0].x", "messages[1].name", "messages[9]", "messages[].reasoning", "user"}
		return inbound.Answer{Receipt: r, Response: chat.Said("x", chat.FinishStop)}, nil
	}
	body := `{"model":"auto","max_tokens":9,"output_config":{"effort":"low"},"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":"hi"},
		{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":""},{"type":"text","text":"a"},{"type":"tool_use","id":"c","name":"f","input":{}}]},
		{"role":"user","content":[{"type":"text","text":"b"},{"type":"tool_result","tool_use_id":"c","content":"r"}]}]}`
	got := w.post(messagesPath, body, aiKey).header.Get("X-Forge-Dropped")
	want := "stop_sequences, output_config.effort, output_config.format, tools[1], system[0], messages[1].content[2], messages[2].content[1].x, messages[0].name, messages[9], messages.content.thinking, metadata.user_id"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCountingTokens(t *testing.T) {
	w := start(t)
	const path = messagesPath + "/count_tokens"
	const body = `{"model":"auto","messages":[{"role":"user","content":"hi"}]}`
	var call inbound.Call
	tests := map[string]struct {
		count  inbound.Count
		want   string
		source string
	}{
		"by a vendor of another dialect": {inbound.Count{Receipt: receipt(), Tokens: 12}, `{"input_tokens":12}`, ""},
		"by Anthropic":                   {inbound.Count{Receipt: receipt(), Body: []byte(`{"input_tokens":3,"x":0}`)}, `{"input_tokens":3,"x":0}`, ""},
		"by nobody":                      {inbound.Count{Receipt: receipt(), Tokens: 1, Estimated: true}, `{"input_tokens":1}`, "estimated"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.count = func(c inbound.Call) (inbound.Count, error) { call = c; return tc.count, nil }
			got := w.post(path, body, "X-Api-Key: "+aiKey)
			if got.status != 200 || string(got.body) != tc.want || got.header.Get("X-Forge-Usage-Source") != tc.source || got.header.Get("X-Forge-Provider") != "openai" {
				t.Errorf("got %s from %q", got, got.header.Get("X-Forge-Usage-Source"))
			}
			if call.Dialect != chat.DialectAnthropicCount || call.Surface != inbound.SurfaceCountTokens || string(call.Body) != body || call.TextBytes != 2 {
				t.Errorf("got the call %+v", call)
			}
			if r, err := call.Parse(); err != nil || r.LastUserText() != "hi" {
				t.Errorf("got %v, %v", r, err)
			}
		})
	}
	checkRefused(t, w.post(path, `{"messages":[]}`, aiKey), 422, "invalid_request_error", "messages must have at least 1 item")
	checkRefused(t, w.post(path, `{"messages":[{}]}`, aiKey), 400, "invalid_request_error", "model: the field is required")
}

func TestPingsFillAPauseOfAnthropicsStream(t *testing.T) {
	w := start(t, func(c *rest.Config) { c.SilenceTimeout, c.Heartbeat = 30*time.Millisecond, time.Hour })
	seen := make(chan struct{})
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		<-seen
		return inbound.StreamAnswer{}, fault.New(fault.Upstream, "provider_error", "broken")
	}
	resp := w.open(messagesPath, messagesBody(`,"stream":true`))
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	if got, want := frameOf(t, r), "event: ping\ndata: {\"type\": \"ping\"}\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	close(seen)
	got := frameOf(t, r)
	want := "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"broken\"},\"request_id\":\"" + resp.Header.Get("Request-Id") + "\"}\n\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
