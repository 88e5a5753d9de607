package arch

import (
	"fmt"
	"slices"
	"strings"
)

// Rule is one promise of the architecture.
type Rule struct {
	Name  string
	Check func(*Tree) (violations []string)
}

// Rules lists every rule.
func Rules() []Rule {
	return []Rule{
		{"every ring has packages", ringsAreThere},
		{"every package is on a ring", everyPackageIsOnARing},
		{"the top level is fixed", topLevel},
		{"packages import what their ring allows", imports},
		{"one library, one adapter", oneLibraryOneAdapter},
		{"packages are named for what they are", packageNames},
		{"every package has a comment", packageComments},
		{"an outbound port is small", portsAreSmall},
		{"an outbound port has a suite and names it", portsHaveSuites},
		{"a suite is passed by an adapter", suitesAreUsed},
		{"an adapter proves what it promises", promisesAreProved},
		{"a vendor has a suite call and a line", vendors},
		{"the fixed packages are used", fixedPackages},
		{"tools are not linked into the binary", nothingButProduction},
		{"files are short", filesAreShort},
		{"no file names a path of one machine", noMachinePaths},
	}
}

func ringsAreThere(t *Tree) (bad []string) {
	for _, r := range rings {
		there := slices.ContainsFunc(t.Packages, func(p Package) bool {
			on := ringOf(p.Path)
			return on != nil && on.name == r.name && len(p.Code) > 0
		})
		if r.must && !there {
			bad = append(bad, fmt.Sprintf("%s has no package: has the module moved, or does the loader match nothing?", r.name))
		}
	}
	return bad
}

func everyPackageIsOnARing(t *Tree) (bad []string) {
	for _, p := range t.Packages {
		if ringOf(p.Path) == nil {
			bad = append(bad, fmt.Sprintf("%q is on no ring: code lives in domain, ports, application, adapters, migrations, bootstrap or test", p.Path))
		}
	}
	return bad
}

func topLevel(t *Tree) (bad []string) {
	fixed := []string{
		"domain", "application", "adapters", "ports", "bootstrap", "migrations", "test",
		"docker-compose.yml", "docker-compose.override.yml", "Dockerfile", "Taskfile.yml", "go.mod", "go.sum",
		"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
	}
	seen := map[string]bool{}
	for _, f := range t.Files {
		top, _, _ := strings.Cut(f.Path, "/")
		if !seen[top] && !strings.HasPrefix(top, ".") && !slices.Contains(fixed, top) {
			bad = append(bad, top+" is at the top level, which is fixed")
		}
		seen[top] = true
	}
	return bad
}

func imports(t *Tree) (bad []string) {
	for _, p := range t.Packages {
		r := ringOf(p.Path)
		if r == nil {
			continue // everyPackageIsOnARing says so
		}
		for _, path := range slices.Concat(p.Imports, p.Tagged) {
			if why := r.refuses(t, p.Path, path); why != "" {
				bad = append(bad, fmt.Sprintf("%s imports %s: %s", p.Path, path, why))
			}
		}
	}
	return bad
}

// refuses says why a ring does not allow an import; empty when it does.
func (r *ring) refuses(t *Tree, importer, imported string) string {
	if ours, ok := t.relative(imported); ok {
		if u := unit(importer); u != "" && within(ours, u) && unit(ours) == u {
			return ""
		}
		if !r.ours(importer, ours) {
			return r.name + " may not know it"
		}
		return ""
	}
	if _, foreign := t.moduleOf(imported); foreign {
		if !r.foreign {
			return r.name + " has no libraries but the standard one"
		}
		return ""
	}
	if anyWithin(imported, r.denied...) {
		return r.name + " does not use this part of the standard library"
	}
	return ""
}

func oneLibraryOneAdapter(t *Tree) (bad []string) {
	users := map[string][]string{}
	for _, p := range t.Packages {
		if !within(p.Path, "adapters") {
			continue
		}
		for _, path := range p.Imports {
			if _, ours := t.relative(path); ours {
				continue
			}
			module, foreign := t.moduleOf(path)
			if u := unit(p.Path); foreign && !slices.Contains(users[module], u) {
				users[module] = append(users[module], u)
			}
		}
	}
	for module, adapters := range users {
		if len(adapters) > 1 {
			slices.Sort(adapters)
			bad = append(bad, fmt.Sprintf("%s is imported by %s: a library belongs to one adapter, behind a port", module, strings.Join(adapters, " and ")))
		}
	}
	slices.Sort(bad)
	return bad
}

