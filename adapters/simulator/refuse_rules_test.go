package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestOpenAIRefusesWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	const m = "gpt-4.1-mini"
	start(t, simulator.Config{}).refuses(t, simulator.OpenAI, "/chat/completions", map[string]refusal{
		"an unknown field":          {body: chatWith(m, `,"top_k":3`), status: 400, want: `Unrecognized request argument supplied: top_k`},
		"reasoning_details":         {body: chatMessages(m, `{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_details":[]},{"role":"user","content":"c"}`), status: 400, want: `"message":"Unknown parameter: 'messages[1].reasoning_details'.","type":"invalid_request_error","param":"messages[1].reasoning_details","code":"unknown_parameter"`},
		"reasoning_content":         {body: chatMessages(m, `{"role":"assistant","content":"b","reasoning_content":"x"}`), status: 400, want: `"param":"messages[0].reasoning_content"`},
		"cache_control on a part":   {body: chatMessages(m, `{"role":"user","content":[{"type":"text","text":"x","cache_control":{}}]}`), status: 400, want: `"param":"messages[0].content[0].cache_control"`},
		"a choice without tools":    {body: chatWith(m, `,"tool_choice":"auto"`), status: 400, want: `'tool_choice' is only allowed when 'tools' are specified.`},
		"five stop sequences":       {body: chatWith(m, `,"stop":["a","b","c","d","e"]`), status: 400, want: `"param":"stop","code":"array_above_max_length"`},
		"tokens without likelihood": {body: chatWith(m, `,"top_logprobs":2`), status: 400, want: `"param":"top_logprobs"`},
		"too many likely tokens":    {body: chatWith(m, `,"logprobs":true,"top_logprobs":21`), status: 400, want: `"code":"integer_above_max_value"`},
	})
}

func TestOpenRouterIsTolerant(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	long := strings.Repeat("x", 100)
	for name, body := range map[string]string{
		"unknown fields":          chatWith("moonshotai/kimi-k2", `,"top_k":3,"nothing":{}`),
		"long ids":                chatMessages("moonshotai/kimi-k2", `{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"`+long+`"}]},{"role":"tool","tool_call_id":"`+long+`","content":"x"}`),
		"reasoning of another":    chatMessages("moonshotai/kimi-k2", `{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_details":[{"type":"reasoning.text","text":"x","signature":"y","format":"anthropic-claude-v1"}]},{"role":"user","content":"c"}`),
		"a tool that it runs":     chatWith("moonshotai/kimi-k2", `,"tools":[{"type":"openrouter:web_search"}]`),
		"a message of many words": chatMessages("moonshotai/kimi-k2", `{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}`),
	} {
		if res, got := w.must(w.post(simulator.OpenRouter, "/chat/completions", body)); res.StatusCode != 200 {
			t.Errorf("%s = %d %s, want 200", name, res.StatusCode, got)
		}
	}
	w.refuses(t, simulator.OpenRouter, "/chat/completions", map[string]refusal{
		"altered reasoning of the model's own": {
			body: chatMessages("anthropic/claude-haiku-4.5", `{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_details":`+
				`[{"type":"reasoning.text","text":"x","signature":"y","format":"anthropic-claude-v1"}]},{"role":"user","content":"c"}`),
			status: 400, want: "\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{\"raw\":\"{\\\"type\\\":\\\"error\\\"",
		},
	})
}

