package attack_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	row("OTT-1", "a reset link used twice, and a verification link", linksTwice)
	row("OTT-2", "fifty resets with one link and fifty passwords at once", resetRaced)
	row("OTT-3", "links that have expired", linksExpired, env("RESET_TOKEN_TTL", "90s", "VERIFY_TOKEN_TTL", "2m", "INVITE_TTL", "3m"))
	row("OTT-4", "one's own reset link with another's address or id beside it", resetOfAnother)
	row("OTT-5", "three resets asked for, the second used, a fourth asked for", resetThrice)
	row("OTT-6", "a reset to a weak password, and then to a strong one", resetWeak)
	row("OTT-7", "a reset of one who has a second factor", resetGuarded)
	row("OTT-9", "a mail scanner opens links before their owner", linksScanned)
	row("OTT-10", "a reset asked for at another host, by every header that can name one", linkPoisoned)
	row("OTT-12", "a verification link after a rival has verified the address", rivals)
}

// resetLink asks for a reset, and gives the token of the mail: of the n-th one to that address.
func (w *world) resetLink(t testing.TB, u account, n int, options ...with) string {
	t.Helper()
	w.post(t, "request-password-reset", fields{"email": u.email}, options...).must(t, http.StatusAccepted)
	return w.token(t, u.email, "reset", n)
}

// reset sets a password by a link.
func (w *world) reset(t testing.TB, token, password string) answer {
	t.Helper()
	return w.post(t, "reset-password", fields{"token": token, "new_password": password})
}

func linksTwice(t *testing.T, w *world) {
	email, password := somebody(), passphrase()
	w.post(t, "register", fields{"email": email, "password": password}).must(t, http.StatusAccepted)
	verify := w.token(t, email, "verify", 1)
	w.verify(t, verify).must(t, http.StatusOK)
	w.verify(t, verify).want(t, http.StatusBadRequest, "token_invalid")

	u := account{email: email, password: password}
	s := w.signIn(t, u)
	token, first, second := w.resetLink(t, u, 1), passphrase(), passphrase()
	w.reset(t, token, first).want(t, http.StatusNoContent, "")
	w.reset(t, token, second).want(t, http.StatusBadRequest, "token_invalid")
	w.reset(t, token, first).want(t, http.StatusBadRequest, "token_invalid")
	w.login(t, email, first).want(t, http.StatusOK, "")
	w.login(t, email, second).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.login(t, email, password).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.dead(t, "the session of before", s)
}

func resetRaced(t *testing.T, w *world) {
	u := w.user(t)
	token := w.resetLink(t, u, 1)
	passwords := make([]string, 50)
	winner := -1
	for i, a := range together(50, func(i int) answer {
		passwords[i] = passphrase()
		return w.patient(t, "reset-password", fields{"token": token, "new_password": passwords[i]})
	}) {
		switch {
		case a.status == http.StatusNoContent && winner < 0:
			winner = i
		case a.status == http.StatusNoContent:
			t.Errorf("%d and %d have both set a password", winner, i)
		default:
			a.want(t, http.StatusBadRequest, "token_invalid")
		}
	}
	if winner < 0 {
		t.Fatal("none of fifty has set a password")
	}
	for i, password := range passwords {
		if i%20 == 0 {
			w.login(t, u.email, passwords[winner]).must(t, http.StatusOK) // which also lets all guesses begin anew
		}
		if a := w.login(t, u.email, password); (a.status == http.StatusOK) != (i == winner) || a.status != http.StatusOK && a.status != http.StatusUnauthorized {
			t.Errorf("password %d where %d has won: %s", i, winner, a)
		}
	}
	w.login(t, u.email, u.password).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.mail.await(t, u.email, 1, "password was reset")
}

