package rest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
)

func everything(string, string) bool { return false }

// said writes what a value says in one way, whatever way it was written in. With odd it is another way: members the other way round, white space, and
// every character of a string escaped that can be.
func said(v strictjson.Value, odd bool) string {
	switch v.Kind {
	case strictjson.String:
		return quoted(v.Text, odd)
	case strictjson.Array:
		items := make([]string, len(v.Items))
		for i, item := range v.Items {
			items[i] = said(item, odd)
		}
		return "[" + joined(items, odd) + "]"
	case strictjson.Object:
		members := slices.Clone(v.Members)
		slices.SortStableFunc(members, func(a, b strictjson.Member) int {
			if odd {
				return strings.Compare(b.Key, a.Key)
			}
			return strings.Compare(a.Key, b.Key)
		})
		items := make([]string, len(members))
		for i, m := range members {
			items[i] = quoted(m.Key, odd) + ":" + said(m.Value, odd)
		}
		return "{" + joined(items, odd) + "}"
	}
	return string(v.Raw)
}

func joined(items []string, odd bool) string {
	if odd {
		return "\n\t" + strings.Join(items, " ,\r\n ") + " "
	}
	return strings.Join(items, ",")
}

func quoted(s string, odd bool) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r < 0x20, r == '"', r == '\\', odd && r < 0x10000 && (r < 0xD800 || r > 0xDFFF):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// FuzzFingerprint holds that two bodies have one fingerprint exactly when they say the same.
func FuzzFingerprint(f *testing.F) {
	for _, s := range [][2]string{
		{`{"a":1,"b":[true,null,"x"]}`, ` { "b" : [ true , null , "\u0078" ] , "a" : 1 } `},
		{`{"a":1}`, `{"a":1.0}`},
		{`[[],[]]`, `[[[]]]`},
		{`["a","b"]`, `["a\",\"b"]`},
		{`{"a":{"b":1}}`, `{"a":{},"b":1}`},
		{`"true"`, `true`},
		{`"1"`, `1`},
		{`{}`, `[]`},
		{`{"":""}`, `{}`},
		{`"😀"`, `"\ud83d\ude00"`},
		{`"\/"`, `"/"`},
		{`[1,2]`, `[2,1]`},
		{`{"a":"` + strings.Repeat("x", 100) + `"}`, `{"a":"` + strings.Repeat("x", 101) + `"}`},
		{`{"stream":true}`, `{"stream":false}`},
		{`null`, `""`},
		{`"\u0000"`, `"0"`},
		{`{"ab":"c"}`, `{"a":"bc"}`},
	} {
		f.Add(s[0], s[1])
	}
	limits := strictjson.Limits{Depth: 100, Keys: 1000, Values: 10_000, NUL: true}
	f.Fuzz(func(t *testing.T, a, b string) {
		va, err := strictjson.Parse([]byte(a), limits)
		if err != nil {
			_, _ = fingerprint([]byte(a), everything) // does not panic
			return
		}
		print := func(body string) digest {
			t.Helper()
			sum, err := fingerprint([]byte(body), everything)
			if err != nil {
				t.Fatalf("%q: %v", body, err)
			}
			return sum
		}
		own := print(a)
		if odd := said(va, true); print(odd) != own {
			t.Fatalf("%q and %q say the same and have two fingerprints", a, odd)
		}
		vb, err := strictjson.Parse([]byte(b), limits)
		if err != nil {
			return
		}
		if same := said(va, false) == said(vb, false); (print(b) == own) != same {
			t.Fatalf("%q and %q say the same: %t; one fingerprint: %t", a, b, same, !same)
		}
	})
}

func TestWhatDoesNotChangeTheAnswerIsNoPartOfAFingerprint(t *testing.T) {
	tests := map[string]struct {
		a, b    string
		without leftOut
		same    bool
	}{
		"who asks, and how it is sent": {`{"model":"m","user":"a","metadata":{"x":[1]},"stream":true,"stream_options":{"include_usage":true}}`, `{"model":"m"}`, leftOutOfChat, true},
		"who asks, newly named":        {`{"model":"m","safety_identifier":"a","prompt_cache_key":"k"}`, `{"model":"m"}`, leftOutOfChat, true},
		"the same names further in":    {`{"x":{"user":"a"}}`, `{"x":{"user":"b"}}`, leftOutOfChat, false},
		"within a list":                {`{"messages":[{"stream":true}]}`, `{"messages":[{"stream":false}]}`, leftOutOfChat, false},
		"what nobody knows":            {`{"model":"m","unknown":1}`, `{"model":"m"}`, leftOutOfChat, false},
		"escaped names":                {`{"model":"m","us\u0065r":"a"}`, `{"model":"m"}`, leftOutOfChat, true},
		"of a task":                    {`{"task":"t","stream":true,"context":{"end_user":"a","tags":["x"],"cache":true}}`, `{"task":"t"}`, leftOutOfExecute, true},
		"a task's user is unknown":     {`{"task":"t","user":"a"}`, `{"task":"t"}`, leftOutOfExecute, false},
		"a task's context":             {`{"task":"t","context":{"cache":true,"max_tokens":1}}`, `{"task":"t","context":{"max_tokens":1}}`, leftOutOfExecute, true},
		"another context":              {`{"task":"t","context":{"max_tokens":2}}`, `{"task":"t","context":{"max_tokens":1}}`, leftOutOfExecute, false},
		"one key twice, in two orders": {`{"x":1,"x":2}`, `{"x":2,"x":1}`, leftOutOfChat, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, errA := fingerprint([]byte(tt.a), tt.without)
			b, errB := fingerprint([]byte(tt.b), tt.without)
			if errA != nil || errB != nil || (a == b) != tt.same {
				t.Errorf("one fingerprint: %t, want %t (%v, %v)", a == b, tt.same, errA, errB)
			}
		})
	}
}

func TestAFingerprintIsMadeOfWhatIsWorthIt(t *testing.T) {
	for name, body := range map[string]string{
		"too many values": "[" + strings.Repeat("1,", maxPrinted) + "1]", "too deep": strings.Repeat("[", 300) + strings.Repeat("]", 300), "no JSON": `{"a":`, "more than one": `{} {}`,
	} {
		if _, err := fingerprint([]byte(body), everything); err == nil {
			t.Errorf("%s: got a fingerprint, want an error", name)
		}
	}
}
