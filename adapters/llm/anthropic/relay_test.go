package anthropic_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

func relayOf(d chat.Dialect, w wire) outbound.Relay {
	a := abilities(w)
	return a.Relay(d)
}

// passed gives the request that a passage becomes, and what came back.
func passed(t testing.TB, d chat.Dialect, p outbound.Passage, body string) (*http.Request, []byte, *outbound.Relayed, error) {
	t.Helper()
	var got *http.Request
	var sent []byte
	r := relayOf(d, func(r *http.Request) *http.Response {
		got = r
		sent, _ = io.ReadAll(r.Body)
		return answer("application/json", strings.NewReader(body))
	})
	out, err := r.RelayWhole(t.Context(), target, p)
	return got, sent, out, err
}

func sealed(format string) string {
	return (&chat.Signature{Format: format, Data: "d"}).Wrap()
}

func TestABodyIsPassedOnAsItIs(t *testing.T) {
	t.Parallel()
	seal := sealed(chat.FormatOpenAI)
	theirs := `{"type":"thinking","thinking":"Hm.","signature":"` + seal + `"}`
	hidden := `{ "data" : "` + sealed(chat.FormatGemini) + `" , "type" : "redacted_thinking" }`
	mine := `{"type":"thinking","thinking":"Hm.","signature":"EqQB"}`
	call, answered := `{"type":"tool_use","id":"toolu_a","name":"f","input":{}}`, `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a","content":"1"}]}`
	asked := `{"role":"user","content":"Hi"}`
	said := func(blocks ...string) string {
		return `{"role":"assistant","content":[` + strings.Join(blocks, ",") + `]}`
	}
	whole := func(thinking string, messages ...string) string {
		return `{"model":"claude-test",` + thinking + `"messages":[` + strings.Join(messages, ",") + `],"max_tokens":9}`
	}
	const budget = `"thinking" : {"type":"enabled","budget_tokens":2048}, `
	tests := map[string]struct {
		body, want string // want "": as it is, but for the model
		dropped    []string
	}{
		"every byte": {"\n{ \"x\" : 1.50 ,\t\"model\" : \"a\\u0075to\",\"messages\":[ " + asked + " ] }\n", "", nil},
		"a model that is not there": {
			`{ "messages":[]}`, `{"model":"claude-test", "messages":[]}`, nil,
		},
		"no member at all": {`{}`, `{"model":"claude-test"}`, nil},
		"ids that the vendor refuses, in calls and results alike": {
			whole("", asked, said(`{"type":"tool_use","id" : "functions.f:0","name":"f","input":{"id":"functions.f:0"}}`), `{"role":"user","content":[{"tool_use_id":"functions.f:0","type":"tool_result","content":[{"type":"text","text":"id"}]}]}`),
			whole("", asked, said(`{"type":"tool_use","id" : "`+chat.PortableID("functions.f:0")+`","name":"f","input":{"id":"functions.f:0"}}`), `{"role":"user","content":[{"tool_use_id":"`+chat.PortableID("functions.f:0")+`","type":"tool_result","content":[{"type":"text","text":"id"}]}]}`), nil,
		},
		"an id that is too long": {
			whole("", said(`{"type":"tool_use","id":"`+strings.Repeat("x", 65)+`"}`)), whole("", said(`{"type":"tool_use","id":"`+chat.PortableID(strings.Repeat("x", 65))+`"}`)), nil,
		},
		"ids that are taken and the vendor's own stay": {whole("", asked, said(`{"type":"tool_use","id":"`+strings.Repeat("x", 64)+`","name":"f","input":{}}`, `{"type":"server_tool_use","id":"srv.1"}`)), "", nil},
		"an id that is spelled oddly":                  {whole(budget, asked, said(`{"type":"tool_use","id":"toolu_\u0061"}`)), "", nil},
		"thoughts of others go, with their commas": {
			whole("", asked, said(theirs, `{"type":"text","text":"a"}`, hidden, `{"type":"text","text":"b"}`, theirs), asked),
			whole("", asked, said(`{"type":"text","text":"a"}`, `{"type":"text","text":"b"}`), asked),
			[]string{"messages[].reasoning"},
		},
		"citations of others go, and the text stays": {
			whole("", asked, said(`{"type":"text","citations":[{"url":"a","encrypted_index":"`+seal+`"}, {"url":"b","encrypted_index":"E"}],"text":"a"}`, `{"type":"text","text":"b","citations":[{"encrypted_index":"`+seal+`"}]}`)),
			whole("", asked, said(`{"type":"text","citations":[{"url":"b","encrypted_index":"E"}],"text":"a"}`, `{"type":"text","text":"b","citations":[]}`)), nil,
		},
		"a turn that was nothing but a thought goes too": {
			whole("", asked, said(theirs, hidden), asked), whole("", asked, asked), []string{"messages[].reasoning"},
		},
		"a mark within a text is text": {whole("", `{"role":"user","content":[{"type":"text","text":"`+seal+`","signature":"`+seal+`"}]}`), "", nil},
		"thinking goes with the thoughts of the calls that are under way": {
			whole(budget, asked, said(theirs, call), answered), whole("", asked, said(call), answered), []string{"messages[].reasoning", "thinking"},
		},
		"thinking goes though there was a thought before earlier calls": {
			whole(budget, asked, said(mine, call), answered, said(theirs, call), answered), whole("", asked, said(mine, call), answered, said(call), answered), []string{"messages[].reasoning", "thinking"},
		},
		"thinking stays with a thought of its own": {whole(budget, asked, said(theirs, call), answered, said(mine, call), answered), whole(budget, asked, said(call), answered, said(mine, call), answered), []string{"messages[].reasoning"}},
		"thinking goes with calls of another vendor that did not think": {
			whole(budget, asked, said(strings.Replace(call, "toolu_a", "call_1", 1)), answered), whole("", asked, said(strings.Replace(call, "toolu_a", "call_1", 1)), answered), []string{"thinking"},
		},
		"thinking goes while the turn goes on in which another vendor called": {
			whole(budget, asked, said(mine, call), answered, said(strings.Replace(call, "toolu_a", "call_1", 1)), answered, said(call), answered, asked),
			whole("", asked, said(mine, call), answered, said(strings.Replace(call, "toolu_a", "call_1", 1)), answered, said(call), answered, asked),
			[]string{"thinking"},
		},
		"thinking stays with words to go on from": {
			whole(budget, asked, said(strings.Replace(call, "toolu_a", "call_1", 1)), answered, said(`{"type":"text","text":"a"}`)), "", nil,
		},
		"thinking stays in the next turn": {
			whole(budget, asked, said(strings.Replace(call, "toolu_a", "call_1", 1)), answered, said(`{"type":"text","text":"a"}`), asked, said(call), answered), "", nil,
		},
		"thinking stays when the user has spoken since": {
			whole(budget, asked, said(theirs, call), answered, said(`{"type":"text","text":"a"}`), asked), whole(budget, asked, said(call), answered, said(`{"type":"text","text":"a"}`), asked),
			[]string{"messages[].reasoning"},
		},
		"thinking stays where the model decides itself": {
			whole(`"thinking":{"type":"adaptive"},`, asked, said(theirs, call), answered), whole(`"thinking":{"type":"adaptive"},`, asked, said(call), answered), []string{"messages[].reasoning"},
		},
		"thinking that was lost before is the client's affair": {whole(budget, asked, said(call), answered), "", nil},
		"thinking as the last member": {
			`{"model":"m","messages":[` + asked + `,` + said(theirs, call) + `,` + answered + `] , "thinking":{"type":"enabled"} }`,
			`{"model":"claude-test","messages":[` + asked + `,` + said(call) + `,` + answered + `] }`,
			[]string{"messages[].reasoning", "thinking"},
		},
		"messages that are none are the vendor's to refuse": {`{"model":"m","messages":[7,{"content":[7,{"type":"tool_use"}]},{"content":{"tool_use":1}}],"x":"` + seal + `"}`, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, d := range []chat.Dialect{chat.DialectAnthropic, chat.DialectAnthropicCount} {
				want := test.want
				if want == "" {
					want = strings.NewReplacer(`"a\u0075to"`, `"claude-test"`, `"model":"m"`, `"model":"claude-test"`).Replace(test.body)
				}
				body := []byte(test.body)
				_, sent, out, err := passed(t, d, outbound.Passage{Body: body, Strict: true}, map[chat.Dialect]string{chat.DialectAnthropic: okBody, chat.DialectAnthropicCount: `{"input_tokens": 7}`}[d])
				if err != nil {
					t.Fatalf("%s: %v", d, err)
				}
				if string(sent) != want || string(body) != test.body {
					t.Errorf("%s:\ngot  %s\nwant %s", d, sent, want)
				}
				if diff := cmp.Diff(test.dropped, out.Dropped); diff != "" {
					t.Errorf("%s: dropped (-want +got):\n%s", d, diff)
				}
			}
		})
	}
}

