package simulator_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

// surface is one of the vendors' ways to ask for an answer.
type surface struct{ vendor, path, body string } // of the body, %s is what the user says

const (
	chatTools      = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"q":{"type":"string"}}}}},{"type":"function","function":{"name":"g"}}]`
	claudeTools    = `"tools":[{"name":"f","input_schema":{"type":"object","properties":{"q":{"type":"string"}}}},{"name":"g","input_schema":{"type":"object"}}]`
	responsesTools = `"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"q":{"type":"string"}}}},{"type":"function","name":"g"}]`
	googleTools    = `"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"q":{"type":"STRING"}}}},{"name":"g"}]}]`
)

// surfaces are all of them, with two tools declared.
var surfaces = map[string]surface{
	"chat":      {simulator.OpenAI, "/chat/completions", `{"model":"gpt-5-mini","messages":[{"role":"user","content":%s}],` + chatTools + `}`},
	"responses": {simulator.OpenAI, "/responses", `{"model":"gpt-5-mini","input":%s,"include":["reasoning.encrypted_content"],` + responsesTools + `}`},
	"messages":  {simulator.Anthropic, "/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":64000,"messages":[{"role":"user","content":%s}],` + claudeTools + `}`},
	"generate":  {simulator.Gemini, "/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[{"role":"user","parts":[{"text":%s}]}],` + googleTools + `}`},
	"claude":    {simulator.OpenRouter, "/chat/completions", `{"model":"anthropic/claude-haiku-4.5","messages":[{"role":"user","content":%s}],` + chatTools + `}`},
	"google":    {simulator.OpenRouter, "/chat/completions", `{"model":"google/gemini-2.5-flash","messages":[{"role":"user","content":%s}],` + chatTools + `}`},
}

// ask makes a request of the surface, whole or streamed.
func (w *world) ask(s surface, text string, stream bool) *http.Request {
	body := strings.Replace(s.body, "%s", quote(text), 1)
	if stream && s.vendor == simulator.Gemini {
		s.path = strings.Replace(s.path, ":generateContent", ":streamGenerateContent?alt=sse", 1)
	} else if stream {
		body = strings.TrimSuffix(body, "}") + `,"stream":true}`
		if s.vendor == simulator.OpenAI && s.path == "/chat/completions" {
			body = strings.TrimSuffix(body, "}") + `,"stream_options":{"include_usage":true}}`
		}
	}
	return w.post(s.vendor, s.path, body)
}

