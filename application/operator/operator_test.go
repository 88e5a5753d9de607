package operator_test

import (
	"errors"
	"testing"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func add(t *testing.T, w *identity.World, c inbound.NewUser) (user.ID, tenant.ID) {
	t.Helper()
	c.Password = identity.Password
	id, in, err := w.Ops.CreateUser(t.Context(), c)
	if err != nil {
		t.Fatalf("create user: %v", err)
	}
	return id, in
}

func TestAnOperatorsUserCanSignIn(t *testing.T) {
	w := identity.New(t)
	id, in := add(t, w, inbound.NewUser{Email: "Ada@example.com", Username: "ada", PlatformAdmin: true})
	got, err := w.Auth.Login(t.Context(), inbound.Login{Username: "ada", Password: secret.New(identity.Password)})
	if err != nil || got.Tokens.UserID != id || got.Tokens.TenantID != in {
		t.Fatalf("login: got %v, %v", got.Tokens, err)
	}
	u, err := w.DB.View().Users.Find(t.Context(), id)
	if err != nil || !u.PlatformAdmin() {
		t.Errorf("platform admin: %v, %v", u.PlatformAdmin(), err)
	}
	if letters := w.Mails(t); len(letters) != 0 {
		t.Errorf("mails: %v", letters)
	}
	other, _ := add(t, w, inbound.NewUser{Email: "bob@example.com"})
	if u, err := w.DB.View().Users.Find(t.Context(), other); err != nil || u.PlatformAdmin() {
		t.Errorf("platform admin by default: %v, %v", u.PlatformAdmin(), err)
	}
}

func TestTheTenantIsJoinedOrMade(t *testing.T) {
	w := identity.New(t)
	founder, acme := add(t, w, inbound.NewUser{Email: "a@example.com", Tenant: "Acme Ltd", Role: "viewer"})
	for name, c := range map[string]struct {
		in   inbound.NewUser
		same bool
		role tenant.Role
	}{
		"by name":        {inbound.NewUser{Email: "b@example.com", Tenant: "Acme Ltd", Role: "viewer"}, true, tenant.Viewer},
		"by slug":        {inbound.NewUser{Email: "c@example.com", Tenant: "acme-ltd", Role: "member"}, true, tenant.Plain},
		"as owner":       {inbound.NewUser{Email: "d@example.com", Tenant: "acme-ltd"}, true, tenant.Owner},
		"another":        {inbound.NewUser{Email: "e@example.com", Tenant: "Umbrella", Role: "admin"}, false, tenant.Owner},
		"a personal one": {inbound.NewUser{Email: "acme-ltd@example.com"}, false, tenant.Owner},
	} {
		id, in := add(t, w, c.in)
		made, err := w.DB.View().Tenants.Find(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if role, _ := made.RoleOf(id); (in == acme) != c.same || role != c.role || made.Personal() != (c.in.Tenant == "") {
			t.Errorf("%s: got the same %v, role %s, personal %v", name, in == acme, role, made.Personal())
		}
	}
	made, err := w.DB.View().Tenants.Find(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	if role, _ := made.RoleOf(founder); role != tenant.Owner {
		t.Errorf("the founder is %s, want owner", role)
	}
}

func TestTheRulesOfRegistrationHold(t *testing.T) {
	w := identity.New(t)
	add(t, w, inbound.NewUser{Email: "taken@example.com", Username: "taken"})
	for name, c := range map[string]struct {
		in   inbound.NewUser
		code string
	}{
		"a bad address":    {inbound.NewUser{Email: "x"}, "validation_failed"},
		"a bad username":   {inbound.NewUser{Email: "a@example.com", Username: "-"}, "validation_failed"},
		"a bad role":       {inbound.NewUser{Email: "a@example.com", Role: "king"}, "validation_failed"},
		"a weak password":  {inbound.NewUser{Email: "a@example.com", Password: "short"}, "password_policy"},
		"a taken address":  {inbound.NewUser{Email: "TAKEN@example.com"}, "email_taken"},
		"a taken username": {inbound.NewUser{Email: "a@example.com", Username: "taken"}, "username_taken"},
		"a bad tenant":     {inbound.NewUser{Email: "a@example.com", Tenant: "a\nb"}, "validation_failed"},
	} {
		if c.in.Password == "" {
			c.in.Password = identity.Password
		}
		_, _, err := w.Ops.CreateUser(t.Context(), c.in)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
	if _, err := w.DB.View().Users.FindByEmail(t.Context(), "a@example.com"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("a refused user is there: %v", err)
	}
	w.Hasher.Fail(fault.ErrBusy)
	if _, _, err := w.Ops.CreateUser(t.Context(), inbound.NewUser{Email: "a@example.com", Password: identity.Password}); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("no room to hash: got %v", err)
	}
}

func TestAKeyForAUser(t *testing.T) {
	w := identity.New(t)
	id, in := add(t, w, inbound.NewUser{Email: "ada@example.com", Tenant: "Acme"})
	for name, where := range map[string]string{"the oldest": "", "by slug": "acme", "by id": string(in)} {
		made, err := w.Ops.CreateKey(t.Context(), "ADA@example.com", where, inbound.CreateKey{Name: "k", Scopes: []string{"ai", "router"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c := w.Caller(t, made.Key); c.UserID != id || c.TenantID != in || c.KeyID != made.View.ID || len(c.Scopes) != 2 || made.View.Name != "k" {
			t.Errorf("%s: got %+v", name, c)
		}
	}
	for name, c := range map[string]struct {
		email, where string
		in           inbound.CreateKey
		code         string
	}{
		"a bad address":     {"x", "", inbound.CreateKey{Name: "k"}, "validation_failed"},
		"an unknown user":   {"nobody@example.com", "", inbound.CreateKey{Name: "k"}, "not_found"},
		"another tenant":    {"ada@example.com", "other", inbound.CreateKey{Name: "k"}, "not_found"},
		"a bad scope":       {"ada@example.com", "", inbound.CreateKey{Name: "k", Scopes: []string{"all"}}, "validation_failed"},
		"no name":           {"ada@example.com", "", inbound.CreateKey{}, "validation_failed"},
		"an expiry that is": {"ada@example.com", "", inbound.CreateKey{Name: "k", ExpiresAt: w.Clock.Now()}, "validation_failed"},
	} {
		_, err := w.Ops.CreateKey(t.Context(), c.email, c.where, c.in)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
	w.Faults.Down(fault.ErrDependency)
	if _, err := w.Ops.CreateKey(t.Context(), "ada@example.com", "", inbound.CreateKey{Name: "k"}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("no database: got %v", err)
	}
	if _, _, err := w.Ops.CreateUser(t.Context(), inbound.NewUser{Email: "b@example.com", Password: identity.Password}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("no database: got %v", err)
	}
}
