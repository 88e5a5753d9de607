package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

func TestAChatBodyReachesTheGatewayAsItIs(t *testing.T) {
	w := start(t)
	var got inbound.Call
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		got = c
		return inbound.Answer{Receipt: receipt(), Body: []byte(`{ "choices" : [ {"message":{}} ], "x" : 1 }` + "\n")}, nil
	}
	const body = ` {"model":"openai\/gpt-x","messages":[{"role":"user","content":"h\u00e9\n"},{"role":"user","content":[{"type":"text","text":"😀"},{"type":"image_url","image_url":{"url":"https://x"}}]}],
 "max_tokens":5,"max_completion_tokens":7,"user":"eu","unknown":{"deep":[1,2,{"a":null}]},"tools":[{"type":"function","function":{"name":"f","description":"dd","parameters":{ }}}],
 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1}}}} `
	a := w.post(chatPath, body, aiKey, "X-Forge-Strict: true", "X-Forge-Latency-SLO-Ms: 9")
	if string(a.body) != `{ "choices" : [ {"message":{}} ], "x" : 1 }`+"\n" || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Forge-Provider") != "openai" {
		t.Errorf("got %s", a)
	}
	if string(got.Body) != body {
		t.Errorf("got the body %s", got.Body)
	}
	want := inbound.Call{
		Caller: got.Caller, Surface: inbound.SurfaceChatCompletions, Dialect: chat.DialectOpenAIChat, TraceID: a.header.Get("X-Trace-Id"), RequestID: a.header.Get("X-Request-Id"),
		Model: "openai/gpt-x", SLOMs: 9, Strict: true, EndUser: "eu", TextBytes: len("hé\n") + len("😀") + len("fdd{ }") + len(`{"a":1}`), MaxTokens: 7, Vision: true, Tools: true, Schema: true,
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(inbound.Call{}, "Parse", "Body", "Fingerprint")); d != "" {
		t.Error(d)
	}
	if string(got.Caller.KeyID) != "k1" {
		t.Errorf("got the caller %+v", got.Caller)
	}
}

func TestABodyIsNotOverwrittenByLaterRequests(t *testing.T) {
	w := start(t)
	var kept []inbound.Call
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		kept = append(kept, c)
		return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, nil
	}
	var want []string
	for i := range 100 {
		body := `{"model":"m` + strings.Repeat("x", i) + `","messages":[{"role":"user","content":"` + strings.Repeat("y", 100-i) + `"}]}`
		want = append(want, body)
		w.post(chatPath, body, aiKey)
	}
	for i, c := range kept {
		if string(c.Body) != want[i] || c.Model != "m"+strings.Repeat("x", i) {
			t.Fatalf("call %d: got %s, model %s", i, c.Body, c.Model)
		}
	}
}

