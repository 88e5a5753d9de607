package rest

import "github.com/danielgtaylor/huma/v2"

// chatRequest stands for OpenAI's chat completions request: fields that are not named go to the vendor as they are.
type chatRequest struct{}

// Schema describes it.
func (chatRequest) Schema(huma.Registry) *huma.Schema {
	number := func() *huma.Schema { return &huma.Schema{Type: huma.TypeNumber, Nullable: true} }
	truth := func() *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean, Nullable: true} }
	one := 1
	messages := arrayOf(messageSchema(true))
	messages.MinItems = &one
	return objectOf(true, []string{"model", "messages"}, map[string]*huma.Schema{
		"model":                 modelSchema(),
		"messages":              messages,
		"stream":                truth(),
		"stream_options":        orNullSchema(objectOf(true, nil, map[string]*huma.Schema{"include_usage": truth()})),
		"max_tokens":            orNullSchema(atLeast(1)),
		"max_completion_tokens": orNullSchema(atLeast(1)),
		"temperature":           number(),
		"top_p":                 number(),
		"stop":                  either(text(""), arrayOf(text("")), &huma.Schema{Type: "null"}),
		"tools":                 orNullSchema(arrayOf(anyObject())),
		"tool_choice":           toolChoiceSchema(true),
		"parallel_tool_calls":   truth(),
		"n":                     orNullSchema(atLeast(1)),
		"seed":                  number(),
		"top_k":                 number(),
		"logprobs":              truth(),
		"top_logprobs":          orNullSchema(atLeast(0)),
		"frequency_penalty":     number(),
		"presence_penalty":      number(),
		"reasoning_effort":      orNullSchema(text("none, minimal, low, medium, high, xhigh or max")),
		"reasoning":             anyValue("OpenRouter's: effort, max_tokens, exclude, enabled"),
		"service_tier":          anyValue("auto, default, flex or priority"),
		"prompt_cache_key":      anyValue("Requests of one key share a prompt that the vendor may have kept"),
		"web_search_options":    anyValue("Lets a vendor that can search the web"),
		"response_format":       orNullSchema(anyObject()),
		"user":                  orNullSchema(text("")),
	})
}

// chatResponse stands for OpenAI's chat completions answer, which a relay does not touch.
type chatResponse struct{}

// Schema describes what every such answer has.
func (chatResponse) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"choices"}, map[string]*huma.Schema{
		"id": text(""), "object": text(""), "created": {Type: huma.TypeInteger}, "model": text("As the vendor names it"),
		"choices": arrayOf(objectOf(true, []string{"message"}, map[string]*huma.Schema{
			"index": {Type: huma.TypeInteger}, "message": anyObject(), "finish_reason": orNullSchema(text("")),
		})),
		"usage": orNullSchema(anyObject()),
	})
}

// chatChunk stands for a chunk of OpenAI's stream.
type chatChunk struct{}

// Schema describes what every such chunk has.
func (chatChunk) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"choices"}, map[string]*huma.Schema{
		"id": text(""), "object": text(""), "created": {Type: huma.TypeInteger}, "model": text("As the vendor names it"),
		"choices": arrayOf(objectOf(true, []string{"delta"}, map[string]*huma.Schema{
			"index": {Type: huma.TypeInteger}, "delta": anyObject(), "finish_reason": orNullSchema(text("")),
		})),
		"usage": orNullSchema(anyObject()),
	})
}

// embeddingRequest stands for OpenAI's request for embeddings: fields that are not named go to the vendor as they are.
type embeddingRequest struct{}

// Schema describes it.
func (embeddingRequest) Schema(huma.Registry) *huma.Schema {
	tokens := func() *huma.Schema { return arrayOf(atLeast(0)) }
	least, most := 1, maxInputs
	texts, lists, one := arrayOf(text("")), arrayOf(tokens()), tokens()
	texts.MinItems, texts.MaxItems, lists.MinItems, lists.MaxItems, one.MinItems = &least, &most, &least, &most, &least
	return objectOf(true, []string{"model", "input"}, map[string]*huma.Schema{
		"model":           modelSchema(),
		"input":           either(text("A text"), texts, one, lists),
		"encoding_format": orNullSchema(&huma.Schema{Type: huma.TypeString, Enum: []any{"float", "base64", nil}}),
		"dimensions":      orNullSchema(atLeast(1)),
		"user":            orNullSchema(text("")),
	})
}

// modelSchema describes the name of a model.
func modelSchema() *huma.Schema {
	one, most := 1, maxName
	return &huma.Schema{
		Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: `^[^\x00-\x1f\x7f]*$`,
		Description: "auto, auto:<task type>, <provider>/<model>, or a model's name",
	}
}

// embeddingResponse stands for OpenAI's answer to it, which a relay does not touch.
type embeddingResponse struct{}

// Schema describes what every such answer has.
func (embeddingResponse) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"data"}, map[string]*huma.Schema{
		"object": text(""), "model": text("As the vendor names it"), "usage": orNullSchema(anyObject()),
		"data": arrayOf(objectOf(true, []string{"embedding"}, map[string]*huma.Schema{
			"object": text(""), "index": {Type: huma.TypeInteger},
			"embedding": either(arrayOf(&huma.Schema{Type: huma.TypeNumber}), text("Base64 of 32-bit floats, little end first")),
		})),
	})
}
