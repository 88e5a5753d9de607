package gateway_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

// alias makes an alias; each target is provider/model.
func alias(name string, mode routing.AliasMode, targets ...string) routing.Alias {
	a := routing.Alias{Name: name, Mode: mode}
	for _, t := range targets {
		provider, model, _ := strings.Cut(t, "/")
		a.Targets = append(a.Targets, routing.AliasTarget{Target: routing.Target{Provider: provider, Model: model}, Weight: 1})
	}
	return a
}

// fast is an alias of two targets, neither of which is what would be chosen without it.
var fast = alias("fast", routing.Ordered, "gemini/gemini-2.5-flash", "claude/claude-haiku-4-5")

func (w *world) aliased(aliases ...routing.Alias) {
	w.t.Helper()
	for _, a := range aliases {
		w.change(func(p *routing.Policy) error { return p.SetAlias(a) })
	}
}

func TestAnAliasGoesToItsTargetsInOrder(t *testing.T) {
	tests := map[string]struct {
		first chat.Class // of gemini, the first target
		tried []string
	}{
		"the first answers":         {"", []string{"gemini ok"}},
		"the first fails":           {chat.ClassServer, []string{"gemini server_error", "claude ok"}},
		"no such model":             {chat.ClassNoModel, []string{"gemini bad_response", "claude ok"}},
		"too large":                 {chat.ClassTooLarge, []string{"gemini bad_response", "claude ok"}},
		"too long":                  {chat.ClassTooLong, []string{"gemini bad_response", "claude ok"}},
		"a refused credential":      {chat.ClassAuth, []string{"gemini auth_error", "claude ok"}},
		"a field it cannot honour":  {chat.ClassUnsupport, []string{"claude ok"}},
		"the caller's own mistake ": {chat.ClassInvalid, []string{"gemini bad_response"}},
	}
	for name, tt := range tests {
		for _, how := range []string{"whole", "stream"} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, options{}, func(t *testing.T, w *world) {
					w.aliased(fast)
					if tt.first != "" {
						w.plays("gemini", failed(tt.first))
					}
					got := ways(w)[how](t.Context(), request("fast"))
					if (got.err != nil) != (tt.first == chat.ClassInvalid) {
						t.Fatal(got.err)
					}
					wantTried(t, got.receipt, tt.tried...)
					if row := w.row(); row.RequestedModel != "fast" {
						t.Errorf("the row says that %q was asked for, want the alias", row.RequestedModel)
					}
				})
			})
		}
	}
}

func TestAnAliasStandsBeforeEveryModelOfItsName(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.aliased(alias("gpt-4o", routing.Ordered, "claude/claude-haiku-4-5"))
		a, err := w.Execute(t.Context(), request("gpt-4o"))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "claude ok")
		if a, err = w.Execute(t.Context(), request("openai/gpt-4o")); err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openai ok")
	})
}

func TestAnAliasWithATaskAndTheTasksRoute(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.aliased(fast)
		w.change(func(p *routing.Policy) error {
			return change.Route(p, routing.Review, routing.Target{Provider: "openai", Model: "gpt-4o"})
		})
		call := request("fast")
		call.TaskType = "review"
		a, err := w.Execute(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "gemini ok")
		if a.Receipt.Task != routing.Review {
			t.Errorf("task %s, want review", a.Receipt.Task)
		}
	})
}

func TestAWeightedAliasGoesWhereTheDrawSays(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		both := alias("mix", routing.Weighted, "gemini/gemini-2.5-flash", "claude/claude-haiku-4-5", "openai/gpt-4o")
		both.Targets[0].Weight, both.Targets[1].Weight, both.Targets[2].Weight = 3, 1, 0
		w.aliased(both)
		w.dice = rand.New(rand.NewPCG(1, 2))
		const calls = 4000
		first := map[string]int{}
		for range calls {
			d, err := w.Explain(t.Context(), request("mix"))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Candidates) != 3 || d.Candidates[2].Provider != "openai" {
				t.Fatalf("candidates %+v, want all three, that of no weight last", d.Candidates)
			}
			first[d.Candidates[0].Provider]++
		}
		if n := first["gemini"]; n < calls*70/100 || n > calls*80/100 {
			t.Errorf("gemini came first in %d of %d calls, want about three of four", n, calls)
		}
	})
}

