package bedrock_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm/bedrock"
	"github.com/forge1/forge1/test/conformance"
)

func TestConformance(t *testing.T) { conformance.Provider(t, bedrock.Vendor) }

func TestKit(t *testing.T) { conformance.Scenarios(t, bedrock.Vendor) }
