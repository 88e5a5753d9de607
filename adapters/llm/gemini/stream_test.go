package gemini_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

// heard is a stream taken together.
type heard struct {
	Choices  []chat.Choice
	Usage    *chat.Usage
	Tier     string
	Class    chat.Class // of the error, returned or yielded
	Returned bool       // the error came before anything else
}

// hear plays a stream's body and takes together what is said. It fails the test when the stream breaks a rule that holds for every body.
func hear(t *testing.T, contentType string, body io.Reader) (heard, *chat.Response) {
	t.Helper()
	s, err := provider(answering(contentType, body)).Stream(t.Context(), target, talk(user("Hi")))
	if err != nil {
		return heard{Class: chat.ClassOf(err), Returned: true}, nil
	}
	var g chat.Gatherer
	h := heard{}
	finishes := map[int]int{}
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
		checkChunk(t, &c)
		if c.Finish != "" {
			finishes[c.Choice]++
		}
		g.Add(c)
	}
	r := g.Response()
	h.Choices, h.Usage, h.Tier = r.Choices, r.Usage, r.ServiceTier
	for i := range r.Choices {
		if h.Class == "" && (finishes[i] != 1 || r.Choices[i].Finish == "") {
			t.Errorf("choice %d finished %d times as %q", i, finishes[i], r.Choices[i].Finish)
		}
	}
	return h, r
}

func answering(contentType string, body io.Reader) wire {
	return func(*http.Request) *http.Response { return answer(contentType, body) }
}

// checkChunk holds a chunk against what the neutral form promises.
func checkChunk(t *testing.T, c *chat.Chunk) {
	t.Helper()
	kinds := 0
	for _, is := range [...]bool{c.Text != "", c.Refusal != "", c.Thinking != "", c.Tool != nil, c.Part != nil} {
		if is {
			kinds++
		}
	}
	if kinds > 1 {
		t.Errorf("got %+v, which says two things", c)
	}
	if d := c.Tool; d != nil && (d.ID == "" || d.Name == "" || d.Arguments == "") {
		t.Errorf("got the call %+v, want a whole one with an id", d)
	}
}

func event(data string) string { return "data: " + data + "\r\n\r\n" }

// tell is an event with a candidate; more goes into the candidate, as fields after the content.
func tell(parts, more string) string {
	return event(`{"candidates":[{"content":{"parts":[` + parts + `],"role":"model"}` + more + `}],"responseId":"r1","modelVersion":"m"}`)
}

func counted(fields string) string {
	return event(`{"usageMetadata":{` + fields + `},"responseId":"r1"}`)
}

const stop = `,"finishReason":"STOP"`

// one is what is heard of one choice.
func one(finish chat.Finish, parts ...chat.Part) heard {
	return heard{Choices: []chat.Choice{{Parts: parts, Finish: finish}}}
}

// failing is what is heard of a stream that fails after something was said.
func failing(class chat.Class, parts ...chat.Part) heard {
	h := one("", parts...)
	h.Class = class
	return h
}

func (h heard) using(u chat.Usage) heard {
	h.Usage = &u
	return h
}

func own(json string) chat.Part {
	return chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte(json)}}
}

func refusal(s string) chat.Part { return chat.Part{Kind: chat.PartRefusal, Text: s} }

type trap struct {
	body string
	want heard
}

