package bedrock

import (
	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// fieldEffort names what the caller asked for about thinking.
const fieldEffort = "reasoning_effort"

// minBudget is the least number of tokens that Claude can be let think with.
const minBudget = 1024

// budgets is what an effort comes to in a model that takes budgets alone.
var budgets = map[string]int{"minimal": minBudget, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 24_576}

// thinkingField is how Claude is told to think.
type thinkingField struct {
	Type    string `json:"type"` // enabled, adaptive or disabled
	Budget  int    `json:"budget_tokens,omitempty"`
	Display string `json:"display,omitempty"`
}

// thinking says how much the model is to think. The API has an effort for models that decide themselves; all else is in fields of the models' own.
func (e *encoder) thinking(r *chat.Request, in *inferenceConfig) {
	t := r.Thinking
	off := t.Mode == chat.ThinkingOff || t.Effort == "none"
	switch on := t.Mode != "" || t.Effort != "" || t.Budget != 0; {
	case !on:
	case e.model.is(claude) && off:
		if e.model.version >= 500 {
			e.more("thinking", thinkingField{Type: "disabled"})
		}
	case e.model.is(claude) && e.model.version < v3_7:
		e.drops.Add(fieldEffort)
	case e.model.takesBudgets() && (t.Budget > 0 || e.model.version < v4_6):
		e.budget(r, in)
	case e.model.is(claude):
		e.adaptive(t)
	case e.model.is(nova) && e.model.version >= v2:
		e.nova(t, off)
	case e.model.is(gptOSS) && !off:
		e.more("reasoning_effort", e.nearest(t.EffortOr("medium")))
	case off && e.model.family != gptOSS && e.model.family != other:
		// these models do not think
	default:
		e.drops.Add(fieldEffort)
	}
}

// adaptive leaves it to the model how much it thinks.
func (e *encoder) adaptive(t chat.Thinking) {
	f := thinkingField{Type: "adaptive"}
	if t.Show && e.model.version >= v4_7 {
		f.Display = "summarized" // these keep their thoughts to themselves unless they are asked
	}
	e.more("thinking", f)
	switch effort := t.EffortOr(""); effort {
	case "":
	case "minimal":
		e.output().Effort = "low"
	case "xhigh":
		if e.model.version < v4_7 {
			effort = "max"
		}
		e.output().Effort = effort
	default:
		e.output().Effort = effort
	}
}

// budget lets Claude think with a number of tokens, unless the rest of the request forbids it.
func (e *encoder) budget(r *chat.Request, in *inferenceConfig) {
	budget := r.Thinking.Budget
	if budget == 0 {
		budget = budgets[r.Thinking.EffortOr("medium")]
	}
	budget = max(budget, minBudget)
	switch {
	case in.MaxTokens == nil: // the answer is to have room beside the thoughts
		most := budget + 4096
		in.MaxTokens = &most
	case budget >= *in.MaxTokens:
		budget = *in.MaxTokens - *in.MaxTokens/4 - 1
	}
	switch {
	case budget < minBudget, e.forced(), e.prefilled():
		in.MaxTokens = r.MaxTokens
		e.drops.Add(fieldEffort) // the model would refuse the request
	case e.thoughtless():
		in.MaxTokens = r.MaxTokens
		e.drops.Note(fieldEffort) // another vendor thought, or the client lost it
	default:
		e.more("thinking", thinkingField{Type: "enabled", Budget: budget})
	}
}

// nova tells Amazon's own model. It refuses limits and sampling when it thinks much, so it is left at what is asked beside the effort.
func (e *encoder) nova(t chat.Thinking, off bool) {
	if off {
		e.more("reasoningConfig", map[string]string{"type": "disabled"})
		return
	}
	e.more("reasoningConfig", map[string]string{"type": "enabled", "maxReasoningEffort": e.nearest(t.EffortOr("medium"))})
}

// nearest gives the effort of three that is nearest, and names what was asked where that is less.
func (e *encoder) nearest(effort string) string {
	sent := llm.NearestEffort(effort, "low", "high")
	if !llm.HonoursEffort(effort, sent) {
		e.drops.Add(fieldEffort)
	}
	return sent
}

// forced reports whether the model must call a tool, which goes with no budget to think.
func (e *encoder) forced() bool {
	t := e.out.Tools
	return t != nil && t.Choice != nil && t.Choice.Auto == nil
}

// thoughtless reports whether the conversation is in the middle of calling tools and what the model thought before the last calls is missing.
func (e *encoder) thoughtless() bool {
	for i := len(e.out.Messages) - 1; i >= 0; i-- {
		t := &e.out.Messages[i]
		switch {
		case t.Role == user && !holds(t, func(b *block) bool { return b.ToolResult != nil }):
			return false
		case t.Role == assistant:
			return holds(t, func(b *block) bool { return b.ToolUse != nil }) && !holds(t, thought)
		}
	}
	return false
}

// prefilled reports whether the conversation ends with words that the model is to go on from without having thought, which goes with no budget.
func (e *encoder) prefilled() bool {
	t := &e.out.Messages[len(e.out.Messages)-1]
	return t.Role == assistant && !holds(t, thought)
}

func thought(b *block) bool { return b.Reasoning != nil }

func holds(t *turn, is func(*block) bool) bool {
	for i := range t.Content {
		if is(&t.Content[i]) {
			return true
		}
	}
	return false
}
