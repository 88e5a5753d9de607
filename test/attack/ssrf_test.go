package attack_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func init() {
	row("SSRF-1", "addresses of other hosts in every text, and redirects by the one that may be asked", addressesInTexts, before(withRedirects))
}

// redirecting is the range API of the row's process: the one host that it may ask, which sends it elsewhere.
var redirecting sync.Map // *world -> *redirect

type redirect struct {
	asked  atomic.Int64
	addr   string
	beyond *listener
}

func withRedirects(t *testing.T, w *world) {
	r := &redirect{beyond: listen(t)}
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		r.asked.Add(1)
		http.Redirect(out, in, "http://"+r.beyond.addr+"/latest/meta-data/", http.StatusFound)
	}))
	t.Cleanup(s.Close)
	r.addr = strings.TrimPrefix(s.URL, "http://")
	w.env["BREACH_CHECK_URL"] = s.URL + "/range/"
	redirecting.Store(w, r)
}

func addressesInTexts(t *testing.T, w *world) {
	stored, _ := redirecting.LoadAndDelete(w)
	r := stored.(*redirect)
	trap := listen(t)
	_, port, _ := net.SplitHostPort(trap.addr)
	urls := []string{
		"http://" + trap.addr + "/", "http://[::ffff:127.0.0.1]:" + port + "/", "http://[::1]:" + port + "/", "http://localhost:" + port + "/", "http://2130706433:" + port + "/",
		"http://0x7f.1:" + port + "/", "http://0177.0.0.1:" + port + "/", "http://127.1:" + port + "/", "http://0:" + port + "/", "http://169.254.169.254/latest/meta-data/",
		"http://[fd00:ec2::254]/latest/", "http://metadata.google.internal/", "http://user@" + trap.addr + "/", "http://" + r.beyond.addr + "/redirect",
		"http://localtest.me:" + port + "/", "http://7f000001.a9fea9fe.rbndr.us/", "gopher://" + trap.addr + "/_x", "file:///etc/passwd", "ldap://" + trap.addr + "/x", "//" + trap.addr + "/x",
		"${jndi:ldap://" + trap.addr + "/a}", "<img src=http://" + trap.addr + "/>",
	}
	watch := w.watchConnections(t, r.addr)
	u := w.user(t)
	s := w.signIn(t, u)
	token, head, body := bearing(t, w)
	if token == "" {
		t.Fatal("no token")
	}
	for _, url := range urls {
		w.visit(t, u, s, url)
		for _, name := range []string{"jku", "x5u", "kid", "jwk", "iss"} {
			var forged string
			if name == "iss" {
				forged = w.mint(t, head, changed(body, fields{"iss": url}))
			} else {
				forged = w.mint(t, changed(head, fields{name: url}), body)
			}
			if a := w.me(t, forged); a.status != http.StatusUnauthorized {
				t.Errorf("a token with %s: %s, want 401", name, a)
			}
		}
	}
	for _, domain := range []string{
		"169.254.169.254", "[169.254.169.254]", "[IPv6:::ffff:127.0.0.1]", "127.0.0.1", trap.addr, "localhost", "metadata.google.internal", "localtest.me", "7f000001.a9fea9fe.rbndr.us",
	} {
		for _, name := range []string{"register", "request-password-reset", "login", "resend-verification"} {
			fieldsOf := fields{"email": "x@" + domain}
			if name == "register" || name == "login" {
				fieldsOf["password"] = passphrase()
			}
			if a := w.post(t, name, fieldsOf); a.status >= 500 {
				t.Errorf("%s of %s: %s", name, domain, a)
			}
		}
	}
	w.mails(t, u.email) // and whatever follows from all that has been done
	for to, n := range watch.stop() {
		t.Errorf("%d times a connection to %s was seen", n, to)
	}
	if n := trap.hits.Load(); n != 0 {
		t.Errorf("%d connections to an address in a text", n)
	}
	if n := r.beyond.hits.Load(); n != 0 {
		t.Errorf("%d connections to where a redirect points", n)
	}
	if r.asked.Load() == 0 {
		t.Error("the range API was not asked: the row shows nothing of redirects")
	}
	if watch.allowed.Load() == 0 || watch.looks.Load() < 100 {
		t.Errorf("in %d looks %d connections were seen, want the ones that may be", watch.looks.Load(), watch.allowed.Load())
	}
}

