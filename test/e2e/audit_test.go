package e2e_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/forge1/forge1/test/harness"
)

func TestTheAuditLogSaysWhoAndFromWhere(t *testing.T) {
	f := harness.New(t, harness.Options{})
	var in tokens
	f.As("").JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": f.Email, "password": f.Password}, &in,
		"X-Request-ID", "audited-login-1", "User-Agent", "e2e")
	f.As(in.Access).JSON(t, http.MethodPost, "/api/v1/auth/api-keys", map[string]string{"name": "audited"}, nil)

	db, err := sql.Open("sqlite", "file:"+filepath.Join(filepath.Dir(f.Mail), "forge1.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for name, q := range map[string]string{
		"the sign-in": `SELECT count(*) FROM audit_log WHERE event = 'authn_token_created' AND request_id = 'audited-login-1' AND ip = '127.0.0.1'`,
		"the new key": `SELECT count(*) FROM audit_log WHERE event = 'api_key_created' AND session_id = '` + in.Session.ID + `'`,
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), q).Scan(&n); err != nil || n != 1 {
			t.Errorf("%s: got %d rows, %v, want 1", name, n, err)
		}
	}
}
