package rest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/rest"
)

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	w := start(t)
	for name, got := range map[string]answer{
		"200":           w.get("/api/v1/health/live"),
		"204":           w.post("/api/v1/auth/logout", `{}`),
		"401":           w.get("/api/v1/auth/me"),
		"404":           w.get("/nowhere"),
		"404 under v1":  w.get("/v1/nowhere"),
		"405":           w.get("/api/v1/auth/login"),
		"413":           w.post("/api/v1/auth/login", `{"email":"`+strings.Repeat("a", 17<<10)+`"}`),
		"415":           w.post("/api/v1/auth/login", `{}`, "Content-Type: text/plain"),
		"422":           w.post("/api/v1/auth/login", `{"password":""}`),
		"an AI call":    w.post("/api/v1/ai/execute", `{"task":"x"}`, aiKey),
		"a stream":      w.post("/api/v1/ai/execute", `{"task":"x","stream":true}`, aiKey),
		"an OpenAI 401": w.post("/v1/chat/completions", `{}`),
	} {
		if want := name[:min(3, len(name))]; want[0] <= '9' && strconv.Itoa(got.status) != want {
			t.Errorf("%s: got %s", name, got) // the harness has looked at the headers
		}
	}
}

// TestEveryRouteFailsInTheOneForm makes every route fail in the ways that it can before it asks the application. The harness looks at each head.
func TestEveryRouteFailsInTheOneForm(t *testing.T) {
	w := start(t, func(c *rest.Config) { c.MaxBodyBytes = 64 << 10 })
	kinds, rows := readRoles(t)
	for route, row := range rows {
		method, pattern, _ := strings.Cut(route, " ")
		path := fill(pattern)
		for method, status := range map[string]int{"TRACE": 405, "BREW": 405, "OPTIONS": 204} {
			if got := w.do(method, path, ""); got.status != status {
				t.Errorf("%s of %s: got %s, want %d", method, path, got, status)
			}
		}
		if got := w.do(method, path+"/", "", sessionToken); got.status != 404 && !strings.HasSuffix(pattern, "...}") {
			t.Errorf("%s/: got %s, want 404", route, got)
		}
		if w.server.Example(route) == nil {
			continue
		}
		may := kindToken + kinds[slices.IndexFunc(kinds, func(k string) bool { return k != "none" && row[k] == "allowed" })]
		most := 70 << 10
		if strings.HasSuffix(pattern, "/routing-policy") {
			most = 520 << 10 // its lists are long
		}
		for body, status := range map[string]int{"null": 400, "[]": 400, "{": 400, "{}x": 400, `{"a":1,"a":2}`: 400, `"` + strings.Repeat("x", most) + `"`: 413} {
			if got := w.do(method, path, body, may); got.status != status {
				t.Errorf("%s with %.20q: got %s, want %d", route, body, got, status)
			}
		}
		for _, o := range []string{"Content-Type: text/plain", "Content-Type: ", "Content-Encoding: gzip"} {
			if got := w.do(method, path, "{}", may, o); got.status != 415 {
				t.Errorf("%s with %s: got %s, want 415", route, o, got)
			}
		}
	}
}

func TestIDsOfTheRequest(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	tests := map[string]struct {
		header, value string
		kept          string // of the trace or request id; "" when a fresh one is wanted
	}{
		"a request id":              {"X-Request-ID", "abc-DEF-123", "abc-DEF-123"},
		"one too short":             {"X-Request-ID", "short", ""},
		"one too long":              {"X-Request-ID", strings.Repeat("a", 65), ""},
		"one with markup":           {"X-Request-ID", "<script>12345", ""},
		"one of 10 KB":              {"X-Request-ID", strings.Repeat("a", 10<<10), ""},
		"a trace":                   {"Traceparent", "00-" + trace + "-" + parent + "-01", trace},
		"a later version":           {"Traceparent", "01-" + trace + "-" + parent + "-01-more", trace},
		"version 00 with more":      {"Traceparent", "00-" + trace + "-" + parent + "-01-more", ""},
		"a later version run on":    {"Traceparent", "01-" + trace + "-" + parent + "-01more", ""},
		"version ff":                {"Traceparent", "ff-" + trace + "-" + parent + "-01", ""},
		"upper case":                {"Traceparent", "00-" + strings.ToUpper(trace) + "-" + parent + "-01", ""},
		"a trace of zeros":          {"Traceparent", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01", ""},
		"a parent of zeros":         {"Traceparent", "00-" + trace + "-" + strings.Repeat("0", 16) + "-01", ""},
		"a trace that is too short": {"Traceparent", "00-" + trace[1:] + "-" + parent + "-01", ""},
		"flags that are none":       {"Traceparent", "00-" + trace + "-" + parent + "-zz", ""},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.get("/api/v1/health", tc.header+": "+tc.value)
			id, fresh := got.header.Get("X-Request-Id"), regexp.MustCompile("^01940000-0000-7000-8000-[0-9a-f]{12}$")
			if tc.header == "Traceparent" {
				id, fresh = got.header.Get("X-Trace-Id"), regexp.MustCompile("^01940000000070008000[0-9a-f]{12}$")
			}
			if tc.kept != "" && id != tc.kept || tc.kept == "" && !fresh.MatchString(id) {
				t.Errorf("got %q, want %q or a fresh one", id, tc.kept)
			}
		})
	}
}

