package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// translated gives what a body is to a vendor of another dialect.
func (w *world) translated(t *testing.T, body string) *chat.Request {
	t.Helper()
	requests := w.foreign(chat.Said("x", ""))
	if a := w.post(responsesPath, body, aiKey); a.status != 200 {
		t.Fatalf("%s: %s", body, a)
	}
	return (*requests)[0]
}

func TestATranslatedResponsesBody(t *testing.T) {
	seven, truth, half := 7, true, 0.5
	hi := []chat.Message{chat.Text(chat.RoleUser, "hi")}
	foreign := func(kind string, does chat.ServerTool, json string) chat.Tool {
		return chat.Tool{Name: kind, Server: does, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(json)}}
	}
	tests := map[string]struct {
		more string
		want chat.Request
	}{
		"the least": {"", chat.Request{Messages: hi}},
		"every option": {
			`,"instructions":"s","max_output_tokens":7,"temperature":0.5,"top_p":0.5,"top_logprobs":7,"include":["message.output_text.logprobs","reasoning.encrypted_content"],"parallel_tool_calls":true,
			"reasoning":{"effort":"low","summary":"auto"},"user":"u","prompt_cache_key":"k","service_tier":"flex","tool_choice":{"type":"function","name":"f"},"metadata":{"a":"b"},"stream":false,
			"text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{"a":1},"strict":true},"verbosity":"medium"},"truncation":"disabled","store":false,"background":false,"conversation":null`,
			chat.Request{
				Messages: append([]chat.Message{chat.Text(chat.RoleSystem, "s")}, hi...), MaxTokens: &seven, Temperature: &half, TopP: &half, TopLogprobs: 7, Logprobs: true, ParallelTools: &truth,
				Thinking: chat.Thinking{Effort: "low", Show: true}, EndUser: "u", CacheKey: "k", ServiceTier: "flex", ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"},
				Format: chat.Format{Kind: chat.FormatSchema, Name: "n", Description: "d", Schema: []byte(`{"a":1}`), Strict: &truth},
			},
		},
		"every option as null": {
			`,"instructions":null,"max_output_tokens":null,"temperature":null,"top_p":null,"top_logprobs":null,"include":null,"parallel_tool_calls":null,"reasoning":null,"user":null,"prompt_cache_key":null,
			"service_tier":null,"tool_choice":null,"metadata":null,"text":null,"truncation":null,"store":null,"tools":null,"max_tool_calls":null,"prompt":null,"safety_identifier":null,"x":null`,
			chat.Request{Messages: hi},
		},
		"what cannot be held": {
			`,"max_tool_calls":2,"truncation":"auto","include":["file_search_call.results"],"text":{"verbosity":"low","x":1},"reasoning":{"effort":"huge","context":"x"},"service_tier":"scale","tool_choice":{"type":"web_search"},"y":1`,
			chat.Request{Messages: hi, Untranslated: []string{"max_tool_calls", "truncation", "include", "verbosity", "text.x", "reasoning_effort", "reasoning.context", "service_tier", "tool_choice", "y"}},
		},
		"tools": {
			`,"tool_choice":"required","tools":[{"type":"function","name":"f","description":"d","parameters":{"a":1},"strict":true},{"type":"web_search","x":1},{"type":"code_interpreter"},{"type":"mcp"},
			{"type":"custom","format":{"type":"grammar","syntax":"regex","definition":"a+"},"name":"say","description":"says"}]`,
			chat.Request{
				Messages: hi, ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}, Untranslated: []string{"tools[4].format"},
				Tools: []chat.Tool{
					{Name: "f", Description: "d", Schema: []byte(`{"a":1}`), Strict: &truth},
					foreign("web_search", chat.ServerWebSearch, `{"type":"web_search","x":1}`),
					foreign("code_interpreter", chat.ServerCodeExecution, `{"type":"code_interpreter"}`), foreign("mcp", chat.ServerOther, `{"type":"mcp"}`),
					{Name: "say", Description: "says\n\nThe input must match this regex grammar:\na+", Schema: []byte(`{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`)},
				},
			},
		},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(&tc.want, w.translated(t, respBody(tc.more))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestATranslatedConversationOfItems(t *testing.T) {
	w := start(t)
	red := (&chat.Signature{Format: chat.FormatAnthropic, ID: "redacted", Data: "r"}).Wrap()
	gemini := func(of string) string {
		return (&chat.Signature{Format: chat.FormatGemini, ID: of, Data: "g"}).Wrap()
	}
	got := w.translated(t, `{"model":"auto","input":[
		{"role":"developer","content":"dev"},
		{"type":"message","id":"msg_1","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"https://x/y.png","detail":"low"},{"type":"input_image","image_url":"data:image/png;base64,aGk="},
			{"type":"input_image","file_id":"file_1"},{"type":"input_file","file_data":"data:application/pdf;base64,aGk=","filename":"a.pdf"},{"type":"input_file","file_url":"https://x/a.pdf"},
			{"type":"input_file","file_id":"file_2"},{"type":"input_audio","input_audio":{"data":"aGk=","format":"mp3"}}]},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"enc","status":"completed"},
		{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"`+red+`"},
		{"type":"reasoning","id":"rs_3","summary":[],"encrypted_content":"`+gemini("call")+`"},
		{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"","status":"completed"},
		{"type":"custom_tool_call","id":"ctc_1","call_id":"c2","name":"say","input":"a \"text\""},
		{"type":"function_call_output","call_id":"c1","output":"r1"},
		{"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"r2"},{"type":"input_image","image_url":"https://x/z.png"}]},
		{"type":"web_search_call","id":"ws_1","status":"completed"},
		{"type":"message","role":"assistant","id":"msg_2","status":"completed","phase":"final_answer","content":[{"type":"output_text","text":"said","annotations":[{"type":"url_citation","url":"https://c","title":"C","start_index":1,"end_index":3}],"logprobs":[]},{"type":"refusal","refusal":"no"}]},
		{"role":"assistant","content":"and"},
		{"type":"reasoning","id":"rs_4","summary":[],"encrypted_content":"`+gemini("text")+`"},
		{"type":"reasoning","summary":[]},
		{"role":"user","content":"x"},{"role":"user","content":"y"},
		{"type":"reasoning","id":"rs_5","summary":[],"encrypted_content":"`+gemini("call")+`"}
	]}`)
	result := func(id, name string, parts ...chat.Part) chat.Part {
		return chat.Part{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: id, Name: name, Parts: parts}}
	}
	signed := calling("c1", "f", "{}")
	signed.Signature = &chat.Signature{Format: chat.FormatGemini, Data: "g"}
	want := []chat.Message{
		chat.Text(chat.RoleSystem, "dev"),
		{Role: chat.RoleUser, Parts: []chat.Part{
			{Text: "a"},
			{Kind: chat.PartImage, Media: &chat.Media{URL: "https://x/y.png", Detail: "low"}},
			{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "aGk="}},
			{Kind: chat.PartImage, Media: &chat.Media{FileID: "file_1", Origin: chat.DialectOpenAIChat}},
			{Kind: chat.PartFile, Media: &chat.Media{Type: "application/pdf", Data: "aGk=", Name: "a.pdf"}},
			{Kind: chat.PartFile, Media: &chat.Media{URL: "https://x/a.pdf"}},
			{Kind: chat.PartFile, Media: &chat.Media{FileID: "file_2", Origin: chat.DialectOpenAIChat}},
			{Kind: chat.PartAudio, Media: &chat.Media{Type: "audio/mpeg", Data: "aGk="}},
		}},
		{Role: chat.RoleAssistant, Parts: []chat.Part{
			{Kind: chat.PartThinking, Text: "one\n\ntwo", Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "enc", ID: "rs_1"}},
			{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "r"}},
			signed, calling("c2", "say", `{"input":"a \"text\""}`),
		}},
		{Role: chat.RoleTool, Parts: []chat.Part{
			result("c1", "f", chat.Part{Text: "r1"}), result("c2", "say", chat.Part{Text: "r2"}, chat.Part{Kind: chat.PartImage, Media: &chat.Media{URL: "https://x/z.png"}}),
		}},
		{Role: chat.RoleAssistant, Parts: []chat.Part{
			{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{"type":"web_search_call","id":"ws_1","status":"completed"}`)}},
			{Text: "said", Citations: []chat.Citation{{URL: "https://c", Title: "C", Start: 1, End: 3, Foreign: &chat.Foreign{
				Dialect: chat.DialectResponses, JSON: []byte(`{"type":"url_citation","url":"https://c","title":"C","start_index":1,"end_index":3}`),
			}}}},
			{Kind: chat.PartRefusal, Text: "no"},
			{Text: "and", Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}},
		}},
		chat.Text(chat.RoleUser, "x"), chat.Text(chat.RoleUser, "y"),
		{Role: chat.RoleAssistant, Parts: []chat.Part{{Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}}}},
	}
	if d := cmp.Diff(want, got.Messages); d != "" {
		t.Error(d)
	}
}

func TestASignatureIsOfTheCallBehindItAndOfNoOther(t *testing.T) {
	w := start(t)
	sealed := `{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"` + (&chat.Signature{Format: chat.FormatGemini, ID: "call", Data: "g"}).Wrap() + `"}`
	call := func(id string) string {
		return `{"type":"function_call","call_id":"` + id + `","name":"f","arguments":"{}"}`
	}
	signed, alone := calling("c2", "f", "{}"), chat.Part{Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}}
	signed.Signature = alone.Signature
	got := w.translated(t, `{"model":"auto","input":[`+sealed+`,{"role":"user","content":"x"},`+call("c1")+`,`+sealed+`,`+call("c2")+`,`+call("c3")+`]}`)
	want := []chat.Message{
		{Role: chat.RoleAssistant, Parts: []chat.Part{alone}},
		chat.Text(chat.RoleUser, "x"),
		{Role: chat.RoleAssistant, Parts: []chat.Part{calling("c1", "f", "{}"), signed, calling("c3", "f", "{}")}},
	}
	if d := cmp.Diff(want, got.Messages); d != "" {
		t.Error(d)
	}
}

func TestResponsesBodiesThatAreRefused(t *testing.T) {
	tests := map[string]struct {
		body   string
		status int
		code   string
		param  string
	}{
		"nothing":                      {` `, 400, "malformed", ""},
		"null":                         {`null`, 400, "wrong_type", ""},
		"a list":                       {`[]`, 400, "wrong_type", ""},
		"cut off":                      {`{"model":"auto","input":"hi`, 400, "malformed", ""},
		"something behind it":          {respBody("") + `x`, 400, "malformed", ""},
		"invalid UTF-8":                {respBody(",\"x\":\"\xff\""), 400, "malformed", ""},
		"a lone surrogate":             {respBody(`,"x":"\udc00"`), 400, "malformed", ""},
		"depth":                        {respBody(`,"x":` + strings.Repeat("[", 100_000)), 400, "malformed", ""},
		"no model":                     {`{"input":"x"}`, 400, "missing_field", "model"},
		"no input":                     {`{"model":"auto"}`, 400, "missing_field", "input"},
		"an input that is null":        {`{"model":"auto","input":null}`, 400, "missing_field", "input"},
		"a model that is empty":        {`{"model":"","input":"x"}`, 422, "validation_failed", "model"},
		"an input that is none":        {`{"model":"auto","input":1}`, 400, "wrong_type", "input"},
		"an item that is none":         {`{"model":"auto","input":["x"]}`, 400, "wrong_type", "input[0]"},
		"stream of another kind":       {respBody(`,"stream":"yes"`), 400, "wrong_type", "stream"},
		"store of another kind":        {respBody(`,"store":"yes"`), 400, "wrong_type", "store"},
		"a limit in part":              {respBody(`,"max_output_tokens":1.5`), 400, "wrong_type", "max_output_tokens"},
		"a limit of nothing":           {respBody(`,"max_output_tokens":0`), 422, "validation_failed", "max_output_tokens"},
		"in the background":            {respBody(`,"background":true`), 422, "validation_failed", "background"},
		"of a conversation":            {respBody(`,"conversation":"conv_1"`), 422, "validation_failed", "conversation"},
		"of a conversation object":     {respBody(`,"conversation":{"id":"conv_1"}`), 422, "validation_failed", "conversation"},
		"going on from no id":          {respBody(`,"previous_response_id":""`), 422, "validation_failed", "previous_response_id"},
		"the model twice":              {respBody(`,"model":"other"`), 400, "malformed", "model"},
		"the model twice by escape":    {respBody(`,"\u006dodel":"other"`), 400, "malformed", "model"},
		"the model in other case":      {respBody(`,"MODEL":"other"`), 400, "malformed", "MODEL"},
		"store twice":                  {respBody(`,"store":true,"store":false`), 400, "malformed", "store"},
		"store folded":                 {respBody(`,"ſtore":true`), 400, "malformed", "ſtore"},
		"what to go on from twice":     {respBody(`,"previous_response_id":"resp_1","previous_response_id":null`), 400, "malformed", "previous_response_id"},
		"the input twice":              {respBody(`,"input":"other"`), 400, "malformed", "input"},
		"a reference to what is gone":  {`{"model":"auto","input":[{"type":"item_reference","id":"msg_1"}]}`, 404, "item_not_found", "input[0].id"},
		"going on from what is gone":   {respBody(`,"previous_response_id":"resp_2"`), 404, "previous_response_not_found", "previous_response_id"},
		"going on from a hostile name": {respBody(`,"previous_response_id":"' OR 1=1 --\u0000"`), 404, "previous_response_not_found", "previous_response_id"},
	}
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		t.Error("the gateway was asked")
		return inbound.Answer{}, nil
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post(responsesPath, tc.body, aiKey)
			checkInvalid(t, got, tc.status, tc.code, tc.param)
		})
	}
}

