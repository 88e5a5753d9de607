package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/fault"
)

var small = strictjson.Limits{Depth: 4, Keys: 32}

type inner struct {
	Name string `json:"name" minLength:"2" maxLength:"4"`
	Slug string `json:"slug,omitempty" pattern:"^[a-z]+$"`
}

type sample struct {
	Email  string     `json:"email"`
	Nick   *string    `json:"nick,omitempty" nullable:"true"`
	Count  int        `json:"count,omitempty" minimum:"1" maximum:"10"`
	Share  *float64   `json:"share,omitempty" maximum:"2"`
	All    bool       `json:"all,omitempty"`
	Kind   string     `json:"kind,omitempty" enum:"red,blue"`
	Inner  *inner     `json:"inner,omitempty"`
	Tags   []string   `json:"tags,omitempty" maxItems:"2" maxLength:"3"`
	Until  time.Time  `json:"until,omitempty"`
	Inners []inner    `json:"inners,omitempty" minItems:"1"`
	Bytes  string     `json:"bytes,omitempty" maxBytes:"4"`
	Own    shouted    `json:"own,omitempty"`
	hidden struct{}   //nolint:unused // fields that are not exported are left alone
	Absent *time.Time `json:"-"`
}

// shouted reads itself.
type shouted string

func (s *shouted) UnmarshalStrict(r *strictjson.Reader, v strictjson.Value) {
	text, ok := r.String(v)
	if !ok {
		return
	}
	*s = shouted(strings.ToUpper(text))
}

