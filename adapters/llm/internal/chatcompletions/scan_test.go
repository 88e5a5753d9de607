package chatcompletions

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// valid says what the scanner thinks of a text.
func valid(b []byte) bool {
	to := skip(b, space(b, 0), 0)
	return to >= 0 && space(b, to) == len(b)
}

func FuzzScanAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x\u00e9\n"],"b":{}}`, ` [ ] `, `{"a":1,}`, `[1,]`, `{,}`, `01`, `-`, `1.`, `1e`, `"\x"`, `"\u12g4"`, "\"\x01\"", "\"\x1f\"", "\"1234567\x1f\"", `"`, `nul`, `{"a" 1}`, `{"a":1 "b":2}`,
		`{"long enough for eight bytes at once":"and \"quoted\" and more, 日本語"}`, "\"\x7f\xff\xfe\x80\x80\x80\x80\x80\x80\"", `{"a":1}x`, ``, `"12345678`, `tru`, `[[[[[[]]]]]]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := valid(b), json.Valid(b); got != want {
			t.Fatalf("%q: got valid %t, encoding/json says %t", b, got, want)
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(b, &members) != nil || members == nil {
			return
		}
		w := walk(b, 0)
		seen := map[string]string{}
		for key, ok := w.next(); ok; key, ok = w.next() {
			seen[strings.ToValidUTF8(string(key), "\uFFFD")] = string(w.skip())
		}
		if !w.whole() {
			t.Fatalf("%q: got %q, want %q", b, seen, members)
		}
		for name, value := range members {
			if utf8.Valid(b) && seen[name] != string(value) {
				t.Fatalf("%q: %q is %q, want %q", b, name, seen[name], value)
			}
		}
	})
}

func FuzzTap(f *testing.F) {
	for _, s := range []string{
		`{"model":"m","choices":[{"index":1,"delta":{"content":"x"},"finish_reason":null},7],"usage":{"prompt_tokens":1,"cost":6e-8}}`, `{"choices":{"a":1},"error":{"code":1}}`,
		`{"choices":[{"delta":[1],"finish_reason":"stop"}`, `{"choices":[{"message":{"tool_calls":[{}]}}]}x`, `{"usage":[1],"choices":[[{"delta":{}}]]}`, `[]`, `{"choices":[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := tap(b)
		object := json.Valid(b) && len(bytes.TrimSpace(b)) > 0 && bytes.TrimSpace(b)[0] == '{'
		if ok != object {
			t.Fatalf("%q: got an object: %t, want %t", b, ok, object)
		}
		if ok && len(got.of()) != got.choices {
			t.Fatalf("%q: got %d choices, counted %d", b, len(got.of()), got.choices)
		}
	})
}

func TestScanBoundsItsDepth(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	if valid([]byte(deep + strings.Repeat("]", 1<<20))) {
		t.Error("a million levels were taken")
	}
	if ok := strings.Repeat("[", 9000) + strings.Repeat("]", 9000); !valid([]byte(ok)) {
		t.Error("9,000 levels were refused, which encoding/json takes")
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]int{"12": 12, "12.0": 12, "1e3": 1000, "-3": -3, "1e99": 0, "null": 0, `"7"`: 0, "": 0} {
		if got := number([]byte(in)); got != want {
			t.Errorf("%s: got %d, want %d", in, got, want)
		}
	}
}
