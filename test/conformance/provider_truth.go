package conformance

import (
	"bytes"
	"math"
	"regexp"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// checkTruth compares what was made of a recording with what a reader of the suite's own finds in it. It holds for failures too: what came before
// one came from the vendor.
func (r Recording) checkTruth(t *testing.T, got outcome) {
	t.Helper()
	parts := jsonParts(r.body)
	truth := r.Truth()
	if got.Class == "" || r.streamed && r.status == 200 && len(parts) > 0 {
		if got.Text != truth.Text {
			t.Errorf("got the text %q, want %q", got.Text, truth.Text)
		}
		if got.Class == "" {
			truth.CheckCalls(t, got.Tools)
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
func (r Recording) checkDetails(t *testing.T, got chat.Usage, parts []map[string]any) {
	t.Helper()
	last := map[string]float64{}
	for _, part := range parts {
		for _, path := range [][]string{{"usage"}, {"message", "usage"}, {"response", "usage"}, {"usageMetadata"}} {
			if u, found := dig(part, path...); found {
				flatten(last, "", u)
			}
		}
	}
	names, ok := map[string][3]string{
		"anthropic": {"cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens_details.thinking_tokens"},
		"gemini":    {"cachedContentTokenCount", "", "thoughtsTokenCount"},
	}[r.Vendor]
	switch {
	case ok:
	case r.API == "responses":
		names = [3]string{
			"input_tokens_details.cached_tokens", "input_tokens_details.cache_write_tokens", "output_tokens_details.reasoning_tokens",
		}
	default:
		names = [3]string{
			"prompt_tokens_details.cached_tokens", "prompt_tokens_details.cache_write_tokens", "completion_tokens_details.reasoning_tokens",
		}
	}
	want := [3]int{int(last[names[0]]), int(last[names[1]]), int(last[names[2]])}
	if is := [3]int{got.CacheRead, got.CacheWrite, got.Reasoning}; is != want {
		t.Errorf("got %v tokens read from a cache, written to it, and of reasoning, want %v", is, want)
	}
	cost, told := last["cost"]
	if byok.Match(r.body) { // the vendor's cost is its fee alone
		cost += last["cost_details.upstream_inference_cost"]
	}
	switch {
	case told != (got.CostNanos != nil):
		t.Errorf("got a cost: %t, want %t", got.CostNanos != nil, told)
	case told && float64(*got.CostNanos) != math.Round(cost*1e9):
		t.Errorf("got a cost of %d nano-dollars, want %v dollars", *got.CostNanos, cost)
	}
}

var byok = regexp.MustCompile(`"is_byok": *true`)

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
