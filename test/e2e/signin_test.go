package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

type tokens struct {
	Status       string `json:"status"`
	TokenType    string `json:"token_type"`
	Access       string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"`
	Refresh      string `json:"refresh_token"`
	RefreshesFor int    `json:"refresh_expires_in"`
	Session      struct {
		ID       string   `json:"id"`
		TenantID string   `json:"tenant_id"`
		AMR      []string `json:"amr"`
	} `json:"session"`
	User struct {
		Email    string `json:"email"`
		Username string `json:"username"`
	} `json:"user"`
}

func TestANewcomerRegistersVerifiesSignsInAsksAndLeaves(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			f := harness.New(t, harness.Options{Stores: stores})
			nobody := f.As("")
			const email, password = "Lin.Day@example.com", "the teapot sings at dawn"

			reg := nobody.Do(t, http.MethodPost, "/api/v1/auth/register", map[string]any{
				"email": email, "password": password, "username": "Lin", "tenant": map[string]string{"name": "Tea House"},
			})
			if reg.Status != http.StatusAccepted || reg.Field("status") != "verification_required" {
				t.Fatalf("register: got %d %s, want 202 verification_required", reg.Status, reg.Body)
			}
			again := nobody.Do(t, http.MethodPost, "/api/v1/auth/register", map[string]any{"email": f.Email, "password": password})
			if string(again.Body) != string(reg.Body) {
				t.Errorf("register of a known address: got %s, want the same as for a new one %s", again.Body, reg.Body)
			}
			login := map[string]string{"email": email, "password": password}
			if a := nobody.Do(t, http.MethodPost, "/api/v1/auth/login", login); a.Status != http.StatusForbidden || a.Field("code") != "email_not_verified" {
				t.Errorf("login before verification: got %d %s, want 403 email_not_verified", a.Status, a.Body)
			}

			token := f.TokenMailedTo(t, email, "verify")
			var verified struct {
				Status           string `json:"status"`
				UsernameAssigned bool   `json:"username_assigned"`
				Tenant           struct{ Slug string }
			}
			nobody.JSON(t, http.MethodPost, "/api/v1/auth/verify-email", map[string]string{"token": token}, &verified)
			if verified.Status != "verified" || !verified.UsernameAssigned || verified.Tenant.Slug != "tea-house" {
				t.Errorf("verify: got %+v, want verified, username assigned, tea-house", verified)
			}
			if a := nobody.Do(t, http.MethodPost, "/api/v1/auth/verify-email", map[string]string{"token": token}); a.Status != http.StatusBadRequest || a.Field("code") != "token_invalid" {
				t.Errorf("verify twice: got %d %s, want 400 token_invalid", a.Status, a.Body)
			}

			var in tokens
			nobody.JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"username": "lin", "password": password}, &in)
			if in.Status != "authenticated" || in.TokenType != "Bearer" || in.ExpiresIn != 900 || in.User.Email != email || in.User.Username != "lin" {
				t.Errorf("login: got %+v", in)
			}
			var me struct {
				User   struct{ Email string }
				Tenant struct{ Slug, Role string }
			}
			f.As(in.Access).JSON(t, http.MethodGet, "/api/v1/auth/me", nil, &me)
			if me.User.Email != email || me.Tenant.Slug != "tea-house" || me.Tenant.Role != "owner" {
				t.Errorf("me: got %+v", me)
			}
			a := f.As(in.Access).JSON(t, http.MethodPost, "/api/v1/ai/execute", map[string]string{"task": "Say hello."}, nil)
			if !strings.Contains(string(a.Body), `"success":true`) {
				t.Errorf("execute: got %s", a.Body)
			}

			var next tokens
			nobody.JSON(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": in.Refresh}, &next)
			if next.Refresh == in.Refresh || next.Session.ID != in.Session.ID {
				t.Errorf("refresh: got the old token or another session: %+v", next.Session)
			}
			if a := f.As(next.Access).Do(t, http.MethodPost, "/api/v1/auth/logout", map[string]string{"refresh_token": next.Refresh}); a.Status != http.StatusNoContent {
				t.Errorf("logout: got %d %s, want 204", a.Status, a.Body)
			}
			for name, access := range map[string]string{"first": in.Access, "second": next.Access} {
				if a := f.As(access).Do(t, http.MethodGet, "/api/v1/auth/me", nil); a.Status != http.StatusUnauthorized {
					t.Errorf("me with the %s access token after logout: got %d, want 401", name, a.Status)
				}
			}
			if a := nobody.Do(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": next.Refresh}); a.Status != http.StatusUnauthorized || a.Field("code") != "refresh_invalid" {
				t.Errorf("refresh after logout: got %d %s, want 401 refresh_invalid", a.Status, a.Body)
			}
			for _, secret := range []string{password, token, in.Access, in.Refresh, next.Refresh, f.Key} {
				if strings.Contains(f.Log(), secret) {
					t.Error("the log holds a secret")
				}
			}
		})
	}
}

