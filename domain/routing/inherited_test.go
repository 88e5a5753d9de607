package routing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

func TestAnAliasOfTheInstallationIsNotTheTenantsToRemove(t *testing.T) {
	d := defaults()
	d.Aliases = []routing.Alias{ordered("fast", to("openai", "m"))}
	p := routing.NewPolicy("t1", d)
	if err := p.RemoveAlias("fast"); !errors.Is(err, routing.ErrNoAlias) || !strings.Contains(err.Error(), "the installation's") {
		t.Errorf("got %v, want ErrNoAlias that says whose it is", err)
	}
	if err := p.RemoveAlias("slow"); !errors.Is(err, routing.ErrNoAlias) || strings.Contains(err.Error(), "the installation's") {
		t.Errorf("got %v, want ErrNoAlias", err)
	}
}

// TestAListFullOfMistakesNamesSome has a thousand names that are none, and routes of strangers.
func TestAListFullOfMistakesNamesSome(t *testing.T) {
	p := policy()
	terms := p.Terms()
	terms.Routes = map[routing.TaskType][]routing.Target{}
	for range routing.MaxAllowed {
		terms.AllowedModels = append(terms.AllowedModels, "\n")
	}
	for _, task := range routing.TaskTypes() {
		for range routing.MaxRoutes {
			terms.Routes[task] = append(terms.Routes[task], to("stranger", "m"))
		}
	}
	f, ok := errors.AsType[*fault.Error](p.Revise(1, terms))
	if !ok || len(f.Fields) != 100 {
		t.Errorf("got %v, want a hundred mistakes named", f)
	}
}
