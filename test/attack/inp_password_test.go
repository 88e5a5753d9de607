package attack_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func init() {
	row("INP-7", "passwords of 128 and 129 emoji, of 513 bytes, of a megabyte", longPasswords)
	row("INP-8", "a password composed at registration and decomposed at login", normalForms)
	row("INP-9", "common, stolen, derived and repetitive passwords; none is asked for its classes", weakPasswords, before(withStolenPasswords))
	row("INP-10", "SQL, NoSQL, LDAP, templates and Redis commands in every text", injections)
}

// emoji gives n different ones, each of four bytes.
func emoji(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteRune(rune(0x1F300 + i*7%350))
	}
	return b.String()
}

func longPasswords(t *testing.T, w *world) {
	register := func(password string) answer {
		return w.post(t, "register", fields{"email": somebody(), "password": password})
	}
	register(emoji(128)).want(t, http.StatusAccepted, "")
	for what, password := range map[string]string{"129 emoji": emoji(129), "513 bytes": emoji(128) + "a", "129 letters": strings.Repeat("tea pot ", 16) + "x"} {
		a := register(password).want(t, http.StatusUnprocessableEntity, "password_policy")
		if got := a.str("errors.0.code"); got != "too_long" {
			t.Errorf("%s: reason %q, want too_long", what, got)
		}
	}
	for _, size := range []int{16 << 10, 1 << 20} {
		register(strings.Repeat("a", size)).want(t, http.StatusRequestEntityTooLarge, "body_too_large")
		w.login(t, somebody(), strings.Repeat("a", size)).want(t, http.StatusRequestEntityTooLarge, "body_too_large")
	}
	u := w.signUp(t, fields{"email": somebody(), "password": emoji(128)})
	w.signIn(t, u)
	for _, wrong := range []string{emoji(127), emoji(128) + "a", emoji(127) + "\U0001F600", strings.Repeat("a", 12_000)} {
		w.login(t, u.email, wrong).want(t, http.StatusUnauthorized, "invalid_credentials")
	}
}

func normalForms(t *testing.T, w *world) {
	composed, decomposed := "Vélvet téapot ñandú", "Ve\u0301lvet te\u0301apot n\u0303andu\u0301"
	u := w.signUp(t, fields{"email": somebody(), "password": composed})
	w.login(t, u.email, decomposed).want(t, http.StatusOK, "")
	v := w.signUp(t, fields{"email": somebody(), "password": decomposed})
	w.login(t, v.email, composed).want(t, http.StatusOK, "")
	for what, other := range map[string]string{
		"without accents": "Velvet teapot nandu", "in capitals": strings.ToUpper(composed), "trimmed": composed + " ", "compatible": strings.Replace(composed, "téapot", "té\uff41pot", 1),
		"a no-break space": strings.Replace(composed, " ", "\u00a0", 1),
	} {
		if a := w.login(t, u.email, other); a.status != http.StatusUnauthorized {
			t.Errorf("%s: %s, want 401", what, a)
		}
	}
}

const stolen = "violet hinge passes sugar"

// withStolenPasswords gives the process a range API that knows one password and counts who asks.
func withStolenPasswords(t *testing.T, w *world) {
	sum := sha1.Sum([]byte(stolen))
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		prefix := in.URL.Path[strings.LastIndex(in.URL.Path, "/")+1:]
		if len(prefix) != 5 || in.URL.RawQuery != "" {
			t.Errorf("the range API was asked for %q, want five digits of a hash", in.URL)
		}
		_, _ = fmt.Fprintf(out, "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n")
		if prefix == digest[:5] {
			_, _ = fmt.Fprintf(out, "%s:42\r\n", digest[5:])
		}
	}))
	t.Cleanup(s.Close)
	w.env["BREACH_CHECK_URL"] = s.URL + "/range/"
}

