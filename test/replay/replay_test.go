package replay_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

// everywhere are the surfaces that recordings are played to.
var everywhere = append(asSurfaces(surfaces.All), surface{surfaces.Execute})

type surface struct{ surfaces.Surface }

func asSurfaces(all []surfaces.Surface) []surface {
	var out []surface
	for _, s := range all {
		out = append(out, surface{s})
	}
	return out
}

// TestRecordingsToEverySurface plays every recorded answer to every surface that can express it: text, tool calls, finish and usage are what the recording
// holds, failures follow the contract, and where the surface speaks the vendor's own dialect, the bytes are the vendor's.
func TestRecordingsToEverySurface(t *testing.T) {
	all := conformance.Recordings(t, "")
	f, v := newForge(t)
	played := map[string]bool{}
	for i := range all {
		rec := &all[i]
		if !slices.Contains([]string{"chat", "responses", "messages", "generate", "stream"}, rec.API) {
			continue
		}
		for _, s := range everywhere {
			if !s.expresses(rec) {
				continue
			}
			played[rec.ID] = true
			t.Run(rec.ID+" to "+s.Name, func(t *testing.T) {
				v.play(rec)
				play(t, f, v, rec, s)
			})
		}
	}
	for i := range all {
		if rec := &all[i]; !played[rec.ID] && rec.API != "embeddings" && rec.API != "embed" && rec.API != "models" {
			t.Errorf("%s was played to no surface", rec.ID)
		}
	}
	t.Logf("%d recordings were played", len(played))
}

// expresses reports whether a recording can come to the surface. The Responses API is asked for nobody else's answers than those of a surface that needs it:
// its own, and messages with thinking and tools.
func (s surface) expresses(rec *conformance.Recording) bool {
	if rec.API == "responses" {
		return rec.Vendor == "openai" && (s.Name == "responses" || s.Name == "messages") || s.Name == "responses"
	}
	return true
}

// relayed reports whether the recording's bytes are the surface's.
func (s surface) relayed(rec *conformance.Recording) bool { return s.Dialect == rec.API }

func play(t *testing.T, f *harness.Forge, v *vendor, rec *conformance.Recording, s surface) {
	provider, model := providers[rec.Vendor], rec.ID
	switch {
	case rec.API == "responses":
		provider = "openai" // whose API it is, wherever it was recorded
		if s.Name == "messages" {
			model = "gpt-5-" + model // of one that thinks, of which the rest of its turn is asked for by that API
		}
	case provider == "openai" && s.Name == "responses":
		provider = "compatible" // a server that has no API of that name
	}
	streamed := rec.Stream || rec.API == "stream" // a list of chunks was recorded where no events were asked for
	body := s.Body(surfaces.Ask{Model: provider + "/" + model, Stream: streamed, Text: surfaces.Prompt, Max: 1024})
	if rec.API == "responses" && s.Name == "messages" {
		body["thinking"] = map[string]any{"type": "enabled", "budget_tokens": 1024}
		body["max_tokens"] = 4096
		body["tools"] = []any{map[string]any{"name": "get_weather", "input_schema": surfaces.Weather}}
	}
	if s.relayed(rec) {
		body = ownRequest(t, rec, body)
	}
	a := f.Do(t, http.MethodPost, s.Path, body, "Content-Type", "application/json")
	if paths := v.paths(); len(paths) != 1 || !strings.HasSuffix(paths[0], lastWord(rec)) {
		t.Fatalf("the vendor was asked for %q, want one call of %s; the answer is %d %s", paths, lastWord(rec), a.Status, a.Body)
	}
	if rec.Status != http.StatusOK {
		failed(t, rec, a)
		return
	}
	if a.Status != http.StatusOK {
		if !broken(rec) {
			t.Fatalf("got %d: %s", a.Status, a.Body)
		}
		return
	}
	got := s.Read(t, a.Body)
	if broken(rec) {
		brokeOff(t, rec, s, got)
		return
	}
	answered(t, rec, s, got)
	if s.relayed(rec) {
		sameBytes(t, rec, s, a.Body)
	}
}

// ownRequest is the request that was recorded, as far as it is known, for the model that is asked for.
func ownRequest(t *testing.T, rec *conformance.Recording, otherwise map[string]any) map[string]any {
	t.Helper()
	var own map[string]any
	if json.Unmarshal(rec.Request(), &own) != nil || len(own) == 0 || rec.Status != http.StatusOK {
		return otherwise
	}
	for _, name := range []string{"previous_response_id", "background", "conversation"} {
		if own[name] != nil {
			return otherwise // what went before is not here
		}
	}
	own["model"] = otherwise["model"]
	if rec.Stream {
		own["stream"] = true
		if o, ok := otherwise["stream_options"]; ok {
			own["stream_options"] = o
		}
	}
	return own
}

func lastWord(rec *conformance.Recording) string {
	return map[string]string{
		"chat": "/chat/completions", "responses": "/responses", "messages": "/v1/messages", "generate": ":generateContent", "stream": ":streamGenerateContent",
	}[rec.API]
}

// broken reports whether a recording with status 200 is no good answer.
func broken(rec *conformance.Recording) bool {
	return rec.Tagged("truncated") || rec.Tagged("error_midstream") || rec.Tagged("error_in_200")
}

