package attack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func init() {
	row("REG-5", "usernames that look like another's", lookAlikes)
	row("REG-6", "addresses that a lenient parser takes", lenientAddresses)
	row("REG-7", "line breaks, markup and templates in what goes into mails", mailInjection)
}

// refused checks that registrations are refused as wrong, fast, and leave nothing.
func refused(t *testing.T, w *world, what string, body fields, field string) {
	t.Helper()
	before := w.count(t, `SELECT count(*) FROM registrations`)
	a := w.post(t, "register", body).want(t, http.StatusUnprocessableEntity, "validation_failed")
	if got := a.str("errors.0.field"); got != field {
		t.Errorf("%s: errors name %q, want %q", what, got, field)
	}
	if after := w.count(t, `SELECT count(*) FROM registrations`); after != before {
		t.Errorf("%s: a registration was kept", what)
	}
}

func lookAlikes(t *testing.T, w *world) {
	for what, name := range map[string]string{
		"full width":           "ａdmins",
		"Cyrillic":             "аdmins",
		"a zero-width space":   "admins\u200b",
		"a joiner":             "ad\u200dmins",
		"decomposed":           "ade\u0301le",
		"composed":             "adéle",
		"an address":           "admins@x.com",
		"Kelvin":               "\u212alaus",
		"long s":               "pa\u017fcal",
		"dotted capital I":     "\u0130gor",
		"right to left":        "\u202eanimda",
		"a soft hyphen":        "ad\u00admins",
		"a blank":              "ad mins",
		"a trailing blank":     "admins ",
		"a no-break space":     "ad\u00a0mins",
		"a line break":         "admins\n",
		"reserved":             "admin",
		"reserved in capitals": "ROOT",
		"short":                "ab",
		"long":                 strings.Repeat("a", 33),
		"a dot at the end":     "admins.",
	} {
		refused(t, w, what, fields{"email": somebody(), "password": passphrase(), "username": name}, "/username")
	}
	n := serial.Add(1)
	u := w.signUp(t, fields{"email": somebody(), "username": fmt.Sprintf("Carla%d", n)})
	twin := w.signUp(t, fields{"email": somebody(), "username": fmt.Sprintf("cARLA%d", n)})
	for _, form := range []string{"carla%d", "CARLA%d"} {
		a := w.post(t, "login", fields{"username": fmt.Sprintf(form, n), "password": u.password}).must(t, http.StatusOK)
		if a.str("user.id") != u.id {
			t.Errorf("login as %s: got another user", form)
		}
	}
	if name := w.text(t, `SELECT username FROM users WHERE id = ?`, twin.id); name != "NULL" {
		t.Errorf("the second owner of a name in another case is %q, want none", name)
	}
}

// lenient are addresses that must be refused.
func lenient() map[string]string {
	return map[string]string{
		"a display name":       "Bob <a@b.c>",
		"a comment":            "a@b.c (x)",
		"a comment inside":     "a(x)@b.c",
		"a quoted local part":  `"a b"@b.c`,
		"an address literal":   "a@[127.0.0.1]",
		"an IPv6 literal":      "a@[IPv6:::1]",
		"two addresses":        "a@b.c,d@e.f",
		"two with a semicolon": "a@b.c;d@e.f",
		"angle brackets":       "<a@b.example>",
		"a leading space":      " a@example.com",
		"a trailing space":     "a@example.com ",
		"a tab":                "a@example.com\t",
		"255 bytes":            "a@" + strings.Repeat("b.", 124) + "email",
		"a long local part":    strings.Repeat("a", 65) + "@example.com",
		"a long label":         "a@" + strings.Repeat("b", 64) + ".com",
		"an empty label":       "a@example..com",
		"a dot at the end":     "a@example.com.",
		"two signs":            "a@b@example.com",
		"no local part":        "@example.com",
		"nothing":              "",
		"a Unicode local part": "\u212aa@example.com",
		"a dotless i":          "\u0131@example.com",
		"a dotted capital I":   "\u0130@example.com",
		"a long s":             "\u017f@example.com",
		"a zero-width space":   "a\u200b@example.com",
		"an underscore domain": "a@exa_mple.com",
		"percent encoding":     "a%0d%0aBcc:x@example.com\r\n",
		"a NUL escape":         "a\u0001@example.com",
		"a DEL":                "a\u007f@example.com",
		"double dots":          "a..b@example.com",
	}
}

