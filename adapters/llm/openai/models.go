package openai

import (
	"strings"

	"github.com/forge1/forge1/adapters/llm"
)

// completionTokens knows the models that take max_completion_tokens alone: those that think, and every gpt since 5. Other servers know none of
// them, and take max_tokens alone.
func completionTokens(model string) bool {
	model = base(model)
	return thinks(model) || strings.HasPrefix(model, "gpt-5")
}

// refuses names what a model does not take: https://platform.openai.com/docs/guides/reasoning
func refuses(model, effort string) []string {
	model = base(model)
	switch {
	case later(model) && effort != "" && effort != "none":
		return []string{"temperature", "top_p", "logprobs", "frequency_penalty", "presence_penalty"} // they take them as long as they do not think
	case later(model):
		return nil
	case strings.HasPrefix(model, "o1"):
		return []string{"temperature", "top_p", "logprobs", "frequency_penalty", "presence_penalty", "parallel_tool_calls"}
	case model[:min(len(model), 1)] == "o" && thinks(model):
		return []string{"temperature", "top_p", "logprobs", "frequency_penalty", "presence_penalty", "stop", "parallel_tool_calls"}
	case thinks(model):
		return []string{"temperature", "top_p", "logprobs", "frequency_penalty", "presence_penalty", "stop"}
	default:
		return nil
	}
}

// effort gives the nearest effort that a model has, "" where it has none, and whether that honours what was asked: the later gpt-5 can leave thinking be,
// the first cannot do without some, and the o models know three. Of models that are not OpenAI's nothing is known.
func effort(model, asked string) (send string, honoured bool) {
	model = base(model)
	switch {
	case later(model) && asked == "none":
		send = asked
	case later(model):
		send = llm.NearestEffort(asked, "low", most(model))
	case thoughtless(model):
		return "", asked == "none" // which is what they do
	case strings.HasPrefix(model, "gpt-5"):
		send = llm.NearestEffort(asked, "minimal", "high")
	case thinks(model):
		send = llm.NearestEffort(asked, "low", "high")
	default:
		send = asked
	}
	return send, llm.HonoursEffort(asked, send)
}

// thoughtless knows the models that do not think.
func thoughtless(model string) bool {
	return strings.HasPrefix(model, "gpt-3.5") || strings.HasPrefix(model, "gpt-4") || strings.HasPrefix(model, "chatgpt-") ||
		strings.HasPrefix(model, "gpt-5") && strings.Contains(model, "-chat")
}

// most is the highest effort of a later gpt-5: gpt-5.1 has no xhigh but in one of its kinds.
func most(model string) string {
	if strings.HasPrefix(model, "gpt-5.1") && !strings.Contains(model, "codex-max") {
		return "high"
	}
	return "xhigh"
}

// later knows the gpt-5.x, which think only when they are told to.
func later(model string) bool {
	return strings.HasPrefix(model, "gpt-5.") && !strings.Contains(model, "-chat")
}

// retains knows the models that keep a prompt for a day when they are asked to: https://platform.openai.com/docs/guides/prompt-caching
func retains(model string) bool {
	model = base(model)
	return strings.HasPrefix(model, "gpt-5") && !strings.HasPrefix(model, "gpt-5-mini") && !strings.HasPrefix(model, "gpt-5-nano") ||
		strings.HasPrefix(model, "gpt-4.1") && !strings.Contains(model, "-mini") && !strings.Contains(model, "-nano")
}

// thinks knows the models that cannot but think before they answer.
func thinks(model string) bool {
	if rest, ok := strings.CutPrefix(model, "gpt-5"); ok {
		return (rest == "" || rest[0] == '-') && !strings.HasPrefix(rest, "-chat")
	}
	return len(model) > 1 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9'
}

// base is the model that a fine-tuned one was made of: ft:gpt-4o-mini:acme::id.
func base(model string) string {
	if tuned, ok := strings.CutPrefix(model, "ft:"); ok {
		model, _, _ = strings.Cut(tuned, ":")
	}
	return model
}
