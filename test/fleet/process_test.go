package fleet_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// binary is the program that the replicas run, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "forge1-fleet-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binary:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "forge1")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "github.com/forge1/forge1/bootstrap/forge1") //nolint:gosec // our own
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build forge1: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience is how long something may take on a busy machine that takes a moment.
const patience = 30 * time.Second

// eventually asks until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for: %s", what)
		case <-tick.C:
		}
	}
}

// command makes a command of forge1 with an environment of its own and nothing else.
func command(dir string, env map[string]string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), binary, args...) //nolint:gosec // our own
	cmd.Dir, cmd.SysProcAttr = dir, tied()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	return cmd
}

// run runs a command of forge1 to its end, which must be a good one, and gives what it printed.
func run(t testing.TB, dir string, env map[string]string, stdin string, args ...string) []byte {
	t.Helper()
	cmd := command(dir, env, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("forge1 %v: %v\n%s", args, err, errOut.String())
	}
	return out.Bytes()
}

// serve starts a command of forge1 that serves until the test ends, and gives the line in which it says so.
func serve(t testing.TB, dir string, env map[string]string, saying string, args ...string) string {
	t.Helper()
	cmd := command(dir, env, args...)
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatalf("start forge1 %v: %v", args, err)
	}
	said, ended := make(chan string, 1), make(chan error, 1)
	var mu sync.Mutex
	var tail []string
	go func() { ended <- cmd.Wait(); _ = w.Close() }()
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.Contains(lines.Text(), saying) {
				select {
				case said <- lines.Text():
				default:
				}
			}
			mu.Lock()
			tail = append(tail[max(0, len(tail)-9):], lines.Text())
			mu.Unlock()
		}
		_, _ = io.Copy(io.Discard, r)
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("end forge1 %v: %v", args, err)
			}
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("forge1 %v did not end when told to", args)
		}
		reading.Wait()
		if t.Failed() {
			t.Logf("forge1 %v said last:\n%s", args, strings.Join(tail, "\n"))
		}
	})
	select {
	case line := <-said:
		return line
	case err := <-ended:
		ended <- errors.New("it had ended before")
		t.Fatalf("forge1 %v ended: %v", args, err)
	case <-time.After(patience):
		t.Fatalf("forge1 %v does not say %q", args, saying)
	}
	return ""
}

// ownRedis is a Redis that a test shares with nobody, so that it may stop it.
type ownRedis struct {
	url string
	cmd *exec.Cmd
}

func startRedis(t testing.TB) *ownRedis {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("find Redis: %v", err)
	}
	for range 3 { // the port may be taken between the look and the start
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		addr := l.Addr().String()
		_ = l.Close()
		_, port, _ := net.SplitHostPort(addr)
		args := []string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no"}
		cmd := exec.CommandContext(context.Background(), program, args...) //nolint:gosec // ours
		cmd.SysProcAttr = tied()
		if err := cmd.Start(); err != nil {
			t.Fatalf("start Redis: %v", err)
		}
		gone := make(chan struct{})
		go func() { _ = cmd.Wait(); close(gone) }()
		t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGCONT)
			_ = cmd.Process.Signal(syscall.SIGINT)
			<-gone
		})
		if answers(addr, gone) {
			return &ownRedis{"redis://" + addr + "/0", cmd}
		}
	}
	t.Fatal("Redis did not start")
	return nil
}

func answers(addr string, gone <-chan struct{}) bool {
	db := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for db.Ping(context.Background()).Err() != nil {
		select {
		case <-tick.C:
		case <-gone:
			return false
		case <-deadline:
			return false
		}
	}
	return true
}

// pause has Redis hold still, connections open and silent; resume lets it go on.
func (r *ownRedis) pause()  { _ = r.cmd.Process.Signal(syscall.SIGSTOP) }
func (r *ownRedis) resume() { _ = r.cmd.Process.Signal(syscall.SIGCONT) }
