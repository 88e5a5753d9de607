package bootstrap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take on a busy machine.
const patience = time.Minute

// binaryDir is where binary has built; "" while it has not.
var binaryDir string

// binary builds the program once, for all tests of this file.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if binaryDir, err = os.MkdirTemp("", "forge1-binary-"); err != nil {
		return "", err
	}
	file := filepath.Join(binaryDir, "forge1")
	out, err := exec.Command("go", "build", "-o", file, "./forge1").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binaryDir != "" {
		_ = os.RemoveAll(binaryDir)
	}
	os.Exit(code)
}

// serve prepares a `forge1 serve` that knows nothing but these variables.
func serve(t *testing.T, vars map[string]string) *exec.Cmd {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, file, "serve")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HOST=127.0.0.1", "PORT=0", "METRICS_ADDR=off", "DATA_DIR=" + cmd.Dir}
	for k, v := range vars {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd
}

func TestTheProgramRefusesEachBadSetting(t *testing.T) {
	for name, tc := range badProd {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := serve(t, prodVars(tc.change)).CombinedOutput()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
				t.Fatalf("got %v, want exit code 1\n%s", err, out)
			}
			wantRefusal(t, string(out), tc.change, tc.names)
		})
	}
}

func TestTheProgramAsksRedisWhatItThrowsAway(t *testing.T) {
	const password = "kept-Pw-9-in-Redis"
	embedded := func(redis string) map[string]string {
		return prodVars(map[string]string{"DATABASE_URL": "", "ALLOW_SQLITE": "true", "REDIS_URL": redis})
	}
	t.Run("what has to stay, and refuses", func(t *testing.T) {
		t.Parallel()
		out, err := serve(t, embedded(redisServer(t, password, "allkeys-lru"))).CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
			t.Fatalf("got %v, want exit code 1\n%s", err, out)
		}
		if s := string(out); !strings.Contains(s, "REDIS_URL: ") || !strings.Contains(s, "noeviction") || strings.Contains(s, password) || strings.Contains(s, "allkeys") {
			t.Errorf("got %s, want REDIS_URL named and no value", s)
		}
	})
	for name, tc := range map[string]struct {
		vars map[string]string
		warn string
	}{
		"nothing, and serves":                {vars: embedded(redisServer(t, password, "noeviction"))},
		"without an answer, and serves":      {vars: embedded("redis://:" + password + "@127.0.0.1:1/0"), warn: "does not answer"},
		"what has to stay, and warns in dev": {vars: map[string]string{"REDIS_URL": redisServer(t, password, "volatile-ttl")}, warn: "noeviction"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := served(t, serve(t, tc.vars))
			if warned := strings.Contains(log, `"level":"WARN"`) && strings.Contains(log, tc.warn); warned != (tc.warn != "") {
				t.Errorf("got %s, want a warning of %q", log, tc.warn)
			}
			if strings.Contains(log, password) {
				t.Errorf("the password is in the log:\n%s", log)
			}
		})
	}
}

// served runs a program until it serves, ends it as an operator would, and gives what it said.
func served(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said, errors bytes.Buffer
	cmd.Stderr = &errors
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(io.TeeReader(out, &said))
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"message":"serving"`) {
			_ = cmd.Process.Signal(syscall.SIGTERM) // when it is gone already, Wait says so
		}
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), `"message":"serving"`) {
		t.Fatalf("got %v, want a server that ends well\n%s%s", err, &said, &errors)
	}
	return said.String()
}

// redisServer starts a Redis with a password and an eviction policy, and gives its URL.
func redisServer(t *testing.T, password, policy string) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("this test needs redis-server: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free, as far as one can know
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
		"--requirepass", password, "--maxmemory-policy", policy)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	late := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return "redis://:" + password + "@" + address + "/0"
		}
		select {
		case <-late:
			t.Fatalf("redis-server does not come up: %v", err)
		case <-tick.C:
		}
	}
}

func TestTheGoodConfigurationOfTheseTestsIsGood(t *testing.T) {
	cmd := serve(t, prodVars(nil))
	cmd.Args[1] = "config"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("got %v\n%s", err, out)
	}
}
