package usage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/usage"
	"github.com/forge1/forge1/domain/chat"
)

func TestResponses(t *testing.T) {
	tests := map[string]struct {
		body string
		want *chat.Usage
	}{
		"everything": {
			`{"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":7},"output_tokens":30,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":130}}`,
			&chat.Usage{Input: 100, CacheRead: 40, CacheWrite: 7, Output: 30, Reasoning: 20},
		},
		"no details":        {`{"usage":{"input_tokens":1,"output_tokens":2}}`, &chat.Usage{Input: 1, Output: 2}},
		"null":              {`{"usage":null}`, nil},
		"nothing counted":   {`{"usage":{"input_tokens":0}}`, nil},
		"less than nothing": {`{"usage":{"input_tokens":-5,"output_tokens":2}}`, &chat.Usage{Output: 2}},
		"no object":         {`[]`, nil},
		"words":             {`{"usage":{"input_tokens":"many"}}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := usage.Responses([]byte(tt.body)); !cmp.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestEmbeddings(t *testing.T) {
	tests := map[string]struct {
		body string
		want *chat.Usage
	}{
		"a prompt":        {`{"usage":{"prompt_tokens":8,"total_tokens":8}}`, &chat.Usage{Input: 8}},
		"nothing":         {`{}`, nil},
		"nothing counted": {`{"usage":{"prompt_tokens":0}}`, nil},
		"no JSON":         {`{`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := usage.Embeddings([]byte(tt.body)); !cmp.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
