package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

func TestAccountAnswers(t *testing.T) {
	const (
		fields = `"token_type":"Bearer","access_token":"a.b.c","expires_in":900,"refresh_token":"fr1.next","refresh_expires_in":604800,` +
			`"session":{"id":"s1","tenant_id":"t1","auth_time":"2030-01-31T12:00:00Z","amr":["pwd"]},"user":{"id":"u1","email":"ada@example.com","username":null,"mfa_enabled":false}}`
		renewed = `{"status":"authenticated","token_type":"Bearer","access_token":"a.b.c","expires_in":900,` +
			`"session":{"id":"s1","tenant_id":"t1","auth_time":"2030-01-31T12:00:00Z","amr":["pwd"]},"user":{"id":"u1","email":"ada@example.com","username":null,"mfa_enabled":false}}`
		moved = `{"status":"authenticated","token_type":"Bearer","access_token":"a.b.c","expires_in":900,"refresh_token":"fr1.next","refresh_expires_in":604800,` +
			`"session":{"id":"s1","tenant_id":"t2","auth_time":"2030-01-31T12:00:00Z","amr":["pwd"]},"user":{"id":"u1","email":"ada@example.com","username":null,"mfa_enabled":false}}`
		setup = `{"setup_id":"setup1","secret":"JBSWY3DP","otpauth_uri":"otpauth://totp/Forge%201:ada?secret=JBSWY3DP","recovery_codes":["AAAA-BBBB"],"expires_in":600}`
		me    = `{"user":{"id":"u1","email":"ada@example.com","email_verified":true,"username":null,"display_name":"","created_at":"2030-01-31T12:00:00Z",` +
			`"mfa_enabled":false,"recovery_codes_remaining":0},"tenant":{"id":"t1","slug":"","role":"owner"}}`
	)
	signed := []string{sessionToken}
	tests := map[string]struct {
		method, path, body string
		options            []string
		status             int
		want               string // the body, or the code of the failure and the fields it names
	}{
		"resend":                                      {"POST", "/resend-verification", `{"email":"a@example.com"}`, nil, 202, `{"status":"accepted"}`},
		"resend to no address":                        {"POST", "/resend-verification", `{"email":"no address"}`, nil, 422, "validation_failed /email"},
		"request a reset":                             {"POST", "/request-password-reset", `{"email":"a@example.com"}`, nil, 202, `{"status":"accepted"}`},
		"request a reset for no address":              {"POST", "/request-password-reset", `{"email":"no address"}`, nil, 422, "validation_failed /email"},
		"request a reset for more":                    {"POST", "/request-password-reset", `{"email":"a","url":"https://evil"}`, nil, 400, "unknown_field /url"},
		"reset":                                       {"POST", "/reset-password", `{"token":"t","new_password":"long enough"}`, nil, 204, ""},
		"reset with a bad token":                      {"POST", "/reset-password", `{"token":"bad","new_password":"long enough"}`, nil, 400, "token_invalid"},
		"reset to a weak password":                    {"POST", "/reset-password", `{"token":"t","new_password":"short"}`, nil, 422, "password_policy /new_password"},
		"reset for another":                           {"POST", "/reset-password", `{"token":"t","new_password":"long enough","email":"b"}`, nil, 400, "unknown_field /email"},
		"reset without token":                         {"POST", "/reset-password", `{"new_password":"long enough"}`, nil, 400, "missing_field /token"},
		"change":                                      {"POST", "/change-password", `{"current_password":"right","new_password":"long enough"}`, signed, 204, ""},
		"change by code":                              {"POST", "/change-password", `{"current_password":"right","new_password":"long enough","code":"123456"}`, signed, 204, ""},
		"change with a wrong password":                {"POST", "/change-password", `{"current_password":"wrong","new_password":"long enough"}`, signed, 403, "reauth_failed"},
		"change without proof":                        {"POST", "/change-password", `{"new_password":"long enough"}`, signed, 400, "missing_field /current_password"},
		"set up":                                      {"POST", "/mfa/setup", `{"password":"right"}`, signed, 200, setup},
		"set up anew by code":                         {"POST", "/mfa/setup", `{"password":"right","code":"123456"}`, signed, 200, setup},
		"set up anew by recovery code":                {"POST", "/mfa/setup", `{"password":"right","recovery_code":"AAAA-BBBB"}`, signed, 200, setup},
		"set up by both":                              {"POST", "/mfa/setup", `{"password":"right","code":"123456","recovery_code":"A"}`, signed, 400, "malformed /code /recovery_code"},
		"set up without password":                     {"POST", "/mfa/setup", `{}`, signed, 400, "missing_field /password"},
		"set up with a wrong one":                     {"POST", "/mfa/setup", `{"password":"wrong"}`, signed, 403, "reauth_failed"},
		"finish a login":                              {"POST", "/mfa/verify", `{"mfa_token":"m","code":"123456"}`, nil, 200, `{"status":"authenticated",` + fields},
		"finish a login by recovery code":             {"POST", "/mfa/verify", `{"mfa_token":"m","recovery_code":"aaaa bbbb"}`, nil, 200, `{"status":"authenticated",` + fields},
		"finish a login with a wrong code":            {"POST", "/mfa/verify", `{"mfa_token":"m","code":"000000"}`, nil, 401, "mfa_code_invalid"},
		"finish a login with a credential":            {"POST", "/mfa/verify", `{"mfa_token":"m","code":"123456"}`, signed, 400, "malformed"},
		"finish a login with a credential of no kind": {"POST", "/mfa/verify", `{"mfa_token":"m","code":"123456"}`, []string{"Authorization: nonsense"}, 400, "malformed"},
		"finish a login and a setup":                  {"POST", "/mfa/verify", `{"mfa_token":"m","setup_id":"setup1","code":"123456"}`, nil, 400, "malformed"},
		"all at once":                                 {"POST", "/mfa/verify", `{"mfa_token":"m","setup_id":"setup1","code":"123456","recovery_code":"A"}`, signed, 400, "malformed"},
		"finish a login by both":                      {"POST", "/mfa/verify", `{"mfa_token":"m","code":"123456","recovery_code":"A"}`, nil, 400, "malformed /code /recovery_code"},
		"finish a login without code":                 {"POST", "/mfa/verify", `{"mfa_token":"m"}`, nil, 400, "missing_field /code"},
		"a code of nothing":                           {"POST", "/mfa/verify", `{"code":"123456"}`, nil, 400, "missing_field /mfa_token"},
		"nothing":                                     {"POST", "/mfa/verify", `{}`, nil, 400, "missing_field /mfa_token"},
		"confirm":                                     {"POST", "/mfa/verify", `{"setup_id":"setup1","code":"123456"}`, signed, 200, `{"status":"mfa_enabled",` + fields},
		"confirm what is not pending":                 {"POST", "/mfa/verify", `{"setup_id":"setup2","code":"123456"}`, signed, 409, "mfa_not_pending"},
		"confirm by nobody":                           {"POST", "/mfa/verify", `{"setup_id":"setup1","code":"123456"}`, nil, 400, "malformed"},
		"confirm by a bad credential":                 {"POST", "/mfa/verify", `{"setup_id":"setup1","code":"123456"}`, []string{"nope"}, 401, "unauthenticated"},
		"confirm by a key":                            {"POST", "/mfa/verify", `{"setup_id":"setup1","code":"123456"}`, []string{aiKey}, 403, "session_required"},
		"confirm by recovery code":                    {"POST", "/mfa/verify", `{"setup_id":"setup1","recovery_code":"A"}`, signed, 400, "malformed /recovery_code"},
		"step up":                                     {"POST", "/mfa/verify", `{"code":"123456"}`, signed, 200, renewed},
		"step up by recovery code":                    {"POST", "/mfa/verify", `{"recovery_code":"A"}`, signed, 400, "malformed /recovery_code"},
		"step up by two":                              {"POST", "/mfa/verify", `{"code":"123456"}`, []string{sessionToken, "Authorization: Bearer " + sessionToken}, 401, "unauthenticated"},
		"disable":                                     {"POST", "/mfa/disable", `{"password":"right","code":"123456"}`, signed, 204, ""},
		"disable by recovery code":                    {"POST", "/mfa/disable", `{"password":"right","recovery_code":"A"}`, signed, 204, ""},
		"disable by password alone":                   {"POST", "/mfa/disable", `{"password":"right"}`, signed, 400, "missing_field /code"},
		"disable by code alone":                       {"POST", "/mfa/disable", `{"code":"123456"}`, signed, 400, "missing_field /password"},
		"disable by nothing":                          {"POST", "/mfa/disable", ``, append(signed, "Content-Type: application/json"), 400, "malformed "},
		"disable with a wrong password":               {"POST", "/mfa/disable", `{"password":"wrong","code":"123456"}`, signed, 403, "reauth_failed"},
		"new recovery codes":                          {"POST", "/mfa/recovery-codes/regenerate", `{"password":"right","code":"123456"}`, signed, 200, `{"recovery_codes":["CCCC-DDDD"]}`},
		"new recovery codes by an old one":            {"POST", "/mfa/recovery-codes/regenerate", `{"password":"right","recovery_code":"A"}`, signed, 400, "unknown_field /recovery_code /code"},
		"end a session":                               {"DELETE", "/sessions/s1", ``, signed, 204, ""},
		"end another's session":                       {"DELETE", "/sessions/s2", ``, signed, 404, "not_found"},
		"end a session of no text":                    {"DELETE", "/sessions/s1%00", ``, signed, 404, "not_found"},
		"end a session of broken text":                {"DELETE", "/sessions/s1%ff", ``, signed, 404, "not_found"},
		"switch tenant":                               {"POST", "/switch-tenant", `{"tenant_id":"t2"}`, signed, 200, moved},
		"switch to another's tenant":                  {"POST", "/switch-tenant", `{"tenant_id":"t9"}`, signed, 403, "tenant_access_denied"},
		"accept":                                      {"POST", "/invites/accept", `{"invite_token":"t"}`, signed, 204, ""},
		"accept with a bad token":                     {"POST", "/invites/accept", `{"invite_token":"bad"}`, signed, 400, "token_invalid"},
		"change the profile":                          {"PATCH", "/me", `{"username":"ada","display_name":"Ada"}`, signed, 200, me},
		"take a taken name":                           {"PATCH", "/me", `{"username":"taken"}`, signed, 409, "username_taken"},
		"change the address":                          {"PATCH", "/me", `{"email":"b@example.com","email_verified":true}`, signed, 400, "unknown_field /email /email_verified"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.do(tc.method, "/api/v1/auth"+tc.path, tc.body, tc.options...)
			if said := said(t, got); got.status != tc.status || said != tc.want {
				t.Errorf("got  %s\nwant %d %s", got, tc.status, tc.want)
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("got Cache-Control %q", got.header.Get("Cache-Control"))
			}
		})
	}
}

