package conformance

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// checkTruth compares what was made of a recording with what a reader of the suite's own finds in it. It holds for failures too: what came before
// one came from the vendor.
func (r recording) checkTruth(t *testing.T, got outcome) {
	t.Helper()
	parts := jsonParts(r.body)
	truth := readers[r.Vendor](parts)
	if got.Class == "" || r.streamed && r.status == 200 && len(parts) > 0 {
		if got.Text != truth.text.String() {
			t.Errorf("got the text %q, want %q", got.Text, truth.text.String())
		}
		var names []string
		for _, c := range got.Tools {
			names = append(names, c.Name)
		}
		if !slices.Equal(names, truth.tools) {
			t.Errorf("got calls of %q, want %q", names, truth.tools)
		}
	}
	if got.Class != "" {
		return
	}
	if got.Model != "" && !bytes.Contains(r.body, []byte(`"`+got.Model+`"`)) {
		t.Errorf("got the model %q, which the vendor never named", got.Model)
	}
	if got.Usage != nil {
		r.checkDetails(t, *got.Usage, parts)
	}
}

// checkDetails compares the counts that are parts of others.
func (r recording) checkDetails(t *testing.T, got chat.Usage, parts []map[string]any) {
	t.Helper()
	last := map[string]float64{}
	for _, part := range parts {
		for _, path := range [][]string{{"usage"}, {"message", "usage"}, {"usageMetadata"}} {
			if u, found := dig(part, path...); found {
				flatten(last, "", u)
			}
		}
	}
	names, ok := map[string][3]string{
		"anthropic": {"cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens_details.thinking_tokens"},
		"gemini":    {"cachedContentTokenCount", "", "thoughtsTokenCount"},
	}[r.Vendor]
	if !ok {
		names = [3]string{
			"prompt_tokens_details.cached_tokens", "prompt_tokens_details.cache_write_tokens", "completion_tokens_details.reasoning_tokens",
		}
	}
	want := [3]int{int(last[names[0]]), int(last[names[1]]), int(last[names[2]])}
	if is := [3]int{got.CacheRead, got.CacheWrite, got.Reasoning}; is != want {
		t.Errorf("got %v tokens read from a cache, written to it, and of reasoning, want %v", is, want)
	}
	cost, told := last["cost"]
	switch {
	case told != (got.CostNanos != nil):
		t.Errorf("got a cost: %t, want %t", got.CostNanos != nil, told)
	case told && float64(*got.CostNanos) != math.Round(cost*1e9):
		t.Errorf("got a cost of %d nano-dollars, want %v dollars", *got.CostNanos, cost)
	}
}

// flatten notes every number of an object, those of objects within it under both names.
func flatten(to map[string]float64, prefix string, object map[string]any) {
	for name, v := range object {
		switch v := v.(type) {
		case float64:
			to[prefix+name] = v
		case map[string]any:
			flatten(to, name+".", v)
		}
	}
}

// truth is what a reader finds in a body's parts: the visible text and the names of the tools that are called, of the first choice.
type truth struct {
	text  strings.Builder
	tools []string
}

func (u *truth) say(v any) {
	s, _ := v.(string)
	u.text.WriteString(s)
}

func (u *truth) call(v any) {
	if name, _ := v.(string); name != "" {
		u.tools = append(u.tools, name)
	}
}

// readers are the suite's own, one per dialect. They know no more of it than where text and names stand.
var readers = map[string]func([]map[string]any) *truth{
	"openai": readChat, "openrouter": readChat, "anthropic": readMessages, "gemini": readCandidates,
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

func readChat(parts []map[string]any) *truth {
	u := &truth{}
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
				for _, c := range objects(said["tool_calls"]) {
					f, _ := c["function"].(map[string]any)
					u.call(f["name"])
				}
			}
		}
	}
	return u
}

func readMessages(parts []map[string]any) *truth {
	u := &truth{}
	block := func(b map[string]any) {
		switch b["type"] {
		case "text", "text_delta":
			u.say(b["text"])
		case "tool_use":
			u.call(b["name"])
		}
	}
	for _, part := range parts {
		for _, b := range objects(part["content"]) {
			block(b)
		}
		for _, name := range []string{"content_block", "delta"} {
			if b, ok := part[name].(map[string]any); ok {
				block(b)
			}
		}
	}
	return u
}

func readCandidates(parts []map[string]any) *truth {
	u := &truth{}
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
				f, _ := p["functionCall"].(map[string]any)
				u.call(f["name"])
			}
		}
	}
	return u
}