func TestATranslatedBody(t *testing.T) {
	one, seven, truth, temp := int64(1), 7, true, 0.5
	messages := []chat.Message{chat.Text(chat.RoleUser, "hi")}
	tests := map[string]struct {
		more string
		want chat.Request
	}{
		"the least": {"", chat.Request{Messages: messages}},
		"every option": {
			`,"max_tokens":5,"max_completion_tokens":7,"temperature":0.5,"top_p":0.5,"stop":"s","seed":1,"parallel_tool_calls":true,"reasoning_effort":"low","user":"u","tool_choice":"required","response_format":{"type":"json_object"}`,
			chat.Request{
				Messages: messages, MaxTokens: &seven, Temperature: &temp, TopP: &temp, Stop: []string{"s"}, Seed: &one, ParallelTools: &truth, Thinking: chat.Thinking{Effort: "low"}, EndUser: "u",
				ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}, Format: chat.Format{Kind: chat.FormatJSON},
			},
		},
		"every option as null": {
			`,"max_tokens":null,"max_completion_tokens":null,"temperature":null,"top_p":null,"stop":null,"seed":null,"parallel_tool_calls":null,"reasoning_effort":null,"user":null,"tool_choice":null,"response_format":null,"tools":null,"stream_options":null,"x":null`,
			chat.Request{Messages: messages},
		},
		"what says nothing": {`,"n":1,"frequency_penalty":0,"presence_penalty":0.0,"logprobs":false,"store":false,"logit_bias":{},"metadata":{},"functions":[]`, chat.Request{Messages: messages}},
		"what cannot be held": {
			`,"logit_bias":{"1":2},"reasoning_effort":"huge","prediction":{},"stop":["a","b"],"tools":[{"type":"function","function":{"name":"f"},"x":1}],"tool_choice":{"type":"mcp"},"modalities":["text","audio"],` +
				`"audio":{},"verbosity":"low","store":true,"metadata":{"a":"b"},"service_tier":"scale","prompt_cache_retention":"24h","plugins":[{"id":"pdf"}],"provider":{}`,
			chat.Request{
				Messages: messages, Stop: []string{"a", "b"}, Tools: []chat.Tool{{Name: "f"}},
				Untranslated: []string{
					"logit_bias", "reasoning_effort", "prediction", "tools[].x", "tool_choice", "modalities", "audio", "verbosity", "store", "metadata", "service_tier",
					"prompt_cache_retention", "plugins", "provider",
				},
			},
		},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got *chat.Request
			w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
				var err error
				got, err = c.Parse()
				return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, err
			}
			if a := w.post(chatPath, openAIBody(tc.more), aiKey); a.status != 200 {
				t.Fatal(a)
			}
			if d := cmp.Diff(&tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestATranslatedConversation(t *testing.T) {
	w := start(t)
	var got *chat.Request
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		var err error
		got, err = c.Parse()
		return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, err
	}
	a := w.post(chatPath, `{"model":"auto","messages":[{"role":"developer","content":"s"},{"role":"user","name":"ada","content":[{"type":"text","text":"a","cache_control":{}},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}}]},
		{"role":"assistant","content":"","refusal":"no","annotations":[],"audio":null,"tool_calls":[{"id":"c","type":"function","index":0,"function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"r"}]}]}`, aiKey)
	want := &chat.Request{
		Messages: []chat.Message{
			chat.Text(chat.RoleSystem, "s"),
			{Role: chat.RoleUser, Name: "ada", Parts: []chat.Part{{Text: "a"}, {Kind: chat.PartImage, Media: &chat.Media{URL: "https://x/y.png", Detail: "low"}}}},
			{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartRefusal, Text: "no"}, {Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"}}}},
			chat.Result("c", "r"),
		},
		Untranslated: []string{"messages[].content[].cache_control"},
	}
	if d := cmp.Diff(want, got); a.status != 200 || d != "" {
		t.Errorf("%s\n%s", a, d)
	}
}

func TestChatBodiesThatAreRefused(t *testing.T) {
	tests := map[string]struct {
		body   string
		status int
		code   string
		param  string
	}{
		"nothing":                        {` `, 400, "malformed", ""},
		"null":                           {`null`, 400, "wrong_type", ""},
		"a list":                         {`[]`, 400, "wrong_type", ""},
		"cut off":                        {`{"model":"auto","messages":[{"role":"user","content":"hi`, 400, "malformed", ""},
		"something behind it":            {openAIBody("") + `x`, 400, "malformed", ""},
		"a comma too many":               {openAIBody(","), 400, "malformed", ""},
		"a literal that is none":         {openAIBody(`,"x":nul`), 400, "malformed", ""},
		"a number that is none":          {openAIBody(`,"x":01`), 400, "malformed", ""},
		"NaN":                            {openAIBody(`,"temperature":NaN`), 400, "malformed", ""},
		"a control character":            {openAIBody(",\"x\":\"\n\""), 400, "malformed", ""},
		"invalid UTF-8":                  {openAIBody(",\"x\":\"\xff\""), 400, "malformed", ""},
		"a lone surrogate":               {openAIBody(`,"x":"\udc00"`), 400, "malformed", ""},
		"half a pair":                    {openAIBody(`,"x":"\ud83d\u0041"`), 400, "malformed", ""},
		"an escape that is none":         {openAIBody(`,"x":"\q"`), 400, "malformed", ""},
		"depth":                          {openAIBody(`,"x":` + strings.Repeat("[", 100_000)), 400, "malformed", ""},
		"no model":                       {`{"messages":[{"role":"user","content":"x"}]}`, 400, "missing_field", "model"},
		"no messages":                    {`{"model":"auto"}`, 400, "missing_field", "messages"},
		"empty messages":                 {`{"model":"auto","messages":[]}`, 422, "validation_failed", "messages"},
		"a model that is a number":       {`{"model":1,"messages":[]}`, 400, "wrong_type", "model"},
		"a model that is null":           {`{"model":null,"messages":[]}`, 400, "wrong_type", "model"},
		"a model that is empty":          {`{"model":"","messages":[]}`, 422, "validation_failed", "model"},
		"a model with a NUL":             {`{"model":"a\u0000","messages":[]}`, 422, "validation_failed", "model"},
		"messages that are none":         {`{"model":"auto","messages":"hi"}`, 400, "wrong_type", "messages"},
		"a message that is none":         {`{"model":"auto","messages":["hi"]}`, 400, "wrong_type", "messages[0]"},
		"content of another kind":        {`{"model":"auto","messages":[{"role":"user","content":"x"},{"role":"user","content":{}}]}`, 400, "wrong_type", "messages[1].content"},
		"stream of another kind":         {openAIBody(`,"stream":"yes"`), 400, "wrong_type", "stream"},
		"stream options of another kind": {openAIBody(`,"stream_options":{"include_usage":1}`), 400, "wrong_type", "stream_options.include_usage"},
		"temperature of another kind":    {openAIBody(`,"temperature":"hot"`), 400, "wrong_type", "temperature"},
		"max_tokens in part":             {openAIBody(`,"max_tokens":1.5`), 400, "wrong_type", "max_tokens"},
		"max_tokens of nothing":          {openAIBody(`,"max_tokens":0`), 422, "validation_failed", "max_tokens"},
		"the model twice":                {openAIBody(`,"model":"other"`), 400, "malformed", "model"},
		"the model twice by escape":      {openAIBody(`,"\u006dodel":"other"`), 400, "malformed", "model"},
		"the model in other case":        {openAIBody(`,"MODEL":"other"`), 400, "malformed", "MODEL"},
		"stream folded":                  {openAIBody(`,"ſtream":true`), 400, "malformed", "ſtream"},
		"stream twice":                   {openAIBody(`,"stream":true,"stream":false`), 400, "malformed", "stream"},
		"the tier twice":                 {openAIBody(`,"service_tier":"flex","service_tier":"priority"`), 400, "malformed", "service_tier"},
		"other models twice":             {openAIBody(`,"models":["a"],"models":["b"]`), 400, "malformed", "models"},
		"OpenRouter's usage twice":       {openAIBody(`,"usage":{"include":true,"include":false}`), 400, "malformed", "usage.include"},
		"usage twice":                    {openAIBody(`,"stream_options":{"include_usage":true,"include_usage":false}`), 400, "malformed", "stream_options.include_usage"},
	}
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		t.Error("the gateway was asked")
		return inbound.Answer{}, nil
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post(chatPath, tc.body, aiKey)
			checkInvalid(t, got, tc.status, tc.code, tc.param)
		})
	}
}

