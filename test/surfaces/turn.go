package surfaces

import (
	"slices"
	"sort"
	"testing"
)

// Parts gives the objects of an answer: itself, or the data of its events.
func Parts(t testing.TB, body []byte) []map[string]any { return parts(t, body) }

// chatTurn puts a message together as OpenAI's clients do: every field that they know, and OpenRouter's reasoning_details, which good clients keep.
func chatTurn(parts []map[string]any) []any {
	m := map[string]any{"role": "assistant", "content": nil}
	var details []map[string]any
	calls := map[int]map[string]any{}
	for _, p := range parts {
		for _, c := range list(p["choices"]) {
			if whole := object(c["message"]); whole != nil {
				return []any{whole}
			}
			d := object(c["delta"])
			if s := text(d["content"]); s != "" {
				m["content"] = text(m["content"]) + s
			}
			details = merged(details, list(d["reasoning_details"]))
			for _, call := range list(d["tool_calls"]) {
				i := number(call["index"])
				f := object(call["function"])
				if calls[i] == nil {
					calls[i] = map[string]any{"id": call["id"], "type": "function", "function": map[string]any{"name": f["name"], "arguments": ""}}
				}
				to := object(calls[i]["function"])
				to["arguments"] = text(to["arguments"]) + text(f["arguments"])
			}
		}
	}
	if len(details) > 0 {
		m["reasoning_details"] = details
	}
	if len(calls) > 0 {
		m["tool_calls"] = inOrder(calls)
	}
	return []any{m}
}

// merged adds pieces of details to those there are: pieces of one index go on with each other.
func merged(details, more []map[string]any) []map[string]any {
	for _, d := range more {
		i := slices.IndexFunc(details, func(o map[string]any) bool {
			return o["type"] == d["type"] && o["index"] == d["index"] && d["index"] != nil
		})
		if i < 0 {
			details = append(details, d)
			continue
		}
		for name, v := range d {
			if s, ok := v.(string); ok && (name == "text" || name == "summary" || name == "data") {
				details[i][name] = text(details[i][name]) + s
			} else if v != nil {
				details[i][name] = v
			}
		}
	}
	return details
}

// responsesTurn gives the output items of the response.
func responsesTurn(parts []map[string]any) []any {
	for _, p := range parts {
		if r := object(p["response"]); r != nil && (p["type"] == "response.completed" || p["type"] == "response.incomplete") {
			p = r
		}
		if p["object"] == "response" {
			items, _ := p["output"].([]any)
			return items
		}
	}
	return nil
}

// messagesTurn puts a message together as Anthropic's clients do: block by block.
func messagesTurn(parts []map[string]any) []any {
	blocks := map[int]map[string]any{}
	for _, p := range parts {
		if p["type"] == "message" {
			return []any{map[string]any{"role": "assistant", "content": p["content"]}}
		}
		i := number(p["index"])
		switch p["type"] {
		case "content_block_start":
			blocks[i] = object(p["content_block"])
			if blocks[i]["type"] == "tool_use" {
				blocks[i]["input"] = ""
			}
		case "content_block_delta":
			d, b := object(p["delta"]), blocks[i]
			for from, to := range map[string]string{"text": "text", "thinking": "thinking", "signature": "signature", "partial_json": "input"} {
				if s, ok := d[from].(string); ok {
					b[to] = text(b[to]) + s
				}
			}
		}
	}
	for _, b := range blocks {
		if s, ok := b["input"].(string); ok {
			b["input"] = decoded(s)
		}
	}
	return []any{map[string]any{"role": "assistant", "content": inOrder(blocks)}}
}

func inOrder(by map[int]map[string]any) []any {
	var keys []int
	for i := range by {
		keys = append(keys, i)
	}
	sort.Ints(keys)
	var out []any
	for _, i := range keys {
		out = append(out, by[i])
	}
	return out
}
