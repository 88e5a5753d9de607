package simulator

import (
	"net/http"
	"strconv"
)

func (anthropic) failure(status int) *problem {
	p := &problem{status: status}
	switch status {
	case http.StatusUnauthorized:
		p.message = "invalid x-api-key"
	case http.StatusPaymentRequired:
		p.message = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."
	case http.StatusTooManyRequests:
		p.message = "This request would exceed your organization's rate limit. Please reduce the prompt length or the maximum tokens requested, or try again later."
	case statusOverloaded:
		p.message = "Overloaded"
	case http.StatusServiceUnavailable:
		p.message = "Service temporarily unavailable"
	default:
		p.message = "Internal server error"
		if status < 500 {
			p.message = http.StatusText(status)
		}
	}
	return p
}

// statusOverloaded is Anthropic's own status.
const statusOverloaded = 529

func anthropicErrorType(status int) string {
	switch status {
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
	case http.StatusGatewayTimeout:
		return "timeout_error"
	case statusOverloaded:
		return "overloaded_error"
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

type anthropicError struct {
	Type  string `json:"type,omitempty"`
	Error struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
	RequestID string `json:"request_id,omitempty"`
}

func (anthropic) refuse(p *problem, serial uint64) reply {
	request := "req_011" + id(serial, 21)
	e := anthropicError{Type: "error", RequestID: request}
	e.Error.Type, e.Error.Message = anthropicErrorType(p.status), p.message
	if p.status == http.StatusRequestEntityTooLarge { // comes from another place and has another shape
		e.Type, e.RequestID = "", ""
	}
	r := jsonReply(p.status, encode(e), "Request-Id", request)
	if p.allow != "" {
		r.header.Set("Allow", p.allow)
	}
	retry := p.status == http.StatusTooManyRequests || p.status >= 500
	r.header.Set("X-Should-Retry", strconv.FormatBool(retry))
	if p.retry > 0 {
		r.header.Set("Retry-After", strconv.Itoa(p.retry))
	}
	return r
}
