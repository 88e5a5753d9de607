package cli_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/forge1/forge1/bootstrap/cli"
)

func TestAnOperatorManagesUsers(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("JWT_SECRET", "")
	t.Setenv("PUBLIC_BASE_URL", "")
	var out, errOut bytes.Buffer
	create := []string{"user", "create", "--email", "ada@example.com", "--password-stdin", "--platform-admin"}
	if code := cli.Run(t.Context(), create, strings.NewReader("tin whistle over cold harbour\n"), &out, &errOut); code != 0 {
		t.Fatalf("create: got %d\n%s", code, &errOut)
	}
	for _, s := range []struct {
		args, status, says string
		code               int
	}{
		{"user disable --email ADA@example.com", "disabled", "", 0},
		{"user enable --email ada@example.com", "enabled", "", 0},
		{"user reset-mfa --email ada@example.com", "", "there is no second factor", 1},
		{"user disable --email nobody@example.com", "", "there is no such user", 1},
		{"user disable --email nobody", "", "email", 1},
		{"user disable", "", "--email", 2},
		{"user delete --email ada@example.com", "deleted", "", 0},
		{"user delete --email ada@example.com", "", "there is no such user", 1},
		{"user enable --email ada@example.com", "", "there is no such user", 1},
	} {
		code, out, notes := forge1(t, append([]string{"--json"}, strings.Fields(s.args)...)...)
		var said struct{ Email, Status string }
		if s.code == 0 {
			if err := json.Unmarshal([]byte(out), &said); err != nil || !strings.EqualFold(said.Email, "ada@example.com") {
				t.Errorf("%s: got %q, %v", s.args, out, err)
			}
		}
		if code != s.code || said.Status != s.status || !strings.Contains(notes, s.says) || s.code != 0 && out != "" {
			t.Errorf("%s: got %d, %q and %q, want %d, %q and %q", s.args, code, out, notes, s.code, s.status, s.says)
		}
	}
	if _, out, _ := forge1(t, "user", "--help"); !strings.Contains(out, "reset-mfa") || !strings.Contains(out, "disable") {
		t.Errorf("the help says %s", out)
	}
}