// thought is what Claude answered with while thinking: its thinking block and its tool use, as JSON.
func (w *world) thought(t *testing.T, how string) (thinking, use, result string) {
	t.Helper()
	_, body := w.must(w.post(simulator.Anthropic, "/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":1024},`+
		`"messages":[{"role":"user","content":"`+how+`"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`))
	v := decode[struct{ Content []map[string]any }](t, body)
	if len(v.Content) != 2 {
		t.Fatalf("answer = %s, want a thought and a tool's use", body)
	}
	id, _ := v.Content[1]["id"].(string)
	return jsonOf(t, v.Content[0]), jsonOf(t, v.Content[1]), `{"type":"tool_result","tool_use_id":"` + id + `","content":"x"}`
}

// claudes are models of several generations.
var claudes = map[string][]string{simulator.Anthropic: {"claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-4-7", "claude-sonnet-5", "claude-3-opus-20240229"}}

func TestAnthropicRefusesWhatAModelDoesNotTake(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: claudes})
	ask := func(model, fields string) string { return anthropicWith(fields + `,"model":"` + model + `"`) }
	const budget = `,"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000}`
	prefill := func(model string) string {
		return strings.Replace(anthropicMessages(`{"role":"user","content":"hi"},{"role":"assistant","content":"Well,"}`), "claude-sonnet-4-5", model, 1)
	}
	for name, good := range map[string]string{
		"both samplings of old": ask("claude-3-opus-20240229", `,"temperature":0.5,"top_p":0.5`), "a budget of before": ask("claude-sonnet-4-6", budget),
		"prefill of before": prefill("claude-sonnet-4-5"), "the default temperature": ask("claude-sonnet-5", `,"temperature":1`),
	} {
		if res, body := w.must(w.post(simulator.Anthropic, "/v1/messages", good)); res.StatusCode != 200 {
			t.Errorf("%s = %d %s, want 200", name, res.StatusCode, body)
		}
	}
	w.refuses(t, simulator.Anthropic, "/v1/messages", map[string]refusal{
		"temperature and top_p":      {body: ask("claude-sonnet-4-5", `,"temperature":0.5,"top_p":0.5`), status: 400, want: "`temperature` and `top_p` cannot both be specified for this model."},
		"temperature":                {body: ask("claude-sonnet-5", `,"temperature":0.5`), status: 400, want: "`temperature` is deprecated for this model."},
		"top_p":                      {body: ask("claude-sonnet-5", `,"top_p":0.5`), status: 400, want: "`top_p` is deprecated for this model."},
		"top_k":                      {body: ask("claude-sonnet-5", `,"top_k":5`), status: 400, want: "`top_k` is deprecated for this model."},
		"adaptive thinking":          {body: ask("claude-sonnet-4-5", `,"thinking":{"type":"adaptive"}`), status: 400, want: "adaptive thinking is not supported on this model"},
		"a budget":                   {body: ask("claude-opus-4-7", budget), status: 400, want: `\"thinking.type.enabled\" is not supported for this model.`},
		"prefill":                    {body: prefill("claude-sonnet-4-6"), status: 400, want: "This model does not support assistant message prefill."},
		"a system message of before": {body: anthropicMessages(`{"role":"user","content":"hi"},{"role":"system","content":"x"}`), status: 400, want: `Unexpected role \"system\"`},
	})
}

func TestAnthropicRefusesExtraInputs(t *testing.T) {
	t.Parallel()
	start(t, simulator.Config{}).refuses(t, simulator.Anthropic, "/v1/messages", map[string]refusal{
		"a field":               {body: anthropicWith(`,"frequency_penalty":1`), status: 400, want: "frequency_penalty: Extra inputs are not permitted"},
		"a field of metadata":   {body: anthropicWith(`,"metadata":{"team":"x"}`), status: 400, want: "metadata.team: Extra inputs are not permitted"},
		"a field of a message":  {body: anthropicMessages(`{"role":"user","content":"hi","name":"x"}`), status: 400, want: "messages.0.name: Extra inputs are not permitted"},
		"a field of a text":     {body: anthropicMessages(`{"role":"user","content":[{"type":"text","text":"x","signature":"y"}]}`), status: 400, want: "messages.0.content.0.text.signature: Extra inputs are not permitted"},
		"a field of a tool":     {body: anthropicWith(`,"tools":[{"name":"f","parameters":{}}]`), status: 400, want: "tools.0.custom.parameters: Extra inputs are not permitted"},
		"a field of the choice": {body: anthropicWith(`,"tool_choice":{"type":"auto","function":{}}`), status: 400, want: "tool_choice.function: Extra inputs are not permitted"},
	})
}

func TestAnthropicsNewestVersionTakesLess(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	document := `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"citations":{"enabled":true}}`
	cited := `{"type":"text","text":"x","citations":[{"type":"char_location","cited_text":"x","document_index":0,"document_title":null,"start_char_index":0,"end_char_index":1}]}`
	gone := map[string]refusal{
		"temperature":        {body: anthropicWith(`,"temperature":1`), want: "temperature: Extra inputs are not permitted"},
		"top_p":              {body: anthropicWith(`,"top_p":1`), want: "top_p: Extra inputs are not permitted"},
		"top_k":              {body: anthropicWith(`,"top_k":5`), want: "top_k: Extra inputs are not permitted"},
		"its own documents":  {body: anthropicMessages(`{"role":"user","content":"a"},{"role":"assistant","content":[` + document + `]},{"role":"user","content":"b"}`), want: "messages.1.content.0: `document`"},
		"the user's sources": {body: anthropicMessages(`{"role":"user","content":[` + cited + `]}`), want: "messages.0.content.0.text.citations"},
	}
	for name, c := range gone {
		if res, got := w.must(w.post(simulator.Anthropic, "/v1/messages", c.body)); res.StatusCode != 200 {
			t.Errorf("%s before = %d %s, want 200", name, res.StatusCode, got)
		}
		c.status, c.header = 400, [2]string{"Anthropic-Version", "2026-10-21"}
		gone[name] = c
	}
	w.refuses(t, simulator.Anthropic, "/v1/messages", gone)
	for name, body := range map[string]string{
		"a document to cite": anthropicMessages(`{"role":"user","content":[` + document + `]}`),
		"its own sources":    anthropicMessages(`{"role":"user","content":"a"},{"role":"assistant","content":[` + cited + `]},{"role":"user","content":[{"type":"text","text":"b","citations":[ ]}]}`),
	} {
		r := w.post(simulator.Anthropic, "/v1/messages", body)
		r.Header.Set("Anthropic-Version", "2026-10-21")
		if res, got := w.must(r); res.StatusCode != 200 {
			t.Errorf("%s = %d %s, want 200", name, res.StatusCode, got)
		}
	}
}

func TestAnthropicRefusesThinkingThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: claudes})
	thinking, use, result := w.thought(t, "hi")
	redacted, _, _ := w.thought(t, "[sim:redacted]")
	const on = `,"thinking":{"type":"enabled","budget_tokens":1024}`
	ask := func(assistant, user, fields string) string {
		return `{"model":"claude-sonnet-4-5","max_tokens":4000,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[` + assistant +
			`]},{"role":"user","content":[` + user + `]}]` + fields + `}`
	}
	block := decode[map[string]any](t, thinking)
	without := func(field string, instead any) string {
		altered := map[string]any{}
		for k, v := range block {
			altered[k] = v
		}
		if delete(altered, field); instead != nil {
			altered[field] = instead
		}
		return jsonOf(t, altered)
	}
	for name, good := range map[string]string{
		"as it came":                           ask(thinking+","+use, result, on),
		"redacted":                             ask(redacted+","+use, result, on),
		"left out, with thinking off":          ask(use, result, ""),
		"left out, where the model may choose": strings.Replace(ask(use, result, `,"thinking":{"type":"adaptive"}`), "sonnet-4-5", "sonnet-4-6", 1),
		"left out of a turn in words":          ask(`{"type":"text","text":"hello"}`, `{"type":"text","text":"x"}`, on),
	} {
		if res, body := w.must(w.post(simulator.Anthropic, "/v1/messages", good)); res.StatusCode != 200 {
			t.Errorf("%s = %d %s, want 200", name, res.StatusCode, body)
		}
	}
	w.refuses(t, simulator.Anthropic, "/v1/messages", map[string]refusal{
		"an altered signature":     {body: ask(without("signature", "c2lnbmF0dXJl")+","+use, result, on), status: 400, want: "messages.1.content.0: Invalid `signature` in `thinking` block"},
		"altered thinking":         {body: ask(without("thinking", "Something else.")+","+use, result, on), status: 400, want: "Invalid `signature` in `thinking` block"},
		"no signature":             {body: ask(without("signature", nil)+","+use, result, on), status: 400, want: "messages.1.content.0.thinking.signature: Field required"},
		"altered redacted data":    {body: ask(`{"type":"redacted_thinking","data":"c2ln"},`+use, result, on), status: 400, want: "Invalid `data` in `redacted_thinking` block"},
		"thinking that is gone":    {body: ask(use, result, on), status: 400, want: "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."},
		"thinking that comes late": {body: ask(use+","+thinking, result, on), status: 400, want: "Expected `thinking` or `redacted_thinking`, but found `tool_use`."},
		"thinking of the user's":   {body: ask(use, result+","+thinking, ""), status: 400, want: "may only be in `assistant` messages"},
		"a thought that is kept":   {body: ask(strings.TrimSuffix(thinking, "}")+`,"cache_control":{"type":"ephemeral"}},`+use, result, on), status: 400, want: "cache_control: Extra inputs are not permitted"},
	})
}

