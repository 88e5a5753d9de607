package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/simulator"
)

const cityTool = `{"name":"look","%s":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":3},"unit":{"enum":["C"]},` +
	`"sure":{"type":["boolean","null"]},"list":{"type":"array","minItems":2,"items":{"anyOf":[{"type":"null"}]}}}}}`

// lookArgs is what a call of the tool above holds.
const lookArgs = `{"city":"rain in Oslo","days":3,"list":[null,null],"sure":true,"unit":"C"}`

func TestOfferedToolsAreCalled(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	chat := strings.Replace(cityTool, "%s", "parameters", 1)
	chatTools := `,"tools":[{"type":"function","function":` + chat + `}]`
	ask := func(model, more string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":"rain in Oslo"}]` + chatTools + more + `}`
	}
	claude := `{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"rain in Oslo"}],"tools":[` +
		strings.Replace(cityTool, "%s", "input_schema", 1) + `]`
	google := `{"contents":[{"parts":[{"text":"rain in Oslo"}]}],"tools":[{"functionDeclarations":[` + chat + `]}]`
	const gemini = "/v1beta/models/gemini-2.5-flash:"
	escaped := strings.ReplaceAll(lookArgs, `"`, `\"`)
	for name, c := range map[string]struct{ vendor, path, body, want string }{
		"OpenAI":               {simulator.OpenAI, "/chat/completions", ask("gpt-4.1-mini", ""), `"arguments":"` + escaped + `"`},
		"OpenAI ends with":     {simulator.OpenAI, "/chat/completions", ask("gpt-4.1-mini", ""), `"finish_reason":"tool_calls"`},
		"OpenAI, by force":     {simulator.OpenAI, "/chat/completions", ask("gpt-4.1-mini", `,"tool_choice":{"type":"function","function":{"name":"look"}}`), `"finish_reason":"stop"`},
		"OpenAI, not wanted":   {simulator.OpenAI, "/chat/completions", ask("gpt-4.1-mini", `,"tool_choice":"none"`), `"content":"H`},
		"Anthropic":            {simulator.Anthropic, "/v1/messages", claude + `}`, `"name":"look","input":` + lookArgs},
		"Anthropic, no wanted": {simulator.Anthropic, "/v1/messages", claude + `,"tool_choice":{"type":"none"}}`, `"type":"text","text":"`},
		"Gemini":               {simulator.Gemini, gemini + "generateContent", google + `}`, `"functionCall":{"name":"look","args":` + lookArgs + `},"thoughtSignature":`},
		"Gemini streams":       {simulator.Gemini, gemini + "streamGenerateContent?alt=sse", google + `}`, `"args":` + lookArgs},
		"Gemini, not wanted":   {simulator.Gemini, gemini + "generateContent", google + `,"tool_config":{"function_calling_config":{"mode":"none"}}}`, `"parts":[{"text":`},
		"OpenRouter, Claude":   {simulator.OpenRouter, "/chat/completions", ask("anthropic/claude-haiku-4.5", ""), `"id":"toolu_bdrk_01`},
		"OpenRouter, Kimi":     {simulator.OpenRouter, "/chat/completions", ask("moonshotai/kimi-k2", ""), `"id":"functions.look:0"`},
		"OpenRouter, Gemini":   {simulator.OpenRouter, "/chat/completions", ask("google/gemini-2.5-flash", ""), `"id":"tool_0_look"`},
		"OpenRouter, Llama":    {simulator.OpenRouter, "/chat/completions", ask("meta-llama/llama-3.3-70b", ""), `"native_finish_reason":"tool_calls"`},
	} {
		res, body := w.must(w.post(c.vendor, c.path, c.body))
		if res.StatusCode != 200 || !strings.Contains(packed(body), packed(c.want)) {
			t.Errorf("%s = %d %s\nwant %s", name, res.StatusCode, body, c.want)
		}
	}
}

func TestToolCallsStreamInPieces(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	tools := `,"stream":true,"tools":[{"type":"function","function":` + strings.Replace(cityTool, "%s", "parameters", 1) + `}]`
	for vendor, model := range map[string]string{simulator.OpenAI: "gpt-4.1-mini", simulator.OpenRouter: "moonshotai/kimi-k2"} {
		_, body := w.must(w.post(vendor, "/chat/completions", chatWith(model, tools)))
		args, ids := "", 0
		for _, e := range data(body) {
			if e == "[DONE]" {
				continue
			}
			v := decode[struct {
				Choices []struct {
					Delta struct {
						Calls []struct {
							ID       string
							Function struct{ Arguments string }
						} `json:"tool_calls"`
					}
				}
			}](t, e)
			for _, call := range v.Choices[0].Delta.Calls {
				args += call.Function.Arguments
				if call.ID != "" {
					ids++
				}
			}
		}
		if want := strings.Replace(lookArgs, "rain in Oslo", "hi", 1); args != want || ids != 1 {
			t.Errorf("%s: %d ids, arguments %s, want one and %s", vendor, ids, args, want)
		}
	}
	tool := `{"name":"now","input_schema":{"type":"object"}}`
	_, body := w.must(w.post(simulator.Anthropic, "/v1/messages", anthropicWith(`,"stream":true,"tools":[`+tool+`]`)))
	if strings.Count(body, "partial_json") != 1 || !strings.Contains(body, `"partial_json":""`) || !strings.Contains(body, `"stop_reason":"tool_use"`) {
		t.Errorf("a call without arguments = %s, want one empty piece", body)
	}
	_, body = w.must(w.post(simulator.Anthropic, "/v1/messages", anthropicWith(`,"stream":true,"tools":[`+strings.Replace(cityTool, "%s", "input_schema", 1)+`]`)))
	if strings.Count(body, "partial_json") < 4 {
		t.Errorf("a call with arguments = %s, want several pieces", body)
	}
}

