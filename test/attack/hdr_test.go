package attack_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func init() {
	row("HDR-1", "origins that are evil, null, or nearly one of ours", origins)
	row("HDR-2", "CORS for everybody with credentials in prod", corsInProd)
	row("HDR-3", "the headers of every route and status", everyHeader)
	row("HDR-4", "request ids with line breaks, of ten kilobytes, with markup", requestIDs)
}

func origins(t *testing.T, w *world) {
	listed := w.second(t, "BACKEND_CORS_ORIGINS", "https://good.example,https://app.good.example:8443")
	trusting := w.second(t, "BACKEND_CORS_ORIGINS", "https://good.example", "CORS_ALLOW_CREDENTIALS", "true")
	evil := []string{
		"https://evil.example", "null", "https://good.example.evil.example", "https://evilgood.example", "http://good.example", "https://good.example:444", "https://good.example/",
		"https://GOOD.example", "https://good.example .evil.example", "https://good.example,https://evil.example", "file://", "https://app.good.example", "https://good.example.",
	}
	for _, n := range []struct {
		name string
		node *node
	}{{"everybody", w.node}, {"a list", listed}, {"a list with credentials", trusting}} {
		for _, origin := range append(evil, "https://good.example") {
			for what, a := range map[string]answer{
				"simple": w.get(t, "/api/v1/health/live", on(n.node), header("Origin", origin)),
				"login":  w.login(t, somebody(), "x", on(n.node), header("Origin", origin)),
				"preflight": w.do(t, http.MethodOptions, "/api/v1/auth/login", nil, on(n.node), header("Origin", origin),
					header("Access-Control-Request-Method", "POST"), header("Access-Control-Request-Headers", "authorization, content-type")),
				"preflight of me": w.do(t, http.MethodOptions, "/api/v1/auth/me", nil, on(n.node), header("Origin", origin), header("Access-Control-Request-Method", "GET")),
			} {
				allow, credentials := a.header.Values("Access-Control-Allow-Origin"), a.header.Values("Access-Control-Allow-Credentials")
				good := origin == "https://good.example"
				var want, wantCredentials []string
				switch {
				case n.node == w.node:
					want = []string{"*"}
				case good:
					want = []string{origin}
				}
				if good && n.node == trusting {
					wantCredentials = []string{"true"}
				}
				if fmt.Sprint(allow) != fmt.Sprint(want) || fmt.Sprint(credentials) != fmt.Sprint(wantCredentials) {
					t.Errorf("%s, %s of %q: got %q with credentials %q, want %q and %q", n.name, what, origin, allow, credentials, want, wantCredentials)
				}
				if n.node != w.node && !strings.Contains(a.header.Get("Vary"), "Origin") {
					t.Errorf("%s, %s of %q: Vary is %q, want Origin", n.name, what, origin, a.header.Get("Vary"))
				}
				if a.status == http.StatusUnauthorized && allow != nil && !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Retry-After") {
					t.Errorf("%s, %s of %q: Access-Control-Expose-Headers is %q", n.name, what, origin, a.header.Get("Access-Control-Expose-Headers"))
				}
			}
		}
	}
}

// prod gives variables that prod is content with, but for what is changed: name, value, name, value. It serves on the loopback alone.
func (w *world) prod(pairs ...string) map[string]string {
	env := map[string]string{
		"ENV": "prod", "HOST": "127.0.0.1", "PORT": "0", "METRICS_ADDR": "off", "DATA_DIR": w.dir, "JWT_SECRET": "9f2c61d7e8a04b35c1f7d2960b8e53aa47d19c0e62b8f3d5", "PUBLIC_BASE_URL": issuer,
		"SMTP_URL": "smtps://127.0.0.1:1", "ALLOW_SQLITE": "true", "ALLOW_MEMORY_STORE": "true", "DATABASE_URL": w.database,
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return env
}

func corsInProd(t *testing.T, w *world) {
	for what, env := range map[string]map[string]string{
		"*":              w.prod("BACKEND_CORS_ORIGINS", "*", "CORS_ALLOW_CREDENTIALS", "true"),
		"none named":     w.prod("CORS_ALLOW_CREDENTIALS", "true"),
		"* among others": w.prod("BACKEND_CORS_ORIGINS", "https://good.example,*", "CORS_ALLOW_CREDENTIALS", "true"),
	} {
		r := run(t, w.dir, env, "", "serve")
		said := r.stdout + r.stderr
		if r.code == 0 || !strings.Contains(said, "CORS_ALLOW_CREDENTIALS") && !strings.Contains(said, "BACKEND_CORS_ORIGINS") {
			t.Errorf("%s: exit code %d, %s; want a refusal that names the variable", what, r.code, said)
		}
		if strings.Contains(said, "JWT_SECRET") || strings.Contains(said, "good.example") {
			t.Errorf("%s: says more than that: %s", what, said)
		}
	}
}

// headers checks the headers that every answer carries.
func headers(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
	} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
	if id := h.Get("X-Request-Id"); len(id) < 8 || len(id) > 64 {
		t.Errorf("%s: X-Request-ID is %q", what, id)
	}
	for _, name := range []string{"Server", "X-Powered-By", "X-Aspnet-Version", "Via"} {
		if got := h.Values(name); got != nil {
			t.Errorf("%s: %s is %q, want none", what, name, got)
		}
	}
}

