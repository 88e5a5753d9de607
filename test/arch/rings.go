package arch

import (
	"strings"
)

// ring is a part of the tree with the same permissions.
type ring struct {
	name    string
	has     func(path string) bool               // which packages are on it
	ours    func(importer, imported string) bool // which of our packages it may import, itself aside
	foreign bool                                 // may it import other people's modules?
	denied  []string                             // what of the standard library it may not import
	must    bool                                 // is a tree without such a package broken?
}

// rings is the table of the architecture, innermost first. A package is on the
// first ring that has it.
var rings = []ring{
	{
		name: "domain", must: true,
		has:  in("domain"),
		ours: only("domain"),
		denied: []string{
			"net/http", "database/sql", "encoding/json", "log", "math/rand", "crypto/rand", "os", "os/exec", "testing",
		},
	},
	{
		name: "ports", must: true,
		has:    in("ports"),
		ours:   only("domain"),
		denied: []string{"net/http", "database/sql", "encoding/json", "log", "os", "testing"},
	},
	{
		name: "application", must: true,
		has: in("application"),
		// Use-cases stand on ports and not on each other. What several of them have in common is in these: who acts, letters, how memberships end,
		// and how a decision is kept.
		ours:   only("domain", "ports", "application/audit", "application/decisions", "application/letters", "application/members"),
		denied: []string{"net/http", "database/sql", "testing"},
	},
	{
		name: "adapters/rest", must: true,
		has:     in("adapters/rest"),
		ours:    only("domain", "ports/inbound"),
		foreign: true,
		denied:  []string{"database/sql", "testing"},
	},
	{
		name: "adapters/llm", must: true,
		has: in("adapters/llm"),
		ours: func(importer, imported string) bool {
			return imported == "adapters/llm" || anyWithin(imported, "domain", "ports/outbound", "adapters/llm/internal")
		},
		foreign: true,
		denied:  []string{"database/sql", "testing"},
	},
	{
		name: "adapters/database", must: true,
		has:     in("adapters/database"),
		ours:    only("domain", "ports/outbound", "migrations"),
		foreign: true,
		denied:  []string{"net/http", "testing"},
	},
	{
		name: "adapters", must: true,
		has: func(path string) bool {
			return strings.HasPrefix(path, "adapters/")
		},
		ours:    only("domain", "ports/outbound"),
		foreign: true,
		denied:  []string{"database/sql", "testing"},
	},
	{
		name: "migrations", must: true,
		has:    in("migrations"),
		ours:   only(),
		denied: []string{"testing"},
	},
	{
		name: "bootstrap", must: true,
		has: in("bootstrap"),
		ours: func(_, imported string) bool {
			return !within(imported, "test")
		},
		foreign: true,
		denied:  []string{"testing"},
	},
	{
		name: "test", must: true,
		has:     in("test"),
		ours:    func(string, string) bool { return true },
		foreign: true,
	},
}

// in makes a test for one folder.
func in(folder string) func(string) bool {
	return func(path string) bool { return within(path, folder) }
}

// only makes a permission for some folders.
func only(folders ...string) func(string, string) bool {
	return func(_, imported string) bool { return anyWithin(imported, folders...) }
}

// ringOf finds the ring of a package; nil when it is on none.
func ringOf(path string) *ring {
	for i := range rings {
		if rings[i].has(path) {
			return &rings[i]
		}
	}
	return nil
}

// unit is the folder that owns a package: what lies in it is one thing, whose
// parts know each other and nobody else's. The empty string is no unit.
func unit(path string) string {
	parts := strings.Split(path, "/")
	switch {
	case parts[0] == "ports" && len(parts) > 1, parts[0] == "application" && len(parts) > 1:
		return strings.Join(parts[:2], "/")
	case parts[0] == "adapters" && len(parts) > 2 && parts[1] == "llm" && parts[2] != "internal":
		return strings.Join(parts[:3], "/")
	case parts[0] == "adapters" && len(parts) > 1:
		return strings.Join(parts[:2], "/")
	default:
		return ""
	}
}
