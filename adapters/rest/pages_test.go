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
	media := map[string]string{"html": "text/html", "js": "text/javascript", "css": "text/css", "png": "image/png"}
	for _, path := range []string{
		"/docs", "/docs/docs.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png", "/auth/verify?token=t", "/auth/verify.js",
		"/auth/reset?token=t", "/auth/reset.js", "/auth/invite?token=t", "/auth/invite.js", "/auth/account", "/auth/account.js", "/auth/api.js", "/auth/session.js",
		"/auth/page.css", "/problems/validation_failed", "/problems/some.vendor_code",
	} {
		_, kind, _ := strings.Cut(path, ".")
		media := media[kind]
		if media == "" {
			media = "text/html"
		}
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

// TestPagesOfLinksDoNothingByThemselves looks that what spends a mailed token is called where a person submits a form, and nowhere else.
func TestPagesOfLinksDoNothingByThemselves(t *testing.T) {
	w := start(t)
	for _, page := range []string{"verify", "reset", "invite"} {
		js := string(w.get("/auth/" + page + ".js").body)
		begins := strings.Index(js, "onSubmit($(") + strings.Index(js, "onSubmit(form") + 1 // one of them is -1
		if first := strings.Index(js, "send("); begins < 0 || first < begins {
			t.Errorf("%s.js calls the API before a form is submitted", page)
		}
		if strings.Contains(js, "fetch(") || strings.Contains(js, ".submit(") || strings.Contains(js, ".click(") {
			t.Errorf("%s.js goes around its forms", page)
		}
		html := string(w.get("/auth/" + page).body)
		if !strings.Contains(html, `<meta name="referrer" content="no-referrer">`) || strings.Contains(html, ` name="password"`) {
			t.Errorf("%s: got %s", page, html)
		}
	}
	if js := string(w.get("/auth/api.js").body); strings.Count(js, "fetch(") != 1 || !strings.Contains(js, `addEventListener("submit"`) {
		t.Errorf("got %s", js)
	}
}

// TestPagesKeepNothing looks for the places where a browser would keep a token, and for markup made of text.
func TestPagesKeepNothing(t *testing.T) {
	w := start(t)
	for _, page := range []string{"verify", "reset", "invite", "account", "api", "session"} {
		js := string(w.get("/auth/" + page + ".js").body)
		for _, word := range []string{"localStorage", "sessionStorage", "indexedDB", "document.cookie", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", "console."} {
			if strings.Contains(js, word) {
				t.Errorf("%s.js uses %s", page, word)
			}
		}
	}
}

// TestEveryPartThatAScriptNamesIsOnItsPage holds the ids of scripts against the page's, and labels against fields.
func TestEveryPartThatAScriptNamesIsOnItsPage(t *testing.T) {
	w := start(t)
	for _, page := range []string{"verify", "reset", "invite", "account"} {
		html, js := string(w.get("/auth/"+page).body), string(w.get("/auth/"+page+".js").body)
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(html, -1) {
			ids[m[1]]++
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("%s: the id %s stands %d times", page, id, n)
			}
		}
		for _, m := range regexp.MustCompile(`\$\("([^"]+)"\)`).FindAllStringSubmatch(js, -1) {
			if ids[m[1]] == 0 {
				t.Errorf("%s.js names %s, which is not on the page", page, m[1])
			}
		}
		for _, attribute := range []string{"for", "aria-labelledby", "aria-describedby"} {
			for _, m := range regexp.MustCompile(` `+attribute+`="([^"]+)"`).FindAllStringSubmatch(html, -1) {
				for id := range strings.FieldsSeq(m[1]) {
					if ids[id] == 0 {
						t.Errorf("%s: %s names %s, which is not there", page, attribute, id)
					}
				}
			}
		}
		if labels, fields := strings.Count(html, "<label for="), strings.Count(html, "<input "); labels != fields {
			t.Errorf("%s: got %d labels for %d fields", page, labels, fields)
		}
	}
}

func TestAKeyIsDrawnForTheOwnPageAlone(t *testing.T) {
	const uri = "otpauth://totp/Forge%201:ada?secret=JBSWY3DP"
	body := func(uri string) string { return `{"otpauth_uri":"` + uri + `"}` }
	tests := map[string]struct {
		body    string
		options []string
		status  int
		code    string
	}{
		"a key":                           {body(uri), nil, 200, ""},
		"a key for the own page":          {body(uri), []string{"Sec-Fetch-Site: same-origin"}, 200, ""},
		"for another page":                {body(uri), []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403, "forbidden"},
		"for a page of a sister":          {body(uri), []string{"Sec-Fetch-Site: same-site"}, 403, "forbidden"},
		"another text":                    {body("https://evil.example"), nil, 422, "validation_failed"},
		"a text that only holds a key":    {body("x" + uri), nil, 422, "validation_failed"},
		"a text of two lines":             {body(`x\n` + uri), nil, 422, "validation_failed"},
		"too much":                        {body(uri + strings.Repeat("x", 1024)), nil, 413, "body_too_large"},
		"no text":                         {`{"otpauth_uri":7}`, nil, 400, "wrong_type"},
		"nothing":                         {`{}`, nil, 400, "missing_field"},
		"a key from wherever CORS admits": {body(uri), []string{"Origin: https://evil.example"}, 200, ""},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post("/auth/qr", tc.body, append(tc.options, sessionToken)...)
			if got.status != tc.status || got.code() != tc.code {
				t.Fatalf("got %s, want %d %s", got, tc.status, tc.code)
			}
			if tc.status == 200 && (string(got.body) != "<svg>"+uri+"</svg>" || got.header.Get("Content-Type") != "image/svg+xml" || got.header.Get("Cache-Control") != "no-store") {
				t.Errorf("got %s with %v", got, got.header)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("another origin may read it: %v", got.header)
			}
		})
	}
	if got := w.post("/auth/qr", body(uri)); got.status != 401 {
		t.Errorf("for nobody: got %s", got)
	}
	if strings.Contains(w.log(), "JBSWY3DP") {
		t.Error("the key is in the log")
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
