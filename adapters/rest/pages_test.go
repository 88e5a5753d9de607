package rest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestPagesLoadFromHereAlone(t *testing.T) {
	const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
	w := start(t)
	outside := regexp.MustCompile(`(?i)(?:src|href|action)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?https?:`)
	inline := regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|\son[a-z]+\s*=|javascript:`)
	for path, media := range map[string]string{
		"/docs": "text/html", "/docs/docs.js": "text/javascript", "/docs/swagger-ui.css": "text/css", "/docs/swagger-ui-bundle.js": "text/javascript",
		"/docs/favicon-32x32.png": "image/png", "/auth/verify?token=t": "text/html", "/auth/verify.js": "text/javascript", "/auth/page.css": "text/css",
		"/problems/validation_failed": "text/html", "/problems/some.vendor_code": "text/html",
	} {
		got := w.get(path)
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), media) || !strings.HasPrefix(got.header.Get("Content-Security-Policy"), policy) {
			t.Errorf("%s: got %d, %s, %s", path, got.status, got.header.Get("Content-Type"), got.header.Get("Content-Security-Policy"))
		}
		if got.header.Get("Referrer-Policy") != "no-referrer" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got the headers %v", path, got.header)
		}
		if media == "text/html" && (outside.Match(got.body) || inline.Match(got.body)) {
			t.Errorf("%s loads from outside or holds a script: %s", path, got.body)
		}
		if media == "text/css" && outside.Match(got.body) {
			t.Errorf("%s loads from outside", path)
		}
	}
	if got := w.get("/problems/validation_failed"); !strings.Contains(string(got.body), "Value not acceptable") {
		t.Errorf("got %s", got)
	}
	if got := w.get("/problems/%3Cscript%3E"); got.status != 404 || strings.Contains(string(got.body), "<script>") {
		t.Errorf("a code that is none: got %s", got)
	}
}

func TestAssetsComePackedToThoseWhoUnpack(t *testing.T) {
	w := start(t)
	plain := w.get("/docs/swagger-ui-bundle.js")
	packed := w.get("/docs/swagger-ui-bundle.js", "Accept-Encoding: gzip, br")
	if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" || len(packed.body) > len(plain.body)/2 {
		t.Fatalf("got %d bytes plain, %d packed", len(plain.body), len(packed.body))
	}
	z, err := gzip.NewReader(bytes.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, plain.body) {
		t.Errorf("unpacked it differs: %v", err)
	}
}

func TestTheVerifyPageDoesNotVerifyByItself(t *testing.T) {
	w := start(t)
	js := string(w.get("/auth/verify.js").body)
	click, fetch := strings.Index(js, `addEventListener("click"`), strings.Index(js, "fetch(")
	if click < 0 || fetch < click || strings.Count(js, "fetch(") != 1 {
		t.Errorf("the token should be sent on a click alone: %s", js)
	}
}

func TestEveryProblemTypeHasItsPage(t *testing.T) {
	w := start(t)
	for _, got := range []answer{w.get("/nowhere"), w.get("/api/v1/auth/me"), w.post("/api/v1/auth/login", `{}`), w.post(execute, `{"task":""}`, aiKey)} {
		var p struct{ Type, Title string }
		got.into(t, &p)
		page := w.get(strings.TrimPrefix(p.Type, "http://localhost:8000"))
		if page.status != 200 || !strings.Contains(string(page.body), p.Title) {
			t.Errorf("%s: got %s", p.Type, page)
		}
	}
}