func TestFiftyRefreshesOfOneTokenGiveOneSuccessorAndAnOldOneEndsTheSession(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			f := harness.New(t, harness.Options{Stores: stores, Env: map[string]string{"REFRESH_GRACE": "10s"}})
			nobody := f.As("")
			var in tokens
			nobody.JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": f.Email, "password": f.Password}, &in)

			answers := make(chan harness.Answer, 50)
			for range cap(answers) {
				go func() {
					answers <- nobody.Do(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": in.Refresh})
				}()
			}
			successors := map[string]bool{}
			for range cap(answers) {
				a := <-answers
				if a.Status != http.StatusOK {
					t.Fatalf("one of 50 refreshes: got %d %s, want 200", a.Status, a.Body)
				}
				successors[a.Field("refresh_token")] = true
			}
			if len(successors) != 1 {
				t.Fatalf("50 refreshes gave %d successors, want 1", len(successors))
			}
			var second, third tokens
			for s := range successors {
				nobody.JSON(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": s}, &second)
			}
			nobody.JSON(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": second.Refresh}, &third)
			if a := nobody.Do(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": in.Refresh}); a.Status != http.StatusUnauthorized {
				t.Errorf("a token of three generations ago: got %d, want 401", a.Status)
			}
			if a := nobody.Do(t, http.MethodPost, "/api/v1/auth/refresh", map[string]string{"refresh_token": third.Refresh}); a.Status != http.StatusUnauthorized {
				t.Errorf("the newest token after reuse: got %d, want 401", a.Status)
			}
			if a := f.As(third.Access).Do(t, http.MethodGet, "/api/v1/auth/me", nil); a.Status != http.StatusUnauthorized {
				t.Errorf("the access token after reuse: got %d, want 401", a.Status)
			}
		})
	}
}

func TestAKeyIsMadeUsedRotatedAndRevoked(t *testing.T) {
	f := harness.New(t, harness.Options{})
	var in tokens
	f.As("").JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": f.Email, "password": f.Password}, &in)
	me := f.As(in.Access)
	var made, rotated struct{ ID, Key string }
	if a := me.JSON(t, http.MethodPost, "/api/v1/auth/api-keys", map[string]any{"name": "ci", "scopes": []string{"ai"}}, &made); a.Status != http.StatusCreated {
		t.Errorf("create: got %d, want 201", a.Status)
	}
	task := map[string]string{"task": "Say hello."}
	f.As(made.Key).JSON(t, http.MethodPost, "/api/v1/ai/execute", task, nil)
	f.As(made.Key).JSON(t, http.MethodGet, "/api/v1/auth/me", nil, nil)
	if a := f.As(made.Key).Do(t, http.MethodGet, "/api/v1/auth/api-keys", nil); a.Status != http.StatusForbidden && a.Status != http.StatusUnauthorized {
		t.Errorf("a key that lists keys: got %d %s, want a refusal", a.Status, a.Body)
	}
	me.JSON(t, http.MethodPost, "/api/v1/auth/api-keys/"+made.ID+"/rotate", map[string]int{"grace_seconds": 60}, &rotated)
	f.As(made.Key).JSON(t, http.MethodPost, "/api/v1/ai/execute", task, nil)
	f.As(rotated.Key).JSON(t, http.MethodPost, "/api/v1/ai/execute", task, nil)
	for _, id := range []string{made.ID, rotated.ID} {
		if a := me.Do(t, http.MethodDelete, "/api/v1/auth/api-keys/"+id, nil); a.Status != http.StatusNoContent {
			t.Errorf("revoke: got %d %s, want 204", a.Status, a.Body)
		}
	}
	for _, key := range []string{made.Key, rotated.Key} {
		if a := f.As(key).Do(t, http.MethodPost, "/api/v1/ai/execute", task); a.Status != http.StatusUnauthorized {
			t.Errorf("a revoked key on the same node: got %d, want 401", a.Status)
		}
	}
	if list := me.Do(t, http.MethodGet, "/api/v1/auth/api-keys", nil); strings.Contains(string(list.Body), made.Key) {
		t.Error("the list of keys shows a key")
	}
}
