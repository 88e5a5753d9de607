package kit_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/test/conformance"
)

var update = flag.Bool("update", false, "write REPORT.md anew")

func TestReport(t *testing.T) {
	vendors := bootstrap.Vendors()
	results := map[string]map[llm.Ability]conformance.Result{}
	for _, v := range vendors {
		t.Run(v.Name, func(t *testing.T) { results[v.Name] = conformance.Scenarios(t, v) })
	}
	seen := render(vendors, results)
	if *update {
		if err := os.WriteFile("REPORT.md", []byte(seen), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if kept, err := os.ReadFile("REPORT.md"); err != nil || string(kept) != seen {
		t.Errorf("REPORT.md is not what was seen (%v); go test ./test/kit -update writes it anew", err)
	}
}

func render(vendors []llm.Vendor, results map[string]map[llm.Ability]conformance.Result) string {
	var b strings.Builder
	b.WriteString("# What each vendor's adapter can do\n\n")
	b.WriteString("Written by the provider kit (`go test ./test/kit -update`). Pass: it was tried and works. Cannot: the vendor has no such thing, for the reason\n")
	b.WriteString("below; whoever asks for it is refused, or told what was dropped.\n")
	var reasons []string
	for _, part := range []struct {
		title     string
		abilities []llm.Ability
	}{{"What can be asked for", llm.RequestAbilities()}, {"What is understood of answers", llm.AnswerAbilities()}} {
		b.WriteString("\n## " + part.title + "\n\n| |")
		for _, v := range vendors {
			b.WriteString(" " + v.Name + " |")
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(vendors)) + "\n")
		for _, a := range part.abilities {
			b.WriteString("| " + string(a) + " |")
			for _, v := range vendors {
				result := string(results[v.Name][a])
				if results[v.Name][a] == conformance.Cannot {
					reason := v.Lacks[a]
					if !slices.Contains(reasons, reason) {
						reasons = append(reasons, reason)
					}
					result = fmt.Sprintf("cannot (%d)", slices.Index(reasons, reason)+1)
				}
				b.WriteString(" " + result + " |")
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
	for i, r := range reasons {
		fmt.Fprintf(&b, "%d. %s\n", i+1, r)
	}
	return b.String()
}