// said is the body of a success, or the code of a failure with the fields that it names.
func said(t *testing.T, a answer) string {
	t.Helper()
	if a.status < 400 {
		return string(a.body)
	}
	var p struct {
		Code   string
		Errors []struct{ Field string }
	}
	a.into(t, &p)
	for _, e := range p.Errors {
		p.Code += " " + e.Field
	}
	return p.Code
}

// TestMalformedCodesReachNobody sends what is no code wherever one is taken: nothing is tried, and nothing breaks.
func TestMalformedCodesReachNobody(t *testing.T) {
	codes := map[string]int{
		`" 123456"`: 422, `"123 456"`: 422, `"123456 "`: 422, `"-12345"`: 422, `"+12345"`: 422, `"1234567"`: 422, `"12345"`: 422, `""`: 422, `"123456\n"`: 422,
		`"１２３４５６"`: 422, `"١٢٣٤٥٦"`: 422, `"12345a"`: 422, `123456`: 400, `["123456"]`: 400, `{"code":"123456"}`: 400, `null`: 400, `true`: 400, `123456.0`: 400,
	}
	bodies := map[string]string{
		"/mfa/verify": `{"mfa_token":"m","code":%s}`, "/mfa/setup": `{"password":"right","code":%s}`, "/mfa/disable": `{"password":"right","code":%s}`,
		"/mfa/recovery-codes/regenerate": `{"password":"right","code":%s}`, "/change-password": `{"current_password":"right","new_password":"long enough","code":%s}`,
	}
	w := start(t)
	for path, body := range bodies {
		for code, status := range codes {
			options := []string{sessionToken}
			if path == "/mfa/verify" {
				options = nil
			}
			got := w.post("/api/v1/auth"+path, fmt.Sprintf(body, code), options...)
			if got.status != status || !strings.HasSuffix(said(t, got), " /code") {
				t.Errorf("%s with %s: got %s, want %d naming /code", path, code, got, status)
			}
		}
	}
	if len(w.account.calls) > 0 {
		t.Errorf("the application was asked %d times, want never: %v", len(w.account.calls), w.account.calls)
	}
}

