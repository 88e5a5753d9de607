package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/fixtures"
)

// Recording is a real exchange of a vendor, read in place.
type Recording struct {
	ID       string   `json:"id"`
	Vendor   string   `json:"vendor"`
	API      string   `json:"api"` // chat, responses, embeddings, models, messages, generate, stream, embed
	Model    string   `json:"model"`
	Stream   bool     `json:"stream"`
	Status   int      `json:"status"`
	Finish   []string `json:"finish"`
	Tags     []string `json:"tags"`
	Fidelity string   `json:"fidelity"` // verbatim: the bytes are the vendor's
	exchange
}

// Tagged reports whether the recording shows what the tag names.
func (r *Recording) Tagged(tag string) bool { return slices.Contains(r.Tags, tag) }

// Header gives the head of the answer.
func (r *Recording) Header() http.Header { return r.header }

// Body gives the bytes of the answer.
func (r *Recording) Body() []byte { return r.body }

// Request gives the body that the client sent, nil when it is not known.
func (r *Recording) Request() []byte { return r.request }

// Recordings reads the recordings of vendor/api, of all for "". A public clone has none; see package fixtures.
func Recordings(t *testing.T, api string) []Recording {
	t.Helper()
	dir, there := fixtures.Dir(t, fixtures.Wire)
	if !there {
		return nil
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []Recording
	for line := range bytes.Lines(index) {
		var r Recording
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("read index.jsonl: %v", err)
		}
		if api == "" || r.Vendor+"/"+r.API == api {
			r.exchange = readExchange(t, filepath.Join(dir, r.ID), r)
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		t.Fatalf("there is no recording of %s", api)
	}
	t.Logf("%d recordings of %s", len(out), api)
	return out
}

func readExchange(t *testing.T, dir string, r Recording) exchange {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "response.json"))
	if err != nil {
		t.Fatal(err)
	}
	var head struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body_file"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		t.Fatalf("%s: %v", r.ID, err)
	}
	body, err := os.ReadFile(filepath.Join(dir, head.Body))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range head.Headers {
		if !strings.EqualFold(name, "transfer-encoding") && !strings.EqualFold(name, "connection") {
			h.Set(name, value)
		}
	}
	x := exchange{status: head.Status, header: h, body: body, streamed: r.Stream}
	if raw, err := os.ReadFile(filepath.Join(dir, "request.json")); err == nil {
		var request struct {
			Body json.RawMessage `json:"body"`
		}
		if json.Unmarshal(raw, &request) == nil {
			x.request = request.Body
		}
	}
	return x
}

// playRecordings plays real answers. What is expected of them is read off the recordings by a reader of the suite's own.
func (s *providerSuite) playRecordings(t *testing.T, api string) {
	for _, r := range Recordings(t, api) {
		t.Run(r.ID, func(t *testing.T) {
			s.playInEveryWay(t, r.exchange, func(t *testing.T, got outcome) {
				r.check(t, got)
				r.checkTruth(t, got)
			})
		})
	}
}

// classes are what an error status may mean.
var classes = map[int][]chat.Class{
	400: {chat.ClassInvalid, chat.ClassTooLong, chat.ClassAuth, chat.ClassNoModel},
	401: {chat.ClassAuth}, 402: {chat.ClassAuth}, 403: {chat.ClassAuth}, 404: {chat.ClassNoModel}, 413: {chat.ClassTooLarge, chat.ClassTooLong},
	429: {chat.ClassRateLimited, chat.ClassQuota, chat.ClassTooLong}, 500: {chat.ClassServer}, 503: {chat.ClassOverloaded}, 529: {chat.ClassOverloaded},
}

func (r Recording) check(t *testing.T, got outcome) {
	t.Helper()
	switch {
	case r.status != http.StatusOK:
		if !slices.Contains(classes[r.status], got.Class) {
			t.Errorf("got the class %q for status %d, want one of %v", got.Class, r.status, classes[r.status])
		}
	case r.Tagged("truncated"):
		if got.Class != chat.ClassCutOff && !r.Tagged("error_midstream") || got.Class == "" {
			t.Errorf("got the class %q of a truncated stream, want cut_off", got.Class)
		}
	case r.Tagged("error_midstream"), r.Tagged("error_in_200"):
		if got.Class == "" {
			t.Errorf("an error within a 200 was taken for an answer: %+v", got)
		}
	case r.API == "stream" && bytes.HasPrefix(bytes.TrimSpace(r.body), []byte("[")):
		if got.Class != chat.ClassBadResponse { // Gemini's list of chunks, which comes only when alt=sse is not asked for
			t.Errorf("got the class %q of a body where a stream was asked for, want bad_response", got.Class)
		}
	default:
		r.checkAnswer(t, got)
	}
}

