package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

// PriceFixture reads a file of public price lists, or of usage with expected costs, in place: from the folder that FORGE_PRICE_FIXTURES names.
// Without the folder it is nil; in CI that is a failure.
func PriceFixture(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("FORGE_PRICE_FIXTURES")
	if dir == "" {
		dir = filepath.Join(moduleRoot(t), "..", "shared", "fixtures", "prices")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the price lists are not here; FORGE_PRICE_FIXTURES names their folder: %v", err)
		}
		t.Log("the price lists are not here and are left out; FORGE_PRICE_FIXTURES names their folder")
		return nil
	}
	return b
}
