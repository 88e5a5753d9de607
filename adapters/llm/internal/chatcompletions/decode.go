package chatcompletions

import (
	"encoding/json"
	"math/big"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer. The error is looked for first: some vendors send it with status 200, and with choices beside it.
func decode(body []byte, to outbound.Target, h http.Header) (*chat.Response, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, llm.BadResponse(to, "answered what is no chat completion")
	}
	if r, ok := explainError(a.Error); ok {
		return nil, r.Failure(to, h)
	}
	if len(a.Choices) == 0 {
		return nil, llm.BadResponse(to, "answered without choices")
	}
	c := a.Choices[0]
	for _, other := range a.Choices[1:] { // the neutral form holds one choice: the first by index
		if other.Index < c.Index {
			c = other
		}
	}
	out := &chat.Response{
		ID: a.ID, Model: a.Model, Text: string(c.Message.Content), Refusal: c.Message.Refusal, Usage: a.Usage.neutral(),
	}
	for _, t := range c.Message.ToolCalls {
		args := t.Function.Arguments
		if args == "" {
			args = "{}"
		}
		out.ToolCalls = append(out.ToolCalls, chat.ToolCall{ID: t.ID, Name: t.Function.Name, Arguments: args})
	}
	reason := ""
	if c.Finish != nil {
		reason = *c.Finish
	}
	if reason == "error" {
		return nil, llm.BadResponse(to, "finished with an error")
	}
	out.Finish = finishOf(reason, len(out.ToolCalls) > 0)
	return out, nil
}

// finishOf maps a reason. A forced tool call finishes with "stop" here, so the calls themselves decide.
func finishOf(reason string, called bool) chat.Finish {
	switch reason {
	case "length":
		return chat.FinishLength
	case "content_filter":
		return chat.FinishContentFilter
	case "tool_calls", "function_call":
		return chat.FinishToolCalls
	}
	if called {
		return chat.FinishToolCalls
	}
	return chat.FinishStop
}

// neutral gives the usage in the neutral form, nil for one that counts nothing.
func (u *usage) neutral() *chat.Usage {
	if u == nil {
		return nil
	}
	out := chat.Usage{
		Input: u.Prompt, Output: u.Completion, CacheRead: u.PromptOf.Cached, CacheWrite: u.PromptOf.CacheWrite, Reasoning: u.CompletionOf.Reasoning,
	}
	if out.Zero() {
		return nil
	}
	out.CostNanos = nanos(u.Cost.String())
	return &out
}

var (
	billion = big.NewRat(1_000_000_000, 1)
	half    = big.NewRat(1, 2)
)

// nanos reads an amount of dollars exactly and rounds it half up to nano-dollars; nil when there is none.
func nanos(dollars string) *int64 {
	if dollars == "" || len(dollars) > 40 {
		return nil
	}
	r, ok := new(big.Rat).SetString(dollars)
	if !ok || r.Sign() < 0 {
		return nil
	}
	r.Add(r.Mul(r, billion), half)
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return nil
	}
	v := n.Int64()
	return &v
}

// Explain reads an error body of the dialect: {"error":{message,type,code,param}}, where code may be a string, a number or null, or
// {"error":"text"}.
func Explain(body []byte) (llm.Refusal, bool) {
	var a struct {
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return llm.Refusal{}, false
	}
	return explainError(a.Error)
}

func explainError(b json.RawMessage) (llm.Refusal, bool) {
	if len(b) == 0 || string(b) == "null" {
		return llm.Refusal{}, false
	}
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		return llm.Refusal{Message: plain}, true
	}
	var e struct {
		Message  string          `json:"message"`
		Type     string          `json:"type"`
		Param    string          `json:"param"`
		Code     json.RawMessage `json:"code"`
		Metadata struct {
			Raw string `json:"raw"`
		} `json:"metadata"`
	}
	// A field of another type than ours is no reason to miss the error.
	_ = json.Unmarshal(b, &e)
	r := llm.Refusal{Message: e.Message, Type: e.Type, Param: e.Param}
	var number int
	if json.Unmarshal(e.Code, &number) == nil {
		r.Status = number
	} else {
		_ = json.Unmarshal(e.Code, &r.Code)
	}
	if e.Metadata.Raw != "" { // OpenRouter's own message says only that the provider failed
		r.Message = rawMessage(e.Metadata.Raw)
	}
	return r, true
}

// rawMessage gives the message within what an upstream of OpenRouter said, which is JSON or prose.
func rawMessage(text string) string {
	var inner struct {
		Message string `json:"message"`
		Error   struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(text), &inner) == nil {
		switch {
		case inner.Error.Message != "":
			return inner.Error.Message
		case inner.Message != "":
			return inner.Message
		}
	}
	return text
}
