// Package openrouter speaks OpenRouter's chat API: OpenAI's dialect, with keep-alive comments, errors within a 200, and the price of each call.
package openrouter

import (
	"cmp"
	"embed"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/adapters/llm/internal/embeddings"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

//go:embed testdata/*.http
var cases embed.FS

// Vendor is the registration of OpenRouter.
var Vendor = llm.Vendor{
	Name: "openrouter",
	New: func(client *http.Client) outbound.Abilities {
		p := chatcompletions.New(client, flavour)
		e := embeddings.New(client, flavour, embeddings.Base64)
		return outbound.Abilities{Provider: p, Relays: []outbound.Relay{p, e}, Embedder: e, Lister: p}
	},
	Resold:  resold,
	Example: "anthropic/claude-sonnet-4.5",
	Signs:   chat.FormatAnthropic,
	Lacks: map[llm.Ability]string{
		llm.Choices:        "n is ignored: there is one answer",
		llm.AnswersChoices: "n is ignored: there is one answer",
		llm.AnswersCount:   "there is no call that counts without an answer",
	},
	Cases: cases,
}

var flavour = chatcompletions.Flavour{
	Kind: chatcompletions.OpenRouter, Refine: refine, RefusesID: refusesID, Headers: []string{"Http-Referer", "X-Title", "X-Openrouter-Title"},
}

// refusesID knows the makers whose own APIs, which the vendor asks, take no other ids of tool calls than portable ones.
func refusesID(model, id string) bool {
	maker, _, _ := strings.Cut(model, "/")
	return (maker == "anthropic" || maker == "openai") && chat.PortableID(id) != id
}

// resold puts the maker's name before the slash, as the vendor calls it.
func resold(vendor, model string) string {
	if vendor == "gemini" {
		vendor = "google"
	}
	return vendor + "/" + model
}

// refine looks behind "Provider returned error", which is about as much as the vendor's own message says, and tells a flagged input from a bad
// key: both are a 403.
func refine(r *llm.Refusal, e chatcompletions.ErrorFacts) {
	if e.Raw != "" {
		inner := within(e.Raw)
		r.Message = cmp.Or(inner.Message, r.Message)
		r.Code = cmp.Or(r.Code, inner.Code)
	}
	if len(e.Reasons) > 0 {
		r.Class, r.Code = chat.ClassInvalid, "moderation"
	}
}

// within reads what an upstream of the vendor said: an error of its own dialect, or prose.
func within(text string) (out struct{ Message, Code string }) {
	type words struct {
		Message string          `json:"message"`
		Code    json.RawMessage `json:"code"`
	}
	var outer struct {
		words
		Error json.RawMessage `json:"error"`
	}
	out.Message = text
	if json.Unmarshal([]byte(text), &outer) != nil {
		return out
	}
	inner := outer.words
	if len(outer.Error) > 0 && json.Unmarshal(outer.Error, &inner) != nil {
		inner = words{}
	}
	out.Message = inner.Message
	_ = json.Unmarshal(inner.Code, &out.Code) // a number repeats the status, and is left
	return out
}