func TestMethodsAndPaths(t *testing.T) {
	tests := map[string]struct {
		method, path string
		status       int
		allow        string
	}{
		"another method":          {"GET", "/api/v1/auth/login", 405, "POST, OPTIONS"},
		"another method of two":   {"PUT", "/api/v1/auth/api-keys", 405, "GET, HEAD, POST, OPTIONS"},
		"another method of an id": {"GET", "/api/v1/auth/api-keys/k1", 405, "DELETE, OPTIONS"},
		"a method of its own":     {"BREW", "/api/v1/auth/login", 405, "POST, OPTIONS"},
		"PURGE of nothing":        {"PURGE", "/nowhere", 404, ""},
		"OPTIONS":                 {"OPTIONS", "/v1/models/a/b", 204, "GET, HEAD, OPTIONS"},
		"OPTIONS of nothing":      {"OPTIONS", "/nowhere", 404, ""},
		"HEAD":                    {"HEAD", "/api/v1/health", 200, ""},
		"HEAD of a POST":          {"HEAD", "/api/v1/auth/verify-email", 405, "POST, OPTIONS"},
		"no such path":            {"GET", "/api/v1/auth/logins", 404, ""},
		"a slash at the end":      {"GET", "/api/v1/health/", 404, ""},
		"upper case":              {"GET", "/API/v1/health", 404, ""},
		"dots":                    {"GET", "/api/v1/auth/../health", 404, ""},
		"an empty id":             {"DELETE", "/api/v1/auth/api-keys/", 404, ""},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.do(tc.method, tc.path, "")
			if got.status != tc.status || got.header.Get("Allow") != tc.allow {
				t.Errorf("got %s, Allow %q, want %d, %q", got, got.header.Get("Allow"), tc.status, tc.allow)
			}
			if tc.status >= 400 && tc.method != "HEAD" && got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got content type %q", got.header.Get("Content-Type"))
			}
		})
	}
	if got := w.get("/v1/nowhere"); got.status != 404 || !strings.HasPrefix(string(got.body), `{"error":{"message":`) {
		t.Errorf("under /v1: got %s", got)
	}
}

func TestMediaTypes(t *testing.T) {
	tests := map[string]struct {
		options []string
		status  int
		code    string
	}{
		"JSON":                {[]string{"Content-Type: application/json"}, 202, ""},
		"JSON in UTF-8":       {[]string{"Content-Type: application/json; charset=UTF-8"}, 202, ""},
		"JSON in Latin-1":     {[]string{"Content-Type: application/json; charset=latin1"}, 415, "unsupported_media_type"},
		"a form":              {[]string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		"a multipart form":    {[]string{"Content-Type: multipart/form-data; boundary=x"}, 415, "unsupported_media_type"},
		"XML":                 {[]string{"Content-Type: application/xml"}, 415, "unsupported_media_type"},
		"something like JSON": {[]string{"Content-Type: text/evil+json"}, 415, "unsupported_media_type"},
		"no type":             {[]string{"Content-Type: "}, 415, "unsupported_media_type"},
		"gzip":                {[]string{"Content-Encoding: gzip"}, 415, "unsupported_encoding"},
		"deflate":             {[]string{"Content-Encoding: deflate"}, 415, "unsupported_encoding"},
		"br":                  {[]string{"Content-Encoding: br"}, 415, "unsupported_encoding"},
		"identity":            {[]string{"Content-Encoding: identity"}, 415, "unsupported_encoding"},
		"stacked":             {[]string{"Content-Encoding: gzip", "Content-Encoding: gzip"}, 415, "unsupported_encoding"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post("/api/v1/auth/register", `{"email":"a","password":"p"}`, tc.options...)
			if got.status != tc.status || got.code() != tc.code {
				t.Errorf("got %s, want %d %s", got, tc.status, tc.code)
			}
		})
	}
}

func TestACompressedBodyIsRefusedAsThatWhateverItsSize(t *testing.T) {
	w := start(t)
	for _, size := range []int{1, 16 << 10, 16<<10 + 1, 300 << 10} {
		if got := w.post("/api/v1/auth/register", strings.Repeat("x", size), "Content-Encoding: gzip"); got.status != 415 || got.code() != "unsupported_encoding" {
			t.Errorf("%d bytes: got %s, want 415 unsupported_encoding", size, got)
		}
	}
}

