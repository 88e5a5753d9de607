package gemini_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

// says is the contents field of a conversation that is one "Hi".
const says = `"contents":[{"role":"user","parts":[{"text":"Hi"}]}]`

type sentence struct {
	model   string // "": gemini-2.5-flash
	request *chat.Request
	want    string
	dropped []string
	noted   []string // dropped as well, but a strict request is taken all the same
}

// check sends the request, and sends it strictly.
func (s sentence) check(t *testing.T) {
	t.Helper()
	got, resp, err := sent(t, s.model, s.request)
	if err != nil {
		t.Fatalf("Complete: %v", err)
	}
	if diff := cmp.Diff(decoded(t, `{`+s.want+`}`), any(got)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	var dropped []string
	dropped = append(append(dropped, s.dropped...), s.noted...)
	if diff := cmp.Diff(dropped, resp.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	strict := *s.request
	strict.Strict = true
	_, _, err = sent(t, s.model, &strict)
	if f, ok := errors.AsType[*chat.Failure](err); len(s.dropped) == 0 && err != nil ||
		len(s.dropped) > 0 && (!ok || f.Class != chat.ClassUnsupport || f.Param != s.dropped[0]) {
		t.Errorf("strict: got %v, want a refusal of %q", err, s.dropped)
	}
}

func play(t *testing.T, tests map[string]sentence) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check(t)
		})
	}
}

// configured is a sentence of what is configured of "Hi".
func configured(change func(*chat.Request), config string, dropped ...string) sentence {
	if config != "" {
		config = `,"generationConfig":{` + config + `}`
	}
	return sentence{request: with(change), want: says + config, dropped: dropped}
}

func TestARequestIsSentInTheVendorsWords(t *testing.T) {
	t.Parallel()
	play(t, map[string]sentence{
		"nothing is configured that was not asked for": configured(func(*chat.Request) {}, ""),
		"limits and sampling": configured(func(r *chat.Request) {
			r.MaxTokens, r.Temperature, r.TopP, r.TopK, r.Seed, r.Stop = new(7), new(0.0), new(0.5), new(40), new(int64(3)), []string{"END"}
		}, `"maxOutputTokens":7,"temperature":0,"topP":0.5,"topK":40,"seed":3,"stopSequences":["END"]`),
		"penalties": configured(func(r *chat.Request) { r.FrequencyPenalty, r.PresencePenalty = new(0.5), new(-1.0) },
			`"frequencyPenalty":0.5,"presencePenalty":-1`),
		"temperature up to two is the vendor's scale too": configured(func(r *chat.Request) { r.Temperature = new(2.0) }, `"temperature":2`),
		"more stop sequences than five": configured(func(r *chat.Request) { r.Stop = []string{"a", "b", "c", "d", "e", "f"} },
			`"stopSequences":["a","b","c","d","e"]`, "stop"),
		"a stop sequence that is empty": configured(func(r *chat.Request) { r.Stop = []string{"", "a"} }, `"stopSequences":["a"]`, "stop"),
		"a seed of more than 32 bits":   configured(func(r *chat.Request) { r.Seed = new(int64(1) << 31) }, "", "seed"),
		"several answers":               configured(func(r *chat.Request) { r.Choices = 3 }, `"candidateCount":3`),
		"one answer":                    configured(func(r *chat.Request) { r.Choices = 1 }, ""),
		"more answers than eight":       configured(func(r *chat.Request) { r.Choices = 9 }, `"candidateCount":8`, "n"),
		"probabilities":                 configured(func(r *chat.Request) { r.Logprobs = true }, `"responseLogprobs":true`),
		"probabilities of others": configured(func(r *chat.Request) { r.Logprobs, r.TopLogprobs = true, 5 },
			`"responseLogprobs":true,"logprobs":5`),
		"what the vendor does not know, and what the neutral form does not": configured(func(r *chat.Request) {
			r.EndUser, r.CacheKey, r.Untranslated = "u-1", "k", []string{"logit_bias", "user"}
		}, "", "prompt_cache_key", "user", "logit_bias"),
		"tiers that say nothing": configured(func(r *chat.Request) { r.ServiceTier = "auto" }, ""),
		"a tier": {
			request: with(func(r *chat.Request) { r.ServiceTier = "flex" }), want: says + `,"serviceTier":"flex"`,
		},
		"a tier that there is none of": configured(func(r *chat.Request) { r.ServiceTier = "scale" }, "", "service_tier"),
	})
}

