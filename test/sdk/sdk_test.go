//go:build sdk

// Package sdk_test has the official clients for Node and Python speak to a running Forge 1. They come from npm and PyPI, so these tests have a task of their
// own: task sdk.
package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

// run runs a program in a folder, with what it needs to find the Forge.
func run(t *testing.T, f *harness.Forge, dir, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "FORGE_URL="+f.URL, "FORGE_KEY="+f.Key, "FORGE_VENDORS="+f.Vendors)
	out, err := c.CombinedOutput()
	t.Logf("%s %v\n%s", name, args, out)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// installed is a folder to which task sdk has copied a client's program and installed its packages.
func installed(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Fatalf("%s names no folder; run task sdk", variable)
	}
	return dir
}

func TestNode(t *testing.T) {
	dir := installed(t, "FORGE_SDK_NODE")
	run(t, harness.New(t, harness.Options{}), dir, "node", "run.mjs")
}

func TestPython(t *testing.T) {
	dir := installed(t, "FORGE_SDK_PYTHON")
	run(t, harness.New(t, harness.Options{}), dir, filepath.Join(dir, "venv", "bin", "python"), "run.py")
}
