package strictjson

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Unmarshaler is a type that reads itself. It notes mistakes with the reader, which stands at the value.
type Unmarshaler interface {
	UnmarshalStrict(r *Reader, v Value)
}

// Decode reads a body into a struct by its tags, those that the OpenAPI document is made of as well: json (a field is required unless
// omitempty), nullable, minLength, maxLength, maxBytes, minimum, maximum, enum, pattern, minItems, maxItems. Bounds on an array's field
// hold for its items. It fails with a fault that names every mistake.
func Decode(body []byte, dst any, limits Limits) error {
	v, err := Parse(body, limits)
	if err != nil {
		return err
	}
	var r Reader
	r.into(v, reflect.ValueOf(dst).Elem(), nil)
	return r.Err()
}

// rules are the bounds of one field.
type rules struct {
	nullable           bool
	minLength          int
	maxLength          int // -1: none
	maxBytes           int // -1: none
	minimum, maximum   *float64
	enum               []string
	pattern            *regexp.Regexp
	minItems, maxItems int // maxItems -1: none
}

type field struct {
	name     string
	index    int
	required bool
	rules    *rules
}

var plans sync.Map // reflect.Type to []field

func planOf(t reflect.Type) []field {
	if p, ok := plans.Load(t); ok {
		return p.([]field) //nolint:forcetypeassert // the only type stored
	}
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		out = append(out, field{name: name, index: i, required: options != "omitempty", rules: rulesOf(f.Tag)})
	}
	plans.Store(t, out)
	return out
}

func rulesOf(tag reflect.StructTag) *rules {
	r := &rules{
		nullable: tag.Get("nullable") == "true", minLength: intTag(tag, "minLength", 0), maxLength: intTag(tag, "maxLength", -1),
		maxBytes: intTag(tag, "maxBytes", -1), minItems: intTag(tag, "minItems", 0), maxItems: intTag(tag, "maxItems", -1),
		minimum: floatTag(tag, "minimum"), maximum: floatTag(tag, "maximum"),
	}
	if s := tag.Get("enum"); s != "" {
		r.enum = strings.Split(s, ",")
	}
	if s := tag.Get("pattern"); s != "" {
		r.pattern = regexp.MustCompile(s)
	}
	return r
}

func intTag(tag reflect.StructTag, key string, none int) int {
	s, ok := tag.Lookup(key)
	if !ok {
		return none
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("strictjson: tag " + key + ": " + err.Error())
	}
	return n
}

func floatTag(tag reflect.StructTag, key string) *float64 {
	s, ok := tag.Lookup(key)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("strictjson: tag " + key + ": " + err.Error())
	}
	return &f
}

var timeType = reflect.TypeFor[time.Time]()

func (r *Reader) into(v Value, dst reflect.Value, ru *rules) {
	if v.Kind == Null && ru != nil && ru.nullable {
		return
	}
	if u, ok := dst.Addr().Interface().(Unmarshaler); ok {
		u.UnmarshalStrict(r, v)
		return
	}
	if dst.Type() == timeType {
		r.time(v, dst)
		return
	}
	switch dst.Kind() {
	case reflect.Pointer:
		p := reflect.New(dst.Type().Elem())
		r.into(v, p.Elem(), ru)
		dst.Set(p)
	case reflect.Struct:
		r.structure(v, dst)
	case reflect.Slice:
		r.slice(v, dst, ru)
	case reflect.String:
		if s, ok := r.String(v); ok && r.text(s, ru) {
			dst.SetString(s)
		}
	case reflect.Bool:
		if b, ok := r.Bool(v); ok {
			dst.SetBool(b)
		}
	case reflect.Int, reflect.Int64:
		if n, ok := r.Int(v); ok && r.number(float64(n), ru) {
			dst.SetInt(n)
		}
	case reflect.Float64:
		if f, ok := r.Float(v); ok && r.number(f, ru) {
			dst.SetFloat(f)
		}
	default:
		panic("strictjson: cannot read into " + dst.Type().String())
	}
}

func (r *Reader) structure(v Value, dst reflect.Value) {
	members, ok := r.Object(v)
	if !ok {
		return
	}
	plan := planOf(dst.Type())
	for _, m := range members {
		i := slices.IndexFunc(plan, func(f field) bool { return f.name == m.Key })
		if i < 0 {
			r.FailAt(m.Key, CodeUnknown, "is not a field of this object")
			continue
		}
		r.Enter(m.Key)
		r.into(m.Value, dst.Field(plan[i].index), plan[i].rules)
		r.Leave()
	}
	for _, f := range plan {
		if _, there := v.Member(f.name); f.required && !there {
			r.FailAt(f.name, CodeMissing, "is required")
		}
	}
}

func (r *Reader) slice(v Value, dst reflect.Value, ru *rules) {
	items, ok := r.Array(v)
	if !ok {
		return
	}
	if ru != nil && len(items) < ru.minItems {
		r.Fail("too_short", "must have at least "+strconv.Itoa(ru.minItems)+" items")
	}
	if ru != nil && ru.maxItems >= 0 && len(items) > ru.maxItems {
		r.Fail("too_long", "must have at most "+strconv.Itoa(ru.maxItems)+" items")
		return
	}
	var each *rules
	if ru != nil {
		copied := *ru
		copied.nullable = false
		each = &copied
	}
	out := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		r.EnterItem(i)
		r.into(item, out.Index(i), each)
		r.Leave()
	}
	dst.Set(out)
}

func (r *Reader) time(v Value, dst reflect.Value) {
	s, ok := r.String(v)
	if !ok {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		r.Fail("invalid_format", "must be a time such as 2030-01-31T12:00:00Z")
		return
	}
	dst.Set(reflect.ValueOf(t.UTC()))
}

func (r *Reader) text(s string, ru *rules) bool {
	if ru == nil {
		return true
	}
	runes := utf8.RuneCountInString(s)
	switch {
	case runes < ru.minLength:
		r.Fail("too_short", "must have at least "+strconv.Itoa(ru.minLength)+" characters")
	case ru.maxLength >= 0 && runes > ru.maxLength:
		r.Fail("too_long", "must have at most "+strconv.Itoa(ru.maxLength)+" characters")
	case ru.maxBytes >= 0 && len(s) > ru.maxBytes:
		r.Fail("too_long", "must have at most "+strconv.Itoa(ru.maxBytes)+" bytes")
	case ru.enum != nil && !slices.Contains(ru.enum, s):
		r.Fail("unknown_value", "must be one of "+strings.Join(ru.enum, ", "))
	case ru.pattern != nil && !ru.pattern.MatchString(s):
		r.Fail("invalid_format", "must match "+ru.pattern.String())
	default:
		return true
	}
	return false
}

func (r *Reader) number(f float64, ru *rules) bool {
	if ru == nil {
		return true
	}
	if ru.minimum != nil && f < *ru.minimum {
		r.Fail("out_of_range", "must be at least "+format(*ru.minimum))
		return false
	}
	if ru.maximum != nil && f > *ru.maximum {
		r.Fail("out_of_range", "must be at most "+format(*ru.maximum))
		return false
	}
	return true
}

func format(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
