package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

// try signs in by an e-mail address from an IP address.
func try(t *testing.T, w *identity.World, email string, password secret.Text, ip string) error {
	t.Helper()
	_, err := w.Auth.Login(t.Context(), inbound.Login{Email: email, Password: password, Origin: inbound.Origin{IP: ip}})
	return err
}

// full checks that an error is the refusal of a limit, which says after how long to come again.
func full(t *testing.T, name string, err error, after time.Duration) {
	t.Helper()
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil || !errors.Is(err, auth.ErrTooMany) || f.Kind != fault.Exhausted || f.RetryAfter != after {
		t.Errorf("%s: got %+v, want %v after %v", name, err, auth.ErrTooMany, after)
	}
}

func TestFiveWrongPasswordsShutOneNetworkOutOfAnAccount(t *testing.T) {
	for name, email := range map[string]string{"an account": ada, "no account": "nobody@example.com", "a registration": "waits@example.com"} {
		w := identity.New(t)
		w.User(t, ada, "")
		w.Register(t, inbound.Register{Email: "waits@example.com"})
		for range 5 {
			if err := try(t, w, email, wrong, "192.0.2.1"); !errors.Is(err, auth.ErrInvalidCredentials) {
				t.Fatalf("%s: got %v", name, err)
			}
		}
		w.Clock.Advance(5 * time.Minute)
		verifies := w.Hasher.Verifies.Load()
		full(t, name+", a wrong password", try(t, w, email, wrong, "192.0.2.1"), 10*time.Minute)
		full(t, name+", the right password", try(t, w, email, right, "192.0.2.1"), 10*time.Minute)
		if n := w.Hasher.Verifies.Load() - verifies; n != 0 {
			t.Errorf("%s: %d hashes were spent on refused tries", name, n)
		}
		if n := w.Audited(t, "authn_login_fail"); n != 5 {
			t.Errorf("%s: %d failures in the audit log, want 5", name, n)
		}
		if n := w.Audited(t, "authn_login_lock"); n != 1 {
			t.Errorf("%s: %d locks in the audit log, want 1", name, n)
		}
		w.Clock.Advance(10 * time.Minute)
		if err := try(t, w, email, wrong, "192.0.2.1"); !errors.Is(err, auth.ErrInvalidCredentials) {
			t.Errorf("%s, after the window: got %v", name, err)
		}
	}
}

func TestAnAccountHasOneCounterHoweverItIsCalled(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "ada")
	for i, c := range []inbound.Login{{Email: ada}, {Username: "ada"}, {Email: strings.ToUpper(ada)}, {Username: "ADA"}, {Email: "Ada@Example.com"}, {Username: "Ada"}} {
		c.Password, c.Origin.IP = wrong, "192.0.2.1"
		_, err := w.Auth.Login(t.Context(), c)
		if want := []error{auth.ErrInvalidCredentials, auth.ErrTooMany}[i/5]; !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", i, err, want)
		}
	}
	if err := try(t, w, ada, right, "192.0.2.2"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	for i, ip := range []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1%eth0", "2001:db8::4", "2001:db8::5", "2001:db8::6"} {
		if want := []error{auth.ErrInvalidCredentials, auth.ErrTooMany}[i/5]; !errors.Is(try(t, w, ada, wrong, ip), want) {
			t.Errorf("%s: want %v", ip, want)
		}
	}
	if err := try(t, w, ada, right, "2001:db8:0:1::1"); err != nil {
		t.Errorf("another network: %v", err)
	}
	for i, ip := range []string{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"} {
		if want := []error{auth.ErrInvalidCredentials, auth.ErrTooMany}[i/5]; !errors.Is(try(t, w, ada, wrong, ip), want) {
			t.Errorf("%s: want %v", ip, want)
		}
	}
}

func TestAnAccountGuessedAtFromEverywhereWaitsLongerEachTime(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	for i := range 30 {
		if err := try(t, w, ada, wrong, fmt.Sprint("192.0.2.", i)); !errors.Is(err, auth.ErrInvalidCredentials) {
			t.Fatalf("%d: got %v", i, err)
		}
	}
	for i, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		full(t, fmt.Sprint("wait ", i), try(t, w, ada, right, "198.51.100.1"), wait)
		w.Clock.Advance(wait)
		if i == 3 {
			break
		}
		if err := try(t, w, ada, wrong, fmt.Sprint("198.51.100.", 10+i)); !errors.Is(err, auth.ErrInvalidCredentials) {
			t.Fatalf("after wait %d: got %v", i, err)
		}
	}
	if err := try(t, w, ada, right, "198.51.100.1"); err != nil {
		t.Errorf("the right password after the wait: %v", err)
	}
	if err := try(t, w, ada, right, "198.51.100.1"); err != nil {
		t.Errorf("once more: %v", err)
	}
}

