// Package openrouter speaks OpenRouter's chat API: OpenAI's dialect, with keep-alive comments, errors within a 200, and the price of each call.
package openrouter

import (
	"embed"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/ports/outbound"
)

//go:embed testdata/*.http
var cases embed.FS

// Vendor is the registration of OpenRouter.
var Vendor = llm.Vendor{
	Name: "openrouter",
	New: func(client *http.Client) (outbound.Provider, outbound.Relay) {
		p := chatcompletions.New(client, chatcompletions.Flavour{})
		return p, p
	},
	Cases: cases,
}
