package gemini_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/gemini"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

// failingWith answers with a status and a body.
func failingWith(status int, body string) wire {
	return func(*http.Request) *http.Response {
		r := answer("application/json; charset=UTF-8", strings.NewReader(body))
		r.StatusCode = status
		return r
	}
}

func TestAWholeAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]chat.Class{
		`{}`:                   chat.ClassBadResponse,
		`[` + okBody + `]`:     chat.ClassBadResponse,
		`7`:                    chat.ClassBadResponse,
		`null`:                 chat.ClassBadResponse,
		okBody[:len(okBody)-1]: chat.ClassBadResponse,
		okBody + `x`:           chat.ClassBadResponse,
		`{"candidates":[],"usageMetadata":{"promptTokenCount":5}}`:                                                          chat.ClassBadResponse,
		`{"candidates":[{"content":{"parts":[{"text":"half"}]}}]}`:                                                          chat.ClassBadResponse, // no reason to stop
		`{"candidates":[{"content":{},"finishReason":"UNEXPECTED_TOOL_CALL"}]}`:                                             chat.ClassBadResponse,
		`{"candidates":[{"content":{"parts":[{"executableCode":{"code":"1"}}]},"finishReason":"STOP"}]}`:                    chat.ClassBadResponse, // and no result of it
		`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}`:                                                chat.ClassRateLimited,
		`{"error":{"code":400,"status":"FAILED_PRECONDITION","message":"User location is not supported for the API use."}}`: chat.ClassAuth,
		`{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Renew it.","details":[{"reason":"API_KEY_EXPIRED"}]}}`: chat.ClassAuth,
		`{"error":{"code":400,"status":"FAILED_PRECONDITION","message":"The file is not active."}}`:                         chat.ClassInvalid,
	} {
		r, err := provider(answers("application/json", body)).Complete(t.Context(), target, talk(user("Hi")))
		if chat.ClassOf(err) != want {
			t.Errorf("got %+v, %v, want class %q for %s", r, err, want, body)
		}
	}
}