func spring(t *testing.T, tests map[string]trap) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := hear(t, "text/event-stream", strings.NewReader(test.body))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	tiered := one(chat.FinishStop, text("x")).using(chat.Usage{Input: 1})
	tiered.Tier = "priority"
	spring(t, map[string]trap{
		"is cumulative: the last counts, thoughts and tool prompts come on top": {
			counted(`"promptTokenCount":5`) + counted(`"promptTokenCount":5,"toolUsePromptTokenCount":3,"cachedContentTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":9`) + tell(`{"text":"x"}`, stop),
			one(chat.FinishStop, text("x")).using(chat.Usage{Input: 8, Output: 11, CacheRead: 4, Reasoning: 9}),
		},
		"tells audio and images apart": {
			counted(`"promptTokenCount":20,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8},{"modality":"AUDIO","tokenCount":12}],`+
				`"toolUsePromptTokenCount":3,"toolUsePromptTokensDetails":[{"modality":"AUDIO","tokenCount":1}],"cachedContentTokenCount":6,`+
				`"cacheTokensDetails":[{"modality":4,"tokenCount":5}],"candidatesTokenCount":9,`+
				`"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4},{"modality":"AUDIO","tokenCount":2}]`) + tell(`{"text":"x"}`, stop),
			one(chat.FinishStop, text("x")).using(chat.Usage{
				Input: 23, Output: 9, CacheRead: 6, AudioInput: 13, AudioCacheRead: 5, AudioOutput: 2, ImageOutput: 4,
			}),
		},
		"without numbers is none":          {event(`{"usageMetadata":{"trafficType":"ON_DEMAND"},"responseId":"r1"}`) + tell("", stop), one(chat.FinishStop)},
		"without numbers undoes none":      {counted(`"promptTokenCount":5`) + event(`{"usageMetadata":{"trafficType":"ON_DEMAND"}}`) + tell("", stop), one(chat.FinishStop).using(chat.Usage{Input: 5})},
		"of less than nothing is nothing":  {counted(`"promptTokenCount":-5,"candidatesTokenCount":2`) + tell("", stop), one(chat.FinishStop).using(chat.Usage{Output: 2})},
		"after the finish undoes it not":   {tell(`{"text":"x"}`, stop) + counted(`"promptTokenCount":5`), one(chat.FinishStop, text("x")).using(chat.Usage{Input: 5})},
		"so far is told before a cut":      {tell(`{"text":"x"}`, "") + counted(`"promptTokenCount":5`), failing(chat.ClassCutOff, text("x")).using(chat.Usage{Input: 5})},
		"says in which tier it was served": {tell(`{"text":"x"}`, stop) + counted(`"promptTokenCount":1,"serviceTier":"SERVICE_TIER_PRIORITY"`), tiered},
	})
}

