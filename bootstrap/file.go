package bootstrap

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
)

// File is CONFIG_FILE: what has no place in variables, and defaults for some that have. A variable that is set wins.
type File struct {
	Providers []FileProvider       `yaml:"providers"`
	Aliases   map[string]FileAlias `yaml:"aliases"` // of every tenant that has none of the name
	Prices    []FileModel          `yaml:"prices"`  // in the place of the bundled catalogue's
	Routing   FileRouting          `yaml:"routing"`
}

// FileProvider is a provider: one of the four, or a server of one of their kinds under a name of its own.
type FileProvider struct {
	Name        string           `yaml:"name"`
	Kind        string           `yaml:"kind"`     // one of the vendors, such as openai or openai_compatible; may be left out for the four
	BaseURL     string           `yaml:"base_url"` // likewise
	Credentials []FileCredential `yaml:"credentials"`
	Model       string           `yaml:"model"`               // asked when nothing else is said
	Catalogue   string           `yaml:"catalogue"`           // whose models the provider serves by the bundled catalogue; a server of its own: none but Models
	Models      []FileModel      `yaml:"models"`              // what the server serves besides
	Discover    *bool            `yaml:"discover"`            // the server is asked which models it has; left out: a compatible one without Models is
	CostCents   *float64         `yaml:"1k_token_cost_cents"` // approximate routing cost
}

// FileCredential says where a key is: in a variable, or in a file that is read again on SIGHUP.
type FileCredential struct {
	Env  string `yaml:"env"`
	File string `yaml:"file"`
}

// UnmarshalYAML takes the name of a variable for a whole entry.
func (c *FileCredential) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		c.Env = n.Value
		return nil
	}
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 { // Decode knows nothing of known fields
		if field := n.Content[i].Value; field != "env" && field != "file" {
			return fmt.Errorf("field %s not found", field)
		}
	}
	type plain FileCredential
	return n.Decode((*plain)(c))
}

// FileModel is an entry of the catalogue: see the catalogue's own format. Fields that are left out stay as they are.
type FileModel map[string]any

// FileAlias is an alias.
type FileAlias struct {
	Mode    string       `yaml:"mode"` // ordered when left out
	Targets []FileTarget `yaml:"targets"`
}

// FileTarget is a provider's model. Weight counts in weighted aliases; 1 when left out.
type FileTarget struct {
	Provider string   `yaml:"provider"`
	Model    string   `yaml:"model"`
	Weight   *float64 `yaml:"weight"`
}

// FileRouting are the defaults of tenants' routing policies.
type FileRouting struct {
	Weights struct {
		Cost       *float64 `yaml:"cost"`
		Latency    *float64 `yaml:"latency"`
		SLOPenalty *float64 `yaml:"slo_penalty"`
	} `yaml:"weights"`
	FallbackOrder []string                `yaml:"fallback_order"`
	Routes        map[string][]FileTarget `yaml:"routes"`
	MaxAttempts   int                     `yaml:"max_attempts"`
	Deadline      time.Duration           `yaml:"deadline"`
}

// compatible is the kind of servers that take OpenAI's chat completions and embeddings, with or without a key.
const compatible = "openai_compatible"

// providerName is what a provider may be called: its name stands before the slash of model names.
var providerName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// adopt merges the providers of the file into those of the variables, which win where they are set.
func (c *Config) adopt(f File, set map[string]string) []string {
	c.file = f
	c.providers = c.builtin()
	var m mistakes
	seen := map[string]bool{}
	for i, p := range f.Providers {
		at := fmt.Sprintf("CONFIG_FILE: providers[%d]", i)
		if !providerName.MatchString(p.Name) || p.Name == "auto" {
			m.add(at+".name", "must be 1 to 32 small letters, digits, underscores and hyphens, the first a letter")
			continue
		}
		if seen[p.Name] {
			m.add(at+".name", "stands twice")
			continue
		}
		seen[p.Name] = true
		keys := p.keys(at, set, &m)
		m.unless(p.BaseURL == "" || webURL(p.BaseURL), at+".base_url", "must be an http or https URL without query or credentials")
		m.unless(p.CostCents == nil || *p.CostCents >= 0 && *p.CostCents <= 1e6, at+".1k_token_cost_cents", "must be a number from 0 to 1000000")
		if k := slices.IndexFunc(c.providers, func(o ProviderConfig) bool { return o.Name == p.Name }); k >= 0 {
			m.unless(p.Kind == "" || p.Kind == c.providers[k].Vendor, at+".kind", "must be "+c.providers[k].Vendor+", or left out")
			c.providers[k].complete(p, keys, set)
			continue
		}
		c.providers = append(c.providers, p.config(at, keys, &m))
	}
	return m
}

