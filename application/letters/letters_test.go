package letters_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

const token = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

var (
	config = letters.Config{PublicBaseURL: "https://forge.example", VerifyTTL: 24 * time.Hour, ResetTTL: 30 * time.Minute, InviteTTL: time.Hour}
	to     = user.RestoreEmail("Ada@Example.com", "ada@example.com")
	link   = regexp.MustCompile(`https?://[^\s"<]+`)
)

func all(w letters.Writer) map[string]outbound.Mail {
	return map[string]outbound.Mail{
		"verification":       w.Verification(to, token),
		"already registered": w.AlreadyRegistered(to),
		"register again":     w.RegisterAgain(to),
		"welcome":            w.Welcome(to),
		"reset":              w.Reset(to, token),
		"password changed":   w.PasswordChanged(to),
		"password reset":     w.PasswordReset(to),
		"mfa enabled":        w.MFAEnabled(to),
		"mfa disabled":       w.MFADisabled(to),
		"recovery used":      w.RecoveryUsed(to, 3),
		"otp locked":         w.OTPLocked(to),
		"token reused":       w.TokenReused(to),
		"invitation":         w.Invitation(to, "Acme", tenant.Admin, token),
		"member joined":      w.MemberJoined(to, "Acme", tenant.Viewer),
	}
}

// plain makes an HTML letter's body one line of text.
func plain(html string) string {
	_, body, _ := strings.Cut(html, "<body")
	body = regexp.MustCompile(`(?s)^[^>]*>|<[^>]*>`).ReplaceAllString(body, " ")
	return strings.Join(strings.Fields(strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(body)), " ")
}

func TestEveryLetterSaysTheSameInBothForms(t *testing.T) {
	subjects := map[string]bool{}
	for name, m := range all(letters.New(config)) {
		if m.To != "Ada@Example.com" || m.Subject == "" || subjects[m.Subject] || strings.ContainsAny(m.Subject, "\r\n{}") {
			t.Errorf("%s: to %q, subject %q", name, m.To, m.Subject)
		}
		subjects[m.Subject] = true
		if !strings.Contains(m.HTML, "<title>"+m.Subject+"</title>") {
			t.Errorf("%s: HTML has no title", name)
		}
		for paragraph := range strings.SplitSeq(m.Text, "\n") {
			if p := strings.TrimSuffix(strings.TrimSpace(paragraph), ":"); p != "--" && !strings.Contains(plain(m.HTML), p) {
				t.Errorf("%s: %q is not in %q", name, p, plain(m.HTML))
			}
		}
		for form, body := range map[string]string{"text": m.Text, "HTML": m.HTML} {
			if strings.Contains(body, "{{") || strings.Contains(body, "<no value>") || strings.Contains(body, "%!") || strings.Contains(body, "Zgotmpl") {
				t.Errorf("%s as %s: not filled: %s", name, form, body)
			}
			if strings.Contains(body, "src=") || strings.Contains(body, "<script") {
				t.Errorf("%s as %s: loads something", name, form)
			}
		}
	}
}

func TestEveryLinkIsOfTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct{ ui, want string }{
		"pages of Forge":   {"", "https://forge.example/auth/"},
		"pages of another": {"https://app.example/sign-in", "https://app.example/sign-in/"},
	} {
		config := config
		config.AuthUIURL = c.ui
		w := letters.New(config)
		for page, m := range map[string]outbound.Mail{
			"verify": w.Verification(to, token), "reset": w.Reset(to, token), "invite": w.Invitation(to, "Acme", tenant.Plain, token),
		} {
			want := c.want + page + "?token=" + token
			if !strings.Contains(m.Text, want+"\n") || strings.Count(m.HTML, `href="`+want+`"`) != 1 || strings.Count(m.HTML, want) != 2 {
				t.Errorf("%s, %s: not %s in %s and %s", name, page, want, m.Text, m.HTML)
			}
		}
		for kind, m := range all(w) {
			for _, found := range link.FindAllString(m.Text+m.HTML, -1) {
				found = strings.TrimRight(found, ".,")
				if found != "https://forge.example" && !strings.HasPrefix(found, c.want) {
					t.Errorf("%s, %s: leads to %s", name, kind, found)
				}
			}
		}
	}
}

func TestLettersSayHowLongALinkWorks(t *testing.T) {
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "24 hours", time.Hour: "one hour", 90 * time.Minute: "90 minutes", time.Minute: "one minute", time.Second: "one minute",
	} {
		w := letters.New(letters.Config{PublicBaseURL: "https://forge.example", VerifyTTL: d, ResetTTL: d, InviteTTL: d})
		for _, m := range []outbound.Mail{w.Verification(to, token), w.Reset(to, token), w.Invitation(to, "Acme", tenant.Plain, token)} {
			if !strings.Contains(m.Text, "once, for "+want+".") {
				t.Errorf("%v: no %q in %s", d, want, m.Text)
			}
		}
	}
}