func TestFormatsOfTheAnswer(t *testing.T) {
	t.Parallel()
	asJSON, bySchema := chat.Format{Kind: chat.FormatJSON}, chat.Format{Kind: chat.FormatSchema, Name: "n", Schema: []byte(`{"type":"object"}`)}
	play(t, map[string]sentence{
		"JSON":      configured(func(r *chat.Request) { r.Format = asJSON }, `"responseMimeType":"application/json"`),
		"a schema":  configured(func(r *chat.Request) { r.Format = bySchema }, `"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}`),
		"no schema": configured(func(r *chat.Request) { r.Format = chat.Format{Kind: chat.FormatSchema} }, "", "response_format"),
		"a schema with a description": configured(func(r *chat.Request) { r.Format = bySchema; r.Format.Description = "d" },
			`"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}`, "response_format.json_schema.description"),
		"beside tools, which older models refuse": {
			request: with(func(r *chat.Request) { r.Format, r.Tools = asJSON, []chat.Tool{weather} }), want: says + `,` + weatherJSON,
			dropped: []string{"response_format"},
		},
		"beside tools": {
			model: "gemini-3-flash-preview", request: with(func(r *chat.Request) { r.Format, r.Tools = asJSON, []chat.Tool{weather} }),
			want: says + `,` + weatherJSON + `,"generationConfig":{"responseMimeType":"application/json"}`,
		},
	})
}