func TestAnAliasThatCannotServe(t *testing.T) {
	rest := func(w *world, names ...string) {
		for _, name := range names {
			w.circuits.Rest(outbound.Circuit{Provider: name, Model: defaults[name], Credential: name + "-1"}, now().Add(time.Minute))
		}
	}
	tests := map[string]struct {
		connections func(map[string]*outbound.Connection)
		policy      func(*routing.Policy) error
		before      func(*world)
		call        func(*inbound.Call)
		kind        fault.Kind
		code        string
	}{
		"all targets are disabled": {
			policy: func(p *routing.Policy) error {
				if err := change.Disable(p, "gemini"); err != nil {
					return err
				}
				return change.Disable(p, "claude")
			},
			kind: fault.Forbidden, code: "provider_disabled",
		},
		"another provider is forced": {
			policy: func(p *routing.Policy) error { return change.Force(p, "openai") }, kind: fault.Forbidden, code: "provider_disabled",
		},
		"the policy allows none": {
			policy: func(p *routing.Policy) error { return change.Allow(p, "gpt-4o") }, kind: fault.Forbidden, code: "provider_disabled",
		},
		"one is disabled, the other has no key": {
			connections: func(c map[string]*outbound.Connection) { c["claude"].Credentials = nil },
			policy:      func(p *routing.Policy) error { return change.Disable(p, "gemini") },
			kind:        fault.Unavailable, code: "no_provider_available",
		},
		"all are rate limited": {
			before: func(w *world) { rest(w, "gemini", "claude") }, kind: fault.Exhausted, code: "providers_rate_limited",
		},
		"none can do it": {
			call: func(c *inbound.Call) { c.TextBytes = 30_000_000 }, kind: fault.Invalid, code: "unsupported_by_provider",
		},
		"one is forced and rests": {
			policy: func(p *routing.Policy) error { return change.Force(p, "gemini") },
			before: func(w *world) { rest(w, "gemini") }, kind: fault.Unavailable, code: "no_provider_available",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{connections: tt.connections}, func(t *testing.T, w *world) {
				w.aliased(fast)
				if tt.policy != nil {
					w.change(tt.policy)
				}
				if tt.before != nil {
					tt.before(w)
				}
				call := request("fast")
				if tt.call != nil {
					tt.call(&call)
				}
				_, err := w.Execute(t.Context(), call)
				f := wantFault(t, err, tt.kind, tt.code)
				if strings.Contains(f.Msg, "openrouter") {
					t.Errorf("text %q speaks of a provider that is no target", f.Msg)
				}
				if len(w.asked()) > 0 {
					t.Errorf("asked %v", w.asked())
				}
			})
		})
	}
}

func TestAliasesAreListedWhileTheyCanServe(t *testing.T) {
	o := options{connections: func(c map[string]*outbound.Connection) { c["openai"].Credentials = nil }}
	in(t, o, func(t *testing.T, w *world) {
		w.aliased(fast, alias("no-key", routing.Ordered, "openai/gpt-4o"), alias("away", routing.Ordered, "claude/claude-haiku-4-5"))
		w.circuits.Rest(outbound.Circuit{Provider: "claude", Model: "claude-haiku-4-5", Credential: "claude-1"}, now().Add(time.Minute))
		list := func() []string {
			names, err := w.Aliases(t.Context(), inbound.Caller{TenantID: "t1"})
			if err != nil {
				t.Fatal(err)
			}
			return names
		}
		if got, want := list(), []string{"away", "fast"}; !slices.Equal(got, want) {
			t.Errorf("aliases %q, want %q: those that can serve, be it in a moment", got, want)
		}
		w.change(func(p *routing.Policy) error { return change.Force(p, "gemini") })
		if got, want := list(), []string{"fast"}; !slices.Equal(got, want) {
			t.Errorf("aliases %q while gemini is forced, want %q", got, want)
		}
	})
}

func TestAnAliasKeepsWorkingWhileKeysFail(t *testing.T) {
	keys := func(ids ...string) (list []outbound.Credential) {
		for _, id := range ids {
			list = append(list, outbound.Credential{ID: id})
		}
		return list
	}
	tests := map[string]struct {
		gemini, claude []outbound.Credential
		targets        []string
		revoked        string
		throttled      string
	}{
		"three keys of one provider": {
			keys("a", "b", "c"), keys("d"), []string{"gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro"}, "a", "b",
		},
		"three keys of two providers": {
			keys("a", "b"), keys("c"), []string{"gemini/gemini-2.5-flash", "claude/claude-haiku-4-5"}, "a", "b",
		},
		"one good key with each": {
			keys("a", "b"), keys("c"), []string{"gemini/gemini-2.5-flash", "claude/claude-haiku-4-5"}, "a", "c",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := options{connections: func(c map[string]*outbound.Connection) {
				c["gemini"].Credentials, c["claude"].Credentials = tt.gemini, tt.claude
			}}
			in(t, o, func(t *testing.T, w *world) {
				for _, v := range w.vendors {
					v.judge = func(to outbound.Target) error {
						switch to.Credential {
						case tt.revoked:
							return chat.Fail(chat.ClassAuth, nil)
						case tt.throttled:
							return &chat.Failure{Class: chat.ClassRateLimited, RetryAfter: 30 * time.Second}
						}
						return nil
					}
				}
				w.aliased(alias("fast", routing.Ordered, tt.targets...))
				began := now()
				for range 20 {
					for _, how := range []string{"whole", "stream"} {
						if got := ways(w)[how](t.Context(), request("fast")); got.err != nil {
							t.Fatalf("%s: %v, attempts %q", how, got.err, tried(got.receipt))
						}
					}
					time.Sleep(5 * time.Second)
				}
				if took := now().Sub(began); took > 20*5*time.Second+time.Second {
					t.Errorf("calls waited %v, want nobody to wait while a key works", took-100*time.Second)
				}
				asked := map[string]int{}
				for _, v := range w.vendors {
					for _, to := range v.asked {
						asked[to.Credential]++
					}
				}
				if asked[tt.revoked] > 2 || asked[tt.throttled] > 4 {
					t.Errorf("asked %v in 100 seconds, want the revoked key once a minute and the throttled one once in 30 seconds", asked)
				}
			})
		})
	}
}