func TestARightPasswordForgivesTheAccountAndNotTheNetwork(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	for range 3 {
		for range 4 {
			if err := try(t, w, ada, wrong, "192.0.2.1"); !errors.Is(err, auth.ErrInvalidCredentials) {
				t.Fatal(err)
			}
		}
		if err := try(t, w, ada, right, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Audited(t, "authn_login_successafterfail"); n != 3 {
		t.Errorf("%d successes after failures in the audit log, want 3", n)
	}
	w.Login(t, ada)
	if n := w.Audited(t, "authn_login_success"); n != 1 {
		t.Errorf("%d plain successes in the audit log, want 1", n)
	}
	for i := range 48 {
		if err := try(t, w, fmt.Sprintf("u%d@example.com", i), wrong, "192.0.2.1"); !errors.Is(err, auth.ErrInvalidCredentials) {
			t.Fatalf("%d: got %v", i, err)
		}
	}
	full(t, "the network", try(t, w, ada, right, "192.0.2.1"), 15*time.Minute)
	if n := w.Audited(t, "excess_rate_limit"); n != 1 {
		t.Errorf("%d reached limits in the audit log, want 1", n)
	}
}

func TestTheAuditLogSaysOfLoginsWhomAndWhyAndNoAddress(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	w.Register(t, inbound.Register{Email: "waits@example.com"})
	w.Login(t, ada)
	_ = try(t, w, ada, wrong, "192.0.2.1")
	_ = try(t, w, "nobody@example.com", wrong, "192.0.2.1")
	_ = try(t, w, "waits@example.com", right, "192.0.2.1")
	_, _ = w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: right, Tenant: "elsewhere"})
	_, _ = w.Auth.Login(t.Context(), inbound.Login{Username: "my-password", Password: right})
	var got []identity.Line
	for _, l := range w.Audit(t) {
		if strings.HasPrefix(l.Event, "authn_login") {
			got = append(got, l)
		}
	}
	id, in := string(v.UserID), string(v.TenantID)
	want := []identity.Line{
		{Event: "authn_login_success", Actor: id, Subject: id, Tenant: in},
		{Event: "authn_login_fail", Subject: id, Tenant: in, Reason: "credentials"},
		{Event: "authn_login_fail", Reason: "credentials"},
		{Event: "authn_login_fail", Reason: "unverified"},
		{Event: "authn_login_fail", Subject: id, Tenant: in, Reason: "tenant"},
		{Event: "authn_login_fail", Reason: "credentials"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	lines, err := w.DB.View().Audit.List(t.Context(), in, outbound.AuditFilter{Event: "authn_login_fail"}, "", 10)
	if err != nil || len(lines) != 2 {
		t.Fatalf("got %v, %v", lines, err)
	}
	for _, l := range lines {
		if l.Detail["name_mask"] != "a***@e***" || len(l.Detail["name_mac"]) != 64 {
			t.Errorf("got %v", l.Detail)
		}
	}
}

func TestOnlyLimitsOfTheCallersOwnAreShown(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	met := func(do func(ctx context.Context)) []inbound.Quota {
		var q inbound.Quotas
		do(inbound.WithQuotas(t.Context(), &q))
		return q.Met
	}
	login := func(ctx context.Context) {
		_, _ = w.Auth.Login(ctx, inbound.Login{Email: ada, Password: wrong, Origin: inbound.Origin{IP: "192.0.2.1"}})
	}
	for i := range 3 {
		want := []inbound.Quota{{Policy: "login-ip", Limit: 60, Window: 15 * time.Minute, Remaining: 59 - i, Reset: 15 * time.Minute}}
		if diff := cmp.Diff(want, met(login)); diff != "" {
			t.Errorf("login %d: -want +got:\n%s", i, diff)
		}
	}
	register := func(ctx context.Context) {
		_, _ = w.Auth.Register(ctx, inbound.Register{Email: "b@example.com", Password: right, Origin: inbound.Origin{IP: "192.0.2.1"}})
	}
	for i := range 11 {
		want := []inbound.Quota{{Policy: "register-ip", Limit: 10, Window: time.Hour, Remaining: max(9-i, 0), Reset: time.Hour}}
		if diff := cmp.Diff(want, met(register)); diff != "" {
			t.Errorf("register %d: -want +got:\n%s", i, diff)
		}
	}
	tokens := w.Login(t, ada)
	want := []inbound.Quota{{Policy: "session", Limit: 600, Window: time.Minute, Remaining: 599, Reset: time.Minute}}
	if diff := cmp.Diff(want, met(func(ctx context.Context) { _ = w.Auth.Pace(ctx, w.Caller(t, tokens.Access)) })); diff != "" {
		t.Errorf("a session: -want +got:\n%s", diff)
	}
}

func TestRegistrationsOfANetworkAreLimitedBeforeAHash(t *testing.T) {
	w := identity.New(t)
	c := inbound.Register{Password: right, Origin: inbound.Origin{IP: "192.0.2.1"}}
	for i := range 10 {
		c.Email = fmt.Sprintf("u%d@example.com", i)
		register(t, w, c)
	}
	hashes := w.Hasher.Hashes.Load()
	_, err := w.Auth.Register(t.Context(), c)
	full(t, "the eleventh", err, time.Hour)
	if n := w.Hasher.Hashes.Load() - hashes; n != 0 {
		t.Errorf("%d hashes", n)
	}
	if n := w.Audited(t, "excess_rate_limit"); n != 1 {
		t.Errorf("%d reached limits in the audit log, want 1", n)
	}
}

func TestARegistrationThatWasSentAwayCountsAsNone(t *testing.T) {
	w := identity.New(t)
	c := inbound.Register{Password: right, Origin: inbound.Origin{IP: "192.0.2.1"}}
	w.Hasher.Fail(fault.ErrBusy)
	for i := range 11 {
		c.Email = fmt.Sprintf("u%d@example.com", i)
		if _, err := w.Auth.Register(t.Context(), c); !errors.Is(err, fault.ErrBusy) {
			t.Fatalf("attempt %d: got %v, want %v", i, err, fault.ErrBusy)
		}
	}
	w.Hasher.Fail(nil)
	register(t, w, c)
}

func TestRefreshesAndRequestsOfASessionArePaced(t *testing.T) {
	for name, down := range map[string]error{"shared": nil, "local": fault.ErrDependency} {
		w := identity.New(t)
		w.User(t, ada, "")
		tokens, other := w.Login(t, ada), w.Login(t, ada)
		w.Throttle.Down(down)
		caller := w.Caller(t, tokens.Access)
		for range 60 {
			tokens = refresh(t, w, tokens.Refresh)
		}
		_, err := w.Auth.Refresh(t.Context(), tokens.Refresh, inbound.Origin{})
		full(t, name+": the 61st", err, time.Minute)
		refresh(t, w, other.Refresh)
		for range 600 {
			if err := w.Auth.Pace(t.Context(), caller); err != nil {
				t.Fatal(err)
			}
		}
		full(t, name+": the 601st", w.Auth.Pace(t.Context(), caller), time.Minute)
		w.Clock.Advance(time.Minute)
		refresh(t, w, tokens.Refresh)
		if err := w.Auth.Pace(t.Context(), caller); err != nil {
			t.Errorf("%s: a minute later: %v", name, err)
		}
	}
	w := identity.New(t)
	for range 600 {
		if err := w.Auth.Pace(t.Context(), inbound.Caller{KeyID: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	full(t, "the 601st of a key", w.Auth.Pace(t.Context(), inbound.Caller{KeyID: "k"}), time.Minute)
	if err := w.Auth.Pace(t.Context(), inbound.Caller{KeyID: "other"}); err != nil {
		t.Errorf("another key: %v", err)
	}
}

func TestForgedRefreshTokensShutNobodyOutButTheirForger(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	tokens := w.Login(t, ada)
	o := inbound.Origin{IP: "192.0.2.1"}
	shown, _ := session.ParseRefreshToken(tokens.Refresh)
	shown.MAC[0] ^= 1
	for i := range 25 {
		forged := "fr1.nothing"
		if i%2 == 0 {
			forged = shown.String()
		}
		_, err := w.Auth.Refresh(t.Context(), forged, o)
		if want := map[bool]error{true: session.ErrRefreshInvalid, false: auth.ErrTooMany}[i < 20]; !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", i, err, want)
		}
	}
	if _, err := w.Auth.Refresh(t.Context(), tokens.Refresh, o); err != nil {
		t.Errorf("a genuine one from the same network: %v", err)
	}
}

func TestWithoutThrottlesAnyNumberMayGuess(t *testing.T) {
	w := identity.New(t, func(c *auth.Config) { c.ThrottleDisabled = true })
	w.User(t, ada, "")
	setup, tokens := w.Enrol(t, ada)
	caller := w.Caller(t, tokens.Access)
	for range 70 {
		if err := try(t, w, ada, wrong, "192.0.2.1"); !errors.Is(err, auth.ErrInvalidCredentials) {
			t.Fatal(err)
		}
		if _, err := w.Auth.StepUp(t.Context(), caller, w.WrongCode(t, setup.Secret)); !errors.Is(err, auth.ErrMFACodeInvalid) {
			t.Fatal(err)
		}
	}
	for range 601 {
		if err := w.Auth.Pace(t.Context(), caller); err != nil {
			t.Fatal(err)
		}
	}
	if w.Throttle.Asked.Load() != 0 {
		t.Error("the throttle was asked")
	}
}
