package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// oddBytes relays what means the same and is written otherwise: other line ends, padding, comments, white space around a body.
func (s *relaySuite) oddBytes(t *testing.T) {
	pad := []byte(": keep-alive\n\n")
	for name, change := range map[string]func([]byte) []byte{
		"CRLF":               func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) },
		"padded events":      func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("}\n"), []byte("}  \t \n")) },
		"comments between":   func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("data: {"), append(pad, "data: {"...)) },
		"no space in fields": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("data: "), []byte("data:")) },
		"more blank lines": func(b []byte) []byte { // what follows the end is nobody's
			return bytes.TrimSuffix(bytes.ReplaceAll(b, []byte("\n\n"), []byte("\n\n\n\n")), []byte("\n\n"))
		},
		"an event that nobody knows": func(b []byte) []byte {
			return append([]byte("event: news\nid: 7\nretry: 10\ndata: {\"x_unknown\":[1.50,\"\\u00fc\"]}\n\n"), b...)
		},
		"a byte order mark": func(b []byte) []byte { return append([]byte("\ufeff"), b...) },
		"white space around": func(b []byte) []byte {
			if bytes.HasPrefix(b, []byte("{")) {
				return append([]byte("\n     \n"), append(b, "\n \n"...)...)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, streamed := range []bool{false, true} {
				x := s.text(t, streamed)
				x.body = change(bytes.Clone(x.body))
				s.play(t, x)
			}
		})
	}
}

// withheld takes the frames that are marked as nothing but usage out of every good stream: the answer must be the same without them.
func (s *relaySuite) withheld(t *testing.T) {
	var seen int
	for _, c := range s.good(t, true) {
		x := exchangeOf(c)
		up := newUpstream(t, x, wayWhole)
		r := s.relayOf(t, newClient(t, wayWhole))
		frames, err := r.RelayStream(t.Context(), up.target(), outbound.Passage{Body: s.requestBody(x)})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		var kept []byte
		for f, err := range frames {
			switch {
			case err != nil:
				t.Fatalf("%s: %v", c.Name, err)
			case f.UsageOnly && (f.Usage == nil || f.Content || f.Comment), f.Comment && (f.Content || f.Usage != nil || f.Finish != ""):
				t.Errorf("%s: a frame is two things at once: %+v", c.Name, f)
			case f.UsageOnly:
				seen++
				continue
			}
			kept = append(kept, f.Raw...)
		}
		want := s.ask(t, x, wayWhole)
		x.body = kept
		got := s.ask(t, x, wayWhole)
		got.Usage, want.Usage = nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s without its frames of usage (-all +without):\n%s", c.Name, diff)
		}
	}
	if seen == 0 {
		t.Error("no frame of any wire case is nothing but usage")
	}
}

// splices sends bodies whose every byte must arrive, but for the model and the wish for usage.
func (s *relaySuite) splices(t *testing.T) {
	const own, wish = `"` + Model + `"`, `{"include_usage":true}`
	tests := map[string]struct{ body, want string }{
		"white space and order": {"{ \"b\" : 1 ,\n\t\"model\" : \"auto\" , \"stream\":true,\"stream_options\" : {\"include_usage\" : true }, \"a\":2}\n", ""},
		"numbers as written":    {`{"model":"auto","stream":true,"stream_options":` + wish + `,"temperature":1.0e0,"seed":123456789012345678901}`, ""},
		"escapes as written":    {`{"model":"auto","stream":true,"stream_options":` + wish + `,"x":"\u00fc\/<>&\ud83d\ude00 ü"}`, ""},
		"a model within":        {`{"m":{"model":"auto"},"model":"auto","stream":true,"stream_options":` + wish + `}`, `{"m":{"model":"auto"},"model":` + own + `,"stream":true,"stream_options":` + wish + `}`},
		"a name with escapes":   {`{"model":"a\u0075to \"x\"","stream":true,"stream_options":` + wish + `}`, `{"model":` + own + `,"stream":true,"stream_options":` + wish + `}`},
		"other options stay":    {`{"model":"auto","stream":true,"stream_options":{"include_usage":false,"include_obfuscation":false}}`, `{"model":` + own + `,"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}`},
		"no options, as null":   {`{"model":"auto","stream":true,"stream_options":null}`, `{"model":` + own + `,"stream":true,"stream_options":` + wish + `}`},
	}
	if s.dialect != chat.DialectOpenAIChat {
		s.splicesModel(t)
		return
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = strings.Replace(tt.body, `"auto"`, own, 1)
			}
			if got := s.sentFor(t, tt.body); string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	t.Run("no options at all", func(t *testing.T) {
		got := s.sentFor(t, `{ "x":1.0, "model":"auto","stream":true }`)
		var sent map[string]json.RawMessage
		if err := json.Unmarshal(got, &sent); err != nil {
			t.Fatal(err)
		}
		if len(sent) != 4 || string(sent["stream_options"]) != wish || string(sent["x"]) != "1.0" {
			t.Errorf("got %s, want stream_options added and nothing else", got)
		}
	})
}

