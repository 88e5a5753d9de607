package events_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// tapped is the dialect of letters as it passes.
type tapped struct{ ended bool }

func (l *tapped) Event(_, data []byte) (outbound.Frame, bool, error) {
	switch string(data) {
	case `"."`:
		l.ended = true
		return outbound.Frame{Finish: chat.FinishStop}, false, nil
	case `"!"`:
		return outbound.Frame{Usage: &chat.Usage{Output: 7}}, false, chat.Fail(chat.ClassOverloaded, errors.New("overloaded"))
	case "[DONE]":
		return outbound.Frame{}, true, nil
	default:
		return outbound.Frame{Content: true}, false, nil
	}
}

func (l *tapped) Complete() bool { return l.ended }

func TestAPassingStreamKeepsItsPromises(t *testing.T) {
	t.Parallel()
	const comment, a, end, bad, done = ": hi\n\n", "data: \"a\"\r\n\r\n", "data: \".\"\n\n", "data: \"!\"\n\n", "data: [DONE]\n\n"
	tests := map[string]struct {
		body     string
		broken   error
		raw      string
		class    chat.Class
		returned bool // the failure came before anything else
		used     int
	}{
		"a whole answer":                  {body: comment + a + end + done + "data: more\n\n", raw: comment + a + end + done},
		"an end without the last word":    {body: a + end, raw: a + end},
		"an end before all was said":      {body: a, raw: a, class: chat.ClassCutOff},
		"a break after the end":           {body: a + end, broken: io.ErrUnexpectedEOF, raw: a + end},
		"a break":                         {body: a, broken: io.ErrUnexpectedEOF, raw: a, class: chat.ClassCutOff},
		"an end within an event":          {body: a + end + `data: "b`, raw: a + end, class: chat.ClassCutOff},
		"an end within the last word":     {body: a + end + "data: [DONE]", raw: a + end + "data: [DONE]"},
		"an empty event":                  {body: a + "data:\n\n" + end, raw: a + "data:\n\n" + end},
		"an error with usage":             {body: a + bad, raw: a, class: chat.ClassOverloaded, used: 7},
		"an error that is no event":       {body: a + "{}\n", raw: a, class: chat.ClassQuota},
		"an error before all":             {body: comment + bad, class: chat.ClassOverloaded, returned: true},
		"a body":                          {body: "{}", class: chat.ClassQuota, returned: true},
		"nothing":                         {class: chat.ClassBadResponse, returned: true},
		"nothing but comments":            {body: comment, class: chat.ClassBadResponse, returned: true},
		"nothing but the last word":       {body: done, class: chat.ClassBadResponse, returned: true},
		"more comments than anyone keeps": {body: strings.Repeat(": "+strings.Repeat("x", 1000)+"\n\n", 100) + bad, class: chat.ClassOverloaded, returned: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &body{Reader: strings.NewReader(test.body), broken: test.broken, closed: make(chan struct{})}
			frames, err := events.Passing{
				Response: &http.Response{StatusCode: http.StatusOK, Body: b}, Tap: &tapped{}, Dropped: []string{"seed"},
				Explain: func(body []byte) (llm.Refusal, bool) {
					return llm.Refusal{Class: chat.ClassQuota}, string(body) == "{}"
				},
			}.Frames(t.Context())
			if test.returned != (err != nil) {
				t.Fatalf("got the error %v returned, want one: %t", err, test.returned)
			}
			var raw strings.Builder
			used, dropped := 0, 0
			if err == nil {
				for f, failed := range frames {
					raw.Write(f.Raw)
					if err = failed; f.Usage != nil {
						used = f.Usage.Output
					}
					if f.Comment && len(f.Dropped) > 0 {
						t.Error("a comment says what was dropped")
					}
					dropped += len(f.Dropped)
				}
				if dropped != 1 {
					t.Errorf("what was dropped is said %d times", dropped)
				}
			}
			if got := chat.ClassOf(err); got != test.class || raw.String() != test.raw || used != test.used {
				t.Errorf("got %q (%v), %q and %d tokens, want %q, %q and %d", got, err, raw.String(), used, test.class, test.raw, test.used)
			}
			if !b.isClosed() {
				t.Error("the body was left open")
			}
		})
	}
}
