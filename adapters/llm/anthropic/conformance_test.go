package anthropic_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) { conformance.Provider(t, anthropic.Vendor, "anthropic/messages") }

func TestRelayConformance(t *testing.T) {
	conformance.Relay(t, anthropic.Vendor, chat.DialectAnthropic, nil, "anthropic/messages")
}

func TestCountConformance(t *testing.T) {
	conformance.Counter(t, anthropic.Vendor)
	conformance.WholeRelay(t, anthropic.Vendor, chat.DialectAnthropicCount, "count")
}

func TestListConformance(t *testing.T) { conformance.Lister(t, anthropic.Vendor) }

func TestKit(t *testing.T) { conformance.Scenarios(t, anthropic.Vendor) }
