package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

// pool gives openai credentials of these names.
func pool(ids ...string) options {
	return options{connections: func(c map[string]*outbound.Connection) {
		c["openai"].Credentials = nil
		for _, id := range ids {
			c["openai"].Credentials = append(c["openai"].Credentials, outbound.Credential{ID: id})
		}
	}}
}

// used counts how often each credential of openai was asked.
func used(w *world) map[string]int {
	v, n := w.vendors["openai"], map[string]int{}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, to := range v.asked {
		n[to.Credential]++
	}
	return n
}

func TestTheLeastLoadedCredentialIsAsked(t *testing.T) {
	in(t, pool("a", "b", "c"), func(t *testing.T, w *world) {
		w.plays("openai", reply{after: time.Hour}, reply{after: time.Hour})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { _, _ = w.Execute(t.Context(), request("gpt-4o-mini")) })
			time.Sleep(time.Millisecond)
		}
		busy := used(w)
		for range 5 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		if len(busy) != 2 || slices.Contains([]int{busy["a"], busy["b"], busy["c"]}, 2) {
			t.Errorf("two calls at once went to %v, want two credentials", busy)
		}
		for id, n := range used(w) {
			if busy[id] == 0 && n != 5 || busy[id] == 1 && n != 1 {
				t.Errorf("asked %v, while %v were busy; want the idle one five times", used(w), busy)
			}
		}
		all.Wait()
	})
}

func TestAStreamLoadsItsCredentialToItsEnd(t *testing.T) {
	in(t, pool("a", "b"), func(t *testing.T, w *world) {
		s, err := w.Stream(t.Context(), request("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		first := w.vendors["openai"].asked[0].Credential
		for range 3 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		if n := used(w)[first]; n != 1 {
			t.Errorf("the streaming credential was asked %d times, want once", n)
		}
		collect(s)
		for range 2 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		if n := used(w)[first]; n != 2 {
			t.Errorf("after its end it was asked %d times, want twice: they take turns", n)
		}
	})
}

func TestARefusedCredentialRestsForEveryModel(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", failed(chat.ClassAuth))
		_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		wantFault(t, err, fault.Upstream, "provider_error")
		if log := w.log.String(); strings.Count(log, "refused a credential") != 1 || !strings.Contains(log, "credential=openai-1") {
			t.Errorf("logged %q, want an alert that names the credential", log)
		}
		a, err := w.Execute(t.Context(), request("gpt-4o"))
		f := wantFault(t, err, fault.Unavailable, "no_provider_available")
		if !strings.Contains(f.Msg, "openai rate_limited (credential refused) until") {
			t.Errorf("text %q, want it to say that the credential was refused", f.Msg)
		}
		for _, x := range a.Receipt.Decision.Excluded {
			if x.Provider == "openai" && (x.Reason != routing.RateLimited || x.Detail != routing.CredentialRefused) {
				t.Errorf("excluded %+v, want the credential refused", x)
			}
		}
		if n := w.vendors["openai"].calls(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
		time.Sleep(cooldown)
		if _, err = w.Execute(t.Context(), request("gpt-4o")); err != nil {
			t.Errorf("after the cooldown: %v", err)
		}
	})
}

func TestManyThatFindACredentialRefusedAtOnceSaySoOnce(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		late := reply{after: time.Second, err: chat.Fail(chat.ClassAuth, nil)}
		w.plays("openai", late, late, late)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { _, _ = w.Execute(t.Context(), request("gpt-4o-mini")) })
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		if n := strings.Count(w.log.String(), "refused a credential"); n != 1 || w.vendors["openai"].calls() != 3 {
			t.Errorf("%d alerts of %d refusals, want one", n, w.vendors["openai"].calls())
		}
	})
}

func TestARateLimitedCredentialRestsForItsModelAlone(t *testing.T) {
	for name, class := range map[string]chat.Class{"rate limited": chat.ClassRateLimited, "exhausted": chat.ClassQuota} {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("openai", reply{err: &chat.Failure{Class: class, RetryAfter: 200 * time.Second}})
				w.change(func(p *routing.Policy) error { return change.Limit(p, 1, 0) })
				for range 2 {
					_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
					wantFault(t, err, fault.Exhausted, "providers_rate_limited")
				}
				if _, err := w.Execute(t.Context(), request("gpt-4o")); err != nil {
					t.Errorf("another model: %v", err)
				}
				if n := w.vendors["openai"].calls(); n != 2 {
					t.Errorf("asked %d times, want once each", n)
				}
			})
		})
	}
}

func TestOneCredentialRefusedAndOneThrottledIsStillARateLimit(t *testing.T) {
	in(t, pool("a", "b"), func(t *testing.T, w *world) {
		w.vendors["openai"].judge = func(to outbound.Target) error {
			if to.Credential == "a" {
				return chat.Fail(chat.ClassAuth, nil)
			}
			return &chat.Failure{Class: chat.ClassRateLimited, RetryAfter: 200 * time.Second}
		}
		for range 2 { // while it is found out, and once it is known
			_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
			f := wantFault(t, err, fault.Exhausted, "providers_rate_limited")
			if f.RetryAfter != cooldown {
				t.Errorf("retry after %v, want the end of the first rest, in %v", f.RetryAfter, cooldown)
			}
		}
	})
}

