package chatcompletions

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

// decoded runs the events of an answer through a decoder, up to a failure or the end.
func decoded(events ...string) (out []chat.Chunk, d *decoder, err error) {
	d = New(nil, Flavour{}).newDecoder(somewhere)
	for _, e := range events {
		chunks, done, err := d.Event([]byte(e))
		if out = append(out, chunks...); err != nil || done {
			return out, d, err
		}
	}
	chunks, err := d.End()
	return append(out, chunks...), d, err
}

func TestChunksAreDecoded(t *testing.T) {
	const hello, stop = `{"id":"x","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	greeting, ended := chat.Chunk{ID: "x", Model: "m"}, chat.Chunk{Finish: chat.FinishStop}
	tests := map[string]struct {
		events []string
		want   []chat.Chunk
		class  chat.Class
	}{
		"text":                    {[]string{hello, `{"choices":[{"index":0,"delta":{"content":" a"}}],"usage":null}`, stop, "[DONE]"}, []chat.Chunk{greeting, {Text: " a"}, ended}, ""},
		"no DONE":                 {[]string{hello, stop}, []chat.Chunk{greeting, ended}, ""},
		"DONE without a finish":   {[]string{hello, "[DONE]"}, []chat.Chunk{greeting}, chat.ClassCutOff},
		"an end without a finish": {[]string{hello}, []chat.Chunk{greeting}, chat.ClassCutOff},
		"a second choice": {
			[]string{hello, `{"choices":[{"index":1,"delta":{"content":"b"}}]}`, stop, `{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}`, "[DONE]"},
			[]chat.Chunk{greeting, {Choice: 1, Text: "b"}, ended, {Choice: 1, Finish: chat.FinishLength}},
			"",
		},
		"a second choice that does not finish": {[]string{hello, `{"choices":[{"index":1,"delta":{"content":"b"}}]}`, stop, "[DONE]"}, []chat.Chunk{greeting, {Choice: 1, Text: "b"}, ended}, chat.ClassCutOff},
		"a model that is named late":           {[]string{`{"choices":[],"prompt_filter_results":[]}`, hello, stop}, []chat.Chunk{{}, greeting, ended}, ""},
		"a finish that is said again": {
			[]string{hello, stop, `{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, "[DONE]"},
			[]chat.Chunk{greeting, ended, {Usage: &chat.Usage{Input: 1, Output: 2}}},
			"",
		},
		"a refusal":                  {[]string{hello, `{"choices":[{"delta":{"content":null,"refusal":"no"}}]}`, stop}, []chat.Chunk{greeting, {Refusal: "no"}, ended}, ""},
		"a message beside the delta": {[]string{hello, `{"choices":[{"delta":{"content":"b"},"message":{"content":"ab"}}]}`, stop}, []chat.Chunk{greeting, {Text: "b"}, ended}, ""},
		"a message in place of one":  {[]string{`{"id":"x","model":"m","choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}`}, []chat.Chunk{greeting, {Text: "ab"}, ended}, ""},
		"delta null":                 {[]string{hello, `{"choices":[{"index":0,"delta":null}]}`, stop}, []chat.Chunk{greeting, ended}, ""},
		"a tier that changes":        {[]string{`{"id":"x","model":"m","service_tier":"auto","choices":[]}`, `{"service_tier":"flex","choices":[]}`, stop}, []chat.Chunk{{ID: "x", Model: "m", ServiceTier: "auto"}, {ServiceTier: "flex"}, ended}, ""},
		"choices null":               {[]string{hello, `{"choices":null}`, stop}, []chat.Chunk{greeting, ended}, ""},
		"choices of a text":          {[]string{hello, `{"choices":"none"}`}, []chat.Chunk{greeting}, chat.ClassBadResponse},
		"an error beside them":       {[]string{hello, `{"choices":"none","error":{"code":429}}`}, []chat.Chunk{greeting}, chat.ClassRateLimited},
		"an error that is none":      {[]string{hello, `{"choices":[],"error":false}`, stop}, []chat.Chunk{greeting, ended}, ""},
		"a finish of error":          {[]string{hello, `{"choices":[{"delta":{},"finish_reason":"error"}]}`}, []chat.Chunk{greeting}, chat.ClassBadResponse},
		"no JSON":                    {[]string{hello, `hello`}, []chat.Chunk{greeting}, chat.ClassBadResponse},
		"an index below 0":           {[]string{hello, `{"choices":[{"index":-4,"delta":{"content":"a"},"finish_reason":"length"}]}`}, []chat.Chunk{greeting, {Text: "a"}, {Finish: chat.FinishLength}}, ""},
		"a huge index":               {[]string{hello, stop, `{"choices":[{"index":4611686018427387904,"delta":{"content":"a"},"finish_reason":"stop"}]}`}, []chat.Chunk{greeting, ended, {Choice: maxChoices - 1, Text: "a"}, {Choice: maxChoices - 1, Finish: chat.FinishStop}}, ""},
		"usage of another type":      {[]string{hello, `{"choices":[],"usage":"none"}`, `{"choices":[],"usage":{"prompt_tokens":"7","completion_tokens":3.0}}`, stop}, []chat.Chunk{greeting, {Usage: &chat.Usage{Input: 7, Output: 3}}, ended}, ""},
		"a forced call":              {[]string{hello, `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}`}, []chat.Chunk{greeting, {Tool: &chat.ToolDelta{ID: "c", Name: "f", Arguments: "{}"}}, {Finish: chat.FinishToolCalls}}, ""},
		"filtered":                   {[]string{hello, `{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`}, []chat.Chunk{greeting, {Finish: chat.FinishContentFilter}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := decoded(tt.events...)
			if chat.ClassOf(err) != tt.class {
				t.Errorf("got %v, want %q", err, tt.class)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPiecesOfCallsFindTheirCall(t *testing.T) {
	tests := map[string]struct {
		pieces []string
		want   []chat.ToolDelta
	}{
		"by index, mixed": {
			[]string{`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`, `{"index":1,"id":"b","function":{"name":"g"}}`, `{"index":0,"function":{"arguments":"1"}}`, `{"index":1,"function":{"arguments":"2"}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f"}, {Index: 1, ID: "b", Name: "g"}, {Index: 0, Arguments: "1"}, {Index: 1, Arguments: "2"}},
		},
		"id and name in every piece": {
			[]string{`{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}`, `{"index":0,"id":"a","function":{"name":"f","arguments":"2"}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f", Arguments: "1"}, {Index: 0, Arguments: "2"}},
		},
		"the same without an index": {
			[]string{`{"id":"a","function":{"name":"f","arguments":"1"}}`, `{"id":"a","function":{"name":"f","arguments":"2"}}`, `{"id":"b","function":{"name":"f"}}`, `{"function":{"arguments":"3"}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f", Arguments: "1"}, {Index: 0, Arguments: "2"}, {Index: 1, ID: "b", Name: "f"}, {Index: 1, Arguments: "3"}},
		},
		"one index for all": {
			[]string{`{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}`, `{"index":0,"id":"b","function":{"name":"f","arguments":"2"}}`, `{"index":0,"id":"a","function":{"name":"f","arguments":"3"}}`, `{"index":0,"function":{"arguments":"4"}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f", Arguments: "1"}, {Index: 1, ID: "b", Name: "f", Arguments: "2"}, {Index: 0, Arguments: "3"}, {Index: 1, Arguments: "4"}},
		},
		"another id without a name": {
			[]string{`{"index":0,"id":"a","function":{"name":"f"}}`, `{"index":0,"id":"chunk-2","function":{"arguments":"1"}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f"}, {Index: 0, Arguments: "1"}},
		},
		"indexes that begin elsewhere": {
			[]string{`{"index":-1,"id":"a","function":{"name":"f"}}`, `{"index":9000000,"id":"b","function":{"name":"g"}}`, `{"index":-1,"function":{"arguments":"1"}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f"}, {Index: 1, ID: "b", Name: "g"}, {Index: 0, Arguments: "1"}},
		},
		"arguments that are JSON": {
			[]string{`{"index":0,"id":"a","function":{"name":"f","arguments":{"x": 1}}}`, `{"index":1,"id":"b","function":{"name":"f","arguments":null}}`},
			[]chat.ToolDelta{{Index: 0, ID: "a", Name: "f", Arguments: `{"x": 1}`}, {Index: 1, ID: "b", Name: "f"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := New(nil, Flavour{}).newDecoder(somewhere)
			var got []chat.ToolDelta
			for _, piece := range tt.pieces {
				chunks, _, err := d.Event([]byte(`{"id":"x","choices":[{"delta":{"tool_calls":[` + piece + `]}}]}`))
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range chunks {
					if c.Tool != nil {
						got = append(got, *c.Tool)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
