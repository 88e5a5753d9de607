package chatcompletions

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// relayed passes a stream with the answer and gives its frames, their bytes copied, and the failure, returned or yielded.
func relayed(t *testing.T, kind, answer string) (frames []outbound.Frame, yielded bool, failed error) {
	t.Helper()
	p := New(&http.Client{Transport: canned{kind, []byte(answer)}}, Flavour{})
	seq, err := p.RelayStream(t.Context(), benchTarget, outbound.Passage{Body: benchBody(10, true)})
	if err != nil {
		return nil, false, err
	}
	for f, err := range seq {
		if failed != nil {
			t.Fatal("a frame follows a failure")
		}
		if err != nil {
			yielded, failed = true, err
			continue
		}
		f.Raw = bytes.Clone(f.Raw)
		frames = append(frames, f)
	}
	return frames, yielded, failed
}

const eventStream = "text/event-stream; charset=utf-8"

func TestFramesSayWhatTheyCarry(t *testing.T) {
	comment := ": OPENROUTER PROCESSING\n\n"
	role := `data: {"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}` + "\r\n\r\n"
	text := `data: {"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}` + "  \n\n"
	thought := `data: {"model":"m2","choices":[{"index":0,"delta":{"reasoning":"hm"}}]}` + "\n\n"
	finish := `data: {"model":"m2","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usage := `data: {"model":"m2","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":3.0,"cost":6e-8}}` + "\n\n"
	done := "data: [DONE]\n\n"
	got, _, err := relayed(t, eventStream, comment+role+text+comment+thought+finish+usage+done)
	if err != nil {
		t.Fatal(err)
	}
	sixty := int64(60)
	want := []outbound.Frame{
		{Raw: []byte(comment), Comment: true},
		{Raw: []byte(role), Model: "m1"},
		{Raw: []byte(text), Model: "m1", Content: true},
		{Raw: []byte(comment), Comment: true},
		{Raw: []byte(thought), Model: "m2", Content: true},
		{Raw: []byte(finish), Model: "m2", Finish: chat.FinishStop},
		{Raw: []byte(usage), Model: "m2", Finish: chat.FinishStop, UsageOnly: true, Usage: &chat.Usage{Input: 2, Output: 3, CostNanos: &sixty}},
		{Raw: []byte(done)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUsageBesideNewsIsNotUsageAlone(t *testing.T) {
	got, _, err := relayed(t, eventStream, `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`+"\n\n")
	if err != nil || len(got) != 1 || got[0].UsageOnly || !got[0].Content || got[0].Finish != chat.FinishLength || got[0].Usage == nil {
		t.Errorf("got %+v, %v; want a frame of content, finish and usage", got, err)
	}
}

func TestStreamsThatFail(t *testing.T) {
	const good = `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}` + "\n\n"
	const ended = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	const bad = `data: {"error":{"code":429,"message":"slow down"}}` + "\n\n"
	tests := map[string]struct {
		kind, answer string
		class        chat.Class
		yielded      bool
		frames       int
	}{
		"an error first":                     {eventStream, ": wait\n\n" + bad, chat.ClassRateLimited, false, 0},
		"an error later":                     {eventStream, good + bad + good, chat.ClassRateLimited, true, 1},
		"an error in another form":           {"application/json", `{"error":{"code":429,"message":"slow down"}}`, chat.ClassRateLimited, false, 0},
		"an answer that was not streamed":    {"application/json", `{"choices":[]}`, chat.ClassBadResponse, false, 0},
		"a page":                             {"text/html", `<html>`, chat.ClassBadResponse, false, 0},
		"an empty body of another kind":      {"application/json", ``, chat.ClassBadResponse, false, 0},
		"no JSON, first":                     {eventStream, "data: hello\n\n", chat.ClassBadResponse, false, 0},
		"no JSON, later":                     {eventStream, good + "data: {\"a\":}\n\n", chat.ClassBadResponse, true, 1},
		"a list":                             {eventStream, "data: []\n\n", chat.ClassBadResponse, false, 0},
		"done and nothing else":              {eventStream, "data: [DONE]\n\n", chat.ClassCutOff, false, 0},
		"done before the finish":             {eventStream, good + "data: [DONE]\n\n", chat.ClassCutOff, true, 1},
		"cut before the finish":              {eventStream, good, chat.ClassCutOff, true, 1},
		"cut within an event":                {eventStream, good + ended + `data: {"err`, chat.ClassCutOff, true, 2},
		"a choice that ends with an error":   {eventStream, good + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}` + "\n\n", chat.ClassBadResponse, true, 1},
		"one of two choices does not finish": {eventStream, `data: {"choices":[{"index":1,"delta":{"content":"b"}}]}` + "\n\n" + good + ended, chat.ClassCutOff, true, 3},
		"complete without done":              {eventStream, good + ended, "", false, 2},
		"complete without a blank line":      {eventStream, good + strings.TrimRight(ended, "\n"), "", false, 2},
		"done without a blank line":          {eventStream, good + ended + "data: [DONE]", "", false, 3},
		"an event that is too long":          {eventStream, good + "data: " + strings.Repeat(" ", 17<<20), chat.ClassBadResponse, true, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			frames, yielded, err := relayed(t, tt.kind, tt.answer)
			if chat.ClassOf(err) != tt.class || yielded != tt.yielded || len(frames) != tt.frames {
				t.Errorf("got %d frames and %v, yielded %t; want %d and %q, yielded %t", len(frames), err, yielded, tt.frames, tt.class, tt.yielded)
			}
		})
	}
}

func TestAFinishIsThatOfTheFirstChoiceOnceAllHaveFinished(t *testing.T) {
	const both = `data: {"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}` + "\n\n"
	const first = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n"
	const second = `data: {"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	got, _, err := relayed(t, eventStream, both+first+second)
	if err != nil || len(got) != 3 || got[1].Finish != "" || got[2].Finish != chat.FinishLength {
		t.Errorf("got %+v, %v; want the finish length with the last frame alone", got, err)
	}
}

func TestManyChoicesInOneChunk(t *testing.T) {
	var choices []string
	for i := range 9 {
		choices = append(choices, fmt.Sprintf(`{"index":%d,"delta":{"content":"x"},"finish_reason":"stop"}`, i))
	}
	got, _, err := relayed(t, eventStream, `data: {"choices":[`+strings.Join(choices, ",")+`]}`+"\n\n")
	if err != nil || len(got) != 1 || got[0].Finish != chat.FinishStop {
		t.Errorf("got %+v, %v; want the one frame", got, err)
	}
}

func TestCommentsWithoutEndAreNotKept(t *testing.T) {
	answer := strings.Repeat(": "+strings.Repeat("x", 1021)+"\n\n", 300) + `data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}` + "\n\n"
	got, _, err := relayed(t, eventStream, answer)
	if err != nil || len(got) > (64<<10)/1024+1 || !got[len(got)-1].Content {
		t.Errorf("got %d frames, %v; want at most %d, the content last", len(got), err, (64<<10)/1024+1)
	}
}

func TestWholeAnswersAreTapped(t *testing.T) {
	tests := map[string]struct {
		answer string
		class  chat.Class
		want   outbound.Relayed
	}{
		"padded": {"\n  \n{\"model\":\"m\\u0031\",\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1}}\n", "", outbound.Relayed{Model: "m1", Finish: chat.FinishLength, Usage: &chat.Usage{Input: 1}}},
		"audio and images": {
			`{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"prompt_tokens_details":{"audio_tokens":4,"cached_tokens":3,` +
				`"cache_write_tokens":2},"completion_tokens":8,"completion_tokens_details":{"audio_tokens":1,"image_tokens":5,"reasoning_tokens":2}}}`,
			"",
			outbound.Relayed{Finish: chat.FinishStop, Usage: &chat.Usage{
				Input: 9, Output: 8, CacheRead: 3, CacheWrite: 2, AudioInput: 4, AudioOutput: 1, ImageOutput: 5, Reasoning: 2,
			}},
		},
		"no usage":       {`{"choices":[{"message":{"tool_calls":[{}]},"finish_reason":"stop"}]}`, "", outbound.Relayed{Finish: chat.FinishToolCalls}},
		"odd members":    {`{"choices":[{"message":7,"finish_reason":"stop"},8],"usage":[],"model":9}`, "", outbound.Relayed{Finish: chat.FinishStop}},
		"an error":       {`{"choices":[{"message":{"content":"a"}}],"error":{"code":503}}`, chat.ClassOverloaded, outbound.Relayed{}},
		"no choices":     {`{"choices":{}}`, chat.ClassBadResponse, outbound.Relayed{}},
		"half an answer": {`{"choices":[{"message":{"content":"a"}}]`, chat.ClassBadResponse, outbound.Relayed{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := New(&http.Client{Transport: canned{"application/json", []byte(tt.answer)}}, Flavour{})
			got, err := p.RelayWhole(t.Context(), benchTarget, outbound.Passage{Body: benchBody(10, false)})
			if chat.ClassOf(err) != tt.class {
				t.Fatalf("got %v, want %q", err, tt.class)
			}
			if err != nil {
				return
			}
			tt.want.Body = []byte(tt.answer)
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if d := New(nil, Flavour{}).Dialect(); d != chat.DialectOpenAIChat {
		t.Errorf("got the dialect %s", d)
	}
}
