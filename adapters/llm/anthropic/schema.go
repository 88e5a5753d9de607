package anthropic

import "github.com/forge1/forge1/adapters/llm/internal/jsonscan"

// with gives an object with a member more, in front of the others, which stay as they are.
func with(object []byte, member string) []byte {
	return jsonscan.Apply(object, []jsonscan.Edit{jsonscan.Insert(object, []byte(member))})
}

// bounds are the words of a schema that the vendor refuses to enforce.
var bounds = map[string]bool{
	"minimum": true, "maximum": true, "exclusiveMinimum": true, "exclusiveMaximum": true, "multipleOf": true, "minLength": true, "maxLength": true,
	"maxItems": true, "uniqueItems": true, "minProperties": true, "maxProperties": true,
}

// enforceable gives a schema as the vendor enforces it: its objects allow no properties but those that they name, which is what other vendors make of
// them too, and there are no bounds on numbers and lengths. An object that names no property, or says itself what else it allows, is left alone:
// closing it would change what was meant. lost says that there were bounds.
func enforceable(schema []byte) (_ []byte, lost bool) {
	var s schemas
	s.schema(schema, 0, maxSchemaDepth)
	if len(s.edits) == 0 {
		return schema, false
	}
	return jsonscan.Apply(schema, s.edits), s.lost
}

// maxSchemaDepth is how deep schemas within schemas are looked into.
const maxSchemaDepth = 64

// schemas is what is to be changed in a schema, and in those within it.
type schemas struct {
	edits []jsonscan.Edit
	lost  bool
}

// schema goes over the schema that stands at b[at].
func (s *schemas) schema(b []byte, at, depth int) {
	w := jsonscan.Walk(b, at)
	if !w.Object() || depth == 0 {
		return
	}
	var members []jsonscan.Span
	var gone []bool
	names, says, bounded := false, false, false
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		member := jsonscan.Span{From: w.Begin(), Value: w.Pos()}
		word := string(key)
		switch word {
		case "properties":
			names = true
			s.each(b, w.Pos(), depth-1)
		case "$defs", "definitions", "anyOf", "allOf", "oneOf", "prefixItems":
			s.each(b, w.Pos(), depth-1)
		case "items", "not":
			s.schema(b, w.Pos(), depth-1)
		case "additionalProperties":
			says = true
		}
		value := w.Skip()
		member.To = w.Pos()
		out := bounds[word] || word == "minItems" && jsonscan.Number(value) > 1
		members, gone, bounded = append(members, member), append(gone, out), bounded || out
	}
	if bounded {
		s.lost = true
		s.edits = jsonscan.Cut(s.edits, members, func(i int) bool { return gone[i] })
	}
	if names && !says {
		e := jsonscan.Insert(b[at:], []byte(`"additionalProperties":false`))
		s.edits = append(s.edits, jsonscan.Edit{From: at + e.From, To: at + e.To, Text: e.Text})
	}
}

// each goes over the schemas in an object or a list.
func (s *schemas) each(b []byte, at, depth int) {
	w := jsonscan.Walk(b, at)
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		s.schema(b, w.Pos(), depth)
		w.Skip()
	}
}
