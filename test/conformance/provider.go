package conformance

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/ports/outbound"
)

// Provider is the suite of outbound.Provider. It plays the vendor's own wire cases, each one whole, byte by byte and cut at random places, and
// then an upstream that lies, breaks off, falls silent, and does not end. recorded names the recordings that are played as well, as
// vendor/api, such as openai/chat: they are read in place from the folder that FORGE_WIRE_FIXTURES names. A private provider proves itself with
//
//	func TestConformance(t *testing.T) { conformance.Provider(t, acme.Vendor) }
//
// and a decorator with a llm.Vendor whose New wraps.
//
// A wire case is a file *.http, in the form that simulator.ParseCases reads. What is to become of it stands in front, as "# want-KEY: value"; at least
// want-class or want-finish, and what is not stated must be empty or 0:
//
//	want-text, want-refusal              what the client sees; of a stream that fails, what came before
//	want-tools                           the calls, as [{"id","name","arguments":{}}]; without id any will do
//	want-finish                          a chat.Finish
//	want-input, want-output              tokens as chat.Usage counts them
//	want-cache-read, want-cache-write, want-reasoning, want-cost-nanos
//	want-class, want-retry-after         of a failure: a chat.Class, and a duration such as 17s
//	want-message, want-code, want-param  the vendor's words about the caller's request
//	want-model                           as the vendor names it
//
// Some cases are needed: a good answer tagged text, whole and streamed, and a 400 of class invalid_request whose message is passed on.
//
// Cases tagged embeddings, count or models are no answers to chats. Embedder, Counter and Lister play them, and say what is to be expected of them.
func Provider(t *testing.T, vendor llm.Vendor, recorded ...string) {
	wantNoGoroutines(t)
	cases, err := simulator.ParseCases(vendor.Cases)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no wire cases", vendor.Name)
	}
	s := newProviderSuite(t, vendor, cases)
	t.Run("wire cases", s.playCases)
	t.Run("an answer that breaks off is never taken for whole", s.cutAnswers)
	t.Run("a broken or lying vendor", s.lies)
	t.Run("an endless line is read", s.longLine)
	t.Run("what the vendor says about the caller's request is passed on, but no secret", s.scrubs)
	t.Run("no redirect is followed", s.redirects)
	t.Run("a vendor that cannot be reached", s.unreachable)
	t.Run("silence ends by the timeout", s.silence)
	t.Run("leaving ends the upstream call", s.leaving)
	t.Run("who ends a call is told apart", s.interruptions)
	t.Run("a base URL with and without a slash", s.baseURLs)
	t.Run("many calls at once mix nothing up", s.crowded)
	for _, api := range recorded {
		t.Run("recordings of "+api, func(t *testing.T) { s.playRecordings(t, api) })
	}
}

// providerSuite is a vendor under test.
type providerSuite struct {
	vendor llm.Vendor
	cases  []simulator.Case // of the API that the provider asks
}

// Answers gives the bodies of what a vendor answers in its own wire cases, for fuzzers to begin with.
func Answers(t testing.TB, vendor llm.Vendor) [][]byte {
	t.Helper()
	cases, err := simulator.ParseCases(vendor.Cases)
	if err != nil || len(cases) == 0 {
		t.Fatalf("%s has %d wire cases: %v", vendor.Name, len(cases), err)
	}
	bodies := make([][]byte, len(cases))
	for i, c := range cases {
		bodies[i] = c.Body
	}
	return bodies
}

// newProviderSuite keeps the cases of the API that the provider asks. A vendor may have others, which its relays and its embedder are shown.
func newProviderSuite(t *testing.T, vendor llm.Vendor, cases []simulator.Case) *providerSuite {
	t.Helper()
	s := &providerSuite{vendor: vendor}
	asked := map[string]bool{}
	for _, streamed := range []bool{false, true} {
		up := newUpstream(t, exchange{status: http.StatusBadRequest}, wayWhole)
		call(t.Context(), t, s.provider(t, wayWhole), up.target(), streamed)
		up.mu.Lock()
		for _, sent := range up.sent {
			asked[lastWord(sent.url)] = true
		}
		up.mu.Unlock()
	}
	for _, c := range cases {
		if asked[lastWord(c.Path)] {
			s.cases = append(s.cases, c)
		}
	}
	if len(s.cases) == 0 {
		t.Fatalf("%s has no wire case of what it asks for: %v", vendor.Name, asked)
	}
	return s
}

