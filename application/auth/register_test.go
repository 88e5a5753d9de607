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
			if _, err := w.Auth.Register(t.Context(), inbound.Register{Email: ada, Password: secret.New(identity.Password)}); err != nil {
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

func verify(t *testing.T, w *identity.World, token string) inbound.Verified {
	t.Helper()
	v, err := w.Auth.VerifyEmail(t.Context(), token, inbound.Origin{})
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return v
}

func TestVerifyMakesTheUserAndItsTenant(t *testing.T) {
	w := identity.New(t)
	for name, c := range map[string]struct {
		in       inbound.Register
		slug     string
		personal bool
		named    string
	}{
		"personal, of the local part":   {inbound.Register{Email: "Grace.Hopper@example.com"}, "grace-hopper", true, "grace.hopper"},
		"personal, of the username":     {inbound.Register{Email: "g@example.com", Username: "Amazing.Grace"}, "amazing-grace", true, "amazing.grace"},
		"personal, of the display name": {inbound.Register{Email: "m@example.com", DisplayName: " Margaret H. "}, "margaret-h", true, "Margaret H."},
		"personal, of a blank name":     {inbound.Register{Email: "blank@example.com", DisplayName: "  "}, "blank", true, "blank"},
		"named":                         {inbound.Register{Email: "a@example.com", HasTenant: true, TenantName: "Analytical Engines Ltd."}, "analytical-engines-ltd", false, "Analytical Engines Ltd."},
		"with a slug":                   {inbound.Register{Email: "b@example.com", HasTenant: true, TenantName: "Babbage", TenantSlug: "difference"}, "difference", false, "Babbage"},
	} {
		v := verify(t, w, w.Register(t, c.in))
		if v.TenantSlug != c.slug || v.UsernameAssigned != (c.in.Username != "") {
			t.Errorf("%s: got %+v, want slug %s", name, v, c.slug)
		}
		made, err := w.DB.View().Tenants.Find(t.Context(), v.TenantID)
		if err != nil {
			t.Fatal(err)
		}
		if role, _ := made.RoleOf(v.UserID); role != tenant.Owner || made.Personal() != c.personal || made.Name() != c.named {
			t.Errorf("%s: got role %q, personal %v, name %q", name, role, made.Personal(), made.Name())
		}
		if letters := w.Letters(t); len(letters) != 1 || letters[0].To != c.in.Email || letters[0].Subject != "Your account is ready" {
			t.Errorf("%s: got mails %v, want a welcome", name, letters)
		}
	}
}

func TestATakenSlugGetsFourRandomCharacters(t *testing.T) {
	w := identity.New(t)
	var slugs []string
	for i, c := range []inbound.Register{{TenantName: "Acme"}, {TenantName: "ACME"}, {TenantName: "Other", TenantSlug: "acme"}} {
		c.Email, c.HasTenant = fmt.Sprintf("u%d@example.com", i), true
		slugs = append(slugs, verify(t, w, w.Register(t, c)).TenantSlug)
		w.Letters(t)
	}
	if slugs[0] != "acme" {
		t.Errorf("the first: got %s, want acme", slugs[0])
	}
	for _, s := range slugs[1:] {
		if len(s) != len("acme-xxxx") || !strings.HasPrefix(s, "acme-") || tenant.CheckSlug(s) != nil {
			t.Errorf("got %s, want acme- and four characters", s)
		}
	}
	if slugs[1] == slugs[2] {
		t.Errorf("both are %s", slugs[1])
	}
}

func TestAUsernameGoesToWhoVerifiesFirst(t *testing.T) {
	w := identity.New(t)
	tokens := map[string]string{}
	for _, email := range []string{"first@example.com", "second@example.com"} {
		tokens[email] = w.Register(t, inbound.Register{Email: email, Username: "ada"})
	}
	first, second := verify(t, w, tokens["first@example.com"]), verify(t, w, tokens["second@example.com"])
	if !first.UsernameAssigned || second.UsernameAssigned {
		t.Errorf("got %v and %v, want true and false", first.UsernameAssigned, second.UsernameAssigned)
	}
	if u, err := w.DB.View().Users.FindByUsername(t.Context(), "ada"); err != nil || u.ID() != first.UserID {
		t.Errorf("got %v, %v", u, err)
	}
}

func TestAllButOneOfTwentyVerificationsFail(t *testing.T) {
	w := identity.New(t)
	token := w.Register(t, inbound.Register{Email: ada})
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		good int
	)
	for range 20 {
		all.Go(func() {
			_, err := w.Auth.VerifyEmail(t.Context(), token, inbound.Origin{})
			if err != nil && !errors.Is(err, auth.ErrTokenInvalid) {
				t.Errorf("got %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				good++
			}
		})
	}
	all.Wait()
	if good != 1 {
		t.Errorf("%d succeeded, want 1", good)
	}
}

func TestEveryBadMailTokenIsRefusedAlike(t *testing.T) {
	w := identity.New(t)
	used := w.Register(t, inbound.Register{Email: ada})
	verify(t, w, used)
	w.Letters(t)
	expired := w.Register(t, inbound.Register{Email: "late@example.com"})
	w.Clock.Advance(24 * time.Hour)
	fresh := w.Register(t, inbound.Register{Email: "fresh@example.com"})
	for name, token := range map[string]string{
		"unknown": strings.Repeat("A", 43), "used": used, "expired": expired, "empty": "", "short": fresh[:42], "long": fresh + "A",
		"padded": fresh + "=", "with a blank": fresh + " ", "not base64": strings.Repeat("!", 43), "huge": strings.Repeat("A", 1<<20),
	} {
		v, err := w.Auth.VerifyEmail(t.Context(), token, inbound.Origin{})
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != "token_invalid" || f.Kind != fault.Malformed || v != (inbound.Verified{}) {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
	verify(t, w, fresh)
}

func TestTheRivalsTokenAndPasswordDieWhenOneVerifies(t *testing.T) {
	w := identity.New(t)
	mine := w.Register(t, inbound.Register{Email: ada, Password: secret.New("my own long password")})
	rival := w.Register(t, inbound.Register{Email: "ADA@example.com", Password: secret.New("the rival's password")})
	verify(t, w, mine)
	if _, err := w.Auth.VerifyEmail(t.Context(), rival, inbound.Origin{}); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("the rival's token: got %v", err)
	}
	login := func(password string) error {
		_, err := w.Auth.Login(t.Context(), inbound.Login{Email: ada, Password: secret.New(password)})
		return err
	}
	if err := login("my own long password"); err != nil {
		t.Errorf("the password of the token that was used: %v", err)
	}
	if err := login("the rival's password"); !errors.Is(err, auth.ErrInvalidCredentials) {
		t.Errorf("the rival's password: got %v", err)
	}
}

func TestARegistrationThatOutlivedTheVerificationIsWorthNothing(t *testing.T) {
	w := identity.New(t)
	token := w.Register(t, inbound.Register{Email: ada})
	if _, _, err := w.Ops.CreateUser(t.Context(), inbound.NewUser{Email: ada, Password: identity.Password}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Auth.VerifyEmail(t.Context(), token, inbound.Origin{}); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("got %v, want %v", err, auth.ErrTokenInvalid)
	}
}

func TestVerifyFailsWithTheDatabase(t *testing.T) {
	w := identity.New(t)
	token := w.Register(t, inbound.Register{Email: ada})
	w.Faults.Down(fault.ErrDependency)
	if _, err := w.Auth.VerifyEmail(t.Context(), token, inbound.Origin{}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("got %v", err)
	}
	w.Faults.Down(nil)
	verify(t, w, token)
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