// keys reads the credentials. A variable that is not set, or a file that is not there, leaves its credential out; a comma list is a pool.
func (p FileProvider) keys(at string, set map[string]string, m *mistakes) []secret.Text {
	var out []secret.Text
	for i, c := range p.Credentials {
		at := fmt.Sprintf("%s.credentials[%d]", at, i)
		value := ""
		switch {
		case (c.Env == "") == (c.File == ""):
			m.add(at, "must be the name of a variable, or {file: PATH}")
		case c.Env != "":
			m.unless(variableName.MatchString(c.Env), at, "must be the name of a variable, not a key")
			value = set[c.Env]
		default:
			at += ".file"
			b, err := readBounded(c.File, maxKeyFile)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				m.add(at, "cannot be read: "+reasonOf(err))
			}
			value = string(b)
		}
		for key := range strings.SplitSeq(value, ",") {
			if key = strings.TrimSpace(key); key == "" {
				continue
			}
			if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
				m.add(at, "holds what no key can: keys are of printable ASCII without spaces; several are a comma list")
				continue
			}
			out = append(out, secret.New(key))
		}
	}
	return out
}

var variableName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// complete fills what the variables left open of one of the four.
func (p *ProviderConfig) complete(f FileProvider, keys []secret.Text, set map[string]string) {
	unset := func(name string) bool { return set[name] == "" }
	v := variablesOf[p.Name]
	if len(p.Keys) == 0 {
		p.Keys = keys
	}
	if f.BaseURL != "" && unset(v.baseURL) {
		p.BaseURL = strings.TrimRight(f.BaseURL, "/")
	}
	if f.Model != "" && unset(v.model) {
		p.Model = f.Model
	}
	if f.CostCents != nil && unset(v.cost) {
		p.CostCents = f.CostCents
	}
	if f.Catalogue != "" {
		p.Catalogue = f.Catalogue
	}
}

// config is a provider of the file's own.
func (p FileProvider) config(at string, keys []secret.Text, m *mistakes) ProviderConfig {
	m.unless(slices.Contains(vendorNames(), p.Kind), at+".kind", "must be one of "+strings.Join(vendorNames(), ", "))
	m.unless(p.BaseURL != "", at+".base_url", "must be given")
	m.unless(p.Model != "" && len(p.Model) <= 256, at+".model", "must be given, at most 256 bytes")
	out := ProviderConfig{
		Name: p.Name, Vendor: p.Kind, Catalogue: p.Catalogue, BaseURL: strings.TrimRight(p.BaseURL, "/"), Keys: keys, Model: p.Model,
		CostCents: p.CostCents, TableCents: 10, Discover: p.Kind == compatible && len(p.Models) == 0,
	}
	if p.Discover != nil {
		out.Discover = *p.Discover
	}
	if p.Kind == compatible && len(p.Credentials) == 0 {
		out.Keys = []secret.Text{{}} // a server on one's own machine may want none
	}
	if out.Catalogue == "" {
		out.Catalogue = p.Name
	}
	return out
}

// Defaults are the routing defaults of this installation.
func (c Config) Defaults() routing.Defaults {
	r := c.file.Routing
	d := routing.Defaults{MaxAttempts: r.MaxAttempts, Deadline: r.Deadline, Routes: map[routing.TaskType][]routing.Target{}}
	d.Order, _ = routing.CompleteOrder(c.FallbackOrder, c.ProviderNames()) // checked
	w := routing.DefaultWeights
	for _, x := range []struct {
		from *float64
		to   *float64
	}{{r.Weights.Cost, &w.Cost}, {r.Weights.Latency, &w.Latency}, {r.Weights.SLOPenalty, &w.SLOPenalty}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	d.Weights = w
	for task, targets := range r.Routes {
		for _, t := range targets {
			d.Routes[routing.TaskType(task)] = append(d.Routes[routing.TaskType(task)], routing.Target{Provider: t.Provider, Model: t.Model})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.file.Aliases)) {
		from := c.file.Aliases[name]
		a := routing.Alias{Name: name, Mode: routing.Ordered}
		if from.Mode != "" {
			a.Mode = routing.AliasMode(from.Mode)
		}
		for _, t := range from.Targets {
			to := routing.AliasTarget{Target: routing.Target{Provider: t.Provider, Model: t.Model}, Weight: 1}
			if t.Weight != nil {
				to.Weight = *t.Weight
			}
			a.Targets = append(a.Targets, to)
		}
		d.Aliases = append(d.Aliases, a)
	}
	return d
}

// checkDefaults says what is wrong with the routing defaults, by the places of the file.
func (c Config) checkDefaults() []string {
	var m mistakes
	r := c.file.Routing
	m.unless(r.MaxAttempts == 0 || r.MaxAttempts >= 1 && r.MaxAttempts <= routing.MaxMaxAttempts, "CONFIG_FILE: routing.max_attempts",
		fmt.Sprintf("must be 1 to %d", routing.MaxMaxAttempts))
	d := c.Defaults()
	f, ok := errors.AsType[*fault.Error](d.Check())
	if !ok {
		return m
	}
	for _, field := range f.Fields {
		parts := strings.Split(strings.TrimPrefix(field.Pointer, "/"), "/")
		if parts[0] == "aliases" && len(parts) > 1 {
			var i int
			if _, err := fmt.Sscan(parts[1], &i); err == nil && i < len(d.Aliases) {
				parts[1] = told(d.Aliases[i].Name)
			}
		} else {
			if parts[0] == "routes" && len(parts) > 1 {
				parts[1] = told(parts[1])
			}
			parts = append([]string{"routing"}, parts...)
		}
		m.add("CONFIG_FILE: "+strings.Join(parts, "."), field.Message)
	}
	return m
}
