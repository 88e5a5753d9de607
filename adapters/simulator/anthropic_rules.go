package simulator

import (
	"bytes"
	"fmt"
	"strings"
)

// The bounds of thinking and of what is kept.
const (
	minBudget      = 1024
	leastTopP      = 0.95
	maxCacheBlocks = 4
	thinkingGuide  = "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)

// on reports whether thinking is on.
func (t *anthropicThinks) on() bool { return t != nil && (t.Type == "enabled" || t.Type == "adaptive") }

// anthropicRules refuse a request that does not hold together, each for one reason.
var anthropicRules = []func(*anthropicBody, route) *problem{
	wrongThinking, smallBudget, budgetBeyondTokens, temperatureInThought, topInThought, forcedInThought, turnWithoutThought,
	alteredThought, tooManyKept, emptyTexts, endInSpace, blankStops, useWithoutInput, choiceOfNothing, sameNames,
	goneSampling, misplacedBlocks,
}

// wrongThinking refuses a kind of thinking that there is not.
func wrongThinking(b *anthropicBody, _ route) *problem {
	if b.Thinking == nil || b.Thinking.on() || b.Thinking.Type == "disabled" {
		return nil
	}
	return bad("thinking: Input tag '" + b.Thinking.Type + "' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'")
}

// smallBudget refuses thinking with too few tokens, or with no word about them.
func smallBudget(b *anthropicBody, _ route) *problem {
	switch {
	case b.Thinking == nil || b.Thinking.Type != "enabled":
		return nil
	case b.Thinking.Budget == nil:
		return bad("thinking.enabled.budget_tokens: Field required")
	case *b.Thinking.Budget < minBudget:
		return bad(fmt.Sprintf("thinking.enabled.budget_tokens: Input should be greater than or equal to %d", minBudget))
	}
	return nil
}

// budgetBeyondTokens refuses a budget that leaves nothing for the answer.
func budgetBeyondTokens(b *anthropicBody, _ route) *problem {
	if b.Thinking.on() && b.Thinking.Budget != nil && *b.Thinking.Budget >= *b.MaxTokens {
		return bad("`max_tokens` must be greater than `thinking.budget_tokens`. " + thinkingGuide)
	}
	return nil
}

// temperatureInThought refuses a temperature beside thinking.
func temperatureInThought(b *anthropicBody, _ route) *problem {
	if b.Thinking.on() && b.Temperature != nil && *b.Temperature != 1 {
		return bad("`temperature` may only be set to 1 when thinking is enabled. " + thinkingGuide)
	}
	return nil
}

// topInThought refuses top_k and a small top_p beside thinking.
func topInThought(b *anthropicBody, _ route) *problem {
	switch {
	case !b.Thinking.on():
		return nil
	case b.TopK != nil:
		return bad("`top_k` must be unset when thinking is enabled. " + thinkingGuide)
	case b.TopP != nil && *b.TopP < leastTopP:
		return bad("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled. " + thinkingGuide)
	}
	return nil
}

// forcedInThought refuses to be forced to use a tool while thinking.
func forcedInThought(b *anthropicBody, _ route) *problem {
	if b.Thinking.on() && (b.ToolChoice.Type == "any" || b.ToolChoice.Type == "tool") {
		return bad("Thinking may not be enabled when tool_choice forces tool use.")
	}
	return nil
}

// turnWithoutThought refuses a last assistant turn that uses tools, or is to be gone on with, and does not begin with thinking.
func turnWithoutThought(b *anthropicBody, _ route) *problem {
	if b.Thinking == nil || b.Thinking.Type != "enabled" { // an adaptive model may have thought nothing
		return nil
	}
	messages := *b.Messages
	last := len(messages) - 1
	for last >= 0 && messages[last].Role != "assistant" {
		last--
	}
	if last < 0 || len(messages[last].blocks) == 0 {
		return nil
	}
	first, binding := messages[last].blocks[0].Type, last == len(messages)-1
	for _, block := range messages[last].blocks {
		binding = binding || block.Type == "tool_use"
	}
	if !binding || first == "thinking" || first == "redacted_thinking" {
		return nil
	}
	return bad(fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final "+
		"`assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you "+
		"include thinking blocks from previous turns. To avoid this requirement, disable `thinking`. %s", last, first, thinkingGuide))
}

