package conformance

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/ports/outbound"
)

// more is an ability beside the answering of prompts, asked once: what it gives, in words that a wire case can expect, and how it fails.
type more func(ctx context.Context, a outbound.Abilities, to outbound.Target, w want) (got want, err error)

// Embedder is the suite of outbound.Embedder. It plays the vendor's wire cases with the tag embeddings, whose expectations are
//
//	want-vectors    the number of vectors; as many inputs are sent
//	want-dimensions of each vector
//	want-input      tokens; left out: the vendor does not say
//	want-class      of a failure
//
// recorded is as in Provider: of recordings nothing is known but that they are read or fail by their status.
func Embedder(t *testing.T, vendor llm.Vendor, recorded ...string) {
	playMore(t, vendor, "embeddings", embed)
	for _, api := range recorded {
		for _, r := range Recordings(t, api) {
			t.Run(r.ID, func(t *testing.T) {
				n := max(countOf(r.request, "input"), countOf(r.request, "requests"), 1)
				up := newUpstream(t, r.exchange, wayWhole)
				got, err := embed(t.Context(), vendor.New(newClient(t, wayWhole)), up.target(), want{"vectors": strconv.Itoa(n)})
				switch {
				case r.Status != http.StatusOK && !slices.Contains(classes[r.Status], chat.ClassOf(err)):
					t.Errorf("got %v for status %d", err, r.Status)
				case r.Status == http.StatusOK && (err != nil || got["vectors"] != strconv.Itoa(n)):
					t.Errorf("got %s vectors and %v, want %d", got["vectors"], err, n)
				}
			})
		}
	}
}

// countOf counts the items of a member that is a list. Numbers are the tokens of one text.
func countOf(body []byte, member string) int {
	for _, part := range jsonParts(body) {
		if list, ok := part[member].([]any); ok && len(list) > 0 {
			if _, tokens := list[0].(float64); tokens {
				return 1
			}
			return len(list)
		}
	}
	return 0
}

func embed(ctx context.Context, a outbound.Abilities, to outbound.Target, w want) (want, error) {
	n, _ := strconv.Atoi(w["vectors"])
	r := &embedding.Request{}
	for i := range max(n, 1) {
		r.Inputs = append(r.Inputs, greeting+strconv.Itoa(i))
	}
	out, err := a.Embedder.Embed(ctx, to, r)
	if err != nil {
		return nil, err
	}
	got := want{"vectors": strconv.Itoa(len(out.Vectors))}
	if w["dimensions"] != "" && len(out.Vectors) > 0 {
		got["dimensions"] = strconv.Itoa(len(out.Vectors[0]))
	}
	if out.Usage != nil {
		got["input"] = strconv.Itoa(out.Usage.Input)
	}
	return got, nil
}

// Counter is the suite of outbound.Counter. It plays the vendor's wire cases with the tag count, whose expectations are want-count, or want-class.
func Counter(t *testing.T, vendor llm.Vendor) {
	playMore(t, vendor, "count", func(ctx context.Context, a outbound.Abilities, to outbound.Target, _ want) (want, error) {
		n, err := a.Counter.Count(ctx, to, neutral())
		return want{"count": strconv.Itoa(n)}, err
	})
}

// Lister is the suite of outbound.Lister. It plays the vendor's wire cases with the tag models, whose expectations are want-models, a comma list, or
// want-class.
func Lister(t *testing.T, vendor llm.Vendor) {
	playMore(t, vendor, "models", func(ctx context.Context, a outbound.Abilities, to outbound.Target, _ want) (want, error) {
		names, err := a.Lister.List(ctx, to)
		return want{"models": strings.Join(names, ",")}, err
	})
}

// playMore plays the wire cases of a tag in every way, and what holds of every call.
func playMore(t *testing.T, vendor llm.Vendor, tag string, ask more) {
	t.Helper()
	wantNoGoroutines(t)
	cases, err := simulator.ParseCases(vendor.Cases)
	if err != nil {
		t.Fatal(err)
	}
	good := 0
	for _, c := range cases {
		if !c.Tagged(tag) {
			continue
		}
		w := want{}
		for key, value := range c.Meta {
			if name, ok := strings.CutPrefix(key, "want-"); ok {
				w[name] = value
			}
		}
		if w["class"] == "" {
			good++
		}
		t.Run(c.Name, func(t *testing.T) { playOne(t, vendor, c, w, ask) })
	}
	if good == 0 {
		t.Fatalf("%s has no wire case of a good answer with the tag %s", vendor.Name, tag)
	}
	t.Run("what goes wrong is typed, and tells no key", func(t *testing.T) { faultsOfMore(t, vendor, ask) })
}