func TestTheLastAttemptIsMadeElsewhere(t *testing.T) {
	o := pool("a", "b", "c")
	tests := map[string]struct {
		model string
		tried []string
		ok    bool
	}{
		"when another provider is left": {"", []string{"openai auth_error", "openai auth_error", "openrouter ok"}, true},
		"not when there is none":        {"gpt-4o-mini", []string{"openai auth_error", "openai auth_error", "openai auth_error"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, o, func(t *testing.T, w *world) {
				w.change(func(p *routing.Policy) error {
					return change.Weights(p, routing.Weights{Cost: 0, Latency: 0, SLOPenalty: 0})
				})
				w.change(func(p *routing.Policy) error { return change.Order(p, "openai", "openrouter") })
				w.vendors["openai"].judge = func(outbound.Target) error { return chat.Fail(chat.ClassAuth, nil) }
				a, err := w.Execute(t.Context(), request(tt.model))
				if (err == nil) != tt.ok {
					t.Errorf("error %v", err)
				}
				wantTried(t, a.Receipt, tt.tried...)
				if !tt.ok {
					wantFault(t, err, fault.Upstream, "provider_error")
				}
			})
		})
	}
}

func TestTheLastAttemptComesBackWhenItCannotBeMadeElsewhere(t *testing.T) {
	in(t, pool("a", "b", "c"), func(t *testing.T, w *world) {
		w.aliased(alias("two", routing.Ordered, "openai/gpt-4o-mini", "claude/claude-haiku-4-5"))
		w.plays("openai", failed(chat.ClassAuth), failed(chat.ClassAuth))
		w.plays("claude", failed(chat.ClassUnsupport)) // which is no attempt
		a, err := w.Execute(t.Context(), request("two"))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openai auth_error", "openai auth_error", "openai ok")
	})
}

func TestAnotherModelOfTheProviderIsNotElsewhere(t *testing.T) {
	in(t, pool("a", "b", "c"), func(t *testing.T, w *world) {
		w.aliased(alias("two", routing.Ordered, "openai/gpt-4o-mini", "openai/gpt-4o"))
		w.plays("openai", failed(chat.ClassAuth), failed(chat.ClassRateLimited))
		a, err := w.Execute(t.Context(), request("two"))
		if err != nil || a.Receipt.Model != "gpt-4o-mini" {
			t.Errorf("served by %s, error %v; want the third credential on the first target", a.Receipt.Model, err)
		}
	})
}

func TestACredentialThatIsRefusedMeanwhileIsToldAsThat(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.book.onDecide = func() {
			w.circuits.Rest(outbound.Circuit{Provider: "openai", Credential: "openai-1"}, now().Add(time.Minute))
		}
		_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		if f := wantFault(t, err, fault.Unavailable, "no_provider_available"); !strings.Contains(f.Msg, "credential refused") {
			t.Errorf("text %q", f.Msg)
		}
		if len(w.asked()) > 0 {
			t.Errorf("asked %v", w.asked())
		}
	})
}

func TestNobodyWaitsForARefusedCredential(t *testing.T) {
	in(t, options{settings: gateway.Settings{BreakerCooldown: 5 * time.Second}}, func(t *testing.T, w *world) {
		w.plays("openai", failed(chat.ClassServer))
		w.dice = nil // the backoff is 125 ms
		time.AfterFunc(50*time.Millisecond, func() {
			w.circuits.Rest(outbound.Circuit{Provider: "openai", Credential: "openai-1"}, now().Add(5*time.Second))
		})
		began := now()
		_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		wantFault(t, err, fault.Upstream, "provider_error")
		if took := now().Sub(began); took > time.Second {
			t.Errorf("it took %v, want no wait for a credential that somebody else found refused", took)
		}
	})
}

func TestLargePools(t *testing.T) {
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprint(i))
	}
	in(t, pool(ids...), func(t *testing.T, w *world) {
		for _, id := range ids[:39] {
			w.circuits.Rest(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: id}, now().Add(time.Hour))
		}
		for range 3 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		if got := used(w); got["39"] != 3 {
			t.Errorf("asked %v, want the one that is free", got)
		}
	})
}

func TestAVendorThatSaysNoIsNotAskedAgain(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", reply{err: &chat.Failure{Class: chat.ClassServer, Final: true}})
		a, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		wantFault(t, err, fault.Upstream, "provider_error")
		wantTried(t, a.Receipt, "openai server_error")
		w.plays("openrouter", reply{err: &chat.Failure{Class: chat.ClassServer, Final: true}})
		if a, err = w.Execute(t.Context(), request("")); err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openrouter server_error", "openai ok")
	})
}
