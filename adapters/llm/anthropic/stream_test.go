package anthropic_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

// heard is a stream taken together.
type heard struct {
	Text, Refusal string
	Tools         []chat.ToolCall
	Foreign       []string
	Finish        chat.Finish
	Usage         *chat.Usage
	Class         chat.Class // of the error, returned or yielded
	Returned      bool       // the error came before anything else
}

// hear plays a stream's body and takes together what is said. It fails the test when the stream breaks a rule that holds for every body.
func hear(t *testing.T, body io.Reader) heard {
	t.Helper()
	w := wire(func(r *http.Request) *http.Response { return answer("text/event-stream; charset=utf-8", body) })
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
		h.Text, h.Refusal = h.Text+c.Text, h.Refusal+c.Refusal
		if d := c.Tool; d != nil {
			if d.Index == len(h.Tools) {
				h.Tools = append(h.Tools, chat.ToolCall{ID: d.ID, Name: d.Name})
			}
			if d.Index < 0 || d.Index >= len(h.Tools) {
				t.Fatalf("a piece of call %d after %d calls", d.Index, len(h.Tools))
			}
			h.Tools[d.Index].Arguments += d.Arguments
		}
		if c.Part != nil && c.Part.Kind == chat.PartForeign {
			h.Foreign = append(h.Foreign, string(c.Part.Foreign.JSON))
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

const (
	opening = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\",\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n"
	closing = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

func event(data string) string { return "event: x\ndata: " + data + "\n\n" }

func TestTrapsOfTheStream(t *testing.T) {
	t.Parallel()
	toolStart := func(input string) string {
		return event(`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":` + input + `}}`)
	}
	stop := event(`{"type":"content_block_stop","index":0}`)
	end := func(reason, usage string) string {
		return event(`{"type":"message_delta","delta":{"stop_reason":"`+reason+`"},"usage":`+usage+`}`) + closing
	}
	tests := map[string]struct {
		body string
		want heard
	}{
		"the last count wins, and one that is left out stays": {
			opening + end("end_turn", `{"output_tokens":7,"cache_read_input_tokens":40,"cache_creation_input_tokens":2,"output_tokens_details":{"thinking_tokens":3}}`),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 47, Output: 7, CacheRead: 40, CacheWrite: 2, Reasoning: 3}},
		},
		"what is kept for an hour is told apart": {
			opening + end("end_turn", `{"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":7}}`),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 14, Output: 1, CacheWrite: 9, CacheWrite1h: 7}},
		},
		"what is kept is told by its parts alone": {
			opening + end("end_turn", `{"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":7}}`),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 14, Output: 1, CacheWrite: 9, CacheWrite1h: 7}},
		},
		"an input that stands in the start of a block counts when no pieces follow": {
			opening + toolStart(`{"a": 1}`) + stop + end("tool_use", `{"output_tokens":2}`),
			heard{Finish: chat.FinishToolCalls, Tools: []chat.ToolCall{{ID: "toolu_1", Name: "f", Arguments: `{"a":1}`}}, Usage: &chat.Usage{Input: 5, Output: 2}},
		},
		"text within the start of a block counts": {
			opening + event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hel"}}`) +
				event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}`) + stop + end("end_turn", `{"output_tokens":2}`),
			heard{Text: "Hello", Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5, Output: 2}},
		},
		"an unknown event is passed over, an unknown block kept": {
			opening + event(`{"type":"novelty"}`) + event(`{"type":"content_block_start","index":0,"content_block":{"type":"novelty","text":"x"}}`) +
				event(`{"type":"content_block_delta","index":0,"delta":{"type":"novelty_delta","text":"x"}}`) + stop + end("end_turn", `{}`),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5, Output: 1}, Foreign: []string{`{"type":"novelty","text":"xx"}`}},
		},
		"what follows the end is not read": {
			opening + end("end_turn", `{"output_tokens":2}`) + event(`{"type":"error","error":{"type":"api_error","message":"late"}}`),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5, Output: 2}},
		},
		"counts of the end are told before a cut": {
			opening + event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}`),
			heard{Class: chat.ClassCutOff, Usage: &chat.Usage{Input: 5, Output: 9}},
		},
		"no blank line after the last event": {
			opening + strings.TrimRight(end("end_turn", `{"output_tokens":2}`), "\n"),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5, Output: 2}},
		},
		"a stranger": {event(`{"news":[1]}`) + opening + end("end_turn", `{"output_tokens":2}`), heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5, Output: 2}}},
		"an error that does not say that it is one": {event(`{"error":{"type":"overloaded_error","message":"x"}}`), heard{Class: chat.ClassOverloaded, Returned: true}},
		"a pause":                {opening + end("pause_turn", `{"output_tokens":2}`), heard{Finish: chat.FinishPause, Usage: &chat.Usage{Input: 5, Output: 2}}},
		"a context that is full": {opening + end("model_context_window_exceeded", `{"output_tokens":2}`), heard{Finish: chat.FinishLength, Usage: &chat.Usage{Input: 5, Output: 2}}},
		"a refusal says why": {
			opening + event(`{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber","explanation":"No."}},"usage":{}}`) + closing,
			heard{Refusal: "No.", Finish: chat.FinishContentFilter, Usage: &chat.Usage{Input: 5, Output: 1}},
		},
		"a block begun twice":  {opening + toolStart(`{}`) + toolStart(`{}`), heard{Class: chat.ClassBadResponse, Tools: []chat.ToolCall{{ID: "toolu_1", Name: "f"}}}},
		"a block that is none": {opening + event(`{"type":"content_block_start","index":0,"content_block":7}`), heard{Class: chat.ClassBadResponse}},
		"pieces of a block that never began": {
			opening + event(`{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"x"}}`) + event(`{"type":"content_block_stop","index":3}`) + end("end_turn", `{"output_tokens":2}`),
			heard{Finish: chat.FinishStop, Usage: &chat.Usage{Input: 5, Output: 2}},
		},
		"an end within a call":        {opening + toolStart(`{}`) + end("tool_use", `{}`), heard{Class: chat.ClassBadResponse, Usage: &chat.Usage{Input: 5, Output: 1}, Tools: []chat.ToolCall{{ID: "toolu_1", Name: "f"}}}},
		"an end without a reason":     {opening + closing, heard{Class: chat.ClassBadResponse}},
		"an event that is not JSON":   {opening + event(`{"type":`), heard{Class: chat.ClassBadResponse}},
		"an error without an error":   {opening + event(`{"type":"error"}`), heard{Class: chat.ClassBadResponse}},
		"a rate limit in mid-stream":  {opening + event(`{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`), heard{Class: chat.ClassRateLimited}},
		"an unknown error":            {opening + event(`{"type":"error","error":{"type":"api_error","message":"x"}}`), heard{Class: chat.ClassServer}},
		"an error before all":         {event(`{"type":"error","error":{"type":"overloaded_error","message":"x"}}`), heard{Class: chat.ClassOverloaded, Returned: true}},
		"nothing":                     {"", heard{Class: chat.ClassBadResponse, Returned: true}},
		"nothing but pings":           {event(`{"type": "ping"}`), heard{Class: chat.ClassCutOff, Returned: true}},
		"something that is no stream": {"<html>\n\n<p>Sign in</p>\n\n", heard{Class: chat.ClassBadResponse, Returned: true}},
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

