package openai_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/openai"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) { conformance.Provider(t, openai.Vendor, "openai/chat") }

func TestRelay(t *testing.T) {
	conformance.Relay(t, openai.Vendor, chat.DialectOpenAIChat, nil, "openai/chat")
}

func TestResponsesRelay(t *testing.T) {
	conformance.Relay(t, openai.Vendor, chat.DialectResponses, openai.Responses, "openai/responses")
}

func TestEmbeddings(t *testing.T) {
	conformance.Embedder(t, openai.Vendor, "openai/embeddings")
	conformance.WholeRelay(t, openai.Vendor, chat.DialectEmbeddings, "embeddings")
}

func TestModels(t *testing.T) { conformance.Lister(t, openai.Vendor) }

func TestKit(t *testing.T) { conformance.Scenarios(t, openai.Vendor) }
