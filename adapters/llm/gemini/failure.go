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
	var list []answer
	if bytes.HasPrefix(body, []byte("[")) {
		if json.Unmarshal(body, &list) != nil || len(list) == 0 || list[0].Error == nil {
			return llm.Refusal{}, false
		}
		return list[0].Error.refusal(), true
	}
	var a answer
	if json.Unmarshal(body, &a) != nil || a.Error == nil {
		return llm.Refusal{}, false
	}
	return a.Error.refusal(), true
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
		return chat.ClassRateLimited
	case "DEADLINE_EXCEEDED":
		return chat.ClassTimeout
	case "UNAVAILABLE":
		return chat.ClassOverloaded
	}
	return "" // the status speaks
}
