package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

// refusal is a request that a vendor refuses, and what it says.
type refusal struct {
	path   string // "": the vendor's way to a whole answer
	method string // "": POST
	body   string
	header [2]string // set, or removed when its value is ""
	status int
	want   string // a part of the body, spaces taken out of both
}

func (w *world) refuses(t *testing.T, vendor, path string, all map[string]refusal) {
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			if c.path == "" {
				c.path = path
			}
			before := w.stats(vendor)
			r := w.post(vendor, c.path, c.body)
			if c.method != "" {
				r.Method = c.method
			}
			if c.header[0] != "" {
				r.Header.Del(c.header[0])
				if c.header[1] != "" {
					r.Header.Set(c.header[0], c.header[1])
				}
			}
			res, body := w.must(r)
			if res.StatusCode != c.status || !strings.Contains(packed(body), packed(c.want)) {
				t.Errorf("answer = %d %s\nwant %d with %s", res.StatusCode, body, c.status, c.want)
			}
			if c.status == http.StatusMethodNotAllowed && res.Header.Get("Allow") == "" {
				t.Error("no Allow header with 405")
			}
			after := w.stats(vendor)
			if after.Refused != before.Refused+1 || after.Requests != before.Requests+1 || after.InFlight != 0 {
				t.Errorf("stats = %+v after %+v, want one more refused", after, before)
			}
		})
	}
}

func packed(s string) string { return strings.Join(strings.Fields(s), "") }

func chatWith(model, fields string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]` + fields + `}`
}

func chatMessages(model, messages string) string {
	return `{"model":"` + model + `","messages":[` + messages + `]}`
}

func TestOpenAIRefuses(t *testing.T) {
	t.Parallel()
	const m = "gpt-4.1-mini"
	call := `{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	start(t, simulator.Config{}).refuses(t, simulator.OpenAI, "/chat/completions", map[string]refusal{
		"no key":                           {header: [2]string{"Authorization", ""}, status: 401, want: `"message":"You didn't provide an API key.`},
		"the key bad":                      {header: [2]string{"Authorization", "Bearer bad"}, status: 401, want: `"type":"invalid_request_error","param":null,"code":"invalid_api_key"`},
		"another scheme":                   {header: [2]string{"Authorization", "Basic eDp5"}, status: 401, want: `"code":null`},
		"another content type":             {body: chatWith(m, ""), header: [2]string{"Content-Type", "text/plain"}, status: 400, want: `"code":"unsupported_content_type"`},
		"an unknown path":                  {path: "/nothing", body: "{}", status: 404, want: `Invalid URL (POST /v1/nothing)`},
		"GET":                              {method: "GET", status: 405, want: `"code":"method_not_supported"`},
		"POST on the model list":           {path: "/models", status: 405, want: `"code":"method_not_supported"`},
		"broken JSON":                      {body: `{"model":`, status: 400, want: "We could not parse the JSON body of your request."},
		"an empty body":                    {status: 400, want: "We could not parse the JSON body of your request."},
		"a body that is no object":         {body: `[]`, status: 400, want: `"code":"invalid_type"`},
		"a field of a wrong type":          {body: chatWith(m, `,"temperature":"hot"`), status: 400, want: `Invalid type for 'temperature': expected a decimal, but got a string instead.`},
		"no model":                         {body: `{"messages":[]}`, status: 400, want: "you must provide a model parameter"},
		"no messages":                      {body: `{"model":"` + m + `"}`, status: 400, want: `"param":"messages","code":"missing_required_parameter"`},
		"empty messages":                   {body: chatMessages(m, ""), status: 400, want: `"code":"empty_array"`},
		"an unknown model":                 {body: chatWith("nope", ""), status: 404, want: "The model `nope` does not exist or you do not have access to it.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"model_not_found\""},
		"an unknown model asked for":       {path: "/models/nope", method: "GET", status: 404, want: `"code":"model_not_found"`},
		"an unknown role":                  {body: chatMessages(m, `{"role":"robot","content":"hi"}`), status: 400, want: `"param":"messages[0].role","code":"invalid_value"`},
		"user content null":                {body: chatMessages(m, `{"role":"user","content":null}`), status: 400, want: "expected a string, got null"},
		"content that is a number":         {body: chatMessages(m, `{"role":"user","content":7}`), status: 400, want: `"param":"messages[0].content"`},
		"a part of an unknown type":        {body: chatMessages(m, `{"role":"user","content":[{"type":"smell"}]}`), status: 400, want: `"param":"messages[0]"`},
		"temperature over 2":               {body: chatWith(m, `,"temperature":2.5`), status: 400, want: `"param":"temperature","code":"decimal_above_max_value"`},
		"temperature under 0":              {body: chatWith(m, `,"temperature":-1`), status: 400, want: `"code":"decimal_below_min_value"`},
		"top_p over 1":                     {body: chatWith(m, `,"top_p":1.5`), status: 400, want: `"param":"top_p"`},
		"max_tokens 0":                     {body: chatWith(m, `,"max_tokens":0`), status: 400, want: `"param":"max_tokens","code":"integer_below_min_value"`},
		"n 0":                              {body: chatWith(m, `,"n":0`), status: 400, want: `"param":"n"`},
		"n too large":                      {body: chatWith(m, `,"n":129`), status: 400, want: `"code":"integer_above_max_value"`},
		"stream_options without stream":    {body: chatWith(m, `,"stream_options":{"include_usage":true}`), status: 400, want: `"param":"stream_options"`},
		"max_tokens on a reasoning model":  {body: chatWith("gpt-5-mini", `,"max_tokens":10`), status: 400, want: `"param":"max_tokens","code":"unsupported_parameter"`},
		"temperature on a reasoning model": {body: chatWith("gpt-5-mini", `,"temperature":0.5`), status: 400, want: `"param":"temperature","code":"unsupported_value"`},
		"a tool with a bad name":           {body: chatWith(m, `,"tools":[{"type":"function","function":{"name":"a b"}}]`), status: 400, want: `"param":"tools[0].function.name"`},
		"a tool result out of nowhere":     {body: chatMessages(m, `{"role":"tool","tool_call_id":"call_1","content":"x"}`), status: 400, want: `messages with role 'tool' must be a response to a preceeding message`},
		"a tool call without its result":   {body: chatMessages(m, call+`,{"role":"user","content":"and?"}`), status: 400, want: "did not have response messages: call_1"},
		"a tool call at the end":           {body: chatMessages(m, call), status: 400, want: "did not have response messages: call_1"},
		"a tool call id that is too long":  {body: chatMessages(m, strings.ReplaceAll(call, "call_1", strings.Repeat("x", 41))), status: 400, want: `"code":"string_above_max_length"`},
	})
}

