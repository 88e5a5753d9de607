package catalogue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func bundled(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConformance(t *testing.T) {
	conformance.Catalogue(t, func(t *testing.T) outbound.Catalogue { return bundled(t) })
}

func TestPricesAreExact(t *testing.T) {
	tests := map[string]struct {
		vendor, model, entry string
		want                 routing.Price
	}{
		"dollars with decimals": {"openai", "gpt-4o-mini", "gpt-4o-mini", routing.Price{Input: 150_000_000_000, Output: 600_000_000_000, CacheRead: 75_000_000_000, CacheWrite: 150_000_000_000}},
		"a snapshot that a list names": {
			"openai", "gpt-4o-2024-11-20", "gpt-4o", routing.Price{Input: 2_500_000_000_000, Output: 10_000_000_000_000, CacheRead: 1_250_000_000_000, CacheWrite: 2_500_000_000_000},
		},
		"a snapshot with its model's price": {
			"openai", "gpt-4o-2024-08-06", "gpt-4o", routing.Price{Input: 2_500_000_000_000, Output: 10_000_000_000_000, CacheRead: 1_250_000_000_000, CacheWrite: 2_500_000_000_000},
		},
		"a snapshot dated the other way": {
			"anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5", routing.Price{Input: 1_000_000_000_000, Output: 5_000_000_000_000, CacheRead: 100_000_000_000, CacheWrite: 1_250_000_000_000, CacheWrite1h: 2_000_000_000_000},
		},
		"an audio token of its own price": {
			"openai", "gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio-preview",
			routing.Price{
				Input: 2_500_000_000_000, Output: 10_000_000_000_000, CacheRead: 2_500_000_000_000, CacheWrite: 2_500_000_000_000,
				AudioInput: 2_500_000_000_000, AudioOutput: 0,
			},
		},
		"a twelfth of a dollar, as far as it goes": {
			"openrouter", "google/gemini-2.5-flash-lite", "google/gemini-2.5-flash-lite",
			routing.Price{Input: 100_000_000_000, Output: 400_000_000_000, CacheRead: 10_000_000_000, CacheWrite: 83_333_333_333},
		},
		"a maker's model at the marketplace": {
			"openrouter", "anthropic/claude-haiku-4.5", "anthropic/claude-haiku-4.5",
			routing.Price{Input: 1_000_000_000_000, Output: 5_000_000_000_000, CacheRead: 100_000_000_000, CacheWrite: 1_250_000_000_000},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := bundled(t).Model(tt.vendor, tt.model)
			if !ok || !got.Priced || got.Name != tt.entry || !cmp.Equal(got.Price, tt.want) {
				t.Errorf("%s/%s is %+v, %t; want %s at %+v", tt.vendor, tt.model, got, ok, tt.entry, tt.want)
			}
		})
	}
}

func TestDefaultModelsAreKnown(t *testing.T) {
	for vendor, model := range map[string]string{
		"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash", "openrouter": "openai/gpt-4o-mini",
	} {
		m, ok := bundled(t).Model(vendor, model)
		if !ok || !m.Priced || !m.Vision || !m.Tools || !m.Schema {
			t.Errorf("%s/%s is %+v, %t; want it priced and able to do everything", vendor, model, m, ok)
		}
	}
}

func BenchmarkModel(b *testing.B) {
	c, err := catalogue.New(time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Model("openai", "gpt-4o-2024-08-06")
	}
}
