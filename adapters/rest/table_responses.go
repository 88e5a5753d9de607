package rest

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/forge1/forge1/domain/tenant"
)

var exampleResponse = map[string]any{"model": "auto", "input": "Why is the sky blue?"}

// responseRoutes lists OpenAI's responses, and those that are kept.
func responseRoutes() []route {
	const events = "OpenAI's events, from response.created to response.completed or response.incomplete; a stream that breaks ends with event: error. " +
		"Lines that begin with a colon are heartbeats."
	id := param{in: "path", name: "id", doc: "Of a response that was kept", schema: ""}
	include := param{in: "query", name: "include", doc: "reasoning.encrypted_content adds what a vendor wants back of a thought; the rest is there anyway", schema: ""}
	r := func(method, path string, of route) route {
		of.method, of.pattern, of.access, of.scope, of.shape, of.tag, of.naming = method, "/v1/responses"+path, scopedKey, tenant.ScopeAI, shapeOpenAI, "openai", respName
		return of
	}
	return []route{
		r(http.MethodPost, "", route{
			large: true, id: "create-response", summary: "OpenAI's responses",
			doc: "To a vendor of the same dialect the body goes as it is, with the whole conversation in it; for others it is translated, and what they cannot honour " +
				"is named in X-Forge-Dropped. Unless store is false the response is kept, encrypted, for the tenant alone, so that the next one can go on from it by " +
				"previous_response_id whichever vendor answers. background and conversation are refused.",
			params: aiHeaders(), body: responseRequest{}, example: exampleResponse, handle: (*exchange).createResponse, faults: append([]int{413}, callFaults...),
			replies: []answer{
				{status: 200, doc: "The answer, whole or as events", body: responseObject{}, headers: callHeaders},
				{status: 200, events: events, kinds: responseEvents()},
			},
		}),
		r(http.MethodGet, "/{id}", route{
			id: "get-response", summary: "A kept response", handle: (*exchange).getResponse, faults: []int{404, 422}, params: []param{
				id, include, {in: "query", name: "stream", doc: "Refused: a kept response is given whole", schema: ""},
			},
			replies: []answer{{status: 200, doc: "As it was given", body: responseObject{}}},
		}),
		r(http.MethodGet, "/{id}/input_items", route{
			id: "list-input-items", summary: "What a kept response answered", handle: (*exchange).inputItems, faults: []int{404, 422}, params: []param{
				id, include,
				{in: "query", name: "order", doc: "desc when absent", schema: "", enum: []any{"asc", "desc"}},
				{in: "query", name: "after", doc: "Id of the item that the page follows", schema: ""},
				{in: "query", name: "limit", doc: "20 when absent", schema: 0, min: 1, max: maxItems},
			},
			replies: []answer{{status: 200, doc: "The items of the whole conversation", body: InputItems{}}},
		}),
		r(http.MethodDelete, "/{id}", route{
			id: "delete-response", summary: "Forget a response", handle: (*exchange).deleteResponse, params: []param{id}, faults: []int{404},
			replies: []answer{{status: 200, doc: "It is gone", body: DeletedResponse{}}},
		}),
	}
}

// responseEvents are the events of a stream, those of vendors' own tools included.
func responseEvents() map[string]any {
	kinds := map[string]any{"error": responseError{}}
	for _, name := range []string{"created", "queued", "in_progress", "completed", "incomplete", "failed"} {
		kinds["response."+name] = responseEvent{}
	}
	for _, name := range []string{
		"output_item.added", "output_item.done", "content_part.added", "content_part.done", "output_text.delta", "output_text.annotation.added", "output_text.done",
		"refusal.delta", "refusal.done", "function_call_arguments.delta", "function_call_arguments.done", "custom_tool_call_input.delta", "custom_tool_call_input.done",
		"reasoning_summary_part.added", "reasoning_summary_part.done", "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_text.delta",
		"reasoning_text.done", "web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed", "file_search_call.in_progress",
		"file_search_call.searching", "file_search_call.completed", "code_interpreter_call.in_progress", "code_interpreter_call.interpreting",
		"code_interpreter_call.completed", "code_interpreter_call_code.delta", "code_interpreter_call_code.done", "image_generation_call.in_progress",
		"image_generation_call.generating", "image_generation_call.partial_image", "image_generation_call.completed", "mcp_call_arguments.delta",
		"mcp_call_arguments.done", "mcp_call.in_progress", "mcp_call.completed", "mcp_call.failed", "mcp_list_tools.in_progress", "mcp_list_tools.completed",
		"mcp_list_tools.failed",
	} {
		kinds["response."+name] = responsePiece{}
	}
	return kinds
}