// checkInvalid checks that an answer tells the caller of a mistake, in OpenAI's shape.
func checkInvalid(t *testing.T, got answer, status int, code, param string) {
	t.Helper()
	var e struct {
		Error struct{ Type, Code, Param string }
	}
	got.into(t, &e)
	if got.status != status || e.Error.Code != code || e.Error.Param != param || e.Error.Type != "invalid_request_error" {
		t.Errorf("got %s, want %d %s at %q", got, status, code, param)
	}
}

func TestMistakesThatOnlyTranslationFinds(t *testing.T) {
	tests := map[string]struct {
		message string
		status  int
		param   string
	}{
		"an unknown role":          {`{"role":"robot","content":"x"}`, 422, "messages[0].role"},
		"no content":               {`{"role":"user"}`, 400, "messages[0].content"},
		"a key twice":              {`{"role":"user","content":"x","content":"y"}`, 400, "messages[0].content"},
		"a sound without its data": {`{"role":"user","content":[{"type":"input_audio","input_audio":{"format":"wav"}}]}`, 400, "messages[0].content[0].input_audio.data"},
		"a film":                   {`{"role":"user","content":[{"type":"video_url","video_url":{}}]}`, 422, "messages[0].content[0].type"},
		"an image by no URL":       {`{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}`, 422, "messages[0].content[0].image_url.url"},
		"arguments of a kind":      {`{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]}`, 400, "messages[0].tool_calls[0].function.arguments"},
	}
	w := start(t)
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		_, err := c.Parse()
		return inbound.Answer{Receipt: receipt(), Response: &chat.Response{}}, err
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post(chatPath, `{"model":"auto","messages":[`+tc.message+`]}`, aiKey)
			var e struct{ Error struct{ Param string } }
			got.into(t, &e)
			if got.status != tc.status || e.Error.Param != tc.param {
				t.Errorf("got %s, want %d at %q", got, tc.status, tc.param)
			}
		})
	}
}

