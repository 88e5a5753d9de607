package matrix_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

// TestACodingAgentsLoop runs an agent of twenty turns, streamed and thinking, whose vendor refuses every call without its result, every id that is not
// its own kind's, and every thought that was changed or lost.
func TestACodingAgentsLoop(t *testing.T) {
	f := newForge(t)
	for _, v := range vendors {
		for _, s := range surfaces.All {
			t.Run(s.Name+" at "+v.name, func(t *testing.T) {
				c := &cell{surface: s, vendor: v, forge: f, ask: surfaces.Ask{
					Model: v.provider + "/" + v.thinker, Stream: true, System: "You write code.", Text: "[sim:agent=20]", Tools: true, Thinking: true,
				}}
				status, r := c.send(t)
				toTheEnd(20)(t, c, status, r)
			})
		}
	}
}

// TestAConversationThatMovesToAnotherVendor begins at one vendor, which fails in the third turn, and goes on at another: no call loses its result. When the
// first is back, the conversation returns, with what the other said.
func TestAConversationThatMovesToAnotherVendor(t *testing.T) {
	f := harness.New(t, harness.Options{Env: map[string]string{"CIRCUIT_BREAKER_THRESHOLD": "1000", "CONFIG_FILE": aliases(t)}})
	for _, from := range movers {
		for _, to := range movers {
			if from.name == to.name {
				continue
			}
			alias := aliasOf(from, to)
			for _, s := range surfaces.All {
				for _, streamed := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s %s, streamed %t", s.Name, alias, streamed), func(t *testing.T) {
						moves(t, f, s, alias, from, to, streamed)
					})
				}
			}
		}
	}
}

// movers are the vendors, and OpenAI's models at another vendor, whose encrypted thoughts are of another account.
var movers = append(slices.Clone(vendors), vendor{"openrouter", "openrouter", "openai/gpt-4o-mini", "openai/gpt-5-mini"})

func aliasOf(from, to vendor) string {
	name := func(v vendor) string {
		maker, _, _ := strings.Cut(v.thinker, "/")
		return v.name + "." + strings.TrimRight(maker, "0123456789.-")
	}
	return name(from) + "-to-" + name(to)
}

func moves(t *testing.T, f *harness.Forge, s surfaces.Surface, alias string, from, to vendor, streamed bool) {
	ask := surfaces.Ask{Model: alias, Stream: streamed, Text: "[sim:agent=6]", Tools: true, Thinking: true}
	var results []string
	for turn := 1; ; turn++ {
		broken := turn == 3 || turn == 4
		f.Behave(t, from.name, map[bool]string{true: `{"fail_rate":1,"fail_status":503}`, false: `{}`}[broken])
		a := f.Do(t, http.MethodPost, s.Path, s.Body(ask))
		want := from
		if broken {
			want = to
		}
		if got := a.Header.Get("X-Forge-Provider"); a.Status != http.StatusOK || got != want.provider {
			t.Fatalf("turn %d: got %d of %s, want an answer of %s: %s", turn, a.Status, got, want.provider, a.Body)
		}
		r := s.Read(t, a.Body)
		if len(r.Calls) == 0 {
			if proof := simulator.Proof(results...); turn != 7 || r.Text != proof || r.Error != "" {
				t.Errorf("turn %d ended with %+v, want %q in turn 7", turn, r, proof)
			}
			return
		}
		if turn > 8 {
			t.Fatal("the agent goes on calling")
		}
		ask.Turns = append(ask.Turns, s.Next(surfaces.Parts(t, a.Body), r, func(args string) string {
			results = append(results, fmt.Sprintf("sunny in %s, %d", surfaces.City(args), len(results)))
			return results[len(results)-1]
		})...)
	}
}

// aliases writes a configuration with an alias of every two vendors, in order.
func aliases(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("aliases:\n")
	for _, from := range movers {
		for _, to := range movers {
			if from.name == to.name {
				continue
			}
			fmt.Fprintf(&b, "  %s:\n    targets:\n", aliasOf(from, to))
			for _, v := range []vendor{from, to} {
				fmt.Fprintf(&b, "      - {provider: %s, model: %q}\n", v.provider, v.thinker)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "forge1.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
