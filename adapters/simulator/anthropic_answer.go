package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// The parts of Anthropic's answers.
type (
	anthropicUsage struct {
		Input       int `json:"input_tokens"`
		CacheWrites int `json:"cache_creation_input_tokens"`
		CacheReads  int `json:"cache_read_input_tokens"`
		Creation    struct {
			FiveMinutes int `json:"ephemeral_5m_input_tokens"`
			Hour        int `json:"ephemeral_1h_input_tokens"`
		} `json:"cache_creation"`
		Output int    `json:"output_tokens"`
		Tier   string `json:"service_tier"`
	}
	anthropicDeltaUsage struct {
		Input       int `json:"input_tokens"`
		CacheWrites int `json:"cache_creation_input_tokens"`
		CacheReads  int `json:"cache_read_input_tokens"`
		Output      int `json:"output_tokens"`
	}
	anthropicAnswer struct {
		Model        string         `json:"model"`
		ID           string         `json:"id"`
		Type         string         `json:"type"`
		Role         string         `json:"role"`
		Content      []any          `json:"content"`
		StopReason   *string        `json:"stop_reason"`
		StopSequence null           `json:"stop_sequence"`
		Usage        anthropicUsage `json:"usage"`
	}
	anthropicText struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	anthropicToolUse struct {
		Type  string          `json:"type"`
		ID    string          `json:"id"`
		Name  string          `json:"name"`
		Input json.RawMessage `json:"input"`
	}
	anthropicEvent struct {
		Type    string               `json:"type"`
		Message *anthropicAnswer     `json:"message,omitempty"`
		Index   *int                 `json:"index,omitempty"`
		Block   any                  `json:"content_block,omitempty"`
		Delta   any                  `json:"delta,omitempty"`
		Usage   *anthropicDeltaUsage `json:"usage,omitempty"`
	}
	anthropicJSONDelta struct {
		Type string `json:"type"`
		JSON string `json:"partial_json"`
	}
	anthropicStop struct {
		StopReason   string `json:"stop_reason"`
		StopSequence null   `json:"stop_sequence"`
	}
	anthropicModel struct {
		Type    string `json:"type"`
		ID      string `json:"id"`
		Name    string `json:"display_name"`
		Created string `json:"created_at"`
	}
)

func (anthropic) models(names []string, created int64) any {
	list := struct {
		Data    []anthropicModel `json:"data"`
		HasMore bool             `json:"has_more"`
		First   *string          `json:"first_id"`
		Last    *string          `json:"last_id"`
	}{Data: []anthropicModel{}}
	for _, name := range names {
		list.Data = append(list.Data, anthropicModel{Type: "model", ID: name, Name: name, Created: time.Unix(created, 0).UTC().Format(time.RFC3339)})
	}
	if len(names) > 0 {
		list.First, list.Last = &names[0], &names[len(names)-1]
	}
	return list
}

func anthropicStopReason(a *answer) string {
	switch {
	case a.length:
		return "max_tokens"
	case a.tool != nil:
		return "tool_use"
	default:
		return "end_turn"
	}
}

func (a *answer) anthropic(c *call) anthropicAnswer {
	return anthropicAnswer{
		Model: snapshot(c.model, "-20250929"), ID: "msg_01" + id(a.serial, 22), Type: "message", Role: "assistant", Content: []any{},
		Usage: anthropicUsage{Input: a.in, Tier: "standard"},
	}
}

func (a *answer) anthropicToolUse(input string) anthropicToolUse {
	return anthropicToolUse{Type: "tool_use", ID: "toolu_01" + id(a.serial, 22), Name: a.tool.name, Input: json.RawMessage(input)}
}

func anthropicHeader(a *answer, contentType string) http.Header {
	clock := time.Unix(a.created, 0).UTC().Format(time.RFC3339)
	return http.Header{
		"Content-Type":                           {contentType},
		"Request-Id":                             {"req_011" + id(a.serial, 21)},
		"Anthropic-Ratelimit-Requests-Limit":     {"4000"},
		"Anthropic-Ratelimit-Requests-Remaining": {"3999"},
		"Anthropic-Ratelimit-Requests-Reset":     {clock},
	}
}

func (anthropic) whole(c *call, a *answer) reply {
	out := a.anthropic(c)
	out.StopReason, out.Usage.Output = new(anthropicStopReason(a)), a.out
	if a.tool != nil {
		out.Content = append(out.Content, a.anthropicToolUse(a.tool.args))
	} else {
		out.Content = append(out.Content, anthropicText{"text", a.text})
	}
	return reply{status: http.StatusOK, header: anthropicHeader(a, "application/json"), body: encode(out)}
}

// stream counts tokens cumulatively, pads its events, and pings.
func (anthropic) stream(c *call, a *answer) (http.Header, []piece) {
	var out []piece
	write := func(e anthropicEvent) {
		out = append(out, event(e.Type, pad(encode(e), int((a.serial+uint64(7*len(out)))%16)))) //nolint:gosec // below 16
	}
	opening := a.anthropic(c)
	opening.Usage.Output = 1
	write(anthropicEvent{Type: "message_start", Message: &opening})
	var block any = anthropicText{Type: "text"}
	if a.tool != nil {
		block = a.anthropicToolUse("{}")
	}
	write(anthropicEvent{Type: "content_block_start", Index: new(0), Block: block})
	out = append(out, event("ping", []byte(`{"type": "ping"}`)))
	if a.tool != nil {
		write(anthropicEvent{Type: "content_block_delta", Index: new(0), Delta: anthropicJSONDelta{"input_json_delta", ""}})
		if a.tool.args == "{}" { // a call without arguments has the empty piece alone
			a.pieces = nil
		}
	}
	for _, text := range a.pieces {
		var delta any = anthropicText{"text_delta", text}
		if a.tool != nil {
			delta = anthropicJSONDelta{"input_json_delta", text}
		}
		write(anthropicEvent{Type: "content_block_delta", Index: new(0), Delta: delta})
	}
	write(anthropicEvent{Type: "content_block_stop", Index: new(0)})
	write(anthropicEvent{
		Type: "message_delta", Delta: anthropicStop{StopReason: anthropicStopReason(a)},
		Usage: &anthropicDeltaUsage{Input: a.in, Output: a.out},
	})
	write(anthropicEvent{Type: "message_stop"})
	return anthropicHeader(a, "text/event-stream; charset=utf-8"), out
}

// pad puts spaces in front of the last brace, as Anthropic does.
func pad(data []byte, n int) []byte {
	last := bytes.LastIndexByte(data, '}')
	out := make([]byte, 0, len(data)+n)
	out = append(append(out, data[:last]...), strings.Repeat(" ", n)...)
	return append(out, data[last:]...)
}