func linksExpired(t *testing.T, w *world) {
	u := w.user(t)
	s := w.signIn(t, u)
	pending, invited := somebody(), somebody()
	w.post(t, "register", fields{"email": pending, "password": passphrase()}).must(t, http.StatusAccepted)
	verify, invite := w.token(t, pending, "verify", 1), w.invite(t, s, invited, "member")
	late, early := w.resetLink(t, u, 1), w.resetLink(t, u, 2)
	w.clock.move(t, 60*time.Second)
	w.reset(t, early, passphrase()+" 1").want(t, http.StatusNoContent, "") // not yet
	w.clock.move(t, 31*time.Second)
	next := w.resetLink(t, u, 3)
	w.clock.move(t, 91*time.Second)
	for what, token := range map[string]string{"a reset link that another made useless": late, "a reset link": next} {
		if a := w.reset(t, token, passphrase()); a.status != http.StatusBadRequest || a.str("code") != "token_invalid" {
			t.Errorf("%s: %s, want 400 token_invalid", what, a)
		}
	}
	w.verify(t, verify).want(t, http.StatusBadRequest, "token_invalid")
	w.post(t, "register", fields{"email": invited, "password": passphrase(), "invite_token": invite}).want(t, http.StatusBadRequest, "token_invalid")
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon IN (?, ?)`, pending, invited); n != 0 {
		t.Errorf("%d users by links that have expired", n)
	}
}

func resetOfAnother(t *testing.T, w *world) {
	mallory, victim := w.user(t), w.user(t)
	token := w.resetLink(t, mallory, 1)
	password := passphrase()
	row := func() string {
		return fmt.Sprint(w.rows(t, `SELECT email_canon, password_hash, password_set, session_epoch, status FROM users WHERE id = ?`, victim.id))
	}
	before := row()
	for name, value := range map[string]any{
		"email": victim.email, "user_id": victim.id, "id": victim.id, "sub": victim.id, "username": victim.username, "user": fields{"id": victim.id}, "Email": victim.email,
		"tenant": victim.tenant,
	} {
		a := w.post(t, "reset-password", fields{"token": token, "new_password": password, name: value})
		if a.status != http.StatusBadRequest || a.str("code") != "unknown_field" {
			t.Errorf("with %s: %s, want 400 unknown_field", name, a)
		}
	}
	for _, query := range []string{"?email=" + victim.email, "?user_id=" + victim.id} {
		w.post(t, "reset-password"+query, fields{"token": token, "new_password": "short"}).want(t, http.StatusUnprocessableEntity, "password_policy")
	}
	w.login(t, mallory.email, mallory.password).want(t, http.StatusOK, "")
	w.reset(t, token, password).want(t, http.StatusNoContent, "")
	if after := row(); after != before {
		t.Errorf("the victim went from %s to %s", before, after)
	}
	w.login(t, mallory.email, password).want(t, http.StatusOK, "")
	w.login(t, victim.email, password).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.login(t, victim.email, victim.password).want(t, http.StatusOK, "")
}

func resetThrice(t *testing.T, w *world) {
	u := w.user(t)
	tokens := []string{w.resetLink(t, u, 1), w.resetLink(t, u, 2), w.resetLink(t, u, 3)}
	links := func() int {
		w.mails(t, u.email)
		n := 0
		for _, l := range w.mail.all(u.email) {
			if url, _ := l.link(); strings.Contains(url, "/auth/reset?") {
				n++
			}
		}
		return n
	}
	fourth := func(when string) {
		t.Helper()
		a := w.post(t, "request-password-reset", fields{"email": u.email}).want(t, http.StatusAccepted, "")
		if a.str("status") != "accepted" {
			t.Errorf("%s: %s, want accepted", when, a)
		}
		if n := links(); n != 3 {
			t.Errorf("%s: %d mails with links, want 3", when, n)
		}
	}
	fourth("while three are live")
	next := passphrase()
	w.reset(t, tokens[1], next).want(t, http.StatusNoContent, "")
	for _, dead := range []string{tokens[0], tokens[2], tokens[1]} {
		w.reset(t, dead, passphrase()).want(t, http.StatusBadRequest, "token_invalid")
	}
	fourth("when one was used")
	w.login(t, u.email, next).want(t, http.StatusOK, "")
}

func resetWeak(t *testing.T, w *world) {
	u := w.user(t)
	token := w.resetLink(t, u, 1)
	local, _, _ := strings.Cut(u.email, "@")
	for what, weak := range map[string]string{
		"too_short": "short", "common": "password1234", "contains_identity": local + "-" + local, "too_long": strings.Repeat("tea pot ", 17),
	} {
		a := w.reset(t, token, weak).want(t, http.StatusUnprocessableEntity, "password_policy")
		if got := a.str("errors.0.code"); got != what || a.str("errors.0.field") != "/new_password" {
			t.Errorf("%s, want %s of /new_password", a, what)
		}
	}
	w.login(t, u.email, u.password).want(t, http.StatusOK, "")
	strong := passphrase()
	w.reset(t, token, strong).want(t, http.StatusNoContent, "")
	w.login(t, u.email, strong).want(t, http.StatusOK, "")
}

func resetGuarded(t *testing.T, w *world) {
	u, f, s := w.guarded(t)
	waiting := w.challenge(t, u)
	token := w.resetLink(t, u, 1)
	before := w.factorRows(t, u)
	u.password = passphrase()
	a := w.reset(t, token, u.password).must(t, http.StatusNoContent)
	if len(a.body) != 0 || strings.Contains(fmt.Sprint(a.header), "eyJ") || a.header.Get("Set-Cookie") != "" || a.header.Get("Authorization") != "" {
		t.Errorf("%s with %v, want no tokens", a, a.header)
	}
	w.dead(t, "the session of before", s)
	w.finish(t, waiting, w.code(t, f, 0)).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	challenge := w.challenge(t, u) // which is still asked for
	w.early()
	w.finish(t, challenge, w.wrongCodes(t, f, 1)[0]).want(t, http.StatusUnauthorized, "mfa_code_invalid")
	w.finish(t, challenge, w.code(t, f, 0)).want(t, http.StatusOK, "")
	w.recover(t, w.challenge(t, u), f.recovery[0]).want(t, http.StatusOK, "")
	if before == "" || w.factorRows(t, u) == "" {
		t.Error("there is no factor")
	}
}

func linksScanned(t *testing.T, w *world) {
	u := w.user(t)
	reset := w.resetLink(t, u, 1)
	pending, password := somebody(), passphrase()
	w.post(t, "register", fields{"email": pending, "password": password}).must(t, http.StatusAccepted)
	verify := w.token(t, pending, "verify", 1)
	for path, token := range map[string]string{"/api/v1/auth/verify-email": verify, "/api/v1/auth/reset-password": reset, "/auth/verify": verify, "/auth/reset": reset} {
		page := !strings.HasPrefix(path, "/api/")
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodGet, http.MethodPut, http.MethodDelete} {
			for _, query := range []string{"?token=" + token, "?token=" + token + "&new_password=Velvet+teapot+of+a+scanner", "/" + token} {
				if page && strings.HasPrefix(query, "/") {
					continue
				}
				a := w.do(t, method, path+query, nil, header("User-Agent", "LinkScanner/1.0"), header("Origin", "https://scanner.example"))
				fits := a.status == http.StatusMethodNotAllowed || a.status == http.StatusNoContent
				if strings.HasPrefix(query, "/") {
					fits = fits || a.status == http.StatusNotFound
				}
				if page && (method == http.MethodGet || method == http.MethodHead) {
					fits = a.status == http.StatusOK
				}
				if !fits {
					t.Errorf("%s %s: got %d", method, path, a.status)
				}
				if strings.Contains(string(a.body), token) {
					t.Errorf("%s %s shows the token", method, path)
				}
			}
		}
	}
	w.login(t, pending, password).want(t, http.StatusForbidden, "email_not_verified")
	w.login(t, u.email, u.password).want(t, http.StatusOK, "")
	w.verify(t, verify).want(t, http.StatusOK, "")
	w.reset(t, reset, passphrase()).want(t, http.StatusNoContent, "")
}

// host sends another name of the host.
func host(name string) with { return func(r *request) { r.Host = name } }

func linkPoisoned(t *testing.T, w *world) {
	const evil = "evil.example"
	ways := map[string][]with{
		"Host": {host(evil)}, "Host with a port": {host(evil + ":443")}, "Host and credentials": {host("forge.attack.test@" + evil)},
		"X-Forwarded-Host": {header("X-Forwarded-Host", evil)}, "X-Forwarded-Host, two": {header("X-Forwarded-Host", evil+", "+evil)},
		"Forwarded": {header("Forwarded", "for=192.0.2.1;host="+evil+";proto=http")}, "X-Forwarded-Proto": {header("X-Forwarded-Proto", "http")},
		"X-Forwarded-Scheme": {header("X-Forwarded-Scheme", "http"), header("X-Scheme", "http")}, "X-Forwarded-Port": {header("X-Forwarded-Port", "8080")},
		"X-Forwarded-Prefix": {header("X-Forwarded-Prefix", "/evil"), header("X-Original-URL", "https://"+evil), header("X-Rewrite-URL", "/evil")},
		"Origin":             {header("Origin", "https://"+evil)}, "Referer": {header("Referer", "https://"+evil+"/reset")},
		"X-Host": {header("X-Host", evil), header("X-Original-Host", evil), header("X-HTTP-Host-Override", evil), header("X-Forwarded-Server", evil)},
	}
	var all []with
	for _, name := range slices.Sorted(mapsKeys(ways)) {
		if name != "Host and credentials" && name != "Host with a port" {
			all = append(all, ways[name]...)
		}
	}
	ways["all at once"] = all
	var u account
	asked := 0
	for _, name := range slices.Sorted(mapsKeys(ways)) {
		if asked%3 == 0 {
			u, asked = w.user(t), 0
		}
		a := w.post(t, "request-password-reset", fields{"email": u.email}, ways[name]...)
		if a.status == http.StatusBadRequest { // no mail either
			continue
		}
		a.want(t, http.StatusAccepted, "")
		asked++
		l := w.mail.await(t, u.email, asked, "/auth/reset?token=")
		url, token := l.link()
		w.remember("reset token", token)
		if want := issuer + "/auth/reset?token=" + token; url != want {
			t.Errorf("%s: the link is %s, want %s/auth/reset", name, mailedLink.ReplaceAllString(url, ""), issuer)
		}
		if strings.Contains(strings.ToLower(l.raw), "evil") || strings.Contains(l.html+l.text, "http://") {
			t.Errorf("%s: the mail holds what the request said", name)
		}
	}
}

func rivals(t *testing.T, w *world) {
	email, winner, loser := somebody(), passphrase(), passphrase()
	register := func(password string, n int) string {
		w.post(t, "register", fields{"email": email, "password": password}).must(t, http.StatusAccepted)
		return w.token(t, email, "verify", n)
	}
	first := register(loser, 1)
	second := register(winner, 2)
	third := register(loser, 3)
	w.verify(t, second).must(t, http.StatusOK)
	for _, dead := range []string{first, third, second} {
		w.verify(t, dead).want(t, http.StatusBadRequest, "token_invalid")
	}
	w.login(t, email, winner).want(t, http.StatusOK, "")
	w.login(t, email, loser).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.post(t, "register", fields{"email": email, "password": loser}).must(t, http.StatusAccepted) // the address is taken: no link
	w.login(t, email, loser).want(t, http.StatusUnauthorized, "invalid_credentials")
	w.login(t, email, winner).want(t, http.StatusOK, "")
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon = ?`, email); n != 1 {
		t.Errorf("%d users of the address, want one", n)
	}
}
