package cli

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed scaffold
var scaffold embed.FS

type providerCmd struct {
	New providerNewCmd `cmd:"" help:"Lay out the folder of a further vendor, whose suite runs red until it is done."`
}

type providerNewCmd struct {
	Name string `arg:"" help:"The vendor's name: a Go package's name, such as acme."`
	Dir  string `help:"The root of the source tree." default:"." type:"path"`
}

// packageName is what a vendor's folder may be called.
var packageName = regexp.MustCompile(`^[a-z][a-z0-9]{1,31}$`)

// errName is a name that no folder can have.
var errName = errors.New("NAME must be 2 to 32 small letters and digits, the first a letter, and no word of Go's own")

// Run lays the folder out. It writes nothing unless it can write all of it.
func (c *providerNewCmd) Run(s *session) error {
	if !packageName.MatchString(c.Name) || token.IsKeyword(c.Name) {
		return errName
	}
	module, err := moduleOf(c.Dir)
	if err != nil {
		return err
	}
	to := filepath.Join(c.Dir, "adapters", "llm", c.Name)
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already", to)
	}
	files, err := layOut(map[string]string{"Name": c.Name, "Module": module})
	if err != nil {
		return err
	}
	for name, content := range files {
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // source code is no secret
			return fmt.Errorf("make the folder: %w", err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil { //nolint:gosec // likewise
			return fmt.Errorf("write the folder: %w", err)
		}
	}
	return s.print(map[string]any{"folder": to, "files": len(files)}, fmt.Sprintf(`%s is laid out. Next:
  1. put the line %s.Vendor, into vendors in bootstrap/providers.go
  2. go test ./adapters/llm/%s  # it says what is missing, until nothing is`, to, c.Name, c.Name))
}

// layOut fills the templates in, and gives the files by name.
func layOut(facts map[string]string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := fs.WalkDir(scaffold, "scaffold", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := scaffold.ReadFile(file)
		if err != nil {
			return err
		}
		t, err := template.New(file).Parse(string(raw))
		if err != nil {
			return fmt.Errorf("read the template %s: %w", file, err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, facts); err != nil {
			return fmt.Errorf("fill the template %s: %w", file, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "scaffold/"), ".tmpl")
		if name == "vendor.go" {
			name = facts["Name"] + ".go"
		}
		out[path.Clean(name)] = b.Bytes()
		return nil
	})
	return out, err
}

// moduleOf reads the module's name.
func moduleOf(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // the caller names the tree
	if err != nil {
		return "", fmt.Errorf("this is not the root of the source tree: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", errors.New("go.mod names no module")
}
