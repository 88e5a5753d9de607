// Package arch holds what the architecture promises and no linter can say, as
// rules over a description of the source tree. Its test loads the tree of this
// module and applies them; another seeds every violation and watches its rule
// bite. Who may import what is checked by depguard too, file by file; here it
// is checked for whole packages, so that neither can fall silent unseen.
package arch

import "strings"

// Tree is what the rules look at. Paths of packages and files are relative to
// the module.
type Tree struct {
	Module   string
	Packages []Package
	Ports    []Port   // the interfaces of ports/outbound
	Suites   []string // the exported functions of test/conformance that take a *testing.T
	Vendors  []string // the package names in the slice of bootstrap/providers.go
	Linked   []string // what the binary is made of: import paths, ours and others'
	Modules  []string // the module paths that are required
	Tools    []string // the packages on the tool lines of go.mod
	Files    []File   // what is under version control
}

// Package is one Go package.
type Package struct {
	Path     string // "domain/user"
	Name     string
	Doc      string   // its comment; empty when it has none
	Code     []string // its files, without tests
	Imports  []string // of its code
	Tagged   []string // imports of code that a build tag leaves out
	Proves   []string // the suites of test/conformance that its tests name
	Promises []string // the outbound ports it claims with var _ outbound.X
}

// Port is an interface of ports/outbound.
type Port struct {
	Name    string
	Methods int
	Doc     string
}

// File is a file under version control.
type File struct {
	Path      string
	Lines     int
	Generated bool
	Machine   []int // the lines that name a path of one person's machine
}

// relative cuts the module off an import path; false when it is another's.
func (t *Tree) relative(path string) (string, bool) {
	if path == t.Module {
		return "", true
	}
	return strings.CutPrefix(path, t.Module+"/")
}

// moduleOf finds the module of somebody else's package; false for the standard
// library.
func (t *Tree) moduleOf(path string) (string, bool) {
	best := ""
	for _, m := range t.Modules {
		if within(path, m) && len(m) > len(best) {
			best = m
		}
	}
	if best != "" {
		return best, true
	}
	first, _, _ := strings.Cut(path, "/")
	return path, strings.Contains(first, ".")
}

// within tells whether a path is a folder or lies in it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// anyWithin tells whether a path lies in one of the folders.
func anyWithin(path string, folders ...string) bool {
	for _, f := range folders {
		if within(path, f) {
			return true
		}
	}
	return false
}
