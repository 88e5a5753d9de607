package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// valid says what the scanner thinks of a text: as the one element of a list, so that any value is looked at.
func valid(b []byte) bool {
	w := jsonscan.Walk([]byte("["+string(b)+"]"), 0)
	n := 0
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		if w.Skip() == nil {
			return false
		}
		n++
	}
	return w.Whole() && n == 1
}

func FuzzAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x\u00e9\n"],"b":{}}`, ` [ ] `, `{"a":1,}`, `[1,]`, `{,}`, `01`, `-`, `1.`, `1e`, `"\x"`, `"\u12g4"`,
		"\"\x01\"", "\"\x1f\"", "\"1234567\x1f\"", `"`, `nul`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":1}x`, `"12345678`, `tru`, `[[[[[[]]]]]]`,
		`{"long enough for eight bytes at once":"and \"quoted\" and more, 日本語"}`, "\"\x7f\xff\xfe\x80\x80\x80\x80\x80\x80\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(bytes.TrimSpace(b)) == 0 || bytes.ContainsAny(b, ",") && !json.Valid(b) {
			return // the list around it would make it another text
		}
		if got, want := valid(b), json.Valid(b); got != want {
			t.Fatalf("%q: got valid %t, encoding/json says %t", b, got, want)
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(b, &members) != nil || members == nil {
			return
		}
		w := jsonscan.Walk(b, 0)
		seen := map[string]string{}
		for key, ok := w.Next(); ok; key, ok = w.Next() {
			seen[strings.ToValidUTF8(string(key), "\uFFFD")] = string(w.Skip())
		}
		if !w.Whole() {
			t.Fatalf("%q: got %q, want %q", b, seen, members)
		}
		for name, value := range members {
			if utf8.Valid(b) && seen[name] != string(value) {
				t.Fatalf("%q: %q is %q, want %q", b, name, seen[name], value)
			}
		}
	})
}

func TestWalkGoesIntoWhatItFinds(t *testing.T) {
	b := []byte(` {"a" : [1, {"b":"x\"y"}] , "c\u0064":null} `)
	w := jsonscan.Walk(b, 0)
	var got []string
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if w.At() != '[' {
			got = append(got, string(key)+"="+string(w.Skip()))
			continue
		}
		list := w.Inner()
		for _, ok := list.Next(); ok; _, ok = list.Next() {
			got = append(got, string(b[list.Begin():][:1])+string(list.Skip()))
		}
		w.Leave(&list)
	}
	if diff := cmp.Diff([]string{"11", `{{"b":"x\"y"}`, "cd=null"}, got); diff != "" || !w.Whole() {
		t.Errorf("whole: %t, (-want +got):\n%s", w.Whole(), diff)
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	if valid([]byte(deep + strings.Repeat("]", 1<<20))) {
		t.Error("a million levels were taken")
	}
	if ok := strings.Repeat("[", 9000) + strings.Repeat("]", 9000); !valid([]byte(ok)) {
		t.Error("9,000 levels were refused, which encoding/json takes")
	}
}

func TestValues(t *testing.T) {
	for in, want := range map[string]int{"12": 12, "12.0": 12, "1e3": 1000, "-3": -3, "1e99": 0, "null": 0, `"7"`: 0, "": 0} {
		if got := jsonscan.Number([]byte(in)); got != want {
			t.Errorf("%s: got %d, want %d", in, got, want)
		}
	}
	for in, want := range map[string]string{`"a"`: "a", `"\u00e9\n"`: "é\n", `""`: "", "1": "", "null": ""} {
		if got := jsonscan.Unquote([]byte(in)); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestFindAndApply(t *testing.T) {
	body := []byte("\n{ \"n\":1, \"model\" : \"a\",\"x\":{\"model\":2} }")
	var at [2]jsonscan.Span
	if err := jsonscan.Find(body, at[:], "model", "absent"); err != nil {
		t.Fatal(err)
	}
	if got := string(at[0].Of(body)); got != `"a"` || at[1].Found() {
		t.Fatalf("found %s, and %t", got, at[1].Found())
	}
	got := string(jsonscan.Apply(body, []jsonscan.Edit{
		{From: at[0].Value, To: at[0].To, Text: []byte(`"b"`)}, jsonscan.Insert(body, []byte(`"first":0`)),
	}))
	if want := "\n{\"first\":0, \"n\":1, \"model\" : \"b\",\"x\":{\"model\":2} }"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	list := []byte(`{"a":1,"b":2}`)
	if got := string(jsonscan.Apply(list, []jsonscan.Edit{{From: 3, To: 4}, {From: 1, To: 7}, jsonscan.Insert(list, []byte(`"c":3`))})); got != `{"c":3,"b":2}` {
		t.Errorf("one put in, one taken out, one within that: got %s", got)
	}
	if got := string(jsonscan.Apply([]byte("{ }"), []jsonscan.Edit{jsonscan.Insert([]byte("{ }"), []byte(`"a":1`))})); got != `{"a":1 }` {
		t.Errorf("into an empty object: got %s", got)
	}
}

func TestFindRefuses(t *testing.T) {
	for body, want := range map[string]error{
		`[]`: jsonscan.ErrNotObject, ``: jsonscan.ErrNotObject, `{"model":1`: jsonscan.ErrInvalid, `{"model":1}x`: jsonscan.ErrInvalid,
	} {
		var at [1]jsonscan.Span
		if err := jsonscan.Find([]byte(body), at[:], "model"); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", body, err, want)
		}
	}
	var at [1]jsonscan.Span
	err := jsonscan.Find([]byte(`{"model":1,"mod\u0065l":2}`), at[:], "model")
	if twice, ok := errors.AsType[*jsonscan.TwiceError](err); !ok || twice.Key != "model" {
		t.Errorf("a key that stands twice, once escaped: got %v", err)
	}
}

func TestCutTakesTheCommasAlong(t *testing.T) {
	list := []byte(`[ 1 , 2, 3 ,4 ]`)
	var items []jsonscan.Span
	w := jsonscan.Walk(list, 0)
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		from := w.Begin()
		w.Skip()
		items = append(items, jsonscan.Span{From: from, Value: from, To: w.Pos()})
	}
	for gone := range 1 << len(items) {
		edits := jsonscan.Cut(nil, items, func(i int) bool { return gone>>i&1 == 1 })
		out := jsonscan.Apply(list, edits)
		var got, want []int
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%04b: %s: %v", gone, out, err)
		}
		for i := range items {
			if gone>>i&1 == 0 {
				want = append(want, i+1)
			}
		}
		if len(want) != len(got) || !cmp.Equal(append([]int{}, want...), append([]int{}, got...)) {
			t.Errorf("%04b: got %s, want %v", gone, out, want)
		}
	}
}

func TestAWalkDoesNotGoOnWhereThereIsNoJSON(t *testing.T) {
	for _, inner := range []string{`{,"a":1}`, `{"a"1,"b":2}`, `{"a":1 "b":2}`, `[,1]`, `{1:2}`, `[1`} {
		w := jsonscan.Walk([]byte("["+inner+"]"), 0)
		for _, ok := w.Next(); ok; _, ok = w.Next() {
			in := w.Inner()
			w.Leave(&in)
		}
		if w.Whole() {
			t.Errorf("%s was walked over", inner)
		}
	}
}
