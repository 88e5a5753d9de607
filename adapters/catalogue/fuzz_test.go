package catalogue

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"[]", "[{}]", "null", `[{"vendor":"v","name":"m","input":"0.15","output":1e-3,"tiers":[{"above":5,"input":2}]}]`,
		`[{"vendor":"v","name":"m","also":["n"],"match":["mymodel-*","*mymodel-#"],"context":5,"max_output":2,"features":["tools"],"unpriced":true}]`,
		`[{"vendor":"v","name":"m","input":1,"output":2,"then":[{"from":"2026-09-01","input":0,"output":0,"tiers":[{"above":1}]}]}]`,
		`[{"vendor":"openrouter","name":"a/b","input":1000000,"output":1000000,"request":1}]`, `[{"input":-1}]`, "[{\"name\":\"\\u0000\"}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, table []byte) {
		entries, err := Parse(table)
		if err != nil {
			return
		}
		written, err := Format(entries)
		if err != nil {
			t.Fatalf("%q is read, but not written: %v", table, err)
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("%q is not read again: %v", written, err)
		}
		if twice, err := Format(again); err != nil || !bytes.Equal(twice, written) {
			t.Fatalf("%q is written again as %q, %v", written, twice, err)
		}
		x, err := build(overlay(nil, entries), noon)
		if err != nil {
			return
		}
		for _, vendor := range x.vendors {
			for _, m := range x.lists[vendor] {
				if got, ok := x.model(vendor, m.Name); !ok || got.Name != m.Name {
					t.Fatalf("%s/%s is listed and found as %+v, %t", vendor, m.Name, got, ok)
				}
				if m.Price.Cents(1000, 1000) < 0 {
					t.Fatalf("%s/%s costs less than nothing: %+v", vendor, m.Name, m.Price)
				}
			}
		}
	})
}

func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"0", "0.15", "1.5e-07", "1e6", "1000000.000000000001", "-1", "+1", ".5", "5.", "1e-12", "1e-13", "0x10", "1/3", "1_0", "NaN", "1e999", "00.10", "1E+2", "", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAmount(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || new(big.Rat).SetFrac64(int64(a), 1_000_000_000_000).Cmp(want) != 0 || a < 0 || a > maxAmount {
			t.Fatalf("%q is read as %s", text, a)
		}
		if again, err := ParseAmount(a.String()); err != nil || again != a || strings.ContainsAny(a.String(), "eE+-") {
			t.Fatalf("%s is written as %q and read as %s, %v", text, a.String(), again, err)
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("gpt-4o-*", "gpt-4o-2024")
	f.Add("*a*b*c*#", "aXbXc1")
	f.Add("**", "")
	f.Add("a*", "a/b")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 20 || len(name) > 20 {
			return
		}
		if got, want := matches(pattern, name), slowly(pattern, name); got != want {
			t.Fatalf("%q stands for %q: %t, want %t", pattern, name, got, want)
		}
	})
}

// slowly is matches by its definition.
func slowly(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	if pattern[0] == '*' {
		return slowly(pattern[1:], name) || name != "" && name[0] != '/' && slowly(pattern, name[1:])
	}
	return name != "" && (pattern[0] == name[0] || pattern[0] == '#' && name[0] >= '0' && name[0] <= '9') && slowly(pattern[1:], name[1:])
}

func TestAmountsAreWrittenAsTheyAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount(rapid.Int64Range(0, maxAmount).Draw(t, "amount"))
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var got, quoted Amount
		if err := json.Unmarshal(text, &got); err != nil || got != a {
			t.Fatalf("%s is read as %s, %v", text, got, err)
		}
		if err := json.Unmarshal([]byte(`"`+string(text)+`"`), &quoted); err != nil || quoted != a {
			t.Fatalf("%q is read as %s, %v", text, quoted, err)
		}
	})
}

func TestOnlyNamesOfTheMarketplaceAreFree(t *testing.T) {
	c, err := parse(`[{"vendor":"openrouter","name":"a/b","input":1,"output":1}]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{":free", "/:free", "a/:free", "/b:free", "a/b :free", "a/b\x00:free", strings.Repeat("a", 300) + "/b:free"} {
		if m, ok := c.Model("openrouter", name); ok {
			t.Errorf("%q is found as %+v", name, m)
		}
	}
}

func FuzzLists(f *testing.F) {
	f.Add(`[{"id":"openai","models":[{"id":"gpt-9","match":{"or":[{"equals":"gpt-9"},{"regex":"^gpt-9\\.5-\\d{8}$"}]},"context_window":5,"prices":{"input_mtok":1,"output_mtok":{"base":2,"tiers":[{"start":5,"price":3}]}}}]}]`,
		`{"gpt-8":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1.5e-07,"output_cost_per_token":1e-6,"input_cost_per_token_above_200k_tokens":3e-7}}`,
		`{"data":[{"id":"a/b","context_length":5,"supported_parameters":["tools"]}]}`)
	f.Add(`[{"id":"google","models":[{"id":"g-image","match":{"regex":""},"prices":[{"prices":{}},{"constraint":{"start_date":"2026-01-01"},"prices":{"input_mtok":1}}]}]}]`, `{}`, ``)
	f.Fuzz(func(t *testing.T, first, second, third string) {
		table, err := Generate([]byte(first), []byte(second), []byte(third))
		if err != nil {
			return
		}
		if entries, err := Parse(table); err != nil {
			t.Fatalf("%s: what is made is not read: %v", table, err)
		} else if _, err := build(entries, noon); err != nil {
			t.Fatalf("%s: what is made is wrong: %v", table, err)
		}
	})
}

func TestExpressionsThatArePlain(t *testing.T) {
	tests := map[string]struct {
		expression, want string
		ok               bool
	}{
		"digits by number":  {`^google/gemini-3\.5-flash-\d{8}$`, "google/gemini-3.5-flash-########", true},
		"a digit, then any": {`^gemini-3\.5-flash-\d`, "gemini-3.5-flash-#*", true},
		"anywhere":          {`gpt-9`, "*gpt-9*", true},
		"a choice":          {`^gpt-(4|5)$`, "", false},
		"a class":           {`^o[134]`, "", false},
		"anything":          {`^gpt.*$`, "", false},
		"a word":            {`^gpt-\w$`, "", false},
		"more digits":       {`^gpt-\d+$`, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := plain(tt.expression); ok != tt.ok || ok && got != tt.want {
				t.Errorf("%s is %q, %t; want %q, %t", tt.expression, got, ok, tt.want, tt.ok)
			}
		})
	}
}
