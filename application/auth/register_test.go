package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

const ada = "ada@example.com"

// register registers an address with the usual password and must succeed.
func register(t *testing.T, w *identity.World, c inbound.Register) {
	t.Helper()
	if c.Password.Empty() {
		c.Password = secret.New(identity.Password)
	}
	if c.Origin.IP == "" {
		c.Origin = identity.Somewhere()
	}
	got, err := w.Auth.Register(t.Context(), c)
	if err != nil || got != (inbound.Registered{ExpiresIn: 24 * time.Hour}) {
		t.Fatalf("register: got %v, %v", got, err)
	}
}

func TestRegisterAnswersAndWorksAlikeForEveryAddress(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	for name, c := range map[string]struct{ email, subject string }{
		"new":      {"bob@example.com", "Confirm your e-mail address"},
		"pending":  {"bob@example.com", "Confirm your e-mail address"},
		"verified": {"ADA@example.COM", "You already have an account"},
	} {
		hashes, dos, views, woken := w.Hasher.Hashes.Load(), w.Faults.Dos.Load(), w.Faults.Views.Load(), w.Post.Woken.Load()
		register(t, w, inbound.Register{Email: c.email})
		if n := w.Hasher.Hashes.Load() - hashes; n != 1 {
			t.Errorf("%s: %d hashes, want 1", name, n)
		}
		if do, view := w.Faults.Dos.Load()-dos, w.Faults.Views.Load()-views; do != 1 || view != 0 {
			t.Errorf("%s: %d transactions and %d views, want 1 and 0", name, do, view)
		}
		if n := w.Post.Woken.Load() - woken; n != 1 {
			t.Errorf("%s: postman woken %d times, want 1", name, n)
		}
		letters := w.Mails(t)
		if len(letters) != 1 || letters[0].Subject != c.subject || !strings.EqualFold(letters[0].To, c.email) {
			t.Errorf("%s: got mails %v, want %q", name, letters, c.subject)
		}
		if v := w.Hasher.Verifies.Load(); v != 0 {
			t.Errorf("%s: %d verifications", name, v)
		}
	}
}

func TestTheNoticeGoesToTheStoredAddressAndHoldsNoLink(t *testing.T) {
	w := identity.New(t)
	w.User(t, "Ada@Example.com", "")
	register(t, w, inbound.Register{Email: "aDA@example.com"})
	letters := w.Letters(t)
	if len(letters) != 1 || letters[0].To != "Ada@Example.com" || strings.Contains(letters[0].Text, "token") {
		t.Errorf("got %v", letters)
	}
}

func TestNoMoreThanThreeMailsAnHour(t *testing.T) {
	for name, verified := range map[string]bool{"of an address that waits": false, "of an address with an account": true} {
		t.Run(name, func(t *testing.T) {
			w := identity.New(t)
			if verified {
				w.User(t, ada, "")
			}
			for range 10 {
				register(t, w, inbound.Register{Email: ada})
			}
			if n := len(w.Letters(t)); n != 3 {
				t.Errorf("got %d mails, want 3", n)
			}
			w.Clock.Advance(59 * time.Minute)
			register(t, w, inbound.Register{Email: ada})
			if n := len(w.Letters(t)); n != 0 {
				t.Errorf("within the hour: got %d mails, want none", n)
			}
			w.Clock.Advance(2 * time.Minute)
			register(t, w, inbound.Register{Email: ada})
			if n, want := len(w.Letters(t)), map[bool]int{true: 1, false: 0}[verified]; n != want {
				t.Errorf("after the hour: got %d mails, want %d, for three still wait when there is no account", n, want)
			}
			w.Clock.Advance(24 * time.Hour)
			register(t, w, inbound.Register{Email: ada})
			if n := len(w.Letters(t)); n != 1 {
				t.Errorf("after a day: got %d mails, want 1", n)
			}
		})
	}
}

func TestFiftyAtOnceMakeThreeRegistrations(t *testing.T) {
	w := identity.New(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := w.Auth.Register(t.Context(), inbound.Register{Email: ada, Password: secret.New(identity.Password), Origin: identity.Somewhere()}); err != nil {
				t.Errorf("register: %v", err)
			}
		})
	}
	all.Wait()
	if n := len(w.Letters(t)); n != 3 {
		t.Errorf("got %d mails, want 3", n)
	}
}

