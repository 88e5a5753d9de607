package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/change"
)

func TestFailover(t *testing.T) {
	refused := &chat.Failure{Class: chat.ClassInvalid, Message: "temperature is too high", Code: "bad_temperature", Param: "temperature"}
	tests := map[string]struct {
		model  string
		first  []reply // of openrouter, which is ranked first
		others map[string][]reply
		tried  []string
		kind   fault.Kind
		code   string // "": it succeeds
		spent  bool
	}{
		"the first answers":          {tried: []string{"openrouter ok"}},
		"connect error":              {first: []reply{failed(chat.ClassConnect)}, tried: []string{"openrouter connect_error", "openai ok"}},
		"a timeout of the vendor":    {first: []reply{failed(chat.ClassTimeout)}, tried: []string{"openrouter timeout", "openai ok"}},
		"a server error":             {first: []reply{failed(chat.ClassServer)}, tried: []string{"openrouter server_error", "openai ok"}},
		"overloaded":                 {first: []reply{failed(chat.ClassOverloaded)}, tried: []string{"openrouter overloaded", "openai ok"}},
		"no answer in the answer":    {first: []reply{failed(chat.ClassBadResponse)}, tried: []string{"openrouter bad_response", "openai ok"}},
		"cut off":                    {first: []reply{failed(chat.ClassCutOff)}, tried: []string{"openrouter bad_response", "openai ok"}},
		"rate limited":               {first: []reply{limited(9 * time.Second)}, tried: []string{"openrouter rate_limited", "openai ok"}},
		"an exhausted quota":         {first: []reply{failed(chat.ClassQuota)}, tried: []string{"openrouter rate_limited", "openai ok"}},
		"refused credentials":        {first: []reply{failed(chat.ClassAuth)}, tried: []string{"openrouter auth_error", "openai ok"}},
		"an error nobody classified": {first: []reply{{err: errors.New("boom")}}, tried: []string{"openrouter server_error", "openai ok"}},
		"a panic":                    {first: []reply{{panics: true}}, tried: []string{"openrouter server_error", "openai ok"}},
		"no such model, routed":      {first: []reply{failed(chat.ClassNoModel)}, tried: []string{"openrouter bad_response", "openai ok"}},
		"too large, routed":          {first: []reply{failed(chat.ClassTooLarge)}, tried: []string{"openrouter bad_response", "openai ok"}},
		"too long, routed":           {first: []reply{failed(chat.ClassTooLong)}, tried: []string{"openrouter bad_response", "openai ok"}},
		"a field that cannot be honoured, found before the call": {
			first: []reply{failed(chat.ClassUnsupport)}, tried: []string{"openai ok"},
		},
		"the caller's own mistake ends the call": {
			first: []reply{{err: refused}}, tried: []string{"openrouter bad_response"}, kind: fault.Malformed, code: "bad_temperature",
		},
		"a pin whose model is unknown to the vendor": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassNoModel)}, tried: []string{"openrouter bad_response"}, kind: fault.NotFound, code: "model_not_found",
		},
		"a pin that is too large": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassTooLarge)}, tried: []string{"openrouter bad_response"}, kind: fault.TooLarge, code: "too_large",
		},
		"a pin that is too long": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassTooLong)}, tried: []string{"openrouter bad_response"},
			kind: fault.Malformed, code: "context_length_exceeded",
		},
		"a pin that cannot honour a field": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassUnsupport)}, kind: fault.Invalid, code: "unsupported_by_provider",
		},
		"a pin is tried again": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassServer)}, tried: []string{"openrouter server_error", "openrouter ok"},
		},
		"a pin is tried until the attempts are used up": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassServer), failed(chat.ClassServer), failed(chat.ClassOverloaded)},
			tried: []string{"openrouter server_error", "openrouter server_error", "openrouter overloaded"},
			kind:  fault.Upstream, code: "provider_error", spent: true,
		},
		"a pin with refused credentials": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassAuth)}, tried: []string{"openrouter auth_error"}, kind: fault.Upstream, code: "provider_error",
		},
		"a pin with an exhausted quota is asked once": {
			model: "openrouter/x/y", first: []reply{failed(chat.ClassQuota)}, tried: []string{"openrouter rate_limited"},
			kind: fault.Exhausted, code: "providers_rate_limited",
		},
		"the attempts are used up": {
			first: []reply{failed(chat.ClassServer)}, others: map[string][]reply{"openai": {failed(chat.ClassServer)}, "claude": {failed(chat.ClassServer)}},
			tried: []string{"openrouter server_error", "openai server_error", "claude server_error"}, kind: fault.Upstream, code: "provider_error", spent: true,
		},
		"the last one timed out": {
			first: []reply{failed(chat.ClassServer)}, others: map[string][]reply{"openai": {failed(chat.ClassServer)}, "claude": {failed(chat.ClassTimeout)}},
			tried: []string{"openrouter server_error", "openai server_error", "claude timeout"}, kind: fault.Timeout, code: "provider_timeout", spent: true,
		},
		"all are rate limited": {
			first: []reply{limited(9 * time.Second)}, others: map[string][]reply{"openai": {limited(7 * time.Second)}, "claude": {failed(chat.ClassQuota)}},
			tried: []string{"openrouter rate_limited", "openai rate_limited", "claude rate_limited"}, kind: fault.Exhausted, code: "providers_rate_limited", spent: true,
		},
		"some are rate limited": {
			first: []reply{limited(9 * time.Second)}, others: map[string][]reply{"openai": {failed(chat.ClassServer)}, "claude": {limited(9 * time.Second)}},
			tried: []string{"openrouter rate_limited", "openai server_error", "claude rate_limited"}, kind: fault.Upstream, code: "provider_error", spent: true,
		},
	}
	for name, tt := range tests {
		for _, how := range []string{"whole", "stream"} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, options{}, func(t *testing.T, w *world) {
					w.plays("openrouter", tt.first...)
					for provider, script := range tt.others {
						w.plays(provider, script...)
					}
					got := ways(w)[how](t.Context(), request(tt.model))
					wantTried(t, got.receipt, tt.tried...)
					if tt.code != "" {
						wantFault(t, got.err, tt.kind, tt.code)
					} else if got.err != nil {
						t.Fatal(got.err)
					}
					if got.receipt.Exhausted != tt.spent {
						t.Errorf("attempt budget spent: %t, want %t", got.receipt.Exhausted, tt.spent)
					}
					row := w.row()
					want := tt.code
					if want == "" {
						want = "ok"
					}
					if row.Outcome != want || len(row.Attempts) != len(tt.tried) {
						t.Errorf("row with outcome %s and %d attempts, want %s and %d", row.Outcome, len(row.Attempts), want, len(tt.tried))
					}
				})
			})
		}
	}
}

