package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

var rewrite = flag.Bool("rewrite", false, "write the golden streams anew")

// asking is what the golden streams answer: it has a tool of each kind.
const asking = `,"stream":true,"tools":[{"type":"function","name":"add"},{"type":"custom","name":"say"}]`

// respSaid are answers of another vendor by what is in them, as its stream brings them.
var respSaid = map[string][]chat.Chunk{
	"text":    {{Text: "Hel", Logprobs: []chat.TokenLogprob{{Token: "Hel", Logprob: -0.5, Top: []chat.TokenLogprob{{Token: "He", Logprob: -1}}}}}, {Text: "lo\n\"you\""}, {Finish: chat.FinishStop, ServiceTier: "flex"}},
	"nothing": {{Finish: chat.FinishStop}},
	"thinking": {
		{Thinking: "Let "},
		{Thinking: "me see."},
		{Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "sig"}},
		{Part: &chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "red"}}},
		{Thinking: "More."},
		{Text: "Four."},
		{Signature: &chat.Signature{Format: chat.FormatGemini, Data: "end"}},
		{Finish: chat.FinishStop},
	},
	"OpenAI's thoughts": {
		{Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "enc1", ID: "rs_1"}},
		{Thinking: "So.", New: true},
		{Signature: &chat.Signature{Format: chat.FormatOpenAI, Data: "enc2", ID: "rs_2"}},
		{Thinking: "And so."},
		{Text: "Four."},
		{Finish: chat.FinishStop},
	},
	"tools": {
		{Text: "I add."},
		{Tool: &chat.ToolDelta{Index: 0, ID: "functions.add:0", Name: "add", Arguments: `{"a":`, Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}}},
		{Tool: &chat.ToolDelta{Index: 1, ID: "toolu_2", Name: "add"}},
		{Tool: &chat.ToolDelta{Index: 0, Arguments: `1}`}},
		{Tool: &chat.ToolDelta{Index: 2, ID: "toolu_3", Name: "say", Arguments: `{"input":"a\n`}},
		{Tool: &chat.ToolDelta{Index: 2, Arguments: `text"}`}},
		{Finish: chat.FinishToolCalls},
	},
	"a refusal":   {{Text: "Well, "}, {Refusal: "I "}, {Refusal: "won't."}, {Finish: chat.FinishContentFilter}},
	"cut":         {{Tool: &chat.ToolDelta{ID: "c", Name: "add", Arguments: `{"a":`}}, {Finish: chat.FinishLength}},
	"citations":   {{Text: "It is so."}, {Citations: []chat.Citation{{URL: "https://x.y", Title: "X", Start: 0, End: 5}, {Title: "a.pdf", Text: "so"}}}, {Text: " And so.", New: true}, {Finish: chat.FinishPause}},
	"a picture":   {{Text: "Here:"}, {Part: &chat.Part{Kind: chat.PartImage, Media: &chat.Media{Type: "image/png", Data: "aGk="}}}, {Finish: chat.FinishStop}},
	"vendor item": {{Part: &chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses, JSON: []byte("{\"type\":\"x_call\",\n\"id\":\"x_1\"}")}}}, {Part: &chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte("{}")}}}, {Text: "Found."}, {Choice: 1, Text: "another"}, {Finish: chat.FinishStop}},
}

// streams has the fake gateway answer by chunks.
func (w *world) streams(chunks []chat.Chunk) {
	w.models.stream = func(_ context.Context, c inbound.Call) (inbound.StreamAnswer, error) {
		if _, err := c.Parse(); err != nil {
			return inbound.StreamAnswer{}, err
		}
		var pieces []inbound.Piece
		for _, c := range chunks {
			pieces = append(pieces, inbound.Piece{Chunk: c})
		}
		return streamOf(false, pieces...), nil
	}
}

