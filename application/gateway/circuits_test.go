package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func TestAnOpenBreakerIsNoAttempt(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		for range threshold {
			w.plays("openrouter", failed(chat.ClassServer))
			if _, err := w.Execute(t.Context(), request("")); err != nil {
				t.Fatal(err)
			}
		}
		a, err := w.Execute(t.Context(), request(""))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openai ok")
		if x := a.Receipt.Decision.Excluded; len(x) != 1 || x[0].Reason != routing.BreakerOpen || x[0].Provider != "openrouter" {
			t.Errorf("excluded %+v, want openrouter by its breaker, at once", x)
		}
		if got := w.meter.lines["breaker openrouter openai/gpt-4o-mini 1"]; got != 1 {
			t.Errorf("the meter was told %d times that the breaker opened, want once: %v", got, w.meter.lines)
		}
		time.Sleep(cooldown + time.Millisecond)
		if a, err = w.Execute(t.Context(), request("")); err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openrouter ok")
	})
}

func TestOneProbeAtATime(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error { return change.Limit(p, 1, 0) })
		for range threshold {
			w.plays("openai", failed(chat.ClassServer))
			_, _ = w.Execute(t.Context(), request("gpt-4o-mini"))
		}
		time.Sleep(cooldown + time.Millisecond)
		w.plays("openai", reply{after: time.Second})
		probe := make(chan error)
		go func() {
			_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
			probe <- err
		}()
		time.Sleep(time.Millisecond)
		_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		f := wantFault(t, err, fault.Unavailable, "no_provider_available")
		if !strings.Contains(f.Msg, "openai breaker_open") {
			t.Errorf("text %q, want it to say why", f.Msg)
		}
		if err := <-probe; err != nil {
			t.Errorf("the probe failed: %v", err)
		}
	})
}

func TestABreakerWaitsForTheEndOfTheStream(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error { return change.Limit(p, 1, 0) })
		for range threshold {
			w.plays("openai", pieces(text("x"), breaks(chat.ClassCutOff)))
			if got := w.streamed(t.Context(), request("gpt-4o-mini")); got.text != "x" {
				t.Fatalf("text %q, error %v", got.text, got.err)
			}
		}
		_, err := w.Stream(t.Context(), request("gpt-4o-mini"))
		wantFault(t, err, fault.Unavailable, "no_provider_available")
		time.Sleep(cooldown + time.Millisecond)
		probe, err := w.Stream(t.Context(), request("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Stream(t.Context(), request("gpt-4o-mini"))
		wantFault(t, err, fault.Unavailable, "no_provider_available")
		if got := collect(probe); got.err != nil {
			t.Fatal(got.err)
		}
		if got := w.streamed(t.Context(), request("gpt-4o-mini")); got.err != nil {
			t.Errorf("after the probe: %v", got.err)
		}
	})
}

func TestCredentialsArePooled(t *testing.T) {
	pool := options{connections: func(c map[string]*outbound.Connection) {
		c["openai"].Credentials = []outbound.Credential{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	}}
	credentials := func(w *world) (ids []string) {
		for _, to := range w.vendors["openai"].asked {
			ids = append(ids, to.Credential)
		}
		return ids
	}
	t.Run("in turn", func(t *testing.T) {
		in(t, pool, func(t *testing.T, w *world) {
			for range 6 {
				if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
					t.Fatal(err)
				}
			}
			got := credentials(w)
			first := slices.Sorted(slices.Values(got[:3]))
			if !slices.Equal(first, []string{"a", "b", "c"}) || !slices.Equal(got[:3], got[3:]) {
				t.Errorf("credentials %v, want each in turn", got)
			}
		})
	})
	for name, bad := range map[string]reply{
		"refused": failed(chat.ClassAuth), "exhausted": failed(chat.ClassQuota), "rate limited": limited(time.Minute),
	} {
		t.Run("another one at once when one is "+name, func(t *testing.T) {
			in(t, pool, func(t *testing.T, w *world) {
				w.plays("openai", bad, bad)
				began := now()
				a, err := w.Execute(t.Context(), request("gpt-4o-mini"))
				if err != nil || len(a.Receipt.Attempts) != 3 || now().Sub(began) > time.Millisecond {
					t.Fatalf("attempts %q in %v, error %v; want the third credential to serve at once", tried(a.Receipt), now().Sub(began), err)
				}
				good := credentials(w)[2]
				for range 3 {
					if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
						t.Fatal(err)
					}
				}
				for _, id := range credentials(w)[3:] {
					if id != good {
						t.Errorf("credential %s was asked, want only %s while the others rest", id, good)
					}
				}
			})
		})
	}
	t.Run("not when it is the server", func(t *testing.T) {
		in(t, pool, func(t *testing.T, w *world) {
			w.change(func(p *routing.Policy) error { return change.Order(p, "openai") })
			w.plays("openrouter", failed(chat.ClassServer))
			w.plays("openai", failed(chat.ClassServer))
			a, err := w.Execute(t.Context(), request(""))
			if err != nil {
				t.Fatal(err)
			}
			wantTried(t, a.Receipt, "openrouter server_error", "openai server_error", "claude ok")
		})
	})
}

func TestTheTargetOfAnAttempt(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		if _, err := w.Execute(t.Context(), request("claude/claude-opus-4-5")); err != nil {
			t.Fatal(err)
		}
		got := w.vendors["claude"].asked[0]
		if got.Secret.Reveal() != "s-claude" {
			t.Error("the credential's secret did not come")
		}
		if got.Provider != "claude" || got.Model != "claude-opus-4-5" || got.Credential != "claude-1" || got.BaseURL != "http://claude" {
			t.Errorf("target %+v", got)
		}
	})
}

func TestAPoolIsFreeWhenItsFirstCredentialIs(t *testing.T) {
	pool := options{connections: func(c map[string]*outbound.Connection) {
		c["openai"].Credentials = []outbound.Credential{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	}}
	for name, minutes := range map[string][]int{"the first": {1, 2, 3}, "one in the middle": {3, 1, 2}, "the last": {3, 2, 1}} {
		t.Run(name, func(t *testing.T) {
			in(t, pool, func(t *testing.T, w *world) {
				for i, m := range minutes {
					c := outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: string(rune('a' + i))}
					w.circuits.Rest(c, now().Add(time.Duration(m)*time.Minute))
				}
				_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
				f := wantFault(t, err, fault.Exhausted, "providers_rate_limited")
				if f.RetryAfter != time.Minute {
					t.Errorf("retry after %v, want the minute after which one is free", f.RetryAfter)
				}
				time.Sleep(time.Minute)
				if _, err = w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
					t.Errorf("after that: %v", err)
				}
			})
		})
	}
}
