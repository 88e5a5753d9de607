package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// Result is what became of one scenario of the provider kit.
type Result string

// The results. Whoever lacks an ability says why in llm.Vendor.Lacks, and refuses whoever asks for it, or names what was dropped.
const (
	Pass   Result = "pass"
	Cannot Result = "cannot"
	Fail   Result = "FAIL"
)

// Scenarios is the provider kit: it tries every ability of llm.Ability with a vendor, and says what became of each.
//
// An ability of requests passes when what the caller asks for reaches the vendor, nothing is dropped, and a strict request is taken too. A vendor that
// lacks it refuses what cannot be left out with chat.ClassUnsupport, naming the field; the rest it drops and names, and a strict request is refused.
// An ability of answers passes when some wire case of the vendor shows it and is read so. What neither passes nor is declared fails the test.
func Scenarios(t *testing.T, vendor llm.Vendor) map[llm.Ability]Result {
	t.Helper()
	cases, err := simulator.ParseCases(vendor.Cases)
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{vendor: vendor, cases: cases, results: map[llm.Ability]Result{}}
	for _, sc := range scenarios(vendor) {
		k.run(t, sc.ability, func(t *testing.T) { k.request(t, sc) })
	}
	seen := k.answers(t)
	for _, ability := range llm.AnswerAbilities() {
		k.run(t, ability, func(t *testing.T) {
			if lacks := vendor.Lacks[ability] != ""; lacks == seen[ability] {
				t.Errorf("a wire case shows it: %t, the vendor says that it lacks it: %t", seen[ability], lacks)
			}
		})
	}
	for ability, why := range vendor.Lacks {
		if _, known := k.results[ability]; !known || why == "" {
			t.Errorf("%s lacks %q for the reason %q: no such ability, or no reason", vendor.Name, ability, why)
		}
	}
	return k.results
}

type kit struct {
	vendor  llm.Vendor
	cases   []simulator.Case
	results map[llm.Ability]Result
}

func (k *kit) run(t *testing.T, ability llm.Ability, try func(*testing.T)) {
	k.results[ability] = Pass
	if k.vendor.Lacks[ability] != "" {
		k.results[ability] = Cannot
	}
	if !t.Run(string(ability), try) {
		k.results[ability] = Fail
	}
}

// scenario asks for something.
type scenario struct {
	ability llm.Ability
	ask     func(r *chat.Request)
	beside  func(r *chat.Request) // what is asked for anyway; nil: nothing
	reaches []string              // strings or numbers of what is sent
	absent  []string              // what must not be in what is sent
	field   string                // what Dropped or Param names when it cannot be done: so, or something within it
	named   bool                  // Dropped names field though the ability is there, and a strict request is taken all the same
}

// request plays a scenario, whole and streamed.
func (k *kit) request(t *testing.T, sc scenario) {
	for _, streamed := range []bool{false, true} {
		without := neutral()
		if sc.beside != nil {
			sc.beside(without)
		}
		plain, _, _ := k.send(t, without, streamed)
		r := neutral()
		sc.ask(r)
		sent, dropped, err := k.send(t, r, streamed)
		strict := neutral()
		sc.ask(strict)
		strict.Strict = true
		_, _, strictly := k.send(t, strict, streamed)
		if k.vendor.Lacks[sc.ability] != "" {
			k.refused(t, sc, dropped, err, strictly)
			continue
		}
		if err != nil || strictly != nil {
			t.Fatalf("streamed %t: got %v, and %v where it is strict; want an answer", streamed, describe(err), describe(strictly))
		}
		if names := slices.ContainsFunc(dropped, sc.names); names != sc.named || len(dropped) > 0 && !names {
			t.Errorf("streamed %t: %q were dropped, want %s among them: %t", streamed, dropped, sc.field, sc.named)
		}
		if !sc.named && string(sent) == string(plain) {
			t.Errorf("streamed %t: what is sent is the same without it: %s", streamed, sent)
		}
		sc.arrives(t, sent)
	}
}

