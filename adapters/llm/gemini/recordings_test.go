package gemini_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

// truth is what a reader of the test's own finds in a candidate.
type truth struct {
	text, thoughts       string
	calls                []string
	signatures, unknowns int
	citations            int
}

// readTruth reads the candidates of all events, by index.
func readTruth(events []map[string]any) []*truth {
	var out []*truth
	for _, e := range events {
		for _, c := range objects(e["candidates"]) {
			index, _ := c["index"].(float64)
			for len(out) <= int(index) {
				out = append(out, &truth{})
			}
			u := out[int(index)]
			content, _ := c["content"].(map[string]any)
			for _, p := range objects(content["parts"]) {
				u.part(p)
			}
			if g, ok := c["groundingMetadata"].(map[string]any); ok {
				u.citations = 0
				for _, s := range objects(g["groundingSupports"]) {
					u.citations += len(s["groundingChunkIndices"].([]any))
				}
			}
		}
	}
	return out
}

func (u *truth) part(p map[string]any) {
	known := false
	if s, ok := p["text"].(string); ok {
		known = true
		if p["thought"] == true {
			u.thoughts += s
		} else {
			u.text += s
		}
	}
	if f, ok := p["functionCall"].(map[string]any); ok {
		known = true
		if name, ok := f["name"].(string); ok {
			u.calls = append(u.calls, name)
		}
	}
	if !known {
		u.unknowns++
	} else if p["thoughtSignature"] != nil {
		u.signatures++
	}
}

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

