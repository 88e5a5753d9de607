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
