package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

// How a call can fail. A vendor's refusal of the caller's own request is passed on as the vendor worded it; see refusal.
var (
	ErrModelNotFound     = fault.New(fault.NotFound, "model_not_found", "there is no such model here; GET /v1/models lists them")
	ErrProviderDisabled  = fault.New(fault.Forbidden, "provider_disabled", "this provider is switched off for the tenant")
	ErrUnsupported       = fault.New(fault.Invalid, "unsupported_by_provider", "the model cannot do what the request asks for")
	ErrRateLimited       = fault.New(fault.Exhausted, "providers_rate_limited", "every provider that could serve this is rate limited")
	ErrProvider          = fault.New(fault.Upstream, "provider_error", "the provider failed")
	ErrNoProvider        = fault.New(fault.Unavailable, "no_provider_available", "no provider can serve this now")
	ErrTimeout           = fault.New(fault.Timeout, "provider_timeout", "the provider did not answer in time")
	ErrCanceled          = fault.New(fault.Canceled, "canceled", "the caller left")
	errInvalidRequest    = fault.New(fault.Malformed, "invalid_request", "the provider refused the request")
	errInvalidValue      = fault.New(fault.Invalid, "invalid_request", "the provider refused a value of the request")
	errTooLarge          = fault.New(fault.TooLarge, "too_large", "the request is too large for the provider")
	errContextLength     = fault.New(fault.Malformed, "context_length_exceeded", "the conversation is too long for the model")
	errModelNotAtVendor  = fault.New(fault.NotFound, "model_not_found", "the provider knows no such model")
	errUnsupportedFields = ErrUnsupported.Saying("the provider cannot honour a field of the request")
)

// refusal passes on what a vendor said about the caller's own request.
func refusal(f *chat.Failure) error {
	e := errInvalidRequest
	if f.Status == 422 {
		e = errInvalidValue
	}
	switch f.Class {
	case chat.ClassNoModel:
		e = errModelNotAtVendor
	case chat.ClassTooLarge:
		e = errTooLarge
	case chat.ClassTooLong:
		e = errContextLength
	case chat.ClassUnsupport:
		e = errUnsupportedFields
	}
	e = e.With(f)
	if f.Message != "" {
		e.Msg = f.Message
	}
	if f.Code != "" && f.Class != chat.ClassUnsupport {
		e.Code = f.Code
	}
	e.Param = f.Param
	return e
}

// refuse says why a decision has no candidate.
func refuse(d routing.Decision, w wish, p *routing.Policy) error {
	switch {
	case w.pin != nil:
		return refusePin(d, *w.pin, p)
	case w.alias != nil:
		d.Excluded = targeted(d.Excluded, w.alias)
		if forbidden(d.Excluded) {
			return ErrProviderDisabled.Saying(fmt.Sprintf("the tenant's policy and flags allow no target of %q: %s", w.alias.Name, reasons(d.Excluded)))
		}
	}
	serious := slowest(d.Excluded)
	switch {
	case p.Forced() != "":
		return ErrNoProvider.Saying(fmt.Sprintf("provider %s is forced and cannot serve this: %s", p.Forced(), reasons(d.Excluded))).
			After(wait(d))
	case serious == routing.RateLimited && slices.ContainsFunc(d.Excluded, limited):
		return ErrRateLimited.Saying("every provider that could serve this is rate limited: " + reasons(d.Excluded)).After(wait(d))
	case serious == routing.NoCapability || serious == routing.WindowTooFew:
		return ErrUnsupported.Saying("no provider can do what the request asks for: " + reasons(d.Excluded))
	default:
		return ErrNoProvider.Saying("no provider can serve this: " + reasons(d.Excluded)).After(wait(d))
	}
}

