package bootstrap_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/application/health"
	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/bootstrap/cli"
	"github.com/forge1/forge1/test/pgtest"
)

const ready = "/api/v1/health/ready"

// start wires a Forge of these variables, lets it run until it has answered one request, and gives the status, how that ended and the log.
func start(t *testing.T, vars map[string]string, path, bearer string) (status int, log string, err error) {
	t.Helper()
	own := map[string]string{"DATA_DIR": t.TempDir(), "PORT": "0", "METRICS_ADDR": "off", "SHUTDOWN_GRACE": "5s"}
	for k, v := range vars {
		own[k] = v
	}
	c, err := bootstrap.Load(own)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	var out bytes.Buffer
	app, cleanup, err := bootstrap.New(t.Context(), c, bootstrap.LogTo(&out))
	if err != nil {
		t.Fatalf("wire: %v", err)
	}
	if err := app.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	if err := app.Listen(); err != nil {
		t.Fatalf("listen: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+app.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	res, asked := (&http.Transport{}).RoundTrip(req) // waits until it is accepted, or refused
	if asked == nil {
		status = res.StatusCode
		_ = res.Body.Close()
	}
	stop()
	err = <-ended
	cleanup()
	if (err == nil) != (asked == nil) {
		t.Errorf("asking it: %v, although it ended with %v", asked, err)
	}
	return status, out.String(), err
}

func TestAClockThatIsOffRefusesToStart(t *testing.T) {
	tests := map[string]struct {
		offset string
		server bool // Postgres
		refuse bool
	}{
		"Postgres and the same time":           {offset: "0s", server: true},
		"Postgres and a little ahead":          {offset: "4s", server: true},
		"Postgres and 90 s ahead":              {offset: "90s", server: true, refuse: true},
		"Postgres and an hour behind":          {offset: "-1h", server: true, refuse: true},
		"the embedded database moves with us":  {offset: "36h"},
		"the embedded database, and no offset": {offset: "0s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "offset")
			if err := os.WriteFile(file, []byte(tc.offset), 0o600); err != nil {
				t.Fatal(err)
			}
			vars := map[string]string{"FORGE_CLOCK_OFFSET_FILE": file}
			if tc.server {
				vars["DATABASE_URL"] = pgtest.URL(t)
			}
			_, log, err := start(t, vars, ready, "")
			if errors.Is(err, health.ErrSkew) != tc.refuse || !tc.refuse && err != nil {
				t.Errorf("got %v, want a refusal: %t", err, tc.refuse)
			}
			if strings.Contains(log, `"message":"serving"`) == tc.refuse {
				t.Errorf("it said:\n%s", log)
			}
			if tc.refuse && (!strings.Contains(err.Error(), "FORGE_CLOCK_OFFSET_FILE") || strings.Contains(err.Error(), vars["DATABASE_URL"])) {
				t.Errorf("got %q, want the variable named and no URL", err)
			}
		})
	}
}

func TestTheCommandLineGoesByTheMovedClock(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "offset")
	if err := os.WriteFile(file, []byte("36h"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_DIR", dir)
	t.Setenv("FORGE_CLOCK_OFFSET_FILE", file)
	run := func(stdin string, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := cli.Run(t.Context(), args, strings.NewReader(stdin), &out, &errOut); code != 0 {
			t.Fatalf("%v: got exit code %d\n%s", args, code, &errOut)
		}
		return strings.TrimSpace(out.String())
	}
	run("nanoseconds of copper wire", "user", "create", "--email", "grace@example.com", "--password-stdin")
	key := run("", "key", "create", "--email", "grace@example.com", "--expires", "1h")
	for _, step := range []struct {
		offset string
		want   int
	}{{"36h", http.StatusOK}, {"36h59m", http.StatusOK}, {"37h1m", http.StatusUnauthorized}} {
		if err := os.WriteFile(file, []byte(step.offset), 0o600); err != nil {
			t.Fatal(err)
		}
		got, log, err := start(t, map[string]string{"DATA_DIR": dir, "FORGE_CLOCK_OFFSET_FILE": file}, "/v1/models", key)
		if err != nil || got != step.want {
			t.Errorf("at %s, with a key for an hour from 36h on: got %d, %v, want %d\n%s", step.offset, got, err, step.want, log)
		}
	}
}