func TestMistakesInItemsThatOnlyTranslationFinds(t *testing.T) {
	tests := map[string]struct {
		item   string
		status int
		param  string
	}{
		"an unknown role":        {`{"role":"robot","content":"x"}`, 422, "input[0].role"},
		"no content":             {`{"role":"user"}`, 400, "input[0].content"},
		"a key twice":            {`{"role":"user","content":"x","content":"y"}`, 400, "input[0].content"},
		"a part of no kind":      {`{"role":"user","content":[{"text":"x"}]}`, 400, "input[0].content[0].type"},
		"a screenshot":           {`{"role":"user","content":[{"type":"computer_screenshot"}]}`, 422, "input[0].content[0]"},
		"an image by no URL":     {`{"role":"user","content":[{"type":"input_image","image_url":"ftp://x"}]}`, 422, "input[0].content[0].image_url"},
		"an image of nothing":    {`{"role":"user","content":[{"type":"input_image"}]}`, 400, "input[0].content[0].image_url"},
		"a file of nothing":      {`{"role":"user","content":[{"type":"input_file"}]}`, 400, "input[0].content[0].file_data"},
		"a sound of nothing":     {`{"role":"user","content":[{"type":"input_audio"}]}`, 400, "input[0].content[0].input_audio"},
		"arguments of a kind":    {`{"type":"function_call","call_id":"c","name":"f","arguments":{}}`, 400, "input[0].arguments"},
		"a call without an id":   {`{"type":"function_call","name":"f","arguments":"{}"}`, 400, "input[0].call_id"},
		"a result of nothing":    {`{"type":"function_call_output","call_id":"c"}`, 400, "input[0].output"},
		"an item of an odd type": {`{"type":"","role":"user","content":"x"}`, 422, "input[0].type"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.foreign(&chat.Response{})
			got := w.post(responsesPath, `{"model":"auto","input":[`+tc.item+`]}`, aiKey)
			var e struct{ Error struct{ Param string } }
			got.into(t, &e)
			if got.status != tc.status || e.Error.Param != tc.param {
				t.Errorf("got %s, want %d at %q", got, tc.status, tc.param)
			}
		})
	}
	got := w.post(responsesPath, `{"model":"auto","prompt":{"id":"pmpt_1"}}`, aiKey)
	if got.status != 422 || !strings.Contains(string(got.body), `"param":"prompt"`) {
		t.Errorf("got %s", got)
	}
}

func TestFieldsAreShownByTheirNamesHere(t *testing.T) {
	w := start(t)
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
		r := receipt()
		r.Dropped = []string{"response_format", "reasoning_effort", "max_tokens", "verbosity", "tools[1]", "messages[2].content[0]", "messages[].reasoning", "seed"}
		return inbound.Answer{Receipt: r, Response: chat.Said("x", "")}, nil
	}
	want := "text.format, reasoning.effort, max_output_tokens, text.verbosity, tools[1], input[2].content[0], input[].reasoning, seed"
	if got := w.post(responsesPath, respBody(""), aiKey).header.Get("X-Forge-Dropped"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
