package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/arch"
)

// TestTheTreeKeepsTheRules is the one that fails when the house is not in order.
func TestTheTreeKeepsTheRules(t *testing.T) {
	const root = "../.."
	walk(t, root)
	tree, err := arch.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range arch.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, violation := range rule.Check(tree) {
				t.Error(violation)
			}
		})
	}
}

// walk looks at every folder, which tells go test to run again when a file has
// come or gone: what the go command and git read for us, it does not see.
func walk(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
