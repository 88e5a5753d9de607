package attack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func init() {
	row("ENU-1", "a wrong password of a known address, and an unknown address", loginUnknown)
	row("ENU-2", "the same work for both", loginEqualWork)
	row("ENU-3", "a wrong password of users who are disabled, deleted, unverified, with a second factor, or never were", loginStates)
	row("ENU-4", "registrations of addresses that are new, pending and verified", registerStates)
	row("ENU-5", "resets of known, unknown and disabled users while mail is slow", resetStates, alone)
	row("ENU-7", "tokens of another kind, unknown, used, expired, malformed", tokenStates, alone)
	row("ENU-8", "the right password and a tenant of others, or of nobody", loginTenants)
	row("ENU-10", "passwords at the edge of the policy for known and unknown addresses", policyEdge)
}

func loginUnknown(t *testing.T, w *world) {
	u := w.user(t)
	a := map[string]answer{
		"known address":    w.login(t, u.email, passphrase()),
		"unknown address":  w.login(t, somebody(), passphrase()),
		"known username":   w.post(t, "login", fields{"username": u.username, "password": passphrase()}),
		"unknown username": w.post(t, "login", fields{"username": "nobody-" + u.username[4:], "password": passphrase()}),
		"a short password": w.login(t, u.email, "x"),
	}
	for _, one := range a {
		one.want(t, http.StatusUnauthorized, "invalid_credentials")
	}
	same(t, a)
}

// work counts what a request left in the stores.
type work struct{ outbox, audit, sessions, tokens, registrations int }

func (w *world) work(t testing.TB) work {
	t.Helper()
	count := func(table string) int { return w.count(t, `SELECT count(*) FROM `+table) }
	return work{count("outbox"), count("audit_log"), count("auth_sessions"), count("one_time_tokens"), count("registrations")}
}

// working gives what a request adds to the stores.
func (w *world) working(t testing.TB, do func()) work {
	t.Helper()
	a := w.work(t)
	do()
	b := w.work(t)
	return work{b.outbox - a.outbox, b.audit - a.audit, b.sessions - a.sessions, b.tokens - a.tokens, b.registrations - a.registrations}
}

func loginEqualWork(t *testing.T, w *world) {
	u := w.user(t)
	known := w.working(t, func() { w.login(t, u.email, passphrase()).want(t, http.StatusUnauthorized, "invalid_credentials") })
	unknown := w.working(t, func() { w.login(t, somebody(), passphrase()).want(t, http.StatusUnauthorized, "invalid_credentials") })
	if known != unknown {
		t.Errorf("a known address leaves %+v, an unknown one %+v", known, unknown)
	}
	if known.audit != 1 {
		t.Errorf("a failed login leaves %d audit rows, want 1", known.audit)
	}
}

// states makes a user in every state that a login must not tell apart.
func (w *world) states(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{"never existed": somebody()}
	disabled, deleted, guarded := w.user(t), w.user(t), w.user(t)
	w.cli(t, "", "user", "disable", "--email", disabled.email)
	w.cli(t, "", "user", "delete", "--email", deleted.email)
	w.enrol(t, guarded, w.signIn(t, guarded))
	out["disabled"], out["deleted"], out["second factor"] = disabled.email, deleted.email, guarded.email
	out["active"], out["unverified"] = w.user(t).email, somebody()
	w.post(t, "register", fields{"email": out["unverified"], "password": passphrase()}).must(t, http.StatusAccepted)
	return out
}

func loginStates(t *testing.T, w *world) {
	a := map[string]answer{}
	left := map[string]work{}
	for state, email := range w.states(t) {
		left[state] = w.working(t, func() { a[state] = w.login(t, email, passphrase()) })
		a[state].want(t, http.StatusUnauthorized, "invalid_credentials")
	}
	same(t, a)
	for state, l := range left {
		if l != left["never existed"] {
			t.Errorf("%s leaves %+v, one who never existed %+v", state, l, left["never existed"])
		}
	}
}