func refusePin(d routing.Decision, pin routing.Target, p *routing.Policy) error {
	x := routing.Exclusion{Target: pin, Reason: routing.NotConfigured}
	for _, e := range d.Excluded {
		if e.Target == pin {
			x = e
		}
	}
	switch x.Reason {
	case routing.NotForced:
		return ErrProviderDisabled.Saying(fmt.Sprintf("provider %s is forced for this tenant; %s cannot be asked for", p.Forced(), pin))
	case routing.DisabledByTen:
		return ErrProviderDisabled.Saying(fmt.Sprintf("provider %s is switched off for this tenant", pin.Provider))
	case routing.ByPolicy:
		return ErrProviderDisabled.Saying(fmt.Sprintf("the tenant's routing policy does not allow %s", pin))
	case routing.NoCapability:
		return ErrUnsupported.Saying(fmt.Sprintf("%s cannot do what the request asks for: %s", pin, x.Detail))
	case routing.WindowTooFew:
		return ErrUnsupported.Saying(fmt.Sprintf("the request is longer than the context window of %s", pin))
	case routing.RateLimited:
		if x.Detail != routing.CredentialRefused {
			return ErrRateLimited.Saying(fmt.Sprintf("%s is rate limited", pin)).After(wait(d))
		}
	}
	return ErrNoProvider.Saying(fmt.Sprintf("%s cannot serve this: %s", pin.Provider, reasons([]routing.Exclusion{x}))).After(wait(d))
}

// slowest gives the reason that stands in the way of a routed call: of the targets that could serve at all, the one reason they share, or
// breaker_open when they differ. It is "" when no target could serve at all.
func slowest(excluded []routing.Exclusion) routing.Reason {
	var found routing.Reason
	for _, x := range excluded {
		switch x.Reason {
		case routing.NoCapability, routing.WindowTooFew:
			if found == "" {
				found = x.Reason
			}
		case routing.RateLimited:
			if found != routing.BreakerOpen {
				found = x.Reason
			}
		case routing.BreakerOpen:
			found = x.Reason
		}
	}
	return found
}

// limited reports whether a target asks for patience. One whose credentials were refused does not: slowing down would not mend that.
func limited(x routing.Exclusion) bool {
	return x.Reason == routing.RateLimited && x.Detail != routing.CredentialRefused
}

// targeted gives what was found of the alias's targets. Others are none of its affair.
func targeted(excluded []routing.Exclusion, a *routing.Alias) []routing.Exclusion {
	return slices.DeleteFunc(slices.Clone(excluded), func(x routing.Exclusion) bool {
		return !slices.ContainsFunc(a.Targets, func(t routing.AliasTarget) bool { return t.Target == x.Target })
	})
}

// forbidden reports whether it is the tenant's own flags and policy alone that are in the way.
func forbidden(excluded []routing.Exclusion) bool {
	return len(excluded) > 0 && !slices.ContainsFunc(excluded, func(x routing.Exclusion) bool {
		return x.Reason != routing.ByPolicy && x.Reason != routing.NotForced && x.Reason != routing.DisabledByTen
	})
}

// reasons lists the exclusions for people: "openai not_configured, claude breaker_open until 2026-11-23T10:00:00Z".
func reasons(excluded []routing.Exclusion) string {
	var b strings.Builder
	for i, x := range excluded {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(x.Provider)
		b.WriteByte(' ')
		b.WriteString(string(x.Reason))
		if x.Detail != "" {
			b.WriteString(" (" + x.Detail + ")")
		}
		if !x.Until.IsZero() {
			b.WriteString(" until " + x.Until.UTC().Format(time.RFC3339))
		}
	}
	if b.Len() == 0 {
		return "there is no provider"
	}
	return b.String()
}

// wait is how long it takes until the first excluded target may serve again, 0 when nobody knows.
func wait(d routing.Decision) time.Duration {
	var first time.Duration
	for _, x := range d.Excluded {
		if x.Until.IsZero() {
			continue
		}
		if w := x.Until.Sub(d.At); first == 0 || w < first {
			first = w
		}
	}
	return first
}

// codeOf is the outcome of a call as its row keeps it: ok, or the code of the failure.
func codeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return "internal"
}
