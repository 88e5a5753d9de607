package gemini_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/gemini"
	"github.com/forge1/forge1/domain/chat"
)

// heard is a stream taken together.
type heard struct {
	Text     string
	Tools    []chat.ToolCall
	Finish   chat.Finish
	Usage    *chat.Usage
	Class    chat.Class // of the error, returned or yielded
	Returned bool       // the error came before anything else
}

// hear plays a stream's body and takes together what is said. It fails the test when the stream breaks a rule that holds for every body.
func hear(t *testing.T, body io.Reader) heard {
	t.Helper()
	w := wire(func(*http.Request) *http.Response { return answer("text/event-stream", body) })
	s, err := provider(w).Stream(t.Context(), target, talk(user("Hi")))
	if err != nil {
		return heard{Class: chat.ClassOf(err), Returned: true}
	}
	var h heard
	finishes := 0
	for c, err := range s {
		if h.Class != "" {
			t.Fatalf("something follows an error: %+v, %v", c, err)
		}
		if err != nil {
			if _, typed := errors.AsType[*chat.Failure](err); !typed {
				t.Errorf("got the error %v, want a *chat.Failure", err)
			}
			h.Class = chat.ClassOf(err)
			continue
		}
		h.Text += c.Text
		if d := c.Tool; d != nil {
			if d.Index != len(h.Tools) || d.ID == "" || !json.Valid([]byte(d.Arguments)) {
				t.Fatalf("got %+v after %d calls, want a whole call with an id", d, len(h.Tools))
			}
			h.Tools = append(h.Tools, chat.ToolCall{ID: d.ID, Name: d.Name, Arguments: d.Arguments})
		}
		if c.Finish != "" {
			h.Finish, finishes = c.Finish, finishes+1
		}
		if c.Usage != nil {
			h.Usage = c.Usage
		}
	}
	if ended := h.Class == ""; ended != (finishes == 1) {
		t.Errorf("got %d finishes and the class %q, want one finish or a failure", finishes, h.Class)
	}
	return h
}

func event(data string) string { return "data: " + data + "\r\n\r\n" }

// said is an event with a candidate; more goes into the candidate, as fields after the content.
func said(parts, more string) string {
	return event(`{"candidates":[{"content":{"parts":[` + parts + `],"role":"model"}` + more + `}],"responseId":"r1","modelVersion":"m"}`)
}

func counted(fields string) string {
	return event(`{"usageMetadata":{` + fields + `},"responseId":"r1"}`)
}

const stop = `,"finishReason":"STOP"`

