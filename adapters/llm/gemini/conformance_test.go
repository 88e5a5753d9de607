package gemini_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/gemini"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) {
	conformance.Provider(t, gemini.Vendor, "gemini/generate", "gemini/stream")
}

func TestEmbedder(t *testing.T) { conformance.Embedder(t, gemini.Vendor, "gemini/embed") }

func TestCounter(t *testing.T) { conformance.Counter(t, gemini.Vendor) }

func TestLister(t *testing.T) { conformance.Lister(t, gemini.Vendor) }

func TestKit(t *testing.T) { conformance.Scenarios(t, gemini.Vendor) }