// ask plays an exchange to a fresh provider and checks what holds for every call: one attempt, and a key that goes nowhere but into a header.
func (s *providerSuite) ask(t *testing.T, x exchange, w way) outcome {
	t.Helper()
	up := newUpstream(t, x, w)
	provider := s.provider(t, w)
	o := call(t.Context(), t, provider, up.target(), x.streamed)
	up.checkCall(t)
	return o
}

func (s *providerSuite) provider(t *testing.T, w way) outbound.Provider {
	t.Helper()
	p := s.vendor.New(newClient(t, w)).Provider
	if p == nil {
		t.Fatalf("%s makes no provider", s.vendor.Name)
	}
	return p
}

func (s *providerSuite) playCases(t *testing.T) {
	for _, c := range s.cases {
		t.Run(c.Name, func(t *testing.T) {
			want := wantOf(t, c.Meta)
			s.playInEveryWay(t, exchangeOf(c), func(t *testing.T, got outcome) { want.check(t, got) })
		})
	}
}

// playInEveryWay checks the answer that comes whole, and then that it is the same however it comes.
func (s *providerSuite) playInEveryWay(t *testing.T, x exchange, check func(*testing.T, outcome)) {
	t.Helper()
	whole := s.ask(t, x, wayWhole)
	check(t, whole)
	for _, w := range []way{wayBytes, wayPieces} {
		if diff := cmp.Diff(whole, s.ask(t, x, w)); diff != "" {
			t.Errorf("%s changes the answer (-whole +cut):\n%s", w, diff)
		}
	}
}

// good gives the cases that end in an answer, streamed or whole.
func (s *providerSuite) good(t *testing.T, streamed bool) []simulator.Case {
	t.Helper()
	var out []simulator.Case
	for _, c := range s.cases {
		if x := exchangeOf(c); x.streamed == streamed && c.Status == 200 && c.Meta["want-class"] == "" {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no wire case of a good answer, streamed: %t", s.vendor.Name, streamed)
	}
	return out
}

// text gives the first good case that carries text.
func (s *providerSuite) text(t *testing.T, streamed bool) exchange {
	t.Helper()
	for _, c := range s.good(t, streamed) {
		if c.Tagged("text") && len(c.Meta["want-text"]) > 4 {
			return exchangeOf(c)
		}
	}
	t.Fatalf("%s has no wire case tagged text, streamed: %t", s.vendor.Name, streamed)
	return exchange{}
}

// wantOf reads a wire case's expectations: what is not stated must be empty, but for counts of a failure and for costs.
func wantOf(t *testing.T, meta map[string]string) want {
	t.Helper()
	w := want{}
	for key, value := range meta {
		name, ok := strings.CutPrefix(key, "want-")
		if !ok {
			continue
		}
		if _, known := views[name]; !known && name != "tools" {
			t.Fatalf("# %s: no such expectation", key)
		}
		w[name] = value
	}
	if w["class"] == "" && w["finish"] == "" {
		t.Fatal("the case states neither want-class nor want-finish")
	}
	return w
}

// exchangeOf makes an exchange of a wire case.
func exchangeOf(c simulator.Case) exchange {
	return exchange{
		status: c.Status, header: c.Header, body: c.Body, request: c.RequestBody,
		streamed: isStream(c.Path, c.RequestBody), method: lastWord(c.Path),
	}
}

// isStream reports whether a request asks for a stream: in its body, or, at Gemini and at Bedrock, in its path.
func isStream(path string, body []byte) bool {
	return strings.Contains(path, ":stream") || strings.HasSuffix(path, "-stream") || bytes.Contains(bytes.ReplaceAll(body, []byte(" "), nil), []byte(`"stream":true`))
}

// lastWord is the last word of a path, which does not depend on the base URL or the model.
func lastWord(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path[strings.LastIndexAny(path, "/:")+1:]
}