func TestOpenRouterRefuses(t *testing.T) {
	t.Parallel()
	const m = "anthropic/claude-haiku-4.5"
	start(t, simulator.Config{}).refuses(t, simulator.OpenRouter, "/chat/completions", map[string]refusal{
		"no key":               {header: [2]string{"Authorization", ""}, status: 401, want: `{"error":{"message":"No auth credentials found","code":401}}`},
		"the key bad":          {header: [2]string{"Authorization", "Bearer bad"}, status: 401, want: `{"error":{"message":"User not found.","code":401}}`},
		"another content type": {body: chatWith(m, ""), header: [2]string{"Content-Type", "text/plain"}, status: 400, want: `"code":400`},
		"an unknown path":      {path: "/nothing", body: "{}", status: 404, want: `"code":404`},
		"GET":                  {method: "GET", status: 405, want: `"code":405`},
		"broken JSON":          {body: `{`, status: 400, want: `"code":400`},
		"no model":             {body: `{"messages":[]}`, status: 400, want: `{"error":{"message":"No models provided","code":400}`},
		"empty messages":       {body: chatMessages(m, ""), status: 400, want: `Input required: specify \"prompt\" or \"messages\"`},
		"an unknown model":     {body: chatWith("nope/nope", ""), status: 404, want: `"message":"No endpoints found for nope/nope.","code":404`},
		"an unknown role":      {body: chatMessages(m, `{"role":"robot","content":"hi"}`), status: 400, want: `"code":400`},
		"temperature over 2":   {body: chatWith(m, `,"temperature":3`), status: 400, want: `"code":400`},
	})
}

func anthropicWith(fields string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":"hi"}]` + fields + `}`
}