func TestABodyThatCanBeReadInTwoWaysIsNotSent(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		``: "", `[]`: "", `{"model":"m"`: "", `{"model":"m","model":"n"}`: "model", `{"stream":true,"str\u0065am":false}`: "stream",
		`{"messages":[],"messages":[]}`: "messages", `{"thinking":{},"thinking":{}}`: "thinking",
	} {
		req, _, _, err := passed(t, chat.DialectAnthropic, outbound.Passage{Body: []byte(body)}, okBody)
		f, ok := err.(*chat.Failure) //nolint:errorlint // the failure itself is promised
		if !ok || f.Class != chat.ClassInvalid || f.Param != param || f.Message == "" || req != nil {
			t.Errorf("%s: got %#v, and sent %t; want invalid_request of %q, unsent", body, err, req != nil, param)
		}
	}
}

func TestHeadersOfAPassage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dialect         chat.Dialect
		header          map[string]string
		path, ver, beta string
	}{
		"none":    {chat.DialectAnthropic, nil, "/v1/messages", "2023-06-01", ""},
		"its own": {chat.DialectAnthropic, map[string]string{"Anthropic-Version": "2026-01-01", "Anthropic-Beta": "a,b", "X-Secret": "s"}, "/v1/messages", "2026-01-01", "a,b"},
		"a count": {chat.DialectAnthropicCount, map[string]string{"Anthropic-Beta": "a"}, "/v1/messages/count_tokens", "2023-06-01", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, _, _, err := passed(t, test.dialect, outbound.Passage{Body: []byte(`{"model":"m"}`), Header: test.header}, strings.Replace(okBody, `"id"`, `"input_tokens":1,"id"`, 1))
			if err != nil {
				t.Fatal(err)
			}
			got := []string{req.URL.Path, req.Header.Get("Anthropic-Version"), req.Header.Get("Anthropic-Beta"), req.Header.Get("X-Api-Key"), req.Header.Get("X-Secret")}
			if diff := cmp.Diff([]string{test.path, test.ver, test.beta, "sk-ant-test", ""}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// framed relays a stream, and gives its frames with their bytes copied.
func framed(t testing.TB, body io.Reader) (frames []outbound.Frame, raw []byte, err error) {
	r := relayOf(chat.DialectAnthropic, func(*http.Request) *http.Response { return answer("text/event-stream", body) })
	seq, err := r.RelayStream(t.Context(), target, outbound.Passage{Body: []byte(`{"model":"m","stream":true}`)})
	if err != nil {
		return nil, nil, err
	}
	for f, err := range seq {
		if err != nil {
			return frames, raw, err
		}
		raw = append(raw, f.Raw...)
		f.Raw = bytes.Clone(f.Raw)
		frames = append(frames, f)
	}
	return frames, raw, nil
}

func TestFramesAreToldApart(t *testing.T) {
	t.Parallel()
	usage := func(out int) *chat.Usage { return &chat.Usage{Input: 12, Output: out, CacheRead: 7} }
	parts := []struct {
		raw  string
		want outbound.Frame
	}{
		{": hello\n\n", outbound.Frame{Comment: true}},
		{event(`{"type": "ping"}`), outbound.Frame{}},
		{event(`{"type":"message_start","message":{"model":"m-1","content":[],"usage":{"input_tokens":2,"output_tokens":1,"cache_read_input_tokens":7}}}`), outbound.Frame{Model: "m-1"}},
		{event(`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`), outbound.Frame{}},
		{event(`{"type": "ping"}`), outbound.Frame{}},
		{event(`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}`), outbound.Frame{Content: true}},
		{event(`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}`), outbound.Frame{}},
		{event(`{"type":"content_block_stop","index":0}`), outbound.Frame{}},
		{event(`{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`), outbound.Frame{}},
		{event(`{"index":1,"delta":{"text":"a","type":"text_delta"},"type":"content_block_delta"}`), outbound.Frame{Content: true}},
		{event(`{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}`), outbound.Frame{Content: true}},
		{event(`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}`), outbound.Frame{}},
		{event(`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{"}}`), outbound.Frame{Content: true}},
		{event(`{"type":"content_block_start","index":3,"content_block":{"type":"fallback","from":{}}}`), outbound.Frame{Content: true}},
		{event(`{"type":"news","text":"x"}`), outbound.Frame{}},
		{event(`{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_details":{"explanation":null}},"usage":{"input_tokens":5,"output_tokens":9}}`), outbound.Frame{Finish: chat.FinishLength, Usage: usage(9)}},
		{event(`{"type":"message_stop"}`), outbound.Frame{}},
	}
	var body strings.Builder
	var want []outbound.Frame
	for _, p := range parts {
		body.WriteString(p.raw)
		p.want.Raw = []byte(p.raw)
		want = append(want, p.want)
	}
	got, _, err := framed(t, strings.NewReader(body.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

func TestAStreamThatFailsFailsAsItDoesInTranslation(t *testing.T) {
	t.Parallel()
	stop := event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}`)
	for body, class := range map[string]chat.Class{
		opening + closing:                             chat.ClassBadResponse, // no reason to stop
		opening + stop:                                chat.ClassCutOff,
		opening + stop + "data: {\"type\":":           chat.ClassCutOff,
		opening + event(`{"type":`):                   chat.ClassBadResponse,
		opening + event(`{"type":"error"}`):           chat.ClassBadResponse,
		opening + event(`{"type":"error","error":7}`): chat.ClassBadResponse,
		event(`{"type": "ping"}`):                     chat.ClassCutOff,
		": hello\n\n":                                 chat.ClassBadResponse,
		"":                                            chat.ClassBadResponse,
		opening + stop + strings.TrimRight(closing, "\n"): "",
	} {
		_, _, err := framed(t, strings.NewReader(body))
		_, translated := gathered(t, strings.NewReader(body))
		if got, other := chat.ClassOf(err), chat.ClassOf(translated); got != class || other != class {
			t.Errorf("%q: got %q, in translation %q; want %q", body, got, other, class)
		}
	}
}

func TestWhatWasLeftOutIsNamedWithTheFirstFrame(t *testing.T) {
	t.Parallel()
	r := relayOf(chat.DialectAnthropic, func(*http.Request) *http.Response {
		return answer("text/event-stream", strings.NewReader(opening+event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`)+closing))
	})
	body := `{"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","signature":"` + sealed("x") + `"}]}]}`
	frames, err := r.RelayStream(t.Context(), target, outbound.Passage{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for f, err := range frames {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.Dropped)
	}
	if diff := cmp.Diff([][]string{{"messages[].reasoning"}, nil, nil}, got); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

func TestAStreamPassesByteForByteHoweverItComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		_, stream, _ := drawAnswer(r)
		want, err := gathered(t, strings.NewReader(stream))
		if err != nil {
			r.Fatal(err)
		}
		for name, body := range map[string]io.Reader{
			"whole": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"scattered": scattered{bytes.NewReader([]byte(stream)), rand.New(rand.NewPCG(2, uint64(len(stream))))},
		} {
			frames, raw, err := framed(t, body)
			if err != nil || string(raw) != stream {
				r.Fatalf("%s: %v, and %d bytes of %d", name, err, len(raw), len(stream))
			}
			add, read := relayOf(chat.DialectAnthropic, nil).Gather()
			for _, f := range frames {
				add(f.Raw)
			}
			got := read()
			if diff := cmp.Diff(want, got.Response, meant); diff != "" || !got.Complete {
				r.Fatalf("%s: complete %t, (-translated +read):\n%s", name, got.Complete, diff)
			}
		}
	})
}