func registerStates(t *testing.T, w *world) {
	verified, pending, fresh := w.user(t), somebody(), somebody()
	w.post(t, "register", fields{"email": pending, "password": passphrase()}).must(t, http.StatusAccepted)
	w.mails(t, pending)
	before := map[string]int{verified.email: len(w.mail.all(verified.email)), pending: 1, fresh: 0}
	a := map[string]answer{}
	left := map[string]work{}
	for state, email := range map[string]string{"new": fresh, "pending": pending, "verified": verified.email} {
		left[state] = w.working(t, func() { a[state] = w.post(t, "register", fields{"email": email, "password": passphrase()}) })
		a[state].want(t, http.StatusAccepted, "")
		if a[state].str("status") != "verification_required" || a[state].str("expires_in") != "86400" {
			t.Errorf("%s: %s", state, a[state])
		}
		if left[state].outbox != 1 {
			t.Errorf("%s: %d outbox rows, want 1", state, left[state].outbox)
		}
	}
	same(t, a)
	if left["new"] != left["verified"] || left["new"] != left["pending"] {
		t.Errorf("the work differs: %+v", left)
	}
	for email, n := range before {
		w.mails(t, email)
		got := w.mail.all(email)[n:]
		if len(got) != 1 {
			t.Errorf("%d mails to %s, want 1", len(got), email)
			continue
		}
		url, _ := got[0].link()
		if verify := strings.Contains(url, "/auth/verify?token="); verify != (email != verified.email) {
			t.Errorf("the mail to %s links to %q", email, url)
		}
		if email == verified.email && (url != "" || !strings.Contains(strings.ToLower(got[0].subject+got[0].text), "already")) {
			t.Errorf("the mail to one with an account: %q %q", got[0].subject, got[0].text)
		}
	}
}

func resetStates(t *testing.T, w *world) {
	known, disabled, guarded := w.user(t), w.user(t), w.user(t)
	w.enrol(t, guarded, w.signIn(t, guarded))
	w.cli(t, "", "user", "disable", "--email", disabled.email)
	for _, u := range []account{known, disabled, guarded} {
		w.mails(t, u.email)
	}
	before := len(w.mail.all(disabled.email))
	w.mail.slow(5 * time.Second)
	a := map[string]answer{}
	left := map[string]work{}
	for state, email := range map[string]string{"known": known.email, "unknown": somebody(), "disabled": disabled.email, "second factor": guarded.email} {
		left[state] = w.working(t, func() { a[state] = w.post(t, "request-password-reset", fields{"email": email}) })
		a[state].want(t, http.StatusAccepted, "")
		if got := a[state].str("status"); got != "accepted" {
			t.Errorf("%s: status %q, want accepted", state, got)
		}
		if left[state].outbox != 1 {
			t.Errorf("%s: %d outbox rows, want 1", state, left[state].outbox)
		}
		if a[state].took >= 4*time.Second {
			t.Errorf("%s waited for the mail", state)
		}
	}
	same(t, a)
	w.mail.slow(0)
	if token := w.token(t, known.email, "reset", 1); token == "" {
		t.Error("no mail to the known user")
	}
	w.mails(t, disabled.email)
	for _, l := range w.mail.all(disabled.email)[before:] {
		if url, _ := l.link(); url != "" {
			t.Errorf("a disabled user got the link %s", mailedLink.ReplaceAllString(url, ""))
		}
	}
}

