package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Relay is the suite of outbound.Relay. It plays the vendor's wire cases of a dialect, and the recordings named, through the relay and through
// translation, which translate names when the vendor's own Provider asks another API: bytes must come out as they went in, and the tap must read
// what the translation reads. recorded is as in Provider. It is for dialects that have streams; see WholeRelay for the others.
func Relay(t *testing.T, vendor llm.Vendor, dialect chat.Dialect, translate func(*http.Client) outbound.Provider, recorded ...string) {
	wantNoGoroutines(t)
	cases, err := simulator.ParseCases(vendor.Cases)
	if err != nil {
		t.Fatal(err)
	}
	if translate != nil {
		made := vendor.New
		vendor.New = func(client *http.Client) outbound.Abilities {
			a := made(client)
			a.Provider = translate(client)
			return a
		}
	}
	s := &relaySuite{providerSuite: *newProviderSuite(t, vendor, cases), dialect: dialect}
	t.Run("wire cases", func(t *testing.T) {
		for _, c := range s.cases {
			t.Run(c.Name, func(t *testing.T) { s.play(t, exchangeOf(c)) })
		}
	})
	for _, api := range recorded {
		t.Run("recordings of "+api, func(t *testing.T) {
			for _, r := range Recordings(t, api) {
				t.Run(r.ID, func(t *testing.T) { s.play(t, r.exchange) })
			}
		})
	}
	t.Run("an answer that breaks off is never taken for whole", s.cutFrames)
	t.Run("a body that can be read in two ways is refused unsent", s.ambiguous)
	t.Run("bytes that are written oddly", s.oddBytes)
	if dialect == chat.DialectOpenAIChat {
		t.Run("nothing is lost with the frames of usage", s.withheld)
	}
	t.Run("a request arrives byte for byte", s.splices)
	t.Run("failures are those of the translation", s.refusals)
	t.Run("many relays at once mix nothing up", s.crowdedFrames)
	t.Run("plain answers are read for keeping", s.kept)
	t.Run("leaving ends the upstream call", s.leaves)
}

type relaySuite struct {
	providerSuite
	dialect chat.Dialect
}

// relayOf makes the relay under test.
func (s *relaySuite) relayOf(t *testing.T, client *http.Client) outbound.Relay {
	t.Helper()
	a := s.vendor.New(client)
	r := a.Relay(s.dialect)
	if r == nil {
		t.Fatalf("%s makes no relay of %s", s.vendor.Name, s.dialect)
	}
	return r
}

// relayed is what came of a relayed call.
type relayed struct {
	Raw     []byte
	Model   string
	Finish  chat.Finish
	Usage   *chat.Usage
	Class   chat.Class
	Yielded bool // the failure came out of the frames
	Content bool
	Reading outbound.Reading
}

// play relays an exchange in every way and compares with what the provider makes of it.
func (s *relaySuite) play(t *testing.T, x exchange) {
	t.Helper()
	want := s.ask(t, x, wayWhole)
	for _, w := range []way{wayWhole, wayBytes, wayPieces} {
		got := s.relay(t, x, w)
		if got.Class != want.Class {
			t.Errorf("%s: got the class %q, want %q as by translation", w, got.Class, want.Class)
		}
		if want.Class != "" {
			if got.Yielded != want.Yielded {
				t.Errorf("%s: the failure was yielded: %t, want %t: what fails before the first event is an error of the call", w, got.Yielded, want.Yielded)
			}
			if !bytes.HasPrefix(x.body, got.Raw) {
				t.Errorf("%s: what was passed on before the failure is not the beginning of the body", w)
			}
			continue
		}
		if !bytes.Equal(got.Raw, x.body) {
			t.Errorf("%s: %d bytes were passed on, want the %d of the body unchanged", w, len(got.Raw), len(x.body))
		}
		if got.Finish != want.Finish || got.Model != want.Model || !reflect.DeepEqual(got.Usage, want.Usage) {
			t.Errorf("%s: the tap read %s, %s, %+v; the translation %s, %s, %+v", w, got.Finish, got.Model, got.Usage, want.Finish, want.Model, want.Usage)
		}
		if x.streamed && got.Content != (want.Text+want.Refusal != "" || len(want.Tools) > 0) && want.Text+want.Refusal != "" {
			t.Errorf("%s: content was seen: %t", w, got.Content)
		}
		checkReading(t, w, got.Reading, want)
	}
}