func TestDirectivesAreObeyedByAllVendors(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for directive, want := range map[string]map[string][]string{
		"[sim:tools=2,preface] go": { // what the answer holds at each surface, whole and streamed
			"chat":      {`Let me look that`, `"name":"f"`, `"name":"g"`, `"finish_reason":"tool_calls"`},
			"responses": {`Let me look that`, `"name":"f"`, `"name":"g"`, `"type":"function_call","status":"completed"`},
			"messages":  {`Let me look that`, `"name":"f"`, `"name":"g"`, `"stop_reason":"tool_use"`},
			"generate":  {`Let me look that`, `"name":"f"`, `"name":"g"`, `"thoughtSignature":`, `"finishReason":"STOP"`},
			"claude":    {`Let me look that`, `"name":"f"`, `"name":"g"`, `toolu_bdrk_01`, `"native_finish_reason":"tool_use"`},
			"google":    {`Let me look that`, `"id":"tool_0_f"`, `"id":"tool_1_g"`, `"native_finish_reason":"STOP"`},
		},
		"[sim:tool=g,noargs]": {
			"chat": {`"name":"g"`, `"arguments":"{}"`}, "responses": {`"arguments":"{}"`}, "messages": {`"name":"g","input":{}`},
			"generate": {`{"name":"g","args":{}}`}, "claude": {`"arguments":"{}"`}, "google": {`"id":"tool_0_g"`},
		},
		"[sim:thinking,tools=1]": {
			"chat": {`"reasoning_tokens":2`}, "responses": {`"type":"reasoning","encrypted_content":"gAAAAAB`, `"summary_text"`, `"reasoning_tokens":2`},
			"messages": {`"type":"thinking"`, `"signature":"`}, "generate": {`"thought":true`, `"thoughtsTokenCount":2`},
			"claude": {`"reasoning":"`, `"type":"reasoning.text"`, `"signature":"`, `"format":"anthropic-claude-v1"`},
			"google": {`"type":"reasoning.text"`, `"type":"reasoning.encrypted"`, `"id":"tool_0_f","format":"google-gemini-v1"`},
		},
		"[sim:redacted,tools=0]": {
			"chat": {`"finish_reason":"stop"`}, "responses": {`"summary":[]`}, "messages": {`"type":"redacted_thinking","data":"`}, "generate": {`"thoughtsTokenCount":2`},
			"claude": {`"type":"reasoning.encrypted","data":"`}, "google": {`"native_finish_reason":"STOP"`},
		},
		"[sim:refuse]": {
			"chat": {`"refusal":"I'm sorry`, `"finish_reason":"stop"`}, "responses": {`"type":"refusal"`, `"refusal":"I'm sorry`}, "messages": {`"stop_reason":"refusal"`, `"stop_details":{`},
			"generate": {`"finishReason":"SAFETY"`}, "claude": {`"refusal":"I'm sorry`, `"native_finish_reason":"refusal"`}, "google": {`"native_finish_reason":"SAFETY"`},
		},
		"[sim:filter]": {
			"chat": {`"finish_reason":"content_filter"`}, "responses": {`"incomplete_details":{"reason":"content_filter"}`}, "messages": {`"stop_reason":"refusal"`},
			"generate": {`"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}`}, "claude": {`"finish_reason":"content_filter"`}, "google": {`"finish_reason":"content_filter"`},
		},
		"[sim:length,say=one two three]": {
			"chat": {`"content":"one tw"`, `"finish_reason":"length"`}, "responses": {`"text":"one tw"`, `"reason":"max_output_tokens"`}, "messages": {`"text":"one tw"`, `"stop_reason":"max_tokens"`},
			"generate": {`"text":"one tw"`, `"finishReason":"MAX_TOKENS"`}, "claude": {`"finish_reason":"length","native_finish_reason":"max_tokens"`}, "google": {`"native_finish_reason":"MAX_TOKENS"`},
		},
		"[sim:exhausted,thinking]": {
			"chat": {`"finish_reason":"length"`, `"content":""`}, "responses": {`"status":"incomplete"`, `"type":"reasoning"`}, "messages": {`"stop_reason":"max_tokens"`, `"type":"thinking"`},
			"generate": {`"finishReason":"MAX_TOKENS"`}, "claude": {`"finish_reason":"length"`}, "google": {`"finish_reason":"length"`},
		},
		"[sim:empty]": {
			"chat": {`"content":""`, `"finish_reason":"stop"`}, "responses": {`"summary":[]}],"parallel_tool_calls"`, `"status":"completed"`}, "messages": {`"content":[]`, `"stop_reason":"end_turn"`},
			"generate": {`"finishReason":"STOP"`}, "claude": {`"content":""`}, "google": {`"content":""`},
		},
		"[sim:pause,tools=0]": {
			"chat": {`"finish_reason":"stop"`}, "responses": {`"status":"completed"`}, "messages": {`"stop_reason":"pause_turn"`}, "generate": {`"finishReason":"STOP"`},
			"claude": {`"finish_reason":"stop","native_finish_reason":"pause_turn"`}, "google": {`"finish_reason":"stop"`},
		},
		"[sim:search,cite=2] [sim:say=sixteen bytes it]": {
			"chat": {`"type":"url_citation","url_citation":{"url":"https://example.com/source/2"`}, "responses": {`"type":"web_search_call","status":"completed"`, `"url":"https://example.com/source/2"`},
			"messages": {`"type":"server_tool_use"`, `"type":"web_search_tool_result"`, `"type":"web_search_result_location","cited_text":"sixteen"`},
			"generate": {`"webSearchQueries":[`, `"groundingSupports":[{"segment":{"endIndex":8,"text":"sixteen"}`}, "claude": {`"type":"url_citation"`}, "google": {`"type":"url_citation"`},
		},
		"[sim:cached=100,written=20,say=yes]": {
			"chat": {`"prompt_tokens":121,`, `"cached_tokens":100`}, "responses": {`"input_tokens":121,"input_tokens_details":{"cached_tokens":100}`},
			"messages": {`"input_tokens":1,"cache_creation_input_tokens":20,"cache_read_input_tokens":100`}, "generate": {`"promptTokenCount":121`, `"cachedContentTokenCount":100`},
			"claude": {`"prompt_tokens":121,`, `"cached_tokens":100,"cache_write_tokens":20`}, "google": {`"cached_tokens":100`},
		},
	} {
		for _, name := range slices.Sorted(maps.Keys(surfaces)) {
			for _, stream := range []bool{false, true} {
				_, body := w.must(w.ask(surfaces[name], directive, stream))
				for _, part := range want[name] {
					if !strings.Contains(packed(joined(body)), packed(part)) {
						t.Errorf("%s at %s, streamed %t = %s\nwant %s", directive, name, stream, body, part)
					}
				}
			}
		}
	}
}