// eventsOf takes a body apart: a whole answer, a list of chunks, or events.
func eventsOf(body string) []map[string]any {
	var one map[string]any
	if json.Unmarshal([]byte(body), &one) == nil {
		return []map[string]any{one}
	}
	var all []map[string]any
	if json.Unmarshal([]byte(body), &all) == nil {
		return all
	}
	for line := range strings.Lines(body) {
		data, found := strings.CutPrefix(line, "data:")
		var e map[string]any
		if found && json.Unmarshal([]byte(data), &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

// truthOf views a choice the same way.
func truthOf(c *chat.Choice) *truth {
	u := &truth{text: c.Text(), thoughts: c.Thinking()}
	for i := range c.Parts {
		p := &c.Parts[i]
		switch p.Kind {
		case chat.PartToolCall:
			u.calls = append(u.calls, p.Call.Name)
		case chat.PartForeign:
			u.unknowns++
		}
		if p.Signature != nil {
			u.signatures++
		}
		u.citations += len(p.Citations)
	}
	return u
}

// usageOf reads the last usage that counts.
func usageOf(events []map[string]any) *chat.Usage {
	var out *chat.Usage
	for _, e := range events {
		m, _ := e["usageMetadata"].(map[string]any)
		n := func(name string) int { f, _ := m[name+"TokenCount"].(float64); return int(f) }
		u := chat.Usage{
			Input: n("prompt") + n("toolUsePrompt"), Output: n("candidates") + n("thoughts"), Reasoning: n("thoughts"), CacheRead: n("cachedContent"),
		}
		if !u.Zero() {
			out = &u
		}
	}
	return out
}

// check compares what was made of a recording with what is in it.
func check(t *testing.T, r conformance.Recording, choices []chat.Choice, usage *chat.Usage) {
	t.Helper()
	events := eventsOf(string(r.Body()))
	want := readTruth(events)
	if len(want) == 0 {
		want = []*truth{{}} // a blocked prompt
	}
	var got []*truth
	for i := range choices {
		got = append(got, truthOf(&choices[i]))
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(truth{})); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(usageOf(events), usage); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	finish := map[string]chat.Finish{"STOP": chat.FinishStop, "MAX_TOKENS": chat.FinishLength, "SAFETY": chat.FinishContentFilter}
	for i := range choices {
		c := &choices[i]
		switch {
		case len(c.Calls()) > 0 && c.Finish != chat.FinishToolCalls:
			t.Errorf("choice %d with calls finished as %q", i, c.Finish)
		case len(c.Calls()) == 0 && len(r.Finish) == 1 && c.Finish != finish[r.Finish[0]]:
			t.Errorf("choice %d finished as %q, want %q", i, c.Finish, finish[r.Finish[0]])
		}
	}
}

func TestRecordedAnswersAreReadWhole(t *testing.T) {
	t.Parallel()
	for _, r := range conformance.Recordings(t, "gemini/generate") {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			w := answers(r.Header().Get("Content-Type"), string(r.Body()))
			if r.Status != 200 {
				w = failingWith(r.Status, string(r.Body()))
			}
			got, err := provider(w).Complete(t.Context(), target, talk(user("Hi")))
			if r.Status != 200 {
				checkFailure(t, r, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, got.Choices, got.Usage)
			var compact bytes.Buffer
			if err := json.Compact(&compact, r.Body()); err != nil {
				t.Fatal(err)
			}
			_, streamed := hear(t, "text/event-stream", strings.NewReader(event(compact.String())))
			if diff := cmp.Diff(got, streamed); diff != "" {
				t.Errorf("the same as a stream of one event (-whole +streamed):\n%s", diff)
			}
		})
	}
}

// failureClasses are what a recorded status is about.
var failureClasses = map[int]chat.Class{400: chat.ClassAuth, 403: chat.ClassAuth, 404: chat.ClassNoModel, 429: chat.ClassQuota, 503: chat.ClassOverloaded}

func checkFailure(t *testing.T, r conformance.Recording, err error) {
	t.Helper()
	if got, want := chat.ClassOf(err), failureClasses[r.Status]; got != want || want == "" {
		t.Errorf("got %v, want the class %q", err, want)
	}
}

func TestRecordedStreamsAreReadHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	for _, r := range conformance.Recordings(t, "gemini/stream") {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			if r.Status != 200 {
				_, err := provider(failingWith(r.Status, string(r.Body()))).Stream(t.Context(), target, talk(user("Hi")))
				checkFailure(t, r, err)
				return
			}
			got := inEveryCut(t, r.Header().Get("Content-Type"), string(r.Body()))
			if r.Tagged("truncated") {
				if got.Class != chat.ClassCutOff {
					t.Errorf("got the class %q of a stream that was cut", got.Class)
				}
				return
			}
			if got.Class != "" {
				t.Fatalf("got the class %q of a good stream", got.Class)
			}
			check(t, r, got.Choices, got.Usage)
		})
	}
}

// inEveryCut hears a body whole, byte by byte, and cut at random places, within code points and between CR and LF among them.
func inEveryCut(t *testing.T, contentType, body string) heard {
	t.Helper()
	whole, _ := hear(t, contentType, strings.NewReader(body))
	cuts := map[string]*cutReader{"byte by byte": nil}
	for seed := range 4 {
		cuts[string(rune('a'+seed))] = &cutReader{rest: body, random: rand.New(rand.NewPCG(uint64(seed), 1))}
	}
	for name, cut := range cuts {
		r := iotest.OneByteReader(strings.NewReader(body))
		if cut != nil {
			r = cut
		}
		other, _ := hear(t, contentType, r)
		if diff := cmp.Diff(whole, other); diff != "" {
			t.Errorf("%s changes what is heard (-whole +cut):\n%s", name, diff)
		}
	}
	return whole
}

// cutReader gives pieces of any length.
type cutReader struct {
	rest   string
	random *rand.Rand
}

// Read implements io.Reader.
func (c *cutReader) Read(p []byte) (int, error) {
	n := min(len(p), 1+c.random.IntN(200))
	for n > 1 && n < len(c.rest) && c.random.IntN(3) > 0 && c.rest[n]&0xC0 != 0x80 && c.rest[n] != '\n' {
		n-- // rather where something belongs together
	}
	r := strings.NewReader(c.rest)
	n, err := r.Read(p[:n])
	c.rest = c.rest[n:]
	return n, err
}
