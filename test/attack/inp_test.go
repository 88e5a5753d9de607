package attack_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func init() {
	row("INP-1", "bodies of other media types", mediaTypes)
	row("INP-2", "compressed bodies, and a bomb", bombs)
	row("INP-3", "a key twice, in another case, in letters that fold to it", oddKeys)
	row("INP-4", "bodies that are no object, deep, wide or followed by more", oddBodies)
	row("INP-5", "NUL, lone surrogates and invalid UTF-8 in every field", oddText)
}

// endpoints are those that take a body without a session, with a body that each understands.
func endpoints() map[string]fields {
	token := strings.Repeat("A", 43)
	return map[string]fields{
		"register": {
			"email": "nobody@example.com", "password": "a very quiet teapot", "username": "nobody-at-all", "display_name": "Nobody",
			"tenant": fields{"name": "Nobody's", "slug": "nobodys"},
		},
		"verify-email":           {"token": token},
		"resend-verification":    {"email": "nobody@example.com"},
		"login":                  {"email": "nobody@example.com", "password": "a very quiet teapot", "tenant": "nobodys"},
		"refresh":                {"refresh_token": "fr1." + token + "." + token},
		"logout":                 {"refresh_token": "fr1." + token + "." + token},
		"request-password-reset": {"email": "nobody@example.com"},
		"reset-password":         {"token": token, "new_password": "a very quiet teapot"},
		"mfa/verify":             {"mfa_token": token, "code": "123456"},
	}
}

// untouched checks that what do does leaves no user, registration, session, token or mail.
func (w *world) untouched(t *testing.T, what string, do func()) {
	t.Helper()
	before := w.work(t)
	users := w.count(t, `SELECT count(*) FROM users`)
	do()
	after := w.work(t)
	after.audit = before.audit // refusals may be noted
	if after != before || w.count(t, `SELECT count(*) FROM users`) != users {
		t.Errorf("%s: the stores went from %+v to %+v", what, before, after)
	}
}

func mediaTypes(t *testing.T, w *world) {
	for name, body := range endpoints() {
		raw := string(asJSON(t, body))
		w.untouched(t, name, func() {
			for _, media := range []string{
				"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "text/xml", "text/plain", "text/plain;charset=UTF-8",
				"text/evil+json", "application/evil+json", "application/problem+json", "text/json", "application/json5", "application/jsonx",
				"application/json; charset=utf-16", "application/json; charset=latin1", "application/json, text/plain", "*/*", "",
			} {
				a := w.post(t, name, raw, header("Content-Type", media))
				if a.status != http.StatusUnsupportedMediaType || a.str("code") != "unsupported_media_type" {
					t.Errorf("%s as %q: %s, want 415 unsupported_media_type", name, media, a)
				}
			}
			w.post(t, name, "email=nobody@example.com&password=x", header("Content-Type", "application/x-www-form-urlencoded")).
				want(t, http.StatusUnsupportedMediaType, "unsupported_media_type")
		})
	}
	for _, media := range []string{"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON"} {
		if a := w.post(t, "login", asJSON(t, endpoints()["login"]), header("Content-Type", media)); a.status != http.StatusUnauthorized {
			t.Errorf("login as %q: %s, want 401", media, a)
		}
	}
}

func bombs(t *testing.T, w *world) {
	var member bytes.Buffer
	z, _ := gzip.NewWriterLevel(&member, gzip.BestCompression)
	if _, err := z.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	_ = z.Close()
	bomb := bytes.Repeat(member.Bytes(), 30) // 300 KiB that become 300 MiB: gzip goes on where one ends
	small := asJSON(t, endpoints()["login"])
	var gz, fl bytes.Buffer
	g := gzip.NewWriter(&gz)
	_, _ = g.Write(small)
	_ = g.Close()
	f, _ := flate.NewWriter(&fl, flate.BestSpeed)
	_, _ = f.Write(small)
	_ = f.Close()
	send := func() {
		for what, tc := range map[string]struct {
			encoding string
			body     []byte
		}{
			"a bomb": {"gzip", bomb}, "a small gzip": {"gzip", gz.Bytes()}, "deflate": {"deflate", fl.Bytes()}, "br": {"br", small},
			"zstd": {"zstd", small}, "stacked": {"gzip, gzip", bomb}, "identity and gzip": {"identity, gzip", gz.Bytes()}, "identity": {"identity", small},
			"unknown": {"x", small}, "upper case": {"GZIP", gz.Bytes()},
		} {
			a := w.post(t, "login", tc.body, header("Content-Encoding", tc.encoding))
			if a.status != http.StatusUnsupportedMediaType || a.str("code") != "unsupported_encoding" {
				t.Errorf("%s: %s, want 415 unsupported_encoding", what, a)
			}
		}
	}
	send() // the first time costs what is kept
	before := w.node.rss(t)
	for range 3 {
		send()
	}
	if grown := w.node.rss(t) - before; grown > 10<<20 {
		t.Errorf("memory grew by %d MiB, want less than 10", grown>>20)
	}
	for range 20 {
		w.post(t, "/api/v1/ai/execute", bomb, header("Content-Encoding", "gzip"))
	}
	if grown := w.node.rss(t) - before; grown > 10<<20 {
		t.Errorf("memory grew by %d MiB at another route, want less than 10", grown>>20)
	}
}

