package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// minOutput is the least max_output_tokens; maxOutputID the longest id of a call.
const (
	minOutput   = 16
	maxOutputID = 64
)

var responsesShape = object("model", "instructions", "stream", "stream_options", "store", "previous_response_id", "conversation", "include",
	"max_output_tokens", "max_tool_calls", "temperature", "top_p", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls", "metadata", "user",
	"prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "service_tier", "truncation", "background", "prompt",
	"context_management", "moderation",
).with("reasoning", object("effort", "summary", "generate_summary", "context", "mode")).
	with("text", object("verbosity").with("format", object("type", "name", "schema", "strict", "description"))).
	with("input", list(object("type", "id", "role", "status", "content", "call_id", "name", "arguments", "output", "encrypted_content", "summary", "phase",
		"input", "action", "queries", "results", "code", "container_id", "outputs", "server_label", "tools", "error", "approval_request_id", "approve",
		"reason", "approval_response_id", "operation", "namespace", "pending_safety_checks", "acknowledged_safety_checks", "max_output_length", "execution",
		"result", "caller", "created_by")))

// check looks at everything but the items of the input.
func (b *responsesBody) check(body []byte) *problem {
	if b.Model == "" {
		return missingParam("model")
	}
	if s := responsesShape.strangerIn(body, asIs); s != nil {
		return unknownParameter(s)
	}
	if !given(b.Input) && b.Previous == nil {
		return bad(`One of "input" or "previous_response_id" or 'prompt' or 'conversation_id' must be provided.`)
	}
	if p := chatDecimal("temperature", b.Temperature, 2); p != nil {
		return p
	}
	if p := chatDecimal("top_p", b.TopP, 1); p != nil {
		return p
	}
	if b.MaxTokens != nil && *b.MaxTokens < minOutput {
		return &problem{
			status: http.StatusBadRequest, param: "max_output_tokens", code: "integer_below_min_value",
			message: fmt.Sprintf("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= %d, but got %d instead.", minOutput, *b.MaxTokens),
		}
	}
	return b.checkReasoning()
}

// checkReasoning refuses what a reasoning model does not take, and what another does not.
func (b *responsesBody) checkReasoning() *problem {
	unsupported := func(param string) *problem {
		return &problem{
			status: http.StatusBadRequest, param: param, message: fmt.Sprintf("Unsupported parameter: '%s' is not supported with this model.", param),
		}
	}
	switch {
	case fixedTemperature(b.Model) && b.Temperature != nil && *b.Temperature != 1:
		return unsupported("temperature")
	case !reasons(b.Model) && b.Reasoning != nil && b.Reasoning.Effort != nil:
		p := unsupported("reasoning.effort")
		p.code = "unsupported_parameter"
		return p
	case !reasons(b.Model) && slices.Contains(b.Include, includeEncrypted):
		return &problem{status: http.StatusBadRequest, param: "include", message: "Encrypted content is not supported with this model."}
	}
	return nil
}

// responseRules refuse a conversation that does not hold together, each for one reason.
var responseRules = []func(*responsesBody, route) *problem{
	wrongItemID, longOutputID, outputWithoutCall, callWithoutOutput, reasoningAtTheEnd, itemWithoutReasoning, alteredReasoning,
}

func inInput(message string) *problem {
	return &problem{status: http.StatusBadRequest, param: "input", message: message}
}

// wrongItemID refuses ids of items that do not begin as their kind does.
func wrongItemID(b *responsesBody, _ route) *problem {
	for _, item := range b.items {
		prefix := map[string]string{"function_call": "fc", "reasoning": "rs"}[item.Type]
		if item.Type == "message" && item.Role == "assistant" {
			prefix = "msg"
		}
		if item.ID == "" || strings.HasPrefix(item.ID, prefix) {
			continue
		}
		param := fmt.Sprintf("input[%d].id", item.at)
		return &problem{
			status: http.StatusBadRequest, param: param, code: "invalid_value",
			message: fmt.Sprintf("Invalid '%s': '%s'. Expected an ID that begins with '%s'.", param, item.ID, prefix),
		}
	}
	return nil
}

