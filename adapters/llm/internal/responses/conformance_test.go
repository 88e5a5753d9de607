package responses_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// vendor speaks the dialect in both ways. Its wire cases are OpenAI's.
var vendor = llm.Vendor{
	Name: "openai",
	New: func(client *http.Client) outbound.Abilities {
		p := responses.New(client, responses.Flavour{Retains: func(string) bool { return true }})
		return outbound.Abilities{Provider: p, Relays: []outbound.Relay{p}}
	},
	Example: "gpt-5.1",
	Signs:   chat.FormatOpenAI,
	Lacks: map[llm.Ability]string{
		llm.Audio:             "the Responses API hears nothing",
		llm.StopSequences:     "the Responses API has no stop sequences",
		llm.TopK:              "no model has it",
		llm.Penalties:         "the Responses API has no penalties",
		llm.Seeds:             "the Responses API has no seed",
		llm.Choices:           "the Responses API answers once",
		llm.AnswersStop:       "the Responses API has no stop sequences",
		llm.AnswersChoices:    "the Responses API answers once",
		llm.AnswersEmbeddings: "another API",
		llm.AnswersCount:      "there is no call that counts without an answer",
		llm.AnswersModels:     "another API",
	},
	Cases: os.DirFS("../../openai/testdata"),
}

func TestConformance(t *testing.T) {
	conformance.Provider(t, vendor, "openai/responses", "openrouter/responses")
}

func TestRelay(t *testing.T) {
	conformance.Relay(t, vendor, chat.DialectResponses, nil, "openai/responses", "openrouter/responses")
}

func TestScenarios(t *testing.T) { conformance.Scenarios(t, vendor) }
