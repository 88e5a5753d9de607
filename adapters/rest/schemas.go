package rest

import "github.com/danielgtaylor/huma/v2"

// Schemas that the document cannot take from Go types: unions, shapes of others, and parts that may be null.

// nullable allows null beside what a property is.
func nullable(s *huma.Schema, names ...string) *huma.Schema {
	for _, name := range names {
		s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{s.Properties[name], {Type: "null"}}}
	}
	return s
}

// TransformSchema lets chosen be null.
func (Decision) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "chosen")
}

// TransformSchema lets price be null.
func (Model) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "price")
}

// amount is a number written as a decimal, so that no digit is lost.
type amount string

// MarshalJSON writes the number.
func (a amount) MarshalJSON() ([]byte, error) { return []byte(a), nil }

// Schema describes it.
func (amount) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Nullable: true, Description: "The cost in cents, exact; null when the model is unpriced"}
}

// object is JSON that is an object.
type object []byte

// MarshalJSON writes it as it is.
func (o object) MarshalJSON() ([]byte, error) { return o, nil }

// Schema describes it.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "The arguments; text that is no object stands under _raw"}
}

func text(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }

func oneOf(values ...any) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Enum: values} }

func either(schemas ...*huma.Schema) *huma.Schema { return &huma.Schema{AnyOf: schemas} }

func orNullSchema(s *huma.Schema) *huma.Schema { s.Nullable = true; return s }

func arrayOf(s *huma.Schema) *huma.Schema { return &huma.Schema{Type: huma.TypeArray, Items: s} }

func atLeast(n float64) *huma.Schema { return &huma.Schema{Type: huma.TypeInteger, Minimum: &n} }

// objectOf describes an object; open ones take fields that are not named here.
func objectOf(open bool, required []string, props map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: props, Required: required, AdditionalProperties: open}
}

// anyValue is a value of any form.
func anyValue(doc string) *huma.Schema { return &huma.Schema{Description: doc} }

// anyObject is an object of any fields.
func anyObject() *huma.Schema { return objectOf(true, nil, nil) }

// Schema describes messages in OpenAI's shape.
func (chatMessages) Schema(huma.Registry) *huma.Schema { return arrayOf(messageSchema(false)) }

// Schema describes tools in OpenAI's shape.
func (chatTools) Schema(huma.Registry) *huma.Schema { return orNullSchema(arrayOf(toolSchema(false))) }

// Schema describes tool_choice in OpenAI's shape.
func (toolChoice) Schema(huma.Registry) *huma.Schema { return toolChoiceSchema(false) }

// Schema describes response_format in OpenAI's shape.
func (chatFormat) Schema(huma.Registry) *huma.Schema { return orNullSchema(formatSchema(false)) }

func messageSchema(open bool) *huma.Schema {
	part := either(
		objectOf(open, []string{"type", "text"}, map[string]*huma.Schema{"type": oneOf("text"), "text": text("")}),
		objectOf(open, []string{"type", "refusal"}, map[string]*huma.Schema{"type": oneOf("refusal"), "refusal": text("")}),
		objectOf(open, []string{"type", "image_url"}, map[string]*huma.Schema{
			"type": oneOf("image_url"),
			"image_url": objectOf(open, []string{"url"}, map[string]*huma.Schema{
				"url":    {Type: huma.TypeString, Pattern: "^(https?://|data:image/[^,]*;base64,)", Description: "http(s), or data:image/...;base64,..."},
				"detail": orNullSchema(text("low, high or auto")),
			}),
		}),
	)
	if open {
		part = either(part, anyObject())
	}
	roles, kinds, needed := []any{"system", "developer", "user", "assistant", "tool"}, []any{"function"}, []string{"id", "function"}
	if open {
		roles, kinds, needed = append(roles, "function"), append(kinds, "custom"), []string{"id"}
	}
	call := objectOf(open, needed, map[string]*huma.Schema{
		"id": text(""), "type": oneOf(kinds...), "index": {Type: huma.TypeInteger},
		"function": objectOf(open, []string{"name", "arguments"}, map[string]*huma.Schema{"name": text(""), "arguments": text("JSON")}),
	})
	return objectOf(open, []string{"role"}, map[string]*huma.Schema{
		"role":         oneOf(roles...),
		"content":      either(text(""), arrayOf(part), &huma.Schema{Type: "null"}),
		"name":         orNullSchema(text("")),
		"refusal":      orNullSchema(text("")),
		"tool_calls":   orNullSchema(arrayOf(call)),
		"tool_call_id": orNullSchema(text("Of the call that a tool message answers")),
	})
}

func toolSchema(open bool) *huma.Schema {
	return objectOf(open, []string{"type", "function"}, map[string]*huma.Schema{
		"type": oneOf("function"),
		"function": objectOf(open, []string{"name"}, map[string]*huma.Schema{
			"name": text(""), "description": orNullSchema(text("")), "parameters": orNullSchema(anyObject()),
			"strict": {Type: huma.TypeBoolean, Nullable: true},
		}),
	})
}

func toolChoiceSchema(open bool) *huma.Schema {
	named := objectOf(open, []string{"type", "function"}, map[string]*huma.Schema{
		"type": oneOf("function"), "function": objectOf(open, []string{"name"}, map[string]*huma.Schema{"name": text("")}),
	})
	if open {
		named = anyObject()
	}
	return either(oneOf("auto", "none", "required"), named, &huma.Schema{Type: "null"})
}

func formatSchema(open bool) *huma.Schema {
	return objectOf(open, []string{"type"}, map[string]*huma.Schema{
		"type": oneOf("text", "json_object", "json_schema"),
		"json_schema": objectOf(open, []string{"name"}, map[string]*huma.Schema{
			"name": text(""), "description": orNullSchema(text("")), "schema": orNullSchema(anyObject()),
			"strict": {Type: huma.TypeBoolean, Nullable: true},
		}),
	})
}

// document stands for the OpenAPI document itself.
type document struct{}

// Schema describes it as any object.
func (document) Schema(huma.Registry) *huma.Schema { return anyObject() }

// keySet stands for a JSON Web Key Set.
type keySet struct{}

// Schema describes the keys that are in it: public halves of Ed25519 keys.
func (keySet) Schema(huma.Registry) *huma.Schema {
	return objectOf(false, []string{"keys"}, map[string]*huma.Schema{
		"keys": arrayOf(objectOf(true, []string{"kty", "kid", "crv", "x"}, map[string]*huma.Schema{
			"kty": oneOf("OKP"), "crv": oneOf("Ed25519"), "kid": text("RFC 7638 thumbprint"), "x": text("The public key, base64url"),
			"alg": oneOf("EdDSA"), "use": oneOf("sig"),
		})),
	})
}
