package responses_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

func wireCases(t testing.TB) map[string]simulator.Case {
	t.Helper()
	all, err := simulator.ParseCases(os.DirFS("../../openai/testdata"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]simulator.Case{}
	for _, c := range all {
		if strings.HasSuffix(c.Path, "/responses") {
			out[c.Name] = c
		}
	}
	return out
}

// gathered plays a stream and gives what it came to.
func gathered(t *testing.T, body []byte) (*chat.Response, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(body)
	}))
	defer server.Close()
	to := outbound.Target{Provider: "test", Model: "m", BaseURL: server.URL, Secret: secret.New("k1")}
	stream, err := responses.New(client(t), responses.Flavour{}).Stream(t.Context(), to, turns(chat.Text(chat.RoleUser, "hi")))
	if err != nil {
		return nil, err
	}
	var g chat.Gatherer
	for c, err := range stream {
		if err != nil {
			return g.Response(), err
		}
		g.Add(c)
	}
	return g.Response(), nil
}

func completed(t *testing.T, body []byte) (*chat.Response, error) {
	t.Helper()
	a := answer(t, string(body))
	return responses.New(client(t), responses.Flavour{}).Complete(t.Context(), a.target("m"), turns(chat.Text(chat.RoleUser, "hi")))
}

func TestAStreamSaysWhatTheWholeSays(t *testing.T) {
	cases, pairs := wireCases(t), 0
	for name, whole := range cases {
		stream, ok := cases[name+"-stream"]
		if !ok {
			continue
		}
		pairs++
		t.Run(name, func(t *testing.T) {
			want, err := completed(t, whole.Body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := gathered(t, stream.Body)
			if err != nil {
				t.Fatal(err)
			}
			want.ID, got.ID = "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-whole +streamed):\n%s", diff)
			}
		})
	}
	if pairs < 15 {
		t.Errorf("there are %d pairs of wire cases, want 15", pairs)
	}
}

func TestAnAnswersParts(t *testing.T) {
	cases := wireCases(t)
	foreign := func(json string) chat.Part {
		return chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(json)}}
	}
	sealed := func(data, id, text string) chat.Part {
		return chat.Part{Kind: chat.PartThinking, Text: text, Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: data, ID: id}}
	}
	for name, want := range map[string][]chat.Part{
		"openai-responses-thinking": {
			sealed("gAAAAABcaseTWO-_x", "rs_forgecase0002", "**Multiplying**\n\nSix sevens.\n\n**Checking**\n\nSeven sixes."), {Text: "Forty-two."},
		},
		"openai-responses-web-search": {
			sealed("gAAAAABcaseFIFTEEN", "rs_forgecase0015", ""),
			foreign(`{"id":"ws_forgecase0015","type":"web_search_call","status":"completed","action":{"type":"search","query":"fair opening day"}}`),
			{Text: "The fair opens on Monday (fair.example).", Citations: []chat.Citation{
				{URL: "https://fair.example/days", Title: "The fair", Start: 25, End: 39},
				{Title: "days.csv", Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":"days.csv","start_index":0,"end_index":0}`)}},
			}},
		},
		"openai-responses-custom-tool": {
			foreign(`{"id":"ctc_forgecase0016","type":"custom_tool_call","status":"completed","call_id":"call_ForgeCase0706","input":"SELECT COUNT(*) FROM users","name":"sql"}`),
		},
		"openai-responses-two-messages": {{Text: "I will check."}, {Text: "It is"}, {Text: " seven."}},
		"openai-responses-refusal":      {{Kind: chat.PartRefusal, Text: "I cannot help with that."}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := completed(t, cases[name].Body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.First().Parts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.ServiceTier != "default" {
				t.Errorf("got the tier %q, want the one that it was served in", got.ServiceTier)
			}
		})
	}
	got, err := completed(t, cases["openai-responses-logprobs"].Body)
	if err != nil {
		t.Fatal(err)
	}
	first := chat.TokenLogprob{Token: "Tea", Bytes: []byte("Tea"), Logprob: -0.25, Top: []chat.TokenLogprob{{Token: "Tea", Bytes: []byte("Tea"), Logprob: -0.25}}}
	if l := got.First().Logprobs; len(l) != 3 || cmp.Diff(first, l[0]) != "" || string(l[1].Bytes) != ", é" {
		t.Errorf("got the probabilities %+v", l)
	}
}