// problem checks the form of a failure.
func problem(t *testing.T, what string, status int, h http.Header, body []byte) {
	t.Helper()
	if media := h.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("%s: Content-Type is %q, want application/problem+json", what, media)
	}
	var p struct {
		Type, Title, Code string
		Status            int
		RequestID         string `json:"request_id"`
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Status != status || p.Type == "" || p.Title == "" || p.Code == "" || p.RequestID != h.Get("X-Request-Id") {
		t.Errorf("%s: got %s, want a whole problem with this request's id", what, body)
	}
	for _, inside := range []string{"goroutine", ".go:", "SQLSTATE", "sqlite", "pq:", "panic", "/usr/", "runtime error", "constraint"} {
		if strings.Contains(string(body), inside) {
			t.Errorf("%s: the body shows the inside: %s", what, body)
		}
	}
	switch status {
	case http.StatusUnauthorized:
		if h.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: WWW-Authenticate is %q, want Bearer", what, h.Get("WWW-Authenticate"))
		}
	case http.StatusMethodNotAllowed:
		if h.Get("Allow") == "" {
			t.Errorf("%s: no Allow", what)
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if h.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", what)
		}
	}
}

// routes reads the served document: methods by path.
func (w *world) routes(t *testing.T) map[string][]string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	a := w.get(t, "/openapi.json").must(t, http.StatusOK)
	if err := json.Unmarshal(a.body, &doc); err != nil || len(doc.Paths) < 20 {
		t.Fatalf("the document: %v, %d paths", err, len(doc.Paths))
	}
	out := map[string][]string{}
	for path, methods := range doc.Paths {
		for m := range methods {
			switch m = strings.ToUpper(m); m {
			case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS":
				out[path] = append(out[path], m)
			}
		}
	}
	return out
}

