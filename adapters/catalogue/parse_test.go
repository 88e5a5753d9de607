package catalogue

import (
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/routing"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// parse makes a catalogue of a table alone.
func parse(table string) (*Catalogue, error) {
	entries, err := Parse([]byte(table))
	if err != nil {
		return nil, err
	}
	c := &Catalogue{clock: func() time.Time { return noon }, bundled: entries}
	return c, c.Reload(nil)
}

func TestAWrongTableIsRefused(t *testing.T) {
	line := func(fields string) string { return `[{"vendor":"v","name":"m",` + fields + `}]` }
	price := func(fields string) string { return line(`"input":1,"output":2,` + fields) }
	tests := map[string]struct{ table, want string }{
		"no JSON":                             {"[", "read the model catalogue"},
		"more behind the list":                {"[] []", "more follows"},
		"an unknown field":                    {line(`"inptu":1`), `v/m: json: unknown field "inptu"`},
		"an input price of words":             {line(`"input":"cheap"`), `v/m: input: "cheap"`},
		"a price below 0":                     {price(`"request":-1`), `"-1" is no price`},
		"a price of nothing":                  {price(`"request":""`), "is no price"},
		"a price with a fraction":             {price(`"request":"1/3"`), "is no price"},
		"a price that is too fine":            {price(`"request":0.0000000000001`), "at most 12 places"},
		"a price that is too great":           {price(`"request":"1000001"`), "is no price"},
		"a price by the exponent":             {price(`"request":1e99`), "is no price"},
		"a request dearer than can be":        {price(`"request":1000000`), "v/m: request"},
		"an output without input":             {line(`"output":1`), "v/m: input, output"},
		"a cached price alone":                {line(`"cache_read":1`), "v/m: input, output"},
		"free thoughts":                       {price(`"reasoning":0`), "v/m: reasoning"},
		"tiers out of order":                  {price(`"tiers":[{"above":2},{"above":1}]`), "v/m: tiers: above: 1"},
		"a tier of everything":                {price(`"tiers":[{"above":0}]`), "v/m: tiers: above: 0"},
		"a tier with something free":          {price(`"tiers":[{"above":1,"audio_input":0}]`), "v/m: tiers: above 1: audio_input"},
		"more tiers than there can be":        {price(`"tiers":[{},{},{},{},{},{},{},{},{}]`), "v/m: tiers: more than 8"},
		"a later price of no day":             {price(`"then":[{"from":"soon"}]`), `v/m: then: from: "soon"`},
		"later prices out of order":           {price(`"then":[{"from":"2026-02-01","input":1,"output":1},{"from":"2026-01-01","input":1,"output":1}]`), "v/m: then: from: 2026-01-01"},
		"a later price that is none":          {price(`"then":[{"from":"2026-02-01"}]`), "v/m: then: the price from 2026-02-01"},
		"an ability that nobody knows":        {line(`"features":["wings"]`), `v/m: features: "wings"`},
		"a pattern of everything":             {line(`"match":["*"]`), `v/m: match: "*"`},
		"a pattern of what no name has":       {line(`"match":["somemodel *"]`), "v/m: match"},
		"no context":                          {line(`"context":0`), "v/m: context"},
		"an absurd context":                   {line(`"context":2000000000`), "v/m: context"},
		"no output":                           {line(`"max_output":-1`), "v/m: max_output"},
		"a name that stands twice":            {line(`"also":["m"]`), `v/m: name, also: "m"`},
		"a model without name":                {`[{"vendor":"v"}]`, "name"},
		"a model without vendor":              {`[{"name":"m"}]`, "vendor"},
		"a name with spaces":                  {`[{"vendor":"v","name":"a b"}]`, "name"},
		"another name that somebody else has": {`[{"vendor":"v","name":"a"},{"vendor":"v","name":"b","also":["a"]}]`, `v/b: name, also: "a"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(tt.table)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestAModelWithoutPriceIsUnpricedAndOneOfNoughtIsFree(t *testing.T) {
	c, err := parse(`[{"vendor":"v","name":"m"},{"vendor":"v","name":"free","input":0,"output":0},{"vendor":"v","name":"hidden","input":1,"output":1,"unpriced":true},
		{"vendor":"openrouter","name":"a/b","input":1,"output":1,"context":5,"features":["tools"]}]`)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		vendor, name          string
		found, priced, unsure bool
	}{
		"no price":                           {"v", "m", true, false, true},
		"a price of nought":                  {"v", "free", true, true, true},
		"marked":                             {"v", "hidden", true, false, true},
		"a free one at the marketplace":      {"openrouter", "a/b:free", true, true, false},
		"a free one that nobody knows":       {"openrouter", "c/d:free", true, true, true},
		"a word that is no marketplace name": {"openrouter", "free:free", false, false, false},
		"free elsewhere":                     {"v", "a/b:free", false, false, false},
		"a snapshot that no list names":      {"openrouter", "a/b-20260101", true, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, ok := c.Model(tt.vendor, tt.name)
			if ok != tt.found || m.Priced != tt.priced || m.Unsure != tt.unsure || m.Price.Nanos(routing.Tokens{Input: 1e9, Output: 1e9}) != 0 {
				t.Errorf("%+v, %t; want found %t, priced %t, unsure %t, and no cost", m, ok, tt.found, tt.priced, tt.unsure)
			}
		})
	}
}

func TestResalesComeLast(t *testing.T) {
	c, err := parse(`[{"vendor":"zoo","name":"m"},{"vendor":"openrouter","name":"m"},{"vendor":"gemini","name":"m"},{"vendor":"openai","name":"m"}]`)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Vendors("m"), " "); got != "openai gemini openrouter zoo" {
		t.Errorf("vendors %q, want those whose own it is first", got)
	}
}