// event writes an event.
func event(json string) string { return "data: " + json + "\n\n" }

const (
	created = `{"type":"response.created","response":{"id":"resp_1","model":"m-1","service_tier":"auto"}}`
	ended   = `{"type":"response.completed","response":{"id":"resp_1","model":"m-1","status":"completed","output":[]}}`
)

func TestStreamsThatAreWrittenOtherwise(t *testing.T) {
	text := func(s string) []chat.Part { return []chat.Part{{Text: s}} }
	call := func(id, args string) chat.Part {
		return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: "f", Arguments: args}}
	}
	for name, tt := range map[string]struct {
		events string
		parts  []chat.Part
		finish chat.Finish
	}{
		"all of it in the last event": {
			event(`{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}]}}`),
			text("hi"), chat.FinishStop,
		},
		"an item that comes whole": {
			event(created) + event(`{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"hi"}]}}`) + event(ended),
			text("hi"), chat.FinishStop,
		},
		"a call that comes whole, without an id of the call": {
			event(created) + event(`{"type":"response.output_item.done","output_index":3,"item":{"type":"function_call","id":"fc_1","name":"f","arguments":"{\"a\":1}"}}`) + event(ended),
			[]chat.Part{call("fc_1", `{"a":1}`)},
			chat.FinishToolCalls,
		},
		"calls whose pieces mix": {
			event(created) +
				event(`{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":""}}`) +
				event(`{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"fc_2","call_id":"c2","name":"f","arguments":""}}`) +
				event(`{"type":"response.function_call_arguments.delta","output_index":1,"item_id":"fc_2","delta":"{\"b\":"}`) +
				event(`{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"fc_1","delta":"{}"}`) +
				event(`{"type":"response.function_call_arguments.delta","output_index":1,"item_id":"fc_2","delta":"2}"}`) + event(ended),
			[]chat.Part{call("c1", `{}`), call("c2", `{"b":2}`)},
			chat.FinishToolCalls,
		},
		"a thought without a summary, after a text": {
			event(created) + event(`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"hi"}`) +
				event(`{"type":"response.output_item.done","output_index":1,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"s"}}`) + event(ended),
			[]chat.Part{{Text: "hi"}, {Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "s", ID: "rs_1"}}},
			chat.FinishStop,
		},
		"a thought without a summary, after a piece of a call before a text": {
			event(created) + event(`{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":""}}`) +
				event(`{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"hi"}`) +
				event(`{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"}`) +
				event(`{"type":"response.output_item.done","output_index":2,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"s"}}`) + event(ended),
			[]chat.Part{call("c1", `{}`), {Text: "hi"}, {Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "s", ID: "rs_1"}}},
			chat.FinishToolCalls,
		},
		"a thought in plain text, of another maker's model": {
			event(created) + event(`{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}`) +
				event(`{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"h"}`) +
				event(`{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"m"}`) +
				event(`{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","content":[{"type":"reasoning_text","text":"hm"}],"encrypted_content":"s","format":"xai-responses-v1"}}`) + event(ended),
			[]chat.Part{{Kind: chat.PartThinking, Text: "hm", Signature: &chat.Signature{Format: "xai-responses-v1", Data: "s", ID: "rs_1"}}},
			chat.FinishStop,
		},
		"citations that come with the item": {
			event(created) + event(`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"hi"}`) +
				event(`{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"hi","annotations":[{"type":"url_citation","url":"https://x","title":"X","start_index":0,"end_index":2}]}]}}`) + event(ended),
			[]chat.Part{{Text: "hi", Citations: []chat.Citation{{URL: "https://x", Title: "X", End: 2}}}},
			chat.FinishStop,
		},
		"an end that does not say its status": {
			event(created) + event(`{"type":"response.output_text.delta","output_index":0,"delta":"hi"}`) + event(`{"type":"response.incomplete","response":{}}`),
			text("hi"), chat.FinishLength,
		},
		"events that nobody knows": {
			event(`{"type":"response.news"}`) + event(created) + event(`{"type":"x.delta","delta":"no"}`) + event(`{"type":"response.output_text.delta","output_index":0,"delta":"hi"}`) + event(ended),
			text("hi"), chat.FinishStop,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gathered(t, []byte(tt.events))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.parts, got.First().Parts); diff != "" || got.First().Finish != tt.finish {
				t.Errorf("got the finish %s, want %s (-want +got):\n%s", got.First().Finish, tt.finish, diff)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		stream bool
		class  chat.Class
	}{
		"one that is still to come":           {`{"id":"r","status":"queued","output":[]}`, false, chat.ClassBadResponse},
		"one that was cancelled":              {`{"id":"r","status":"cancelled","output":[]}`, false, chat.ClassBadResponse},
		"an error beside an answer":           {`{"id":"r","status":"completed","output":[],"error":{"code":"rate_limit_exceeded","message":"m"}}`, false, chat.ClassRateLimited},
		"an error in a 200":                   {`{"error":{"code":503,"message":"m"}}`, false, chat.ClassOverloaded},
		"a picture that is none":              {`{"status":"failed","output":[],"error":{"code":"invalid_image_url","message":"m"}}`, false, chat.ClassInvalid},
		"[DONE] before the end":               {event(created) + "data: [DONE]\n\n", true, chat.ClassCutOff},
		"an error as some servers send it":    {event(`{"error":{"code":402,"message":"m"}}`), true, chat.ClassAuth},
		"a failure without an error":          {event(created) + event(`{"type":"response.failed","response":{"status":"failed"}}`), true, chat.ClassBadResponse},
		"an error without its fields":         {event(`{"type":"error"}`), true, chat.ClassBadResponse},
		"an end without its response":         {event(created) + event(`{"type":"response.completed"}`), true, chat.ClassBadResponse},
		"a conversation that became too long": {event(created) + event(`{"type":"error","code":"context_length_exceeded","message":"m","param":"input"}`), true, chat.ClassTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if tt.stream {
				_, err = gathered(t, []byte(tt.body))
			} else {
				_, err = completed(t, []byte(tt.body))
			}
			if got := chat.ClassOf(err); got != tt.class {
				t.Errorf("got %v, want %s", err, tt.class)
			}
		})
	}
}

func TestALineOfHundredKilobytes(t *testing.T) {
	long := strings.Repeat("ü\\n", 50_000)
	body := event(created) + event(`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"`+long+`"}`) +
		event(`{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"`+long+`"}]}}`) +
		event(`{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"`+long+`"}]}],"usage":{"input_tokens":1,"output_tokens":2}}}`)
	got, err := gathered(t, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count([]byte(got.First().Text()), []byte("ü\n")); n != 50_000 || got.Usage == nil || got.Usage.Output != 2 {
		t.Errorf("got %d lines and the usage %+v, want 50000 and 2 tokens", n, got.Usage)
	}
}

func TestWhatIsSealedIsNoContent(t *testing.T) {
	a := answer(t, event(created)+event(`{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"s"}}`)+event(ended))
	stream, err := responses.New(client(t), responses.Flavour{}).Stream(t.Context(), a.target("m"), turns(chat.Text(chat.RoleUser, "hi")))
	if err != nil {
		t.Fatal(err)
	}
	signed := false
	for c, err := range stream {
		if err != nil || c.Content() {
			t.Errorf("got %+v and %v, want nothing that the client sees", c, err)
		}
		signed = signed || c.Signature != nil
	}
	if !signed {
		t.Error("the signature is lost")
	}
}