func TestAToolsResultIsAnsweredInWords(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	tools := `],"tools":[{"type":"function","function":{"name":"f"}}]}`
	call := `{"role":"user","content":"rain?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},`
	_, body := w.must(w.post(simulator.OpenAI, "/chat/completions", `{"model":"gpt-4.1-mini","messages":[`+call+`{"role":"tool","tool_call_id":"c","content":"wet"}`+tools))
	if got := hear(t, simulator.OpenAI, body).text; !strings.Contains(got, "result is in") {
		t.Errorf("answer = %q, want words and no second call", got)
	}
}

func TestJSONIsGivenWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	const schema = `{"type":"object","properties":{"n":{"type":"number"}}}`
	for name, c := range map[string]struct{ vendor, path, body string }{
		"OpenAI":           {simulator.OpenAI, "/chat/completions", chatWith("gpt-4.1-mini", `,"response_format":{"type":"json_schema","json_schema":{"schema":`+schema+`}}`)},
		"Anthropic":        {simulator.Anthropic, "/v1/messages", anthropicWith(`,"output_config":{"format":{"type":"json_schema","schema":` + schema + `}}`)},
		"Anthropic before": {simulator.Anthropic, "/v1/messages", anthropicWith(`,"output_format":{"type":"json_schema","schema":` + schema + `}`)},
		"Gemini": {simulator.Gemini, "/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],` +
			`"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"n":{"type":"NUMBER"}}}}}`},
	} {
		_, body := w.must(w.post(c.vendor, c.path, c.body))
		if got := hear(t, c.vendor, body).text; got != `{"n":1}` {
			t.Errorf("%s = %q, want the smallest JSON that fits", name, got)
		}
	}
	_, body := w.must(w.post(simulator.OpenAI, "/chat/completions", chatWith("gpt-4.1-mini", `,"response_format":{"type":"json_object"}`)))
	if got := hear(t, simulator.OpenAI, body).text; !json.Valid([]byte(got)) {
		t.Errorf("json_object = %q", got)
	}
}

func TestAHugeSchemaMakesASmallInstance(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	schema := `{"type":"null"}`
	for range 15 {
		schema = `{"type":"array","minItems":1000000,"items":` + schema + `}`
	}
	_, body := w.must(w.post(simulator.OpenAI, "/chat/completions",
		chatWith("gpt-4.1-mini", `,"response_format":{"type":"json_schema","json_schema":{"schema":`+schema+`}}`)))
	if len(body) > 10_000 {
		t.Errorf("the answer has %d bytes", len(body))
	}
}

func TestWordsReferToTheTaskButRepeatNoSecret(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		const task = "Please write a haiku. My password is hunter two correct, key=abc, sk-proj-0a9f8e7d6c AKIAIOSFODNN7EXAMPLE about mountains"
		_, body := w.must(w.request(vendor, task, false))
		text := hear(t, vendor, body).text
		if !strings.Contains(text, "Please write a haiku") || !strings.Contains(text, "simulated") && !strings.Contains(text, "simulator") {
			t.Errorf("%s = %q, want it to speak of the task and to say what it is", vendor, text)
		}
		for _, secret := range []string{"hunter", "abc", "sk-", "AKIA", "0a9f"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s repeats %s: %q", vendor, secret, text)
			}
		}
	}
	_, body := w.must(w.request(simulator.OpenAI, "1234 5678", false))
	if got := hear(t, simulator.OpenAI, body).text; !strings.Contains(got, "your task") {
		t.Errorf("a task without words = %q", got)
	}
}

func TestMaxTokensCutsAnAnswerBetweenCharacters(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for limit := 1; limit <= 12; limit++ {
		n := string(rune('0'+limit/10)) + string(rune('0'+limit%10))
		n = strings.TrimPrefix(n, "0")
		_, body := w.must(w.post(simulator.OpenAI, "/chat/completions", chatWith("gpt-4.1-mini", `,"max_tokens":`+n)))
		h := hear(t, simulator.OpenAI, body)
		if h.out > limit || !utf8.ValidString(h.text) || strings.Contains(h.text, "\uFFFD") || !strings.Contains(body, `"finish_reason": "length"`) {
			t.Errorf("max_tokens %d = %+v %s", limit, h, body)
		}
	}
	_, body := w.must(w.post(simulator.Anthropic, "/v1/messages", anthropicWith("")))
	if !strings.Contains(body, `"stop_reason":"max_tokens"`) {
		t.Errorf("Anthropic = %s, want max_tokens", body)
	}
	gemini := w.post(simulator.Gemini, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
		`{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":9}}`)
	if _, body := w.must(gemini); !strings.Contains(body, `"finishReason":"MAX_TOKENS"`) {
		t.Errorf("Gemini = %s, want MAX_TOKENS", body)
	}
	if _, body := w.must(w.post(simulator.OpenRouter, "/chat/completions", chatWith("meta-llama/llama-3.3-70b", `,"max_tokens":3`))); !strings.Contains(body, `"finish_reason":"length"`) {
		t.Errorf("OpenRouter = %s, want length", body)
	}
}
