package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Load describes the module in a folder. It asks the go command, so it sees
// what a build sees; the rest it reads from the files.
func Load(dir string) (*Tree, error) {
	t := &Tree{}
	steps := []struct {
		verb string
		do   func(dir string) error
	}{
		{"name the module", t.loadModule},
		{"list the packages", t.loadPackages},
		{"list what is linked", t.loadLinked},
		{"read the ports", t.loadPorts},
		{"read the suites", t.loadSuites},
		{"read the vendors", t.loadVendors},
		{"read the files", t.loadFiles},
	}
	for _, s := range steps {
		if err := s.do(dir); err != nil {
			return nil, fmt.Errorf("%s: %w", s.verb, err)
		}
	}
	return t, nil
}

// run gives the standard output of a command.
func run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}

func (t *Tree) loadModule(dir string) error {
	out, err := run(dir, "go", "list", "-m")
	if err != nil {
		return err
	}
	t.Module = strings.TrimSpace(string(out))

	out, err = run(dir, "go", "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var mod struct {
		Require, Tool []struct{ Path string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return err
	}
	for _, r := range mod.Require {
		t.Modules = append(t.Modules, r.Path)
	}
	for _, r := range mod.Tool {
		t.Tools = append(t.Tools, r.Path)
	}
	return nil
}

func (t *Tree) loadPackages(dir string) error {
	out, err := run(dir, "go", "list", "-e", "-json=Dir,ImportPath,Name,Doc,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports", "./...")
	if err != nil {
		return err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir, ImportPath, Name, Doc                                            string
			GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles, Imports []string
		}
		switch err := d.Decode(&p); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		path, _ := t.relative(p.ImportPath)
		pkg := Package{Path: path, Name: p.Name, Doc: p.Doc, Code: slices.Concat(p.GoFiles, p.CgoFiles), Imports: p.Imports}
		for _, f := range p.IgnoredGoFiles {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			imports, err := importsOf(filepath.Join(p.Dir, f))
			if err != nil {
				return err
			}
			pkg.Tagged = append(pkg.Tagged, imports...)
		}
		for _, f := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			names, err := selected(filepath.Join(p.Dir, f), t.Module+"/test/conformance")
			if err != nil {
				return err
			}
			pkg.Proves = append(pkg.Proves, names...)
		}
		for _, f := range pkg.Code {
			names, err := promises(filepath.Join(p.Dir, f))
			if err != nil {
				return err
			}
			pkg.Promises = append(pkg.Promises, names...)
		}
		t.Packages = append(t.Packages, pkg)
	}
}

func (t *Tree) loadLinked(dir string) error {
	out, err := run(dir, "go", "list", "-e", "-deps", "./bootstrap/forge1")
	t.Linked = strings.Fields(string(out))
	return err
}

// importsOf lists what one file imports.
func importsOf(path string) (imports []string, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, p)
	}
	return imports, nil
}

// selected lists the names of a package that a file uses.
func selected(path, pkg string) (names []string, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	local := ""
	for _, i := range f.Imports {
		if i.Path.Value == strconv.Quote(pkg) {
			local = pkg[strings.LastIndex(pkg, "/")+1:]
			if i.Name != nil {
				local = i.Name.Name
			}
		}
	}
	if local == "" {
		return nil, nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				names = append(names, s.Sel.Name)
			}
		}
		return true
	})
	return names, nil
}

// promises lists the ports of a file's var _ outbound.X lines.
func promises(path string) (ports []string, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			t, ok := v.Type.(*ast.SelectorExpr)
			if !ok || v.Names[0].Name != "_" {
				continue
			}
			if x, ok := t.X.(*ast.Ident); ok && x.Name == "outbound" {
				ports = append(ports, t.Sel.Name)
			}
		}
	}
	return ports, nil
}

// declarations calls see with every top-level declaration of a folder's code.
func declarations(dir string, see func(ast.Decl)) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			see(d)
		}
	}
	return nil
}

func (t *Tree) loadPorts(dir string) error {
	return declarations(filepath.Join(dir, "ports", "outbound"), func(d ast.Decl) {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			return
		}
		for _, s := range g.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				continue
			}
			i, ok := spec.Type.(*ast.InterfaceType)
			if !ok {
				continue
			}
			doc := spec.Doc.Text()
			if doc == "" {
				doc = g.Doc.Text()
			}
			t.Ports = append(t.Ports, Port{Name: spec.Name.Name, Methods: i.Methods.NumFields(), Doc: doc})
		}
	})
}

func (t *Tree) loadSuites(dir string) error {
	return declarations(filepath.Join(dir, "test", "conformance"), func(d ast.Decl) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !f.Name.IsExported() || len(f.Type.Params.List) < 2 {
			return
		}
		p, ok := f.Type.Params.List[0].Type.(*ast.StarExpr)
		if !ok {
			return
		}
		if s, ok := p.X.(*ast.SelectorExpr); ok && s.Sel.Name == "T" {
			t.Suites = append(t.Suites, f.Name.Name)
		}
	})
}

func (t *Tree) loadVendors(dir string) error {
	return declarations(filepath.Join(dir, "bootstrap"), func(d ast.Decl) {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			return
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if v.Names[0].Name != "vendors" || len(v.Values) != 1 {
				continue
			}
			list, ok := v.Values[0].(*ast.CompositeLit)
			if !ok {
				continue
			}
			for _, e := range list.Elts {
				if sel, ok := e.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok {
						t.Vendors = append(t.Vendors, x.Name)
					}
				}
			}
		}
	})
}

// machine finds absolute paths of the folders where people keep their work;
// it is put together so as not to find itself.
var (
	machine   = regexp.MustCompile(`(^|[^\w.:/-])/(wor` + `k|roo` + `t)/\w`)
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
)

func (t *Tree) loadFiles(dir string) error {
	paths, err := tracked(dir)
	if err != nil {
		return err
	}
	for _, path := range paths {
		content, err := os.ReadFile(filepath.Join(dir, path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // removed, and not yet committed
		case err != nil:
			return err
		case bytes.IndexByte(content, 0) >= 0:
			continue // not text
		}
		f := File{Path: filepath.ToSlash(path), Lines: bytes.Count(content, []byte("\n")), Generated: generated.Match(content)}
		for i, line := range bytes.Split(content, []byte("\n")) {
			if machine.Match(line) {
				f.Machine = append(f.Machine, i+1)
			}
		}
		t.Files = append(t.Files, f)
	}
	return nil
}

// tracked lists the files under version control; in a source archive, which has
// none, all files but hidden ones.
func tracked(dir string) (paths []string, err error) {
	if out, err := run(dir, "git", "ls-files", "-z"); err == nil {
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), nil
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != dir && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(dir, path)
			paths = append(paths, rel)
			return err
		}
		return nil
	})
	return paths, err
}
