package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

func TestSignInAnswers(t *testing.T) {
	const authenticated = `{"status":"authenticated","token_type":"Bearer","access_token":"a.b.c","expires_in":900,"refresh_token":"fr1.next",` +
		`"refresh_expires_in":604800,"session":{"id":"s1","tenant_id":"t1","auth_time":"2030-01-31T12:00:00Z","amr":["pwd"]},` +
		`"user":{"id":"u1","email":"ada@example.com","username":null,"mfa_enabled":false}}`
	tests := map[string]struct {
		method, path, body string
		options            []string
		status             int
		want               string // the body, or the code of the failure
	}{
		"register":                          {"POST", "/register", `{"email":"ada@example.com","password":"correct horse"}`, nil, 202, `{"status":"verification_required","expires_in":86400}`},
		"register with a tenant":            {"POST", "/register", `{"email":"a","password":"p","username":"u","display_name":"d","tenant":{"name":"T","slug":"t"}}`, nil, 202, `{"status":"verification_required","expires_in":86400}`},
		"register with an invite":           {"POST", "/register", `{"email":"a","password":"p","invite_token":"good"}`, nil, 201, `{"status":"verified"}`},
		"register with a bad invite":        {"POST", "/register", `{"email":"a","password":"p","invite_token":"bad"}`, nil, 400, "token_invalid"},
		"register with a role":              {"POST", "/register", `{"email":"a","password":"p","role":"owner"}`, nil, 400, "unknown_field"},
		"register with a tenant id":         {"POST", "/register", `{"email":"a","password":"p","tenant":{"name":"x","id":"t1"}}`, nil, 400, "unknown_field"},
		"register without password":         {"POST", "/register", `{"email":"a"}`, nil, 400, "missing_field"},
		"register with a number":            {"POST", "/register", `{"email":"a","password":1}`, nil, 400, "wrong_type"},
		"register with null":                {"POST", "/register", `null`, nil, 400, "wrong_type"},
		"register with nothing":             {"POST", "/register", ``, []string{"Content-Type: application/json"}, 400, "malformed"},
		"register with an upper-case key":   {"POST", "/register", `{"EMAIL":"a","email":"a","password":"p"}`, nil, 400, "unknown_field"},
		"register with a key twice":         {"POST", "/register", `{"email":"a","email":"b","password":"p"}`, nil, 400, "malformed"},
		"register with a folded key":        {"POST", "/register", `{"email":"a","pa` + "ſſ" + `word":"p"}`, nil, 400, "unknown_field"},
		"register with a NUL":               {"POST", "/register", `{"email":"a\u0000","password":"p"}`, nil, 400, "malformed"},
		"verify":                            {"POST", "/verify-email", `{"token":"good"}`, nil, 200, `{"status":"verified","username_assigned":true,"tenant":{"id":"t1","slug":"ada"}}`},
		"verify with a bad token":           {"POST", "/verify-email", `{"token":"bad"}`, nil, 400, "token_invalid"},
		"verify by GET":                     {"GET", "/verify-email?token=good", ``, nil, 405, "method_not_allowed"},
		"login by address":                  {"POST", "/login", `{"email":"ada@example.com","password":"p"}`, nil, 200, authenticated},
		"login by name":                     {"POST", "/login", `{"username":"ada","password":"p","tenant":"t1"}`, nil, 200, authenticated},
		"login by both":                     {"POST", "/login", `{"email":"a","username":"ada","password":"p"}`, nil, 422, "validation_failed"},
		"login by neither":                  {"POST", "/login", `{"password":"p"}`, nil, 422, "validation_failed"},
		"refresh":                           {"POST", "/refresh", `{"refresh_token":"fr1.good"}`, nil, 200, authenticated},
		"refresh with a bad token":          {"POST", "/refresh", `{"refresh_token":"fr1.bad"}`, nil, 401, "refresh_invalid"},
		"logout":                            {"POST", "/logout", `{"refresh_token":"x"}`, nil, 204, ""},
		"logout with nothing":               {"POST", "/logout", ``, []string{sessionToken}, 204, ""},
		"logout with a list":                {"POST", "/logout", `[]`, nil, 400, "wrong_type"},
		"me":                                {"GET", "/me", ``, []string{sessionToken}, 200, `{"user":{"id":"u1","email":"ada@example.com","email_verified":true,"username":null,"display_name":"Ada","created_at":"2030-01-31T12:00:00Z","mfa_enabled":false,"recovery_codes_remaining":0},"tenant":{"id":"t1","slug":"ada","role":"owner"},"session":{"id":"s1","auth_time":"2030-01-31T12:00:00Z","amr":["pwd"],"expires_at":"2030-01-31T13:00:00Z"}}`},
		"me by key":                         {"GET", "/me", ``, []string{aiKey}, 200, `{"user":{"id":"u1","email":"ada@example.com","email_verified":true,"username":null,"display_name":"Ada","created_at":"2030-01-31T12:00:00Z","mfa_enabled":false,"recovery_codes_remaining":0},"tenant":{"id":"t1","slug":"ada","role":"owner"}}`},
		"me without credential":             {"GET", "/me", ``, nil, 401, "unauthenticated"},
		"me with a bad one":                 {"GET", "/me", ``, []string{"nope"}, 401, "unauthenticated"},
		"me with two":                       {"GET", "/me", ``, []string{sessionToken, "Authorization: Bearer " + sessionToken}, 401, "unauthenticated"},
		"me with the scheme in lower case":  {"GET", "/me", ``, []string{"Authorization: bearer " + aiKey}, 200, ""},
		"me with two spaces":                {"GET", "/me", ``, []string{"Authorization: Bearer  " + aiKey}, 200, ""},
		"me with two words":                 {"GET", "/me", ``, []string{"Authorization: Bearer " + aiKey + " x"}, 401, "unauthenticated"},
		"me with another scheme":            {"GET", "/me", ``, []string{"Authorization: Basic " + aiKey}, 401, "unauthenticated"},
		"me with the token in the query":    {"GET", "/me?access_token=" + sessionToken, ``, nil, 401, "unauthenticated"},
		"me with the token in a cookie":     {"GET", "/me", ``, []string{"Cookie: access_token=" + sessionToken}, 401, "unauthenticated"},
		"me while the store is away":        {"GET", "/me", ``, []string{"away"}, 503, "dependency_unavailable"},
		"me naming another tenant":          {"GET", "/me", ``, []string{sessionToken, "X-Tenant-ID: t2"}, 403, "tenant_mismatch"},
		"me naming another tenant in query": {"GET", "/me?tenant_id=t2", ``, []string{sessionToken}, 403, "tenant_mismatch"},
		"me naming its own tenant":          {"GET", "/me", ``, []string{sessionToken, "X-Tenant-ID: t1"}, 200, ""},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.do(tc.method, "/api/v1/auth"+tc.path, tc.body, tc.options...)
			if got.status != tc.status {
				t.Fatalf("got %s, want status %d", got, tc.status)
			}
			if tc.status < 400 {
				if tc.want != "" && string(got.body) != tc.want {
					t.Errorf("got  %s\nwant %s", got.body, tc.want)
				}
				return
			}
			if got.code() != tc.want {
				t.Errorf("got %s, want the code %s", got, tc.want)
			}
			if wants := tc.status == 401; (got.header.Get("WWW-Authenticate") == "Bearer") != wants {
				t.Errorf("got WWW-Authenticate %q at %d", got.header.Get("WWW-Authenticate"), tc.status)
			}
		})
	}
}

