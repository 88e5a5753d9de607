package openai_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/openai"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

func TestCompatibleConformance(t *testing.T) { conformance.Provider(t, openai.Compatible) }

func TestCompatibleRelay(t *testing.T) {
	conformance.Relay(t, openai.Compatible, chat.DialectOpenAIChat, nil)
}

func TestCompatibleEmbeddings(t *testing.T) {
	conformance.Embedder(t, openai.Compatible)
	conformance.WholeRelay(t, openai.Compatible, chat.DialectEmbeddings, "embeddings")
}

func TestCompatibleModels(t *testing.T) { conformance.Lister(t, openai.Compatible) }

func TestCompatibleKit(t *testing.T) { conformance.Scenarios(t, openai.Compatible) }
