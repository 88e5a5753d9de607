package e2e_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/forge1/forge1/bootstrap/cli"
)

// run runs one command line in an environment of its own.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = cli.Run(t.Context(), args, strings.NewReader(stdin), &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestTheDemoShowsRoutingFailoverBreakerAndStream(t *testing.T) {
	code, out, errOut := run(t, "", "demo", "--exit")
	if code != 0 {
		t.Fatalf("got exit code %d, want 0\n%s\n%s", code, out, errOut)
	}
	for _, want := range []string{"score", "attempt 2", "breaker_open", "pieces", "Every step held"} {
		if !strings.Contains(out, want) {
			t.Errorf("the tour does not show %q:\n%s", want, out)
		}
	}
}

func TestTheCommandLine(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("JWT_SECRET", "")
	t.Run("creates a user and a key as JSON", func(t *testing.T) {
		code, out, errOut := run(t, "a long enough passphrase\n", "user", "create", "--email", "ida@example.com", "--password-stdin", "--tenant", "Ida's", "--json")
		var made map[string]string
		if err := json.Unmarshal([]byte(out), &made); code != 0 || err != nil || made["user_id"] == "" || made["tenant_id"] == "" {
			t.Fatalf("user create: got %d %q %q", code, out, errOut)
		}
		code, out, errOut = run(t, "", "key", "create", "--email", "ida@example.com", "--expires", "90d", "--json")
		if err := json.Unmarshal([]byte(out), &made); code != 0 || err != nil || !strings.HasPrefix(made["key"], "f1_") {
			t.Fatalf("key create: got %d %q %q", code, out, errOut)
		}
	})
	t.Run("says what to do about a mistake", func(t *testing.T) {
		code, _, errOut := run(t, "short\n", "user", "create", "--email", "bob@example.com", "--password-stdin")
		if code != 1 || !strings.Contains(errOut, "password") || strings.Contains(errOut, "short\n") {
			t.Errorf("got %d %q, want 1 and the field password", code, errOut)
		}
		code, _, errOut = run(t, "a long enough passphrase", "user", "create", "--email", "ida@example.com", "--password-stdin")
		if code != 1 || !strings.Contains(errOut, "address") {
			t.Errorf("a second account: got %d %q, want 1", code, errOut)
		}
	})
	t.Run("exits with 2 for wrong usage", func(t *testing.T) {
		for _, args := range [][]string{{"fly"}, {"serve", "--nope"}, {"key", "create", "--email", "x@example.com", "--expires", "soon"}} {
			if code, _, _ := run(t, "", args...); code != 2 {
				t.Errorf("%v: got exit code %d, want 2", args, code)
			}
		}
	})
	t.Run("masks secrets in config", func(t *testing.T) {
		t.Setenv("OPENAI_API_KEY", "sk-very-secret")
		code, out, _ := run(t, "", "config")
		if code != 0 || strings.Contains(out, "very-secret") || !strings.Contains(out, "OPENAI_API_KEY=***") {
			t.Errorf("got %d %s", code, out)
		}
	})
	t.Run("reports every mistake at once, by name and not by value", func(t *testing.T) {
		t.Setenv("PORT", "ninety")
		t.Setenv("CIRCUIT_BREAKER_THRESHOLD", "0")
		t.Setenv("ROUTER_FALLBACK_ORDER", "openai,openai")
		t.Setenv("PUBLIC_BASE_URL", "gopher://secret-host")
		code, _, errOut := run(t, "", "config")
		for _, name := range []string{"PORT", "CIRCUIT_BREAKER_THRESHOLD", "ROUTER_FALLBACK_ORDER", "PUBLIC_BASE_URL"} {
			if !strings.Contains(errOut, name) {
				t.Errorf("the report does not name %s: %s", name, errOut)
			}
		}
		if code != 1 || strings.Contains(errOut, "ninety") || strings.Contains(errOut, "secret-host") {
			t.Errorf("got %d %s, want 1 and no value", code, errOut)
		}
	})
	t.Run("migrates up and down", func(t *testing.T) {
		for _, args := range [][]string{{"migrate", "up"}, {"migrate", "status"}, {"migrate", "down"}, {"migrate", "up"}} {
			if code, out, errOut := run(t, "", args...); code != 0 {
				t.Errorf("%v: got %d %s %s", args, code, out, errOut)
			}
		}
	})
	t.Run("says its version", func(t *testing.T) {
		if code, out, _ := run(t, "", "version"); code != 0 || !strings.HasPrefix(out, "forge1 ") {
			t.Errorf("got %d %q", code, out)
		}
	})
	t.Run("helps", func(t *testing.T) {
		if code, out, _ := run(t, "", "serve", "--help"); code != 0 || !strings.Contains(out, "--migrate") {
			t.Errorf("got %d %q", code, out)
		}
	})
}
