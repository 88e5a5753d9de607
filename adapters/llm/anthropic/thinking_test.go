package anthropic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

// options gives the members of what was sent that say how the model is to answer.
func options(body map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"max_tokens", "thinking", "output_config", "temperature", "top_p", "top_k", "tool_choice"} {
		if v, ok := body[name]; ok {
			out[name] = v
		}
	}
	return out
}

func thinks(t chat.Thinking, change ...func(*chat.Request)) *chat.Request {
	return asks(func(r *chat.Request) {
		r.Thinking = t
		for _, c := range change {
			c(r)
		}
	})
}

func limit(n int) func(*chat.Request) { return func(r *chat.Request) { r.MaxTokens = &n } }

func sampled(r *chat.Request) { r.Temperature, r.TopP, r.TopK = new(0.5), new(0.9), new(3) }

func forced(r *chat.Request) {
	r.Tools, r.ToolChoice.Mode = []chat.Tool{{Name: "f"}}, chat.ToolRequired
}

func TestEveryModelIsToldToThinkInWordsThatItKnows(t *testing.T) {
	t.Parallel()
	low, high, off := chat.Thinking{Effort: "low"}, chat.Thinking{Effort: "high"}, chat.Thinking{Effort: "none"}
	tests := map[string]struct {
		model   string
		request *chat.Request
		want    string
		dropped []string
	}{
		"a model that does not think": {"claude-3-5-sonnet-20241022", thinks(high), `{"max_tokens":8192}`, []string{"reasoning_effort"}},
		"an old one":                  {"claude-3-haiku-20240307", thinks(high), `{"max_tokens":4096}`, []string{"reasoning_effort"}},
		"one that is older still":     {"claude-2.1", thinks(off), `{"max_tokens":4096}`, nil},
		"a budget for an effort":      {"claude-3-7-sonnet-20250219", thinks(low), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":2048}}`, nil},
		"the least of budgets":        {"claude-sonnet-4-5", thinks(chat.Thinking{Budget: 7}), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":1024}}`, nil},
		"a budget as it was asked for": {
			"claude-sonnet-4-20250514", thinks(chat.Thinking{Mode: chat.ThinkingOn, Budget: 5000}), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":5000}}`, nil,
		},
		"a budget beyond what an answer may have makes room for one": {
			"claude-opus-4-1", thinks(chat.Thinking{Budget: 31_000}), `{"max_tokens":35096,"thinking":{"type":"enabled","budget_tokens":31000}}`, nil,
		},
		"thinking on and nothing more": {"claude-haiku-4-5", thinks(chat.Thinking{Mode: chat.ThinkingOn}), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":8192}}`, nil},
		"the model decides, which this one cannot": {
			"claude-haiku-4-5", thinks(chat.Thinking{Mode: chat.ThinkingAdaptive}), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":8192}}`, nil,
		},
		"a limit that the budget exceeds makes it smaller": {"claude-sonnet-4-5", thinks(high, limit(4000)), `{"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2999}}`, nil},
		"a limit below the least of budgets":               {"claude-sonnet-4-5", thinks(high, limit(1200)), `{"max_tokens":1200}`, []string{"reasoning_effort"}},
		"a budget and a tool that must be called": {
			"claude-sonnet-4-5", thinks(high, forced), `{"max_tokens":32000,"tool_choice":{"type":"any"}}`, []string{"reasoning_effort"},
		},
		"a budget and words to go on from": {
			"claude-sonnet-4-5", thinks(high, func(r *chat.Request) { r.Messages = append(r.Messages, assistant("So")) }), `{"max_tokens":32000}`, []string{"reasoning_effort"},
		},
		"a model that thinks is not sampled": {
			"claude-sonnet-4-5", thinks(low, sampled), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":2048}}`, []string{"temperature", "top_p", "top_k"},
		},
		"nearly all may be sampled": {
			"claude-sonnet-4-5", thinks(low, func(r *chat.Request) { r.Temperature, r.TopP = new(1.0), new(0.97) }),
			`{"max_tokens":32000,"top_p":0.97,"thinking":{"type":"enabled","budget_tokens":2048}}`, nil,
		},
		"an old model takes both": {"claude-3-5-haiku-latest", asks(sampled), `{"max_tokens":8192,"temperature":0.5,"top_p":0.9,"top_k":3}`, nil},
		"a newer one not":         {"claude-opus-4-1-20250805", asks(sampled), `{"max_tokens":32000,"temperature":0.5,"top_k":3}`, []string{"top_p"}},
		"the newest none of them": {"claude-opus-4-7", asks(sampled), `{"max_tokens":32000}`, []string{"temperature", "top_p", "top_k"}},
		"opus 4.5 takes both budget and effort": {
			"claude-opus-4-5-20251101", thinks(chat.Thinking{Effort: "xhigh"}), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":24576},"output_config":{"effort":"high"}}`, []string{"reasoning_effort"},
		},
		"4.6 decides itself": {"claude-sonnet-4-6", thinks(chat.Thinking{Effort: "xhigh", Show: true}), `{"max_tokens":32000,"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}}`, nil},
		"4.6 keeps a budget": {"claude-opus-4.6", thinks(chat.Thinking{Mode: chat.ThinkingOn, Budget: 3000}), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":3000}}`, nil},
		"4.6 may be made to call a tool while it thinks": {
			"claude-opus-4-6", thinks(low, forced), `{"max_tokens":32000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"},"tool_choice":{"type":"any"}}`, nil,
		},
		"4.7 shows its thoughts when asked": {
			"claude-opus-4-7", thinks(chat.Thinking{Effort: "xhigh", Show: true}),
			`{"max_tokens":32000,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"xhigh"}}`, nil,
		},
		"a budget becomes an effort": {"claude-opus-4-8", thinks(chat.Thinking{Mode: chat.ThinkingOn, Budget: 20_000}), `{"max_tokens":32000,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}`, nil},
		"the least of efforts":       {"claude-opus-4-8", thinks(chat.Thinking{Effort: "minimal"}), `{"max_tokens":32000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}`, nil},
		"4.8 does not think unasked": {"claude-opus-4-8", thinks(off), `{"max_tokens":32000}`, nil},
		"5 does":                     {"claude-opus-5", thinks(off), `{"max_tokens":32000,"thinking":{"type":"disabled"}}`, nil},
		"5 shows what it thinks unasked": {
			"claude-sonnet-5", thinks(chat.Thinking{Show: true}), `{"max_tokens":32000,"thinking":{"type":"adaptive","display":"summarized"}}`, nil,
		},
		"fable cannot be told not to think": {"claude-fable-5", thinks(chat.Thinking{Mode: chat.ThinkingOff}), `{"max_tokens":32000}`, []string{"reasoning_effort"}},
		"mythos cannot be made to call a tool": {
			"claude-mythos-preview", asks(forced), `{"max_tokens":32000,"tool_choice":{"type":"auto"}}`, []string{"tool_choice"},
		},
		"fable 5 can":                       {"claude-fable-5", asks(forced), `{"max_tokens":32000,"tool_choice":{"type":"any"}}`, nil},
		"a model of tomorrow":               {"claude-haiku-6-2", thinks(low), `{"max_tokens":32000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}`, nil},
		"a name of another cloud":           {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", thinks(low), `{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":2048}}`, nil},
		"a name that says nothing":          {"the-big-one", thinks(low, sampled), `{"max_tokens":4096,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}`, []string{"temperature", "top_p", "top_k"}},
		"no schema before it was invented":  {"claude-sonnet-4-0", asks(schema), `{"max_tokens":32000}`, []string{"response_format"}},
		"what follows a date is no version": {"us.anthropic.claude-opus-4-20250514-v1:0", asks(schema), `{"max_tokens":32000}`, []string{"response_format"}},
		"a schema and an effort go together": {
			"claude-opus-4-8", thinks(low, schema),
			`{"max_tokens":32000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}}}`, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, resp, err := sentTo(t, test.model, test.request)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			if diff := cmp.Diff(decoded(t, test.want), any(options(body))); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.dropped, resp.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func schema(r *chat.Request) {
	r.Format = chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object"}`)}
}

