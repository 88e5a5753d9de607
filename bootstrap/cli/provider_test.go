package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/bootstrap/cli"
)

// root is this source tree.
const root = "../.."

// tree copies what a new vendor's folder is compiled with into a tree of its own.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"adapters", "application", "bootstrap", "domain", "migrations", "ports", "test"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newProvider(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := cli.Run(t.Context(), append([]string{"provider", "new"}, args...), strings.NewReader(""), &out, &out)
	return code, out.String()
}

func TestANewProvidersFolderCompilesAndItsSuiteRunsRed(t *testing.T) {
	dir := tree(t)
	if code, out := newProvider(t, "acme", "--dir", dir); code != 0 || !strings.Contains(out, "acme.Vendor") {
		t.Fatalf("exit %d: %s", code, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "adapters", "llm", "acme", "*.go"))
	if err != nil || len(files) != 3 {
		t.Fatalf("the folder has %v, want three files", files)
	}
	if out, err := exec.CommandContext(t.Context(), "gofmt", append([]string{"-l"}, files...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %v %s", err, out)
	}
	c := exec.CommandContext(t.Context(), "go", "test", "./adapters/llm/acme")
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err == nil {
		t.Error("the suite runs green, though nothing is done")
	}
	for _, red := range []string{"--- FAIL: TestKit/tools", "--- FAIL: TestKit/thinking", "--- FAIL: TestKit/stream_cut_off"} {
		if !strings.Contains(string(out), red) {
			t.Errorf("the suite does not say %q:\n%s", red, out)
		}
	}
	if strings.Contains(string(out), "TestConformance") {
		t.Errorf("what is laid out does not pass what it can:\n%s", out)
	}
	if code, out := newProvider(t, "acme", "--dir", dir); code != 1 || !strings.Contains(out, "there already") {
		t.Errorf("again: exit %d: %s", code, out)
	}
}

func TestNamesThatNoProviderCanHave(t *testing.T) {
	for _, name := range []string{"a", "Acme", "acme-ai", "func", "9lives", "../acme", strings.Repeat("a", 33)} {
		if code, out := newProvider(t, name, "--dir", root); code != 1 || !strings.Contains(out, "NAME must be") {
			t.Errorf("%q: exit %d: %s", name, code, out)
		}
	}
	if code, _ := newProvider(t, "acme", "--dir", t.TempDir()); code != 1 {
		t.Error("a folder without go.mod was taken for a source tree")
	}
}
