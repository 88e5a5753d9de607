package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

var (
	anthropicShape = object("model", "max_tokens", "messages", "system", "stream", "temperature", "top_p", "top_k", "stop_sequences", "tools", "service_tier",
		"output_format", "container", "context_management", "mcp_servers", "inference_geo", "speed", "cache_control", "fallbacks", "diagnostics").
		with("metadata", object("user_id")).
		with("thinking", object("type", "budget_tokens", "display")).
		with("tool_choice", object("type", "name", "disable_parallel_tool_use")).
		with("output_config", object("format", "effort", "task_budget")).
		with("messages", list(object("role", "content")))
	anthropicToolShape = object("type", "name", "description", "input_schema", "cache_control", "strict", "eager_input_streaming", "defer_loading",
		"input_examples", "allowed_callers")
	// anthropicBlockShapes are of the kinds of block that clients make; of the others, nothing is said.
	anthropicBlockShapes = map[string]*shape{
		"text":              object("type", "text", "cache_control", "citations"),
		"image":             object("type", "source", "cache_control"),
		"document":          object("type", "source", "title", "context", "citations", "cache_control"),
		"thinking":          object("type", "thinking", "signature"),
		"redacted_thinking": object("type", "data"),
		"tool_use":          object("type", "id", "name", "input", "cache_control", "caller"),
		"tool_result":       object("type", "tool_use_id", "content", "is_error", "cache_control"),
	}
)

// unknownInAnthropic refuses fields that Anthropic does not have.
func unknownInAnthropic(body []byte) *problem {
	if s := anthropicShape.strangerIn(body, asIs); s != nil {
		return extra(append(s.path, s.name)...)
	}
	var b struct {
		Messages []struct {
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		Tools []json.RawMessage `json:"tools"`
	}
	if json.Unmarshal(body, &b) != nil {
		return nil // of a wrong type, which is found out elsewhere
	}
	for i, t := range b.Tools {
		if kind := kindIn(t); kind == "" || kind == "custom" {
			if s := anthropicToolShape.strangerIn(t, asIs); s != nil {
				return extra("tools", fmt.Sprint(i), "custom", s.name)
			}
		}
	}
	for i, m := range b.Messages {
		var blocks []json.RawMessage
		if json.Unmarshal(m.Content, &blocks) != nil {
			continue // a text
		}
		for j, block := range blocks {
			kind := kindIn(block)
			if s := anthropicBlockShapes[kind].strangerIn(block, asIs); s != nil {
				return extra("messages", fmt.Sprint(i), "content", fmt.Sprint(j), kind, s.name)
			}
		}
	}
	return nil
}

func kindIn(raw json.RawMessage) string {
	var of struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(raw, &of)
	return of.Type
}

func extra(path ...string) *problem {
	return bad(strings.Join(path, ".") + ": Extra inputs are not permitted")
}
