package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/fault"
)

// body has a field of every kind that a request has.
type body struct {
	Email  string    `json:"email" minLength:"1" maxBytes:"64"`
	Nick   *string   `json:"nick,omitempty" nullable:"true"`
	Count  int       `json:"count,omitempty" minimum:"1" maximum:"10"`
	Share  *float64  `json:"share,omitempty" minimum:"-1" maximum:"2"`
	All    bool      `json:"all,omitempty"`
	Kind   string    `json:"kind,omitempty" enum:"red,blue"`
	Inner  *inner    `json:"inner,omitempty"`
	Tags   []string  `json:"tags,omitempty" maxItems:"2" maxLength:"3"`
	Until  time.Time `json:"until,omitzero"`
	Inners []inner   `json:"inners,omitempty" minItems:"1"`
}

// FuzzDecode holds that no body is anything but read or refused as the sender's mistake, in few words; and that what was read is read the same again.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"email":"a@b.c"}`, `{"email":"a","nick":null,"count":5.0,"share":-1e0,"all":true,"kind":"red","inner":{"name":"ab"},"tags":["é"],"until":"2026-11-23T12:00:00Z","inners":[{"name":"abcd","slug":"x"}]}`,
		`{"EMAIL":"a"}`, `{"email":"a","email":"b"}`, `{"\u0065mail":"a","email":"b"}`, `{"email":"\ud800"}`, `{"email":"\u0000"}`, `null`, `[]`, `""`, `{"email":1}`, `{"email":"a"}{}`,
		`{"email":"a","count":1e400}`, `{"email":"a","count":0.5}`, `{"email":"a","share":NaN}`, `{"email":"a","until":"2026-13-23T12:00:00Z"}`, `{"email":"a","until":"2026-11-23t12:00:00+24:00"}`,
		`{"email":"a","x/y~z":{}}`, strings.Repeat(`{"email":`, 40), `{"email":"a","tags":["a","b","c"]}`, "\xef\xbb\xbf{}", `{"pa\u017f\u017fword":"x"}`, `{"email":"` + "\xc0\xaf" + `"}`,
	} {
		f.Add([]byte(s))
	}
	limits := strictjson.Limits{Depth: 8, Keys: 64}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got body
		if err := strictjson.Decode(text, &got, limits); err != nil {
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Kind != fault.Malformed && e.Kind != fault.Invalid {
				t.Fatalf("%q: got %v, which is no mistake of the sender", text, err)
			}
			if len(e.Fields) == 0 || len(e.Fields) > 16 {
				t.Fatalf("%q: %d mistakes are told", text, len(e.Fields))
			}
			for _, field := range e.Fields {
				if field.Pointer != "" && field.Pointer[0] != '/' || len(field.Pointer) > 8*256 || field.Code == "" || field.Message == "" {
					t.Fatalf("%q: told %+v", text, field)
				}
			}
			return
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("%q is read as %+v: %v", text, got, err)
		}
		var second body
		if err := strictjson.Decode(again, &second, limits); err != nil {
			t.Fatalf("%q is read as %s: %v", text, again, err)
		}
		if d := cmp.Diff(got, second, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%q is read as %s: %s", text, again, d)
		}
	})
}
