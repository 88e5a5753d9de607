package rest

import "github.com/danielgtaylor/huma/v2"

// messageRequest stands for Anthropic's messages request: fields that are not named go to Anthropic as they are.
type messageRequest struct{}

// Schema describes it.
func (messageRequest) Schema(huma.Registry) *huma.Schema {
	fields := messageFieldSchemas()
	fields["max_tokens"] = atLeast(0)
	return objectOf(true, messageFields.required, fields)
}

// countRequest stands for Anthropic's request to count tokens.
type countRequest struct{}

// Schema describes it.
func (countRequest) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, countFields.required, messageFieldSchemas())
}

func messageFieldSchemas() map[string]*huma.Schema {
	number := func() *huma.Schema { return &huma.Schema{Type: huma.TypeNumber, Nullable: true} }
	open := func() *huma.Schema { return orNullSchema(anyObject()) }
	one, most := 1, maxName
	messages := arrayOf(objectOf(true, []string{"role", "content"}, map[string]*huma.Schema{
		"role":    oneOf("user", "assistant", "system"),
		"content": either(text(""), arrayOf(messageBlockSchema())),
	}))
	messages.MinItems = &one
	return map[string]*huma.Schema{
		"model": {
			Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: `^[^\x00-\x1f\x7f]*$`,
			Description: "auto, auto:<task type>, <provider>/<model>, or a model's name",
		},
		"messages":       messages,
		"stream":         {Type: huma.TypeBoolean, Nullable: true},
		"system":         either(text(""), arrayOf(messageBlockSchema()), &huma.Schema{Type: "null"}),
		"temperature":    number(),
		"top_p":          number(),
		"top_k":          number(),
		"stop_sequences": orNullSchema(arrayOf(text(""))),
		"tools":          orNullSchema(arrayOf(anyObject())),
		"tool_choice":    open(),
		"thinking":       open(),
		"output_config":  open(),
		"metadata":       open(),
		"cache_control":  open(),
		"service_tier":   orNullSchema(text("auto or standard_only")),
	}
}

// messageBlockSchema describes a block: what every one has, and what its type adds.
func messageBlockSchema() *huma.Schema {
	return objectOf(true, []string{"type"}, map[string]*huma.Schema{"type": text("text, image, document, tool_use, tool_result, thinking, ...")})
}

// messageResponse stands for Anthropic's message, which a relay does not touch.
type messageResponse struct{}

// Schema describes what every such answer has.
func (messageResponse) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"content"}, map[string]*huma.Schema{
		"id": text(""), "type": text(""), "role": text(""), "model": text("As the vendor names it"),
		"content": arrayOf(messageBlockSchema()), "stop_reason": orNullSchema(text("")), "stop_sequence": orNullSchema(text("")),
		"usage": orNullSchema(anyObject()),
	})
}

// messageEvent stands for an event of Anthropic's stream.
type messageEvent struct{}

// Schema describes what every such event has.
func (messageEvent) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"type"}, map[string]*huma.Schema{"type": text("As the event's name")})
}

// Schema describes it.
func (TokenCount) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"input_tokens"}, map[string]*huma.Schema{"input_tokens": atLeast(0)})
}