// failed wants the status that the contract gives a vendor's failure.
func failed(t *testing.T, rec *conformance.Recording, a harness.Answer) {
	t.Helper()
	want := map[int][]int{
		400: {400, 404, 502}, // 404: an unknown model, which the Responses API calls a 400; 502: a bad key, which Gemini does
		401: {502}, 402: {502, 429}, 403: {502}, 404: {404}, 413: {413}, 429: {429, 400}, 500: {502}, 503: {502}, 529: {502},
	}[rec.Status]
	if !slices.Contains(want, a.Status) {
		t.Errorf("the vendor answered %d and the client got %d, want one of %v: %s", rec.Status, a.Status, want, a.Body)
	}
	if a.Status == http.StatusBadRequest && bytes.Contains(rec.Body(), a.Body) {
		t.Error("the vendor's body was passed on raw")
	}
}

// brokeOff wants what came before the break, and an error.
func brokeOff(t *testing.T, rec *conformance.Recording, s surface, got surfaces.Reading) {
	t.Helper()
	truth := rec.Truth()
	if got.Error == "" {
		t.Errorf("the stream broke, and the client was not told: %+v", got)
	}
	if s.Name != "execute" && got.Text != truth.Text {
		t.Errorf("before the break came %q, want %q", got.Text, truth.Text)
	}
}

func answered(t *testing.T, rec *conformance.Recording, s surface, got surfaces.Reading) {
	t.Helper()
	truth := rec.Truth()
	if got.Error != "" || !got.Ended {
		t.Errorf("got the error %q, the end: %t", got.Error, got.Ended)
	}
	declined := rec.Tagged("refusal") || rec.Tagged("block_reason") // what was said instead may stand as text where the surface has no other place
	if got.Text != truth.Text && !(declined && got.Refusal == "") {
		t.Errorf("got the text %q, want %q", got.Text, truth.Text)
	}
	truth.CheckCalls(t, got.Calls)
	in, out, counted := rec.Usage()
	if counted && (got.Input != in || got.Output != out) {
		t.Errorf("got %d input and %d output tokens, want %d and %d", got.Input, got.Output, in, out)
	}
	if want := finishOf(rec, len(truth.Calls) > 0); want != "" && !slices.Contains(words[s.Name][want], got.Finish) && !s.relayed(rec) && !declined {
		t.Errorf("got the finish %s, want one of %v", got.Finish, words[s.Name][want])
	}
	var ids []string
	for _, c := range got.Calls {
		if c.ID == "" || slices.Contains(ids, c.ID) {
			t.Errorf("the call %+v has no id of its own", c)
		}
		ids = append(ids, c.ID)
	}
}

// finishOf is how the recorded answer ended; "" when its own word says too little.
func finishOf(rec *conformance.Recording, called bool) chat.Finish {
	if len(rec.Finish) == 0 {
		return ""
	}
	switch word := rec.Finish[0]; word {
	case "length", "max_tokens", "MAX_TOKENS":
		return chat.FinishLength
	case "content_filter", "SAFETY", "refusal":
		return chat.FinishContentFilter
	case "pause_turn":
		return chat.FinishPause
	case "stop", "end_turn", "stop_sequence", "STOP", "tool_calls", "tool_use":
		if called {
			return chat.FinishToolCalls
		}
		if strings.HasPrefix(word, "tool_") {
			return ""
		}
		return chat.FinishStop
	}
	return ""
}

// words are the surfaces' own for how an answer ends.
var words = map[string]map[chat.Finish][]string{
	"chat": {
		chat.FinishStop: {"stop"}, chat.FinishLength: {"length"}, chat.FinishToolCalls: {"tool_calls"},
		chat.FinishContentFilter: {"content_filter", "stop"}, chat.FinishPause: {"length"},
	},
	"execute": {
		chat.FinishStop: {"stop"}, chat.FinishLength: {"length"}, chat.FinishToolCalls: {"tool_calls"},
		chat.FinishContentFilter: {"content_filter"}, chat.FinishPause: {"length"},
	},
	"messages": {
		chat.FinishStop: {"end_turn", "stop_sequence"}, chat.FinishLength: {"max_tokens"}, chat.FinishToolCalls: {"tool_use"},
		chat.FinishContentFilter: {"refusal"}, chat.FinishPause: {"pause_turn"},
	},
	"responses": {
		chat.FinishStop: {"completed:"}, chat.FinishLength: {"incomplete:max_output_tokens"}, chat.FinishToolCalls: {"completed:"},
		chat.FinishContentFilter: {"incomplete:content_filter", "completed:"}, chat.FinishPause: {"incomplete:max_output_tokens"},
	},
}

// sameBytes wants the vendor's bytes, outside what the surface must change.
func sameBytes(t *testing.T, rec *conformance.Recording, s surface, got []byte) {
	t.Helper()
	want := rec.Body()
	if rec.Fidelity != "verbatim" {
		return
	}
	if s.Dialect == "responses" {
		got, want = withoutState(got), withoutState(want)
	}
	if !bytes.Equal(got, want) {
		i := 0
		for i < len(got) && i < len(want) && got[i] == want[i] {
			i++
		}
		t.Errorf("the bytes differ from byte %d of %d: got %q, want %q", i, len(want), around(got, i), around(want, i))
	}
}

func around(b []byte, i int) []byte { return b[max(0, i-60):min(len(b), i+60)] }
