package routing

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/fault"
)

// Limits of aliases.
const (
	MaxAliases      = 200 // of a tenant
	MaxAliasTargets = 16
	MaxAliasName    = 64 // bytes
)

// AliasMode says how the targets of an alias are ordered.
type AliasMode string

// The modes. Ordered targets are tried as they stand; weighted ones in an order drawn for each call, in which a target comes first as often as its
// weight is of the sum. A target of weight 0 comes last.
const (
	Ordered  AliasMode = "ordered"
	Weighted AliasMode = "weighted"
)

// Alias is a name that stands for one or several targets.
type Alias struct {
	Name    string
	Mode    AliasMode
	Targets []AliasTarget
}

// AliasTarget is one of an alias's targets. Weight counts in a weighted alias only.
type AliasTarget struct {
	Target
	Weight float64
}

// The sentinels of aliases. A field names what is wrong.
var (
	ErrNoAlias  = fault.New(fault.NotFound, "not_found", "there is no such alias")
	ErrAliasCap = fault.New(fault.Invalid, "too_many_aliases", "a tenant has at most 200 aliases")
)

// check says what is wrong with an alias, over the known providers.
func (a Alias) check(known []string) error {
	var fields []fault.Field
	bad := func(pointer, code, message string) {
		fields = append(fields, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
	if problem := badAliasName(a.Name, known); problem != "" {
		bad("/name", "invalid_value", problem)
	}
	if a.Mode != Ordered && a.Mode != Weighted {
		bad("/mode", "unknown_value", "must be ordered or weighted")
	}
	if n := len(a.Targets); n < 1 || n > MaxAliasTargets {
		bad("/targets", "out_of_range", fmt.Sprintf("must be 1 to %d targets", MaxAliasTargets))
		return fault.ErrValidation.At(fields...) // of how many more there are nothing need be said
	}
	sum := 0.0
	for i, t := range a.Targets {
		at := fmt.Sprintf("/targets/%d/", i)
		switch {
		case !slices.Contains(known, t.Provider):
			bad(at+"provider", "unknown_provider", "no provider of that name; there are "+strings.Join(known, ", "))
		case !plausibleModel(t.Model):
			bad(at+"model", "invalid_value", "must be a model's name of 1 to 256 bytes without control characters")
		case slices.ContainsFunc(a.Targets[:i], func(o AliasTarget) bool { return o.Target == t.Target }):
			bad(at+"model", "duplicate", "the target stands twice")
		}
		if !validWeight(t.Weight) {
			bad(at+"weight", "out_of_range", "must be a number of 0 to 1,000,000,000")
		} else {
			sum += t.Weight
		}
	}
	if a.Mode == Weighted && len(fields) == 0 && sum <= 0 {
		bad("/targets/0/weight", "out_of_range", "at least one weight must be over 0")
	}
	if len(fields) == 0 {
		return nil
	}
	return fault.ErrValidation.At(fields...)
}

func badAliasName(name string, known []string) string {
	switch {
	case len(name) < 1 || len(name) > MaxAliasName || !onlyAliasRunes(name) || strings.ContainsRune("._:-", rune(name[0])):
		return "must be 1 to 64 letters, digits, dots, colons, underscores and hyphens, the first a letter or digit"
	case name == "auto" || strings.HasPrefix(name, "auto:"):
		return "auto is the router's own name"
	case slices.Contains(known, name):
		return "is the name of a provider"
	default:
		return ""
	}
}

func onlyAliasRunes(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:-", r)
	})
}

// plausibleModel reports whether a text can be a model's name: such a name is stored, logged and sent on.
func plausibleModel(name string) bool {
	return name != "" && len(name) <= 256 && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

func (a Alias) clone() Alias {
	a.Targets = slices.Clone(a.Targets)
	return a
}

// places appends to out, for each target of the alias, its place in the order of a draw.
func (a *Alias) places(draw uint64, out []int) []int {
	if a.Mode != Weighted {
		for i := range a.Targets {
			out = append(out, i)
		}
		return out
	}
	var room [MaxAliasTargets]float64
	keys := room[:0]
	for i := range a.Targets {
		keys = append(keys, drawn(draw, uint64(i), a.Targets[i].Weight)) //nolint:gosec // a handful
	}
	for i := range keys {
		place := 0
		for j := range keys {
			if keys[j] < keys[i] || keys[j] == keys[i] && j < i {
				place++
			}
		}
		out = append(out, place)
	}
	return out
}

// drawn gives a time at which a target of the weight would turn up, were they to turn up at random: the first of several is one of weight w as
// often as w is of their sum (Efraimidis and Spirakis 2006).
func drawn(draw, i uint64, weight float64) float64 {
	if weight <= 0 {
		return math.Inf(1)
	}
	u := (float64(mix(draw+i*0x9e3779b97f4a7c15)>>11) + 0.5) / (1 << 53)
	return min(-math.Log(u)/weight, math.MaxFloat64) // however small the weight, before those of weight 0
}

// mix spreads the bits of x (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