func (r Recording) checkAnswer(t *testing.T, got outcome) {
	t.Helper()
	if got.Class != "" {
		t.Fatalf("got the failure %s of a good answer", got.Class)
	}
	in, out, ok := r.Usage()
	switch {
	case !ok && got.Usage != nil:
		t.Errorf("got the usage %+v, want none", *got.Usage)
	case ok && got.Usage == nil:
		t.Errorf("got no usage, want %d and %d", in, out)
	case ok && (got.Usage.Input != in || got.Usage.Output != out):
		t.Errorf("got %d input and %d output tokens, want %d and %d", got.Usage.Input, got.Usage.Output, in, out)
	}
	if len(r.Finish) == 1 {
		if want := finishes[r.Finish[0]]; len(got.Tools) == 0 && want != "" && got.Finish != want {
			t.Errorf("got the finish %s of %s, want %s", got.Finish, r.Finish[0], want)
		}
	}
	if len(got.Tools) > 0 && got.Finish != chat.FinishToolCalls && got.Finish != chat.FinishLength {
		t.Errorf("got the finish %s of an answer with tool calls", got.Finish)
	}
	if r.Tagged("tool_call") && !r.Tagged("custom_tool") && len(got.Tools) == 0 { // calls of other tools are their dialect's own
		t.Error("the tool calls are lost")
	}
	if r.Tagged("text") && got.Text == "" && got.Refusal == "" && !r.Tagged("tool_call") && got.Finish == chat.FinishStop && out > 1 {
		t.Error("the text is lost")
	}
}

// finishes are the vendors' own words.
var finishes = map[string]chat.Finish{
	"stop": chat.FinishStop, "end_turn": chat.FinishStop, "stop_sequence": chat.FinishStop, "STOP": chat.FinishStop,
	"length": chat.FinishLength, "max_tokens": chat.FinishLength, "MAX_TOKENS": chat.FinishLength,
	"content_filter": chat.FinishContentFilter, "SAFETY": chat.FinishContentFilter, "refusal": chat.FinishContentFilter,
}

// Usage gives the tokens of input and output as Forge counts them, false when the recording tells none.
func (r *Recording) Usage() (input, output int, ok bool) { return usageIn(r.Vendor, r.body) }

// usageIn finds the last usage that a body tells, whichever way it is framed, and counts input and output as Forge does.
func usageIn(vendor string, body []byte) (input, output int, ok bool) {
	all := map[string]float64{}
	for _, part := range jsonParts(body) {
		for _, path := range [][]string{{"usage"}, {"message", "usage"}, {"response", "usage"}, {"usageMetadata"}} {
			u, found := dig(part, path...)
			if !found {
				continue
			}
			for name, v := range u {
				if n, isNumber := v.(float64); isNumber {
					all[name], ok = n, true
				}
			}
		}
	}
	n := func(name string) int { return int(all[name]) }
	switch vendor {
	case "anthropic":
		return n("input_tokens") + n("cache_read_input_tokens") + n("cache_creation_input_tokens"), n("output_tokens"), ok
	case "gemini":
		return n("promptTokenCount") + n("toolUsePromptTokenCount"), n("candidatesTokenCount") + n("thoughtsTokenCount"), ok
	default:
		return n("prompt_tokens") + n("input_tokens"), n("completion_tokens") + n("output_tokens"), ok
	}
}

// jsonParts gives the body, the items of a list, or the data of its events.
func jsonParts(body []byte) []map[string]any {
	var whole map[string]any
	if json.Unmarshal(body, &whole) == nil {
		return []map[string]any{whole}
	}
	var out []map[string]any
	if json.Unmarshal(body, &out) == nil { // Gemini's list of chunks
		return out
	}
	for line := range bytes.Lines(body) {
		data, found := bytes.CutPrefix(line, []byte("data:"))
		var part map[string]any
		if found && json.Unmarshal(data, &part) == nil {
			out = append(out, part)
		}
		if kind := part["type"]; kind == "response.completed" || kind == "response.incomplete" {
			break // one recording holds the streams of several calls, one after the other
		}
	}
	return out
}

func dig(m map[string]any, path ...string) (map[string]any, bool) {
	for _, p := range path {
		inner, ok := m[p].(map[string]any)
		if !ok {
			return nil, false
		}
		m = inner
	}
	return m, true
}