func TestAStreamAskedForButAnsweredWhole(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]chat.Class{
		okBody: chat.ClassBadResponse,
		`{"type":"error","error":{"type":"overloaded_error","message":"x"}}`: chat.ClassOverloaded,
	} {
		w := wire(func(*http.Request) *http.Response { return answer("application/json", strings.NewReader(body)) })
		if _, err := provider(w).Stream(t.Context(), target, talk(user("Hi"))); chat.ClassOf(err) != want {
			t.Errorf("got %v, want class %q for %s", err, want, body)
		}
	}
}

func TestAWholeAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]chat.Class{
		`{}`:                              chat.ClassBadResponse,
		`[]`:                              chat.ClassBadResponse,
		`"hello"`:                         chat.ClassBadResponse,
		okBody[:len(okBody)-1]:            chat.ClassBadResponse,
		`{"type":"message","content":[]}`: chat.ClassBadResponse, // no reason to stop
		`{"type":"message","stop_reason":"end_turn"}`:                        chat.ClassBadResponse, // no content
		`{"type":"error","error":{"type":"overloaded_error","message":"x"}}`: chat.ClassOverloaded,
	} {
		w := wire(func(*http.Request) *http.Response { return answer("application/json", strings.NewReader(body)) })
		if r, err := provider(w).Complete(t.Context(), target, talk(user("Hi"))); chat.ClassOf(err) != want {
			t.Errorf("got %+v, %v, want class %q for %s", r, err, want, body)
		}
	}
}

// FuzzStream holds against any body what holds for all: no panic, one end, typed failures; and the way the bytes are cut changes nothing.
func FuzzStream(f *testing.F) {
	for _, body := range conformance.Answers(f, anthropic.Vendor) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := hear(t, strings.NewReader(string(body)))
		if diff := cmp.Diff(whole, hear(t, iotest.OneByteReader(strings.NewReader(string(body))))); diff != "" {
			t.Errorf("whole and byte by byte differ (-whole +bytes):\n%s", diff)
		}
	})
}