// responseRequest stands for OpenAI's responses request: fields that are not named go to the vendor as they are.
type responseRequest struct{}

// Schema describes it.
func (responseRequest) Schema(huma.Registry) *huma.Schema {
	number := func() *huma.Schema { return &huma.Schema{Type: huma.TypeNumber, Nullable: true} }
	truth := func() *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean, Nullable: true} }
	words := func() *huma.Schema { return orNullSchema(text("")) }
	one, most := 1, maxName
	return objectOf(true, []string{"model"}, map[string]*huma.Schema{
		"model": {
			Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: `^[^\x00-\x1f\x7f]*$`,
			Description: "auto, auto:<task type>, <provider>/<model>, or a model's name",
		},
		"input":                either(text(""), arrayOf(anyObject()), &huma.Schema{Type: "null"}),
		"instructions":         words(),
		"previous_response_id": orNullSchema(text("Of a kept response of this tenant; its instructions are not carried over")),
		"store":                {Type: huma.TypeBoolean, Nullable: true, Description: "Whether the response is kept; true when absent"},
		"stream":               truth(),
		"max_output_tokens":    orNullSchema(atLeast(1)),
		"temperature":          number(),
		"top_p":                number(),
		"tools":                orNullSchema(arrayOf(anyObject())),
		"tool_choice":          either(oneOf("auto", "none", "required"), anyObject(), &huma.Schema{Type: "null"}),
		"parallel_tool_calls":  truth(),
		"reasoning":            orNullSchema(anyObject()),
		"text":                 orNullSchema(anyObject()),
		"include":              orNullSchema(arrayOf(text(""))),
		"metadata":             orNullSchema(anyObject()),
		"user":                 words(),
		"background":           {Type: huma.TypeBoolean, Nullable: true, Description: "Refused when true"},
	})
}

// responseObject stands for OpenAI's response, which a relay nearly leaves as it is.
type responseObject struct{}

// Schema describes what every such answer has.
func (responseObject) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"id", "object", "output"}, map[string]*huma.Schema{
		"id": text(""), "object": oneOf("response"), "created_at": {Type: huma.TypeNumber}, "model": text("As the vendor names it"),
		"status": text("completed, or incomplete with incomplete_details"), "output": arrayOf(anyObject()), "usage": orNullSchema(anyObject()),
	})
}

// responseEvent stands for the events that have a response in them.
type responseEvent struct{}

// Schema describes them.
func (responseEvent) Schema(r huma.Registry) *huma.Schema {
	return objectOf(true, []string{"type", "response"}, map[string]*huma.Schema{
		"type": text(""), "sequence_number": {Type: huma.TypeInteger}, "response": responseObject{}.Schema(r),
	})
}

// responseError stands for the event of a stream that breaks.
type responseError struct{}

// Schema describes it.
func (responseError) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"type", "error"}, map[string]*huma.Schema{
		"type": oneOf("error"), "sequence_number": {Type: huma.TypeInteger}, "error": anyObject(), "message": text(""),
	})
}

// responsePiece stands for the events that have a piece of a response in them.
type responsePiece struct{}

// Schema describes what every such event has.
func (responsePiece) Schema(huma.Registry) *huma.Schema {
	return objectOf(true, []string{"type"}, map[string]*huma.Schema{"type": text("The event's name"), "sequence_number": {Type: huma.TypeInteger}})
}
