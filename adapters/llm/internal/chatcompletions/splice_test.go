package chatcompletions

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestSpliceChangesTheModelAndTheUsageOptionAndNothingElse(t *testing.T) {
	tests := map[string]struct {
		body, want string
		stream     bool
	}{
		"the model":                {`{"model":"auto","x":1}`, `{"model":"m","x":1}`, false},
		"a model that is missing":  {`{ "x" : 1 }`, `{"model":"m", "x" : 1 }`, false},
		"an empty object":          {`{}`, `{"model":"m"}`, false},
		"white space and order":    {"\n {\"b\":[1, 2],\t\"model\" : \"auto\" , \"a\":null}\n", "\n {\"b\":[1, 2],\t\"model\" : \"m\" , \"a\":null}\n", false},
		"a model further in":       {`{"a":{"model":"x"},"model":"auto"}`, `{"a":{"model":"x"},"model":"m"}`, false},
		"an escaped key":           {`{"mod\u0065l":"auto"}`, `{"mod\u0065l":"m"}`, false},
		"a model that is null":     {`{"model":null}`, `{"model":"m"}`, false},
		"escapes elsewhere":        {`{"model":"a","t":"\u00e9\/\ud83d\ude00"}`, `{"model":"m","t":"\u00e9\/\ud83d\ude00"}`, false},
		"a stream without options": {`{"model":"a","stream":true}`, `{"stream_options":{"include_usage":true},"model":"m","stream":true}`, true},
		"options that are null":    {`{"stream_options":null,"model":"a"}`, `{"stream_options":{"include_usage":true},"model":"m"}`, true},
		"options that are empty":   {`{"model":"a","stream_options":{ }}`, `{"model":"m","stream_options":{"include_usage":true }}`, true},
		"options of others":        {`{"model":"a","stream_options":{"x":2}}`, `{"model":"m","stream_options":{"include_usage":true,"x":2}}`, true},
		"usage switched off":       {`{"model":"a","stream_options":{"x":1, "include_usage" : false}}`, `{"model":"m","stream_options":{"x":1, "include_usage" : true}}`, true},
		"usage asked for":          {`{"model":"a","stream_options":{"include_usage":true}}`, `{"model":"m","stream_options":{"include_usage":true}}`, true},
		"neither":                  {`{"stream":true}`, `{"model":"m","stream_options":{"include_usage":true},"stream":true}`, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			body := []byte(tc.body)
			got, _, err := Flavour{}.splice(body, "m", tc.stream)
			if err != nil {
				t.Fatal(err)
			}
			if tc.body == `{}` || tc.body == `{"stream":true}` { // which member goes first does not matter
				var a, b any
				_, _ = json.Unmarshal(got, &a), json.Unmarshal([]byte(tc.want), &b)
				if d := cmp.Diff(b, a); d != "" {
					t.Errorf("(-want +got):\n%s\n%s", d, got)
				}
			} else if string(got) != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if string(body) != tc.body {
				t.Error("the body itself was changed")
			}
		})
	}
}

func TestSpliceRefusesWhatCouldBeReadInTwoWays(t *testing.T) {
	tests := map[string]struct{ body, param string }{
		"no JSON":                    {`{"model":`, ""},
		"an array":                   {`[{"model":"a"}]`, ""},
		"a string":                   {`"model"`, ""},
		"nothing":                    {``, ""},
		"two models":                 {`{"model":"a","model":"b"}`, "model"},
		"two models, one escaped":    {`{"model":"a","\u006dodel":"b"}`, "model"},
		"two streams":                {`{"model":"a","stream":true,"stream":false}`, "stream"},
		"two options":                {`{"stream_options":{},"model":"a","stream_options":{}}`, "stream_options"},
		"two usages":                 {`{"model":"a","stream_options":{"include_usage":true,"include_usage":false}}`, "include_usage"},
		"options that are no object": {`{"model":"a","stream_options":[1]}`, "stream_options"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Flavour{}.splice([]byte(tc.body), "m", true)
			f, ok := errors.AsType[*chat.Failure](err)
			if !ok || f.Class != chat.ClassInvalid || f.Param != tc.param {
				t.Errorf("got %v, want an invalid request naming %q", err, tc.param)
			}
		})
	}
}

func FuzzSplice(f *testing.F) {
	for _, s := range []string{
		`{"model":"auto","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":false}}`,
		`{"a":{"model":1},"model":"x"}`, ` { } `, `{"mod\u0065l":null}`, `{"stream_options":null}`, `[]`, `{"model":{"deep":[{}]}}`,
	} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, stream bool) {
		got, _, err := Flavour{}.splice(body, "p/m", stream)
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatalf("%q was taken: %v", body, err)
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q, which is no JSON: %v", body, got, err)
		}
		if string(after["model"]) != `"p/m"` {
			t.Fatalf("%q became %q, whose model is another", body, got)
		}
		if stream {
			var o map[string]json.RawMessage
			if err := json.Unmarshal(after["stream_options"], &o); err != nil || string(o["include_usage"]) != "true" {
				t.Fatalf("%q became %q, which asks for no usage", body, got)
			}
		}
		for k, v := range before {
			if k != "model" && k != "stream_options" && !bytes.Equal(v, after[k]) {
				t.Fatalf("%q became %q: %s changed", body, got, k)
			}
		}
	})
}

func BenchmarkSplice(b *testing.B) {
	for name, size := range map[string]int{"4KB": 4 << 10, "64KB": 64 << 10} {
		body := []byte(`{"model":"auto","temperature":0.7,"messages":[{"role":"user","content":"` + strings.Repeat("word ", size/5) + `"}],"stream":true}`)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, _, err := (Flavour{}).splice(body, "gpt-4o-mini", true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTapChunk(b *testing.B) {
	chunk := []byte(`{"id":"chatcmpl-x","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":" upright"},"logprobs":null,"finish_reason":null}],"usage":null}`)
	b.ReportAllocs()
	for b.Loop() {
		if t, ok := tap(chunk); !ok || !t.content {
			b.Fatal("content was missed")
		}
	}
}
