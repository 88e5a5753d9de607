package arch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/arch"
)

// house is a tree that keeps every rule.
func house() *arch.Tree {
	const m = "example.com/house"
	pkg := func(path string, imports ...string) arch.Package {
		name := path[strings.LastIndex(path, "/")+1:]
		return arch.Package{Path: path, Name: name, Doc: "Package " + name + ".", Code: []string{name + ".go"}, Imports: imports}
	}
	users := pkg("adapters/database", "context", "database/sql", "github.com/uptrace/bun", m+"/domain/user", m+"/migrations", m+"/ports/outbound")
	users.Promises, users.Proves = []string{"Users"}, []string{"Users"}
	acme := pkg("adapters/llm/acme", "net/http", m+"/adapters/llm", m+"/adapters/llm/internal/sse", m+"/ports/outbound")
	acme.Promises, acme.Proves = []string{"Provider"}, []string{"Provider"}
	bootstrap := pkg("bootstrap", "os", m+"/adapters/database", m+"/application/auth")
	bootstrap.Tagged = []string{"github.com/google/wire", m + "/adapters/rest"}
	return &arch.Tree{
		Module: m,
		Packages: []arch.Package{
			pkg("domain/fault", "errors"),
			pkg("domain/user", "net/mail", m+"/domain/fault"),
			pkg("ports"),
			pkg("ports/inbound", "context", m+"/domain/user"),
			pkg("ports/outbound", "context", m+"/domain/user"),
			pkg("application/auth", "context", m+"/domain/user", m+"/ports/inbound", m+"/ports/outbound"),
			pkg("adapters/rest", "net/http", "github.com/gofiber/fiber/v2", m+"/adapters/rest/internal/page", m+"/ports/inbound"),
			pkg("adapters/rest/internal/page", "embed", "github.com/gofiber/fiber/v2/utils"),
			users,
			pkg("adapters/redis", "github.com/redis/go-redis/v9", m+"/ports/outbound"),
			pkg("adapters/jose", "github.com/go-jose/go-jose/v4/jwt", m+"/ports/outbound"),
			pkg("adapters/totp", "github.com/pquerna/otp/totp", m+"/ports/outbound"),
			pkg("adapters/breaker", "github.com/sony/gobreaker/v2", m+"/ports/outbound"),
			pkg("adapters/llm", "net/http", m+"/domain/user"),
			pkg("adapters/llm/internal/sse", "bufio"),
			acme,
			pkg("migrations", "embed"),
			bootstrap,
			pkg("bootstrap/forge1", m+"/bootstrap"),
			pkg("test/mock", "go.uber.org/mock/gomock", m+"/ports/outbound"),
			pkg("test/conformance", "testing", m+"/ports/outbound"),
		},
		Ports: []arch.Port{
			{Name: "Users", Methods: 3, Doc: "Users keeps users. Implementations pass conformance.Users."},
			{Name: "Provider", Methods: 6, Doc: "Provider asks a vendor. Implementations pass conformance.Provider."},
		},
		Suites:  []string{"Users", "Provider"},
		Vendors: []string{"acme"},
		Linked:  []string{"fmt", m + "/bootstrap", m + "/bootstrap/forge1"},
		Modules: []string{
			"github.com/gofiber/fiber/v2", "github.com/uptrace/bun", "github.com/redis/go-redis/v9", "github.com/go-jose/go-jose/v4",
			"github.com/pquerna/otp", "github.com/sony/gobreaker/v2", "github.com/google/wire", "go.uber.org/mock",
		},
		Tools: []string{"github.com/google/wire/cmd/wire", "go.uber.org/mock/mockgen"},
		Files: []arch.File{
			{Path: "README.md", Lines: 900},
			{Path: ".env.example"},
			{Path: "go.mod"},
			{Path: "domain/user/user.go", Lines: 500},
			{Path: "domain/user/user_test.go", Lines: 700},
			{Path: "bootstrap/wire_gen.go", Lines: 800, Generated: true},
			{Path: "test/mock/outbound.go", Lines: 3000},
		},
	}
}

// at finds a package of the house to spoil it.
func at(t *arch.Tree, path string) *arch.Package {
	i := slices.IndexFunc(t.Packages, func(p arch.Package) bool { return p.Path == path })
	return &t.Packages[i]
}

// imports spoils a package with one more import; @ stands for the module.
func imports(path, imported string) func(*arch.Tree) {
	return func(t *arch.Tree) {
		p := at(t, path)
		p.Imports = append(p.Imports, strings.Replace(imported, "@", t.Module, 1))
	}
}

func remove(path string) func(*arch.Tree) {
	return func(t *arch.Tree) {
		t.Packages = slices.DeleteFunc(t.Packages, func(p arch.Package) bool { return p.Path == path })
	}
}

func add(p arch.Package) func(*arch.Tree) {
	return func(t *arch.Tree) { t.Packages = append(t.Packages, p) }
}

