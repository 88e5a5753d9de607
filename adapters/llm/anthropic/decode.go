package anthropic

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer. Blocks that the neutral form cannot hold, such as thinking and server tools, are passed over.
func decode(body []byte, to outbound.Target) (*chat.Response, error) {
	var m message
	if json.Unmarshal(body, &m) != nil {
		return nil, llm.BadResponse(to, "answered something that is not a message")
	}
	if m.Error != nil {
		return nil, m.Error.refusal().Failure(to, nil)
	}
	// content may be an empty list, but it is there; an answer without a stop reason is half an answer.
	if m.Type != "message" || m.Content == nil || m.StopReason == "" {
		return nil, llm.BadResponse(to, "answered a message without content or stop reason")
	}
	out := &chat.Response{ID: m.ID, Model: m.Model, Finish: finish(m.StopReason), Refusal: m.StopDetails.refusal(m.StopReason)}
	var text strings.Builder
	for _, b := range m.Content {
		switch b.Type {
		case "text":
			text.WriteString(b.Text)
		case "tool_use":
			out.ToolCalls = append(out.ToolCalls, chat.ToolCall{ID: b.ID, Name: b.Name, Arguments: arguments(b.Input)})
		}
	}
	out.Text = text.String()
	if m.Usage != nil {
		var t tally
		t.add(m.Usage)
		out.Usage = t.usage()
	}
	return out, nil
}

// arguments gives a tool's input as JSON text.
func arguments(input json.RawMessage) string {
	var b bytes.Buffer
	if len(input) == 0 || json.Compact(&b, input) != nil || b.String() == "null" {
		return "{}"
	}
	return b.String()
}

// finish maps the vendor's stop reasons. pause_turn is an answer that the vendor wants to go on with, which the neutral form cannot ask
// for: it is cut short, like one that ran into a limit.
func finish(reason string) chat.Finish {
	switch reason {
	case "tool_use":
		return chat.FinishToolCalls
	case "max_tokens", "model_context_window_exceeded", "pause_turn":
		return chat.FinishLength
	case "refusal":
		return chat.FinishContentFilter
	default:
		return chat.FinishStop // end_turn, stop_sequence
	}
}

// refusal gives the vendor's explanation of a refusal. It may be called on nil.
func (d *stopDetails) refusal(reason string) string {
	if d == nil || reason != "refusal" {
		return ""
	}
	return d.Explanation
}

// tally counts usage. The vendor's counts are cumulative, so the last word on each wins.
type tally struct {
	input, cacheRead, cacheWrite, cacheHour, output, thinking int
}

func (t *tally) add(u *usage) {
	set(&t.input, u.Input)
	set(&t.cacheRead, u.CacheRead)
	set(&t.cacheWrite, u.CacheWrite)
	set(&t.output, u.Output)
	if u.Written != nil {
		set(&t.cacheHour, u.Written.Hour)
	}
	if u.Details != nil {
		set(&t.thinking, u.Details.Thinking)
	}
}

func set(to, from *int) {
	if from != nil {
		*to = *from
	}
}

// usage gives the neutral counts: the vendor's input leaves cached tokens out, ours includes them; thinking is part of output in both.
func (t *tally) usage() *chat.Usage {
	return &chat.Usage{
		Input: t.input + t.cacheRead + t.cacheWrite, Output: t.output,
		CacheRead: t.cacheRead, CacheWrite: t.cacheWrite, CacheWrite1h: t.cacheHour, Reasoning: t.thinking,
	}
}

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