// joined is an answer in which the pieces of streamed texts that the tests look for are as if they were one.
func joined(body string) string {
	for _, pieces := range [][2]string{{"Let me look that", `"Let me look that`}, {"I'm sorry", `"refusal":"I'm sorry`}} {
		if strings.Contains(body, pieces[0]) {
			body += pieces[1]
		}
	}
	return body
}

func TestADirectiveThatThereIsNotIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for directive, want := range map[string]string{
		"[sim:dance]":       `no directive \"dance\"`,
		"[sim:tools]":       `no directive \"tools\"`,
		"[sim:tools=x]":     `directive tools: want 0..1000`,
		"[sim:tools=-1]":    `directive tools: want 0..1000`,
		"[sim:refuse=1]":    `no directive \"refuse=1\"`,
		"[sim:bytes=99e99]": `directive bytes: want 0..16777216`,
	} {
		for name, s := range surfaces {
			if res, body := w.must(w.ask(s, directive, false)); res.StatusCode != 400 || !strings.Contains(body, want) {
				t.Errorf("%s at %s = %d %s, want 400 with %s", directive, name, res.StatusCode, body, want)
			}
		}
	}
	if res, _ := w.must(w.ask(surfaces["chat"], "[sim:tools=1 without an end", false)); res.StatusCode != 200 {
		t.Errorf("what is no directive = %d, want 200", res.StatusCode)
	}
}

func TestAStreamBreaksInTheVendorsWay(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for name, want := range map[string][]string{
		"chat":      {`data: {"error":{"message":"`},
		"responses": {"event: error\ndata: {\"type\":\"error\",\"sequence_number\":", `"type":"response.failed","response":{`, `"status":"failed"`},
		"messages":  {"event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\""},
		"generate":  {`"error":{"code":503`},
		"claude":    {`"error":{"code":502,"message":"`, `"finish_reason":"error"`, "[DONE]"},
	} {
		s := surfaces[name]
		w.configure(s.vendor, simulator.Behaviour{})
		res, body := w.must(w.ask(s, "[sim:error,bytes=200]", true))
		for _, part := range want {
			if res.StatusCode != 200 || !strings.Contains(body, part) {
				t.Errorf("%s = %d %s\nwant %s", name, res.StatusCode, body, part)
			}
		}
		if strings.Contains(body, "message_stop") || strings.Contains(body, "response.completed") || strings.Count(body, "play") > 7 {
			t.Errorf("%s goes on to the end: %s", name, body)
		}
		if res, body := w.must(w.ask(s, "[sim:error]", false)); res.StatusCode != 500 {
			t.Errorf("%s, whole = %d %s, want 500", name, res.StatusCode, body)
		}
	}
	if s := w.stats(simulator.Anthropic); s.Failed != 2 || s.OK != 0 {
		t.Errorf("stats = %+v, want two failed", s)
	}
}

func TestDirectivesHoldInEchoMode(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for name, s := range surfaces {
		w.configure(s.vendor, simulator.Behaviour{Mode: simulator.ModeEcho})
		if _, body := w.must(w.ask(s, "plain", false)); !strings.Contains(body, hash("plain")) {
			t.Errorf("%s = %s, want the hash, tools or not", name, body)
		}
		if _, body := w.must(w.ask(s, "[sim:thinking]", false)); !strings.Contains(body, hash("[sim:thinking]")) {
			t.Errorf("%s = %s, want the hash after the thinking", name, body)
		}
		if _, body := w.must(w.ask(s, "[sim:tools=2]", false)); !strings.Contains(packed(body), `"name":"g"`) || strings.Contains(body, "sha256:") {
			t.Errorf("%s = %s, want two calls and no hash", name, body)
		}
	}
}

func TestAnAnswerIsAsLongAsIsAsked(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for name, s := range surfaces {
		_, body := w.must(w.ask(s, "[sim:bytes=120000,piece=100000]", true))
		longest := 0
		for line := range strings.Lines(body) {
			longest = max(longest, len(line))
		}
		if longest < 100_000 {
			t.Errorf("%s: the longest line has %d bytes, want 100,000", name, longest)
		}
	}
}