func TestWhatTheUseCasesAreGiven(t *testing.T) {
	w := start(t)
	caller := inbound.Caller{UserID: "u1", TenantID: "t1", Role: tenant.Owner, SessionID: "s1"}
	name := "ada"
	tests := map[string]struct {
		method, path, body string
		want               any
	}{
		"verify as login":   {"POST", "/api/v1/auth/mfa/verify", `{"mfa_token":"m","recovery_code":"R"}`, [3]string{"m", "", "R"}},
		"verify as confirm": {"POST", "/api/v1/auth/mfa/verify", `{"setup_id":"setup1","code":"123456"}`, [2]string{"setup1", "123456"}},
		"verify as step-up": {"POST", "/api/v1/auth/mfa/verify", `{"code":"123456"}`, "123456"},
		"a profile":         {"PATCH", "/api/v1/auth/me", `{"username":"ada"}`, inbound.ProfileChange{Username: &name}},
		"a session's id":    {"DELETE", "/api/v1/auth/sessions/s%31", ``, "s1"},
		"a tenant":          {"POST", "/api/v1/auth/switch-tenant", `{"tenant_id":"t2"}`, "t2"},
		"an invitation":     {"POST", "/api/v1/auth/invites/accept", `{"invite_token":"T"}`, "T"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			options, who := []string{sessionToken, "X-Request-ID: request-1", "User-Agent: tester", "X-Forwarded-For: 192.0.2.7"}, caller
			if strings.Contains(tc.body, "mfa_token") {
				options, who = options[1:], inbound.Caller{}
			}
			got := w.do(tc.method, tc.path, tc.body, options...)
			if got.status >= 400 {
				t.Fatalf("got %s", got)
			}
			last := w.account.last()
			if strings.Contains(tc.path, "invites") {
				last = w.house.last()
			}
			want := inbound.Origin{IP: "192.0.2.7", UserAgent: "tester", RequestID: "request-1", TraceID: got.header.Get("X-Trace-Id")}
			if d := cmp.Diff(who, last.caller) + cmp.Diff(want, last.origin); d != "" {
				t.Error(d)
			}
			if s, isText := tc.want.(string); isText && fmt.Sprint(last.asked) != s || !isText && !cmp.Equal(tc.want, last.asked) {
				t.Errorf("asked %v, want %v", last.asked, tc.want)
			}
		})
	}
}