func TestThinkingIsAskedForByLevelOrByBudget(t *testing.T) {
	t.Parallel()
	const (
		flash3, pro3, pro31 = "gemini-3-flash-preview", "gemini-3-pro-preview", "gemini-3.1-pro-preview"
		flash, pro, lite    = "gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-lite"
		old                 = "gemini-2.0-flash"
	)
	effort := func(e string) chat.Thinking { return chat.Thinking{Effort: e} }
	off, on, adaptive := chat.Thinking{Mode: chat.ThinkingOff}, chat.Thinking{Mode: chat.ThinkingOn}, chat.Thinking{Mode: chat.ThinkingAdaptive}
	budget := func(n int) chat.Thinking { return chat.Thinking{Mode: chat.ThinkingOn, Budget: n} }
	level := func(l string) string { return `"thinkingLevel":"` + l + `"` }
	tests := map[string]struct {
		model   string
		asked   chat.Thinking
		want    string
		dropped bool
	}{
		"minimal":                                 {flash3, effort("minimal"), level("MINIMAL"), false},
		"the least effort of a Pro model":         {pro31, effort("minimal"), level("LOW"), false},
		"low":                                     {pro3, effort("low"), level("LOW"), false},
		"medium":                                  {flash3, effort("medium"), level("MEDIUM"), false},
		"medium of the first Pro":                 {pro3, effort("medium"), level("HIGH"), false},
		"medium of a later Pro":                   {pro31, effort("medium"), level("MEDIUM"), false},
		"high":                                    {flash3, effort("high"), level("HIGH"), false},
		"more than high":                          {flash3, effort("xhigh"), level("HIGH"), true},
		"the most":                                {flash3, effort("max"), level("HIGH"), true},
		"of a model to come, by an alias":         {"gemini-flash-latest", effort("high"), level("HIGH"), false},
		"a budget where there are levels":         {flash3, budget(9000), level("MEDIUM"), false},
		"on where it is never off":                {flash3, on, "", false},
		"adaptive where it is never off":          {flash3, adaptive, "", false},
		"off where it is never off":               {flash3, off, level("MINIMAL"), true},
		"off of a Pro where it is never off":      {pro31, effort("none"), level("LOW"), true},
		"a word that is none, by level":           {flash3, effort("heroic"), "", true},
		"effort as a budget":                      {flash, effort("medium"), `"thinkingBudget":8192`, false},
		"little effort as a budget":               {flash, effort("minimal"), `"thinkingBudget":1024`, false},
		"much effort as a budget":                 {flash, effort("high"), `"thinkingBudget":24576`, false},
		"the most as a budget":                    {pro, effort("max"), `"thinkingBudget":32768`, false},
		"a budget":                                {flash, budget(2000), `"thinkingBudget":2000`, false},
		"a budget that is too small":              {lite, budget(100), `"thinkingBudget":512`, false},
		"a budget that is too large":              {flash, budget(100_000), `"thinkingBudget":24576`, true},
		"on, by budget":                           {flash, on, `"thinkingBudget":-1`, false},
		"adaptive, by budget":                     {lite, adaptive, `"thinkingBudget":-1`, false},
		"off, by budget":                          {flash, off, `"thinkingBudget":0`, false},
		"off, by effort":                          {lite, effort("none"), `"thinkingBudget":0`, false},
		"off of a Pro, by budget":                 {pro, off, `"thinkingBudget":128`, true},
		"a word that is none":                     {flash, effort("heroic"), "", true},
		"thoughts shown":                          {flash, chat.Thinking{Show: true}, `"includeThoughts":true`, false},
		"thoughts shown, by effort":               {flash3, chat.Thinking{Show: true, Effort: "low"}, level("LOW") + `,"includeThoughts":true`, false},
		"no thoughts to show":                     {flash, chat.Thinking{Show: true, Mode: chat.ThinkingOff}, `"thinkingBudget":0`, false},
		"of a model that does not think":          {old, effort("low"), "", true},
		"on of a model that does not think":       {old, on, "", true},
		"off of a model that does not think":      {old, off, "", false},
		"shown of a model that does not think":    {old, chat.Thinking{Show: true}, "", false},
		"of a model that makes pictures":          {"gemini-2.5-flash-image", effort("low"), "", true},
		"of a model that nothing is known of":     {"gemma-3-27b-it", effort("low"), "", true},
		"of a name that is no more than a prefix": {"gemini-", effort("low"), "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sentence{model: test.model, request: with(func(r *chat.Request) { r.Thinking = test.asked }), want: says}
			if test.want != "" {
				s.want += `,"generationConfig":{"thinkingConfig":{` + test.want + `}}`
			}
			if test.dropped {
				s.dropped = []string{"reasoning_effort"}
			}
			s.check(t)
		})
	}
}

func TestTheKeyStandsInAHeaderAndTheModelInThePath(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"gemini-2.5-flash":        "https://vendor.test/v1beta/models/gemini-2.5-flash:",
		"models/gemini-2.5-flash": "https://vendor.test/v1beta/models/gemini-2.5-flash:",
		"../x?key=1#é":            "https://vendor.test/v1beta/models/..%2Fx%3Fkey=1%23%C3%A9:",
	} {
		var got []*http.Request
		p := provider(func(r *http.Request) *http.Response {
			got = append(got, r)
			return answer("text/plain", strings.NewReader("data: "+okBody+"\r\n\r\n"))
		})
		to := target
		to.Model = model
		_, _ = p.Complete(t.Context(), to, talk(user("Hi"))) // the body is that of a stream; the request is what counts here
		if _, err := p.Stream(t.Context(), to, talk(user("Hi"))); err != nil {
			t.Fatalf("Stream: %v", err)
		}
		for i, method := range []string{"generateContent", "streamGenerateContent?alt=sse"} {
			r := got[i]
			if r.Method != http.MethodPost || r.URL.String() != want+method {
				t.Errorf("got %s %s, want POST %s", r.Method, r.URL, want+method)
			}
			if key := r.Header.Get("X-Goog-Api-Key"); key != "AIza-test" || strings.Contains(r.URL.String(), "AIza") {
				t.Errorf("got the key %q in the header and the URL %s", key, r.URL)
			}
		}
	}
}
