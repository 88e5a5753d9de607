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
		p := responses.New(client, responses.Flavour{})
		return outbound.Abilities{Provider: p, Relays: []outbound.Relay{p}}
	},
	Example: "gpt-5.1",
	Signs:   chat.FormatOpenAI,
	Cases:   os.DirFS("../../openai/testdata"),
}

func TestConformance(t *testing.T) {
	conformance.Provider(t, vendor, "openai/responses", "openrouter/responses")
}

func TestRelay(t *testing.T) {
	conformance.Relay(t, vendor, chat.DialectResponses, nil, "openai/responses", "openrouter/responses")
}