func TestRegisterSaysAllThatIsWrong(t *testing.T) {
	w := identity.New(t)
	for name, c := range map[string]struct {
		in     inbound.Register
		code   string
		fields string
	}{
		"everything": {
			inbound.Register{Email: "x", Username: "a", DisplayName: "a\nb", HasTenant: true, TenantName: " ", TenantSlug: "-"},
			"validation_failed",
			"/email invalid_email, /username invalid_username, /display_name invalid_character, /tenant/name too_short, /tenant/slug invalid_slug",
		},
		"a tenant without name":    {inbound.Register{Email: ada, HasTenant: true}, "validation_failed", "/tenant/name too_short"},
		"a reserved name":          {inbound.Register{Email: ada, Username: "Admin"}, "validation_failed", "/username reserved"},
		"a short password":         {inbound.Register{Email: ada, Password: secret.New("elevenchars")}, "password_policy", "/password too_short"},
		"the address as password":  {inbound.Register{Email: "lovelace@example.com", Password: secret.New("Lovelace 1815")}, "password_policy", "/password contains_identity"},
		"the username as password": {inbound.Register{Email: ada, Username: "the.countess", Password: secret.New("TheCountess-1815")}, "password_policy", "/password contains_identity"},
		"the tenant as password": {
			inbound.Register{Email: ada, HasTenant: true, TenantName: "Analytical Engines", Password: secret.New("analytical engines 2026")},
			"password_policy", "/password contains_identity",
		},
	} {
		if c.in.Password.Empty() {
			c.in.Password = secret.New(identity.Password)
		}
		_, err := w.Auth.Register(t.Context(), c.in)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid || f.Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
			continue
		}
		var fields []string
		for _, at := range f.Fields {
			fields = append(fields, at.Pointer+" "+at.Code)
		}
		if got := strings.Join(fields, ", "); got != c.fields {
			t.Errorf("%s: got %s, want %s", name, got, c.fields)
		}
	}
	if n := w.Hasher.Hashes.Load(); n != 0 {
		t.Errorf("%d hashes for input that is refused", n)
	}
}

func TestRegisterFailsWhole(t *testing.T) {
	w := identity.New(t)
	c := inbound.Register{Email: ada, Password: secret.New(identity.Password)}
	w.Hasher.Fail(fault.ErrBusy)
	if _, err := w.Auth.Register(t.Context(), c); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("no room to hash: got %v", err)
	}
	w.Hasher.Fail(nil)
	w.Faults.Down(fault.ErrDependency)
	if _, err := w.Auth.Register(t.Context(), c); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("no database: got %v", err)
	}
	if n := w.Post.Woken.Load(); n != 0 {
		t.Errorf("postman woken %d times for nothing", n)
	}
}

func TestLinksLeadWhereTheOperatorSaid(t *testing.T) {
	w := identity.New(t)
	own := w.Node(t, func(c *auth.Config) { c.AuthUIURL, c.VerifyTTL = "https://app.example/account", 90*time.Minute })
	for _, c := range []struct {
		node       *identity.World
		link, life string
	}{
		{w, "\nhttps://forge.example/auth/verify?token=", "for 24 hours."},
		{own, "\nhttps://app.example/account/verify?token=", "for 90 minutes."},
	} {
		if _, err := c.node.Auth.Register(t.Context(), inbound.Register{Email: ada, Password: secret.New(identity.Password)}); err != nil {
			t.Fatal(err)
		}
		if l := w.Letters(t); len(l) != 1 || !strings.Contains(l[0].Text, c.link) || !strings.Contains(l[0].Text, c.life) {
			t.Errorf("got %v, want %s and %s", l, c.link, c.life)
		}
	}
}

func TestNobodyCanWriteIntoTheMail(t *testing.T) {
	w := identity.New(t)
	register(t, w, inbound.Register{
		Email: ada, Username: "cheap.pills", DisplayName: "WIN https://evil.example <script>", HasTenant: true, TenantName: "{{.}} buy now",
	})
	for _, m := range w.Letters(t) {
		for _, smuggled := range []string{"evil", "pills", "script", "buy"} {
			if strings.Contains(strings.ToLower(m.Subject+m.Text), smuggled) {
				t.Errorf("mail holds %q:\n%s", smuggled, m.Text)
			}
		}
	}
}

func TestTokensAreLongAndDiffer(t *testing.T) {
	w := identity.New(t)
	seen := map[string]bool{}
	for i := range 20 {
		token := w.Register(t, inbound.Register{Email: fmt.Sprintf("u%d@example.com", i)})
		if seen[token] || len(token) != 43 {
			t.Errorf("token %d: %d characters, seen %v", i, len(token), seen[token])
		}
		seen[token] = true
	}
}

func TestPersonalTenantsNameIsNeverRefused(t *testing.T) {
	w := identity.New(t)
	for i, local := range []string{"+", "a", "-.-", strings.Repeat("x", 64), "!#$%&'*/=?^_`{|}~"} {
		v := verify(t, w, w.Register(t, inbound.Register{Email: fmt.Sprintf("%s@d%d.example.com", local, i)}))
		if tenant.CheckSlug(v.TenantSlug) != nil {
			t.Errorf("%q: slug %q", local, v.TenantSlug)
		}
		w.Letters(t)
	}
}
