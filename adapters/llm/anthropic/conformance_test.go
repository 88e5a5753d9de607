package anthropic_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) { conformance.Provider(t, anthropic.Vendor, "anthropic/messages") }
