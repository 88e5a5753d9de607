package conformance

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// Truth is what the suite's own reader finds in a recording: the visible text and the tool calls of the first choice. It knows no more of a dialect than
// where they stand.
type Truth struct {
	Text  string
	Calls []TruthCall
}

// TruthCall is a tool call. Arguments is its JSON, "" when there is none.
type TruthCall struct{ Name, Arguments string }

// CheckCalls fails the test unless these are the calls, by name and by what their arguments mean.
func (u *Truth) CheckCalls(t testing.TB, got []chat.ToolCall) {
	t.Helper()
	if len(got) != len(u.Calls) {
		t.Errorf("got %d tool calls, want %d: %+v, %+v", len(got), len(u.Calls), got, u.Calls)
		return
	}
	for i, want := range u.Calls {
		if want.Arguments == "" {
			want.Arguments = "{}"
		}
		var is, was any
		if got[i].Name != want.Name || json.Unmarshal([]byte(got[i].Arguments), &is) != nil || json.Unmarshal([]byte(want.Arguments), &was) != nil ||
			!reflect.DeepEqual(is, was) {
			t.Errorf("call %d: got %s(%s), want %s(%s)", i, got[i].Name, got[i].Arguments, want.Name, want.Arguments)
		}
	}
}

// Truth reads the recording.
func (r *Recording) Truth() Truth {
	u := &reader{index: map[any]int{}}
	read := map[string]func(*reader, []map[string]any){
		"chat": readChat, "responses": readResponses, "messages": readMessages, "generate": readCandidates, "stream": readCandidates,
	}[r.API]
	if read != nil {
		read(u, jsonParts(r.body))
	}
	return Truth{Text: u.text.String(), Calls: u.calls}
}

// reader puts a truth together.
type reader struct {
	text  strings.Builder
	calls []TruthCall
	index map[any]int // of calls, by the number that their dialect gives them
}

func (u *reader) say(v any) {
	s, _ := v.(string)
	u.text.WriteString(s)
}

// call begins a call, or goes on with the one of the key.
func (u *reader) call(key, name, arguments any) {
	i, begun := u.index[key]
	if !begun {
		i = len(u.calls)
		u.index[key] = i
		u.calls = append(u.calls, TruthCall{})
	}
	c := &u.calls[i]
	if s, _ := name.(string); s != "" {
		c.Name = s
	}
	switch args := arguments.(type) {
	case nil:
	case string:
		c.Arguments += args
	default:
		b, _ := json.Marshal(args)
		c.Arguments = string(b)
	}
}

// objects gives the objects in a list.
func objects(v any) []map[string]any {
	var out []map[string]any
	list, _ := v.([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// first reports whether a choice has no index, or 0.
func first(choice map[string]any) bool { i, _ := choice["index"].(float64); return i == 0 }

func readChat(u *reader, parts []map[string]any) {
	for _, part := range parts {
		if part["error"] != nil { // what stands beside an error is no answer
			break
		}
		for _, choice := range objects(part["choices"]) {
			for _, name := range []string{"delta", "message"} {
				said, ok := choice[name].(map[string]any)
				if !ok || !first(choice) {
					continue
				}
				u.say(said["content"])
				for i, c := range objects(said["tool_calls"]) {
					f, _ := c["function"].(map[string]any)
					key := c["index"]
					if key == nil {
						key = i
					}
					u.call(key, f["name"], f["arguments"])
				}
			}
		}
	}
}

func readMessages(u *reader, parts []map[string]any) {
	block := func(key any, b map[string]any) {
		switch b["type"] {
		case "text", "text_delta":
			u.say(b["text"])
		case "tool_use":
			var input any
			if m, _ := b["input"].(map[string]any); len(m) > 0 {
				input = m
			}
			u.call(key, b["name"], input)
		case "input_json_delta":
			if _, begun := u.index[key]; begun {
				u.call(key, nil, b["partial_json"])
			}
		}
	}
	for _, part := range parts {
		for i, b := range objects(part["content"]) {
			block(i, b)
		}
		for _, name := range []string{"content_block", "delta"} {
			if b, ok := part[name].(map[string]any); ok {
				block(part["index"], b)
			}
		}
	}
}

func readCandidates(u *reader, parts []map[string]any) {
	for _, part := range parts {
		for _, candidate := range objects(part["candidates"]) {
			content, _ := candidate["content"].(map[string]any)
			if !first(candidate) {
				continue
			}
			for _, p := range objects(content["parts"]) {
				if p["thought"] != true {
					u.say(p["text"])
				}
				if f, ok := p["functionCall"].(map[string]any); ok && f["name"] != nil {
					u.call(len(u.calls), f["name"], f["args"])
				} else if ok {
					u.pieces(objects(f["partialArgs"]))
				}
			}
		}
	}
}

// pieces adds to the strings that are the arguments of the last call.
func (u *reader) pieces(args []map[string]any) {
	if len(u.calls) == 0 {
		return
	}
	last := &u.calls[len(u.calls)-1]
	all := map[string]string{}
	_ = json.Unmarshal([]byte(last.Arguments), &all) // none yet
	for _, arg := range args {
		path, _ := arg["jsonPath"].(string)
		text, _ := arg["stringValue"].(string)
		all[strings.TrimPrefix(path, "$.")] += text
	}
	b, _ := json.Marshal(all)
	last.Arguments = string(b)
}

// readResponses reads a response, or the events of one: of those, deltas alone, since the rest repeats them.
func readResponses(u *reader, parts []map[string]any) {
	for _, part := range parts {
		switch part["type"] {
		case "response.output_text.delta":
			u.say(part["delta"])
		case "response.output_item.added":
			if item, _ := part["item"].(map[string]any); item["type"] == "function_call" {
				u.call(item["id"], item["name"], nil)
			}
		case "response.function_call_arguments.delta":
			u.call(part["item_id"], nil, part["delta"])
		}
		for i, item := range objects(part["output"]) {
			switch item["type"] {
			case "message":
				for _, c := range objects(item["content"]) {
					if c["type"] == "output_text" {
						u.say(c["text"])
					}
				}
			case "function_call":
				u.call(i, item["name"], item["arguments"])
			}
		}
	}
}
