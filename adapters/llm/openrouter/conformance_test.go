package openrouter_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/openrouter"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) { conformance.Provider(t, openrouter.Vendor, "openrouter/chat") }

func TestRelay(t *testing.T) {
	conformance.Relay(t, openrouter.Vendor, chat.DialectOpenAIChat, nil, "openrouter/chat")
}

func TestEmbeddings(t *testing.T) {
	conformance.Embedder(t, openrouter.Vendor, "openrouter/embeddings")
	conformance.WholeRelay(t, openrouter.Vendor, chat.DialectEmbeddings, "embeddings")
}

func TestModels(t *testing.T) { conformance.Lister(t, openrouter.Vendor) }

func TestKit(t *testing.T) { conformance.Scenarios(t, openrouter.Vendor) }
