package strictjson

import (
	"math"
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/fault"
)

// The codes of a body that cannot be read as the schema.
const (
	CodeMalformed = "malformed"
	CodeUnknown   = "unknown_field"
	CodeType      = "wrong_type"
	CodeMissing   = "missing_field"
)

// maxFields bounds how many mistakes are told of one body, and maxKey how much of a key is repeated.
const (
	maxFields = 16
	maxKey    = 64
)

// Reader takes parsed values into Go and notes every mistake with its place.
type Reader struct {
	path   []string
	fields []fault.Field
}

// Enter goes into a member; Leave must follow.
func (r *Reader) Enter(key string) { r.path = append(r.path, key) }

// EnterItem goes into an item of an array; Leave must follow.
func (r *Reader) EnterItem(i int) { r.path = append(r.path, strconv.Itoa(i)) }

// Leave goes back out.
func (r *Reader) Leave() { r.path = r.path[:len(r.path)-1] }

// Fail notes a mistake at the current place.
func (r *Reader) Fail(code, msg string) {
	if len(r.fields) < maxFields {
		r.fields = append(r.fields, fault.Field{Pointer: r.Pointer(), Code: code, Message: msg})
	}
}

// FailAt notes a mistake at a member of the current place.
func (r *Reader) FailAt(key, code, msg string) {
	r.Enter(key)
	r.Fail(code, msg)
	r.Leave()
}

// Pointer names the current place by JSON pointer. Long keys are cut.
func (r *Reader) Pointer() string {
	var b strings.Builder
	for _, key := range r.path {
		if len(key) > maxKey {
			key = strings.ToValidUTF8(key[:maxKey], "") + "…"
		}
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// Failed reports whether a mistake was noted.
func (r *Reader) Failed() bool { return len(r.fields) > 0 }

// Err gives what was noted: a fault of kind Malformed when the body does not fit the schema, Invalid when a value breaks a rule, nil when
// all is well.
func (r *Reader) Err() error {
	if len(r.fields) == 0 {
		return nil
	}
	for _, f := range r.fields {
		switch f.Code {
		case CodeMalformed, CodeUnknown, CodeType, CodeMissing:
			return fault.New(fault.Malformed, f.Code, "the body does not fit the schema; see errors").At(r.fields...)
		}
	}
	return fault.ErrValidation.At(r.fields...)
}

// Object gives the members of an object.
func (r *Reader) Object(v Value) ([]Member, bool) {
	return v.Members, r.is(v, Object, "must be an object")
}

// Array gives the items of an array.
func (r *Reader) Array(v Value) ([]Value, bool) { return v.Items, r.is(v, Array, "must be an array") }

// String gives the text of a string.
func (r *Reader) String(v Value) (string, bool) { return v.Text, r.is(v, String, "must be a string") }

// Bool gives a truth value.
func (r *Reader) Bool(v Value) (is, ok bool) { return v.True, r.is(v, Bool, "must be true or false") }

// Float gives a number.
func (r *Reader) Float(v Value) (float64, bool) {
	if !r.is(v, Number, "must be a number") {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil {
		r.Fail(CodeType, "must be a number that fits 64 bits")
		return 0, false
	}
	return f, true
}

// Int gives a whole number; 5.0 and 5e0 are whole too.
func (r *Reader) Int(v Value) (int64, bool) {
	if !r.is(v, Number, "must be a whole number") {
		return 0, false
	}
	if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		r.Fail(CodeType, "must be a whole number that fits 64 bits")
		return 0, false
	}
	return int64(f), true
}

func (r *Reader) is(v Value, k Kind, msg string) bool {
	if v.Kind != k {
		r.Fail(CodeType, msg)
		return false
	}
	return true
}
