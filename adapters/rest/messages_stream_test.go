package rest_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// unsigned is the signature of a thought that nobody signed.
const unsigned = "forge1-sig-Cgo"

// wrapped gives a signature of another vendor's as Anthropic's clients see it.
func wrapped(format, id, data string) string {
	return (&chat.Signature{Format: format, ID: id, Data: data}).Wrap()
}

// events writes a stream: each line is the name of an event, and what follows its type.
func events(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		name, more, _ := strings.Cut(line, " ")
		if name == "ping" {
			b.WriteString("event: ping\ndata: {\"type\": \"ping\"}\n\n")
			continue
		}
		if more != "" {
			more = "," + more
		}
		b.WriteString("event: " + name + "\ndata: {\"type\":\"" + name + "\"" + more + "}\n\n")
	}
	return b.String()
}

// The beginning and the end of every stream.
const (
	messageStart = `message_start "message":{"model":"gpt-x-2026","id":"msg_0190call","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":` +
		`{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0,` +
		`"output_tokens_details":{"thinking_tokens":0},"service_tier":null}}`
	messageUsage = `{"input_tokens":1,"cache_creation_input_tokens":5,"cache_read_input_tokens":4,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":2},"output_tokens":5,` +
		`"output_tokens_details":{"thinking_tokens":2},"service_tier":`
)

func messageDelta(reason, sequence, details, tier string) string {
	return `message_delta "delta":{"stop_reason":"` + reason + `","stop_sequence":` + sequence + `,"stop_details":` + details + `},"usage":` + messageUsage + tier + `}`
}

// messageReceipt is a receipt with every number of Anthropic's usage.
func messageReceipt() inbound.Receipt {
	r := receipt()
	r.Usage = chat.Usage{Input: 10, Output: 5, CacheRead: 4, CacheWrite: 5, CacheWrite1h: 2, Reasoning: 2}
	return r
}

// block gives the events of one block, with the ping behind the start of the first.
func block(index int, begin string, deltas ...string) []string {
	at := `"index":` + strconv.Itoa(index)
	out := []string{"content_block_start " + at + `,"content_block":` + begin}
	if index == 0 {
		out = append(out, "ping")
	}
	for _, d := range deltas {
		out = append(out, "content_block_delta "+at+`,"delta":`+d)
	}
	return append(out, "content_block_stop "+at)
}

func textDelta(s string) string { return `{"type":"text_delta","text":"` + s + `"}` }
func jsonDelta(s string) string {
	return `{"type":"input_json_delta","partial_json":` + strconv.Quote(s) + `}`
}
func signatureDelta(s string) string { return `{"type":"signature_delta","signature":"` + s + `"}` }