// visit puts an address into every text and header that takes one.
func (w *world) visit(t *testing.T, u account, s session, url string) {
	t.Helper()
	short := url[:min(len(url), 60)]
	everywhere := []with{
		header("Referer", url), header("Origin", url), header("X-Forwarded-Host", url), header("X-Original-URL", url), header("Forwarded", "host=\""+url+"\""), header("User-Agent", url),
		header("X-Wap-Profile", url), header("Link", "<"+url+">; rel=preload"), header("traceparent", url),
	}
	for name, body := range map[string]fields{
		"register": {"email": somebody(), "password": passphrase(), "display_name": url, "tenant": fields{"name": short}},
		"login":    {"email": u.email, "password": u.password, "tenant": url},
		"refresh":  {"refresh_token": url}, "verify-email": {"token": url}, "reset-password": {"token": url, "new_password": passphrase()},
		"mfa/verify": {"mfa_token": url, "code": "123456"}, "logout": {"refresh_token": url},
	} {
		if a := w.post(t, name, body, append(everywhere, plain)...); a.status >= 500 {
			t.Errorf("%s with %s: %s", name, url, a)
		}
	}
	for name, body := range map[string]fields{
		"api-keys": {"name": short, "scopes": []string{"ai"}}, "switch-tenant": {"tenant_id": url}, "invites/accept": {"invite_token": url},
		"/api/v1/admin/invites": {"email": somebody(), "role": url},
	} {
		if a := w.post(t, name, body, append(everywhere, as(s.access), plain)...); a.status >= 500 {
			t.Errorf("%s with %s: %s", name, url, a)
		}
	}
	if a := w.do(t, http.MethodPatch, "/api/v1/auth/me", fields{"display_name": url}, as(s.access)); a.status >= 500 {
		t.Errorf("PATCH me with %s: %s", url, a)
	}
}

// connections is a watch over what the process is connected to.
type connections struct {
	allowed, looks atomic.Int64
	ended          chan struct{}
	done           sync.WaitGroup
	seen           map[string]int
}

// watchConnections looks all the time at the sockets of the process, until it is stopped. Its stores, its mail server, those that come to it and the given address
// may be there.
func (w *world) watchConnections(t *testing.T, allowed string) *connections {
	t.Helper()
	c := &connections{ended: make(chan struct{}), seen: map[string]int{}}
	own := map[string]bool{w.mail.addr: true, allowed: true}
	ports := map[string]bool{}
	for _, at := range []string{w.node.addr, strings.TrimPrefix(w.node.metrics, "http://")} {
		_, port, _ := net.SplitHostPort(at)
		ports[port] = true
	}
	for _, store := range []string{w.database, w.redis} {
		if at := hostOf(store); at != "" {
			own[at] = true
		}
	}
	pid, known := w.node.pid(), map[string]bool{}
	look := func() {
		for id, s := range sockets(pid, known) {
			_, local, _ := net.SplitHostPort(s.local)
			_, remote, _ := net.SplitHostPort(s.remote)
			switch {
			case s.kind == "tcp" && ports[local] || own[s.remote]:
				c.allowed.Add(1)
			case remote == "0": // not connected yet
				continue
			default:
				c.seen[s.kind+" "+s.remote]++
			}
			known[id] = true
		}
		c.looks.Add(1)
	}
	c.done.Go(func() {
		for {
			look()
			select {
			case <-c.ended:
				look()
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	return c
}

// stop ends the watch and gives what was seen that may not be.
func (c *connections) stop() map[string]int {
	close(c.ended)
	c.done.Wait()
	return c.seen
}

// hostOf gives host:port of a store's address.
func hostOf(store string) string {
	_, rest, ok := strings.Cut(store, "://")
	if !ok || strings.HasPrefix(store, "sqlite") {
		return ""
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	rest, _, _ = strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, "?")
	return strings.Replace(rest, "localhost", "127.0.0.1", 1)
}

type socket struct{ kind, local, remote string }

// sockets gives the sockets of a process that are not known, by their ids.
func sockets(pid int, known map[string]bool) map[string]socket {
	mine := map[string]bool{}
	folder := fmt.Sprintf("/proc/%d/fd/", pid)
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		to, err := os.Readlink(folder + e.Name())
		if id, ok := strings.CutPrefix(to, "socket:["); err == nil && ok && !known[strings.TrimSuffix(id, "]")] {
			mine[strings.TrimSuffix(id, "]")] = true
		}
	}
	out := map[string]socket{}
	if len(mine) == 0 {
		return out
	}
	for _, kind := range []string{"tcp", "tcp6", "udp", "udp6"} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, kind))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			if len(f) >= 10 && mine[f[9]] {
				out[f[9]] = socket{strings.TrimSuffix(kind, "6"), endpoint(f[1]), endpoint(f[2])}
			}
		}
	}
	return out
}

// endpoint reads an address as /proc/net writes it: the bytes of each 32-bit word from the last to the first.
func endpoint(text string) string {
	ip, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(ip)
	n, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil {
		return text
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	addr, ok := netip.AddrFromSlice(raw)
	if !ok {
		return text
	}
	return net.JoinHostPort(addr.Unmap().String(), strconv.FormatUint(n, 10))
}