func TestStreamsOfOtherVendorsAreOpenAIsToTheByte(t *testing.T) {
	w := start(t)
	for name, chunks := range respSaid {
		t.Run(name, func(t *testing.T) {
			w.streams(chunks)
			got := w.post(responsesPath, respBody(asking), aiKey).body
			file := filepath.Join("testdata", "responses", strings.NewReplacer(" ", "_", "'", "").Replace(name)+".txt")
			if *rewrite {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if d := cmp.Diff(string(want), string(got)); err != nil || d != "" {
				t.Errorf("%v\n%s", err, d)
			}
			wellFormed(t, got)
		})
	}
}

// respEvent is one of a stream.
type respEvent struct {
	Type     string
	Sequence *int            `json:"sequence_number"`
	Output   int             `json:"output_index"`
	ItemID   string          `json:"item_id"`
	Item     json.RawMessage `json:"item"`
	Delta    string
	Text     string
	Response struct {
		ID     string
		Status string
		Output []json.RawMessage
		Usage  json.RawMessage
	}
}

func respEventsOf(t *testing.T, stream []byte) (out []respEvent) {
	t.Helper()
	for frame := range strings.SplitSeq(strings.TrimSuffix(string(stream), "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(frame, "\ndata: ")
		var e respEvent
		if err := json.Unmarshal([]byte(data), &e); err != nil || !ok || name != "event: "+e.Type {
			t.Fatalf("%q: %v", frame, err)
		}
		out = append(out, e)
	}
	return out
}

// wellFormed holds a stream against what every stream has: numbers without gaps, items that begin once and end once, with the whole at the end.
func wellFormed(t *testing.T, stream []byte) {
	t.Helper()
	events := respEventsOf(t, stream)
	var items []json.RawMessage
	texts, ended := map[string]string{}, map[int]bool{}
	for i, e := range events {
		if e.Sequence == nil || *e.Sequence != i {
			t.Errorf("event %d (%s) has the number %v", i, e.Type, e.Sequence)
		}
		switch e.Type {
		case "response.output_item.added":
			if e.Output != len(items) {
				t.Errorf("item %d begins after %d", e.Output, len(items))
			}
			items = append(items, nil)
		case "response.output_item.done":
			if ended[e.Output] {
				t.Errorf("item %d ends twice", e.Output)
			}
			ended[e.Output], items[e.Output] = true, e.Item
		case "response.output_text.delta", "response.reasoning_summary_text.delta":
			texts[e.ItemID] += e.Delta
		case "response.output_text.done", "response.reasoning_summary_text.done":
			if texts[e.ItemID] != e.Text {
				t.Errorf("the pieces are %q, the whole is %q", texts[e.ItemID], e.Text)
			}
			texts[e.ItemID] = ""
		}
	}
	last := events[len(events)-1]
	if d := cmp.Diff(items, last.Response.Output, cmp.Comparer(func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })); d != "" && len(items) > 0 {
		t.Errorf("the items and the whole differ: %s", d)
	}
	if last.Response.ID == "" || last.Response.Status != strings.TrimPrefix(last.Type, "response.") {
		t.Errorf("the last event is %s, with the status %s", last.Type, last.Response.Status)
	}
}

func TestAStreamAndTheWholeAreTheSameResponse(t *testing.T) {
	w := start(t)
	for name, chunks := range respSaid {
		t.Run(name, func(t *testing.T) {
			var g chat.Gatherer
			for _, c := range chunks {
				g.Add(c)
			}
			whole := g.Response()
			w.streams(chunks)
			events := respEventsOf(t, w.post(responsesPath, respBody(asking), aiKey).body)
			w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
				_, err := c.Parse()
				return inbound.Answer{Receipt: receipt(), Response: whole}, err
			}
			var got respEvent
			body := w.post(responsesPath, respBody(strings.Replace(asking, `"stream":true`, `"stream":false`, 1)), aiKey)
			body.into(t, &got.Response)
			last := events[len(events)-1].Response
			if d := cmp.Diff(respItems(last.Output), respItems(got.Response.Output)); d != "" || last.Status != got.Response.Status {
				t.Errorf("%s: %s", got.Response.Status, d)
			}
		})
	}
}

func respItems(items []json.RawMessage) (out []string) {
	for _, item := range items {
		out = append(out, string(item))
	}
	return out
}

// TestWhatIsSaidComesBackAsItWas goes on from what a stream said: the next vendor gets the parts that the first one gave, signatures and all.
func TestWhatIsSaidComesBackAsItWas(t *testing.T) {
	for name, chunks := range respSaid {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.streams(chunks)
			w.post(responsesPath, respBody(asking), aiKey)
			requests := w.foreign(chat.Said("x", chat.FinishStop))
			if a := w.post(responsesPath, `{"model":"auto","input":"go on","previous_response_id":"resp_0190call"}`, aiKey); a.status != 200 {
				t.Fatal(a)
			}
			var g chat.Gatherer
			for _, c := range chunks {
				g.Add(c)
			}
			got := (*requests)[0].Messages
			var parts []chat.Part
			if len(got) == 3 {
				parts = got[1].Parts
			}
			if d := cmp.Diff(lasting(g.Response().First().Parts), lasting(parts)); d != "" {
				t.Error(d)
			}
		})
	}
}

