package rest

import (
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/fault"
)

// AnthropicError is a failure in the shape that Anthropic's clients read.
type AnthropicError struct {
	Type      string               `json:"type" enum:"error"`
	Error     AnthropicErrorDetail `json:"error"`
	RequestID string               `json:"request_id"`
}

// AnthropicErrorDetail says what failed.
type AnthropicErrorDetail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// anthropicError puts a fault into Anthropic's shape. It has no field for the name of what is wrong, so the text says it.
func (x *exchange) anthropicError(f *fault.Error) AnthropicError {
	said := openAIErrorOf(f).Error
	message := said.Message
	if param := said.Param; param != nil && !strings.Contains(message, *param) {
		message = *param + ": " + message
	}
	return AnthropicError{
		Type: "error", RequestID: x.requestID, Error: AnthropicErrorDetail{Type: anthropicType(statusOf(f)), Message: message},
	}
}

// anthropicType gives Anthropic's name of a kind of failure.
func anthropicType(code int) string {
	switch code {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	}
	if code >= http.StatusInternalServerError {
		return "api_error"
	}
	return "invalid_request_error"
}