// splicesModel sends bodies of dialects in which usage need not be asked for: nothing but the model may change, beside fields that are the relay's.
func (s *relaySuite) splicesModel(t *testing.T) {
	for name, rest := range map[string]string{
		"white space and order": " \"b\" : 1 ,\n\t\"a\":2 ", "numbers as written": `"temperature":1.0e0,"seed":123456789012345678901`,
		"escapes as written": `"x":"\u00fc\/<>&\ud83d\ude00 ü"`, "a model within": `"m":{"model":"auto"}`,
	} {
		t.Run(name, func(t *testing.T) {
			fixed := `"include":["reasoning.encrypted_content"],"store":false,`
			if s.dialect != chat.DialectResponses {
				fixed = ""
			}
			body := func(model string) string {
				return `{` + fixed + `"stream":true,"max_tokens":9, "model" : ` + model + `,` + rest + `}`
			}
			if got, want := string(s.sentFor(t, body(`"a\u0075to"`))), body(`"`+Model+`"`); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// sentFor gives what reaches the vendor for a body. The caller's own is not touched.
func (s *relaySuite) sentFor(t *testing.T, body string) []byte {
	t.Helper()
	up := newUpstream(t, s.text(t, true), wayWhole)
	r := s.relayOf(t, newClient(t, wayWhole))
	own := []byte(body)
	if _, err := relayCall(t.Context(), r, up.target(), own, true); err != nil {
		t.Fatal(err)
	}
	if string(own) != body {
		t.Error("the caller's body was changed")
	}
	up.checkCall(t)
	return up.sent[0].body
}

// crowdedFrames relays many bodies at once.
func (s *relaySuite) crowdedFrames(t *testing.T) {
	var answers []exchange
	for _, streamed := range []bool{false, true} {
		for _, c := range s.good(t, streamed) {
			answers = append(answers, exchangeOf(c))
		}
	}
	r := s.relayOf(t, newClient(t, wayWhole))
	crowd(t, answers, func(n int, to outbound.Target) {
		x := answers[n%len(answers)]
		got, err := relayCall(t.Context(), r, to, s.requestBody(x), x.streamed)
		if err != nil || !bytes.Equal(got.Raw, x.body) {
			t.Errorf("relay %d of many at once: got %d bytes and %v, want the %d of the body", n, len(got.Raw), err, len(x.body))
		}
	})
}

// refusals compares what a caller is told of a failure with what the translation tells, and looks at who is blamed for a call that was left.
func (s *relaySuite) refusals(t *testing.T) {
	for _, c := range s.cases {
		x := exchangeOf(c)
		if c.Status == http.StatusOK {
			continue
		}
		want := s.ask(t, x, wayWhole)
		up := newUpstream(t, x, wayWhole)
		r := s.relayOf(t, newClient(t, wayWhole))
		_, err := relayCall(t.Context(), r, up.target(), s.requestBody(x), x.streamed)
		var got outcome
		got.fail(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-translated +relayed):\n%s", c.Name, diff)
		}
	}
	x := s.text(t, true)
	stuck := s.stuck(t, x.body[:len(x.body)/2])
	r := s.relayOf(t, impatient(t))
	if out, err := relayCall(t.Context(), r, stuck.target(), s.requestBody(x), true); chat.ClassOf(err) != chat.ClassTimeout || !out.Yielded {
		t.Errorf("a vendor that falls silent within a stream: got %v, want timeout", err)
	}
	stuck.wantLeft(t)
}
