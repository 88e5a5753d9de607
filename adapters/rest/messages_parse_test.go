package rest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
)

func TestMessagesOptionsInNeutralForm(t *testing.T) {
	hi := []chat.Message{chat.Text(chat.RoleUser, "hi")}
	nine, k, half, no, yes := 9, 5, 0.5, false, true
	foreign := func(json string) *chat.Foreign {
		return &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(json)}
	}
	tests := map[string]struct {
		more string
		want chat.Request
	}{
		"the least": {"", chat.Request{}},
		"how tokens are picked": {
			`,"temperature":0.5,"top_p":0.5,"top_k":5,"stop_sequences":["a","b"],"service_tier":"auto","metadata":{"user_id":"ada"},"stream":true`,
			chat.Request{Temperature: &half, TopP: &half, TopK: &k, Stop: []string{"a", "b"}, ServiceTier: "auto", EndUser: "ada"},
		},
		"all of it null": {
			`,"temperature":null,"top_p":null,"top_k":null,"stop_sequences":null,"service_tier":null,"metadata":null,"system":null,"tools":null,"tool_choice":null,"thinking":null,"output_config":null,"output_format":null,"cache_control":null,"container":null,"x":null`,
			chat.Request{},
		},
		"what says nothing": {
			`,"mcp_servers":[],"context_management":{},"speed":"standard","tools":[{"name":"f","input_schema":{},"defer_loading":false,"eager_input_streaming":false,"allowed_callers":["direct"],"input_examples":[]}]`,
			chat.Request{Tools: []chat.Tool{{Name: "f", Schema: []byte(`{}`)}}},
		},
		"what cannot be held": {
			`,"mcp_servers":[{}],"context_management":{"edits":[]},"container":"c","speed":"fast","inference_geo":"eu","service_tier":"gold","x":1,"metadata":{"y":1},"output_config":{"task_budget":{}},` +
				`"tools":[{"name":"f","input_schema":{},"defer_loading":true,"allowed_callers":["code"],"input_examples":[{}]}]`,
			chat.Request{Tools: []chat.Tool{{Name: "f", Schema: []byte(`{}`)}}, Untranslated: []string{
				"mcp_servers", "context_management", "container", "speed", "inference_geo", "service_tier", "x", "metadata.y", "output_config.task_budget",
				"tools.defer_loading", "tools.allowed_callers", "tools.input_examples",
			}},
		},
		"the standard tier": {`,"service_tier":"standard_only"`, chat.Request{ServiceTier: "default"}},
		"tools": {
			`,"tools":[{"type":"custom","name":"f","description":"d","strict":true,"cache_control":{"type":"ephemeral","ttl":"1h"},"input_schema":{"type": "object"}},{"type":"web_search_20250305","name":"web_search","max_uses":2},` +
				`{"type":"code_execution_20250825","name":"code_execution","cache_control":{"type":"ephemeral"}},{"type":"bash_20250124","name":"bash"}]`,
			chat.Request{Tools: []chat.Tool{
				{Name: "f", Description: "d", Strict: &yes, Cache: chat.Cache1h, Schema: []byte(`{"type": "object"}`)},
				{Name: "web_search", Server: chat.ServerWebSearch, Foreign: foreign(`{"type":"web_search_20250305","name":"web_search","max_uses":2}`)},
				{Name: "code_execution", Server: chat.ServerCodeExecution, Cache: chat.Cache5m, Foreign: foreign(`{"type":"code_execution_20250825","name":"code_execution","cache_control":{"type":"ephemeral"}}`)},
				{Name: "bash", Server: chat.ServerOther, Foreign: foreign(`{"type":"bash_20250124","name":"bash"}`)},
			}},
		},
		"a choice of tools":       {`,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`, chat.Request{ToolChoice: chat.ToolChoice{Mode: chat.ToolAuto}, ParallelTools: &no}},
		"any tool":                {`,"tool_choice":{"type":"any","disable_parallel_tool_use":false}`, chat.Request{ToolChoice: chat.ToolChoice{Mode: chat.ToolRequired}}},
		"one tool":                {`,"tool_choice":{"type":"tool","name":"f"}`, chat.Request{ToolChoice: chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}}},
		"no tool":                 {`,"tool_choice":{"type":"none"}`, chat.Request{ToolChoice: chat.ToolChoice{Mode: chat.ToolNone}}},
		"thinking":                {`,"thinking":{"type":"enabled","budget_tokens":2048}`, chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Budget: 2048, Show: true}}},
		"thinking unseen":         {`,"thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"max"}`, chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingAdaptive, Effort: "max"}}},
		"no thinking":             {`,"thinking":{"type":"disabled"}`, chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff}}},
		"effort":                  {`,"output_config":{"effort":"low"}`, chat.Request{Thinking: chat.Thinking{Effort: "low"}}},
		"a schema":                {`,"output_config":{"format":{"type":"json_schema","schema":{"a": 1}}}`, chat.Request{Format: chat.Format{Kind: chat.FormatSchema, Name: "answer", Schema: []byte(`{"a": 1}`)}}},
		"a schema, as it was":     {`,"output_format":{"type":"json_schema","schema":{}}`, chat.Request{Format: chat.Format{Kind: chat.FormatSchema, Name: "answer", Schema: []byte(`{}`)}}},
		"all of the prompt kept":  {`,"cache_control":{"type":"ephemeral"}`, chat.Request{Messages: []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Text: "hi", Cache: chat.Cache5m}}}}}},
		"a system prompt":         {`,"system":"s"`, chat.Request{Messages: append([]chat.Message{chat.Text(chat.RoleSystem, "s")}, hi...)}},
		"a system prompt in bits": {`,"system":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"5m"}}]`, chat.Request{Messages: append([]chat.Message{{Role: chat.RoleSystem, Parts: []chat.Part{{Text: "a"}, {Text: "b", Cache: chat.Cache5m}}}}, hi...)}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := rest.ParseMessages([]byte(messagesBody(tc.more)), true)
			if err != nil {
				t.Fatal(err)
			}
			tc.want.MaxTokens, tc.want.Strict = &nine, true
			if tc.want.Messages == nil {
				tc.want.Messages = hi
			}
			if d := cmp.Diff(&tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMessagesContentInNeutralForm(t *testing.T) {
	user := func(parts ...chat.Part) []chat.Message {
		return []chat.Message{{Role: chat.RoleUser, Parts: parts}}
	}
	assistant := func(parts ...chat.Part) []chat.Message {
		return []chat.Message{{Role: chat.RoleAssistant, Parts: parts}}
	}
	media := func(kind chat.PartKind, m chat.Media) chat.Part { return chat.Part{Kind: kind, Media: &m} }
	thought := func(text string, s *chat.Signature) chat.Part {
		return chat.Part{Kind: chat.PartThinking, Text: text, Signature: s}
	}
	call := func(id string, s *chat.Signature) chat.Part {
		return chat.Part{Kind: chat.PartToolCall, Signature: s, Call: &chat.ToolCall{ID: id, Name: "f", Arguments: "{}"}}
	}
	gemini, openai := &chat.Signature{Format: chat.FormatGemini, Data: "g"}, &chat.Signature{Format: chat.FormatOpenAI, ID: "rs_1", Data: "o"}
	lone := func(s string) string { return `{"type":"thinking","thinking":"","signature":"` + s + `"}` }
	const use = `{"type":"tool_use","id":"c1","name":"f","input":{}}`
	tests := map[string]struct {
		role, content string
		want          []chat.Message
		dropped       []string
	}{
		"text":                        {"user", `"a"`, user(chat.Part{Text: "a"}), nil},
		"text in bits":                {"user", `[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]`, user(chat.Part{Text: "a"}, chat.Part{Text: "b", Cache: chat.Cache5m}), nil},
		"a system message on the way": {"system", `"s"`, []chat.Message{chat.Text(chat.RoleSystem, "s")}, nil},
		"pictures": {
			"user", `[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}},{"type":"image","source":{"type":"url","url":"https://x/y"}},{"type":"image","source":{"type":"file","file_id":"file_1"}}]`,
			user(media(chat.PartImage, chat.Media{Type: "image/png", Data: "aGk="}), media(chat.PartImage, chat.Media{URL: "https://x/y"}), media(chat.PartImage, chat.Media{FileID: "file_1", Origin: chat.DialectAnthropic})), nil,
		},
		"documents": {
			"user", `[{"type":"document","title":"t","source":{"type":"base64","media_type":"application/pdf","data":"aGk="},"cache_control":{"type":"ephemeral"}},{"type":"document","source":{"type":"url","url":"https://x/y"}},
				{"type":"document","source":{"type":"file","file_id":"file_1"}},{"type":"container_upload","file_id":"file_2"}]`,
			user(chat.Part{Kind: chat.PartFile, Cache: chat.Cache5m, Media: &chat.Media{Type: "application/pdf", Data: "aGk=", Name: "t"}}, media(chat.PartFile, chat.Media{Type: "application/pdf", URL: "https://x/y"}),
				media(chat.PartFile, chat.Media{FileID: "file_1", Origin: chat.DialectAnthropic}), media(chat.PartFile, chat.Media{FileID: "file_2", Origin: chat.DialectAnthropic})), nil,
		},
		"documents that are text": {
			"user", `[{"type":"document","title":"t","context":"c","source":{"type":"text","media_type":"text/plain","data":"d"},"citations":{"enabled":false}},{"type":"document","source":{"type":"content","content":"e"},"citations":{"enabled":true}},
				{"type":"document","source":{"type":"content","content":[{"type":"text","text":"f"},{"type":"image","source":{"type":"url","url":"https://x"}}]}},
				{"type":"search_result","title":"t","source":"https://s","content":[{"type":"text","text":"g"}]}]`,
			user(chat.Part{Text: "t\n"}, chat.Part{Text: "c\n"}, chat.Part{Text: "d"}, chat.Part{Text: "e"}, chat.Part{Text: "f"}, media(chat.PartImage, chat.Media{URL: "https://x"}), chat.Part{Text: "t\n"}, chat.Part{Text: "https://s\n"}, chat.Part{Text: "g"}),
			[]string{"messages.content.citations"},
		},
		"a block that nobody knows": {
			"user", `[{"type":"odd","x":1}]`, user(chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"odd","x":1}`)}}), []string{"messages.content"},
		},
		"results, which come first": {
			"user", `[{"type":"text","text":"a"},{"type":"tool_result","tool_use_id":"c1","content":"r","is_error":true,"cache_control":{"type":"ephemeral"}},{"type":"tool_result","tool_use_id":"c2"},
				{"type":"tool_result","tool_use_id":"c3","content":[{"type":"text","text":"b"},{"type":"image","source":{"type":"url","url":"https://x"}},{"type":"tool_reference","tool_name":"x"}]}]`,
			append([]chat.Message{{Role: chat.RoleTool, Parts: []chat.Part{
				{Kind: chat.PartToolResult, Cache: chat.Cache5m, Result: &chat.ToolResult{CallID: "c1", Error: true, Parts: []chat.Part{{Text: "r"}}}},
				{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "c2"}},
				{Kind: chat.PartToolResult, Result: &chat.ToolResult{CallID: "c3", Parts: []chat.Part{{Text: "b"}, media(chat.PartImage, chat.Media{URL: "https://x"})}}},
			}}}, user(chat.Part{Text: "a"})...),
			[]string{"messages.content.content"},
		},
		"an assistant's turn": {
			"assistant", `[{"type":"thinking","thinking":"h","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"a","citations":[{"type":"char_location","cited_text":"q"},
				{"type":"web_search_result_location","url":"u","title":"t","cited_text":"q","encrypted_index":"` + unsigned + `"}]},{"type":"tool_use","id":"c1","name":"f","input":{"a": 1},"caller":{"type":"direct"},"cache_control":{"type":"ephemeral"}}]`,
			assistant(thought("h", &chat.Signature{Format: chat.FormatAnthropic, Data: "s"}), chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "d"}},
				chat.Part{Text: "a", Citations: []chat.Citation{{Text: "q", Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"char_location","cited_text":"q"}`)}}, {URL: "u", Title: "t", Text: "q"}}},
				chat.Part{Kind: chat.PartToolCall, Cache: chat.Cache5m, Call: &chat.ToolCall{ID: "c1", Name: "f", Arguments: `{"a": 1}`}}), nil,
		},
		"what a server tool did": {
			"assistant", `[{"type":"server_tool_use","id":"s1","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s1","content":[]}]`,
			assistant(chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"server_tool_use","id":"s1","name":"web_search","input":{}}`)}},
				chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"web_search_tool_result","tool_use_id":"s1","content":[]}`)}}), nil,
		},
		"thoughts of another vendor's": {
			"assistant", `[{"type":"thinking","thinking":"h","signature":"` + wrapped(chat.FormatGemini, "", "g") + `"},{"type":"redacted_thinking","data":"` + wrapped("x-1", "", "g") + `"},{"type":"redacted_thinking","data":"` + unsigned + `"}]`,
			assistant(thought("h", gemini), chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: "x-1", Data: "g"}}), nil,
		},
		"a thought of a vendor that signs nothing": {"assistant", `[{"type":"thinking","thinking":"h","signature":"` + wrapped("x-1", "", "") + `"}]`, assistant(thought("h", &chat.Signature{Format: "x-1"})), nil},
		"thoughts that nobody signed":              {"assistant", `[{"type":"thinking","thinking":"h","signature":"` + unsigned + `"},{"type":"thinking","thinking":"i"},` + lone("") + `,` + lone(unsigned) + `]`, assistant(thought("h", nil), thought("i", nil)), nil},
		"the signature of a call, wherever it stands": {
			"assistant", `[` + lone(wrapped(chat.FormatGemini, "c2", "g")) + `,` + use + `,{"type":"tool_use","id":"c2","name":"f","input":{}},` + lone(wrapped("x-1", "c1", "g")) + `]`,
			assistant(call("c1", &chat.Signature{Format: "x-1", Data: "g"}), call("c2", gemini)), nil,
		},
		"the signature of a text": {
			"assistant", `[{"type":"text","text":"a"},` + lone(wrapped(chat.FormatGemini, "", "g")) + `,` + lone(wrapped(chat.FormatGemini, "", "g")) + `,` + use + `]`,
			assistant(chat.Part{Text: "a", Signature: gemini}, thought("", gemini), call("c1", nil)), nil,
		},
		"signatures that stand alone": {
			"assistant", `[` + lone(wrapped(chat.FormatGemini, "", "g")) + `,{"type":"text","text":"a"},` + lone(wrapped(chat.FormatOpenAI, "rs_1", "o")) + `,` + use + `,` + lone(wrapped(chat.FormatGemini, "c9", "g")) + `,` + lone("raw") + `]`,
			assistant(thought("", gemini), chat.Part{Text: "a"}, thought("", openai), call("c1", nil), thought("", &chat.Signature{Format: chat.FormatGemini, ID: "c9", Data: "g"}), thought("", &chat.Signature{Format: chat.FormatAnthropic, Data: "raw"})), nil,
		},
		"an encrypted thought without an id": {"assistant", `[{"type":"text","text":"a"},` + lone(wrapped(chat.FormatOpenAI, "", "o")) + `]`, assistant(chat.Part{Text: "a"}, thought("", &chat.Signature{Format: chat.FormatOpenAI, Data: "o"})), nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := rest.ParseMessages([]byte(`{"model":"auto","max_tokens":9,"messages":[{"role":"`+tc.role+`","content":`+tc.content+`}]}`), false)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got.Messages); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tc.dropped, got.Untranslated); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestResultsKnowTheNamesOfTheirTools(t *testing.T) {
	got, _, err := rest.ParseMessages([]byte(`{"model":"auto","max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"r"}]}]}`), false)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Messages[1].Results(); len(r) != 1 || r[0].Name != "f" {
		t.Errorf("got %+v", r)
	}
}

