package catalogue

import (
	"strings"
	"testing"
)

func TestAWrongTableIsRefused(t *testing.T) {
	line := func(input, output, read, write string) string {
		return `{"vendor":"v","name":"m","input":"` + input + `","output":"` + output + `","cache_read":"` + read + `","cache_write":"` + write + `"}`
	}
	tests := map[string]struct{ table, want string }{
		"no JSON":                   {"[", "read the model catalogue"},
		"an input price of words":   {"[" + line("cheap", "1", "", "") + "]", "no number"},
		"an output price below 0":   {"[" + line("1", "-1", "", "") + "]", "no number"},
		"a cache price of words":    {"[" + line("1", "1", "x", "") + "]", "no number"},
		"a write price of words":    {"[" + line("1", "1", "", "1e3") + "]", "no number"},
		"a price that is too fine":  {"[" + line("0.0000000000001", "1", "", "") + "]", "twelve decimals"},
		"a model that stands twice": {"[" + line("1", "1", "", "") + "," + line("1", "1", "", "") + "]", "twice"},
		"a model without name":      {`[{"vendor":"v"}]`, "no name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(tt.table))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestAModelWithoutPriceIsUnpriced(t *testing.T) {
	c, err := parse([]byte(`[{"vendor":"v","name":"m","input":"1"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := c.Model("v", "m"); !ok || m.Priced {
		t.Errorf("model %+v, %t; want it known and unpriced", m, ok)
	}
}

func TestResalesComeLast(t *testing.T) {
	c, err := parse([]byte(`[{"vendor":"openrouter","name":"m"},{"vendor":"gemini","name":"m"},{"vendor":"openai","name":"m"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Vendors("m"), " "); got != "openai gemini openrouter" {
		t.Errorf("vendors %q, want those whose own it is first", got)
	}
}
