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
		p := chatcompletions.New(client, chatcompletions.Flavour{Reasons: reasons, MaxToolID: maxToolID})
		return p, p
	},
	Cases: cases,
}

// reasons knows the models that think before they answer: they refuse max_tokens, and sampling parameters other than 1.
// https://platform.openai.com/docs/guides/reasoning
func reasons(model string) bool {
	for _, family := range []string{"o1", "o3", "o4", "gpt-5"} {
		if rest, ok := strings.CutPrefix(model, family); ok && (rest == "" || rest[0] == '-') {
			return !strings.HasPrefix(rest, "-chat")
		}
	}
	return false
}
