// Package openai speaks OpenAI's APIs, chat completions, responses, embeddings and models, and those of every server that is compatible with them:
// only the base URL differs. Azure OpenAI is such a server, by its address https://RESOURCE.openai.azure.com/openai/v1.
package openai

import (
	"embed"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/adapters/llm/internal/embeddings"
	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

//go:embed testdata/*.http
var cases embed.FS

// maxToolID is the longest tool call id that OpenAI takes.
const maxToolID = 40

// Vendor is the registration of OpenAI.
var Vendor = llm.Vendor{
	Name: "openai",
	New: func(client *http.Client) outbound.Abilities {
		p := chatcompletions.New(client, flavour)
		r := responses.New(client, responsesFlavour)
		e := embeddings.New(client, flavour, embeddings.Base64)
		return outbound.Abilities{
			Provider: &either{chat: p, responses: r}, Relays: []outbound.Relay{p, r, e}, Embedder: e, Lister: p,
		}
	},
	Example: "gpt-5.1",
	Signs:   chat.FormatOpenAI,
	Lacks: map[llm.Ability]string{
		llm.TopK:            "no model has it",
		llm.AnswersThinking: "chat completions keep thoughts to themselves; responses, which are asked when somebody wants to see them, show summaries",
		llm.AnswersCount:    "there is no call that counts without an answer",
	},
	Cases: cases,
}

var flavour = chatcompletions.Flavour{
	Kind: chatcompletions.OpenAI, CompletionTokens: completionTokens, Refuses: refuses, Effort: effort,
	Retains:   retains,
	RefusesID: func(_, id string) bool { return len(id) > maxToolID || id == "" },
	Headers:   []string{"Openai-Beta", "Idempotency-Key"},
}

var responsesFlavour = responses.Flavour{
	Thoughtless: func(model string) bool { return thoughtless(base(model)) },
	Refuses:     refuses,
	Effort:      effort,
	Retains:     retains,
	Headers:     []string{"Openai-Beta", "Idempotency-Key"},
}
