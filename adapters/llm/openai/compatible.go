package openai

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/adapters/llm/internal/embeddings"
	"github.com/forge1/forge1/ports/outbound"
)

//go:embed testdata/compatible/*.http
var compatibleCases embed.FS

// Compatible is the registration of servers of one's own that speak OpenAI's dialect, such as vLLM, Ollama, llama.cpp and LM Studio: they need no key,
// take max_tokens and sampling of their own, show their thoughts as they are, and leave out of an answer what OpenAI always sends.
var Compatible = llm.Vendor{
	Name: "openai_compatible",
	New: func(client *http.Client) outbound.Abilities {
		p := chatcompletions.New(client, ownFlavour)
		e := embeddings.New(client, ownFlavour, embeddings.Float)
		return outbound.Abilities{Provider: p, Relays: []outbound.Relay{p, e}, Embedder: e, Lister: p}
	},
	Example: "Qwen/Qwen3-8B",
	Lacks: map[llm.Ability]string{
		llm.CacheControls:    "such servers keep prompts for as long as they have room",
		llm.ThinkingBack:     "such servers sign nothing",
		llm.WebSearch:        "such servers run no tools",
		llm.ServiceTiers:     "such servers have one",
		llm.AnswersRefusal:   "such servers filter nothing, and refuse in the text",
		llm.AnswersCitations: "such servers search for nothing",
		llm.AnswersCount:     "there is no call that counts without an answer",
	},
	Cases: within(compatibleCases, "testdata/compatible"),
}

var ownFlavour = chatcompletions.Flavour{Kind: chatcompletions.Compatible}

// within gives a folder of an embedded tree.
func within(files embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil { // dir is a constant that the embedding has
		panic(err)
	}
	return sub
}
