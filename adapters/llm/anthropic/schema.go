package anthropic

import "github.com/forge1/forge1/adapters/llm/internal/jsonscan"

// with gives an object with a member more, in front of the others, which stay as they are.
func with(object []byte, member string) []byte {
	return jsonscan.Apply(object, []jsonscan.Edit{jsonscan.Insert(object, []byte(member))})
}

// closed gives a schema whose objects allow no properties but those that they name. The vendor refuses to enforce others; what another vendor makes of
// such a schema is the same. An object that names none, or says itself what else it allows, is left alone: closing it would change what was meant.
func closed(schema []byte) []byte {
	var edits []jsonscan.Edit
	closeSchema(schema, 0, maxSchemaDepth, &edits)
	if len(edits) == 0 {
		return schema
	}
	return jsonscan.Apply(schema, edits)
}

// maxSchemaDepth is how deep schemas within schemas are looked into.
const maxSchemaDepth = 64

// closeSchema goes over the schema that stands at b[at], and those within it.
func closeSchema(b []byte, at, depth int, edits *[]jsonscan.Edit) {
	w := jsonscan.Walk(b, at)
	if !w.Object() || depth == 0 {
		return
	}
	names, says := false, false
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		switch string(key) {
		case "properties":
			names = true
			closeEach(b, w.Pos(), depth-1, edits)
		case "$defs", "definitions", "anyOf", "allOf", "oneOf", "prefixItems":
			closeEach(b, w.Pos(), depth-1, edits)
		case "items", "not":
			closeSchema(b, w.Pos(), depth-1, edits)
		case "additionalProperties":
			says = true
		}
		w.Skip()
	}
	if names && !says {
		e := jsonscan.Insert(b[at:], []byte(`"additionalProperties":false`))
		*edits = append(*edits, jsonscan.Edit{From: at + e.From, To: at + e.To, Text: e.Text})
	}
}

// closeEach goes over the schemas in an object or a list.
func closeEach(b []byte, at, depth int, edits *[]jsonscan.Edit) {
	w := jsonscan.Walk(b, at)
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		closeSchema(b, w.Pos(), depth, edits)
		w.Skip()
	}
}