func TestMistakesAreNamedByPointer(t *testing.T) {
	w := start(t)
	got := w.post("/api/v1/auth/register", `{"email":1,"tenant":{"nam":"x"}}`)
	want := `{"type":"http://localhost:8000/problems/wrong_type","title":"Wrong type","status":400,"detail":"the body does not fit the schema; see errors",` +
		`"code":"wrong_type","request_id":"` + got.header.Get("X-Request-ID") + `","errors":[{"field":"/email","code":"wrong_type","message":"must be a string"},` +
		`{"field":"/tenant/nam","code":"unknown_field","message":"is not a field of this object"},{"field":"/tenant/name","code":"missing_field","message":"is required"},` +
		`{"field":"/password","code":"missing_field","message":"is required"}]}`
	if string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("got content type %q", ct)
	}
}

func TestTheSecondFactorIsAskedFor(t *testing.T) {
	w := start(t)
	w.people.login = func(inbound.Login) (inbound.LoggedIn, error) {
		return inbound.LoggedIn{Challenge: &inbound.Challenge{Token: "m", ExpiresIn: 5 * time.Minute, Methods: []string{"totp"}}}, nil
	}
	got := w.post("/api/v1/auth/login", `{"email":"a","password":"p"}`)
	if want := `{"status":"mfa_required","mfa_token":"m","expires_in":300,"methods":["totp"]}`; string(got.body) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestThrottledSignInSaysWhenToComeBack(t *testing.T) {
	w := start(t)
	for _, tc := range []struct {
		after time.Duration
		want  string
	}{{1500 * time.Millisecond, "2"}, {0, "1"}, {time.Minute, "60"}} {
		w.people.login = func(inbound.Login) (inbound.LoggedIn, error) {
			return inbound.LoggedIn{}, fault.New(fault.Exhausted, "too_many_attempts", "wait").After(tc.after)
		}
		got := w.post("/api/v1/auth/login", `{"email":"a","password":"p"}`)
		if got.status != 429 || got.header.Get("Retry-After") != tc.want {
			t.Errorf("after %s: got %s with Retry-After %q, want 429 with %q", tc.after, got, got.header.Get("Retry-After"), tc.want)
		}
	}
}

// TestNothingKeptIsOverwritten holds what handlers were given against what later requests on the same connection bring.
func TestNothingKeptIsOverwritten(t *testing.T) {
	w := start(t)
	var kept []inbound.Register
	w.people.register = func(c inbound.Register) (inbound.Registered, error) {
		kept = append(kept, c)
		return inbound.Registered{}, nil
	}
	const n = 200
	for i := range n {
		w.post("/api/v1/auth/register", fmt.Sprintf(`{"email":"user%03d@example.com","password":"password %03d","username":"name%03d"}`, i, i, i),
			fmt.Sprintf("User-Agent: agent %03d", i), fmt.Sprintf("X-Request-ID: request-%03d", i), fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i%250),
			fmt.Sprintf("Traceparent: 00-%032x-00f067aa0ba902b7-01", i+1))
	}
	for i, c := range kept {
		want := inbound.Origin{
			IP: fmt.Sprintf("192.0.2.%d", i%250), UserAgent: fmt.Sprintf("agent %03d", i), RequestID: fmt.Sprintf("request-%03d", i), TraceID: fmt.Sprintf("%032x", i+1),
		}
		if d := cmp.Diff(want, c.Origin); d != "" {
			t.Fatal(d)
		}
		if c.Email != fmt.Sprintf("user%03d@example.com", i) || c.Password.Reveal() != fmt.Sprintf("password %03d", i) || c.Username != fmt.Sprintf("name%03d", i) {
			t.Fatalf("request %d: got %q, %q", i, c.Email, c.Username)
		}
	}
	if len(kept) != n {
		t.Fatalf("got %d, want %d", len(kept), n)
	}
}

