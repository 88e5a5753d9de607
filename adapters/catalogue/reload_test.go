package catalogue_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/conformance"
)

const dollar = routing.AttosPerDollarPerMillion

func entries(t *testing.T, table string) []catalogue.Entry {
	t.Helper()
	e, err := catalogue.Parse([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheBundledTableIsMadeOfTheLists(t *testing.T) {
	var lists [3][]byte
	for i, name := range []string{"genai_prices.json", "model_prices.json", "openrouter_models.json"} {
		if lists[i] = conformance.PriceFixture(t, name); lists[i] == nil {
			return
		}
	}
	want, err := catalogue.Generate(lists[0], lists[1], lists[2])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(catalogue.Bundled()), "\n")); diff != "" {
		t.Errorf("models.json is not what the lists make (-made +bundled):\n%s", diff)
	}
}

func TestEntriesAreLaidOverTheBundledOnes(t *testing.T) {
	tests := map[string]struct {
		over, vendor, model string
		want                func(p *routing.Price)
		check               func(t *testing.T, c *catalogue.Catalogue)
	}{
		"one price of a model": {`[{"vendor":"openai","name":"gpt-4o-mini","input":"0.2"}]`, "openai", "gpt-4o-mini-2024-07-18", func(p *routing.Price) {
			p.Input, p.CacheWrite = dollar/5, dollar/5 // what is written to a cache costs what input costs there
		}, nil},
		"a price that has steps keeps them": {`[{"vendor":"anthropic","name":"claude-sonnet-4-5","output":16}]`, "anthropic", "claude-sonnet-4-5", func(p *routing.Price) {
			p.Output = 16 * dollar
		}, nil},
		"a price holds at any time": {`[{"vendor":"anthropic","name":"claude-sonnet-5","output":16}]`, "anthropic", "claude-sonnet-5", func(p *routing.Price) {
			p.Output = 16 * dollar
		}, nil},
		"a later entry wins": {
			`[{"vendor":"openai","name":"gpt-4o","output":16},{"vendor":"openai","name":"gpt-4o","output":17}]`, "openai", "gpt-4o",
			func(p *routing.Price) { p.Output = 17 * dollar }, nil,
		},
		"abilities alone": {`[{"vendor":"openai","name":"gpt-4o","features":[],"context":1000}]`, "openai", "gpt-4o", func(*routing.Price) {}, func(t *testing.T, c *catalogue.Catalogue) {
			if m, _ := c.Model("openai", "gpt-4o"); m.Tools || m.Unsure || m.Context != 1000 {
				t.Errorf("%+v, want it to do nothing in 1,000 tokens", m)
			}
		}},
		"a name that was another's": {`[{"vendor":"openai","name":"gpt-4o-2024-05-13","input":5,"output":15}]`, "openai", "gpt-4o-2024-05-13", func(p *routing.Price) {
			*p = routing.Price{Input: 5 * dollar, Output: 15 * dollar, CacheRead: 5 * dollar, CacheWrite: 5 * dollar}
		}, nil},
		"a model of one's own": {`[{"vendor":"mine","name":"m","match":["mymodel-*"],"input":1,"output":2,"cache_read":0.5,"request":0.001}]`, "mine", "mymodel-2", func(p *routing.Price) {
			*p = routing.Price{Input: dollar, Output: 2 * dollar, CacheRead: dollar / 2, CacheWrite: dollar, Request: 1_000_000_000_000_000}
		}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := bundled(t)
			before, _ := c.Model(tt.vendor, tt.model)
			if err := c.Reload(entries(t, tt.over)); err != nil {
				t.Fatal(err)
			}
			got, ok := c.Model(tt.vendor, tt.model)
			want := before.Price
			tt.want(&want)
			if !ok || !got.Priced || len(got.Price.Tiers) != len(want.Tiers) {
				t.Fatalf("%+v, %t; want it priced at %+v", got, ok, want)
			}
			want.Tiers = got.Price.Tiers
			if !cmp.Equal(got.Price, want) {
				t.Errorf("price %+v, want %+v", got.Price, want)
			}
			if tt.check != nil {
				tt.check(t, c)
			}
			if err := c.Reload(nil); err != nil {
				t.Fatal(err)
			}
			if again, _ := c.Model(tt.vendor, tt.model); !cmp.Equal(again, before) {
				t.Errorf("without it: %+v, want what it was: %+v", again, before)
			}
		})
	}
}

