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