func anthropicMessages(messages string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[` + messages + `]}`
}

func TestAnthropicRefuses(t *testing.T) {
	t.Parallel()
	const user = `{"role":"user","content":"hi"},`
	use := func(id string) string {
		return user + `{"role":"assistant","content":[{"type":"tool_use","id":"` + id + `","name":"f","input":{}}]}`
	}
	const invalid = `"type":"invalid_request_error"`
	start(t, simulator.Config{}).refuses(t, simulator.Anthropic, "/v1/messages", map[string]refusal{
		"no key":                 {header: [2]string{"X-Api-Key", ""}, status: 401, want: `"type":"authentication_error","message":"x-api-key header is required"},"request_id":"req_`},
		"the key bad":            {header: [2]string{"X-Api-Key", "bad"}, status: 401, want: `"message":"invalid x-api-key"`},
		"no version":             {header: [2]string{"Anthropic-Version", ""}, status: 400, want: invalid + `,"message":"anthropic-version: header is required"`},
		"a version of its own":   {header: [2]string{"Anthropic-Version", "2031-01-01"}, status: 400, want: `is not a valid version`},
		"another content type":   {body: anthropicWith(""), header: [2]string{"Content-Type", "text/plain"}, status: 400, want: invalid},
		"an unknown path":        {path: "/v1/nothing", body: "{}", status: 404, want: `"type":"not_found_error"`},
		"GET":                    {method: "GET", status: 405, want: `"message":"Method Not Allowed"`},
		"broken JSON":            {body: `{"a"`, status: 400, want: "The request body is not valid JSON"},
		"a wrong type":           {body: anthropicWith(`,"top_p":"x"`), status: 400, want: "top_p: Input should be a valid number"},
		"no model":               {body: `{"max_tokens":1,"messages":[]}`, status: 400, want: "model: Field required"},
		"no max_tokens":          {body: `{"model":"claude-sonnet-4-5","messages":[]}`, status: 400, want: invalid + `,"message":"max_tokens: Field required"`},
		"max_tokens 0":           {body: anthropicWith(`,"max_tokens":0`), status: 400, want: "max_tokens: must be greater than or equal to 1"},
		"no messages":            {body: `{"model":"claude-sonnet-4-5","max_tokens":1}`, status: 400, want: "messages: Field required"},
		"empty messages":         {body: anthropicMessages(""), status: 400, want: "messages: at least one message is required"},
		"an unknown model":       {body: anthropicWith(`,"model":"claude-nope"`), status: 404, want: `"type":"not_found_error","message":"model: claude-nope"`},
		"temperature over 1":     {body: anthropicWith(`,"temperature":1.5`), status: 400, want: "temperature: range: 0..1"},
		"top_p over 1":           {body: anthropicWith(`,"top_p":1.5`), status: 400, want: "top_p: range: 0..1"},
		"a system message":       {body: anthropicMessages(`{"role":"system","content":"x"}`), status: 400, want: `Unexpected role \"system\"`},
		"an unknown role":        {body: anthropicMessages(`{"role":"tool","content":"x"}`), status: 400, want: `Unexpected role \"tool\"`},
		"an assistant first":     {body: anthropicMessages(`{"role":"assistant","content":"x"}`), status: 400, want: `first message must use the \"user\" role`},
		"empty content":          {body: anthropicMessages(`{"role":"user","content":""}`), status: 400, want: "messages.0: all messages must have non-empty content"},
		"content of a number":    {body: anthropicMessages(`{"role":"user","content":7}`), status: 400, want: "messages.0.content: Input should be a valid list"},
		"a block without type":   {body: anthropicMessages(`{"role":"user","content":[{"text":"x"}]}`), status: 400, want: "messages.0.content.0.type: Field required"},
		"a system of a number":   {body: anthropicWith(`,"system":7`), status: 400, want: "system: Input should be a valid list"},
		"a tool id with a dot":   {body: anthropicMessages(use("functions.f:0")), status: 400, want: `messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`},
		"a tool with a bad name": {body: anthropicWith(`,"tools":[{"name":"a.b","input_schema":{}}]`), status: 400, want: "tools.0.custom.name: String should match pattern"},
		"a tool use at the end":  {body: anthropicMessages(use("toolu_1")), status: 400, want: "were found without `tool_result` blocks immediately after: toolu_1"},
		"a tool use unanswered":  {body: anthropicMessages(use("toolu_1") + `,{"role":"user","content":"and?"}`), status: 400, want: "messages.1: `tool_use` ids were found without"},
		"a result out of nowhere": {
			body:   anthropicMessages(`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_9","content":"x"}]}`),
			status: 400, want: "unexpected `tool_use_id` found in `tool_result` blocks: toolu_9",
		},
		"a result with a bad id": {
			body:   anthropicMessages(use("a") + `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"a.b","content":"x"}]}`),
			status: 400, want: "messages.2.content.0.tool_result.tool_use_id: String should match pattern",
		},
		"a body over 32 MiB": {body: `{"a":"` + strings.Repeat("x", 32<<20) + `"}`, status: 413, want: `{"error":{"type":"request_too_large"`},
	})
}