func TestAModelCanBeSaidToHaveNoPrice(t *testing.T) {
	c := bundled(t)
	if err := c.Reload(entries(t, `[{"vendor":"openai","name":"gpt-4o","unpriced":true}]`)); err != nil {
		t.Fatal(err)
	}
	if m, ok := c.Model("openai", "gpt-4o"); !ok || m.Priced || !m.Tools {
		t.Errorf("%+v, %t; want it known and unpriced", m, ok)
	}
}

func TestTheLastGoodTableIsKept(t *testing.T) {
	c := bundled(t)
	changes := 0
	c.OnChange(func() { changes++ })
	if err := c.Reload(entries(t, `[{"vendor":"openai","name":"gpt-4o","output":16}]`)); err != nil {
		t.Fatal(err)
	}
	good, _ := c.Model("openai", "gpt-4o")
	generation := c.Generation()
	err := c.Reload(entries(t, `[{"vendor":"openai","name":"gpt-4o","output":18},{"vendor":"openai","name":"gpt-4o-mini","max_output":-1}]`))
	if err == nil || !strings.Contains(err.Error(), "openai/gpt-4o-mini: max_output") {
		t.Errorf("error %v, want it to name the model and the field", err)
	}
	if now, _ := c.Model("openai", "gpt-4o"); !cmp.Equal(now, good) || c.Generation() != generation || changes != 1 {
		t.Errorf("%+v in generation %d after %d changes; want %+v in %d after 1", now, c.Generation(), changes, good, generation)
	}
}

func TestAPriceComesIntoForceOnItsDay(t *testing.T) {
	now := time.Date(2026, 8, 31, 23, 59, 59, 0, time.UTC)
	c, err := catalogue.New(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan uint64, 9)
	c.OnChange(func() { told <- c.Generation() })
	cost := func() int64 {
		m, _ := c.Model("anthropic", "claude-sonnet-5")
		return m.Price.Input / dollar
	}
	if got := cost(); got != 2 {
		t.Errorf("%d dollars on the day before, want 2", got)
	}
	before := c.Generation()
	now = now.Add(time.Second)
	if got := c.Generation(); got != before+1 || <-told != got {
		t.Errorf("generation %d after the day came, want %d", got, before+1)
	}
	if got := cost(); got != 3 {
		t.Errorf("%d dollars on the day, want 3", got)
	}
	if len(told) > 0 {
		t.Error("it was told twice")
	}
}

func TestReadersSeeOneTableOrTheOther(t *testing.T) {
	c := bundled(t)
	dear := entries(t, `[{"vendor":"openai","name":"gpt-4o","input":7,"output":7}]`)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 2000 {
				if p, _ := c.Model("openai", "gpt-4o"); p.Price.Input == 7*dollar != (p.Price.Output == 7*dollar) {
					t.Errorf("half a change: %+v", p.Price)
					return
				}
			}
		})
	}
	for i := range 20 {
		over := dear
		if i%2 == 0 {
			over = nil
		}
		if err := c.Reload(over); err != nil {
			t.Fatal(err)
		}
	}
	readers.Wait()
}

func TestPlainValuesMakeEntries(t *testing.T) {
	got, err := catalogue.Entries([]map[string]any{{"vendor": "openai", "name": "gpt-4o", "input": 0.15, "output": "0.6"}})
	if err != nil {
		t.Fatal(err)
	}
	if *got[0].Input != dollar*15/100 || *got[0].Output != dollar*6/10 {
		t.Errorf("%s and %s, want 0.15 and 0.6", got[0].Input, got[0].Output)
	}
	if _, err := catalogue.Entries([]map[string]any{{"vendor": "openai", "name": "gpt-4o", "input": -1}}); err == nil || !strings.Contains(err.Error(), "openai/gpt-4o") {
		t.Errorf("error %v, want it to name the model", err)
	}
}
