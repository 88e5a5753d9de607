package rest

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
)

// chatReader reads OpenAI's chat shapes into the neutral form. Under /v1 it is lenient: what the neutral form cannot hold is noted in
// dropped. On execute nothing is dropped: an unknown field is a mistake.
type chatReader struct {
	*strictjson.Reader
	lenient bool
	dropped []string
	foreign *fault.Error // a part of the content that cannot be sent to a foreign vendor
	// answered gives the id of the last call of a function by its name, for messages that know functions and no tools.
	answered map[string]string
	calls    int // that were made by messages which know functions and no tools
}

// other deals with a field that the neutral form does not know.
func (d *chatReader) other(where, key string, v strictjson.Value) {
	if !d.lenient {
		d.FailAt(key, strictjson.CodeUnknown, "is not a field of this object")
		return
	}
	if v.Kind != strictjson.Null {
		d.drop(where + key)
	}
}

func (d *chatReader) drop(name string) {
	if !slices.Contains(d.dropped, name) {
		d.dropped = append(d.dropped, name)
	}
}

// members ranges over the members of an object; take says whether it knew the key.
func (d *chatReader) members(v strictjson.Value, where string, take func(key string, v strictjson.Value) bool) bool {
	members, ok := d.Object(v)
	for _, m := range members {
		d.Enter(m.Key)
		known := take(m.Key, m.Value)
		d.Leave()
		if !known {
			d.other(where, m.Key, m.Value)
		}
	}
	return ok
}

// each ranges over the items of an array that may be null.
func (d *chatReader) each(v strictjson.Value, take func(i int, item strictjson.Value)) {
	if v.Kind == strictjson.Null {
		return
	}
	items, _ := d.Array(v)
	for i, item := range items {
		d.EnterItem(i)
		take(i, item)
		d.Leave()
	}
}

func (d *chatReader) required(v strictjson.Value, keys ...string) {
	for _, key := range keys {
		if _, there := v.Member(key); !there {
			d.FailAt(key, strictjson.CodeMissing, "is required")
		}
	}
}

// text reads a string that may be null.
func (d *chatReader) text(v strictjson.Value) string {
	if v.Kind == strictjson.Null {
		return ""
	}
	s, _ := d.String(v)
	return s
}

// constant reads a string that can only be one thing.
func (d *chatReader) constant(v strictjson.Value, want string) {
	if s, ok := d.String(v); ok && s != want {
		d.Fail("unknown_value", "must be "+want)
	}
}

// boolean reads a truth value that may be null.
func (d *chatReader) boolean(v strictjson.Value) *bool {
	if v.Kind == strictjson.Null {
		return nil
	}
	b, ok := d.Bool(v)
	if !ok {
		return nil
	}
	return &b
}

// is reads a truth value; one that is null or none is false.
func (d *chatReader) is(v strictjson.Value) bool {
	b := d.boolean(v)
	return b != nil && *b
}

// number reads a number that may be null.
func (d *chatReader) number(v strictjson.Value) *float64 {
	if v.Kind == strictjson.Null {
		return nil
	}
	f, ok := d.Float(v)
	if !ok {
		return nil
	}
	return &f
}

// whole reads a whole number that may be null.
func (d *chatReader) whole(v strictjson.Value) *int64 {
	if v.Kind == strictjson.Null {
		return nil
	}
	n, ok := d.Int(v)
	if !ok {
		return nil
	}
	return &n
}

// count reads a whole number from least to most that may be null, which is 0.
func (d *chatReader) count(v strictjson.Value, least, most int64) int {
	n := d.whole(v)
	switch {
	case n == nil:
		return 0
	case *n < least || *n > most:
		d.Fail("out_of_range", "must be "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
		return 0
	}
	return int(*n)
}

// schema gives a JSON Schema as it was sent.
func (d *chatReader) schema(v strictjson.Value) []byte {
	if v.Kind == strictjson.Null {
		return nil
	}
	if _, ok := d.Object(v); !ok {
		return nil
	}
	return bytes.Clone(v.Raw)
}

// cacheControl reads a wish that the prompt be kept up to here. One that is unknown is named.
func (d *chatReader) cacheControl(where string, v strictjson.Value) chat.CacheControl {
	if v.Kind == strictjson.Null {
		return ""
	}
	kind, ttl := "", ""
	if !d.members(v, where+"cache_control.", func(key string, v strictjson.Value) bool {
		switch key {
		case "type":
			kind = d.text(v)
		case "ttl":
			ttl = d.text(v)
		default:
			return false
		}
		return true
	}) {
		return ""
	}
	switch {
	case kind == "ephemeral" && (ttl == "" || ttl == string(chat.Cache5m)):
		return chat.Cache5m
	case kind == "ephemeral" && ttl == string(chat.Cache1h):
		return chat.Cache1h
	}
	d.drop(where + "cache_control")
	return ""
}