func TestMistakesInMessagesThatOnlyTranslationFinds(t *testing.T) {
	const url = `{"type":"url","url":"https://x"}`
	tests := map[string]struct {
		messages string // in place of the least
		more     string
		kind     fault.Kind
		at       string
	}{
		"an unknown role":               {`{"role":"tool","content":"x"}`, "", fault.Invalid, "/messages/0/role"},
		"no role":                       {`{"content":"x"}`, "", fault.Malformed, "/messages/0/role"},
		"no content":                    {`{"role":"user"}`, "", fault.Malformed, "/messages/0/content"},
		"a block without a type":        {`{"role":"user","content":[{"text":"x"}]}`, "", fault.Malformed, "/messages/0/content/0/type"},
		"a block with a type of a kind": {`{"role":"user","content":[{"type":1}]}`, "", fault.Malformed, "/messages/0/content/0/type"},
		"a block that is none":          {`{"role":"user","content":["x"]}`, "", fault.Malformed, "/messages/0/content/0"},
		"a text without text":           {`{"role":"user","content":[{"type":"text"}]}`, "", fault.Malformed, "/messages/0/content/0/text"},
		"a key twice":                   {`{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}`, "", fault.Malformed, "/messages/0/content/0/text"},
		"a picture from nowhere":        {`{"role":"user","content":[{"type":"image"}]}`, "", fault.Malformed, "/messages/0/content/0/source"},
		"a picture of a kind":           {`{"role":"user","content":[{"type":"image","source":{"type":"text","data":"x"}}]}`, "", fault.Invalid, "/messages/0/content/0/source/type"},
		"a picture by no URL":           {`{"role":"user","content":[{"type":"image","source":{"type":"url","url":"file:///etc"}}]}`, "", fault.Invalid, "/messages/0/content/0/source/url"},
		"a picture without a type":      {`{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"x"}}]}`, "", fault.Malformed, "/messages/0/content/0/source/media_type"},
		"a cache of a day":              {`{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1d"}}]}`, "", fault.Invalid, "/messages/0/content/0/cache_control/ttl"},
		"a call of the user's":          {`{"role":"user","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]}`, "", fault.Invalid, "/messages/0"},
		"a result of the assistant's":   {`{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"c"}]}`, "", fault.Invalid, "/messages/0"},
		"a call without input":          {`{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f"}]}`, "", fault.Malformed, "/messages/0/content/0/input"},
		"a call with input as text":     {`{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":"{}"}]}`, "", fault.Malformed, "/messages/0/content/0/input"},
		"a result of no call":           {`{"role":"user","content":[{"type":"tool_result","content":"x"}]}`, "", fault.Malformed, "/messages/0/content/0/tool_use_id"},
		"a result within a result":      {`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"tool_result","tool_use_id":"d"}]}]}`, "", fault.Invalid, "/messages/0/content/0/content"},
		"a picture in a result":         {`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"image","source":` + strings.Replace(url, "https", "ftp", 1) + `}]}]}`, "", fault.Invalid, "/messages/0/content/0/content/0/source/url"},
		"heat":                          {"", `,"temperature":1.5`, fault.Invalid, "/temperature"},
		"a share below nothing":         {"", `,"top_p":-0.1`, fault.Invalid, "/top_p"},
		"a stop that is none":           {"", `,"stop_sequences":[1]`, fault.Malformed, "/stop_sequences/0"},
		"a tool without a schema":       {"", `,"tools":[{"name":"f"}]`, fault.Malformed, "/tools/0/input_schema"},
		"a tool without a name":         {"", `,"tools":[{"name":"","input_schema":{}}]`, fault.Invalid, "/tools/0/name"},
		"a choice of a kind":            {"", `,"tool_choice":{"type":"required"}`, fault.Invalid, "/tool_choice/type"},
		"a choice of nothing":           {"", `,"tool_choice":{"type":"tool"}`, fault.Malformed, "/tool_choice/name"},
		"thinking without a budget":     {"", `,"thinking":{"type":"enabled"}`, fault.Malformed, "/thinking/budget_tokens"},
		"thinking of nothing":           {"", `,"thinking":{"type":"enabled","budget_tokens":0}`, fault.Invalid, "/thinking/budget_tokens"},
		"an effort of a kind":           {"", `,"output_config":{"effort":"minimal"}`, fault.Invalid, "/output_config/effort"},
		"a format without a schema":     {"", `,"output_config":{"format":{"type":"json_schema"}}`, fault.Malformed, "/output_config/format/schema"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			body := messagesBody(tc.more)
			if tc.messages != "" {
				body = `{"model":"auto","max_tokens":9,"messages":[` + tc.messages + `]}`
			}
			_, _, err := rest.ParseMessages([]byte(body), false)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != tc.kind || len(f.Fields) == 0 || f.Fields[0].Pointer != tc.at {
				t.Errorf("got %v at %+v, want %v at %s", err, f, tc.kind, tc.at)
			}
		})
	}
	if _, _, err := rest.ParseMessages([]byte(`{"model":"auto","max_tokens":0,"messages":[{"role":"user","content":"hi"}]}`), false); err == nil {
		t.Error("a call that is to say nothing is translated")
	}
}