func TestSessionsAreListedInPagesWhileTheyEnd(t *testing.T) {
	w := start(t)
	for i := range 5 {
		w.account.sessions = append(w.account.sessions, inbound.SessionView{
			ID: session.ID(fmt.Sprintf("s%d", 9-i)), TenantID: "t1", CreatedAt: epoch.Add(-time.Duration(i) * time.Hour), LastSeenAt: epoch, IP: "192.0.2.1",
			UserAgent: "<b>x</b>", AMR: []string{"pwd", "otp"}, Current: i == 0,
		})
	}
	first := w.get("/api/v1/auth/sessions?limit=2", sessionToken)
	const item = `{"id":"s9","tenant_id":"t1","created_at":"2030-01-31T12:00:00Z","last_seen_at":"2030-01-31T12:00:00Z","ip":"192.0.2.1","user_agent":"<b>x</b>","amr":["pwd","otp"],"current":true}`
	if !strings.HasPrefix(string(first.body), `{"items":[`+item) {
		t.Errorf("got %s, want the item %s", first, item)
	}
	ids, next := idsOf(t, first)
	w.account.sessions = w.account.sessions[2:] // the two that were shown have ended
	more, next := idsOf(t, w.get("/api/v1/auth/sessions?limit=2&cursor="+next, sessionToken))
	rest, next := idsOf(t, w.get("/api/v1/auth/sessions?limit=2&cursor="+next, sessionToken))
	if got := ids + more + rest; got != "s9 s8 s7 s6 s5 " || next != "" {
		t.Errorf("got %s, then %q", got, next)
	}
	for _, cursor := range []string{"x", "!", "YQ", url.QueryEscape("\x00")} {
		if got := w.get("/api/v1/auth/sessions?cursor="+cursor, sessionToken); got.status != 422 || said(t, got) != "validation_failed cursor" {
			t.Errorf("the cursor %q: got %s", cursor, got)
		}
	}
}

func idsOf(t *testing.T, a answer) (ids, next string) {
	t.Helper()
	var list struct {
		Items []struct {
			ID     string
			UserID string `json:"user_id"`
		}
		Next string `json:"next_cursor"`
	}
	a.into(t, &list)
	for _, i := range list.Items {
		ids += i.ID + i.UserID + " "
	}
	return ids, list.Next
}