func oddKeys(t *testing.T, w *world) {
	for name, body := range endpoints() {
		good := string(asJSON(t, body))
		for key := range body {
			value := string(asJSON(t, body[key]))
			for what, extra := range map[string]string{
				"twice":              `"` + key + `":` + value,
				"in capitals":        `"` + strings.ToUpper(key) + `":` + value,
				"with a capital":     `"` + strings.ToUpper(key[:1]) + key[1:] + `":` + value,
				"escaped":            fmt.Sprintf(`"\u%04x%s":%s`, key[0], key[1:], value),
				"with a blank":       `"` + key + ` ":` + value,
				"with a NUL":         `"` + key + `\u0000":` + value,
				"with long s":        `"` + strings.Replace(key, "s", `\u017f`, 1) + `x":` + value,
				"with Kelvin":        `"` + strings.ReplaceAll(key, "k", `\u212a`) + `y":` + value,
				"a prototype beside": `"__proto__":{"x":1}`,
			} {
				w.untouched(t, name+" "+key+" "+what, func() {
					a := w.post(t, name, good[:len(good)-1]+","+extra+"}")
					if a.status != http.StatusBadRequest {
						t.Errorf("%s: %s %s: %s, want 400", name, key, what, a)
					}
				})
			}
		}
	}
	for _, body := range []string{
		`{"email":"nobody@example.com","pa\u017f\u017fword":"a very quiet teapot"}`, `{"EMAIL":"nobody@example.com","password":"a very quiet teapot"}`,
		`{"email":"a@example.com","email":"nobody@example.com","password":"a very quiet teapot"}`,
	} {
		if a := w.post(t, "login", body); a.status != http.StatusBadRequest {
			t.Errorf("%s: %s, want 400", body, a)
		}
	}
}

func oddBodies(t *testing.T, w *world) {
	var wide strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&wide, `"k%d":1,`, i)
	}
	for name, body := range endpoints() {
		good := string(asJSON(t, body))
		for what, raw := range map[string]string{
			"null": `null`, "an array": `[]`, "a text": `"x"`, "a number": `1`, "true": `true`, "nothing": ``, "blanks": "  \n", "an array of it": "[" + good + "]",
			"a second object": good + `{}`, "a second null": good + "null", "text behind": good + "x", "a comma behind": good[:len(good)-1] + ",}", "cut off": good[:len(good)-1],
			"NaN": `{"token":NaN}`, "infinity": `{"token":Infinity}`, "1e400": `{"token":1e400}`, "a huge number": `{"token":` + strings.Repeat("9", 5000) + `}`,
			"a leading zero": `{"token":01}`, "single quotes": `{'token':'x'}`, "a comment": `{/* */"token":"x"}`, "a byte order mark": "\ufeff" + good,
			"depth 7000":           strings.Repeat("[", 7000) + strings.Repeat("]", 7000),
			"depth 2500 in a key":  `{"x":` + strings.Repeat(`{"x":`, 2500) + `1` + strings.Repeat("}", 2501),
			"a number as a secret": `{"email":1,"password":2,"token":3,"refresh_token":4}`, "an array as a secret": `{"email":["a"],"password":["b"],"token":["c"],"refresh_token":[]}`,
			"an object as a secret": `{"email":{"$ne":null},"password":{"$gt":""},"token":{"$ne":1},"refresh_token":{"$ne":1}}`,
			"a thousand keys":       "{" + wide.String()[:9000] + `"z":1}`,
		} {
			a := w.post(t, name, raw)
			if raw == "" && name == "logout" { // an empty body stands for {}
				continue
			}
			if a.status != http.StatusBadRequest && (a.status != http.StatusUnprocessableEntity || !strings.Contains(what, "as a secret")) {
				t.Errorf("%s: %s: %s, want 400", name, what, a)
			}
			if a.took > 2*time.Second {
				t.Errorf("%s: %s took %v", name, what, a.took)
			}
		}
		for what, raw := range map[string]string{
			"depth 100 000": strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "100 000 keys": "{" + wide.String() + `"z":1}`,
			"a megabyte of blanks": strings.Repeat(" ", 1<<20) + good, "more than 16 KiB": `{"token":"` + strings.Repeat("x", 16<<10) + `"}`,
		} {
			if a := w.post(t, name, raw); a.status != http.StatusRequestEntityTooLarge || a.str("code") != "body_too_large" {
				t.Errorf("%s: %s: %s, want 413 body_too_large", name, what, a)
			}
		}
	}
}

func oddText(t *testing.T, w *world) {
	texts := map[string]string{
		"NUL": `a\u0000b`, "a lone high surrogate": `a\ud800b`, "a lone low surrogate": `a\udc00b`, "surrogates in the wrong order": `\udc00\ud800`,
		"a raw NUL": "a\x00b", "overlong": "a\xc0\x80b", "an overlong slash": "a\xe0\x80\xafb", "an encoded surrogate": "a\xed\xa0\x80b", "a cut sequence": "a\xe2\x82",
		"a lone continuation": "a\x80b", "beyond Unicode": "a\xf4\x90\x80\x80b", "Latin-1": "caf\xe9", "a raw line feed": "a\nb", "a bad escape": `a\x41b`, "a short escape": `a\u12`,
	}
	for name, body := range endpoints() {
		for key, value := range body {
			if _, text := value.(string); !text {
				continue
			}
			for what, text := range texts {
				raw := string(asJSON(t, changed(body, fields{key: "@@@"})))
				raw = strings.Replace(raw, "@@@", text, 1)
				a := w.post(t, name, raw)
				if a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
					t.Errorf("%s: %s holds %s: %s, want 400 or 422", name, key, what, a)
				}
				if strings.Contains(string(a.body), "22021") || strings.Contains(string(a.body), "SQLSTATE") {
					t.Errorf("%s: %s holds %s: the answer holds SQL: %s", name, key, what, a)
				}
			}
		}
	}
}
