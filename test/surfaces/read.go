// Package surfaces asks the APIs that clients speak, and reads their answers as a client would: without any of the code that serves them.
package surfaces

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// Surface is a client's API: how it is asked, and how its answers are read.
type Surface struct {
	Name    string
	Path    string
	Dialect string // the api of recordings that are passed through to it
	body    func(a Ask) map[string]any
	read    func(r *Reading, parts []map[string]any)
	turn    func(parts []map[string]any) []any // the answer, as it is sent back in the next turn
}

// Body writes a request.
func (s Surface) Body(a Ask) map[string]any { return s.body(a) }

// Reading is what a client of a surface got.
type Reading struct {
	Text, Refusal string
	Thinking      string
	Calls         []chat.ToolCall
	Finish        string // the surface's own word
	Input, Output int    // as Forge counts them
	Cached        int
	Written       int
	Reasoning     int    // tokens of thoughts; messages tells none
	Choices       int    // that were begun; chat alone has several
	Logprobs      int    // tokens of which they were told
	Error         string // the code or type of an error, within a stream too
	Ended         bool   // the surface's own end came
	calls         map[any]int
}

func (r *Reading) call(key any, id, name, args any) {
	if r.calls == nil {
		r.calls = map[any]int{}
	}
	i, begun := r.calls[key]
	if !begun {
		i = len(r.Calls)
		r.calls[key] = i
		r.Calls = append(r.Calls, chat.ToolCall{})
	}
	c := &r.Calls[i]
	if s := text(id); s != "" {
		c.ID = s
	}
	if s := text(name); s != "" {
		c.Name = s
	}
	if s, ok := args.(string); ok {
		c.Arguments += s
	} else if args != nil {
		b, _ := json.Marshal(args)
		c.Arguments = string(b)
	}
}

// Read reads an answer, whole or as events.
func (s Surface) Read(t testing.TB, body []byte) Reading {
	t.Helper()
	var r Reading
	s.read(&r, parts(t, body))
	for i := range r.Calls {
		if r.Calls[i].Arguments == "" {
			r.Calls[i].Arguments = "{}"
		}
	}
	return r
}

// parts gives the objects of a body: itself, or the data of its events, each under its own event's name where it has no type.
func parts(t testing.TB, body []byte) []map[string]any {
	t.Helper()
	var whole map[string]any
	if json.Unmarshal(body, &whole) == nil {
		return []map[string]any{whole}
	}
	var out []map[string]any
	event := ""
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if name, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			event = string(name)
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		if string(data) == "[DONE]" {
			out = append(out, map[string]any{"type": "[DONE]"})
			continue
		}
		var part map[string]any
		if err := json.Unmarshal(data, &part); err != nil {
			t.Fatalf("an event is no JSON object: %s", data)
		}
		if part["type"] == nil && event != "" {
			part["type"] = event
		}
		out = append(out, part)
	}
	return out
}

func text(v any) string { s, _ := v.(string); return s }

