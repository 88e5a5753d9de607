package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/forge1/forge1/test/fixtures"
)

// PriceFixture reads a file of public price lists, or of usage with expected costs, in place. A public clone has none, and gets nil; see package fixtures.
func PriceFixture(t *testing.T, name string) []byte {
	t.Helper()
	dir, there := fixtures.Dir(t, fixtures.Prices)
	if !there {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