func TestAnthropicRefusesWhatDoesNotGoTogether(t *testing.T) {
	t.Parallel()
	const on = `,"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000}`
	const kept = `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`
	const tools = `,"tools":[{"name":"f","input_schema":{"type":"object"}}]`
	use := func(id, input string) string {
		return `{"type":"tool_use","id":"` + id + `","name":"f","input":` + input + `}`
	}
	result := func(id string) string { return `{"type":"tool_result","tool_use_id":"` + id + `","content":"x"}` }
	talk := func(assistant, user string) string {
		return anthropicMessages(`{"role":"user","content":"hi"},{"role":"assistant","content":[` + assistant + `]},{"role":"user","content":[` + user + `]}`)
	}
	long := strings.Repeat("x", 65)
	start(t, simulator.Config{}).refuses(t, simulator.Anthropic, "/v1/messages", map[string]refusal{
		"a budget beyond the tokens":      {body: anthropicWith(`,"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":2000}`), status: 400, want: "`max_tokens` must be greater than `thinking.budget_tokens`."},
		"a small budget":                  {body: anthropicWith(`,"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1023}`), status: 400, want: "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"},
		"no budget":                       {body: anthropicWith(`,"thinking":{"type":"enabled"}`), status: 400, want: "thinking.enabled.budget_tokens: Field required"},
		"another kind of thinking":        {body: anthropicWith(`,"thinking":{"type":"deep"}`), status: 400, want: "Input tag 'deep' found using 'type' does not match"},
		"temperature while thinking":      {body: anthropicWith(on + `,"temperature":0.5`), status: 400, want: "`temperature` may only be set to 1 when thinking is enabled."},
		"top_k while thinking":            {body: anthropicWith(on + `,"top_k":5`), status: 400, want: "`top_k` must be unset when thinking is enabled."},
		"a small top_p while thinking":    {body: anthropicWith(on + `,"top_p":0.5`), status: 400, want: "`top_p` must be greater than or equal to 0.95"},
		"a forced tool while thinking":    {body: anthropicWith(on + tools + `,"tool_choice":{"type":"any"}`), status: 400, want: "Thinking may not be enabled when tool_choice forces tool use."},
		"five points to keep":             {body: anthropicMessages(`{"role":"user","content":[` + strings.Repeat(kept+",", 4) + kept + `]}`), status: 400, want: "A maximum of 4 blocks with cache_control may be provided. Found 5."},
		"five, with tool and system":      {body: anthropicWith(`,"system":[` + kept + `,` + kept + `,` + kept + `,` + kept + `],"tools":[{"name":"f","input_schema":{},"cache_control":{"type":"ephemeral"}}]`), status: 400, want: "Found 5."},
		"an empty text":                   {body: anthropicMessages(`{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":""}]}`), status: 400, want: "messages: text content blocks must be non-empty"},
		"a blank text":                    {body: anthropicMessages(`{"role":"user","content":[{"type":"text","text":" \n"}]}`), status: 400, want: "messages: text content blocks must contain non-whitespace text"},
		"a last turn that ends in space":  {body: anthropicMessages(`{"role":"user","content":"hi"},{"role":"assistant","content":"Well "}`), status: 400, want: "messages: final assistant content cannot end with trailing whitespace"},
		"a blank stop sequence":           {body: anthropicWith(`,"stop_sequences":["\n"]`), status: 400, want: "stop_sequences: each stop sequence must contain non-whitespace"},
		"an id that is too long":          {body: talk(use(long, "{}"), result(long)), status: 400, want: "messages.1.content.0.tool_use.id: String should have at most 64 characters"},
		"two uses of one id":              {body: talk(use("a", "{}")+","+use("a", "{}"), result("a")), status: 400, want: "messages.1.content.1: `tool_use` ids must be unique"},
		"words in front of a result":      {body: talk(use("a", "{}"), `{"type":"text","text":"x"},`+result("a")), status: 400, want: "`tool_use` ids were found without `tool_result` blocks immediately after: a"},
		"one result of two":               {body: talk(use("a", "{}")+","+use("b", "{}"), result("a")), status: 400, want: "blocks immediately after: b"},
		"a result given twice":            {body: talk(use("a", "{}"), result("a")+","+result("a")), status: 400, want: "unexpected `tool_use_id` found in `tool_result` blocks: a"},
		"a use without input":             {body: talk(`{"type":"tool_use","id":"a","name":"f"}`, result("a")), status: 400, want: "messages.1.content.0.tool_use.input: Field required"},
		"a use whose input is a text":     {body: talk(use("a", `"{}"`), result("a")), status: 400, want: "tool_use.input: Input should be a valid dictionary"},
		"a choice without tools":          {body: anthropicWith(`,"tool_choice":{"type":"auto"}`), status: 400, want: "`tool_choice` may only be specified while providing `tools`."},
		"a choice of a tool there is not": {body: anthropicWith(tools + `,"tool_choice":{"type":"tool","name":"g"}`), status: 400, want: "tool_choice: Tool 'g' not found in provided tools"},
		"two tools of one name":           {body: anthropicWith(`,"tools":[{"name":"f","input_schema":{}},{"name":"f","input_schema":{}}]`), status: 400, want: "tools: Tool names must be unique."},
		"a count of what is refused":      {path: "/v1/messages/count_tokens", body: anthropicMessages(`{"role":"assistant","content":"x"}`), status: 400, want: `first message must use the \"user\" role`},
	})
}