// lasting makes parts comparable: ids as every vendor takes them, citations by what they cite, and without what this dialect cannot hold.
func lasting(parts []chat.Part) []chat.Part {
	var out []chat.Part
	for _, p := range parts {
		if p.Call != nil {
			c := *p.Call
			c.ID = chat.PortableID(c.ID)
			p.Call = &c
		}
		p.Citations = nil
		switch {
		case p.Kind == chat.PartForeign && p.Foreign.Dialect == chat.DialectResponses:
			var kind struct{ Type string }
			if json.Unmarshal(p.Foreign.JSON, &kind) != nil || kind.Type == "image_generation_call" {
				continue
			}
			var b bytes.Buffer
			_ = json.Compact(&b, p.Foreign.JSON)
			p.Foreign = &chat.Foreign{Dialect: p.Foreign.Dialect, JSON: b.Bytes()}
		case p.Kind == chat.PartForeign, p.Kind == chat.PartImage:
			continue
		case p.Kind == chat.PartThinking && p.Signature == nil: // nobody can use it again
			continue
		}
		out = append(out, p)
	}
	return out
}

// respFrame makes a frame of a relayed stream.
func respFrame(kind, data string) string { return "event: " + kind + "\ndata: " + data + "\n\n" }

func TestARelayedStreamIsTheVendorsButForWhatForgeToldIt(t *testing.T) {
	w := start(t)
	response := func(status, output, store, previous string) string {
		return `{"id":"resp_v","object":"response","status":"` + status + `","output":[` + output + `],"previous_response_id":` + previous + `,"store":` + store + `}`
	}
	item := `{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"\"response\":{\"store\":false}"}]}`
	stream := func(store, previous string) []string {
		return []string{
			respFrame("response.created", `{"type":"response.created","response":`+response("in_progress", "", store, previous)+`,"sequence_number":0}`),
			": a comment\n\n",
			respFrame("response.output_text.delta", `{"type":"response.output_text.delta","delta":"\"response\":{\"store\":false}","sequence_number":1,"obfuscation":"xx"}`),
			"data: {\"type\":\"response.x\",\"response\":\"store\"}\n\n", "data: no JSON \"response\"\n\n", "id: \"response\"\n\n",
			"data: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":" + response("completed", item, store, previous) + "}\n\n",
		}
	}
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(true, func(yield func(inbound.Piece, error) bool) {
			for i, f := range stream("false", "null") {
				if i == 6 {
					if len(w.shelf.of("t1")) != 0 {
						t.Error("it was kept before its end")
					}
				}
				raw := []byte(f)
				if !yield(inbound.Piece{Raw: raw, Comment: i == 1}, nil) {
					return
				}
				clear(raw) // a frame is valid until the next is asked for
			}
			if _, kept := w.shelf.of("t1")["resp_v"]; !kept {
				t.Error("it was not kept when its end was sent")
			}
		}), nil
	}
	got := w.raw("POST " + responsesPath + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + aiKey + "\r\nContent-Type: application/json\r\nContent-Length: 76\r\n\r\n" +
		`{"model":"auto","input":"hi","stream":true,"previous_response_id":"resp_1" }`)
	_, body, _ := strings.Cut(got, "\r\n\r\n")
	for _, frame := range stream("true", `"resp_1"`) {
		if !strings.Contains(body, frame) {
			t.Errorf("no %q in %q", frame, body)
		}
	}
	kept := w.shelf.of("t1")["resp_v"]
	if string(kept.Body) != response("completed", item, "true", `"resp_1"`) || string(kept.Output) != "["+item+"]" {
		t.Errorf("kept %s with %s", kept.Body, kept.Output)
	}
}

func TestAResponseStreamThatBreaksSaysSo(t *testing.T) {
	broken := fault.New(fault.Upstream, "provider_error", "no provider could answer")
	const failure = `"message":"no provider could answer","code":"provider_error","param":null,"error":{"message":"no provider could answer","type":"server_error","code":"provider_error","param":null}}` + "\n\n"
	tests := map[string]struct {
		relayed bool
		pieces  []inbound.Piece
		want    string
	}{
		"a relayed one":  {true, frames(respFrame("response.output_text.delta", `{"type":"x"}`), respFrame("response.output_text.delta", `{"type":"x"}`)), `{"type":"error","sequence_number":2,` + failure},
		"a rendered one": {false, chunks("x"), `{"type":"error","sequence_number":5,` + failure + "event: response.failed\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
				return streamFrom(tc.relayed, func(yield func(inbound.Piece, error) bool) {
					for _, p := range tc.pieces {
						if !yield(p, nil) {
							return
						}
					}
					yield(inbound.Piece{}, errors.Join(broken))
				}), nil
			}
			a := w.post(responsesPath, respBody(`,"stream":true`), aiKey)
			if !strings.Contains(string(a.body), "event: error\ndata: "+tc.want) || len(w.shelf.of("t1")) != 0 {
				t.Errorf("got %s", a)
			}
			if !tc.relayed && !strings.Contains(string(a.body), `"status":"failed","background":false,"completed_at":null,"error":{"code":"provider_error","message":"no provider could answer"}`) {
				t.Errorf("got %s", a)
			}
		})
	}
}