// arrives wants what the caller asks for in what was sent.
func (sc scenario) arrives(t *testing.T, sent []byte) {
	t.Helper()
	scalars := scalarsOf(sent)
	for _, text := range sc.reaches {
		if !slices.ContainsFunc(scalars, func(s string) bool { return strings.Contains(s, text) }) {
			t.Errorf("%s does not reach the vendor: %s", text, sent)
		}
	}
	for _, text := range sc.absent {
		if strings.Contains(string(sent), text) {
			t.Errorf("%s reaches the vendor", text)
		}
	}
}

// refused wants whoever asks for what the vendor lacks to be told.
func (k *kit) refused(t *testing.T, sc scenario, dropped []string, err, strictly error) {
	t.Helper()
	for _, e := range []error{err, strictly} {
		var o outcome
		o.fail(t, e)
		if e != nil && (o.Class != chat.ClassUnsupport || !sc.names(o.Param) || o.Message == "") {
			t.Errorf("got %s of %q: %q; want unsupported, naming %s", o.Class, o.Param, o.Message, sc.field)
		}
	}
	if strictly == nil && sc.ability != llm.ThinkingBack { // thoughts are nothing that the client asked for
		t.Error("a strict request was taken")
	}
	if err == nil && !slices.ContainsFunc(dropped, sc.names) {
		t.Errorf("%q were dropped, want %s among them", dropped, sc.field)
	}
}

// names reports whether a name is the scenario's field, or something within it.
func (sc scenario) names(name string) bool {
	rest, ok := strings.CutPrefix(name, sc.field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func describe(err error) string {
	f, ok := err.(*chat.Failure) //nolint:errorlint // the failure itself is promised
	if !ok {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%s %s %s", f.Class, f.Param, f.Message)
}

// send asks a vendor that answers with a text, by whichever API it is asked, and gives what it was sent.
func (k *kit) send(t *testing.T, r *chat.Request, streamed bool) (sent []byte, dropped []string, err error) {
	t.Helper()
	up := &upstream{}
	up.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, req *http.Request) {
		up.take(req)
		k.answerText(out, req, streamed)
	}))
	defer up.Close()
	to := up.target()
	to.Model = cmp.Or(k.vendor.Example, Model)
	p := k.vendor.New(newClient(t, wayWhole)).Provider
	var response *chat.Response
	if streamed {
		response, err = gather(p.Stream(t.Context(), to, r))
	} else {
		response, err = p.Complete(t.Context(), to, r)
	}
	if len(up.sent) > 0 {
		sent = up.sent[0].body
	}
	if err != nil {
		if len(up.sent) > 0 && chat.ClassOf(err) == chat.ClassUnsupport {
			t.Error("what cannot be done was sent")
		}
		return sent, nil, err
	}
	return sent, response.Dropped, nil
}

// answerText plays the first wire case of a text that fits what was asked for.
func (k *kit) answerText(out http.ResponseWriter, req *http.Request, streamed bool) {
	for _, c := range k.cases {
		fits := c.Status == http.StatusOK && c.Meta["want-class"] == "" && c.Meta["want-text"] != "" && lastWord(c.Path) == lastWord(req.URL.Path)
		if !fits || exchangeOf(c).streamed != streamed {
			continue
		}
		for name, values := range c.Header {
			out.Header()[name] = values
		}
		_, _ = out.Write(c.Body)
		return
	}
	http.Error(out, "there is no wire case of text for "+req.URL.Path, http.StatusTeapot)
}

func gather(stream chat.Stream, err error) (*chat.Response, error) {
	if err != nil {
		return nil, err
	}
	var g chat.Gatherer
	for c, err := range stream {
		if err != nil {
			return nil, err
		}
		g.Add(c)
	}
	return g.Response(), nil
}

