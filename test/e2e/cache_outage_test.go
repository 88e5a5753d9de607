package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/redistest"
)

func TestACacheThatIsAwayOrSilentCostsLittle(t *testing.T) {
	for name, address := range map[string]string{"away": "redis://127.0.0.1:1/0", "silent": "redis://" + silent(t) + "/0"} {
		t.Run(name, func(t *testing.T) {
			f := withCache(t, harness.Embedded, "CACHE_REDIS_URL", address)
			began := time.Now()
			for i := range 10 {
				wantCache(t, "without a cache", f.Do(t, http.MethodPost, executeRoute, map[string]any{"task": fmt.Sprint("Number ", i)}), "miss")
			}
			if took := time.Since(began); took > 15*time.Second { // each waits 150 ms at most, and the vendors are quick; 20 s of silence would show
				t.Errorf("ten calls took %v", took)
			}
		})
	}
}

// TestTheCachesRedisFallsSilentInTheMiddle has answers go on while the cache's Redis takes what it is sent and says nothing, and the cache come back with it.
func TestTheCachesRedisFallsSilentInTheMiddle(t *testing.T) {
	p := newPipe(t, redistest.URL(t))
	f := withCache(t, harness.Embedded, "CACHE_REDIS_URL", p.url)
	body := map[string]any{"task": "Asked throughout."}
	wantCache(t, "the first", f.Do(t, http.MethodPost, executeRoute, body), "miss")
	harness.Eventually(t, "a hit", func() bool { return f.Do(t, http.MethodPost, executeRoute, body).Header.Get("X-Forge-Cache") == "hit" })
	p.stall()
	for i := range 20 {
		a := f.Do(t, http.MethodPost, executeRoute, map[string]any{"task": "Asked throughout.", "stream": i%2 == 1})
		if a.Status != http.StatusOK || !strings.Contains(string(a.Body), sha("Asked throughout.")) {
			t.Fatalf("while Redis is silent: %d %s", a.Status, a.Body)
		}
	}
	p.flow()
	harness.Eventually(t, "the cache to be back", func() bool { return f.Do(t, http.MethodPost, executeRoute, body).Header.Get("X-Forge-Cache") == "hit" })
}

// pipe is a way to a server that can be stalled.
type pipe struct {
	url  string
	mu   sync.Mutex
	open chan struct{} // closed while bytes flow
}

func newPipe(t *testing.T, to string) *pipe {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pipe{open: make(chan struct{})}
	close(p.open)
	host := target.Host
	target.Host = l.Addr().String()
	p.url = target.String()
	t.Cleanup(func() { _ = l.Close(); p.flow() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", host)
			if err != nil {
				_ = in.Close()
				continue
			}
			go p.copy(in, out)
			go p.copy(out, in)
		}
	}()
	return p
}

func (p *pipe) copy(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		open := p.open
		p.mu.Unlock()
		<-open
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (p *pipe) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

func (p *pipe) flow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// silent takes connections and says nothing on them.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return l.Addr().String()
}
