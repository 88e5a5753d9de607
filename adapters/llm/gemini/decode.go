package gemini

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// decode reads a whole answer. Parts that the neutral form cannot hold, such as thoughts and executed code, are passed over.
func decode(body []byte, to outbound.Target) (*chat.Response, error) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return nil, llm.BadResponse(to, "answered something that is not an answer")
	}
	if a.Error != nil {
		return nil, a.Error.refusal().Failure(to, nil)
	}
	out := &chat.Response{ID: a.ResponseID, Model: a.ModelVersion, Usage: a.Usage.neutral()}
	c := a.first()
	if c == nil {
		if a.PromptFeedback == nil || a.PromptFeedback.BlockReason == "" {
			return nil, llm.BadResponse(to, "answered without a candidate")
		}
		out.Finish = chat.FinishContentFilter // the prompt was blocked
		return out, nil
	}
	var text strings.Builder
	for _, p := range c.Content.Parts {
		switch {
		case p.FunctionCall != nil:
			call := p.FunctionCall
			args := arguments(call.Args)
			id := callID(call.ID, a.ResponseID, len(out.ToolCalls), call.Name, args)
			out.ToolCalls = append(out.ToolCalls, chat.ToolCall{ID: id, Name: call.Name, Arguments: args})
		case !p.Thought:
			text.WriteString(p.Text)
		}
	}
	out.Text = text.String()
	var ok bool
	if out.Finish, ok = finish(c.FinishReason, len(out.ToolCalls) > 0); !ok {
		return nil, llm.BadResponse(to, "answered without a usable end: "+reason(c.FinishReason))
	}
	return out, nil
}

// first gives the candidate with index 0; more than one is never asked for. It is nil when there is none.
func (a *answer) first() *candidate {
	for i := range a.Candidates {
		if a.Candidates[i].Index == 0 {
			return &a.Candidates[i]
		}
	}
	return nil
}

// finish maps the vendor's reasons to end. Calls end with STOP too. It reports false for an answer that cannot be used: one without a
// reason, or one in which the model botched a call. Every other reason, of which there are many and more to come, is a block of some
// kind, and no such answer is whole.
func finish(reason string, calls bool) (chat.Finish, bool) {
	switch reason {
	case "", "FINISH_REASON_UNSPECIFIED", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE",
		"MISSING_THOUGHT_SIGNATURE":
		return "", false
	case "STOP":
		if calls {
			return chat.FinishToolCalls, true
		}
		return chat.FinishStop, true
	case "MAX_TOKENS":
		return chat.FinishLength, true
	default: // SAFETY, RECITATION, LANGUAGE, BLOCKLIST, PROHIBITED_CONTENT, SPII, MODEL_ARMOR, OTHER, ...
		return chat.FinishContentFilter, true
	}
}

// reason is a reason fit for a log.
func reason(word string) string {
	if word == "" {
		return "no reason"
	}
	return word[:min(len(word), 64)]
}

// arguments gives a call's arguments as JSON text.
func arguments(args json.RawMessage) string {
	var b bytes.Buffer
	if len(args) == 0 || json.Compact(&b, args) != nil || b.String() == "null" {
		return "{}"
	}
	return b.String()
}

// callID keeps the vendor's id of a call. Most calls have none: then one is made of what makes the call different from any other, short
// enough for every vendor that the conversation may move to.
func callID(id, response string, index int, name, args string) string {
	if id != "" {
		return id
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%s/%s", response, index, name, args))
	return "call_" + hex.EncodeToString(sum[:12])
}

// neutral gives the neutral counts, or nil when there are none. The vendor's prompt includes cached tokens, as ours does; thoughts and
// the prompts of its own tools come on top of what it calls candidates and prompt. It may be called on nil.
func (u *usageMetadata) neutral() *chat.Usage {
	if u == nil {
		return nil
	}
	out := chat.Usage{
		Input: u.Prompt + u.ToolUse, Output: u.Candidates + u.Thoughts, CacheRead: u.Cached, Reasoning: u.Thoughts,
		AudioInput: u.PromptOf.of("AUDIO") + u.ToolUseOf.of("AUDIO"), AudioCacheRead: u.CachedOf.of("AUDIO"),
		AudioOutput: u.CandidatesOf.of("AUDIO"), ImageOutput: u.CandidatesOf.of("IMAGE"),
	}
	if out.Zero() {
		return nil
	}
	return &out
}