func TestTrapsOfTheStream(t *testing.T) {
	t.Parallel()
	call := func(fields string) string { return said(`{"functionCall":{`+fields+`}}`, "") }
	tests := map[string]struct {
		body string
		want heard
	}{
		"usage is cumulative: the last counts, thoughts and tool prompts come on top": {
			counted(`"promptTokenCount":5`) + counted(`"promptTokenCount":5,"toolUsePromptTokenCount":3,"cachedContentTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":9`) + said(`{"text":"x"}`, stop),
			heard{Text: "x", Finish: chat.FinishStop, Usage: &chat.Usage{Input: 8, Output: 11, CacheRead: 4, Reasoning: 9}},
		},
		"audio and images are told apart": {
			counted(`"promptTokenCount":20,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8},{"modality":"AUDIO","tokenCount":12}],`+
				`"toolUsePromptTokenCount":3,"toolUsePromptTokensDetails":[{"modality":"AUDIO","tokenCount":1}],"cachedContentTokenCount":6,`+
				`"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":5}],"candidatesTokenCount":9,`+
				`"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4},{"modality":"AUDIO","tokenCount":2}]`) + said(`{"text":"x"}`, stop),
			heard{Text: "x", Finish: chat.FinishStop, Usage: &chat.Usage{
				Input: 23, Output: 9, CacheRead: 6, AudioInput: 13, AudioCacheRead: 5, AudioOutput: 2, ImageOutput: 4,
			}},
		},
		"usage without numbers is none":        {event(`{"usageMetadata":{"trafficType":"ON_DEMAND"},"responseId":"r1"}`) + said("", stop), heard{Finish: chat.FinishStop}},
		"thoughts are no text":                 {said(`{"text":"hm","thought":true},{"text":"x"}`, stop), heard{Text: "x", Finish: chat.FinishStop}},
		"a finish goes on when code is run":    {said(`{"executableCode":{"code":"1"}}`, stop) + said(`{"codeExecutionResult":{"output":"1"}}`, "") + said(`{"text":"x"}`, stop), heard{Text: "x", Finish: chat.FinishStop}},
		"a cut while code is run":              {said(`{"text":"x"}`, "") + said(`{"executableCode":{"code":"1"}}`, stop), heard{Text: "x", Class: chat.ClassCutOff}},
		"usage after the finish undoes it not": {said(`{"text":"x"}`, stop) + counted(`"promptTokenCount":5`), heard{Text: "x", Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5}}},
		"other candidates are not ours":        {said(`{"text":"y"}`, stop+`,"index":1`) + said(`{"text":"x"}`, stop), heard{Text: "x", Finish: chat.FinishStop}},
		"[DONE], which is not this vendor's":   {said(`{"text":"x"}`, stop) + event("[DONE]"), heard{Text: "x", Finish: chat.FinishStop}},
		"no blank line after the last event":   {strings.TrimRight(said(`{"text":"x"}`, stop), "\r\n"), heard{Text: "x", Finish: chat.FinishStop}},
		"arguments in pieces, joined": {
			call(`"name":"f","willContinue":true`) + call(`"partialArgs":[{"jsonPath":"$.a[0]['b c']","stringValue":"x","willContinue":true}],"willContinue":true`) +
				call(`"partialArgs":[{"jsonPath":"$.a[0]['b c']","stringValue":"y"},{"jsonPath":"$.n","numberValue":1.50},{"jsonPath":"$.z","nullValue":"NULL_VALUE"}]`) + said("", stop),
			heard{Finish: chat.FinishToolCalls, Tools: []chat.ToolCall{{ID: "call_614d6bff8b863282aa91a4a4", Name: "f", Arguments: `{"a":[{"b c":"xy"}],"n":1.50,"z":null}`}}},
		},
		"a call in pieces that the finish ends": {
			call(`"name":"f","id":"1","willContinue":true`) + said("", stop),
			heard{Finish: chat.FinishToolCalls, Tools: []chat.ToolCall{{ID: "1", Name: "f", Arguments: `{}`}}},
		},
		"a piece of a call that never began":  {said(`{"text":"x"}`, "") + call(`"partialArgs":[{"jsonPath":"$.a","boolValue":true}]`), heard{Text: "x", Class: chat.ClassBadResponse}},
		"a piece that fits nowhere":           {said(`{"text":"x"}`, "") + call(`"name":"f","partialArgs":[{"jsonPath":"$.a[999999]","boolValue":true}]`), heard{Text: "x", Class: chat.ClassBadResponse}},
		"a call that the model botched":       {said(`{"text":"x"}`, "") + said("", `,"finishReason":"MALFORMED_FUNCTION_CALL"`), heard{Text: "x", Class: chat.ClassBadResponse}},
		"a reason that is yet to be invented": {said(`{"text":"x"}`, `,"finishReason":"NOVELTY"`), heard{Text: "x", Finish: chat.FinishContentFilter}},
		"a blocked prompt":                    {event(`{"promptFeedback":{"blockReason":"OTHER"}}`), heard{Finish: chat.FinishContentFilter}},
		"usage so far is told before a cut":   {said(`{"text":"x"}`, "") + counted(`"promptTokenCount":5`), heard{Text: "x", Class: chat.ClassCutOff, Usage: &chat.Usage{Input: 5}}},
		"an error before all":                 {event(`{"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}`), heard{Class: chat.ClassOverloaded, Returned: true}},
		"an event that is not JSON":           {said(`{"text":"x"}`, "") + event(`{"candidates":`), heard{Text: "x", Class: chat.ClassBadResponse}},
		"an event that is a list":             {event(`[` + okBody + `]`), heard{Class: chat.ClassBadResponse, Returned: true}},
		"a list that is not even a stream":    {`[` + okBody + `]`, heard{Class: chat.ClassBadResponse, Returned: true}},
		"nothing":                             {"", heard{Class: chat.ClassBadResponse, Returned: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, hear(t, strings.NewReader(test.body))); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWholeAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]chat.Class{
		`{}`:                   chat.ClassBadResponse,
		`[` + okBody + `]`:     chat.ClassBadResponse,
		`7`:                    chat.ClassBadResponse,
		okBody[:len(okBody)-1]: chat.ClassBadResponse,
		`{"candidates":[],"usageMetadata":{"promptTokenCount":5}}`:                                                          chat.ClassBadResponse,
		`{"candidates":[{"content":{"parts":[{"text":"half"}]}}]}`:                                                          chat.ClassBadResponse, // no reason to stop
		`{"candidates":[{"content":{},"finishReason":"UNEXPECTED_TOOL_CALL"}]}`:                                             chat.ClassBadResponse,
		`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}`:                                                chat.ClassRateLimited,
		`{"error":{"code":400,"status":"FAILED_PRECONDITION","message":"User location is not supported for the API use."}}`: chat.ClassAuth,
		`{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Renew it.","details":[{"reason":"API_KEY_EXPIRED"}]}}`: chat.ClassAuth,
		`{"error":{"code":400,"status":"FAILED_PRECONDITION","message":"The file is not active."}}`:                         chat.ClassInvalid,
	} {
		w := wire(func(*http.Request) *http.Response { return answer("application/json", strings.NewReader(body)) })
		if r, err := provider(w).Complete(t.Context(), target, talk(user("Hi"))); chat.ClassOf(err) != want {
			t.Errorf("got %+v, %v, want class %q for %s", r, err, want, body)
		}
	}
}