func TestGeminiRefuses(t *testing.T) {
	t.Parallel()
	contents := func(s string) string { return `{"contents":[` + s + `]}` }
	const user, fcall = `{"role":"user","parts":[{"text":"hi"}]}`, `{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]}`
	const whole, stream = "/v1beta/models/gemini-2.5-flash:generateContent", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
	w := start(t, simulator.Config{})
	w.refuses(t, simulator.Gemini, whole, map[string]refusal{
		"no key":                     {header: [2]string{"X-Goog-Api-Key", ""}, status: 403, want: `"status":"PERMISSION_DENIED"`},
		"the key bad":                {header: [2]string{"X-Goog-Api-Key", "bad"}, status: 400, want: `"reason":"API_KEY_INVALID"`},
		"the key bad in the address": {path: whole + "?key=bad", header: [2]string{"X-Goog-Api-Key", ""}, status: 400, want: `"status":"INVALID_ARGUMENT"`},
		"another content type":       {body: contents(user), header: [2]string{"Content-Type", "text/plain"}, status: 400, want: `"code":400`},
		"an unknown path":            {path: "/v2/nothing", body: "{}", status: 404, want: "<!DOCTYPE html>"},
		"an unknown verb":            {path: "/v1beta/models/gemini-2.5-flash:sing", body: "{}", status: 404, want: "<!DOCTYPE html>"},
		"GET":                        {method: "GET", status: 405, want: `"code":405`},
		"broken JSON":                {body: `{`, status: 400, want: "Invalid JSON payload received."},
		"a wrong type":               {body: `{"contents":7}`, status: 400, want: "Invalid value at 'contents'"},
		"no contents":                {body: `{}`, status: 400, want: "GenerateContentRequest.contents: contents is not specified"},
		"empty contents":             {body: contents(""), status: 400, want: "contents is not specified"},
		"an unknown model":           {path: "/v1beta/models/nope:generateContent", body: contents(user), status: 404, want: `models/nope is not found for API version v1beta`},
		"an unknown role":            {body: contents(`{"role":"assistant","parts":[{"text":"hi"}]}`), status: 400, want: "Please use a valid role: user, model."},
		"no parts":                   {body: contents(`{"role":"user","parts":[]}`), status: 400, want: "contents[0].parts: contents.parts must not be empty."},
		"an empty part":              {body: contents(`{"role":"user","parts":[{}]}`), status: 400, want: "contents[0].parts[0].data: required oneof field"},
		"temperature over 2":         {body: `{"contents":[` + user + `],"generationConfig":{"temperature":3}}`, status: 400, want: "temperature must be in the range [0.0, 2.0]"},
		"top_p over 1":               {body: `{"contents":[` + user + `],"generation_config":{"top_p":3}}`, status: 400, want: "top_p must be in the range"},
		"maxOutputTokens 0":          {body: `{"contents":[` + user + `],"generationConfig":{"maxOutputTokens":0}}`, status: 400, want: "max_output_tokens must be positive"},
		"a call without a result":    {body: contents(user + "," + fcall + "," + user), status: 400, want: "number of function response parts is equal to the number of function call parts"},
		"a call first":               {body: contents(fcall), status: 400, want: "function call turn comes immediately after a user turn"},
		"a stream of a bad request":  {path: stream, body: `{}`, status: 400, want: `"code":400`},
	})
	res, body := w.must(w.post(simulator.Gemini, "/v1beta/models/nope:streamGenerateContent?alt=sse", contents(user)))
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" || !strings.HasPrefix(body, "{\n") {
		t.Errorf("error of a stream = %q %q, want plain JSON as text/event-stream", got, body)
	}
}

func TestAVendorWithoutConfiguredModelsTakesNamesLikeItsOwn(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: map[string][]string{}})
	for vendor, names := range map[string][2]string{
		simulator.OpenAI:     {chatWith("gpt-9", ""), chatWith("nope", "")},
		simulator.OpenRouter: {chatWith("maker/model", ""), chatWith("nope", "")},
		simulator.Anthropic:  {anthropicWith(`,"model":"claude-next"`), anthropicWith(`,"model":"nope"`)},
	} {
		path := map[bool]string{true: "/v1/messages", false: "/chat/completions"}[vendor == simulator.Anthropic]
		for i, want := range []int{200, 404} {
			if res, body := w.must(w.post(vendor, path, names[i])); res.StatusCode != want {
				t.Errorf("%s, %s = %d %s, want %d", vendor, names[i], res.StatusCode, body, want)
			}
		}
	}
}

func TestOtherPathsNameTheVendors(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	r := w.post(simulator.OpenAI, "", "")
	r.URL.Path = "/mistral/v1"
	if res, body := w.must(r); res.StatusCode != 404 || !strings.Contains(body, "/openrouter/api/v1") {
		t.Errorf("answer = %d %s, want 404 naming the vendors' paths", res.StatusCode, body)
	}
}
