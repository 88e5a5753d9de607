package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build compiles the command and returns a call of it that knows no servers.
func build(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	// Looking at the sources tells go test to run again when one has changed.
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		if _, err := os.Stat(source); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "servers")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "FORGE_TEST_POSTGRES_URL=", "FORGE_TEST_REDIS_URL=")
	return cmd
}

// print is a shell command that shows both variables, a line each.
const print = `echo "$FORGE_TEST_POSTGRES_URL"; echo "$FORGE_TEST_REDIS_URL"; `

// addresses reads the two lines of print.
func addresses(t *testing.T, r *bufio.Reader) (hosts []string) {
	t.Helper()
	for range 2 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the command printed %q: %v", line, err)
		}
		u, err := url.Parse(strings.TrimSpace(line))
		if err != nil || u.Host == "" {
			t.Fatalf("got %q (%v), want a URL", line, err)
		}
		hosts = append(hosts, u.Host)
	}
	return hosts
}

func up(host string) bool {
	conn, err := net.DialTimeout("tcp", host, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestTheExitCodeIsTheCommandsAndTheServersAreGone(t *testing.T) {
	t.Parallel()
	cmd := build(t, "--", "sh", "-c", print+"exit 7")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 {
		t.Fatalf("got %v, want exit code 7\n%s", err, out)
	}
	for _, host := range addresses(t, bufio.NewReader(bytes.NewReader(out))) {
		if up(host) {
			t.Errorf("%s still answers", host)
		}
	}
}

func TestServersThatAreThereAreUsedAndLeftAlone(t *testing.T) {
	t.Parallel()
	cmd := build(t, "--", "sh", "-c", print)
	cmd.Env = append(os.Environ(), "FORGE_TEST_POSTGRES_URL=postgres://there/db", "FORGE_TEST_REDIS_URL=redis://there/1")
	out, err := cmd.Output()
	if want := "postgres://there/db\nredis://there/1\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func TestAnInterruptionStopsEverything(t *testing.T) {
	t.Parallel()
	// Killed outright, nothing of the command's own can tidy up: the kernel must.
	for name, signal := range map[string]syscall.Signal{
		"Ctrl-C": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := build(t, "--", "sh", "-c", print+"exec sleep 60")
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // the sleep of a killed parent
			hosts := addresses(t, bufio.NewReader(stdout))
			for _, host := range hosts {
				if !up(host) {
					t.Errorf("%s does not answer while the command runs", host)
				}
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil {
				t.Error("an interrupted run ended with success")
			}
			// After a kill the kernel's signal and this look race, so the look is repeated.
			deadline := time.Now().Add(20 * time.Second)
			for _, host := range hosts {
				for up(host) {
					if time.Now().After(deadline) {
						t.Fatalf("%s still answers", host)
					}
				}
			}
		})
	}
}
