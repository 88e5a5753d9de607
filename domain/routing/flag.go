package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/fault"
)

// FlagCacheV1 turns the prompt cache on for the routes under /v1, where it is off unless a call asks for it.
const FlagCacheV1 = "cache.v1"

// FlagStrict has calls refused that ask for what the chosen vendor cannot honour, as X-Forge-Strict does for one call.
const FlagStrict = "translation.strict"

// otherFlags are the flags that do not steer routing.
var otherFlags = []string{FlagCacheV1, FlagStrict}

const (
	forcePrefix   = "router.force_provider_"
	disablePrefix = "router.disable_provider_"
)

// ForceFlag is the name of the flag that sends every call to a provider.
func ForceFlag(provider string) string { return forcePrefix + provider }

// DisableFlag is the name of the flag that takes a provider out of routing.
func DisableFlag(provider string) string { return disablePrefix + provider }

// Flag is a switch of a tenant's.
type Flag struct {
	Name    string
	Enabled bool
	At      time.Time // when it was set last
	By      string    // id of the user that set it; "" for the installation itself
}

// ErrNoFlag is a flag that does not exist. Its text lists those that do.
var ErrNoFlag = fault.New(fault.NotFound, "not_found", "there is no flag of that name")

// RouterFlags lists the names of the flags that steer routing: a force and a disable flag for every provider.
func (p *Policy) RouterFlags() []string {
	var names []string
	for _, provider := range p.defaults.Order {
		names = append(names, ForceFlag(provider))
	}
	for _, provider := range p.defaults.Order {
		names = append(names, DisableFlag(provider))
	}
	return names
}

// Flags lists the flags that are set, sorted by name.
func (p *Policy) Flags() []Flag {
	var out []Flag
	for _, f := range p.flags {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Flag) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Flag finds a flag; one that exists and is not set is off.
func (p *Policy) Flag(name string) (Flag, error) {
	if !p.knowsFlag(name) {
		return Flag{}, p.noFlag()
	}
	if f, ok := p.flags[name]; ok {
		return f, nil
	}
	return Flag{Name: name}, nil
}

// SetFlag turns a flag on or off; one that is so already stays as it is, with who set it and when. It fails with ErrNoFlag, or with
// ErrForceConflict while another provider is forced.
func (p *Policy) SetFlag(f Flag) error {
	if !p.knowsFlag(f.Name) {
		return p.noFlag()
	}
	if provider, force := strings.CutPrefix(f.Name, forcePrefix); force && f.Enabled && p.forced != "" && p.forced != provider {
		return ErrForceConflict.Saying(fmt.Sprintf("provider %s is forced; release it first", p.forced))
	}
	if before, set := p.flags[f.Name]; set && before.Enabled == f.Enabled {
		return nil
	}
	p.flags[f.Name] = f
	p.derive()
	what := "flag " + f.Name + " off"
	if f.Enabled {
		what = "flag " + f.Name + " on"
	}
	p.changed(what)
	return nil
}

// ClearFlag puts a flag back to its default, which is off. It fails with ErrNoFlag.
func (p *Policy) ClearFlag(name string) error {
	if !p.knowsFlag(name) {
		return p.noFlag()
	}
	if _, set := p.flags[name]; !set {
		return nil
	}
	delete(p.flags, name)
	p.derive()
	p.changed("flag " + name + " cleared")
	return nil
}

// Forced is the provider that every call must go to, "" when none is.
func (p *Policy) Forced() string { return p.forced }

// Disabled reports whether calls to the provider are switched off; a forced provider is never disabled.
func (p *Policy) Disabled(provider string) bool {
	return provider != p.forced && slices.Contains(p.disabled, provider)
}

// CachesV1 reports whether the prompt cache may answer calls under /v1 that say nothing about it.
func (p *Policy) CachesV1() bool { return p.flags[FlagCacheV1].Enabled }

// Strict reports whether every call of the tenant is to be refused that asks for what the chosen vendor cannot honour.
func (p *Policy) Strict() bool { return p.flags[FlagStrict].Enabled }

func (p *Policy) knowsFlag(name string) bool {
	return slices.Contains(otherFlags, name) || slices.Contains(p.RouterFlags(), name)
}

func (p *Policy) noFlag() error {
	return ErrNoFlag.Saying("there is no flag of that name; there are " + strings.Join(append(p.RouterFlags(), otherFlags...), ", "))
}