func TestWhatIsAccepted(t *testing.T) {
	nick, share := "n", 2.0
	tests := map[string]struct {
		body string
		want sample
	}{
		"the least":                {` { "email" : "a" } `, sample{Email: "a"}},
		"escapes":                  {`{"email":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, sample{Email: "\"\\/\b\f\n\r\té😀"}},
		"a null that may be":       {`{"email":"","nick":null}`, sample{}},
		"a value in its place":     {`{"email":"","nick":"n","share":2.0,"all":true}`, sample{Nick: &nick, Share: &share, All: true}},
		"whole in other spelling":  {`{"email":"","count":5e0}`, sample{Count: 5}},
		"nested":                   {`{"email":"","inner":{"name":"abcd","slug":"x"},"inners":[{"name":"ab"}]}`, sample{Inner: &inner{"abcd", "x"}, Inners: []inner{{Name: "ab"}}}},
		"lists and times":          {`{"email":"","tags":["a","bcd"],"until":"2030-01-31T12:00:00+02:00"}`, sample{Tags: []string{"a", "bcd"}, Until: time.Date(2030, 1, 31, 10, 0, 0, 0, time.UTC)}},
		"a type that reads itself": {`{"email":"","own":"loud"}`, sample{Own: "LOUD"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got sample
			if err := strictjson.Decode([]byte(tc.body), &got, small); err != nil {
				t.Fatalf("got %v, want none", err)
			}
			if d := cmp.Diff(tc.want, got, cmp.AllowUnexported(sample{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	var many strings.Builder
	for i := range 100_000 {
		if i > 0 {
			many.WriteByte(',')
		}
		many.WriteString(`"k` + strings.Repeat("x", i%7) + strings.Repeat("y", i/7%7) + `":1`)
	}
	type at struct{ pointer, code string }
	tests := map[string]struct {
		body string
		kind fault.Kind
		want []at
	}{
		"nothing":                       {``, fault.Malformed, []at{{"", "malformed"}}},
		"null":                          {`null`, fault.Malformed, []at{{"", "wrong_type"}}},
		"a list":                        {`[]`, fault.Malformed, []at{{"", "wrong_type"}}},
		"a string":                      {`"x"`, fault.Malformed, []at{{"", "wrong_type"}}},
		"a second value":                {`{"email":"a"}{}`, fault.Malformed, []at{{"", "malformed"}}},
		"a byte order mark":             {"\uFEFF" + `{"email":"a"}`, fault.Malformed, []at{{"", "malformed"}}},
		"a comment":                     {`{"email":"a"/**/}`, fault.Malformed, []at{{"", "malformed"}}},
		"a trailing comma":              {`{"email":"a",}`, fault.Malformed, []at{{"", "malformed"}}},
		"great depth":                   {deep, fault.Malformed, []at{{"", "malformed"}}},
		"one level too deep":            {`{"email":[[[[1]]]]}`, fault.Malformed, []at{{"", "malformed"}}},
		"many keys":                     {`{` + many.String() + `}`, fault.Malformed, []at{{"", "malformed"}}},
		"NaN":                           {`{"email":NaN}`, fault.Malformed, []at{{"", "malformed"}}},
		"an infinite number":            {`{"email":"","share":1e400}`, fault.Malformed, []at{{"/share", "wrong_type"}}},
		"a number with a zero in front": {`{"email":"","count":01}`, fault.Malformed, []at{{"", "malformed"}}},
		"a bare point":                  {`{"email":"","share":1.}`, fault.Malformed, []at{{"", "malformed"}}},
		"an empty exponent":             {`{"email":"","share":1e}`, fault.Malformed, []at{{"", "malformed"}}},
		"a fraction for a whole":        {`{"email":"","count":1.5}`, fault.Malformed, []at{{"/count", "wrong_type"}}},
		"a key twice":                   {`{"email":"a","email":"b"}`, fault.Malformed, []at{{"/email", "malformed"}}},
		"a key twice by escape":         {`{"email":"a","\u0065mail":"b"}`, fault.Malformed, []at{{"/email", "malformed"}}},
		"a key in other case":           {`{"EMAIL":"a"}`, fault.Malformed, []at{{"/EMAIL", "unknown_field"}, {"/email", "missing_field"}}},
		"a folded key":                  {`{"email":"a","\u212Aind":"red"}`, fault.Malformed, []at{{"/\u212Aind", "unknown_field"}}},
		"a NUL":                         {`{"email":"\u0000"}`, fault.Malformed, []at{{"", "malformed"}}},
		"a raw NUL":                     {"{\"email\":\"\x00\"}", fault.Malformed, []at{{"", "malformed"}}},
		"a lone surrogate":              {`{"email":"\ud83d"}`, fault.Malformed, []at{{"", "malformed"}}},
		"a lone low surrogate":          {`{"email":"\ude00"}`, fault.Malformed, []at{{"", "malformed"}}},
		"two high surrogates":           {`{"email":"\ud83d\ud83d"}`, fault.Malformed, []at{{"", "malformed"}}},
		"invalid UTF-8":                 {"{\"email\":\"\xff\"}", fault.Malformed, []at{{"", "malformed"}}},
		"overlong UTF-8":                {"{\"email\":\"\xc0\xaf\"}", fault.Malformed, []at{{"", "malformed"}}},
		"a strange escape":              {`{"email":"\x41"}`, fault.Malformed, []at{{"", "malformed"}}},
		"an end in an escape":           {`{"email":"\`, fault.Malformed, []at{{"", "malformed"}}},
		"a number for a string":         {`{"email":7}`, fault.Malformed, []at{{"/email", "wrong_type"}}},
		"a null that may not be":        {`{"email":null}`, fault.Malformed, []at{{"/email", "wrong_type"}}},
		"a field of a field":            {`{"email":"","inner":{"name":"ab","no/~pe":1}}`, fault.Malformed, []at{{"/inner/no~1~0pe", "unknown_field"}}},
		"a field of an item":            {`{"email":"","inners":[{"name":"ab"},{}]}`, fault.Malformed, []at{{"/inners/1/name", "missing_field"}}},
		"too short and too long":        {`{"email":"","inner":{"name":"é","slug":"x"},"tags":["abcd"]}`, fault.Invalid, []at{{"/inner/name", "too_short"}, {"/tags/0", "too_long"}}},
		"too many":                      {`{"email":"","tags":["a","b","c"]}`, fault.Invalid, []at{{"/tags", "too_long"}}},
		"too few":                       {`{"email":"","inners":[]}`, fault.Invalid, []at{{"/inners", "too_short"}}},
		"too many bytes":                {`{"email":"","bytes":"ééé"}`, fault.Invalid, []at{{"/bytes", "too_long"}}},
		"out of range":                  {`{"email":"","count":11,"share":2.5}`, fault.Invalid, []at{{"/count", "out_of_range"}, {"/share", "out_of_range"}}},
		"an unknown value":              {`{"email":"","kind":"green"}`, fault.Invalid, []at{{"/kind", "unknown_value"}}},
		"the wrong form":                {`{"email":"","inner":{"name":"ab","slug":"A"},"until":"tomorrow"}`, fault.Invalid, []at{{"/inner/slug", "invalid_format"}, {"/until", "invalid_format"}}},
		"mistakes of both kinds":        {`{"email":"","kind":"green","x":1}`, fault.Malformed, []at{{"/kind", "unknown_value"}, {"/x", "unknown_field"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := strictjson.Decode([]byte(tc.body), new(sample), small)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != tc.kind {
				t.Fatalf("got %v, want a fault of kind %d", err, tc.kind)
			}
			var got []at
			for _, e := range f.Fields {
				got = append(got, at{e.Pointer, e.Code})
			}
			if d := cmp.Diff(tc.want, got, cmp.AllowUnexported(at{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestErrorsRepeatNoValue(t *testing.T) {
	const secret = "correct horse battery"
	for _, body := range []string{
		`{"email":"","kind":"` + secret + `"}`, `{"email":"","count":"` + secret + `"}`, `{"email":"` + secret, `{"email":"` + secret + `\x"}`,
		`{"email":"","until":"` + secret + `"}`, `{"email":"","tags":["` + secret + `"]}`,
	} {
		err := strictjson.Decode([]byte(body), new(sample), small)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok {
			t.Fatalf("%s: got %v, want a fault", body, err)
		}
		said, _ := json.Marshal(f)
		if strings.Contains(string(said), secret) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats the value: %s", body, said)
		}
	}
}

func TestValuesAreBounded(t *testing.T) {
	body := "[" + strings.Repeat("0,", 1000) + "0]"
	if _, err := strictjson.Parse([]byte(body), strictjson.Limits{Depth: 2, Keys: 1, Values: 1000}); fault.KindOf(err) != fault.Malformed {
		t.Errorf("got %v, want too many values", err)
	}
	if _, err := strictjson.Parse([]byte(body), strictjson.Limits{Depth: 2, Keys: 1, Values: 1002}); err != nil {
		t.Errorf("got %v, want none", err)
	}
}

func TestManyKeysAreComparedToo(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		b.WriteString(`"` + strings.Repeat("k", i+1) + `":0,`)
	}
	limits := strictjson.Limits{Depth: 1, Keys: 100}
	if _, err := strictjson.Parse([]byte("{"+b.String()+`"z":0}`), limits); err != nil {
		t.Fatalf("got %v, want none", err)
	}
	for _, twice := range []string{"k", strings.Repeat("k", 20), strings.Repeat("k", 40)} {
		if _, err := strictjson.Parse([]byte("{"+b.String()+`"`+twice+`":0}`), limits); err == nil {
			t.Errorf("a second %q: got none, want a fault", twice)
		}
	}
}

// FuzzParse holds that what is accepted is JSON, and means what encoding/json says it means.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x\u00e9\ud83d\ude00"]}`, `""`, `{}`, `[]`, ` 0 `, `{"a":{"a":1}}`, "\"\u2028\"", `{"a":1,"a":2}`, `"\ud800"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := strictjson.Parse(body, strictjson.Limits{Depth: 50, Keys: 50, NUL: true})
		if err != nil {
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted %q, which encoding/json refuses: %v", body, err)
		}
		if d := cmp.Diff(want, plain(v)); d != "" {
			t.Fatalf("%q is read differently: %s", body, d)
		}
	})
}

// plain turns a value into what encoding/json would make of it.
func plain(v strictjson.Value) any {
	switch v.Kind {
	case strictjson.Bool:
		return v.True
	case strictjson.Number:
		return json.Number(v.Text)
	case strictjson.String:
		return v.Text
	case strictjson.Array:
		out := []any{}
		for _, item := range v.Items {
			out = append(out, plain(item))
		}
		return out
	case strictjson.Object:
		out := map[string]any{}
		for _, m := range v.Members {
			out[m.Key] = plain(m.Value)
		}
		return out
	default:
		return nil
	}
}
