package llm

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Refusal is an error in a vendor's words, as its dialect read it from a body.
type Refusal struct {
	// Status is HTTP's, or the number that the body gives for itself within a 200; 0 when there is none.
	Status int
	// Class is what the dialect knows better than the shared rules; "" leaves it to Code, Type, Message and Status, in this order.
	Class      chat.Class
	Code       string
	Type       string
	Param      string
	Message    string
	RetryAfter time.Duration // from the body; the headers' word goes first
}

// Explain reads an error body. It reports false when the body is not the dialect's: HTML, empty, something else.
type Explain func(body []byte) (Refusal, bool)

// StatusError is the private cause of a failure that a vendor reported: who said what, without its prose.
type StatusError struct {
	Provider string
	Status   int
	Code     string // cleaned
}

// Error names provider, status and code.
func (e *StatusError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s answered %d", e.Provider, e.Status)
	}
	return fmt.Sprintf("%s answered %d %s", e.Provider, e.Status, e.Code)
}

// FromResponse turns an answer whose status is not 200 into a failure. It reads the body up to MaxError and leaves closing to the caller.
func FromResponse(resp *http.Response, to outbound.Target, explain Explain) *chat.Failure {
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxError))
	var r Refusal
	if err == nil && explain != nil {
		var ok bool
		if r, ok = explain(body); !ok {
			r = Refusal{}
		}
	}
	r.Status = resp.StatusCode
	return r.Failure(to, resp.Header)
}

// Failure turns a refusal into a typed failure: the vendor's words are kept for the caller's own mistakes alone, scrubbed and cut.
// header may be nil.
func (r Refusal) Failure(to outbound.Target, header http.Header) *chat.Failure {
	code := r.Code
	if code == "" {
		code = r.Type
	}
	f := &chat.Failure{
		Class: r.class(),
		Err:   &StatusError{Provider: to.Provider, Status: r.Status, Code: word(Scrub(code, to.Secret), 64)},
	}
	switch f.Class {
	case chat.ClassInvalid, chat.ClassNoModel, chat.ClassTooLarge, chat.ClassTooLong:
		f.Message = Scrub(r.Message, to.Secret)
		f.Code = word(Scrub(code, to.Secret), 128)
		f.Param = cut(Scrub(r.Param, to.Secret), 256)
		f.Status = r.Status
	case chat.ClassAuth, chat.ClassBadResponse:
	default:
		body := r.RetryAfter
		if body == 0 && f.Class == chat.ClassRateLimited {
			body = ProseDelay(r.Message)
		}
		f.RetryAfter = RetryAfter(header, body, date(header))
		f.Final = strings.EqualFold(header.Get("X-Should-Retry"), "false")
	}
	return f
}

// class goes from the most telling to the least: the vendor's word, then its prose, then the status.
func (r Refusal) class() chat.Class {
	switch {
	case r.Class != "":
		return r.Class
	case r.Status == http.StatusPaymentRequired:
		return chat.ClassAuth // whatever words come with it, this credential is turned away until somebody pays
	}
	for _, w := range [...]string{strings.ToLower(r.Code), strings.ToLower(r.Type)} {
		if c, ok := byWord[w]; ok {
			return c
		}
		if c, ok := byWordAlone[w]; ok && r.Status == 0 {
			return c
		}
	}
	if r.Status < 500 && r.Status != http.StatusTooManyRequests && tooLong(r.Message) {
		return chat.ClassTooLong
	}
	return ByStatus(r.Status, r.Code+r.Type+r.Message != "")
}

// byWord holds the words that say more than the status they come with.
var byWord = map[string]chat.Class{
	"insufficient_quota":         chat.ClassQuota,
	"billing_hard_limit_reached": chat.ClassQuota,
	"billing_not_active":         chat.ClassQuota,
	"billing_error":              chat.ClassQuota,
	"insufficient_credits":       chat.ClassQuota,
	"context_length_exceeded":    chat.ClassTooLong,
	"exceed_context_size_error":  chat.ClassTooLong,
	"model_not_found":            chat.ClassNoModel,
	"request_too_large":          chat.ClassTooLarge,
}

// byWordAlone holds the words that stand for a status where there is none: in an error within a 200.
var byWordAlone = map[string]chat.Class{
	"invalid_request_error": chat.ClassInvalid,
	"authentication_error":  chat.ClassAuth,
	"permission_error":      chat.ClassAuth,
	"invalid_api_key":       chat.ClassAuth,
	"not_found_error":       chat.ClassNoModel,
	"rate_limit_exceeded":   chat.ClassRateLimited,
	"rate_limit_error":      chat.ClassRateLimited,
	"overloaded_error":      chat.ClassOverloaded,
	"timeout_error":         chat.ClassTimeout,
}

// tooLong knows the prose of servers that have no code for a conversation that does not fit.
func tooLong(message string) bool {
	m := strings.ToLower(message)
	for _, phrase := range [...]string{
		"maximum context length", "context length exceeded", "prompt is too long", "exceeds the context window", "exceed context limit",
		"exceeds the maximum number of tokens", "input is too long",
	} {
		if strings.Contains(m, phrase) {
			return true
		}
	}
	return false
}

// ByStatus gives the class that a status alone speaks for. spoken says that the vendor gave a reason in its own dialect: without one a
// 404 is about an address, not about a model, and other refusals are those of something on the way.
func ByStatus(status int, spoken bool) chat.Class {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return chat.ClassInvalid
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return chat.ClassAuth
	case http.StatusNotFound:
		if !spoken {
			return chat.ClassBadResponse
		}
		return chat.ClassNoModel
	case http.StatusRequestEntityTooLarge:
		return chat.ClassTooLarge
	case http.StatusTooManyRequests:
		return chat.ClassRateLimited
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 524: // 524: Cloudflare's own 504
		return chat.ClassTimeout
	case http.StatusServiceUnavailable, 529: // 529: Anthropic's overload
		return chat.ClassOverloaded
	case 0, http.StatusConflict: // an error without a number; a conflict within the vendor, which its own clients retry
		return chat.ClassServer
	}
	switch {
	case status >= 500:
		return chat.ClassServer
	case status >= 400 && spoken: // such as 405, 406, 410, 415, 416 and 451: whatever it is, it is about what was asked
		return chat.ClassInvalid
	default:
		return chat.ClassBadResponse
	}
}

// BadResponse is a failure for an answer that is not one; what says what is wrong with it, in our words.
func BadResponse(to outbound.Target, what string) *chat.Failure {
	return chat.Fail(chat.ClassBadResponse, fmt.Errorf("%s: %s", to.Provider, what))
}
