package attack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under attack, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "forge1-attack-")
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

// patience is how long a process may take to start or to end, on a busy machine.
const patience = 60 * time.Second

// node is one process of Forge 1. It is not safe for several goroutines, except for reading url while it is up.
type node struct {
	url     string // http://host:port
	addr    string // host:port of the API
	metrics string // http://host:port of the metrics
	dir     string // working folder
	env     map[string]string
	clock   *hand
	log     *output // stdout and stderr of all its lives
	cmd     *exec.Cmd
	ended   chan error
}

// start starts a process that must serve; it is ended with the test.
func start(t *testing.T, dir string, env map[string]string, clock *hand, log *output) *node {
	t.Helper()
	n := &node{dir: dir, env: env, clock: clock, log: log}
	n.launch(t)
	t.Cleanup(func() {
		if n.cmd != nil {
			n.stop(t)
		}
	})
	return n
}

// launch starts the process and waits until it serves. It begins on the host's clock, as a process must whose database has that one.
func (n *node) launch(t *testing.T) {
	t.Helper()
	if by := n.clock.by; by != 0 {
		n.clock.set(t, 0)
		defer n.clock.set(t, by)
	}
	if err := n.tryLaunch(); err != nil {
		t.Fatalf("start forge1: %v\n%s", err, n.log.tail())
	}
}

func (n *node) tryLaunch() error {
	n.cmd = command(context.Background(), n.dir, n.env, "serve", "--migrate")
	serving := n.log.watch("serving")
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(n.cmd, n.ended)
	select {
	case line := <-serving:
		var said struct{ Address, Metrics string }
		if err := json.Unmarshal([]byte(line), &said); err != nil || said.Address == "" {
			return fmt.Errorf("no address in %q", line)
		}
		n.addr, n.url, n.metrics = said.Address, "http://"+said.Address, "http://"+said.Metrics
		return nil
	case err := <-n.ended:
		n.cmd = nil
		return fmt.Errorf("it ended: %w", cmpErr(err))
	case <-time.After(patience):
		_ = n.cmd.Process.Kill()
		<-n.ended
		n.cmd = nil
		return errors.New("it does not say that it serves")
	}
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// pid is the id of the running process.
func (n *node) pid() int { return n.cmd.Process.Pid }

// stop asks the process to end, and waits until it has; it must end well.
func (n *node) stop(t *testing.T) {
	t.Helper()
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-n.ended:
		if err != nil {
			t.Errorf("end forge1: %v\n%s", err, n.log.tail())
		}
	case <-time.After(patience):
		_ = n.cmd.Process.Kill()
		<-n.ended
		t.Errorf("forge1 did not end when told to")
	}
	n.cmd = nil
}

// kill9 ends the process at once, as a power failure would.
func (n *node) kill9(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Kill(); err != nil {
		t.Errorf("kill forge1: %v", err)
	}
	<-n.ended
	n.cmd = nil
}

// restart ends the process well, if it runs, and starts another on the same stores. Its address may be another.
func (n *node) restart(t *testing.T) {
	t.Helper()
	if n.cmd != nil {
		n.stop(t)
	}
	n.launch(t)
}

// exited reports whether the process has ended by itself.
func (n *node) exited() bool {
	select {
	case err := <-n.ended:
		n.ended <- err
		return true
	default:
		return false
	}
}

// rss gives the memory of the process in bytes.
func (n *node) rss(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.pid()))
	if err != nil {
		t.Fatalf("read the memory of forge1: %v", err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
		t.Fatalf("read the memory of forge1: %v", err)
	}
	return resident * os.Getpagesize()
}

// command makes a command of forge1 with an environment of its own and nothing else.
func command(ctx context.Context, dir string, env map[string]string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // our own
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	cmd.SysProcAttr = tied()
	cmd.WaitDelay = patience
	return cmd
}

// ran is what came of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// run runs a command of forge1 to its end.
func run(t *testing.T, dir string, env map[string]string, stdin string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, dir, env, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("run forge1 %v: %v", args, err)
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// output keeps what processes say, and tells who waits for a line.
type output struct {
	mu      sync.Mutex
	all     bytes.Buffer
	partial []byte
	message string
	waiting chan string
}

var _ io.Writer = (*output)(nil)

// watch gives a channel that gets the next JSON line with a message.
func (o *output) watch(message string) <-chan string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.message, o.waiting = `"message":"`+message+`"`, make(chan string, 1)
	return o.waiting
}

// Write takes what a process says.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Write(p)
	o.partial = append(o.partial, p...)
	for {
		line, rest, whole := bytes.Cut(o.partial, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if o.waiting != nil && strings.Contains(string(line), o.message) {
			o.waiting <- string(line)
			o.waiting = nil
		}
		o.partial = rest
	}
}

// String gives everything so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// await waits until a text is there, at most so long, and reports whether it is.
func (o *output) await(text string, most time.Duration) bool {
	deadline := time.Now().Add(most)
	for !strings.Contains(o.String(), text) {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

// lines gives the lines so far.
func (o *output) lines() []string { return strings.Split(strings.TrimSuffix(o.String(), "\n"), "\n") }

// tail gives the last lines.
func (o *output) tail() string {
	l := o.lines()
	return strings.Join(l[max(0, len(l)-6):], "\n")
}
