package smtp_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/forge1/forge1/adapters/smtp"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func TestFilesConformance(t *testing.T) {
	conformance.Mailer(t, func(t *testing.T) (outbound.Mailer, func(*testing.T) [][]byte) {
		dir := filepath.Join(t.TempDir(), "made", "when", "needed")
		f, err := smtp.NewFiles(smtp.FilesConfig{Dir: dir, From: from, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		return f, func(t *testing.T) [][]byte { return files(t, dir) }
	})
}

func files(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil || filepath.Ext(name) != ".eml" {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, b)
	}
	return all
}

func TestFilesAreForTheirOwnerAloneAndNamedByID(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	f, err := smtp.NewFiles(smtp.FilesConfig{Dir: dir, From: from, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(files(t, dir)); n != 1 {
		t.Errorf("a mail sent twice: got %d files, want 1", n)
	}
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, "m-1.eml"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	for _, id := range []string{"", "../m", "a/b", ".hidden", ".", ".."} {
		bad := letter
		bad.ID = id
		if err := f.Send(t.Context(), bad); err == nil {
			t.Errorf("id %q: taken", id)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Send(gone, letter); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestAFolderThatCannotBeWrittenIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := smtp.NewFiles(smtp.FilesConfig{Dir: filepath.Join(file, "mail"), From: from, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), letter); err == nil {
		t.Error("taken")
	}
}