func TestLettersCountRecoveryCodes(t *testing.T) {
	for left, want := range map[int]string{0: "None is left", 1: "One is left", 2: "2 are left", 9: "9 are left"} {
		if m := letters.New(config).RecoveryUsed(to, left); !strings.Contains(m.Text, want) {
			t.Errorf("%d: no %q in %s", left, want, m.Text)
		}
	}
}

func TestATenantsNameSaysNothingMoreThanItself(t *testing.T) {
	for name, c := range map[string]struct{ typed, text, html string }{
		"a plain name":         {"Acme & Sons", "“Acme & Sons”", "“Acme &amp; Sons”"},
		"markup":               {`<a href=x>"'`, `“<a href=x>"'”`, "“&lt;a href=x&gt;&#34;&#39;”"},
		"a template":           {"{{.Link}}%s", "“{{. Link}}%s”", "“{{. Link}}%s”"},
		"a domain":             {"evil.example", "“evil. example”", "“evil. example”"},
		"a domain in Chinese":  {"evil。example", "“evil。 example”", "“evil。 example”"},
		"a link":               {"https://evil/x", "“https: / / evil/ x”", "“https: / / evil/ x”"},
		"an address":           {"a@evil", "“a@ evil”", "“a@ evil”"},
		"lines":                {"a\r\nBcc: b\u2028c\u202ed", "“a Bcc: b c d”", "“a Bcc: b c d”"},
		"a name that ends so":  {"Acme Ltd.", "“Acme Ltd.”", "“Acme Ltd.”"},
		"sixty characters":     {strings.Repeat("ü", 60), "“" + strings.Repeat("ü", 60) + "”", "ü”"},
		"more than sixty":      {strings.Repeat("ü", 61), "“" + strings.Repeat("ü", 60) + "…”", "ü…”"},
		"nothing but a format": {"\u202e", "“”", "“”"},
	} {
		w := letters.New(config)
		for _, m := range []outbound.Mail{w.Invitation(to, c.typed, tenant.Plain, token), w.MemberJoined(to, c.typed, tenant.Plain)} {
			if !strings.Contains(m.Text, c.text) || !strings.Contains(m.HTML, c.html) {
				t.Errorf("%s: no %q in %s, or no %q in %s", name, c.text, m.Text, c.html, m.HTML)
			}
			if m.Subject != letters.New(config).Invitation(to, "Acme", tenant.Plain, token).Subject && m.Subject != letters.New(config).MemberJoined(to, "Acme", tenant.Plain).Subject {
				t.Errorf("%s: in the subject %q", name, m.Subject)
			}
		}
	}
}

func TestALetterIsPutSealedAndOncePerEvent(t *testing.T) {
	world := identity.New(t)
	post := letters.Post{Keyring: world.Keys, NewID: identity.NewID}
	box, now := world.DB.View().Outbox, world.Clock.Now()
	letter := letters.New(config).Reset(to, token)
	for _, key := range []string{"a", "b", "a"} {
		if err := post.Put(t.Context(), box, key, letter, now); err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := box.Claim(t.Context(), now, now.Add(time.Hour), 10)
	if err != nil || len(waiting) != 2 {
		t.Fatalf("got %d, %v, want 2", len(waiting), err)
	}
	for _, m := range waiting {
		if strings.Contains(string(m.Sealed), token) {
			t.Error("the token can be read")
		}
		plain, err := world.Keys.Open("outbox", m.Sealed, []byte(m.ID))
		var got outbound.Mail
		if err != nil || json.Unmarshal(plain, &got) != nil || got.ID != m.ID || got.HTML != letter.HTML || got.Text != letter.Text {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestSilenceIsKeptOnceInAWhileForAnAddress(t *testing.T) {
	world := identity.New(t)
	post := letters.Post{Keyring: world.Keys, NewID: identity.NewID}
	box := world.DB.View().Outbox
	silence := func(canon string) {
		t.Helper()
		if err := post.Silence(t.Context(), box, canon, world.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, canon := range []string{"ada@example.com", "ada@example.com", "bob@example.com"} {
		silence(canon)
	}
	world.Clock.Advance(letters.Window)
	silence("ada@example.com")
	if n := len(world.Mails(t)); n != 3 {
		t.Errorf("got %d, want 3", n)
	}
	err := post.Silence(t.Context(), broken{}, "ada@example.com", world.Clock.Now())
	if err == nil || strings.Contains(err.Error(), "ada@example.com") {
		t.Errorf("a box that fails: got %v", err)
	}
}