// kept wants the neutral form to hold answers that are nothing but text. What a vendor tells beside an answer, it may tell with any of them.
func (s *relaySuite) kept(t *testing.T) {
	for _, streamed := range []bool{false, true} {
		held := 0
		for _, c := range s.good(t, streamed) {
			if got := s.relay(t, exchangeOf(c), wayWhole).Reading; c.Tagged("text") && got.Response != nil && got.Complete {
				held++
			}
		}
		if held == 0 {
			t.Errorf("streamed %t: no wire case of text is held by the neutral form", streamed)
		}
	}
}

// checkReading fails the test unless an answer that was read for keeping says what the translation says, or is said to hold more than that.
func checkReading(t *testing.T, w way, got outbound.Reading, want outcome) {
	t.Helper()
	r := got.Response
	if r == nil {
		return
	}
	var read outcome
	read.see(r)
	if diff := cmp.Diff(want, read, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(outcome{}, "Yielded")); diff != "" {
		t.Errorf("%s: what was read for keeping is not what the translation reads (-translated +read):\n%s", w, diff)
	}
	if own := want.Finish == chat.FinishStop || want.Finish == chat.FinishToolCalls; got.Complete != own {
		t.Errorf("%s: an answer that finished with %s is complete: %t", w, want.Finish, got.Complete)
	}
}

// relay passes the exchange's own request through, and checks what reaches the vendor.
func (s *relaySuite) relay(t *testing.T, x exchange, w way) relayed {
	t.Helper()
	up := newUpstream(t, x, w)
	r := s.relayOf(t, newClient(t, w))
	body := s.requestBody(x)
	out, err := relayCall(t.Context(), r, up.target(), body, x.streamed)
	if err != nil {
		f, ok := err.(*chat.Failure) //nolint:errorlint // the failure itself is promised, not one within another
		if !ok {
			t.Fatalf("got the error %v of type %T, want a *chat.Failure", err, err)
		}
		out.Class = f.Class
		if strings.Contains(f.Error()+f.Message+f.Code+f.Param, Key) {
			t.Error("the failure tells the key")
		}
	}
	up.checkCall(t)
	s.checkSent(t, body, up.sent[0].body, x.streamed)
	return out
}

// requestBody is the exchange's own request with a stream field as the call has it, or a small one with fields that nobody knows.
func (s *relaySuite) requestBody(x exchange) []byte {
	if json.Valid(x.request) && len(x.request) > 2 && x.request[0] == '{' && isStream("", x.request) == x.streamed {
		return x.request
	}
	turns := map[chat.Dialect]string{chat.DialectResponses: "input"}[s.dialect]
	if turns == "" {
		turns = "messages"
	}
	if x.streamed {
		return []byte(`{ "model":"auto", "max_tokens":9, "x_unknown":{"model":"inner"}, "` + turns + `":[{"role":"user","content":"Gr\u00fc\u00dfe"}], "stream":true }`)
	}
	return []byte(`{"x_unknown":[1.50,1e3],"max_tokens":9,"` + turns + `":[{"role":"user","content":"hi"}],"model" : "auto"}`)
}

func relayCall(ctx context.Context, r outbound.Relay, to outbound.Target, body []byte, streamed bool) (relayed, error) {
	var out relayed
	if !streamed {
		a, err := r.RelayWhole(ctx, to, outbound.Passage{Body: body})
		if err != nil {
			return out, err
		}
		return relayed{Raw: a.Body, Model: a.Model, Finish: a.Finish, Usage: a.Usage, Content: true, Reading: r.Read(a.Body)}, nil
	}
	frames, err := r.RelayStream(ctx, to, outbound.Passage{Body: body})
	if err != nil {
		return out, err
	}
	add, read := r.Gather()
	for f, err := range frames {
		if err != nil {
			out.Yielded = true
			return out, err
		}
		add(f.Raw)
		out.Raw = append(out.Raw, f.Raw...)
		out.Content = out.Content || f.Content
		if f.Model != "" {
			out.Model = f.Model
		}
		if f.Finish != "" && out.Finish == "" {
			out.Finish = f.Finish
		}
		if f.Usage != nil {
			u := *f.Usage
			out.Usage = &u
		}
	}
	out.Reading = read()
	return out, nil
}