func TestTrapsOfTheStream(t *testing.T) {
	t.Parallel()
	ok := one(chat.FinishStop, text("x"))
	spring(t, map[string]trap{
		"a finish goes on when code is run": {
			tell(`{"executableCode":{"code":"1"}}`, stop) + tell(`{"codeExecutionResult":{"output":"1"}}`, "") + tell(`{"text":"x"}`, stop),
			one(chat.FinishStop, own(`{"executableCode":{"code":"1"}}`), own(`{"codeExecutionResult":{"output":"1"}}`), text("x")),
		},
		"a cut while code is run":             {tell(`{"text":"x"}`, "") + tell(`{"executableCode":{"code":"1"}}`, stop), failing(chat.ClassCutOff, text("x"), own(`{"executableCode":{"code":"1"}}`))},
		"a finish that goes on, and a cut":    {tell(`{"text":"x"}`, stop) + tell(`{"text":"y"}`, ""), failing(chat.ClassCutOff, text("xy"))},
		"a part of a kind to come":            {tell(`{"text":"x"},{"thoughtSignature":"s","novelty":{"a":[1, 2]}}`, stop), one(chat.FinishStop, text("x"), own(`{"thoughtSignature":"s","novelty":{"a":[1,2]}}`))},
		"[DONE], which is not this vendor's":  {tell(`{"text":"x"}`, stop) + event("[DONE]"), ok},
		"no blank line after the last event":  {strings.TrimRight(tell(`{"text":"x"}`, stop), "\r\n"), ok},
		"an end by its number":                {tell(`{"text":"x"}`, `,"finishReason":1`), ok},
		"a limit by its number":               {tell(`{"text":"x"}`, `,"finishReason":2`), one(chat.FinishLength, text("x"))},
		"a reason that is yet to be invented": {tell(`{"text":"x"}`, `,"finishReason":"NOVELTY"`), one(chat.FinishContentFilter, text("x"))},
		"a call that the model botched":       {tell(`{"text":"x"}`, "") + tell("", `,"finishReason":"MALFORMED_FUNCTION_CALL"`), failing(chat.ClassBadResponse, text("x"))},
		"a blocked prompt":                    {event(`{"promptFeedback":{"blockReason":"OTHER"}}`), one(chat.FinishContentFilter)},
		"a blocked prompt, by number":         {event(`{"promptFeedback":{"blockReason":3}}`), one(chat.FinishContentFilter)},
		"a prompt that is not blocked":        {event(`{"promptFeedback":{"safetyRatings":[]}}`) + tell(`{"text":"x"}`, stop), ok},
		"a blocked prompt, and why": {
			event(`{"promptFeedback":{"blockReason":"MODEL_ARMOR","blockReasonMessage":"It was a \"jailbreak\"."}}`), one(chat.FinishContentFilter, refusal(`It was a "jailbreak".`)),
		},
		"a blocked answer, and why":    {tell(`{"text":"x"}`, `,"finishReason":"SAFETY","finishMessage":"Unsafe."`), one(chat.FinishContentFilter, text("x"), refusal("Unsafe."))},
		"a message that is no refusal": {tell(`{"text":"x"}`, stop+`,"finishMessage":"Model generated function call(s)."`), ok},
		"an error before all":          {event(`{"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}`), heard{Class: chat.ClassOverloaded, Returned: true}},
		"an error that is none":        {event(`{"error":"x"}`), heard{Class: chat.ClassBadResponse, Returned: true}},
		"an error in between":          {tell(`{"text":"x"}`, "") + event(`{"error":{"code":500,"status":"INTERNAL","message":"x"}}`), failing(chat.ClassServer, text("x"))},
		"an error as plain JSON":       {`{"error":{"code":404,"status":"NOT_FOUND","message":"x"}}`, heard{Class: chat.ClassNoModel, Returned: true}},
		"an event that is not JSON":    {tell(`{"text":"x"}`, "") + event(`{"candidates":`), failing(chat.ClassBadResponse, text("x"))},
		"an event that says all twice": {event(`{"candidates":[],"candidates":[]}`), heard{Class: chat.ClassBadResponse, Returned: true}},
		"an event that is a list":      {event(`[` + okBody + `]`), heard{Class: chat.ClassBadResponse, Returned: true}},
		"nulls everywhere": {
			event(`{"candidates":null,"promptFeedback":null,"usageMetadata":null,"error":null,"responseId":null,"modelVersion":null}`) +
				event(`{"candidates":[null,{"content":null,"index":null},{"content":{"parts":null}},{"content":{"parts":[null,{"text":null,"functionCall":null},{"text":"x"}]},"finishReason":"STOP","groundingMetadata":null,"logprobsResult":null}]}`), ok,
		},
		"things of other kinds": {event(`{"candidates":[{"content":{"parts":[{"text":7},{"thoughtSignature":[]},{"text":"x"}]},"finishReason":"STOP","logprobsResult":7,"groundingMetadata":7,"finishMessage":{}}],"responseId":7,"modelVersion":{},"promptFeedback":[]}`), ok},
		"nothing":               {"", heard{Class: chat.ClassBadResponse, Returned: true}},
	})
}