func TestAHouseInOrderBreaksNoRule(t *testing.T) {
	for _, rule := range arch.Rules() {
		for _, violation := range rule.Check(house()) {
			t.Errorf("%s: %s", rule.Name, violation)
		}
	}
}

// violations are the seeds, by rule and by what is wrong. Want is what the
// message must say.
var violations = map[string]map[string]struct {
	seed func(*arch.Tree)
	want string
}{
	"every ring has packages": {
		"a module that the loader does not see": {func(t *arch.Tree) { t.Packages = nil }, "domain has no package"},
		"a ring that is gone":                   {remove("migrations"), "migrations has no package"},
		"a ring of test files only":             {func(t *arch.Tree) { at(t, "adapters/database").Code = nil }, "adapters/database has no package"},
	},
	"every package is on a ring": {
		"a folder of its own": {add(arch.Package{Path: "pkg/log", Name: "log"}), `"pkg/log" is on no ring`},
		"code at the root":    {add(arch.Package{Path: "", Name: "forge1"}), `"" is on no ring`},
		"code in adapters":    {add(arch.Package{Path: "adapters", Name: "adapters"}), `"adapters" is on no ring`},
	},
	"the top level is fixed": {
		"a new folder": {func(t *arch.Tree) { t.Files = append(t.Files, arch.File{Path: "docs/adr.md"}) }, "docs is at the top level"},
	},
	"packages import what their ring allows": {
		"HTTP in the domain":                  {imports("domain/user", "net/http"), "domain/user imports net/http: domain does not use"},
		"a sub-package of a denied package":   {imports("domain/user", "log/slog"), "domain/user imports log/slog"},
		"JSON in the domain":                  {imports("domain/user", "encoding/json"), "domain/user imports encoding/json"},
		"randomness in the domain":            {imports("domain/user", "math/rand/v2"), "domain/user imports math/rand/v2"},
		"a library in the domain":             {imports("domain/user", "github.com/google/uuid"), "domain has no libraries"},
		"a port in the domain":                {imports("domain/user", "@/ports/outbound"), "domain may not know it"},
		"one port in the other":               {imports("ports/inbound", "@/ports/outbound"), "ports may not know it"},
		"SQL in a port":                       {imports("ports/outbound", "database/sql"), "ports/outbound imports database/sql"},
		"Bun in a use-case":                   {imports("application/auth", "github.com/uptrace/bun"), "application has no libraries"},
		"an adapter in a use-case":            {imports("application/auth", "@/adapters/redis"), "application may not know it"},
		"a use-case in another":               {imports("application/auth", "@/application/gateway"), "application may not know it"},
		"a fake in a use-case":                {imports("application/auth", "@/test/fake"), "application may not know it"},
		"a store in REST":                     {imports("adapters/rest", "@/ports/outbound"), "adapters/rest may not know it"},
		"a use-case in REST":                  {imports("adapters/rest", "@/application/auth"), "adapters/rest may not know it"},
		"an adapter in another":               {imports("adapters/redis", "@/adapters/jose"), "adapters may not know it"},
		"an inbound port in a driven adapter": {imports("adapters/redis", "@/ports/inbound"), "adapters may not know it"},
		"migrations outside the database":     {imports("adapters/redis", "@/migrations"), "adapters may not know it"},
		"SQL outside the database":            {imports("adapters/redis", "database/sql"), "adapters does not use"},
		"a vendor in another":                 {imports("adapters/llm/acme", "@/adapters/llm/other"), "adapters/llm may not know it"},
		"an adapter in a vendor":              {imports("adapters/llm/acme", "@/adapters/breaker"), "adapters/llm may not know it"},
		"the domain in the migrations":        {imports("migrations", "@/domain/user"), "migrations may not know it"},
		"test support in bootstrap":           {imports("bootstrap", "@/test/harness"), "bootstrap may not know it"},
		"testing in production":               {imports("adapters/redis", "testing"), "adapters/redis imports testing"},
		"test support behind a build tag": {
			func(t *arch.Tree) {
				at(t, "bootstrap").Tagged = append(at(t, "bootstrap").Tagged, t.Module+"/test/fake")
			},
			"bootstrap may not know it",
		},
	},
	"one library, one adapter": {
		"the same library twice":      {imports("adapters/jose", "github.com/redis/go-redis/v9"), "imported by adapters/jose and adapters/redis"},
		"two packages of one library": {imports("adapters/llm/acme", "github.com/go-jose/go-jose/v4"), "imported by adapters/jose and adapters/llm/acme"},
		"a library go.mod lacks": {func(t *arch.Tree) {
			imports("adapters/jose", "gopkg.in/yaml.v3")(t)
			imports("adapters/redis", "gopkg.in/yaml.v3")(t)
		}, "gopkg.in/yaml.v3 is imported by"},
	},
	"packages are named for what they are": {
		"by package": {func(t *arch.Tree) { at(t, "domain/user").Name = "utils" }, "domain/user says nothing"},
		"by folder":  {add(arch.Package{Path: "adapters/common", Name: "shared"}), "adapters/common says nothing"},
	},
	"every package has a comment": {
		"a package without": {func(t *arch.Tree) { at(t, "domain/user").Doc = "" }, "domain/user has no package comment"},
	},
	"an outbound port is small": {
		"seven methods": {func(t *arch.Tree) { t.Ports[0].Methods = 7 }, "outbound.Users has 7 methods"},
		"no method":     {func(t *arch.Tree) { t.Ports[0].Methods = 0 }, "outbound.Users has no method"},
	},
	"an outbound port has a suite and names it": {
		"a comment without a suite": {func(t *arch.Tree) { t.Ports[0].Doc = "Users keeps users." }, "outbound.Users does not name its suite"},
		"a suite that is not there": {func(t *arch.Tree) { t.Suites = []string{"Provider"} }, "conformance.Users, which does not exist"},
		"no ports at all":           {func(t *arch.Tree) { t.Ports = nil }, "the loader is blind"},
	},
	"a suite is passed by an adapter": {
		"a suite nobody calls": {func(t *arch.Tree) { t.Suites = append(t.Suites, "Cache") }, "conformance.Cache is called by no adapter"},
	},
	"an adapter proves what it promises": {
		"a promise without a proof": {func(t *arch.Tree) { at(t, "adapters/redis").Promises = []string{"Users"} }, "adapters/redis promises outbound.Users"},
	},
	"a vendor has a suite call and a line": {
		"no suite call": {func(t *arch.Tree) { at(t, "adapters/llm/acme").Proves = nil }, "does not call conformance.Provider"},
		"no line":       {func(t *arch.Tree) { t.Vendors = nil }, "adapters/llm/acme has no line"},
	},
	"the fixed packages are used": {
		"Fiber": {func(t *arch.Tree) {
			at(t, "adapters/rest").Imports, at(t, "adapters/rest/internal/page").Imports = nil, nil
		}, "github.com/gofiber/fiber/v2 is a fixed package"},
		"Bun":                  {func(t *arch.Tree) { at(t, "adapters/database").Imports = nil }, "github.com/uptrace/bun is a fixed package"},
		"go-redis":             {func(t *arch.Tree) { at(t, "adapters/redis").Imports = nil }, "github.com/redis/go-redis/v9 is a fixed package"},
		"go-jose":              {remove("adapters/jose"), "github.com/go-jose/go-jose/v4 is a fixed package"},
		"otp":                  {remove("adapters/totp"), "github.com/pquerna/otp is a fixed package"},
		"gobreaker":            {remove("adapters/breaker"), "github.com/sony/gobreaker/v2 is a fixed package"},
		"Wire's sets":          {func(t *arch.Tree) { at(t, "bootstrap").Tagged = nil }, "github.com/google/wire is a fixed package"},
		"Wire's tool line":     {func(t *arch.Tree) { t.Tools = t.Tools[1:] }, "github.com/google/wire is a fixed package"},
		"mocks":                {remove("test/mock"), "go.uber.org/mock is a fixed package"},
		"used by a test alone": {func(t *arch.Tree) { remove("adapters/totp")(t); imports("test/mock", "github.com/pquerna/otp")(t) }, "github.com/pquerna/otp is a fixed"},
	},
	"tools are not linked into the binary": {
		"Wire":         {func(t *arch.Tree) { t.Linked = append(t.Linked, "github.com/google/wire") }, "github.com/google/wire is linked"},
		"test support": {func(t *arch.Tree) { t.Linked = append(t.Linked, t.Module+"/test/fake") }, "test/fake is linked"},
		"nothing seen": {func(t *arch.Tree) { t.Linked = nil }, "the loader is blind"},
	},
	"files are short": {
		"one line too many": {func(t *arch.Tree) { t.Files[3].Lines = 501 }, "domain/user/user.go has 501 lines"},
	},
	"no file names a path of one machine": {
		"a home folder": {func(t *arch.Tree) { t.Files[0].Machine = []int{7} }, "README.md:7 names a path"},
	},
}

func TestEveryRuleBites(t *testing.T) {
	for _, rule := range arch.Rules() {
		seeds := violations[rule.Name]
		if len(seeds) == 0 {
			t.Errorf("nothing shows that %q bites", rule.Name)
		}
		for name, v := range seeds {
			t.Run(rule.Name+"/"+name, func(t *testing.T) {
				tree := house()
				v.seed(tree)
				got := rule.Check(tree)
				if len(got) == 0 {
					t.Fatal("the rule lets it pass")
				}
				if all := strings.Join(got, "\n"); !strings.Contains(all, v.want) {
					t.Errorf("got:\n%s\nwant: %s", all, v.want)
				}
			})
		}
	}
	if len(violations) != len(arch.Rules()) {
		t.Errorf("seeds for %d rules, want one set for each of the %d", len(violations), len(arch.Rules()))
	}
}