func number(v any, path ...string) int {
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	f, _ := v.(float64)
	return int(f)
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func list(v any) []map[string]any {
	var out []map[string]any
	items, _ := v.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func readChat(r *Reading, parts []map[string]any) {
	for _, p := range parts {
		if e := object(p["error"]); e != nil {
			r.Error = text(e["code"]) + text(e["type"])
		}
		for _, c := range list(p["choices"]) {
			r.Choices = max(r.Choices, number(c["index"])+1)
			if number(c["index"]) != 0 {
				continue
			}
			r.Logprobs += len(list(object(c["logprobs"])["content"]))
			for _, m := range []map[string]any{object(c["delta"]), object(c["message"])} {
				r.Text += text(m["content"])
				r.Thinking += text(m["reasoning"])
				r.Refusal += text(m["refusal"])
				for i, call := range list(m["tool_calls"]) {
					f := object(call["function"])
					key := call["index"]
					if key == nil {
						key = float64(i)
					}
					r.call(key, call["id"], f["name"], f["arguments"])
				}
			}
			if s := text(c["finish_reason"]); s != "" {
				r.Finish, r.Ended = s, true
			}
		}
		if u := object(p["usage"]); u != nil {
			r.Input, r.Output, r.Cached = number(u, "prompt_tokens"), number(u, "completion_tokens"), number(u, "prompt_tokens_details", "cached_tokens")
			r.Reasoning = number(u, "completion_tokens_details", "reasoning_tokens")
		}
	}
}

func readResponses(r *Reading, parts []map[string]any) {
	whole := func(p map[string]any) {
		for i, item := range list(p["output"]) {
			switch item["type"] {
			case "message":
				for _, c := range list(item["content"]) {
					r.Text += text(c["text"])
					r.Refusal += text(c["refusal"])
					r.Logprobs += len(list(c["logprobs"]))
				}
			case "reasoning":
				for _, c := range list(item["summary"]) {
					r.Thinking += text(c["text"])
				}
			case "function_call":
				r.call(i, item["call_id"], item["name"], item["arguments"])
			}
		}
	}
	end := func(p map[string]any) {
		r.Finish = text(p["status"]) + ":" + text(object(p["incomplete_details"])["reason"])
		r.Ended = p["status"] == "completed" || p["status"] == "incomplete"
		u := object(p["usage"])
		r.Input, r.Output, r.Cached = number(u, "input_tokens"), number(u, "output_tokens"), number(u, "input_tokens_details", "cached_tokens")
		r.Reasoning = number(u, "output_tokens_details", "reasoning_tokens")
	}
	for _, p := range parts {
		switch kind := text(p["type"]); {
		case kind == "error" || p["error"] != nil && p["object"] == nil:
			e := object(p["error"])
			if e == nil {
				e = p
			}
			r.Error = text(e["code"]) + text(e["type"])
		case kind == "response.completed" || kind == "response.incomplete" || kind == "response.failed":
			end(object(p["response"]))
			if kind == "response.failed" {
				r.Error += "failed"
			}
			return // a client reads no further
		case kind == "response.output_text.delta":
			r.Text += text(p["delta"])
			r.Logprobs += len(list(p["logprobs"]))
		case kind == "response.reasoning_summary_text.delta":
			r.Thinking += text(p["delta"])
		case kind == "response.refusal.delta":
			r.Refusal += text(p["delta"])
		case kind == "response.output_item.added":
			if item := object(p["item"]); item["type"] == "function_call" {
				r.call(item["id"], item["call_id"], item["name"], nil)
			}
		case kind == "response.function_call_arguments.delta":
			r.call(p["item_id"], nil, nil, p["delta"])
		case p["object"] == "response":
			whole(p)
			end(p)
		}
	}
}

func readMessages(r *Reading, parts []map[string]any) {
	block := func(key any, b map[string]any) {
		switch b["type"] {
		case "text", "text_delta":
			r.Text += text(b["text"])
		case "thinking", "thinking_delta":
			r.Thinking += text(b["thinking"])
		case "tool_use":
			var input any
			if m := object(b["input"]); len(m) > 0 {
				input = m
			}
			r.call(key, b["id"], b["name"], input)
		case "input_json_delta":
			if _, ok := r.calls[key]; ok { // else of a server's tool
				r.call(key, nil, nil, b["partial_json"])
			}
		}
	}
	usage := func(u map[string]any) {
		if u == nil {
			return
		}
		if u["input_tokens"] != nil {
			r.Cached, r.Written = number(u, "cache_read_input_tokens"), number(u, "cache_creation_input_tokens")
			r.Input = number(u, "input_tokens") + r.Cached + r.Written
		}
		r.Output = number(u, "output_tokens")
	}
	for _, p := range parts {
		switch p["type"] {
		case "error":
			r.Error = text(object(p["error"])["type"])
		case "message_start":
			usage(object(object(p["message"])["usage"]))
		case "content_block_start":
			block(p["index"], object(p["content_block"]))
		case "content_block_delta":
			block(p["index"], object(p["delta"]))
		case "message_delta":
			if s := text(object(p["delta"])["stop_reason"]); s != "" {
				r.Finish = s
			}
			usage(object(p["usage"]))
		case "message_stop":
			r.Ended = true
		case "message":
			for i, b := range list(p["content"]) {
				block(i, b)
			}
			r.Finish, r.Ended = text(p["stop_reason"]), true
			usage(object(p["usage"]))
		}
	}
}

func readExecute(r *Reading, parts []map[string]any) {
	for _, p := range parts {
		switch {
		case p["type"] == "delta":
			if _, ok := p["tool_call"]; !ok {
				r.Text += text(p["text"])
			}
		case p["code"] != nil:
			r.Error = text(p["code"])
		case p["success"] == true:
			whole := text(p["output"])
			if r.Text != "" && r.Text != whole {
				r.Error = "the output is not what was streamed: " + strings.TrimPrefix(whole, r.Text)
			}
			r.Text, r.Finish, r.Ended = whole, text(p["finish_reason"]), true
			for i, c := range list(p["tool_calls"]) {
				r.call(i, c["id"], c["name"], c["arguments"])
			}
			m := object(p["metadata"])
			r.Input, r.Output, r.Cached = number(m, "input_tokens"), number(m, "output_tokens"), number(m, "cached_tokens")
		}
	}
}

// decoded reads a JSON object; nothing is an empty one.
func decoded(s string) map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal([]byte(s), &out)
	return out
}
