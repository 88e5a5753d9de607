package arch

import (
	"fmt"
	"regexp"
	"slices"
)

func portsAreSmall(t *Tree) (bad []string) {
	const most = 6
	for _, p := range t.Ports {
		if p.Methods > most {
			bad = append(bad, fmt.Sprintf("outbound.%s has %d methods: split it by who needs what (most: %d)", p.Name, p.Methods, most))
		}
		if p.Methods == 0 {
			bad = append(bad, fmt.Sprintf("outbound.%s has no method", p.Name))
		}
	}
	return bad
}

var suiteName = regexp.MustCompile(`\bconformance\.([A-Z]\w*)`)

func portsHaveSuites(t *Tree) (bad []string) {
	if len(t.Ports) == 0 {
		return []string{"ports/outbound has no interface: the loader is blind"}
	}
	for _, p := range t.Ports {
		named := suiteName.FindStringSubmatch(p.Doc)
		switch {
		case named == nil:
			bad = append(bad, fmt.Sprintf("the comment of outbound.%s does not name its suite, as in \"Implementations pass conformance.%[1]s.\"", p.Name))
		case !slices.Contains(t.Suites, named[1]):
			bad = append(bad, fmt.Sprintf("outbound.%s names conformance.%s, which does not exist", p.Name, named[1]))
		}
	}
	return bad
}

func suitesAreUsed(t *Tree) (bad []string) {
	for _, s := range t.Suites {
		if s == "Recordings" {
			continue // reads the real ones for other tests
		}
		if !slices.ContainsFunc(t.Packages, func(p Package) bool {
			return within(p.Path, "adapters") && slices.Contains(p.Proves, s)
		}) {
			bad = append(bad, fmt.Sprintf("conformance.%s is called by no adapter's test", s))
		}
	}
	return bad
}

// promisesAreProved goes by the suite that the port's comment names, since two
// ports may share one.
func promisesAreProved(t *Tree) (bad []string) {
	for _, p := range t.Packages {
		if !within(p.Path, "adapters") || within(p.Path, "adapters/llm/internal") {
			continue // what vendors share is proved by each vendor
		}
		for _, promise := range p.Promises {
			i := slices.IndexFunc(t.Ports, func(port Port) bool { return port.Name == promise })
			if i < 0 {
				continue // a func type, which needs no suite
			}
			named := suiteName.FindStringSubmatch(t.Ports[i].Doc)
			if named != nil && !slices.Contains(p.Proves, named[1]) {
				bad = append(bad, fmt.Sprintf("%s promises outbound.%s, and its test does not call conformance.%s", p.Path, promise, named[1]))
			}
		}
	}
	return bad
}
