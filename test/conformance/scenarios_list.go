package conformance

import (
	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// pixel is a picture of one point, a PNG in base64.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// What the kit puts where: texts that nothing else holds.
const (
	canary   = "kit canary"
	signed   = "a2l0IGNhbmFyeSBzaWduYXR1cmU=" // base64 of what a signature might be
	document = "JVBERi0xLjQKJWtpdCBjYW5hcnkK"
	sound    = "UklGRiQAAABXQVZFa2l0IGNhbmFyeQ=="
)

func ptr[T any](v T) *T { return &v }

// says adds parts to the last user message.
func says(parts ...chat.Part) func(*chat.Request) {
	return func(r *chat.Request) {
		last := &r.Messages[len(r.Messages)-1]
		last.Parts = append(last.Parts, parts...)
	}
}

// weather is a tool of the kit.
func weather() chat.Tool {
	return chat.Tool{Name: "kit_weather", Description: canary, Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`)}
}

func tools(r *chat.Request) { r.Tools = []chat.Tool{weather()} }

// called adds a turn in which tools were called, with the signature on a thought before them, and their results.
func called(sign *chat.Signature, results ...chat.ToolResult) func(*chat.Request) {
	return func(r *chat.Request) {
		tools(r)
		turn := chat.Message{Role: chat.RoleAssistant}
		if sign != nil {
			turn.Parts = append(turn.Parts, chat.Part{Kind: chat.PartThinking, Text: "kit thought", Signature: sign})
		}
		answer := chat.Message{Role: chat.RoleTool}
		for i := range results {
			turn.Parts = append(turn.Parts, chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{
				ID: results[i].CallID, Name: weather().Name, Arguments: `{"city":"` + results[i].CallID + `"}`,
			}})
			answer.Parts = append(answer.Parts, chat.Part{Kind: chat.PartToolResult, Result: &results[i]})
		}
		r.Messages = append(r.Messages, turn, answer)
	}
}

func result(id, text string) chat.ToolResult {
	return chat.ToolResult{CallID: id, Name: weather().Name, Parts: []chat.Part{{Text: text}}}
}

// scenarios are the abilities of requests.
func scenarios(v llm.Vendor) []scenario {
	return append(append(contentScenarios(), toolScenarios(v)...), optionScenarios()...)
}

func contentScenarios() []scenario {
	picture := chat.Part{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: pixel}}
	return []scenario{
		{ability: llm.SystemPrompt, field: "messages", reaches: []string{canary}, ask: func(r *chat.Request) {
			r.Messages[0] = chat.Text(chat.RoleSystem, canary)
		}},
		{ability: llm.Turns, field: "messages", reaches: []string{canary + " 1", canary + " 2"}, ask: func(r *chat.Request) {
			r.Messages = append(r.Messages, chat.Text(chat.RoleAssistant, canary+" 1"), chat.Text(chat.RoleUser, canary+" 2"))
		}},
		{ability: llm.Images, field: "messages", reaches: []string{pixel}, ask: says(picture)},
		{ability: llm.ImageURLs, field: "messages", reaches: []string{"https://example.com/kit.png"}, ask: says(chat.Part{
			Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", URL: "https://example.com/kit.png"},
		})},
		{ability: llm.Files, field: "messages", reaches: []string{document}, ask: says(chat.Part{
			Kind: chat.PartFile, Media: &chat.Media{Type: "application/pdf", Data: document, Name: "kit.pdf"},
		})},
		{ability: llm.Audio, field: "messages", reaches: []string{sound}, ask: says(chat.Part{
			Kind: chat.PartAudio, Media: &chat.Media{Type: "audio/wav", Data: sound},
		})},
		{ability: llm.ImageResults, field: "messages", reaches: []string{pixel, canary}, ask: func(r *chat.Request) {
			res := result("call_1", canary)
			res.Parts = append(res.Parts, picture)
			called(nil, res)(r)
		}},
		{ability: llm.CacheControls, field: "messages[].cache_control", ask: func(r *chat.Request) {
			r.Messages[0].Parts[0].Cache = chat.Cache1h
		}},
	}
}

func toolScenarios(v llm.Vendor) []scenario {
	own := &chat.Signature{Format: v.Signs, Data: signed, ID: "rs_kit"}
	foreign := &chat.Signature{Format: "kit-secret-v1", Data: signed}
	return []scenario{
		{ability: llm.Tools, field: "tools", reaches: []string{"kit_weather", canary, "city"}, ask: tools},
		{ability: llm.ToolResults, field: "messages", reaches: []string{"sunny"}, ask: called(nil, result("call_1", "sunny"))},
		{
			ability: llm.ParallelCalls, field: "messages", reaches: []string{"sunny", "rainy"},
			ask: called(nil, result("call_1", "sunny"), result("call_2", "rainy")),
		},
		{ability: llm.RequiredTool, field: "tool_choice", ask: func(r *chat.Request) {
			tools(r)
			r.ToolChoice.Mode = chat.ToolRequired
		}},
		{ability: llm.ForcedTool, field: "tool_choice", ask: func(r *chat.Request) {
			tools(r)
			r.ToolChoice = chat.ToolChoice{Mode: chat.ToolNamed, Name: weather().Name}
		}},
		{ability: llm.OneToolAtATime, field: "parallel_tool_calls", ask: func(r *chat.Request) {
			tools(r)
			r.ParallelTools = ptr(false)
		}},
		{ability: llm.StrictTools, field: "tools[].function.strict", beside: tools, ask: func(r *chat.Request) {
			tools(r)
			r.Tools[0].Strict = ptr(true)
		}},
		{ability: llm.ThinkingBack, field: "messages[].reasoning", reaches: []string{signed}, ask: func(r *chat.Request) {
			called(own, result("call_1", "sunny"))(r)
			r.Thinking = chat.Thinking{Mode: chat.ThinkingOn, Effort: "medium"}
			r.MaxTokens = ptr(20_000)
		}},
		{
			ability: llm.ThinkingAway, field: "messages[].reasoning", named: true, reaches: []string{"sunny"}, absent: []string{signed, "kit thought"},
			ask: called(foreign, result("call_1", "sunny")),
		},
		{ability: llm.WebSearch, field: "tools", ask: func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "web_search", Server: chat.ServerWebSearch}}
		}},
	}
}

func optionScenarios() []scenario {
	schema := []byte(`{"type":"object","properties":{"kit_answer":{"type":"string"}},"required":["kit_answer"],"additionalProperties":false}`)
	return []scenario{
		{ability: llm.Schemas, field: "response_format", reaches: []string{"kit_answer"}, ask: func(r *chat.Request) {
			r.Format = chat.Format{Kind: chat.FormatSchema, Name: "kit", Schema: schema}
		}},
		{ability: llm.JSONMode, field: "response_format", ask: func(r *chat.Request) { r.Format.Kind = chat.FormatJSON }},
		{ability: llm.ThinkingEffort, field: "reasoning_effort", ask: func(r *chat.Request) {
			r.Thinking = chat.Thinking{Effort: "high", Show: true}
			r.MaxTokens = ptr(40_000)
		}},
		{ability: llm.StopSequences, field: "stop", reaches: []string{canary}, ask: func(r *chat.Request) { r.Stop = []string{canary} }},
		{ability: llm.MaxTokens, field: "max_tokens", reaches: []string{"4321"}, ask: func(r *chat.Request) { r.MaxTokens = ptr(4321) }},
		{ability: llm.Temperature, field: "temperature", reaches: []string{"0.625"}, ask: func(r *chat.Request) { r.Temperature = ptr(0.625) }},
		{ability: llm.TopP, field: "top_p", reaches: []string{"0.875"}, ask: func(r *chat.Request) { r.TopP = ptr(0.875) }},
		{ability: llm.TopK, field: "top_k", reaches: []string{"17"}, ask: func(r *chat.Request) { r.TopK = ptr(17) }},
		{ability: llm.Penalties, field: "frequency_penalty", reaches: []string{"0.375"}, ask: func(r *chat.Request) { r.FrequencyPenalty = ptr(0.375) }},
		{ability: llm.Seeds, field: "seed", reaches: []string{"4711"}, ask: func(r *chat.Request) { r.Seed = ptr(int64(4711)) }},
		{ability: llm.Choices, field: "n", reaches: []string{"7"}, ask: func(r *chat.Request) { r.Choices = 7 }},
		{ability: llm.Logprobs, field: "logprobs", ask: func(r *chat.Request) { r.Logprobs, r.TopLogprobs = true, 5 }},
		{ability: llm.ServiceTiers, field: "service_tier", ask: func(r *chat.Request) { r.ServiceTier = "priority" }},
		{ability: llm.EndUsers, field: "user", reaches: []string{canary}, ask: func(r *chat.Request) { r.EndUser = canary }},
	}
}
