package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// Catalogue is the suite of outbound.Catalogue. new gives a catalogue that knows models of the four vendors.
func Catalogue(t *testing.T, new func(t *testing.T) outbound.Catalogue) {
	tests := map[string]func(*testing.T, outbound.Catalogue){
		"lists are sorted and found again by name":      catalogueLists,
		"what is listed makes sense":                    catalogueSense,
		"a dated snapshot is found":                     catalogueSnapshots,
		"an unknown name is nobody's":                   catalogueUnknown,
		"a vendor knows its own models alone":           catalogueVendors,
		"changing what was given does not change it":    catalogueCopies,
		"names are taken as they are, case and all":     catalogueExact,
		"every vendor's own model comes before resales": catalogueOwnFirst,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

var catalogueVendorNames = []string{"openai", "anthropic", "gemini", "openrouter"}

func eachModel(t *testing.T, c outbound.Catalogue, check func(vendor string, m outbound.Model)) {
	t.Helper()
	for _, vendor := range catalogueVendorNames {
		models := c.Models(vendor)
		if len(models) == 0 {
			t.Errorf("%s has no models", vendor)
		}
		for _, m := range models {
			check(vendor, m)
		}
	}
}

func catalogueLists(t *testing.T, c outbound.Catalogue) {
	eachModel(t, c, func(vendor string, m outbound.Model) {
		if got, ok := c.Model(vendor, m.Name); !ok || !cmp.Equal(got, m) {
			t.Errorf("%s/%s is listed as %+v and found as %+v, %t", vendor, m.Name, m, got, ok)
		}
	})
	for _, vendor := range catalogueVendorNames {
		if !slices.IsSortedFunc(c.Models(vendor), func(a, b outbound.Model) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("the models of %s are not sorted by name", vendor)
		}
	}
}

func catalogueSense(t *testing.T, c outbound.Catalogue) {
	eachModel(t, c, func(vendor string, m outbound.Model) {
		p := m.Price
		switch {
		case m.Vendor != vendor || m.Name == "":
			t.Errorf("%s lists %+v", vendor, m)
		case m.Context < 0 || m.Output < 0 || m.Context > 0 && m.Output > m.Context:
			t.Errorf("%s/%s: %d tokens of context, %d of output", vendor, m.Name, m.Context, m.Output)
		case !m.Priced && !cmp.Equal(p, routing.Price{}):
			t.Errorf("%s/%s has no price, but one of %+v", vendor, m.Name, p)
		case min(p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h, p.AudioInput, p.AudioOutput, p.ImageOutput, p.Reasoning, p.Request) < 0:
			t.Errorf("%s/%s: price %+v, want none below nothing", vendor, m.Name, p)
		case m.Priced && !m.Embedding && (p.Input == 0) != (p.Output == 0):
			t.Errorf("%s/%s: price %+v is free by half", vendor, m.Name, p)
		case max(p.Input, p.Output) > 1000*routing.AttosPerDollarPerMillion:
			t.Errorf("%s/%s: price %+v is not in atto-dollars per token", vendor, m.Name, p)
		case !slices.IsSortedFunc(p.Tiers, func(a, b routing.Tier) int { return a.Above - b.Above }):
			t.Errorf("%s/%s: the tiers of %+v are out of order", vendor, m.Name, p)
		}
	})
}

func catalogueSnapshots(t *testing.T, c outbound.Catalogue) {
	for _, date := range []string{"-2024-08-06", "-20251001"} {
		eachModel(t, c, func(vendor string, m outbound.Model) {
			if strings.Contains(m.Name, "-20") {
				return // dated itself
			}
			got, ok := c.Model(vendor, m.Name+date)
			if !ok || got.Vendor != vendor || !strings.HasPrefix(got.Name, m.Name) {
				t.Errorf("%s/%s%s is found as %+v, %t", vendor, m.Name, date, got, ok)
			}
			if !slices.Contains(c.Vendors(m.Name+date), vendor) {
				t.Errorf("%s%s is not known to be of %s", m.Name, date, vendor)
			}
		})
	}
}

func catalogueUnknown(t *testing.T, c outbound.Catalogue) {
	for _, name := range []string{"", "-2024-08-06", "-20251001", "no-such-model", "no-such-model-2024-08-06", "gpt", "/", "openai/"} {
		for _, vendor := range append([]string{"", "nobody"}, catalogueVendorNames...) {
			if got, ok := c.Model(vendor, name); ok {
				t.Errorf("%q of %q is found as %+v", name, vendor, got)
			}
		}
		if got := c.Vendors(name); len(got) > 0 {
			t.Errorf("%q is said to be of %v", name, got)
		}
	}
	if got := c.Models("nobody"); len(got) > 0 {
		t.Errorf("nobody has models: %v", got)
	}
}

func catalogueVendors(t *testing.T, c outbound.Catalogue) {
	eachModel(t, c, func(vendor string, m outbound.Model) {
		vendors := c.Vendors(m.Name)
		if !slices.Contains(vendors, vendor) {
			t.Errorf("vendors of %s are %v, want %s among them", m.Name, vendors, vendor)
		}
		for _, other := range catalogueVendorNames {
			if _, ok := c.Model(other, m.Name); ok != slices.Contains(vendors, other) {
				t.Errorf("%s knows %s: %t, but its vendors are %v", other, m.Name, ok, vendors)
			}
		}
	})
}

func catalogueCopies(t *testing.T, c outbound.Catalogue) {
	models := c.Models("openai")
	first := models[0]
	vendors := c.Vendors(first.Name)
	models[0], vendors[0] = outbound.Model{}, "changed"
	if got := c.Models("openai")[0]; !cmp.Equal(got, first) {
		t.Errorf("the first model is now %+v, want %+v", got, first)
	}
	if got := c.Vendors(first.Name)[0]; got != "openai" {
		t.Errorf("the vendor of %s is now %s", first.Name, got)
	}
}

func catalogueExact(t *testing.T, c outbound.Catalogue) {
	eachModel(t, c, func(vendor string, m outbound.Model) {
		for _, name := range []string{strings.ToUpper(m.Name), " " + m.Name, m.Name + " ", m.Name + "\x00"} {
			if got, ok := c.Model(vendor, name); ok {
				t.Errorf("%q of %s is found as %s", name, vendor, got.Name)
			}
		}
	})
}

func catalogueOwnFirst(t *testing.T, c outbound.Catalogue) {
	for _, vendor := range []string{"openai", "anthropic", "gemini"} {
		for _, m := range c.Models(vendor) {
			if got := c.Vendors(m.Name)[0]; got != vendor {
				t.Errorf("the first vendor of %s is %s, want %s", m.Name, got, vendor)
			}
		}
	}
}
