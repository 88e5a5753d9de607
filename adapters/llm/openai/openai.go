// Package openai speaks OpenAI's chat API, and that of every server that is compatible with it: only the base URL differs.
package openai

import (
	"embed"
	"net/http"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/ports/outbound"
)

//go:embed testdata/*.http
var cases embed.FS

// maxToolID is the longest tool call id that OpenAI takes.
const maxToolID = 40

// Vendor is the registration of OpenAI.
var Vendor = llm.Vendor{
	Name: "openai",
	New: func(client *http.Client) (outbound.Provider, outbound.Relay) {
		p := chatcompletions.New(client, chatcompletions.Flavour{CompletionTokens: completionTokens, Refuses: refuses, MaxToolID: maxToolID})
		return p, p
	},
	Cases: cases,
}

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
	case strings.HasPrefix(model, "gpt-5.") && effort != "":
		return []string{"temperature", "top_p"} // the gpt-5.x take them as long as they do not think
	case strings.HasPrefix(model, "o1"):
		return []string{"temperature", "top_p"}
	case thinks(model):
		return []string{"temperature", "top_p", "stop"}
	case strings.HasPrefix(model, "gpt-3.5"), strings.HasPrefix(model, "gpt-4"), strings.HasPrefix(model, "gpt-5-chat"),
		strings.HasPrefix(model, "chatgpt-"):
		return []string{"reasoning_effort"}
	default:
		return nil
	}
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
