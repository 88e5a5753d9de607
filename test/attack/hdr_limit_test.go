package attack_test

import (
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

func init() {
	row("HDR-5", "limits are told in well-formed headers, and what is left only shrinks", limitHeaders, alone)
}

var (
	policyForm = regexp.MustCompile(`^"[a-z0-9-]+";q=[0-9]+;w=[0-9]+(, *"[a-z0-9-]+";q=[0-9]+;w=[0-9]+)*$`)
	limitForm  = regexp.MustCompile(`^"([a-z0-9-]+)";r=([0-9]+);t=([0-9]+)(, *"[a-z0-9-]+";r=[0-9]+;t=[0-9]+)*$`)
)

func limitHeaders(t *testing.T, w *world) {
	const ip = "198.51.100.7"
	left := 1 << 30
	refused := 0
	for i := range 70 {
		a := w.login(t, somebody(), "x", from(ip))
		policy, limit := a.header.Get("RateLimit-Policy"), a.header.Get("RateLimit")
		if i == 0 && policy != `"login-ip";q=60;w=900` {
			t.Errorf(`RateLimit-Policy is %q, want "login-ip";q=60;w=900`, policy)
		}
		m := limitForm.FindStringSubmatch(limit)
		if !policyForm.MatchString(policy) || m == nil || m[1] != "login-ip" {
			t.Fatalf("login %d: RateLimit-Policy %q, RateLimit %q, want well-formed ones", i+1, policy, limit)
		}
		r, _ := strconv.Atoi(m[2])
		within, _ := strconv.Atoi(m[3])
		if r > left || within > 900 || i == 0 && r != 59 {
			t.Errorf("login %d: RateLimit %q after %d were left", i+1, limit, left)
		}
		left = r
		switch a.status {
		case http.StatusUnauthorized:
			if refused > 0 {
				t.Errorf("login %d was admitted after a refusal", i+1)
			}
		case http.StatusTooManyRequests:
			refused++
			a.want(t, http.StatusTooManyRequests, "too_many_attempts")
			if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 || after > 900 {
				t.Errorf("login %d: Retry-After is %q, want whole seconds", i+1, a.header.Get("Retry-After"))
			}
			if r != 0 {
				t.Errorf("login %d: refused with %d left", i+1, r)
			}
		default:
			t.Errorf("login %d: %s, want 401 or 429", i+1, a)
		}
	}
	if refused != 10 {
		t.Errorf("%d of 70 were refused, want the last 10", refused)
	}
	if a := w.login(t, somebody(), "x"); a.status != http.StatusUnauthorized {
		t.Errorf("another address: %s, want 401", a)
	}
	crowd := together(80, func(int) answer { return w.login(t, somebody(), "x") })
	for _, a := range crowd {
		if a.status != http.StatusServiceUnavailable {
			continue
		}
		if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 {
			t.Errorf("503: Retry-After is %q, want whole seconds", a.header.Get("Retry-After"))
		}
	}
	if n := tally(crowd); n["503 busy"] == 0 {
		t.Errorf("a crowd of 80: %v, want some 503 busy", n)
	}
}