func TestAVendorsRefusalIsPassedOn(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", reply{err: &chat.Failure{Class: chat.ClassInvalid, Message: "no such voice", Code: "bad_voice", Param: "audio.voice"}})
		_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		f := wantFault(t, err, fault.Malformed, "bad_voice")
		if f.Msg != "no such voice" || f.Param != "audio.voice" {
			t.Errorf("text %q, param %q, want the vendor's", f.Msg, f.Param)
		}
	})
}

func TestOtherFailuresAreToldInOurOwnWords(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		secretive := &chat.Failure{Class: chat.ClassAuth, Message: "key sk-123 of org-9 is wrong", Code: "invalid_api_key", Err: errors.New("status 401")}
		w.plays("openai", reply{err: secretive})
		_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		f := wantFault(t, err, fault.Upstream, "provider_error")
		if strings.Contains(f.Msg, "sk-123") || !strings.Contains(f.Msg, "openai") {
			t.Errorf("text %q, want it to name the provider and nothing of the vendor's words", f.Msg)
		}
		if !errors.Is(err, secretive) {
			t.Errorf("%v does not carry its cause for the log", err)
		}
	})
}

func TestTheSameIsTriedAgainAfterABackoff(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", failed(chat.ClassServer), failed(chat.ClassServer))
		began := now()
		a, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openai server_error", "openai server_error", "openai ok")
		// half of 250 ms, then half of 500 ms
		if took := now().Sub(began).Round(time.Millisecond); took < 370*time.Millisecond || took > 380*time.Millisecond {
			t.Errorf("it took %v, want two backoffs of about 125 and 250 ms", took)
		}
	})
}

func TestABackoffIsAtLeastTheVendorsRetryAfter(t *testing.T) {
	for name, script := range map[string]reply{
		"rate limited": limited(20 * time.Second), "overloaded": {err: &chat.Failure{Class: chat.ClassOverloaded, RetryAfter: 20 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("openai", script)
				began := now()
				a, err := w.Execute(t.Context(), request("gpt-4o-mini"))
				if err != nil || len(a.Receipt.Attempts) != 2 {
					t.Fatalf("attempts %q, error %v, want a second attempt that succeeds", tried(a.Receipt), err)
				}
				if took := now().Sub(began); took < 20*time.Second || took > 21*time.Second {
					t.Errorf("it took %v, want the 20 s that the vendor asked for", took)
				}
			})
		})
	}
}

func TestWhoIsReadyFirstIsTriedFirst(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.change(func(p *routing.Policy) error {
			return errors.Join(change.Disable(p, "claude"), change.Disable(p, "gemini"), change.Limit(p, 4, 0))
		})
		w.plays("openrouter", reply{err: &chat.Failure{Class: chat.ClassOverloaded, RetryAfter: 20 * time.Second}})
		w.plays("openai", failed(chat.ClassOverloaded), failed(chat.ClassOverloaded))
		began := now()
		a, err := w.Execute(t.Context(), request(""))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openrouter overloaded", "openai overloaded", "openai overloaded", "openai ok")
		if took := now().Sub(began); took > time.Second {
			t.Errorf("it took %v, want nobody to wait for the one that is not ready", took)
		}
	})
}

