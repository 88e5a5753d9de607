package simulator_test

import (
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

func responsesWith(model, fields string) string {
	return `{"model":"` + model + `","input":"hi"` + fields + `}`
}

func responsesInput(items string) string {
	return `{"model":"gpt-5-mini","store":false,"input":[{"role":"user","content":"hi"},` + items + `]}`
}

// reasoned is what a reasoning model answered with: its reasoning item, its function call and the output that goes with it, as JSON.
func (w *world) reasoned(t *testing.T) (reasoning, call, output string) {
	t.Helper()
	_, body := w.must(w.post(simulator.OpenAI, "/responses", `{"model":"gpt-5-mini","input":"[sim:thinking]","include":["reasoning.encrypted_content"],`+
		`"tools":[{"type":"function","name":"f","parameters":{}}]}`))
	v := decode[struct {
		Output []map[string]any
	}](t, body)
	if len(v.Output) != 2 {
		t.Fatalf("answer = %s, want reasoning and a call", body)
	}
	callID, _ := v.Output[1]["call_id"].(string)
	return jsonOf(t, v.Output[0]), jsonOf(t, v.Output[1]), `{"type":"function_call_output","call_id":"` + callID + `","output":"done"}`
}

func TestResponsesRefuse(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	reasoning, call, output := w.reasoned(t)
	other, _, _ := w.reasoned(t)
	item := decode[map[string]any](t, reasoning)
	token, _ := item["encrypted_content"].(string)
	altered := strings.Replace(reasoning, token, token[:20]+"A"+token[21:], 1)
	if altered == reasoning {
		altered = strings.Replace(reasoning, token, token[:20]+"B"+token[21:], 1)
	}
	swapped := strings.Replace(reasoning, token, decode[map[string]any](t, other)["encrypted_content"].(string), 1) //nolint:errcheck // a text always
	const bare, bareOutput = `{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}`, `{"type":"function_call_output","call_id":"call_1","output":"x"}`

	for name, good := range map[string]string{
		"reasoning, its call and the output": reasoning + "," + call + "," + output,
		"a call without any id of an item":   bare + "," + bareOutput,
		"two outputs in another order":       bare + "," + strings.ReplaceAll(bare, "call_1", "call_2") + "," + strings.ReplaceAll(bareOutput, "call_1", "call_2") + "," + bareOutput,
	} {
		if res, body := w.must(w.post(simulator.OpenAI, "/responses", responsesInput(good))); res.StatusCode != 200 {
			t.Errorf("%s = %d %s, want 200", name, res.StatusCode, body)
		}
	}
	w.refuses(t, simulator.OpenAI, "/responses", map[string]refusal{
		"an unknown model":                  {body: responsesWith("nope", ""), status: 400, want: `"param":"model","code":"model_not_found"`},
		"no model":                          {body: `{"input":"x"}`, status: 400, want: `"param":"model","code":"missing_required_parameter"`},
		"no input":                          {body: `{"model":"gpt-5-mini"}`, status: 400, want: `One of \"input\" or \"previous_response_id\"`},
		"an unknown field":                  {body: responsesWith("gpt-5-mini", `,"max_tokens":100`), status: 400, want: `"message":"Unknown parameter: 'max_tokens'.","type":"invalid_request_error","param":"max_tokens","code":"unknown_parameter"`},
		"an unknown field of an item":       {body: responsesInput(strings.Replace(bare, `"name"`, `"cache_control":{},"name"`, 1) + "," + bareOutput), status: 400, want: `"param":"input[1].cache_control"`},
		"too few tokens":                    {body: responsesWith("gpt-5-mini", `,"max_output_tokens":15`), status: 400, want: `"param":"max_output_tokens","code":"integer_below_min_value"`},
		"temperature on a reasoning model":  {body: responsesWith("gpt-5-mini", `,"temperature":0.5`), status: 400, want: `Unsupported parameter: 'temperature' is not supported with this model.","type":"invalid_request_error","param":"temperature","code":null`},
		"effort on another model":           {body: responsesWith("gpt-4.1-mini", `,"reasoning":{"effort":"low"}`), status: 400, want: `'reasoning.effort' is not supported with this model.`},
		"encrypted reasoning on another":    {body: responsesWith("gpt-4.1-mini", `,"include":["reasoning.encrypted_content"]`), status: 400, want: `Encrypted content is not supported with this model.`},
		"a tool of the chat's shape":        {body: responsesWith("gpt-5-mini", `,"tools":[{"type":"function","function":{"name":"f"}}]`), status: 400, want: `"param":"tools[0].name","code":"missing_required_parameter"`},
		"a tool with a bad name":            {body: responsesWith("gpt-5-mini", `,"tools":[{"type":"function","name":"a b"}]`), status: 400, want: `"param":"tools[0].name","code":"invalid_value"`},
		"a part of the chat's shape":        {body: responsesInput(`{"role":"user","content":[{"type":"text","text":"x"}]}`), status: 400, want: `Invalid value: 'text'. Supported values are: 'input_text'`},
		"an assistant who puts in":          {body: responsesInput(`{"role":"assistant","content":[{"type":"input_text","text":"x"}]}`), status: 400, want: `Supported values are: 'output_text' and 'refusal'.`},
		"an unknown role":                   {body: responsesInput(`{"role":"tool","content":"x"}`), status: 400, want: `"param":"input[1].role","code":"invalid_value"`},
		"an id of another kind":             {body: responsesInput(strings.Replace(bare, `"name"`, `"id":"call_1","name"`, 1) + "," + bareOutput), status: 400, want: `Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'.`},
		"an id that is too long":            {body: responsesInput(strings.ReplaceAll(bare+","+bareOutput, "call_1", strings.Repeat("x", 65))), status: 400, want: `"param":"input[1].call_id","code":"string_above_max_length"`},
		"an output without its call":        {body: responsesInput(bareOutput), status: 400, want: `No tool call found for function call output with call_id call_1.","type":"invalid_request_error","param":"input"`},
		"an output before its call":         {body: responsesInput(bareOutput + "," + bare), status: 400, want: `No tool call found for function call output`},
		"a call without its output":         {body: responsesInput(bare), status: 400, want: `No tool output found for function call call_1.`},
		"reasoning that leads to nothing":   {body: responsesInput(reasoning), status: 400, want: `of type 'reasoning' was provided without its required following item.`},
		"reasoning in front of an output":   {body: responsesInput(bare + "," + reasoning + "," + bareOutput), status: 400, want: `without its required following item.`},
		"a call without its reasoning":      {body: responsesInput(call + "," + output), status: 400, want: `of type 'function_call' was provided without its required 'reasoning' item: 'rs_`},
		"altered encrypted content":         {body: responsesInput(altered + "," + call + "," + output), status: 400, want: `"code":"invalid_encrypted_content"`},
		"encrypted content of another":      {body: responsesInput(swapped + "," + call + "," + output), status: 400, want: `Encrypted content item_id did not match the target item id.`},
		"reasoning that is not kept":        {body: responsesInput(strings.Replace(reasoning, token, "", 1) + "," + call + "," + output), status: 404, want: "Items are not persisted when `store` is set to false."},
		"a previous response that is none":  {body: responsesWith("gpt-5-mini", `,"previous_response_id":"resp_0"`), status: 400, want: `"param":"previous_response_id","code":"previous_response_not_found"`},
		"a response that there is not":      {path: "/responses/resp_0", method: "GET", status: 404, want: `Response with id 'resp_0' not found.`},
		"a response that cannot be deleted": {path: "/responses/resp_0", method: "DELETE", status: 404, want: `Response with id 'resp_0' not found.`},
	})
}

func TestEmbeddingsAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: map[string][]string{}})
	const small = `{"model":"text-embedding-3-small","input":`
	w.refuses(t, simulator.OpenAI, "/embeddings", map[string]refusal{
		"no model":            {body: `{"input":"x"}`, status: 400, want: "you must provide a model parameter"},
		"no input":            {body: `{"model":"text-embedding-3-small"}`, status: 400, want: `"param":"input","code":"missing_required_parameter"`},
		"an empty text":       {body: small + `""}`, status: 400, want: `'$.input' is invalid.`},
		"no texts":            {body: small + `[]}`, status: 400, want: `'$.input' is invalid.`},
		"an object":           {body: small + `{}}`, status: 400, want: `'$.input' is invalid.`},
		"too few dimensions":  {body: small + `"x","dimensions":0}`, status: 400, want: `0 is less than the minimum of 1 - 'dimensions'`},
		"too many dimensions": {body: small + `"x","dimensions":1537}`, status: 400, want: `Must be less than or equal to 1536.`},
		"an unknown format":   {body: small + `"x","encoding_format":"hex"}`, status: 400, want: `"param":"encoding_format"`},
		"an unknown model":    {body: `{"model":"nope","input":"x"}`, status: 404, want: `"code":"model_not_found"`},
	})
	w.refuses(t, simulator.OpenRouter, "/embeddings", map[string]refusal{
		"an unknown model at OpenRouter": {body: `{"model":"nope","input":"x"}`, status: 400, want: `{"error":{"message":"Model nope does not exist","code":400}`},
	})
	w.refuses(t, simulator.Gemini, "/v1beta/models/gemini-embedding-001:batchEmbedContents", map[string]refusal{
		"no requests":        {body: `{"requests":[]}`, status: 400, want: "at least one and at most 100 requests can be in one batch"},
		"another model":      {body: `{"requests":[{"model":"models/other","content":{"parts":[{"text":"x"}]}}]}`, status: 400, want: "requests[0].model: model must match"},
		"no text":            {body: `{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[]}}]}`, status: 400, want: "contents is not specified"},
		"no dimensions":      {body: `{"requests":[{"model":"models/gemini-embedding-001","outputDimensionality":0,"content":{"parts":[{"text":"x"}]}}]}`, status: 400, want: "output_dimensionality must be positive"},
		"a field that is no": {body: `{"requests":[{"text":"x"}]}`, status: 400, want: `Unknown name \"text\" at 'requests[0]'`},
	})
}