func lenientAddresses(t *testing.T, w *world) {
	for what, email := range lenient() {
		refused(t, w, what, fields{"email": email, "password": passphrase()}, "/email")
		if a := w.login(t, email, passphrase()); a.status != http.StatusUnprocessableEntity && a.status != http.StatusUnauthorized {
			t.Errorf("%s: login: %s, want 422 or 401", what, a)
		}
	}
	w.post(t, "register", fields{"email": strings.Repeat("(", 300_000), "password": passphrase()}).want(t, http.StatusRequestEntityTooLarge, "body_too_large")
	refused(t, w, "fifteen thousand brackets", fields{"email": strings.Repeat("(", 15_000), "password": passphrase()}, "/email")
	if n := len(w.mail.all("a@b.c")) + len(w.mail.all("d@e.f")); n != 0 {
		t.Errorf("%d mails to addresses that were refused", n)
	}
}

func mailInjection(t *testing.T, w *world) {
	for what, email := range map[string]string{
		"a line break":      "a@b.example\r\nBcc: x@y.example",
		"a bare line feed":  "a@b.example\nBcc: x@y.example",
		"one in the middle": "a\r\nBcc: x@y.example\r\n@b.example",
	} {
		refused(t, w, what, fields{"email": email, "password": passphrase()}, "/email")
	}
	encoded := fmt.Sprintf("a%d%%0d%%0aBcc:x@example.com", serial.Add(1))
	if a := w.post(t, "register", fields{"email": encoded, "password": passphrase()}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a colon in the local part: %s, want 422", a)
	}
	for what, name := range map[string]string{
		"line breaks": "Eve\r\nBcc: x@y.example", "markup": `<script>alert(1)</script><img src=x onerror=alert(1)>`, "a template": "{{.}} {{printf \"%s\" .}} ${7*7}",
		"a link": "Your prize: https://evil.example/x",
	} {
		email := somebody()
		body := fields{"email": email, "password": passphrase(), "display_name": name, "tenant": fields{"name": strings.ReplaceAll(name, "\r\n", " ")}}
		a := w.post(t, "register", body)
		if a.status == http.StatusUnprocessableEntity {
			continue
		}
		if a.status != http.StatusAccepted {
			t.Errorf("%s: %s, want 202 or 422", what, a)
			continue
		}
		w.verify(t, w.token(t, email, "verify", 1)).must(t, http.StatusOK)
		w.mails(t, email)
		for _, l := range w.mail.all(email) {
			inert(t, what, email, l)
		}
	}
	if n := len(w.mail.all("x@y.example")) + len(w.mail.all("x@example.com")); n != 0 {
		t.Errorf("%d mails to an address that was smuggled in", n)
	}
}

// inert checks that a mail has one recipient, no header of another's making and no markup of another's making.
func inert(t *testing.T, what, email string, l letter) {
	t.Helper()
	if to := l.header["To"]; len(to) != 1 || strings.Contains(to[0], ",") || !strings.Contains(to[0], email) {
		t.Errorf("%s: To is %q, want %s alone", what, to, email)
	}
	known := map[string]bool{
		"From": true, "To": true, "Subject": true, "Date": true, "Message-Id": true, "Mime-Version": true, "Content-Type": true,
		"Content-Transfer-Encoding": true, "Auto-Submitted": true, "X-Auto-Response-Suppress": true, "User-Agent": true, "X-Mailer": true, "Precedence": true,
	}
	for name, values := range l.header {
		if !known[name] || len(values) != 1 {
			t.Errorf("%s: header %s: %q, want none", what, name, values)
		}
	}
	for _, bad := range []string{"<script", "<img src=x", "onerror=alert(1)>"} {
		if strings.Contains(l.html, bad) {
			t.Errorf("%s: the HTML holds %s", what, bad)
		}
	}
	for _, bad := range []string{"49", "0xc0", "map["} {
		if strings.Contains(l.subject, bad) {
			t.Errorf("%s: the subject was computed: %s", what, l.subject)
		}
	}
	if strings.Contains(l.html, `href="https://evil`) {
		t.Errorf("%s: the HTML links to another's address", what)
	}
}