func TestClientAddress(t *testing.T) {
	tests := map[string]struct {
		forwarded []string
		want      string
	}{
		"nobody forwards":             {nil, "127.0.0.1"},
		"one hop":                     {[]string{"192.0.2.1"}, "192.0.2.1"},
		"what the client made up":     {[]string{"203.0.113.9, 192.0.2.1"}, "192.0.2.1"},
		"another of our proxies":      {[]string{"203.0.113.9, 192.0.2.1, 10.1.2.3"}, "192.0.2.1"},
		"several lines":               {[]string{"203.0.113.9", "192.0.2.1", "10.1.2.3"}, "192.0.2.1"},
		"ours all the way":            {[]string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		"no address":                  {[]string{"192.0.2.1, nonsense"}, "127.0.0.1"},
		"no address behind our proxy": {[]string{"evil, 10.1.2.3"}, "10.1.2.3"},
		"with a port":                 {[]string{"192.0.2.1:8080"}, "192.0.2.1"},
		"IPv6":                        {[]string{"[2001:db8::1]:443"}, "2001:db8::1"},
		"IPv4 in IPv6":                {[]string{"::ffff:192.0.2.1"}, "192.0.2.1"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			w.people.register = func(c inbound.Register) (inbound.Registered, error) {
				got = c.Origin.IP
				return inbound.Registered{}, nil
			}
			options := []string{"X-Real-IP: 198.51.100.1", "Forwarded: for=198.51.100.2"}
			for _, f := range tc.forwarded {
				options = append(options, "X-Forwarded-For: "+f)
			}
			w.post("/api/v1/auth/register", `{"email":"a","password":"p"}`, options...)
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestLogoutPassesBothTokens(t *testing.T) {
	w := start(t)
	var got inbound.Logout
	w.people.logout = func(c inbound.Logout) error { got = c; return nil }
	w.post("/api/v1/auth/logout", `{"refresh_token":"r","all":true}`, "b")
	if got.RefreshToken != "r" || got.Bearer != "b" || !got.All {
		t.Errorf("got %+v", got)
	}
}

func TestAPIKeys(t *testing.T) {
	const path = "/api/v1/auth/api-keys"
	tests := map[string]struct {
		method, path, body string
		options            []string
		status             int
		want               string
	}{
		"create":                      {"POST", "", `{"name":"ci","scopes":["ai","router"],"expires_at":"2031-01-01T00:00:00Z"}`, []string{sessionToken}, 201, `{"id":"k9","name":"ci","scopes":["ai","router"],"created_at":"2030-01-31T12:00:00Z","expires_at":"2031-01-01T00:00:00Z","ends_at":null,"last_used_at":null,"key":"f1_new"}`},
		"create for models":           {"POST", "", `{"name":"ci","expires_at":null}`, []string{sessionToken}, 201, `{"id":"k9","name":"ci","scopes":["ai"],"created_at":"2030-01-31T12:00:00Z","expires_at":null,"ends_at":null,"last_used_at":null,"key":"f1_new"}`},
		"create with a strange scope": {"POST", "", `{"name":"ci","scopes":["all"]}`, []string{sessionToken}, 422, "validation_failed"},
		"create with a date":          {"POST", "", `{"name":"ci","expires_at":"2031"}`, []string{sessionToken}, 422, "validation_failed"},
		"create by key":               {"POST", "", `{"name":"ci"}`, []string{aiKey}, 403, "session_required"},
		"create by nobody":            {"POST", "", `{"name":"ci"}`, nil, 401, "unauthenticated"},
		"rotate":                      {"POST", "/k1/rotate", `{"grace_seconds":60}`, []string{sessionToken}, 201, `{"id":"k9","name":"n","scopes":[],"created_at":"2030-01-31T12:00:00Z","expires_at":null,"ends_at":"2030-01-31T12:01:00Z","last_used_at":null,"key":"f1_next"}`},
		"rotate at once":              {"POST", "/k1/rotate", ``, []string{sessionToken}, 201, ""},
		"rotate with too much grace":  {"POST", "/k1/rotate", `{"grace_seconds":86401}`, []string{sessionToken}, 422, "validation_failed"},
		"rotate another's":            {"POST", "/k2/rotate", `{}`, []string{sessionToken}, 404, "not_found"},
		"revoke":                      {"DELETE", "/k1", ``, []string{sessionToken}, 204, ""},
		"revoke by escaped id":        {"DELETE", "/%6b1", ``, []string{sessionToken}, 204, ""},
		"revoke another's":            {"DELETE", "/k2", ``, []string{sessionToken}, 404, "not_found"},
		"revoke by key":               {"DELETE", "/k1", ``, []string{aiKey}, 403, "session_required"},
		"a limit that is none":        {"GET", "?limit=0", ``, []string{sessionToken}, 422, "validation_failed"},
		"a cursor that is none":       {"GET", "?cursor=x", ``, []string{sessionToken}, 422, "validation_failed"},
		"an empty list":               {"GET", "", ``, []string{sessionToken}, 200, `{"items":[],"next_cursor":null}`},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.do(tc.method, path+tc.path, tc.body, tc.options...)
			if got.status != tc.status || tc.status >= 400 && got.code() != tc.want || tc.status < 400 && tc.want != "" && string(got.body) != tc.want {
				t.Errorf("got  %s\nwant %d %s", got, tc.status, tc.want)
			}
		})
	}
}

func TestListsComeInPages(t *testing.T) {
	w := start(t)
	for i := range 5 {
		w.keys.views = append(w.keys.views, inbound.KeyView{ID: tenant.KeyID(fmt.Sprintf("k%d", i)), CreatedAt: epoch})
	}
	var seen []string
	cursor := ""
	for range 3 {
		var got struct {
			Items []struct{ ID string }
			Next  *string `json:"next_cursor"`
		}
		a := w.do(http.MethodGet, "/api/v1/auth/api-keys?limit=2"+cursor, "", sessionToken)
		a.into(t, &got)
		for _, k := range got.Items {
			seen = append(seen, k.ID)
		}
		if got.Next == nil {
			break
		}
		cursor = "&cursor=" + *got.Next
	}
	if got := strings.Join(seen, " "); got != "k0 k1 k2 k3 k4" {
		t.Errorf("got %s", got)
	}
}