func playOne(t *testing.T, vendor llm.Vendor, c simulator.Case, w want, ask more) {
	t.Helper()
	for _, way := range []way{wayWhole, wayBytes, wayPieces} {
		up := newUpstream(t, exchangeOf(c), way)
		got, err := ask(t.Context(), vendor.New(newClient(t, way)), up.target(), w)
		if w["class"] != "" {
			if string(chat.ClassOf(err)) != w["class"] {
				t.Errorf("%s: got %v, want %s", way, err, w["class"])
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		for name, value := range got {
			if value != w[name] {
				t.Errorf("%s: %s: got %s, want %s", way, name, value, w[name])
			}
		}
		if sent := up.sent[0]; strings.Contains(sent.url, Key) || strings.Contains(string(sent.body), Key) {
			t.Error("the key is in the URL or the body")
		}
	}
}

// faultsOfMore has the vendor answer what it should not, break off, and fall silent; and the caller leave.
func faultsOfMore(t *testing.T, vendor llm.Vendor, ask more) {
	plain := http.Header{"Content-Type": {"application/json"}}
	for name, lie := range map[string]struct {
		exchange
		class chat.Class
	}{
		"HTML":     {exchange{status: 200, header: http.Header{"Content-Type": {"text/html"}}, body: []byte("<html>")}, chat.ClassBadResponse},
		"nothing":  {exchange{status: 200, header: plain}, chat.ClassBadResponse},
		"null":     {exchange{status: 200, header: plain, body: []byte("null")}, chat.ClassBadResponse},
		"401":      {exchange{status: 401, header: plain}, chat.ClassAuth},
		"429":      {exchange{status: 429, header: plain}, chat.ClassRateLimited},
		"500":      {exchange{status: 500, header: plain}, chat.ClassServer},
		"cut off":  {exchange{status: 200, header: plain, body: []byte(`{"data":[{`), abort: true}, chat.ClassCutOff},
		"redirect": {exchange{status: 302, header: http.Header{"Location": {"http://127.0.0.1:1"}}}, chat.ClassBadResponse},
	} {
		up := newUpstream(t, lie.exchange, wayWhole)
		_, err := ask(t.Context(), vendor.New(newClient(t, wayWhole)), up.target(), want{})
		var o outcome
		o.fail(t, err)
		if o.Class != lie.class {
			t.Errorf("%s: got %v, want %s", name, err, lie.class)
		}
	}
	s := &providerSuite{vendor: vendor}
	stuck := s.stuck(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-stuck.arrived
		cancel()
	}()
	if _, err := ask(ctx, vendor.New(newClient(t, wayWhole)), stuck.target(), want{}); chat.ClassOf(err) != chat.ClassCanceled {
		t.Errorf("the caller leaves: got %v, want canceled", err)
	}
	stuck.wantLeft(t)
}

// WholeRelay is the suite of an outbound.Relay whose dialect has no streams. It plays the vendor's wire cases with the tag.
func WholeRelay(t *testing.T, vendor llm.Vendor, dialect chat.Dialect, tag string) {
	wantNoGoroutines(t)
	cases, err := simulator.ParseCases(vendor.Cases)
	if err != nil {
		t.Fatal(err)
	}
	s := &relaySuite{providerSuite: providerSuite{vendor: vendor}, dialect: dialect}
	played := 0
	for _, c := range cases {
		if !c.Tagged(tag) {
			continue
		}
		played++
		t.Run(c.Name, func(t *testing.T) {
			for _, w := range []way{wayWhole, wayBytes, wayPieces} {
				got := s.relay(t, exchangeOf(c), w)
				if string(got.Class) != c.Meta["want-class"] {
					t.Errorf("%s: got the class %q, want %q", w, got.Class, c.Meta["want-class"])
				}
				if got.Class == "" && string(got.Raw) != string(c.Body) {
					t.Errorf("%s: the body was changed", w)
				}
			}
		})
	}
	if played == 0 {
		t.Fatalf("%s has no wire case with the tag %s", vendor.Name, tag)
	}
	t.Run("there are no streams", func(t *testing.T) {
		up := newUpstream(t, exchange{status: 200}, wayWhole)
		if _, err := s.relayOf(t, newClient(t, wayWhole)).RelayStream(t.Context(), up.target(), outbound.Passage{Body: []byte(`{"model":"m"}`)}); chat.ClassOf(err) != chat.ClassUnsupport {
			t.Errorf("got %v, want unsupported", err)
		}
	})
}
