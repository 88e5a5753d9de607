package anthropic

import (
	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// How a model is told to think.
const (
	thinkingEnabled  = "enabled"
	thinkingAdaptive = "adaptive"
	thinkingDisabled = "disabled"

	displaySummarized = "summarized"
)

// minBudget is the least number of tokens that the vendor lets a model think with.
const minBudget = 1024

// budgets is what an effort comes to in a model that takes budgets alone.
var budgets = map[string]int{"minimal": minBudget, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 24_576}

// thinking says how much the model is to think, in the words that it knows. Models before 3.7 do not think; up to 4.5 they take a budget of tokens;
// 4.6 takes that and decides itself as well; later ones decide themselves, from 5 on unless they are told not to.
func (e *encoder) thinking(r *chat.Request) {
	t := r.Thinking
	on := t.Mode != "" || t.Effort != "" || t.Budget != 0
	off := t.Mode == chat.ThinkingOff || t.Effort == "none"
	switch {
	case off:
		e.thinkingOff()
	case on && e.model.before(v3_7):
		e.drops.Add(fieldEffort)
	case on && e.model.takesBudgets() && (t.Budget > 0 || !e.model.decidesItself()):
		e.thinkingBudget(r)
	case on || t.Show && e.model.since(v5):
		e.out.Thinking = &thinking{Type: thinkingAdaptive}
		e.effort(t.EffortOr(""))
		e.show(t)
	}
}

// fieldEffort names what the caller asked for about thinking.
const fieldEffort = "reasoning_effort"

func (e *encoder) thinkingOff() {
	switch {
	case e.model.alwaysThinks():
		e.drops.Add(fieldEffort)
	case e.model.since(v5):
		e.out.Thinking = &thinking{Type: thinkingDisabled}
	}
}

// thinkingBudget lets the model think with a number of tokens, unless the rest of the request forbids it.
func (e *encoder) thinkingBudget(r *chat.Request) {
	budget := r.Thinking.Budget
	if budget == 0 {
		budget = budgets[r.Thinking.EffortOr("medium")]
	}
	budget = max(budget, minBudget)
	switch {
	case r.MaxTokens == nil: // the answer is to have room beside the thoughts
		e.out.MaxTokens = max(e.out.MaxTokens, budget+4096)
	case budget >= *r.MaxTokens:
		budget = *r.MaxTokens - *r.MaxTokens/4 - 1
	}
	switch {
	case budget < minBudget, e.forced(), e.prefilled():
		e.drops.Add(fieldEffort) // the vendor would refuse the request
	case e.thoughtless():
		e.lose(fieldEffort)
	default:
		e.out.Thinking = &thinking{Type: thinkingEnabled, Budget: budget}
		if e.model.takesEffort() {
			e.effort(r.Thinking.Effort)
		}
		e.show(r.Thinking)
	}
}

// show asks for the thoughts where the model keeps them to itself unless it is asked.
func (e *encoder) show(t chat.Thinking) {
	if t.Show && e.model.since(v4_7) {
		e.out.Thinking.Display = displaySummarized
	}
}

// effort sends the nearest that the model knows, and names what was asked where that is less.
func (e *encoder) effort(asked string) {
	effort := asked
	switch {
	case effort == "":
		return
	case effort == "minimal":
		effort = "low"
	case effort == "xhigh" && e.model.known() && e.model.before(v4_7) && e.model.since(v4_6):
		effort = "max"
	case e.model.before(v4_6):
		effort = llm.NearestEffort(effort, "low", "high")
	}
	if !llm.HonoursEffort(asked, effort) {
		e.drops.Add(fieldEffort)
	}
	if e.out.OutputConfig == nil {
		e.out.OutputConfig = &outputConfig{}
	}
	e.out.OutputConfig.Effort = effort
}

// forced reports whether the model must call a tool, which goes with no budget to think.
func (e *encoder) forced() bool {
	c := e.out.ToolChoice
	return c != nil && (c.Type == choiceAny || c.Type == choiceTool)
}

// thoughtless reports whether the conversation is in the middle of calling tools and what the model thought before the last calls is missing: another
// vendor made them, or the client lost it. The vendor refuses to go on thinking then, unless the model decides itself how much. Its own calls may stand
// without a thought where there was one before earlier calls of the same turn, and all of them were its own.
func (e *encoder) thoughtless() bool {
	calls, thought := false, false
	for i := len(e.out.Messages) - 1; i >= 0; i-- {
		t := &e.out.Messages[i]
		if t.Role == user {
			if !holds(t, "tool_result") {
				break
			}
			continue
		}
		thinks := holds(t, "thinking") || holds(t, "redacted_thinking")
		switch {
		case !calls && (thinks || !holds(t, "tool_use")):
			return false // the last turn
		case t.strange:
			return true
		}
		calls, thought = true, thought || thinks
	}
	return calls && !thought
}

// prefilled reports whether the conversation ends with words that the model is to go on from without having thought, which goes with no budget.
func (e *encoder) prefilled() bool {
	t := &e.out.Messages[len(e.out.Messages)-1]
	return t.Role == assistant && !holds(t, "thinking") && !holds(t, "redacted_thinking")
}

// holds reports whether a turn has a block of a type that we made.
func holds(t *turn, kind string) bool {
	for _, c := range t.Content {
		if b, ok := c.(*block); ok && b.Type == kind {
			return true
		}
	}
	return false
}
