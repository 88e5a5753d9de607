package simulator

import (
	"net/http"
	"strconv"
)

type geminiError struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []any  `json:"details,omitempty"`
	} `json:"error"`
}

type geminiErrorInfo struct {
	Type     string            `json:"@type"`
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata"`
}

type geminiRetryInfo struct {
	Type  string `json:"@type"`
	Delay string `json:"retryDelay"`
}

type geminiQuota struct {
	Type       string                 `json:"@type"`
	Violations []geminiQuotaViolation `json:"violations"`
}

type geminiQuotaViolation struct {
	Metric string `json:"quotaMetric"`
	ID     string `json:"quotaId"`
}

func (gemini) failure(status int) *problem {
	p := &problem{status: status}
	switch status {
	case http.StatusUnauthorized:
		p.message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
	case http.StatusPaymentRequired, http.StatusForbidden:
		p.message = "The caller does not have permission"
	case http.StatusTooManyRequests:
		p.message = "You exceeded your current quota, please check your plan and billing details."
	case http.StatusServiceUnavailable:
		p.message = "The model is overloaded. Please try again later."
	case http.StatusInternalServerError:
		p.message = "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
	case http.StatusGatewayTimeout:
		p.message = "Deadline expired before operation could complete."
	default:
		p.message = http.StatusText(status)
	}
	return p
}

func geminiStatus(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return "INVALID_ARGUMENT"
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusPaymentRequired, http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusMethodNotAllowed:
		return "UNIMPLEMENTED"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	case http.StatusInternalServerError:
		return "INTERNAL"
	default:
		return "UNKNOWN"
	}
}

// refuse tells a delay in the body alone, and answers a call for events with the media type of events.
func (gemini) refuse(p *problem, _ uint64) reply {
	if p.html {
		return htmlReply(p.status)
	}
	var e geminiError
	e.Error.Code, e.Error.Message, e.Error.Status = p.status, p.message, geminiStatus(p.status)
	if p.key {
		e.Error.Details = append(e.Error.Details, geminiErrorInfo{
			Type: "type.googleapis.com/google.rpc.ErrorInfo", Reason: "API_KEY_INVALID", Domain: "googleapis.com",
			Metadata: map[string]string{"service": "generativelanguage.googleapis.com"},
		})
	}
	if p.status == http.StatusTooManyRequests {
		e.Error.Details = append(e.Error.Details, geminiQuota{Type: "type.googleapis.com/google.rpc.QuotaFailure", Violations: []geminiQuotaViolation{{
			Metric: "generativelanguage.googleapis.com/generate_content_paid_tier_requests",
			ID:     "GenerateRequestsPerMinutePerProjectPerModel",
		}}})
	}
	if p.retry > 0 {
		delay := strconv.Itoa(p.retry)
		e.Error.Message += "\nPlease retry in " + delay + ".0s."
		e.Error.Details = append(e.Error.Details, geminiRetryInfo{Type: "type.googleapis.com/google.rpc.RetryInfo", Delay: delay + "s"})
	}
	r := reply{status: p.status, header: geminiHeader(p.stream), body: indent(e)}
	if p.allow != "" {
		r.header.Set("Allow", p.allow)
	}
	return r
}