func TestAWholeAnswerIsReadAsItsStreamIs(t *testing.T) {
	t.Parallel()
	const body = `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"executableCode":{"code":"1"}},{"codeExecutionResult":{"output":"1"}},
		{"text":"a"},{"text":"b","thoughtSignature":"s"},{"functionCall":{"name":"f"}}],"role":"model"},"finishReason":"STOP","index":0},
		{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP","index":1}],
		"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"serviceTier":"standard"},"responseId":"r","modelVersion":"m"}`
	got, err := provider(answers("application/json", body)).Complete(t.Context(), target, talk(user("Hi")))
	if err != nil {
		t.Fatal(err)
	}
	want := &chat.Response{ID: "r", Model: "m", ServiceTier: "default", Usage: &chat.Usage{Input: 3, Output: 4}, Choices: []chat.Choice{
		{Finish: chat.FinishToolCalls, Parts: []chat.Part{
			thought("hm", nil), own(`{"executableCode":{"code":"1"}}`), own(`{"codeExecutionResult":{"output":"1"}}`), signed(text("ab"), "s"), call("", "f", "{}"),
		}},
		{Finish: chat.FinishToolCalls, Parts: []chat.Part{call("", "f", "{}")}},
	}}
	ids := map[string]bool{}
	for i := range got.Choices {
		c := got.Choices[i].Calls()[0]
		ids[c.ID] = true
		c.ID = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	if len(ids) != 2 || ids[""] {
		t.Errorf("got the ids %v, want one of its own for each call", ids)
	}
}

func TestCallsWithoutIDsGetDifferentOnes(t *testing.T) {
	t.Parallel()
	ask := func(response string) []*chat.ToolCall {
		const call = `{"functionCall":{"name":"f","args":{"x":1}}}`
		body := `{"candidates":[{"content":{"parts":[` + call + `,` + call + `]},"finishReason":"STOP"}],"responseId":"` + response + `"}`
		r, err := provider(answers("application/json", body)).Complete(t.Context(), target, talk(user("Hi")))
		if err != nil || r.First().Finish != chat.FinishToolCalls || len(r.First().Calls()) != 2 {
			t.Fatalf("got %+v, %v, want two calls", r, err)
		}
		return r.First().Calls()
	}
	ids := map[string]bool{}
	for _, c := range append(ask("r1"), ask("r2")...) {
		if ids[c.ID] || c.ID == "" || chat.PortableID(c.ID) != c.ID {
			t.Errorf("got the id %q, want a portable one of its own", c.ID)
		}
		ids[c.ID] = true
	}
	if diff := cmp.Diff(ask("r1"), ask("r1")); diff != "" {
		t.Errorf("one answer read twice (-first +second):\n%s", diff)
	}
}

func TestAStreamMayComeAsAList(t *testing.T) {
	t.Parallel()
	chunk := func(said, more string) string {
		return `{"candidates": [{"content": {"parts": [{"text": "` + said + `"}]}` + more + `}], "modelVersion": "m"}`
	}
	whole := "[" + chunk("a", "") + "\n,\r\n" + chunk("🙂", `, "finishReason": 1`) + "\n]"
	for name, test := range map[string]struct {
		contentType, body string
		want              heard
	}{
		"a list":                         {"application/json; charset=UTF-8", whole, one(chat.FinishStop, text("a🙂"))},
		"a list after white space":       {"application/json", " \r\n\t" + whole, one(chat.FinishStop, text("a🙂"))},
		"a list that breaks off":         {"application/json", whole[:len(whole)-20], failing(chat.ClassCutOff, text("a"))},
		"a list that does not end":       {"application/json", "[" + chunk("a", ""), failing(chat.ClassCutOff, text("a"))},
		"a list that has not ended":      {"application/json", "[" + chunk("a", "") + "]", failing(chat.ClassCutOff, text("a"))},
		"a list that breaks off at once": {"application/json", "[", heard{Class: chat.ClassCutOff, Returned: true}},
		"a list of an error":             {"application/json", `[{"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}]`, heard{Class: chat.ClassOverloaded, Returned: true}},
		"a list of nothing":              {"application/json", `[]`, heard{Class: chat.ClassBadResponse, Returned: true}},
		"an error":                       {"application/json", ` {"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}`, heard{Class: chat.ClassOverloaded, Returned: true}},
		"an answer":                      {"application/json", okBody, heard{Class: chat.ClassBadResponse, Returned: true}},
		"events after all":               {"application/json", tell(`{"text":"x"}`, stop), one(chat.FinishStop, text("x"))},
		"nothing":                        {"application/json", "", heard{Class: chat.ClassBadResponse, Returned: true}},
		"white space":                    {"application/json", " \n", heard{Class: chat.ClassBadResponse, Returned: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, inEveryCut(t, test.contentType, test.body)); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzStream holds against any body what holds for all: no panic, one end, typed failures; and the way the bytes are cut changes nothing.
func FuzzStream(f *testing.F) {
	for _, body := range conformance.Answers(f, gemini.Vendor) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, _ := hear(t, "text/event-stream", strings.NewReader(string(body)))
		cut, _ := hear(t, "text/event-stream", iotest.OneByteReader(strings.NewReader(string(body))))
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Errorf("whole and byte by byte differ (-whole +bytes):\n%s", diff)
		}
	})
}

// FuzzAnswer holds against any whole answer what holds for all, and that it is read like a stream of one event.
func FuzzAnswer(f *testing.F) {
	for _, body := range conformance.Answers(f, gemini.Vendor) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := provider(answers("application/json", string(body))).Complete(t.Context(), target, talk(user("Hi")))
		if err != nil {
			if chat.ClassOf(err) == "" {
				t.Errorf("got the class of %v", err)
			}
			return
		}
		for i := range got.Choices {
			if got.Choices[i].Finish == "" {
				t.Errorf("choice %d has no finish", i)
			}
		}
		if strings.ContainsAny(string(body), "\r\n") || !strings.HasPrefix(string(body), "{") {
			return
		}
		_, streamed := hear(t, "text/event-stream", strings.NewReader("data: "+string(body)+"\n\n"))
		if diff := cmp.Diff(got, streamed); diff != "" {
			t.Errorf("whole and streamed differ (-whole +streamed):\n%s", diff)
		}
	})
}