func TestABombIsNotUnpacked(t *testing.T) {
	w := start(t)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 300 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := w.post("/api/v1/ai/execute", bomb.String(), aiKey, "Content-Encoding: gzip")
	runtime.ReadMemStats(&after)
	if got.status != 415 {
		t.Errorf("got %s, want 415", got)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 10<<20 {
		t.Errorf("%d bytes were allocated, want less than 10 MiB", grown)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	body := func(n int) string { return `{"task":"` + strings.Repeat("a", n-len(`{"task":""}`)) + `"}` }
	tests := map[string]struct {
		path, body string
		status     int
		code       string
	}{
		"sign-in":          {"/api/v1/auth/login", body(17 << 10), 413, "body_too_large"},
		"sign-in of 1 MiB": {"/api/v1/auth/login", body(1 << 20), 413, "body_too_large"},
		"AI within":        {"/api/v1/ai/execute", body(900 << 10), 200, ""},
		"AI beyond":        {"/api/v1/ai/execute", body(1<<20 + 1), 413, "body_too_large"},
		"AI far beyond":    {"/v1/chat/completions", body(8 << 20), 413, "body_too_large"},
		"a path with dots": {"/v1/chat/../../api/v1/auth/login", body(17 << 10), 413, "body_too_large"},
		"nowhere":          {"/nowhere", body(17 << 10), 413, "body_too_large"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest("POST", "http://"+w.addr+tc.path, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+aiKey)
			for _, chunked := range []bool{false, true} {
				if chunked {
					req.Body, req.ContentLength = io.NopCloser(strings.NewReader(tc.body)), -1
				}
				resp, err := w.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if got := (answer{resp.StatusCode, resp.Header, b}); got.status != tc.status || got.code() != tc.code {
					t.Errorf("chunked %t: got %s, want %d %s", chunked, got, tc.status, tc.code)
				}
			}
		})
	}
}

func TestOtherOrigins(t *testing.T) {
	const evil, good = "https://evil.example", "https://app.example"
	list := func(credentials bool) func(*rest.Config) {
		return func(c *rest.Config) { c.CORSOrigins, c.CORSCredentials = []string{good}, credentials }
	}
	tests := map[string]struct {
		config      func(*rest.Config)
		origin      string
		allowed     string
		credentials string
		vary        string
	}{
		"anyone":                   {func(*rest.Config) {}, evil, "*", "", ""},
		"anyone, with credentials": {func(c *rest.Config) { c.CORSCredentials = true }, evil, "*", "", ""},
		"nobody":                   {func(c *rest.Config) { c.CORSOrigins = nil }, good, "", "", ""},
		"one of the list":          {list(false), good, good, "", "Origin"},
		"with credentials":         {list(true), good, good, "true", "Origin"},
		"none of the list":         {list(true), evil, "", "", "Origin"},
		"null":                     {list(true), "null", "", "", "Origin"},
		"one that ends like it":    {list(true), "https://evilapp.example", "", "", "Origin"},
		"one that begins like it":  {list(true), "https://app.example.evil", "", "", "Origin"},
		"no origin":                {list(true), "", "", "", "Origin"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, tc.config)
			var options []string
			if tc.origin != "" {
				options = []string{"Origin: " + tc.origin}
			}
			type seen struct{ allowed, credentials, vary, methods string }
			see := func(a answer) seen {
				h := a.header
				return seen{h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials"), h.Get("Vary"), h.Get("Access-Control-Allow-Methods")}
			}
			got := see(w.get("/api/v1/health", options...))
			want := seen{tc.allowed, tc.credentials, tc.vary, ""}
			if d := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); d != "" {
				t.Errorf("simple: %s", d)
			}
			if tc.allowed != "" {
				want.methods = "POST, OPTIONS"
			}
			got = see(w.do("OPTIONS", "/v1/chat/completions", "", append(options, "Access-Control-Request-Method: POST")...))
			if d := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); d != "" {
				t.Errorf("preflight: %s", d)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	w := start(t)
	if got := w.get("/api/v1/health/live"); string(got.body) != `{"status":"live"}` {
		t.Errorf("live: got %s", got)
	}
	if got := w.get("/api/v1/health"); string(got.body) != `{"status":"ok","version":"1.2.3","uptime_s":0}` {
		t.Errorf("health: got %s", got)
	}
	if got := w.get("/api/v1/health/ready"); got.status != 503 || !strings.HasPrefix(string(got.body), `{"status":"unready",`) || got.header.Get("Retry-After") != "1" {
		t.Errorf("unready: got %s", got)
	}
	w.checks.readiness.Ready = true
	w.checks.readiness.Cache.Error = "timeout"
	w.checks.readiness.Database.OK = true
	w.checks.readiness.Database.Latency = 1500 * time.Microsecond
	w.checks.readiness.Degraded = []string{"cache"}
	want := `{"status":"ready","database":{"ok":true,"latency_ms":1.5,"error":null},"cache":{"ok":false,"latency_ms":0,"error":"timeout"},` +
		`"migrations":{"ok":false,"latency_ms":0,"error":null},"degraded":["cache"]}`
	if got := w.get("/api/v1/health/ready"); got.status != 200 || string(got.body) != want {
		t.Errorf("ready: got %s, want %s", got, want)
	}
}
