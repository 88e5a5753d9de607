package chatcompletions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer. The error is looked for first: some vendors send it with status 200, and with choices beside it.
func (p *Provider) decode(body []byte, to outbound.Target, h http.Header) (*chat.Response, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, llm.BadResponse(to, "answered what is no chat completion")
	}
	if r, ok := p.flavour.refusal(a.Error); ok {
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
	if r, ok := p.flavour.refusal(c.Error); ok {
		return nil, r.Failure(to, h)
	}
	out := &chat.Response{
		ID: a.ID, Model: a.Model, Text: string(c.Message.Content), Refusal: c.Message.Refusal, Usage: a.Usage.neutral(),
	}
	for i, t := range c.Message.ToolCalls {
		args := t.Function.Arguments
		if args == "" {
			args = "{}"
		}
		out.ToolCalls = append(out.ToolCalls, chat.ToolCall{ID: callID(t.ID, a.ID, i), Name: t.Function.Name, Arguments: args})
	}
	reason := ""
	if c.Finish != nil {
		reason = *c.Finish
	}
	if reason == finishError {
		return nil, llm.BadResponse(to, "finished with an error")
	}
	out.Finish = finishOf(reason, len(out.ToolCalls) > 0)
	return out, nil
}

// callID keeps the vendor's id of a call. Some servers give none: then one is made, of what tells this call from those of other answers.
func callID(id, answer string, index int) string {
	if id != "" {
		return id
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d", answer, index))
	return "call_" + hex.EncodeToString(h[:12])
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
		Input: max(u.Prompt, 0), Output: max(u.Completion, 0), CacheRead: max(u.PromptOf.Cached, 0),
		CacheWrite: max(u.PromptOf.CacheWrite, 0), Reasoning: max(u.CompletionOf.Reasoning, 0), AudioInput: max(u.PromptOf.Audio, 0),
		AudioOutput: max(u.CompletionOf.Audio, 0), ImageOutput: max(u.CompletionOf.Image, 0),
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