func weakPasswords(t *testing.T, w *world) {
	n := serial.Add(1)
	for what, tc := range map[string]struct {
		password, email, username, tenant string
		codes                             string
	}{
		"common":                  {password: "password1234", codes: "common"},
		"common, longer":          {password: "qwertyuiop123456", codes: "common"},
		"common, dressed up":      {password: "P@ssw0rd12345", codes: "common"},
		"stolen":                  {password: stolen, codes: "breached"},
		"fifteen times a":         {password: strings.Repeat("a", 15), codes: "common"},
		"a sequence":              {password: "abcdefghijklmnop", codes: "common"},
		"digits in a row":         {password: "123456789012345", codes: "common"},
		"the local part":          {password: fmt.Sprintf("franklin%dabc!", n), email: fmt.Sprintf("franklin%d@example.com", n), codes: "contains_identity"},
		"the username":            {password: fmt.Sprintf("x-miner%d-x-2026", n), username: fmt.Sprintf("miner%d", n), codes: "contains_identity"},
		"the tenant's name":       {password: "Blue Kettle 2026", tenant: "Blue Kettle", codes: "contains_identity"},
		"the tenant's, joined":    {password: "bluekettle2026!", tenant: "Blue Kettle", codes: "contains_identity"},
		"the product":             {password: "forge1forge1forge1", codes: "common,contains_identity"},
		"a staple phrase":         {password: "correct battery horse staple tea", codes: ""},
		"small letters only":      {password: "umbrella gravel sonnet moss", codes: ""},
		"digits only, at random":  {password: "83051946270518", codes: ""},
		"letters without a blank": {password: "wqhzkvurtbmyx", codes: ""},
		"another script":          {password: "чайник поёт на рассвете", codes: ""},
	} {
		body := fields{"email": somebody(), "password": tc.password}
		if tc.email != "" {
			body["email"] = tc.email
		}
		if tc.username != "" {
			body["username"] = tc.username
		}
		if tc.tenant != "" {
			body["tenant"] = fields{"name": tc.tenant}
		}
		a := w.post(t, "register", body)
		if tc.codes == "" {
			if a.status != http.StatusAccepted {
				t.Errorf("%s: %s, want 202", what, a)
			}
			continue
		}
		a.want(t, http.StatusUnprocessableEntity, "password_policy")
		if got := a.str("errors.0.code"); !strings.Contains(","+tc.codes+",", ","+got+",") {
			t.Errorf("%s: reason %q, want one of %s", what, got, tc.codes)
		}
		if a.str("errors.0.field") != "/password" {
			t.Errorf("%s: field %q, want /password", what, a.str("errors.0.field"))
		}
	}
}

// payloads are texts that mean something to an interpreter.
func payloads() []string {
	return []string{
		"' OR '1'='1", "'; DROP TABLE users; --", `" OR ""="`, "') OR pg_sleep(10)--", "1; SELECT randomblob(1000000000)", "a' UNION SELECT password_hash FROM users--",
		`{"$gt":""}`, `'; return true; var x='`, "*)(uid=*))(|(uid=*", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}", "<%= 7*7 %>", "#{7*7}", "%s%s%n", "../../../etc/passwd",
		"x\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "\nSET a b\n", "`id`", "$(id)", "|id", "<script>alert(1)</script>", `\`, "%00", "%", "_%", "\u2028", "KEYS *",
	}
}

func injections(t *testing.T, w *world) {
	u := w.user(t)
	in := w.signIn(t, u)
	users := w.count(t, `SELECT count(*) FROM users`)
	for name, body := range endpoints() {
		for key, value := range body {
			if _, text := value.(string); !text {
				continue
			}
			for _, payload := range payloads() {
				a := w.post(t, name, changed(body, fields{key: payload}), plain)
				if a.status >= 500 && a.str("code") != "busy" {
					t.Errorf("%s: %s = %q: %s", name, key, payload, a)
				}
				if a.status == http.StatusOK {
					t.Errorf("%s: %s = %q: %s, want a refusal", name, key, payload, a)
				}
			}
		}
	}
	for _, payload := range payloads() {
		for _, name := range []string{"email", "username"} {
			if a := w.post(t, "login", fields{name: payload, "password": u.password}, plain); a.status == http.StatusOK || a.status >= 500 {
				t.Errorf("login: %s = %q: %s", name, payload, a)
			}
		}
		if a := w.post(t, "login", fields{"email": u.email, "password": payload}, plain); a.status == http.StatusOK || a.status >= 500 {
			t.Errorf("login: password %q: %s", payload, a)
		}
		if a := w.refresh(t, in.refresh+payload, plain); a.status != http.StatusUnauthorized && a.status != http.StatusBadRequest {
			t.Errorf("refresh: %q behind: %s", payload, a)
		}
		a := w.get(t, "sessions?cursor="+b64.EncodeToString([]byte(payload)), as(in.access))
		if a.status >= 500 {
			t.Errorf("sessions: cursor %q: %s", payload, a)
		}
		display := fields{"email": somebody(), "password": passphrase(), "display_name": payload}
		if a := w.post(t, "register", display); a.status >= 500 && a.str("code") != "busy" {
			t.Errorf("register: display_name %q: %s", payload, a)
		}
	}
	if after := w.count(t, `SELECT count(*) FROM users`); after != users {
		t.Errorf("the users went from %d to %d", users, after)
	}
	w.alive(t, "a session that was there before", in)
}
