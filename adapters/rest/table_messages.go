package rest

import (
	"net/http"

	"github.com/forge1/forge1/domain/tenant"
)

var (
	exampleMessage = map[string]any{"model": "auto", "max_tokens": 256, "messages": []any{map[string]any{"role": "user", "content": "Why is the sky blue?"}}}
	exampleCount   = map[string]any{"model": "auto", "messages": []any{map[string]any{"role": "user", "content": "Why is the sky blue?"}}}
)

// anthropicHeaders are taken by the routes of Anthropic's API.
func anthropicHeaders() []param {
	return append(aiHeaders(),
		param{in: "header", name: "Anthropic-Version", doc: "Goes on to Anthropic, and is not needed", schema: ""},
		param{in: "header", name: "Anthropic-Beta", doc: "Goes on to Anthropic", schema: ""})
}

func messagesRoutes() []route {
	const events = "Anthropic's stream: message_start; for each block content_block_start, content_block_delta and content_block_stop; message_delta with " +
		"why the model stopped and what was used; message_stop. A stream that breaks ends with event: error and no message_stop. ping events are heartbeats."
	headers := append([]string{"Request-Id"}, callHeaders...)
	return []route{
		{
			method: http.MethodPost, pattern: messagesPath, access: scopedKey, scope: tenant.ScopeAI, shape: shapeAnthropic, large: true,
			id: "messages", tag: "anthropic", summary: "Anthropic's messages",
			doc:    "To a vendor of the same dialect the body goes as it is; for others it is translated, and what they cannot honour is named in X-Forge-Dropped.",
			params: anthropicHeaders(), body: messageRequest{}, example: exampleMessage, handle: (*exchange).messages, faults: callFaults,
			replies: []answer{
				{status: 200, doc: "The answer, whole or as events", body: messageResponse{}, headers: headers},
				{status: 200, events: events, kinds: map[string]any{
					"message_start": messageEvent{}, "content_block_start": messageEvent{}, "content_block_delta": messageEvent{}, "content_block_stop": messageEvent{},
					"message_delta": messageEvent{}, "message_stop": messageEvent{}, "ping": messageEvent{}, "error": AnthropicError{},
				}},
			},
		},
		{
			method: http.MethodPost, pattern: messagesPath + "/count_tokens", access: scopedKey, scope: tenant.ScopeAI, shape: shapeAnthropic, large: true,
			id: "count-tokens", tag: "anthropic", summary: "How many tokens a request has",
			doc:    "Asks the vendor that the request would go to. Where it cannot count, the count is a quarter of the bytes, and X-Forge-Usage-Source says estimated.",
			params: anthropicHeaders(), body: countRequest{}, example: exampleCount, handle: (*exchange).countTokens, faults: callFaults,
			replies: []answer{{status: 200, doc: "The count", body: TokenCount{}, headers: append(headers, "X-Forge-Usage-Source")}},
		},
	}
}