// longOutputID refuses ids of calls that are too long or empty.
func longOutputID(b *responsesBody, _ route) *problem {
	for _, item := range b.items {
		param := fmt.Sprintf("input[%d].call_id", item.at)
		switch {
		case item.Type != "function_call" && item.Type != "function_call_output":
		case item.CallID == "":
			return missingParam(param)
		case len(item.CallID) > maxOutputID:
			return tooLong(param, maxOutputID, len(item.CallID))
		}
	}
	return nil
}

// outputWithoutCall refuses a result in front of which nobody called.
func outputWithoutCall(b *responsesBody, _ route) *problem {
	called := map[string]bool{}
	for _, item := range b.items {
		switch {
		case item.Type == "function_call":
			called[item.CallID] = true
		case item.Type == "function_call_output" && !called[item.CallID]:
			return inInput("No tool call found for function call output with call_id " + item.CallID + ".")
		}
	}
	return nil
}

// callWithoutOutput refuses a call that nobody answers.
func callWithoutOutput(b *responsesBody, _ route) *problem {
	answered := map[string]bool{}
	for _, item := range b.items {
		if item.Type == "function_call_output" {
			answered[item.CallID] = true
		}
	}
	for _, item := range b.items {
		if item.Type == "function_call" && !answered[item.CallID] {
			return inInput("No tool output found for function call " + item.CallID + ".")
		}
	}
	return nil
}

// reasoningAtTheEnd refuses reasoning that leads to nothing.
func reasoningAtTheEnd(b *responsesBody, _ route) *problem {
	for i, item := range b.items {
		if item.Type != "reasoning" {
			continue
		}
		follows := ""
		if i+1 < len(b.items) {
			if next := b.items[i+1]; next.Type != "message" || next.Role == "assistant" {
				follows = next.Type
			}
		}
		if follows == "" || strings.HasSuffix(follows, "_output") {
			return inInput("Item '" + item.ID + "' of type 'reasoning' was provided without its required following item.")
		}
	}
	return nil
}

// itemWithoutReasoning refuses what came after reasoning, by its id, when that is not there.
func itemWithoutReasoning(b *responsesBody, _ route) *problem {
	reasoned := map[string]bool{}
	for _, item := range b.items {
		answer, needs, made := readItemID(item.ID)
		switch {
		case !made:
		case item.Type == "reasoning":
			reasoned[answer] = true
		case needs && !reasoned[answer]:
			return inInput("Item '" + item.ID + "' of type '" + item.Type + "' was provided without its required 'reasoning' item: 'rs_" + answer + "...'.")
		}
	}
	return nil
}

// alteredReasoning refuses encrypted content that the vendor did not make, or made for another item, and reasoning that it has not kept.
func alteredReasoning(b *responsesBody, rt route) *problem {
	for _, item := range b.items {
		if item.Type != "reasoning" || item.kept {
			continue
		}
		if item.Encrypted == "" {
			return &problem{
				status: http.StatusNotFound, param: "input",
				message: "Item with id '" + item.ID + "' not found. Items are not persisted when `store` is set to false. " +
					"Try again with `store` set to true, or remove this item from your input.",
			}
		}
		made, matches := encrypted(item.Encrypted, item.ID)
		p := &problem{status: http.StatusBadRequest, code: "invalid_encrypted_content"}
		switch {
		case rt.signed != nil && rt.signed(item.Encrypted):
			continue
		case !made:
			p.message = "The encrypted content " + shortened(item.Encrypted) + " could not be verified. Reason: Encrypted content could not be decrypted or parsed."
		case !matches:
			p.message = "The encrypted content " + shortened(item.Encrypted) +
				" could not be verified. Reason: Encrypted content item_id did not match the target item id."
		default:
			continue
		}
		return p
	}
	return nil
}

func shortened(token string) string {
	if len(token) <= 8 {
		return token
	}
	return token[:4] + "..." + token[len(token)-4:]
}