func tokenStates(t *testing.T, w *world) {
	u := w.user(t)
	w.post(t, "request-password-reset", fields{"email": u.email}).must(t, http.StatusAccepted)
	reset := w.token(t, u.email, "reset", 1)
	pending := somebody()
	w.post(t, "register", fields{"email": pending, "password": passphrase()}).must(t, http.StatusAccepted)
	verify := w.token(t, pending, "verify", 1)
	used := w.token(t, u.email, "verify", 1)
	invite := w.invite(t, w.signIn(t, u), somebody(), "member")
	unknown := b64.EncodeToString(make([]byte, 32))

	bad := map[string]any{
		"unknown": unknown, "used": used, "malformed": "not a token", "empty": "", "short": verify[:42], "long": verify + "A", "padded": verify + "=",
		"huge": strings.Repeat("A", 8000), "an invitation": invite, "blank behind": verify + " ", "in another case": strings.ToUpper(verify),
	}
	a := map[string]answer{}
	for state, token := range bad {
		a["verify: "+state] = w.post(t, "verify-email", fields{"token": token})
		a["reset: "+state] = w.post(t, "reset-password", fields{"token": token, "new_password": passphrase()})
	}
	a["verify: a reset token"] = w.verify(t, reset)
	a["reset: a verify token"] = w.post(t, "reset-password", fields{"token": verify, "new_password": passphrase()})
	a["reset: a weak password too"] = w.post(t, "reset-password", fields{"token": unknown, "new_password": "short"})
	w.clock.move(t, 25*time.Hour)
	a["verify: expired"] = w.verify(t, verify)
	a["reset: expired"] = w.post(t, "reset-password", fields{"token": reset, "new_password": passphrase()})
	for state, one := range a {
		if one.status != http.StatusBadRequest || one.str("code") != "token_invalid" {
			t.Errorf("%s: %s, want 400 token_invalid", state, one)
		}
	}
	same(t, a)
	w.signIn(t, u)
}

func loginTenants(t *testing.T, w *world) {
	u, other := w.user(t), w.user(t)
	a := map[string]answer{}
	for what, tenant := range map[string]string{
		"another's id": other.tenant, "another's slug": other.slug, "nobody's slug": "no-such-tenant", "nobody's id": "01920000-0000-7000-8000-000000000000", "no slug at all": "Not A Slug!",
	} {
		a[what] = w.post(t, "login", fields{"email": u.email, "password": u.password, "tenant": tenant})
		a[what].want(t, http.StatusForbidden, "tenant_access_denied")
	}
	same(t, a)
	for _, tenant := range []string{u.tenant, u.slug} {
		if a := w.post(t, "login", fields{"email": u.email, "password": u.password, "tenant": tenant}).must(t, http.StatusOK); a.str("session.tenant_id") != u.tenant {
			t.Errorf("login with one's own tenant: got %s", a.str("session.tenant_id"))
		}
	}
	wrong := map[string]answer{
		"another's": w.post(t, "login", fields{"email": u.email, "password": passphrase(), "tenant": other.tenant}),
		"nobody's":  w.post(t, "login", fields{"email": u.email, "password": passphrase(), "tenant": "no-such-tenant"}),
	}
	wrong["another's"].want(t, http.StatusUnauthorized, "invalid_credentials")
	same(t, wrong)
}

func policyEdge(t *testing.T, w *world) {
	known, pending := w.user(t), somebody()
	w.post(t, "register", fields{"email": pending, "password": passphrase()}).must(t, http.StatusAccepted)
	long := passphrase() + strings.Repeat("tea pot ", 20)
	for what, tc := range map[string]struct {
		password string
		status   int
		code     string
	}{
		"11 characters":  {"kQ7#mZ2!vX9", 422, "too_short"},
		"12 characters":  {"kQ7#mZ2!vX9p", 202, ""},
		"128 characters": {long[:128], 202, ""},
		"129 characters": {long[:129], 422, "too_long"},
	} {
		a := map[string]answer{}
		for state, email := range map[string]string{"known": known.email, "pending": pending, "unknown": somebody()} {
			a[state] = w.post(t, "register", fields{"email": email, "password": tc.password})
			if tc.status == 422 {
				a[state].want(t, 422, "password_policy")
				if got := a[state].str("errors.0.code"); got != tc.code {
					t.Errorf("%s, %s: reason %q, want %q", what, state, got, tc.code)
				}
				continue
			}
			a[state].want(t, tc.status, "")
		}
		same(t, a)
	}
}