func TestARateLimitWithoutATimeRestsOneSecond(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", limited(0))
		began := now()
		if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
			t.Fatal(err)
		}
		if took := now().Sub(began); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("it took %v, want a second", took)
		}
	})
}

func TestNobodyWaitsBeyondTheDeadline(t *testing.T) {
	in(t, options{settings: gateway.Settings{RequestTimeout: 10 * time.Second}}, func(t *testing.T, w *world) {
		w.plays("openai", limited(11*time.Second))
		began := now()
		a, err := w.Execute(t.Context(), request("gpt-4o-mini"))
		f := wantFault(t, err, fault.Exhausted, "providers_rate_limited")
		if f.RetryAfter < 10*time.Second || f.RetryAfter > 11*time.Second || a.Receipt.Exhausted {
			t.Errorf("retry after %v, budget spent %t; want what the vendor said, and not spent", f.RetryAfter, a.Receipt.Exhausted)
		}
		if took := now().Sub(began); took > time.Second {
			t.Errorf("it took %v, want it to fail now", took)
		}
	})
}

func TestOneDeadlineForAllAttempts(t *testing.T) {
	tests := map[string]struct {
		settings gateway.Settings
		deadline time.Duration // of the policy
		want     time.Duration
	}{
		"the installation's": {gateway.Settings{RequestTimeout: 10 * time.Second}, 0, 10 * time.Second},
		"the policy's":       {gateway.Settings{}, 3 * time.Second, 3 * time.Second},
		"the default":        {gateway.Settings{}, 0, 120 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{settings: tt.settings}, func(t *testing.T, w *world) {
				w.change(func(p *routing.Policy) error { return change.Limit(p, 3, tt.deadline) })
				w.plays("openrouter", reply{after: tt.want * 2 / 3, err: chat.Fail(chat.ClassServer, nil)})
				w.plays("openai", reply{after: tt.want})
				began := now()
				a, err := w.Execute(t.Context(), request(""))
				wantFault(t, err, fault.Timeout, "provider_timeout")
				wantTried(t, a.Receipt, "openrouter server_error", "openai timeout")
				if took := now().Sub(began); took < tt.want || took > tt.want+time.Millisecond {
					t.Errorf("it took %v, want the deadline of %v", took, tt.want)
				}
			})
		})
	}
}

func TestWhoRanOutOfTimeIsBlamedOnlyIfItHadTime(t *testing.T) {
	tests := map[string]struct {
		deadline time.Duration // of the policy
		calls    int
		want     outbound.CircuitState
	}{
		"a tenant's short deadline opens no breaker":   {time.Millisecond, 5, outbound.Closed},
		"a vendor that hangs through the whole time":   {0, 3, outbound.Open},
		"a vendor that hangs, but not often enough":    {0, 2, outbound.Closed},
		"a deadline of nearly the installation's time": {119 * time.Second, 3, outbound.Open},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.change(func(p *routing.Policy) error { return change.Limit(p, 1, tt.deadline) })
				for range tt.calls {
					w.plays("openai", reply{after: time.Hour})
					_, err := w.Execute(t.Context(), request("gpt-4o-mini"))
					wantFault(t, err, fault.Timeout, "provider_timeout")
				}
				got := w.circuits.View(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"}).State
				if got != tt.want {
					t.Errorf("breaker in state %d, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestTheClientLeaves(t *testing.T) {
	tests := map[string]struct {
		script []reply
		tried  []string
	}{
		"while a vendor is asked":  {[]reply{{after: time.Hour}}, []string{"openai canceled"}},
		"while the gateway waits":  {[]reply{limited(30 * time.Second)}, []string{"openai rate_limited"}},
		"and the vendor fails too": {[]reply{{after: 2 * time.Second, err: chat.Fail(chat.ClassServer, nil)}}, []string{"openai canceled"}},
	}
	for name, tt := range tests {
		for _, how := range []string{"whole", "stream"} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, options{}, func(t *testing.T, w *world) {
					w.plays("openai", tt.script...)
					ctx, leave := context.WithCancel(t.Context())
					time.AfterFunc(time.Second, leave)
					began := now()
					got := ways(w)[how](ctx, request("gpt-4o-mini"))
					wantFault(t, got.err, fault.Canceled, "canceled")
					wantTried(t, got.receipt, tt.tried...)
					if took := now().Sub(began); took > time.Second+time.Millisecond {
						t.Errorf("it took %v, want it to end when the client left", took)
					}
					if row := w.row(); row.Outcome != "canceled" {
						t.Errorf("outcome %s, want canceled", row.Outcome)
					}
				})
			})
		}
	}
}