func packageNames(t *Tree) (bad []string) {
	for _, p := range t.Packages {
		for _, name := range []string{p.Name, p.Path[strings.LastIndex(p.Path, "/")+1:]} {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc"}, name) {
				bad = append(bad, p.Path+" says nothing: name a package for what it holds")
				break
			}
		}
	}
	return bad
}

func packageComments(t *Tree) (bad []string) {
	for _, p := range t.Packages {
		if len(p.Code) > 0 && p.Doc == "" {
			bad = append(bad, p.Path+" has no package comment")
		}
	}
	return bad
}

func vendors(t *Tree) (bad []string) {
	for _, p := range t.Packages {
		name, ok := strings.CutPrefix(p.Path, "adapters/llm/")
		if !ok || within(name, "internal") || strings.Contains(name, "/") {
			continue
		}
		if !slices.Contains(p.Proves, "Provider") {
			bad = append(bad, p.Path+" does not call conformance.Provider in its test")
		}
		if !slices.Contains(t.Vendors, name) {
			bad = append(bad, p.Path+" has no line in the slice of bootstrap/providers.go")
		}
	}
	return bad
}

func fixedPackages(t *Tree) (bad []string) {
	production := map[string]bool{}
	tagged := map[string]bool{}
	doubles := map[string]bool{}
	for _, p := range t.Packages {
		for _, path := range p.Imports {
			if within(p.Path, "test") {
				doubles[path] = true
			} else {
				production[path] = true
			}
		}
		for _, path := range p.Tagged {
			if within(p.Path, "bootstrap") {
				tagged[path] = true
			}
		}
	}
	used := func(imports map[string]bool, module string) bool {
		for path := range imports {
			if within(path, module) {
				return true
			}
		}
		return false
	}
	for _, module := range []string{
		"github.com/gofiber/fiber/v2", "github.com/uptrace/bun", "github.com/redis/go-redis/v9",
		"github.com/go-jose/go-jose/v4", "github.com/pquerna/otp", "github.com/sony/gobreaker/v2",
	} {
		if !used(production, module) {
			bad = append(bad, module+" is a fixed package and no production code imports it")
		}
	}
	if !used(tagged, "github.com/google/wire") || !slices.Contains(t.Tools, "github.com/google/wire/cmd/wire") {
		bad = append(bad, "github.com/google/wire is a fixed package: bootstrap has its sets, go.mod its tool line")
	}
	if !used(doubles, "go.uber.org/mock") || !slices.Contains(t.Tools, "go.uber.org/mock/mockgen") {
		bad = append(bad, "go.uber.org/mock is a fixed package: test/mock has its doubles, go.mod its tool line")
	}
	return bad
}

func nothingButProduction(t *Tree) (bad []string) {
	if !slices.Contains(t.Linked, t.Module+"/bootstrap/forge1") {
		bad = append(bad, "the list of what is linked does not hold bootstrap/forge1: the loader is blind")
	}
	for _, path := range t.Linked {
		if anyWithin(path, "github.com/google/wire", "go.uber.org/mock", t.Module+"/test") {
			bad = append(bad, path+" is linked into the binary")
		}
	}
	return bad
}

func filesAreShort(t *Tree) (bad []string) {
	const most = 500
	for _, f := range t.Files {
		production := strings.HasSuffix(f.Path, ".go") && !strings.HasSuffix(f.Path, "_test.go") && !within(f.Path, "test")
		if production && !f.Generated && f.Lines > most {
			bad = append(bad, fmt.Sprintf("%s has %d lines: find its parts (most: %d)", f.Path, f.Lines, most))
		}
	}
	return bad
}

func noMachinePaths(t *Tree) (bad []string) {
	for _, f := range t.Files {
		for _, line := range f.Machine {
			bad = append(bad, fmt.Sprintf("%s:%d names a path that exists on one machine only", f.Path, line))
		}
	}
	return bad
}
