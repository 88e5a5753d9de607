package gemini_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/gemini"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) {
	conformance.Provider(t, gemini.Vendor, "gemini/generate", "gemini/stream")
}
