package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

// openStreams is how many are held open at once.
const openStreams = 2000

// BenchmarkOpenStreams opens two thousand streams through a Forge 1 in a process of its own and has the vendor fall silent after the first word. It
// reports what that process grew by for each stream, with the client's connection and the vendor's: RSS as the system counts it, and heap and stacks
// after a collection. Clients and vendor are this process. One round is enough:
//
//	go test ./test/e2e -run '^$' -bench OpenStreams -benchtime 1x
func BenchmarkOpenStreams(b *testing.B) {
	for _, c := range []struct {
		name, model string
		surface     surfaces.Surface
	}{
		{"chat relayed", "openai/gpt-4o-mini", surfaces.All[0]},
		{"chat translated", "claude/claude-haiku-4-5", surfaces.All[0]},
		{"responses relayed", "openai/gpt-4o-mini", surfaces.All[1]},
		{"responses translated", "claude/claude-haiku-4-5", surfaces.All[1]},
		{"messages relayed", "claude/claude-haiku-4-5", surfaces.All[2]},
		{"messages translated", "openai/gpt-4o-mini", surfaces.All[2]},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				p := startProcess(b)
				body, err := json.Marshal(c.surface.Body(surfaces.Ask{Model: c.model, Stream: true, Text: "Say a few words."}))
				if err != nil {
					b.Fatal(err)
				}
				p.open(b, 50, c.surface.Path, body)() // what is made once is made now
				before := p.memory(b)
				leave := p.open(b, openStreams, c.surface.Path, body)
				after := p.memory(b)
				leave()
				for what, grown := range map[string]int64{"RSS-KB/stream": after.rss - before.rss, "heap+stacks-KB/stream": after.held - before.held} {
					b.ReportMetric(float64(grown)/openStreams/1024, what)
				}
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// process is a Forge 1 that runs beside the test.
type process struct {
	url, metrics, key string
	pid               int
	vendor            *streamer
}

// startProcess builds the program, makes an account and serves until the test ends.
func startProcess(b *testing.B) *process {
	b.Helper()
	p := &process{vendor: newStreamer(b, func(s *streamer, d wire, w http.ResponseWriter, r *http.Request) {
		s.say(w, d.start+strings.Replace(d.piece, "%s", "a few words", 1))
		<-r.Context().Done()
	})}
	dir := b.TempDir()
	program := filepath.Join(dir, "forge1")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "github.com/forge1/forge1/bootstrap/forge1").CombinedOutput(); err != nil {
		b.Fatalf("build forge1: %v\n%s", err, out)
	}
	command := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(context.Background(), program, args...)
		c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		c.Env = []string{
			"DATA_DIR=" + dir, "PORT=0", "METRICS_ADDR=127.0.0.1:0", "SHUTDOWN_GRACE=1s", "JWT_SECRET=" + strings.Repeat("open-streams-", 3), "CALLS_QUEUE=100000",
			"OPENAI_API_KEY=k", "OPENAI_BASE_URL=" + p.vendor.URL, "ANTHROPIC_API_KEY=k", "ANTHROPIC_BASE_URL=" + p.vendor.URL,
		}
		return c
	}
	user := command("user", "create", "--email", "grace@example.com", "--password-stdin", "--json")
	user.Stdin = strings.NewReader("nanoseconds of copper wire")
	if out, err := user.CombinedOutput(); err != nil {
		b.Fatalf("create the user: %v\n%s", err, out)
	}
	made, err := command("key", "create", "--email", "grace@example.com", "--scope", "ai,router", "--json").Output()
	var key struct{ Key string }
	if err != nil || json.Unmarshal(made, &key) != nil {
		b.Fatalf("create the key: %v\n%s", err, made)
	}
	p.key = key.Key
	p.serve(b, command("serve"))
	return p
}

// serve starts the program and reads its addresses from its log.
func (p *process) serve(b *testing.B, c *exec.Cmd) {
	b.Helper()
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	p.pid = c.Process.Pid
	b.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	})
	for lines := bufio.NewScanner(out); p.url == "" && lines.Scan(); {
		var line struct{ Message, Address, Metrics string }
		if err := json.Unmarshal(lines.Bytes(), &line); err == nil && line.Message == "serving" {
			p.url, p.metrics = "http://"+line.Address, "http://"+line.Metrics
		}
	}
	if p.url == "" {
		b.Fatal("it does not say where it serves")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

// open opens so many streams, waits for the first word on each, and gives what ends them all.
func (p *process) open(b *testing.B, n int, path string, body []byte) (leave func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: -1}}
	var opening sync.WaitGroup
	failed := make(chan error, n)
	places := make(chan struct{}, 32) // so many at once
	for range n {
		opening.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			failed <- p.begin(ctx, client, path, body)
		})
	}
	opening.Wait()
	for range n {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
	return func() {
		cancel()
		harness.Eventually(b, "all streams end", func() bool { return p.vendor.open.Load() == 0 })
		client.CloseIdleConnections()
	}
}

// begin opens a stream and reads up to the first word; the rest is left until the context ends.
func (p *process) begin(ctx context.Context, client *http.Client, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = res.Body.Close() })
	for lines := bufio.NewReader(res.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("status %d, %q: %w", res.StatusCode, line, err)
		}
		if strings.Contains(line, "a few words") {
			return nil
		}
	}
}

// memory is what a process has in bytes.
type memory struct{ rss, held int64 }

// memory has the process collect its garbage and asks what is left.
func (p *process) memory(b *testing.B) memory {
	b.Helper()
	plain := harness.NewPlainClient(p.metrics)
	plain.Do(b, http.MethodGet, "/debug/pprof/heap?gc=1", nil)
	var m memory
	for line := range strings.Lines(string(plain.Do(b, http.MethodGet, "/metrics", nil).Body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil && (name == "go_memstats_heap_inuse_bytes" || name == "go_memstats_stack_inuse_bytes") {
			m.held += int64(n)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			m.rss = n << 10
		}
	}
	if m.rss == 0 || m.held == 0 {
		b.Fatalf("got %+v, want both", m)
	}
	return m
}
