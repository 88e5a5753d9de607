package attack_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

func init() {
	row("REG-1", "fifty registrations of one address at once", registerRaced)
	row("REG-2", "fifty registrations of one username at once, verified at once", usernameRaced, alone)
	row("REG-3", "twenty verifications with one token at once", verifyRaced)
	row("REG-4", "one address in three spellings", spellings)
	row("REG-8", "a domain in Unicode and in punycode", unicodeDomain)
}

func registerRaced(t *testing.T, w *world) {
	email := somebody()
	passwords := make([]string, 50)
	for _, a := range together(50, func(i int) answer {
		passwords[i] = passphrase()
		return w.patient(t, "register", fields{"email": email, "password": passwords[i], "username": fmt.Sprintf("racer%d", i)})
	}) {
		if a.status != http.StatusAccepted || strings.Contains(string(a.body), "23505") || strings.Contains(string(a.body), "UNIQUE") {
			t.Errorf("one of fifty: %s, want 202", a)
		}
	}
	n := w.mails(t, email)
	if n < 1 || n > 3 {
		t.Fatalf("%d mails, want one to three", n)
	}
	var good int
	for i := range n {
		_, token := w.mail.all(email)[i].link()
		w.remember("verify token", token)
		if a := w.verify(t, token); a.status == http.StatusOK {
			good++
		} else {
			a.want(t, http.StatusBadRequest, "token_invalid")
		}
	}
	if users := w.count(t, `SELECT count(*) FROM users WHERE email_canon = ?`, email); good != 1 || users != 1 {
		t.Errorf("%d tokens verified and %d users exist, want one of each", good, users)
	}
	var in int
	for _, p := range passwords {
		switch a := w.login(t, email, p); a.status {
		case http.StatusOK:
			in++
		case http.StatusUnauthorized, http.StatusTooManyRequests: // wrong ones are counted
		default:
			t.Errorf("a login: %s", a)
		}
	}
	if in > 1 {
		t.Errorf("%d passwords sign in, want one", in)
	}
}

func usernameRaced(t *testing.T, w *world) {
	const name = "coveted"
	emails := make([]string, 50)
	for i := range emails {
		emails[i] = somebody()
	}
	passwords := make([]string, 50)
	for _, a := range together(50, func(i int) answer {
		passwords[i] = passphrase()
		return w.patient(t, "register", fields{"email": emails[i], "password": passwords[i], "username": name})
	}) {
		a.must(t, http.StatusAccepted)
	}
	tokens := make([]string, 50)
	for i, email := range emails {
		tokens[i] = w.token(t, email, "verify", 1)
	}
	owners := 0
	owner := ""
	for i, a := range together(50, func(i int) answer { return w.verify(t, tokens[i]) }) {
		a.want(t, http.StatusOK, "")
		if a.str("status") != "verified" {
			t.Errorf("%s, want verified", a)
		}
		if a.str("username_assigned") == "true" {
			owners++
			owner = emails[i]
		}
	}
	if owners != 1 {
		t.Errorf("%d own the name, want one", owners)
	}
	if got := w.text(t, `SELECT email_canon FROM users WHERE username = ?`, name); got != owner {
		t.Errorf("the name is of %q, want %q", got, owner)
	}
	if n := w.count(t, `SELECT count(*) FROM users WHERE username IS NULL`); n != 49 {
		t.Errorf("%d users have no name, want 49", n)
	}
}

func verifyRaced(t *testing.T, w *world) {
	email := somebody()
	w.post(t, "register", fields{"email": email, "password": passphrase(), "tenant": fields{"name": "Raced House"}}).must(t, http.StatusAccepted)
	token := w.token(t, email, "verify", 1)
	answers := together(20, func(int) answer { return w.verify(t, token) })
	if got := tally(answers); got["200"] != 1 || got["400 token_invalid"] != 19 {
		t.Errorf("got %v, want one 200 and nineteen 400 token_invalid", got)
	}
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon = ?`, email); n != 1 {
		t.Errorf("%d users, want one", n)
	}
	if n := w.count(t, `SELECT count(*) FROM tenants WHERE name = 'Raced House'`); n != 1 {
		t.Errorf("%d tenants, want one", n)
	}
	if n := w.count(t, `SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email_canon = ?`, email); n != 1 {
		t.Errorf("%d memberships, want one", n)
	}
}

func spellings(t *testing.T, w *world) {
	n := serial.Add(1)
	plain := fmt.Sprintf("anna%d@example.com", n)
	forms := []string{fmt.Sprintf("ANNA%d@Example.com", n), plain, fmt.Sprintf("anna%d@EXAMPLE.COM", n)}
	u := w.signUp(t, fields{"email": forms[0]})
	for _, form := range forms {
		if a := w.login(t, form, u.password); a.status != http.StatusOK || a.str("user.id") != u.id {
			t.Errorf("login as %s: %s, want 200 and one user", form, a)
		}
		w.post(t, "register", fields{"email": form, "password": passphrase()}).want(t, http.StatusAccepted, "")
	}
	w.mails(t, plain)
	for _, l := range w.mail.all(plain)[1:] {
		if url, _ := l.link(); strings.Contains(url, "/auth/verify?") {
			t.Errorf("a second registration under another spelling can be verified: %s", l.subject)
		}
	}
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon = ?`, plain); n != 1 {
		t.Errorf("%d users, want one", n)
	}
}

func unicodeDomain(t *testing.T, w *world) {
	n := serial.Add(1)
	unicode, puny := fmt.Sprintf("bo%d@exämple.com", n), fmt.Sprintf("bo%d@xn--exmple-cua.com", n)
	body := fields{"email": unicode, "password": passphrase()}
	w.post(t, "register", body).must(t, http.StatusAccepted)
	var token string
	eventually(t, "a mail to the address", func() bool {
		for _, to := range []string{unicode, puny} {
			for _, l := range w.mail.all(to) {
				_, token = l.link()
			}
		}
		return token != ""
	})
	w.remember("verify token", token)
	w.verify(t, token).must(t, http.StatusOK)
	ids := map[string]bool{}
	for _, form := range []string{unicode, puny, strings.ToUpper(puny), fmt.Sprintf("bo%d@EXÄMPLE.com", n)} {
		a := w.login(t, form, body["password"].(string))
		a.want(t, http.StatusOK, "")
		ids[a.str("user.id")] = true
	}
	if len(ids) != 1 {
		t.Errorf("the spellings are of %d accounts, want one", len(ids))
	}
	again := maps.Clone(body)
	again["email"] = puny
	w.post(t, "register", again).want(t, http.StatusAccepted, "")
	if n := w.count(t, `SELECT count(*) FROM users WHERE email_canon = ?`, puny); n != 1 {
		t.Errorf("%d users, want one", n)
	}
}