func TestARenderedAnswer(t *testing.T) {
	const usage = `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},` +
		`"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"system_fingerprint":null}`
	tests := map[string]struct {
		response *chat.Response
		message  string
		finish   string
	}{
		"text":    {chat.Said("<hi>", chat.FinishLength), `{"role":"assistant","content":"<hi>","refusal":null,"annotations":[]}`, "length"},
		"nothing": {&chat.Response{}, `{"role":"assistant","content":"","refusal":null,"annotations":[]}`, "stop"},
		"refusal": {saying(chat.Part{Kind: chat.PartRefusal, Text: "no"}), `{"role":"assistant","content":null,"refusal":"no","annotations":[]}`, "stop"},
		"tools": {
			&chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{calling("c", "f", `{"a":1}`)}, Finish: chat.FinishToolCalls}}},
			`{"role":"assistant","content":null,"refusal":null,"annotations":[],"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}`, "tool_calls",
		},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
				return inbound.Answer{Receipt: receipt(), Response: tc.response}, nil
			}
			want := `{"id":"chatcmpl-0190call","object":"chat.completion","created":1896091200,"model":"gpt-x-2026","choices":[{"index":0,"message":` + tc.message +
				`,"logprobs":null,"finish_reason":"` + tc.finish + `"}],` + usage
			if got := w.post(chatPath, openAIBody(""), aiKey); string(got.body) != want {
				t.Errorf("got  %s\nwant %s", got.body, want)
			}
		})
	}
}

func TestFailuresInOpenAIsShape(t *testing.T) {
	tests := map[string]struct {
		err    error
		status int
		want   string
	}{
		"the vendor's word": {
			&fault.Error{Kind: fault.Malformed, Code: "invalid_value", Msg: "Invalid 'temperature'", Param: "temperature"}, 400,
			`{"error":{"message":"Invalid 'temperature'","type":"invalid_request_error","code":"invalid_value","param":"temperature"}}`,
		},
		"the vendor's word without code": {
			fault.New(fault.Malformed, "", "no"), 400, `{"error":{"message":"no","type":"invalid_request_error","code":null,"param":null}}`,
		},
		"ours": {
			fault.ErrValidation.At(fault.Field{Pointer: "/messages/10/content", Code: "x", Message: "must be better"}), 422,
			`{"error":{"message":"a value breaks a rule: messages[10].content must be better","type":"invalid_request_error","code":"validation_failed","param":"messages[10].content"}}`,
		},
		"a model that nobody knows": {
			fault.New(fault.NotFound, "model_not_found", "m"), 404, `{"error":{"message":"m","type":"invalid_request_error","code":"model_not_found","param":"model"}}`,
		},
		"a text that says the mistake already": {
			fault.New(fault.Malformed, "malformed", "no JSON: a brace is missing").At(fault.Field{Code: "malformed", Message: "a brace is missing"}), 400,
			`{"error":{"message":"no JSON: a brace is missing","type":"invalid_request_error","code":"malformed","param":null}}`,
		},
		"unauthenticated": {fault.New(fault.Unauthenticated, "c", "m"), 401, `{"error":{"message":"m","type":"authentication_error","code":"c","param":null}}`},
		"payment":         {fault.New(fault.Payment, "c", "m"), 402, `{"error":{"message":"m","type":"invalid_request_error","code":"c","param":null}}`},
		"forbidden":       {fault.New(fault.Forbidden, "c", "m"), 403, `{"error":{"message":"m","type":"permission_error","code":"c","param":null}}`},
		"not found":       {fault.New(fault.NotFound, "c", "m"), 404, `{"error":{"message":"m","type":"invalid_request_error","code":"c","param":null}}`},
		"exhausted":       {fault.New(fault.Exhausted, "c", "m"), 429, `{"error":{"message":"m","type":"rate_limit_error","code":"c","param":null}}`},
		"upstream":        {fault.New(fault.Upstream, "c", "m"), 502, `{"error":{"message":"m","type":"server_error","code":"c","param":null}}`},
		"timeout":         {fault.New(fault.Timeout, "c", "m"), 504, `{"error":{"message":"m","type":"server_error","code":"c","param":null}}`},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) { return inbound.Answer{}, tc.err }
			got := w.post(chatPath, openAIBody(""), aiKey)
			if got.status != tc.status || string(got.body) != tc.want || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("got  %s\nwant %d %s", got, tc.status, tc.want)
			}
		})
	}
}