// scalarsOf gives every name, string and number of a JSON text.
func scalarsOf(body []byte) []string {
	var all any
	if json.Unmarshal(body, &all) != nil {
		return []string{string(body)}
	}
	var out []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case float64:
			out = append(out, strconv.FormatFloat(v, 'g', -1, 64))
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for name, item := range v {
				out = append(out, name)
				walk(item)
			}
		}
	}
	walk(all)
	return out
}

// answers plays every wire case, and says which abilities they show.
func (k *kit) answers(t *testing.T) map[llm.Ability]bool {
	t.Helper()
	a := k.vendor.New(newClient(t, wayWhole))
	seen := map[llm.Ability]bool{
		llm.AnswersPassThrough: len(a.Relays) > 0,
		llm.AnswersEmbeddings:  a.Embedder != nil && k.tagged("embeddings"),
		llm.AnswersCount:       a.Counter != nil && k.tagged("count"),
		llm.AnswersModels:      a.Lister != nil && k.tagged("models"),
	}
	s := newProviderSuite(t, k.vendor, k.cases)
	for _, c := range s.cases {
		x := exchangeOf(c)
		up := newUpstream(t, x, wayWhole)
		o := call(t.Context(), t, a.Provider, outbound.Target{
			Provider: "conformance", Model: cmp.Or(k.vendor.Example, Model), Credential: "c1", Secret: secret.New(Key), BaseURL: up.URL,
		}, x.streamed)
		for _, ability := range shows(o, x, c) {
			seen[ability] = true
		}
	}
	return seen
}

func (k *kit) tagged(tag string) bool {
	return slices.ContainsFunc(k.cases, func(c simulator.Case) bool { return c.Tagged(tag) })
}

// shows lists what a wire case shows, by what was read of it.
func shows(o outcome, x exchange, c simulator.Case) []llm.Ability {
	var out []llm.Ability
	add := func(ability llm.Ability, is bool) {
		if is {
			out = append(out, ability)
		}
	}
	if o.Class != "" {
		add(llm.AnswersInvalid, c.Status == 400 && o.Class == chat.ClassInvalid)
		add(llm.AnswersAuth, o.Class == chat.ClassAuth)
		add(llm.AnswersNoModel, o.Class == chat.ClassNoModel)
		add(llm.AnswersRateLimit, o.Class == chat.ClassRateLimited)
		add(llm.AnswersServer, c.Status >= 500)
		add(llm.AnswersMidStream, x.streamed && o.Yielded && o.Class != chat.ClassCutOff)
		add(llm.AnswersCutOff, x.streamed && o.Class == chat.ClassCutOff)
		return out
	}
	first := &o.Choices[0]
	add(llm.AnswersText, o.Text != "" && !x.streamed)
	add(llm.AnswersStream, o.Text != "" && x.streamed)
	add(llm.AnswersTool, len(o.Tools) == 1)
	add(llm.AnswersTools, len(o.Tools) > 1)
	add(llm.AnswersNoArgs, slices.ContainsFunc(o.Tools, func(c chat.ToolCall) bool { return c.Arguments == "{}" }))
	add(llm.AnswersThinking, slices.ContainsFunc(first.Parts, func(p chat.Part) bool { return p.Kind == chat.PartThinking }))
	add(llm.AnswersCached, o.Usage != nil && o.Usage.CacheRead > 0)
	add(llm.AnswersLength, o.Finish == chat.FinishLength)
	add(llm.AnswersStop, first.StopSequence != "" || c.Tagged("stop-sequence"))
	add(llm.AnswersRefusal, o.Refusal != "" || o.Finish == chat.FinishContentFilter)
	add(llm.AnswersChoices, len(o.Choices) > 1)
	add(llm.AnswersLogprobs, len(first.Logprobs) > 0)
	add(llm.AnswersCitations, slices.ContainsFunc(first.Parts, func(p chat.Part) bool { return len(p.Citations) > 0 }))
	return out
}
