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