func everyHeader(t *testing.T, w *world) {
	u := w.user(t)
	in := w.signIn(t, u)
	seen := map[int]int{}
	look := func(what string, a answer) {
		seen[a.status]++
		headers(t, what, a.header)
		if a.status >= 400 {
			problem(t, what, a.status, a.header, a.body)
		} else if media := a.header.Get("Content-Type"); len(a.body) > 0 && media != "application/json" {
			t.Errorf("%s: Content-Type is %q, want application/json", what, media)
		}
	}
	for path, methods := range w.routes(t) {
		if !strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/api/v1/ai/") || strings.HasPrefix(path, "/api/v1/router") {
			continue
		}
		at := strings.NewReplacer("{id}", "01920000-0000-7000-8000-000000000000", "{user_id}", "01920000-0000-7000-8000-000000000000").Replace(path)
		for _, m := range methods {
			what := m + " " + path
			look(what+" bare", w.do(t, m, at, nil))
			look(what+" as another type", w.do(t, m, at, "x=1", header("Content-Type", "application/x-www-form-urlencoded"), as(in.access)))
			look(what+" encoded", w.do(t, m, at, "{}", header("Content-Encoding", "br"), as(in.access)))
			look(what+" not JSON", w.do(t, m, at, "{", as(in.access)))
			look(what+" unknown field", w.do(t, m, at, `{"x":1}`, as(in.access)))
			look(what+" too large", w.do(t, m, at, `{"x":"`+strings.Repeat("y", 17<<10)+`"}`, as(in.access)))
			look(what+" with a bad bearer", w.do(t, m, at, "{}", as("x.y.z")))
			if m != "DELETE" && !strings.HasSuffix(path, "/logout") {
				look(what+" signed in", w.do(t, m, at, fields{}, as(in.access)))
			}
		}
		for _, m := range []string{"TRACE", "PUT", "BREW", "HEAD", "OPTIONS"} {
			a := w.do(t, m, at, nil)
			headers(t, m+" "+path, a.header)
			if a.status == http.StatusMethodNotAllowed && m != "HEAD" {
				problem(t, m+" "+path, a.status, a.header, a.body)
			}
		}
	}
	for _, path := range []string{"/nowhere", "/api/v1/nowhere", "/api/v1/auth/", "/api/v1/auth/login/", "/%2e%2e/", "/api/v1/auth/sessions/%00", "//api/v1/auth/me", "/.env", "/api/v1/auth/LOGIN"} {
		a := w.get(t, path)
		look("GET "+path, a)
		if a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed && a.status != http.StatusUnauthorized {
			t.Errorf("%s, want 404", a)
		}
	}
	for what, request := range map[string]string{
		"a huge header":      "GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n",
		"no request":         "hello\r\n\r\n",
		"a bad length":       "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
		"two lengths":        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 30\r\n\r\n{}",
		"length and chunked": "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		raw := w.raw(t, request)
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
		if err != nil {
			t.Errorf("%s: got %.200q, want an answer", what, raw)
			continue
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(res.Body)
		_ = res.Body.Close()
		seen[res.StatusCode]++
		headers(t, what, res.Header)
		if res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("%s: got %d, want a refusal", what, res.StatusCode)
		}
		problem(t, what, res.StatusCode, res.Header, body.Bytes())
	}
	look("two identifiers", w.post(t, "login", fields{"email": "a@example.com", "username": "abc", "password": "x"}))
	look("the last owner", w.do(t, http.MethodPatch, "/api/v1/admin/members/"+u.id, fields{"role": "member"}, as(in.access)))
	for range 30 { // twenty a minute
		look("a guessed token", w.post(t, "verify-email", fields{"token": strings.Repeat("A", 43)}, from("198.51.100.9")))
	}
	for _, a := range together(80, func(int) answer { return w.login(t, somebody(), "x") }) { // more than the line of those who wait holds
		look("a crowded login", a)
	}
	for _, status := range []int{200, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 431, 503} {
		if seen[status] == 0 {
			t.Errorf("no answer had the status %d: %v", status, seen)
		}
	}
}

func requestIDs(t *testing.T, w *world) {
	for what, id := range map[string]string{
		"ten kilobytes": strings.Repeat("a", 10<<10), "65 characters": strings.Repeat("a", 65), "7 characters": "abcdefg", "markup": "<script>alert(1)</script>", "JSON": `x","level":"FATAL`,
		"blanks": "abcd efgh ijkl", "a template": "${jndi:ldap://x}", "UTF-8": "äöüäöüäöü", "underscores": "abc_def_ghi",
	} {
		a := w.get(t, "me", header("X-Request-ID", id))
		if got := a.header.Get("X-Request-Id"); got == id || strings.Contains(string(a.body), id) || len(got) < 8 {
			t.Errorf("%s: came back as %.80q", what, got)
		}
		if a.str("request_id") != a.header.Get("X-Request-Id") {
			t.Errorf("%s: the body has another id", what)
		}
	}
	for _, id := range []string{"abcdefgh", "0123-4567-ABCD-ef", strings.Repeat("a", 64)} {
		if got := w.get(t, "me", header("X-Request-ID", id)).header.Get("X-Request-Id"); got != id {
			t.Errorf("%q came back as %q", id, got)
		}
	}
	for what, lines := range map[string]string{
		"a line break":      "X-Request-ID: abcdefgh\r\n injected: yes\r\n",
		"two of them":       "X-Request-ID: abcdefgh\r\nX-Request-ID: ijklmnop\r\n",
		"a bare line feed":  "X-Request-ID: abcdefgh\ninjected-header: yes\r\n",
		"a carriage return": "X-Request-ID: abcdefgh\rinjected: yes\r\n",
	} {
		raw := w.raw(t, "GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+lines+"\r\n")
		head, _, _ := strings.Cut(raw, "\r\n\r\n")
		if strings.Contains(strings.ToLower(head), "injected") {
			t.Errorf("%s: came back in the head: %q", what, head)
		}
	}
	w.login(t, "eve@example.com\n{\"level\":\"FATAL\"}", "x", header("User-Agent", `x","level":"FATAL","a":"`))
	for i, line := range w.log.lines() {
		if !json.Valid([]byte(line)) {
			t.Errorf("line %d of the log is no JSON: %.300s", i+1, line)
		}
	}
	if strings.Contains(w.log.String(), `"level":"FATAL"`) {
		t.Error("somebody wrote a line of the log")
	}
}