func TestASessionHasItsPace(t *testing.T) {
	w := start(t)
	w.account.pace = func(ctx context.Context, c inbound.Caller) error {
		if c.SessionID != "s1" || inbound.OriginOf(ctx).IP == "" {
			t.Errorf("got the caller %+v from %+v", c, inbound.OriginOf(ctx))
		}
		return errTooMany.After(90 * time.Second)
	}
	for path, status := range map[string]int{
		"/api/v1/auth/me": 429, "/api/v1/auth/sessions": 429, "/api/v1/auth/api-keys": 429, "/api/v1/admin/members": 429, "/api/v1/ai/models": 200,
	} {
		got := w.get(path, sessionToken)
		if got.status != status || status == 429 && (got.code() != "too_many_attempts" || got.header.Get("Retry-After") != "90") {
			t.Errorf("%s: got %s, Retry-After %q, want %d", path, got, got.header.Get("Retry-After"), status)
		}
	}
	if got := w.post("/api/v1/auth/mfa/verify", `{"code":"123456"}`, sessionToken); got.status != 429 {
		t.Errorf("a step-up: got %s", got)
	}
	w.account.pace = func(_ context.Context, c inbound.Caller) error {
		if c.KeyID == "" {
			t.Errorf("got the caller %+v", c)
		}
		return errTooMany
	}
	if got := w.get("/api/v1/auth/me", aiKey); got.status != 429 {
		t.Errorf("by key: got %s", got)
	}
}

func TestLimitsAreTold(t *testing.T) {
	w := start(t)
	got := w.post("/api/v1/auth/request-password-reset", `{"email":"a"}`)
	if p, l := got.header.Get("RateLimit-Policy"), got.header.Get("RateLimit"); p != `"reset-ip";q=10;w=3600` || l != `"reset-ip";r=9;t=3541` {
		t.Errorf("got RateLimit-Policy %s, RateLimit %s", p, l)
	}
	w.account.pace = func(ctx context.Context, _ inbound.Caller) error {
		inbound.Meet(ctx, inbound.Quota{Policy: "session", Limit: 600, Window: time.Minute, Remaining: -1, Reset: time.Millisecond})
		inbound.Meet(ctx, inbound.Quota{Policy: "otp-user", Limit: 10, Window: 15 * time.Minute, Remaining: 3})
		return errTooMany
	}
	got = w.get("/api/v1/auth/me", sessionToken)
	if p, l := got.header.Get("RateLimit-Policy"), got.header.Get("RateLimit"); got.status != 429 ||
		p != `"session";q=600;w=60, "otp-user";q=10;w=900` || l != `"session";r=0;t=1, "otp-user";r=3;t=0` {
		t.Errorf("got %d, RateLimit-Policy %s, RateLimit %s", got.status, p, l)
	}
	if got := w.get("/api/v1/health", ""); got.header.Get("RateLimit") != "" {
		t.Errorf("without limits: got RateLimit %s", got.header.Get("RateLimit"))
	}
}

// TestATokenInTheAddressIsNotUsed does as mail scanners do.
func TestATokenInTheAddressIsNotUsed(t *testing.T) {
	w := start(t)
	for _, path := range []string{"verify-email", "reset-password", "invites/accept", "mfa/verify", "resend-verification", "request-password-reset"} {
		for method, status := range map[string]int{http.MethodGet: 405, http.MethodHead: 405, http.MethodOptions: 204, http.MethodPut: 405, http.MethodDelete: 405} {
			got := w.do(method, "/api/v1/auth/"+path+"?token=good&invite_token=good&code=123456", "")
			if got.status != status || got.header.Get("Allow") != "POST, OPTIONS" {
				t.Errorf("%s %s: got %s, Allow %q, want %d", method, path, got, got.header.Get("Allow"), status)
			}
		}
	}
	if n := len(w.account.calls) + len(w.house.calls); n > 0 {
		t.Errorf("the application was asked %d times, want never", n)
	}
}

func TestTheKeySetIsPublic(t *testing.T) {
	w := start(t)
	got := w.get("/.well-known/jwks.json")
	if got.status != 200 || got.header.Get("Cache-Control") != "public, max-age=600" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s with %v", got, got.header)
	}
	if got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got the headers %v", got.header)
	}
}