// alteredThought refuses thinking that the vendor has not signed as it is.
func alteredThought(b *anthropicBody, rt route) *problem {
	for i, m := range *b.Messages {
		for j, block := range m.blocks {
			at := fmt.Sprintf("messages.%d.content.%d", i, j)
			switch {
			case block.Type == "thinking" && block.Signature == nil:
				return bad(at + ".thinking.signature: Field required")
			case block.Type == "thinking" && m.Role != "assistant":
				return bad(at + ": `thinking` blocks may only be in `assistant` messages")
			case block.Type == "thinking" && !rt.genuine("thinking", *block.Signature, block.Thinking) && !rt.genuine("thinking omitted", *block.Signature, ""):
				return bad(at + ": Invalid `signature` in `thinking` block")
			case block.Type == "redacted_thinking" && !rt.genuine("redacted", block.Data, ""):
				return bad(at + ": Invalid `data` in `redacted_thinking` block")
			}
		}
	}
	return nil
}

// tooManyKept refuses more points to keep the prompt up to than there may be.
func tooManyKept(b *anthropicBody, _ route) *problem {
	n := 0
	for _, t := range b.Tools {
		if t.Cache != nil {
			n++
		}
	}
	system, _ := anthropicBlocks(b.System)
	all := [][]anthropicBlock{system}
	for _, m := range *b.Messages {
		all = append(all, m.blocks)
	}
	for _, blocks := range all {
		for _, block := range blocks {
			if block.Cache != nil {
				n++
			}
		}
	}
	if n > maxCacheBlocks {
		return bad(fmt.Sprintf("A maximum of %d blocks with cache_control may be provided. Found %d.", maxCacheBlocks, n))
	}
	return nil
}

// emptyTexts refuses text blocks that say nothing.
func emptyTexts(b *anthropicBody, _ route) *problem {
	for i, m := range *b.Messages {
		if i == len(*b.Messages)-1 && m.Role == "assistant" {
			continue
		}
		for _, block := range m.blocks {
			switch {
			case block.Type != "text" || strings.TrimSpace(block.Text) != "":
			case block.Text == "":
				return bad("messages: text content blocks must be non-empty")
			default:
				return bad("messages: text content blocks must contain non-whitespace text")
			}
		}
	}
	return nil
}

// endInSpace refuses a last turn to be gone on with that ends in white space.
func endInSpace(b *anthropicBody, _ route) *problem {
	last := (*b.Messages)[len(*b.Messages)-1]
	if last.Role != "assistant" || len(last.blocks) == 0 {
		return nil
	}
	if end := last.blocks[len(last.blocks)-1]; end.Type == "text" && strings.TrimRight(end.Text, " \t\r\n") != end.Text {
		return bad("messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

// blankStops refuses stop sequences of white space.
func blankStops(b *anthropicBody, _ route) *problem {
	for _, stop := range b.Stops {
		if strings.TrimSpace(stop) == "" {
			return bad("stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
	return nil
}

// useWithoutInput refuses a tool's use whose input is none, or no object.
func useWithoutInput(b *anthropicBody, _ route) *problem {
	for i, m := range *b.Messages {
		for j, block := range m.blocks {
			switch {
			case block.Type != "tool_use":
			case len(block.Input) == 0:
				return bad(fmt.Sprintf("messages.%d.content.%d.tool_use.input: Field required", i, j))
			case bytes.TrimSpace(block.Input)[0] != '{':
				return bad(fmt.Sprintf("messages.%d.content.%d.tool_use.input: Input should be a valid dictionary", i, j))
			}
		}
	}
	return nil
}

// choiceOfNothing refuses the choice of a tool that there is not.
func choiceOfNothing(b *anthropicBody, _ route) *problem {
	if b.ToolChoice.Type == "" || b.ToolChoice.Type == "none" {
		return nil
	}
	if len(b.Tools) == 0 {
		return bad("tool_choice: `tool_choice` may only be specified while providing `tools`.")
	}
	for _, t := range b.Tools {
		if b.ToolChoice.Type != "tool" || t.Name == b.ToolChoice.Name {
			return nil
		}
	}
	return bad("tool_choice: Tool '" + b.ToolChoice.Name + "' not found in provided tools")
}

// sameNames refuses two tools of one name.
func sameNames(b *anthropicBody, _ route) *problem {
	seen := map[string]bool{}
	for _, t := range b.Tools {
		if t.Name != "" && seen[t.Name] {
			return bad("tools: Tool names must be unique.")
		}
		seen[t.Name] = true
	}
	return nil
}
