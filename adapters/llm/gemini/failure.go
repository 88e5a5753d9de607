package gemini

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// explain reads an error body, which may stand alone in a list; it implements llm.Explain.
func explain(body []byte) (llm.Refusal, bool) {
	body = bytes.TrimSpace(body)
	if bytes.HasPrefix(body, []byte("[")) {
		var list []problem
		if json.Unmarshal(body, &list) != nil || len(list) == 0 || list[0].Error == nil {
			return llm.Refusal{}, false
		}
		return list[0].Error.refusal(), true
	}
	var p problem
	if json.Unmarshal(body, &p) != nil || p.Error == nil {
		return llm.Refusal{}, false
	}
	return p.Error.refusal(), true
}

type problem struct {
	Error *apiError `json:"error"`
}

type apiError struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Status  string   `json:"status"`
	Details []detail `json:"details"`
}

// detail is one of google.rpc's error details: ErrorInfo has a reason, RetryInfo a delay, BadRequest its field violations, QuotaFailure the quotas.
type detail struct {
	Reason     string `json:"reason"`
	RetryDelay string `json:"retryDelay"`
	Fields     []struct {
		Field string `json:"field"`
	} `json:"fieldViolations"`
	Quotas []struct {
		ID string `json:"quotaId"`
	} `json:"violations"`
}

// refusal reads what the vendor hides in details and prose: a bad key is a 400, and the delay of a 429 stands in the body alone.
func (e *apiError) refusal() llm.Refusal {
	r := llm.Refusal{Status: e.Code, Code: e.Status, Message: e.Message}
	for _, d := range e.Details {
		if d.RetryDelay != "" {
			r.RetryAfter = llm.ParseDelay(d.RetryDelay, time.Time{})
		}
		if strings.HasPrefix(d.Reason, "API_KEY_") {
			r.Class = chat.ClassAuth
		}
		if r.Param == "" && len(d.Fields) > 0 {
			r.Param = d.Fields[0].Field
		}
		for _, q := range d.Quotas {
			if r.Class == "" && strings.Contains(q.ID, "PerDay") {
				r.Class = chat.ClassQuota // looks like a limit per minute, but for its name
			}
		}
	}
	if r.Class == "" {
		r.Class = e.class()
	}
	return r
}

func (e *apiError) class() chat.Class {
	message := strings.ToLower(e.Message)
	switch e.Status {
	case "INVALID_ARGUMENT":
		switch {
		case strings.Contains(message, "api key"):
			return chat.ClassAuth
		case strings.Contains(message, "token count") && strings.Contains(message, "exceeds"):
			return chat.ClassTooLong
		case strings.Contains(message, "payload size exceeds"):
			return chat.ClassTooLarge
		}
	case "FAILED_PRECONDITION":
		if strings.Contains(message, "location") || strings.Contains(message, "billing") {
			return chat.ClassAuth // about the account's country or contract: nothing is wrong with the request
		}
	case "UNAUTHENTICATED", "PERMISSION_DENIED":
		return chat.ClassAuth
	case "NOT_FOUND":
		return chat.ClassNoModel
	case "RESOURCE_EXHAUSTED":
		if strings.Contains(message, "credits are depleted") || strings.Contains(message, "spending cap") {
			return chat.ClassQuota
		}
		return chat.ClassRateLimited
	case "DEADLINE_EXCEEDED":
		return chat.ClassTimeout
	case "UNAVAILABLE":
		return chat.ClassOverloaded
	}
	return "" // the status speaks
}
