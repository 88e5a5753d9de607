package anthropic

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// explain reads an error body; it implements llm.Explain.
func explain(body []byte) (llm.Refusal, bool) {
	var m struct {
		Error *apiError `json:"error"`
	}
	if json.Unmarshal(body, &m) != nil || m.Error == nil || m.Error.Type == "" {
		return llm.Refusal{}, false
	}
	return m.Error.refusal(), true
}

// field is the path that the vendor starts a message with when one field is at fault: "temperature: range: 0..1".
var field = regexp.MustCompile(`^([a-z_]+(?:\.[A-Za-z0-9_-]+)*): `)

// refusal says what the vendor's type does not: which 400 is about money, and which 429 no patience will cure.
func (e *apiError) refusal() llm.Refusal {
	r := llm.Refusal{Type: e.Type, Message: e.Message}
	if m := field.FindStringSubmatch(e.Message); m != nil {
		r.Param = m[1]
	}
	switch message := strings.ToLower(e.Message); {
	case strings.Contains(message, "credit balance is too low"):
		r.Class = chat.ClassQuota
	case e.Type == "rate_limit_error" && strings.Contains(message, "long context"):
		r.Class = chat.ClassTooLong // this account's limit on the length of a conversation: a shorter one is taken at once
	}
	return r
}