// thought is what a model thought and signed.
func thought(text, format, data string) chat.Part {
	return chat.Part{Kind: chat.PartThinking, Text: text, Signature: &chat.Signature{Format: format, Data: data}}
}

func called(id string) chat.Part {
	return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: "f", Arguments: "{}"}}
}

func TestThoughtsGoBackToWhomTheyCameFrom(t *testing.T) {
	t.Parallel()
	redacted := chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "sealed"}}
	search := chat.Part{Kind: chat.PartForeign, Foreign: own(`{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`)}
	cited := chat.Part{Text: "So.", Citations: []chat.Citation{
		{URL: "https://a.test", Foreign: own(`{"type":"web_search_result_location","url":"https://a.test","encrypted_index":"x"}`)}, {URL: "https://b.test"},
	}}
	tests := map[string]struct {
		parts   []chat.Part
		want    string
		dropped []string
	}{
		"its own, in order, with what it did itself": {
			[]chat.Part{thought("Hm.", chat.FormatAnthropic, "s1"), redacted, search, cited, thought("", chat.FormatAnthropic, "s2"), called("a")},
			`[{"type":"thinking","thinking":"Hm.","signature":"s1"},{"type":"redacted_thinking","data":"sealed"},
			{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}},
			{"type":"text","text":"So.","citations":[{"type":"web_search_result_location","url":"https://a.test","encrypted_index":"x"}]},
			{"type":"thinking","thinking":"","signature":"s2"},{"type":"tool_use","id":"a","name":"f","input":{}}]`, nil,
		},
		"another vendor's stays out, and so does one that nobody signed": {
			[]chat.Part{
				thought("Hm.", chat.FormatGemini, "g"),
				{Kind: chat.PartThinking, Text: "plain"},
				{Text: "So."},
				called("a"),
				{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{"type":"web_search_call"}`)}},
			},
			`[{"type":"text","text":"So."},{"type":"tool_use","id":"a","name":"f","input":{}}]`,
			[]string{"messages[].reasoning", "messages[].content"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := talk(user("Hi"), says(chat.RoleAssistant, test.parts...), result("a", "1"))
			r.Strict = true // what another vendor made is no wish of the caller's
			body, resp, err := sent(t, r)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			turn := body["messages"].([]any)[1].(map[string]any)
			if diff := cmp.Diff(decoded(t, test.want), turn["content"]); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.dropped, resp.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestThinkingIsOffWhileItsThoughtsAreMissing(t *testing.T) {
	t.Parallel()
	mine, theirs := thought("Hm.", chat.FormatAnthropic, "s"), thought("Hm.", chat.FormatOpenAI, "s")
	tests := map[string]struct {
		model    string
		messages []chat.Message
		thinks   bool
	}{
		"another vendor called": {"claude-sonnet-4-5", []chat.Message{user("Hi"), says(chat.RoleAssistant, theirs, called("toolu_a")), result("toolu_a", "1")}, false},
		"the client lost them":  {"claude-sonnet-4-5", []chat.Message{user("Hi"), says(chat.RoleAssistant, called("toolu_a")), result("toolu_a", "1")}, false},
		"they are there":        {"claude-sonnet-4-5", []chat.Message{user("Hi"), says(chat.RoleAssistant, mine, called("toolu_a")), result("toolu_a", "1")}, true},
		"they stand in the first of several steps": {"claude-sonnet-4-5", []chat.Message{
			user("Hi"), says(chat.RoleAssistant, mine, called("toolu_a")), result("toolu_a", "1"), says(chat.RoleAssistant, called("toolu_b")), result("toolu_b", "2"),
		}, true},
		"another vendor made the last step": {"claude-sonnet-4-5", []chat.Message{
			user("Hi"), says(chat.RoleAssistant, mine, called("toolu_a")), result("toolu_a", "1"), says(chat.RoleAssistant, called("call_b")), result("call_b", "2"),
		}, false},
		"another vendor made the step before the last": {"claude-sonnet-4-5", []chat.Message{
			user("Hi"), says(chat.RoleAssistant, mine, called("toolu_a")), result("toolu_a", "1"), says(chat.RoleAssistant, called("call_b")), result("call_b", "2"),
			says(chat.RoleAssistant, called("toolu_c")), result("toolu_c", "3"),
		}, false},
		"another vendor thought in the last step": {"claude-sonnet-4-5", []chat.Message{
			user("Hi"), says(chat.RoleAssistant, mine, called("toolu_a")), result("toolu_a", "1"), says(chat.RoleAssistant, theirs, called("toolu_b")), result("toolu_b", "2"),
		}, false},
		"they are of a turn that is over": {"claude-sonnet-4-5", []chat.Message{
			user("Hi"), says(chat.RoleAssistant, mine, called("toolu_a")), result("toolu_a", "1"), assistant("So."), user("And?"), says(chat.RoleAssistant, theirs, called("toolu_b")), result("toolu_b", "2"),
		}, false},
		"the user has spoken since":   {"claude-sonnet-4-5", []chat.Message{user("Hi"), says(chat.RoleAssistant, theirs, called("toolu_a")), result("toolu_a", "1"), assistant("So."), user("And?")}, true},
		"the model decides by itself": {"claude-opus-4-8", []chat.Message{user("Hi"), says(chat.RoleAssistant, theirs, called("toolu_a")), result("toolu_a", "1")}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := talk(test.messages...)
			r.Thinking, r.Strict = chat.Thinking{Effort: "low"}, true
			body, resp, err := sentTo(t, test.model, r)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			named := false
			for _, d := range resp.Dropped {
				named = named || d == "reasoning_effort"
			}
			if got := body["thinking"] != nil; got != test.thinks || named == test.thinks {
				t.Errorf("thinking %t, and named as dropped %t; want thinking %t", got, named, test.thinks)
			}
		})
	}
}

func TestCachePoints(t *testing.T) {
	t.Parallel()
	point := func(text string, c chat.CacheControl) chat.Part { return chat.Part{Text: text, Cache: c} }
	const short, long = `{"type":"ephemeral"}`, `{"type":"ephemeral","ttl":"1h"}`
	tests := map[string]struct {
		request *chat.Request
		want    []string // of tools, system and messages, in order; "" for none
		dropped []string
	}{
		"on tools, system and parts": {
			&chat.Request{
				Tools:    []chat.Tool{{Name: "f", Cache: chat.Cache1h}},
				Messages: []chat.Message{says(chat.RoleSystem, point("s", chat.Cache1h)), says(chat.RoleUser, point("a", ""), point("b", chat.Cache5m))},
			},
			[]string{long, long, "", short},
			nil,
		},
		"four at most: the last": {
			&chat.Request{
				Tools:    []chat.Tool{{Name: "f", Cache: chat.Cache5m}, {Server: chat.ServerWebSearch, Foreign: own(`{"type":"w","cache_control":{"type":"ephemeral"}}`)}},
				Messages: []chat.Message{says(chat.RoleUser, point("a", chat.Cache5m), point("b", chat.Cache5m), point("c", chat.Cache5m), point("d", chat.Cache5m))},
			},
			[]string{"", short, "", short, short, short},
			[]string{"tools[].cache_control", "messages[].cache_control"},
		},
		"an hour never comes behind five minutes": {
			&chat.Request{Messages: []chat.Message{says(chat.RoleUser, point("a", chat.Cache1h), point("b", chat.Cache5m), point("c", chat.Cache1h))}},
			[]string{long, short, short},
			[]string{"messages[].cache_control"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, resp, err := sent(t, test.request)
			if err != nil {
				t.Fatalf("Complete: %v", err)
			}
			var pieces []any
			for _, name := range []string{"tools", "system"} {
				list, _ := body[name].([]any)
				pieces = append(pieces, list...)
			}
			for _, m := range body["messages"].([]any) {
				pieces = append(pieces, m.(map[string]any)["content"].([]any)...)
			}
			if len(pieces) != len(test.want) {
				t.Fatalf("got %d pieces, want %d", len(pieces), len(test.want))
			}
			for i, p := range pieces {
				var want any
				if test.want[i] != "" {
					want = decoded(t, test.want[i])
				}
				if diff := cmp.Diff(want, p.(map[string]any)["cache_control"]); diff != "" {
					t.Errorf("piece %d (-want +got):\n%s", i, diff)
				}
			}
			if diff := cmp.Diff(test.dropped, resp.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWordsOfTheAssistantsAtTheEnd(t *testing.T) {
	t.Parallel()
	search := chat.Part{Kind: chat.PartForeign, Foreign: own(`{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`)}
	tests := map[string]struct {
		model string
		last  chat.Message
		class chat.Class
	}{
		"an older model goes on from them":        {"claude-sonnet-4-5", assistant("So"), ""},
		"a newer one refuses, before it is asked": {"claude-opus-4-6", assistant("So"), chat.ClassUnsupport},
		"and with words behind that":              {"claude-opus-4-6", says(chat.RoleAssistant, search, chat.Part{Text: "Found."}), ""},
		"but goes on with what it paused":         {"claude-opus-4-6", says(chat.RoleAssistant, chat.Part{Text: "Searching."}, search), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := sentTo(t, test.model, talk(user("Hi"), test.last)); chat.ClassOf(err) != test.class {
				t.Errorf("got %v, want the class %q", err, test.class)
			}
		})
	}
}