func TestThoughtsAndSignatures(t *testing.T) {
	t.Parallel()
	spring(t, map[string]trap{
		"thoughts are no text":         {tell(`{"text":"hm","thought":true},{"text":"x"}`, stop), one(chat.FinishStop, thought("hm", nil), text("x"))},
		"thoughts in pieces":           {tell(`{"text":"h","thought":true}`, "") + tell(`{"text":"m","thought":true}`, "") + tell(`{"text":"x"}`, stop), one(chat.FinishStop, thought("hm", nil), text("x"))},
		"a signature on a text":        {tell(`{"text":"x","thoughtSignature":"s"}`, stop), one(chat.FinishStop, signed(text("x"), "s"))},
		"a signature after the text":   {tell(`{"text":"x"}`, "") + tell(`{"text":"","thoughtSignature":"s"}`, stop), one(chat.FinishStop, signed(text("x"), "s"))},
		"a signature without any text": {tell(`{"text":"","thoughtSignature":"s"}`, stop), one(chat.FinishStop, thought("", sig("s")))},
		"a signature and nothing else": {tell(`{"thoughtSignature":"s"}`, stop), one(chat.FinishStop, thought("", sig("s")))},
		"a signature on a call": {
			tell(`{"functionCall":{"id":"1","name":"f","args":{"x": 1}},"thoughtSignature":"s"},{"functionCall":{"id":"2","name":"g"}}`, stop),
			one(chat.FinishToolCalls, signed(call("1", "f", `{"x":1}`), "s"), call("2", "g", `{}`)),
		},
		"a signature after a call":       {tell(`{"functionCall":{"id":"1","name":"f"}}`, "") + tell(`{"text":"","thoughtSignature":"s"}`, stop), one(chat.FinishToolCalls, call("1", "f", `{}`), thought("", sig("s")))},
		"a signature on a piece of text": {tell(`{"text":"a","thoughtSignature":"s"}`, "") + tell(`{"text":"b"}`, stop), one(chat.FinishStop, signed(text("a"), "s"), text("b"))},
	})
}

func TestPicturesAndSounds(t *testing.T) {
	t.Parallel()
	sound := chat.Part{Kind: chat.PartAudio, Media: &chat.Media{Type: "audio/L16;codec=pcm;rate=24000", Data: "AAAA"}}
	spring(t, map[string]trap{
		"a picture": {
			tell(`{"text":"Here:"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"},"thoughtSignature":"s"}`, stop),
			one(chat.FinishStop, text("Here:"), signed(image(chat.Media{Type: "image/png", Data: "iVBORw0K"}), "s")),
		},
		"a sound":                            {tell(`{"inlineData":{"mimeType":"audio/L16;codec=pcm;rate=24000","data":"AAAA"}}`, stop), one(chat.FinishStop, sound)},
		"a document by its address":          {tell(`{"fileData":{"mimeType":"application/pdf","fileUri":"gs://a/b.pdf"}}`, stop), one(chat.FinishStop, file(chat.Media{Type: "application/pdf", URL: "gs://a/b.pdf"}))},
		"a picture that was only thought of": {tell(`{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thought":true}`, stop), one(chat.FinishStop, own(`{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thought":true}`))},
		"a picture that is none":             {tell(`{"inlineData":{"mimeType":7}}`, stop), heard{Class: chat.ClassBadResponse, Returned: true}},
	})
}

func TestSeveralChoices(t *testing.T) {
	t.Parallel()
	at := func(index, said, more string) string { return tell(said, `,"index":`+index+more) }
	two := heard{Choices: []chat.Choice{{Parts: []chat.Part{text("ac")}, Finish: chat.FinishStop}, {Parts: []chat.Part{text("bd")}, Finish: chat.FinishLength}}}
	spring(t, map[string]trap{
		"interleaved":                   {tell(`{"text":"a"}`, "") + at("1", `{"text":"b"}`, "") + at("1", `{"text":"d"}`, `,"finishReason":"MAX_TOKENS"`) + tell(`{"text":"c"}`, stop), two},
		"of which one did not finish":   {tell(`{"text":"a"}`, stop) + at("1", `{"text":"b"}`, ""), heard{Choices: []chat.Choice{{Parts: []chat.Part{text("a")}}, {Parts: []chat.Part{text("b")}}}, Class: chat.ClassCutOff}},
		"of which the first is missing": {at("1", `{"text":"b"}`, stop), heard{Choices: []chat.Choice{{}, {Parts: []chat.Part{text("b")}}}, Class: chat.ClassCutOff}},
		"of numbers that are none":      {at("-1", `{"text":"a"}`, stop) + at("100000000", `{"text":"a"}`, stop) + tell(`{"text":"x"}`, stop), one(chat.FinishStop, text("x"))},
	})
}