func TestCallsWithoutIDsGetDifferentOnes(t *testing.T) {
	t.Parallel()
	ask := func(response string) []chat.ToolCall {
		const call = `{"functionCall":{"name":"f","args":{"x":1}}}`
		body := `{"candidates":[{"content":{"parts":[` + call + `,` + call + `]},"finishReason":"STOP"}],"responseId":"` + response + `"}`
		w := wire(func(*http.Request) *http.Response { return answer("application/json", strings.NewReader(body)) })
		r, err := provider(w).Complete(t.Context(), target, talk(user("Hi")))
		if err != nil || r.Finish != chat.FinishToolCalls || len(r.ToolCalls) != 2 {
			t.Fatalf("got %+v, %v, want two calls", r, err)
		}
		return r.ToolCalls
	}
	ids := map[string]bool{}
	for _, c := range append(ask("r1"), ask("r2")...) {
		if ids[c.ID] || c.ID == "" || len(c.ID) > 40 {
			t.Errorf("got the id %q, want a short one of its own", c.ID)
		}
		ids[c.ID] = true
	}
	if diff := cmp.Diff(ask("r1"), ask("r1")); diff != "" {
		t.Errorf("one answer read twice (-first +second):\n%s", diff)
	}
}

// FuzzStream holds against any body what holds for all: no panic, one end, typed failures; and the way the bytes are cut changes nothing.
func FuzzStream(f *testing.F) {
	for _, body := range caseBodies(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := hear(t, strings.NewReader(string(body)))
		if diff := cmp.Diff(whole, hear(t, iotest.OneByteReader(strings.NewReader(string(body))))); diff != "" {
			t.Errorf("whole and byte by byte differ (-whole +bytes):\n%s", diff)
		}
	})
}

// caseBodies gives what the vendor answers in its own cases.
func caseBodies(t testing.TB) [][]byte {
	t.Helper()
	names, err := fs.Glob(gemini.Vendor.Cases, "testdata/*.http")
	if err != nil || len(names) == 0 {
		t.Fatalf("glob: %v, %d cases", err, len(names))
	}
	var bodies [][]byte
	for _, name := range names {
		raw, err := fs.ReadFile(gemini.Vendor.Cases, name)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		_, response, _ := strings.Cut(string(raw), "\n###\n")
		_, body, _ := strings.Cut(response, "\n\n")
		bodies = append(bodies, []byte(body))
	}
	return bodies
}
