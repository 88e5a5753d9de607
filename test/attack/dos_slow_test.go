package attack_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

func init() {
	row("DOS-4", "heads and bodies that come byte by byte, and five thousand sockets that say nothing", slowClients, overlapped)
}

// tooSlow is the slowest that a client may be with a head, or with the body of a sign-in: ten seconds, and what a busy machine adds.
const tooSlow = 10*time.Second + 4*time.Second

// drip opens a connection, sends the beginning, and then a byte at a time until the process has had enough. It gives how long that took.
func (w *world) drip(t *testing.T, beginning string) time.Duration {
	t.Helper()
	conn, err := net.DialTimeout("tcp", w.node.addr, 20*time.Second)
	if err != nil {
		t.Errorf("connect: %v", err)
		return 0
	}
	defer func() { _ = conn.Close() }()
	begun := time.Now()
	_, _ = io.WriteString(conn, beginning)
	ended := make(chan time.Duration, 1)
	go func() {
		_ = conn.SetReadDeadline(begun.Add(3 * tooSlow))
		_, _ = conn.Read(make([]byte, 1)) // an answer, or the end
		ended <- time.Since(begun)
	}()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case took := <-ended:
			return took
		case <-tick.C:
			_, _ = io.WriteString(conn, "a")
		}
	}
}

// idle opens connections that say nothing.
func (w *world) idle(t *testing.T, n int) (closeAll func()) {
	t.Helper()
	conns := make([]net.Conn, n)
	var all sync.WaitGroup
	for first := range 50 {
		all.Go(func() {
			for i := first; i < n; i += 50 {
				conn, err := net.DialTimeout("tcp", w.node.addr, 20*time.Second)
				if err != nil {
					t.Errorf("connect: %v", err)
					return
				}
				conns[i] = conn
			}
		})
	}
	all.Wait()
	return func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}
}

func slowClients(t *testing.T, w *world) {
	u := w.user(t)
	s := w.signIn(t, u)
	closeAll := w.idle(t, 5000)
	defer closeAll()
	head := func(path string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: forge\r\nX-Forwarded-For: " + anAddress() + "\r\n"
	}
	body := func(name string) string {
		return head("/api/v1/auth/"+name) + "Content-Type: application/json\r\nContent-Length: 2000\r\n\r\n{\"email\":\""
	}
	beginnings := map[string]func() string{
		"a request line":       func() string { return "PO" },
		"a head":               func() string { return head("/api/v1/auth/login") + "X-Slow: " },
		"a head for an answer": func() string { return head("/v1/chat/completions") + "X-Slow: " },
		"the body of a login":  func() string { return body("login") },
		"of a registration":    func() string { return body("register") },
		"of a reset":           func() string { return body("reset-password") },
	}
	var all sync.WaitGroup
	for what, beginning := range beginnings {
		for range 30 {
			all.Go(func() {
				if took := w.drip(t, beginning()); took > tooSlow {
					t.Errorf("%s that came byte by byte was borne with for %v, want at most 10 s", what, took)
				}
			})
		}
	}
	l := newLoad()
	l.run("live", 100*time.Millisecond, func() answer { return w.get(t, "/api/v1/health/live") })
	l.run("me", 150*time.Millisecond, func() answer { return w.me(t, s.access) })
	l.run("login", time.Second, func() answer { return w.login(t, u.email, u.password) })
	all.Wait()
	statuses(t, "among slow clients", l.end(), map[string][]int{"live": {200}, "me": {200}, "login": {200}})
	w.get(t, "me", as(s.access)).want(t, http.StatusOK, "")
	t.Logf("the most memory: %d MiB", w.node.peak(t)/mebibyte)
}
