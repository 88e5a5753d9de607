package ledger_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "forge1-ledger-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
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

// patience is how long something may take on a busy machine.
const patience = time.Minute

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

// process is a Forge that serves.
type process struct {
	url   string
	cmd   *exec.Cmd
	ended chan error
	tail  *tail
}

// tail is the end of what a process said.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (l *tail) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines[max(0, len(l.lines)-4):], line)
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func command(env map[string]string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), binary, args...) //nolint:gosec // our own
	cmd.Dir = env["DATA_DIR"]
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "TMPDIR=" + cmd.Dir}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd
}

// run runs a command to its good end, and decodes the JSON that it prints.
func run(t *testing.T, env map[string]string, out any, stdin string, args ...string) {
	t.Helper()
	cmd := command(env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("forge1 %v: %v\n%s", args, err, stderr.String())
	}
	if out != nil {
		if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
			t.Fatalf("forge1 %v printed %q: %v", args, stdout.String(), err)
		}
	}
}

// serve starts a Forge and waits until it listens.
func serve(t *testing.T, env map[string]string) *process {
	t.Helper()
	p := &process{cmd: command(env, "serve", "--migrate"), ended: make(chan error, 1), tail: &tail{}}
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	listens := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.tail.add(lines.Text())
			var line struct{ Message, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "serving" {
				select {
				case listens <- line.Address:
				default:
				}
			}
		}
		_, _ = io.Copy(io.Discard, r)
	})
	go func() { p.ended <- p.cmd.Wait(); _ = w.Close() }()
	t.Cleanup(func() {
		_ = p.end(t, os.Kill) // killed, or ended before
		reading.Wait()
		if t.Failed() {
			t.Logf("forge1 said last:\n%s", p.tail)
		}
	})
	select {
	case address := <-listens:
		p.url = "http://" + address
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("serve ended: %v\n%s", err, p.tail)
	case <-time.After(patience):
		t.Fatalf("serve does not listen\n%s", p.tail)
	}
	return p
}

// end sends a signal and waits for the end.
func (p *process) end(t *testing.T, how os.Signal) error {
	t.Helper()
	_ = p.cmd.Process.Signal(how)
	select {
	case err := <-p.ended:
		p.ended <- err // for whoever asks next
		return err
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
		t.Fatalf("the process did not end\n%s", p.tail)
		return nil
	}
}