func TestGeminiRefusesWhatIsNotSigned(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: geminiNames})
	const path = "/v1beta/models/gemini-3-pro-preview:generateContent"
	const user, result = `{"role":"user","parts":[{"text":"hi"}]}`, `{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"x"}}}]}`
	call := func(signature string) string {
		if signature != "" {
			signature = `,"thoughtSignature":"` + signature + `"`
		}
		return `{"functionCall":{"name":"f","args":{}}` + signature + `}`
	}
	talk := func(contents ...string) string { return `{"contents":[` + strings.Join(contents, ",") + `]}` }
	model := func(parts ...string) string {
		return `{"role":"model","parts":[` + strings.Join(parts, ",") + `]}`
	}
	const dummy = "skip_thought_signature_validator"
	two := `{"role":"user","parts":[` + strings.Repeat(`{"functionResponse":{"name":"f","response":{}}},`, 1) + `{"functionResponse":{"name":"f","response":{}}}]}`
	for name, good := range map[string]string{
		"the stand-in":                        talk(user, model(call(dummy)), result),
		"the first of two":                    talk(user, model(call(dummy), call("")), two),
		"an unsigned step of an earlier turn": talk(user, model(call("")), result, model(`{"text":"done"}`), user),
	} {
		if res, body := w.must(w.post(simulator.Gemini, path, good)); res.StatusCode != 200 {
			t.Errorf("%s = %d %s, want 200", name, res.StatusCode, body)
		}
	}
	w.refuses(t, simulator.Gemini, path, map[string]refusal{
		"a call that is not signed":       {body: talk(user, model(call("")), result), status: 400, want: "Function call is missing a thought_signature in functionCall parts."},
		"a later step that is not signed": {body: talk(user, model(call(dummy)), result, model(call("")), result), status: 400, want: "function call `default_api:f` , position 4."},
		"the second of two alone signed":  {body: talk(user, model(call(""), call(dummy)), two), status: 400, want: "is missing a thought_signature"},
		"an altered signature":            {body: talk(user, model(call("YWJjZGVmZ2hpamtsbW5vcA==")), result), status: 400, want: "Thought signature is not valid"},
		"a signature that is no base64":   {body: talk(user, model(call("a%b")), result), status: 400, want: "contents[1].parts[0].thought_signature' (TYPE_BYTES), Base64 decoding failed"},
		"an altered signature of words":   {path: "/v1beta/models/gemini-2.5-flash:generateContent", body: talk(user, model(`{"text":"x","thought_signature":"YWJj"}`), user), status: 400, want: "Thought signature is not valid"},
		"two results for one call":        {body: talk(user, model(call(dummy)), two), status: 400, want: "number of function response parts is equal to the number of function call parts"},
		"a result out of nowhere":         {body: talk(user, result), status: 400, want: "function response turn comes immediately after a function call turn"},
		"a call after the model spoke":    {body: talk(user, model(`{"text":"x"}`), model(call(dummy)), result), status: 400, want: "function call turn comes immediately after a user turn"},
		"a result without a name":         {body: talk(user, model(call(dummy)), `{"role":"user","parts":[{"functionResponse":{"response":{}}}]}`), status: 400, want: "function_response.name: Name cannot be empty."},
		"a call without a name":           {body: talk(user, model(`{"functionCall":{"args":{}},"thoughtSignature":"`+dummy+`"}`), result), status: 400, want: "function_call.name: Name cannot be empty."},
		"a function with a bad name":      {body: `{"contents":[` + user + `],"tools":[{"functionDeclarations":[{"name":"1f"}]}]}`, status: 400, want: "tools[0].function_declarations[0].name: Invalid function name."},
		"an unknown field":                {body: `{"contents":[` + user + `],"stream":true}`, status: 400, want: `Invalid JSON payload received. Unknown name \"stream\": Cannot find field.`},
		"an unknown field of a part":      {body: talk(`{"role":"user","parts":[{"text":"x","cache_control":{}}]}`), status: 400, want: `Unknown name \"cache_control\" at 'contents[0].parts[0]': Cannot find field.`},
		"six stop sequences":              {body: `{"contents":[` + user + `],"generationConfig":{"stopSequences":["a","b","c","d","e","f"]}}`, status: 400, want: "stop_sequences"},
		"too many candidates":             {body: `{"contents":[` + user + `],"generationConfig":{"candidateCount":9}}`, status: 400, want: "candidate_count must be in the range [1, 8]"},
	})
}