// mayChange are the fields that a relay may add or change beside the model: what the vendor must be asked for so that usage is known, or so that
// Forge can keep the state that the vendor does not.
var mayChange = map[chat.Dialect][]string{
	chat.DialectOpenAIChat: {"stream_options"}, chat.DialectResponses: {"store", "include", "previous_response_id"},
}

// checkSent fails the test unless the vendor got the caller's body with another model and, for a chat stream, the usage asked for.
func (s *relaySuite) checkSent(t *testing.T, body, sent []byte, streamed bool) {
	t.Helper()
	var was, is map[string]json.RawMessage
	if err := json.Unmarshal(body, &was); err != nil {
		t.Fatalf("the request of the case: %v", err)
	}
	if err := json.Unmarshal(sent, &is); err != nil {
		t.Fatalf("what was sent: %v", err)
	}
	if string(is["model"]) != `"`+Model+`"` {
		t.Errorf("the model sent is %s, want %s", is["model"], Model)
	}
	if streamed && s.dialect == chat.DialectOpenAIChat {
		var o map[string]any
		if json.Unmarshal(is["stream_options"], &o) != nil || o["include_usage"] != true {
			t.Errorf("stream_options sent are %s, want usage asked for", is["stream_options"])
		}
	}
	for name, value := range was {
		if name != "model" && !slices.Contains(mayChange[s.dialect], name) && !bytes.Equal(value, is[name]) {
			t.Errorf("the field %s was changed", name)
		}
	}
	for name := range is {
		if _, there := was[name]; !there && name != "model" && !slices.Contains(mayChange[s.dialect], name) {
			t.Errorf("the field %s was added", name)
		}
	}
}

// cutFrames breaks good streams off in many places.
func (s *relaySuite) cutFrames(t *testing.T) {
	for _, c := range s.good(t, true) {
		x := exchangeOf(c)
		for _, at := range cuts(len(x.body)) {
			for _, abort := range []bool{false, true} {
				cut := x
				cut.body, cut.abort = x.body[:at], abort
				if want, got := s.ask(t, cut, wayWhole), s.relay(t, cut, wayWhole); (got.Class == "") != (want.Class == "") {
					t.Errorf("%s cut at byte %d of %d (connection broken: %t): got %q, want %q as by translation", c.Name, at, len(x.body), abort, got.Class, want.Class)
				}
			}
		}
	}
}

func (s *relaySuite) ambiguous(t *testing.T) {
	for _, body := range []string{``, `[]`, `{"model":"a"`, `{"model":"a","model":"b"}`, `{"model":"a","mod\u0065l":"b"}`, `{"model":"a","stream":true,"stream":false}`} {
		for _, streamed := range []bool{false, true} {
			up := newUpstream(t, exchange{status: 200}, wayWhole)
			r := s.relayOf(t, newClient(t, wayWhole))
			_, err := relayCall(t.Context(), r, up.target(), []byte(body), streamed)
			if chat.ClassOf(err) != chat.ClassInvalid {
				t.Errorf("%q: got %v, want invalid_request", body, err)
			}
			if len(up.sent) != 0 {
				t.Errorf("%q was sent", body)
			}
		}
	}
}

func (s *relaySuite) leaves(t *testing.T) {
	x := s.text(t, true)
	stuck := s.stuck(t, x.body[:len(x.body)/2])
	r := s.relayOf(t, newClient(t, wayWhole))
	frames, err := r.RelayStream(t.Context(), stuck.target(), outbound.Passage{Body: s.requestBody(x)})
	if err != nil {
		t.Fatalf("the first half of a stream: %v", err)
	}
	for range frames {
		break
	}
	stuck.wantLeft(t)
}