func TestProbabilities(t *testing.T) {
	t.Parallel()
	want := one(chat.FinishStop, text("Hé!"))
	p := func(token string, logprob float64) chat.TokenLogprob {
		return chat.TokenLogprob{Token: token, Bytes: []byte(token), Logprob: logprob}
	}
	first := p("Hé", -0.25)
	first.Top = []chat.TokenLogprob{p("Hé", -0.25), p("Ho", -2)}
	want.Choices[0].Logprobs = []chat.TokenLogprob{first, p("!", 0)}
	spring(t, map[string]trap{
		"come with their text": {
			tell(`{"text":"Hé"}`, `,"logprobsResult":{"chosenCandidates":[{"token":"Hé","tokenId":1,"logProbability":-0.25}],"topCandidates":[{"candidates":[{"token":"Hé","logProbability":-0.25},{"token":"Ho","logProbability":-2}]}]}`) +
				tell(`{"text":"!"}`, stop) + event(`{"candidates":[{"logprobsResult":{"chosenCandidates":[{"token":"!"}]}}]}`), want,
		},
	})
}

func TestCallsInPieces(t *testing.T) {
	t.Parallel()
	piece := func(fields string) string { return tell(`{"functionCall":{`+fields+`}}`, "") }
	spring(t, map[string]trap{
		"joined": {
			piece(`"name":"f","willContinue":true`) + piece(`"partialArgs":[{"jsonPath":"$.a[0]['b c']","stringValue":"x","willContinue":true}],"willContinue":true`) +
				piece(`"partialArgs":[{"jsonPath":"$.a[0]['b c']","stringValue":"y"},{"jsonPath":"$.n","numberValue":1.50},{"jsonPath":"$.z","nullValue":"NULL_VALUE"}]`) + tell("", stop),
			one(chat.FinishToolCalls, call("call_614d6bff8b863282aa91a4a4", "f", `{"a":[{"b c":"xy"}],"n":1.50,"z":null}`)),
		},
		"with a signature on the first": {
			tell(`{"functionCall":{"name":"f","id":"1","willContinue":true},"thoughtSignature":"s"}`, "") + piece(``) + tell("", stop),
			one(chat.FinishToolCalls, signed(call("1", "f", `{}`), "s")),
		},
		"ended by the finish":           {piece(`"name":"f","id":"1","willContinue":true`) + tell("", stop), one(chat.FinishToolCalls, call("1", "f", `{}`))},
		"ended by the next":             {piece(`"name":"f","id":"1","willContinue":true`) + piece(`"name":"g","id":"2","args":{}`) + tell("", stop), one(chat.FinishToolCalls, call("1", "f", `{}`), call("2", "g", `{}`))},
		"of a call that never began":    {tell(`{"text":"x"}`, "") + piece(`"partialArgs":[{"jsonPath":"$.a","boolValue":true}]`), failing(chat.ClassBadResponse, text("x"))},
		"that fit nowhere":              {tell(`{"text":"x"}`, "") + piece(`"name":"f","partialArgs":[{"jsonPath":"$.a[999999]","boolValue":true}]`), failing(chat.ClassBadResponse, text("x"))},
		"of which none is a call":       {tell(`{"text":"x"}`, "") + tell(`{"functionCall":7}`, ""), failing(chat.ClassBadResponse, text("x"))},
		"of a turn that came to no end": {tell(`{"text":"x"}`, "") + piece(`"name":"f","willContinue":true`), failing(chat.ClassCutOff, text("x"))},
	})
}

func TestTheVendorsNamesAreKept(t *testing.T) {
	t.Parallel()
	body := event(`{"responseId":"r1","modelVersion":"m"}`) + tell(`{"text":"x"}`, "") + event(`{"candidates":[{"finishReason":"STOP"}],"responseId":"","modelVersion":""}`)
	if _, got := hear(t, "text/event-stream", strings.NewReader(body)); got.ID != "r1" || got.Model != "m" {
		t.Errorf("got the id %q and the model %q, want r1 and m", got.ID, got.Model)
	}
}