func TestARenderedMessageStream(t *testing.T) {
	const emptyText, emptyThought = `{"type":"text","text":""}`, `{"type":"thinking","thinking":"","signature":""}`
	tool := func(id, name string) string {
		return `{"type":"tool_use","id":"` + id + `","name":"` + name + `","input":{}}`
	}
	piece := func(index int, id, name, arguments string) chat.Chunk {
		return chat.Chunk{Tool: &chat.ToolDelta{Index: index, ID: id, Name: name, Arguments: arguments}}
	}
	ended := func(reason string) string { return messageDelta(reason, "null", "null", "null") }
	signed := &chat.Signature{Format: chat.FormatAnthropic, Data: "sig"}
	foreign := &chat.Signature{Format: chat.FormatGemini, Data: "g"}
	tests := map[string]struct {
		chunks []chat.Chunk
		want   [][]string
	}{
		"nothing":  {nil, [][]string{{ended("end_turn")}}},
		"a length": {[]chat.Chunk{{Finish: chat.FinishLength}}, [][]string{{ended("max_tokens")}}},
		"a pause":  {[]chat.Chunk{{Finish: chat.FinishPause}}, [][]string{{ended("pause_turn")}}},
		"text, with what ends a line": {
			[]chat.Chunk{{ID: "x", Model: "m"}, {Text: "a\r\n\u2028"}, {Text: "\"\x01"}, {Finish: chat.FinishStop, StopSequence: "END"}, {ServiceTier: "default"}},
			[][]string{block(0, emptyText, textDelta(`a\r\n`+"\u2028"), textDelta(`\"\u0001`)), {messageDelta("stop_sequence", `"END"`, "null", `"standard"`)}},
		},
		"two texts": {[]chat.Chunk{{Text: "a"}, {Text: "b", New: true}}, [][]string{block(0, emptyText, textDelta("a")), block(1, emptyText, textDelta("b")), {ended("end_turn")}}},
		"a refusal": {
			[]chat.Chunk{{Refusal: "no"}, {Finish: chat.FinishStop}},
			[][]string{block(0, emptyText, textDelta("no")), {messageDelta("refusal", "null", `{"type":"refusal","category":null,"explanation":null}`, "null")}},
		},
		"a filter": {[]chat.Chunk{{Text: "a"}, {Finish: chat.FinishContentFilter}}, [][]string{block(0, emptyText, textDelta("a")), {messageDelta("refusal", "null", `{"type":"refusal","category":null,"explanation":null}`, "null")}}},
		"a thought that is signed": {
			[]chat.Chunk{{Thinking: "h"}, {Thinking: "m"}, {Signature: signed}, {Text: "a"}},
			[][]string{block(0, emptyThought, `{"type":"thinking_delta","thinking":"h"}`, `{"type":"thinking_delta","thinking":"m"}`, signatureDelta("sig")), block(1, emptyText, textDelta("a")), {ended("end_turn")}},
		},
		"a thought that nobody signed": {
			[]chat.Chunk{{Thinking: "h"}, {Text: "a"}},
			[][]string{block(0, emptyThought, `{"type":"thinking_delta","thinking":"h"}`, signatureDelta(unsigned)), block(1, emptyText, textDelta("a")), {ended("end_turn")}},
		},
		"signatures of another vendor's: of a thought, of text, of a call": {
			[]chat.Chunk{{Thinking: "h"}, {Signature: foreign}, {Text: "a"}, {Signature: foreign}, {Tool: &chat.ToolDelta{ID: "functions.f:0", Name: "f", Arguments: "{}", Signature: foreign}}},
			[][]string{
				block(0, emptyThought, `{"type":"thinking_delta","thinking":"h"}`, signatureDelta(wrapped(chat.FormatGemini, "", "g"))), block(1, emptyText, textDelta("a")),
				block(2, emptyThought, signatureDelta(wrapped(chat.FormatGemini, "", "g"))),
				block(3, emptyThought, signatureDelta(wrapped(chat.FormatGemini, chat.PortableID("functions.f:0"), "g"))),
				block(4, tool(chat.PortableID("functions.f:0"), "f"), jsonDelta(""), jsonDelta("{}")),
				{ended("tool_use")},
			},
		},
		"thoughts that are not shown": {
			[]chat.Chunk{{Part: &chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: signed}}, {Part: &chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: foreign}}},
			[][]string{block(0, `{"type":"redacted_thinking","data":"sig"}`), block(1, `{"type":"redacted_thinking","data":"`+wrapped(chat.FormatGemini, "", "g")+`"}`), {ended("end_turn")}},
		},
		"parts that have no block, and one that is Anthropic's own": {
			[]chat.Chunk{
				{Part: &chat.Part{Kind: chat.PartImage, Media: &chat.Media{Data: "aGk="}}},
				{Part: &chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte(`{}`)}}},
				{Part: &chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte("{\"type\":\n\"x\"}")}}},
			},
			[][]string{block(0, `{"type":"x"}`), {ended("end_turn")}},
		},
		"citations": {
			[]chat.Chunk{{Text: "a"}, {Citations: []chat.Citation{{URL: "u", Title: "t", Text: "c"}, {Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type": "x"}`)}}}}, {Text: "b"}},
			[][]string{block(0, emptyText, textDelta("a"), `{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"u","title":"t","cited_text":"c","encrypted_index":"`+unsigned+`"}}`,
				`{"type":"citations_delta","citation":{"type":"x"}}`, textDelta("b")), {ended("end_turn")}},
		},
		"a call that has no arguments, said to be done": {
			[]chat.Chunk{{Text: "a"}, piece(0, "c1", "f", ""), {Finish: chat.FinishStop}},
			[][]string{block(0, emptyText, textDelta("a")), block(1, tool("c1", "f"), jsonDelta("")), {ended("tool_use")}},
		},
		"calls one after the other": {
			[]chat.Chunk{piece(0, "c1", "f", ""), piece(0, "", "", `{"a":"}`), piece(0, "", "", `\"}"}`), piece(1, "c2", "g", `{`), piece(1, "", "", `}`), {Finish: chat.FinishToolCalls}},
			[][]string{block(0, tool("c1", "f"), jsonDelta(""), jsonDelta(`{"a":"}`), jsonDelta(`\"}"}`)), block(1, tool("c2", "g"), jsonDelta(""), jsonDelta("{"), jsonDelta("}")), {ended("tool_use")}},
		},
		"calls in turn": {
			[]chat.Chunk{piece(0, "c1", "f", ""), piece(1, "c2", "g", ""), piece(0, "", "", `{"a":`), {Text: "x"}, piece(1, "", "", `{}`), piece(0, "", "", `1}`), piece(2, "c3", "h", `{}`)},
			[][]string{
				block(0, tool("c1", "f"), jsonDelta(""), jsonDelta(`{"a":`), jsonDelta(`1}`)), block(1, tool("c2", "g"), jsonDelta(""), jsonDelta("{}")),
				block(2, emptyText, textDelta("x")), block(3, tool("c3", "h"), jsonDelta(""), jsonDelta("{}")),
				{ended("tool_use")},
			},
		},
		"calls in turn, the first with an end in its text": {
			[]chat.Chunk{piece(0, "c1", "f", `{"a":"\"}`), piece(1, "c2", "g", "{}"), piece(0, "", "", `"}`)},
			[][]string{block(0, tool("c1", "f"), jsonDelta(""), jsonDelta(`{"a":"\"}`), jsonDelta(`"}`)), block(1, tool("c2", "g"), jsonDelta(""), jsonDelta("{}")), {ended("tool_use")}},
		},
		"calls in turn that never end": {
			[]chat.Chunk{piece(0, "c1", "f", ""), piece(1, "c2", "g", "{"), piece(2, "c3", "h", ""), {Text: "x"}, piece(1, "", "", `"a"`)},
			[][]string{
				block(0, tool("c1", "f"), jsonDelta("")), block(1, tool("c2", "g"), jsonDelta(""), jsonDelta("{"), jsonDelta(`"a"`)), block(2, tool("c3", "h"), jsonDelta("")),
				block(3, emptyText, textDelta("x")),
				{ended("tool_use")},
			},
		},
		"a citation that comes first, and text behind what was cited": {
			[]chat.Chunk{{Citations: []chat.Citation{{URL: "u"}}}, {Text: "a"}},
			[][]string{block(0, `{"type":"text","text":"","citations":[]}`, `{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"u","title":"","cited_text":"","encrypted_index":"`+unsigned+`"}}`, textDelta("a")), {ended("end_turn")}},
		},
		"a call that goes on though it was whole": {
			[]chat.Chunk{piece(0, "c1", "f", "{}"), {Text: "a"}, piece(0, "", "", "{}")},
			[][]string{block(0, tool("c1", "f"), jsonDelta(""), jsonDelta("{}")), block(1, emptyText, textDelta("a")), {ended("tool_use")}},
		},
		"the other choices": {[]chat.Chunk{{Text: "a"}, {Choice: 1, Text: "b"}, {Choice: 1, Finish: chat.FinishLength}}, [][]string{block(0, emptyText, textDelta("a")), {ended("end_turn")}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			want := events(slices.Concat(append([][]string{{messageStart}}, append(tc.want, []string{"message_stop"})...)...)...)
			r := messageReceipt()
			r.Finish = ""
			if d := cmp.Diff(strings.Split(want, "\n\n"), strings.Split(streamed(r, tc.chunks), "\n\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAMessageStreamBeginsWithTheUsageThatIsKnown(t *testing.T) {
	got := streamed(messageReceipt(), []chat.Chunk{{Usage: &chat.Usage{Input: 9, CacheRead: 4}, ServiceTier: "priority"}})
	if want := `"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,`; !strings.Contains(got[:strings.Index(got, "\n\n")], want) {
		t.Errorf("got %s, want it to begin with %s", got, want)
	}
}

// streamed renders chunks.
func streamed(r inbound.Receipt, chunks []chat.Chunk) string {
	var b strings.Builder
	piece, done := rest.MessageStream(r)
	for _, c := range chunks {
		b.Write(piece(c))
	}
	b.Write(done(r))
	return b.String()
}

func TestARelayedMessageStreamIsNotTouched(t *testing.T) {
	raw := []string{"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}     \n\n", "event: ping\ndata: {\"type\": \"ping\"}\n\n", "event: message_stop\ndata: {\"type\":\"message_stop\"   }\n\n"}
	w := start(t)
	broken := error(nil)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
			for _, p := range frames(raw...) {
				if !yield(p, nil) {
					return
				}
			}
			if broken != nil {
				yield(inbound.Piece{}, broken)
			}
		}), nil
	}
	if got, want := string(w.post(messagesPath, messagesBody(`,"stream":true`), aiKey).body), strings.Join(raw, ""); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	broken = fault.New(fault.Timeout, "provider_timeout", "too slow")
	got := w.post(messagesPath, messagesBody(`,"stream":true`), aiKey, "X-Request-Id: my-request")
	want := strings.Join(raw, "") + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"too slow\"},\"request_id\":\"my-request\"}\n\n"
	if string(got.body) != want {
		t.Errorf("got %q, want %q", got.body, want)
	}
}
