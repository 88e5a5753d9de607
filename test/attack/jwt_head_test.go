package attack_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

func init() {
	row("JWT-9", "kids that are paths, SQL, addresses, huge, empty, of other types or another tenant's", jwtKid)
	row("JWT-10", "keys inside the token, and addresses of keys", jwtBringsItsKey)
	row("JWT-16", "the key set has public keys only", jwtKeySet)
	row("JWT-17", "five megabytes, a million dots, five parts, a token in a token", jwtMonsters)
	row("JWT-18", "two credentials, other spellings of Bearer, tokens in other places", jwtPlaces)
}

// listener is a port of this machine that counts who comes.
type listener struct {
	addr string
	hits atomic.Int64
}

func listen(t *testing.T) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	out := &listener{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			out.hits.Add(1)
			_ = c.Close()
		}
	}()
	return out
}

func jwtKid(t *testing.T, w *world) {
	l := listen(t)
	other := w.user(t)
	_, header, body := bearing(t, w)
	kid := func(v any) string { return w.mint(t, changed(header, fields{"kid": v}), body) }
	unauthorized(t, w, map[string]string{
		"a path": kid("../../../../dev/null"), "SQL": kid("' OR 1=1--"), "an address": kid("http://" + l.addr + "/jwks.json"), "empty": kid(""),
		"a number": kid(1), "null": kid(nil), "absent": kid(absent), "an array": kid([]any{header["kid"]}), "another tenant's": kid(other.tenant),
		"the next key's": kid(thumbprint(w.signingKey(t, 2))), "with a NUL": kid(header["kid"].(string) + "\x00"),
		"a key that is not in use": signed(t, w.signingKey(t, 7), changed(header, fields{"kid": thumbprint(w.signingKey(t, 7))}), body),
	})
	if got := w.rawBearer(t, kid(strings.Repeat("k", 1<<20))); got != 401 && got != 431 {
		t.Errorf("a megabyte: got %d, want 401 or 431", got)
	}
	if n := l.hits.Load(); n != 0 {
		t.Errorf("the process went to see the kid's address %d times", n)
	}
}

func jwtBringsItsKey(t *testing.T, w *world) {
	l := listen(t)
	_, header, body := bearing(t, w)
	pub, attacker, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := fields{"kty": "OKP", "crv": "Ed25519", "x": b64.EncodeToString(pub), "kid": thumbprint(attacker)}
	url := "http://" + l.addr + "/keys"
	bad := map[string]string{}
	for name, extra := range map[string]fields{
		"jwk": {"jwk": jwk}, "jku": {"jku": url}, "x5u": {"x5u": url}, "x5c": {"x5c": []string{"MIIB"}}, "crit": {"crit": []string{"exp"}}, "b64": {"b64": false},
	} {
		bad[name+", signed by the attacker"] = signed(t, attacker, changed(header, extra), body)
		bad[name+", signed by the attacker under his kid"] = signed(t, attacker, changed(header, changed(extra, fields{"kid": thumbprint(attacker)})), body)
		bad[name+", signed by us"] = w.mint(t, changed(header, extra), body)
	}
	unauthorized(t, w, bad)
	if n := l.hits.Load(); n != 0 {
		t.Errorf("the process went to see the token's address %d times", n)
	}
}

func jwtKeySet(t *testing.T, w *world) {
	a := w.get(t, "/.well-known/jwks.json").must(t, http.StatusOK)
	keys, _ := a.at("keys").([]any)
	if len(keys) == 0 {
		t.Errorf("%s, want keys", a)
	}
	for i := range keys {
		at := fmt.Sprintf("keys.%d.", i)
		if a.str(at+"kty") != "OKP" || a.str(at+"crv") != "Ed25519" || len(a.str(at+"x")) != 43 || a.str(at+"kid") == "" {
			t.Errorf("key %d of %s, want a public OKP key", i, a)
		}
		for _, private := range []string{"d", "k", "p", "q", "n", "dp", "dq", "qi"} {
			if a.at(at+private) != nil {
				t.Errorf("key %d has the member %s", i, private)
			}
		}
	}
	if found := regexp.MustCompile(`"(d|k)"\s*:|"oct"`).Find(a.body); found != nil {
		t.Errorf("the key set holds %s", found)
	}
	if want := thumbprint(w.signingKey(t, 1)); !strings.Contains(string(a.body), want) {
		t.Errorf("%s, want the key %s", a, want)
	}
	if got := a.header.Get("Cache-Control"); got != "public, max-age=600" {
		t.Errorf("Cache-Control: got %q, want public, max-age=600", got)
	}
}

// monsters are bearers that cost much to a parser that trusts them.
func monsters(t *testing.T, w *world) map[string]string {
	t.Helper()
	token, header, _ := bearing(t, w)
	p := strings.Split(token, ".")
	return map[string]string{
		"five megabytes":             strings.Repeat("a", 5<<20),
		"five megabytes of a header": strings.Repeat("a", 5<<20) + "." + p[1] + "." + p[2],
		"a million dots":             strings.Repeat(".", 1_000_000),
		"three thousand dots":        strings.Repeat(".", 3000),
		"five parts":                 strings.Join([]string{p[0], p[1], p[2], p[1], p[2]}, "."),
		"a JWE": strings.Join([]string{
			b64.EncodeToString([]byte(`{"alg":"dir","enc":"A256GCM"}`)), "", b64.EncodeToString(make([]byte, 12)), p[1], b64.EncodeToString(make([]byte, 16)),
		}, "."),
		"a token in a token": w.mint(t, changed(header, fields{"cty": "JWT"}), token),
		"a token as claims":  w.mint(t, header, token),
	}
}

func jwtMonsters(t *testing.T, w *world) {
	bad := monsters(t, w)
	for range 3 { // the first time may cost what is kept
		for name, token := range bad {
			if got := w.rawBearer(t, token); got != 401 && got != 431 {
				t.Errorf("%s: got %d, want 401 or 431", name, got)
			}
		}
	}
	before := w.node.rss(t)
	for range 10 {
		for _, token := range bad {
			w.rawBearer(t, token)
		}
	}
	if grown := w.node.rss(t) - before; grown > 10<<20 {
		t.Errorf("memory grew by %d MiB, want less than 10", grown>>20)
	}
}

// rawBearer asks for me with a bearer of any size, and gives the status.
func (w *world) rawBearer(t testing.TB, token string) int {
	t.Helper()
	return status(w.raw(t, "GET /api/v1/auth/me HTTP/1.1\r\nHost: forge\r\nConnection: close\r\nX-Forwarded-For: "+anAddress()+"\r\nAuthorization: Bearer "+token+"\r\n\r\n"))
}

// status reads the status of a raw answer, 0 when there is none.
func status(raw string) int {
	var version string
	var code int
	_, _ = fmt.Sscan(raw, &version, &code)
	return code
}

func jwtPlaces(t *testing.T, w *world) {
	mine, others := w.signIn(t, w.user(t)).access, w.signIn(t, w.user(t)).access
	for name, lines := range map[string]string{
		"two headers":                     "Authorization: Bearer " + mine + "\r\nAuthorization: Bearer " + others,
		"the same twice":                  "Authorization: Bearer " + mine + "\r\nAuthorization: Bearer " + mine,
		"two in one":                      "Authorization: Bearer " + mine + ", Bearer " + others,
		"a good one and an empty one":     "Authorization: Bearer " + mine + "\r\nAuthorization:",
		"another scheme beside":           "Authorization: Basic YTpi\r\nAuthorization: Bearer " + mine,
		"another scheme":                  "Authorization: Token " + mine,
		"no scheme":                       "Authorization: " + mine,
		"in a cookie":                     "Cookie: access_token=" + mine + "; Authorization=Bearer " + mine + "; token=" + mine,
		"in other headers":                "X-Access-Token: " + mine + "\r\nProxy-Authorization: Bearer " + mine + "\r\nX-Auth-Token: " + mine,
		"with more behind":                "Authorization: Bearer " + mine + " x",
		"behind a header without a name":  ": x\r\nCookie: " + mine,
		"behind a blank before the colon": "Authorization : Bearer " + mine,
	} {
		raw := w.raw(t, "GET /api/v1/auth/me HTTP/1.1\r\nHost: forge\r\nConnection: close\r\n"+lines+"\r\n\r\n")
		if got := status(raw); got != 401 && got != 400 {
			t.Errorf("%s: got %d, want 401 or 400", name, got)
		}
	}
	for _, query := range []string{"access_token=", "token=", "bearer=", "Authorization=Bearer%20"} {
		w.get(t, "me?"+query+mine).want(t, http.StatusUnauthorized, "unauthenticated")
	}
	w.do(t, http.MethodGet, "/api/v1/auth/me", fields{"access_token": mine}).want(t, http.StatusUnauthorized, "unauthenticated")
	w.do(t, http.MethodGet, "/api/v1/auth/me", "access_token="+mine, header("Content-Type", "application/x-www-form-urlencoded")).
		want(t, http.StatusUnauthorized, "unauthenticated")
	for _, scheme := range []string{"bearer ", "BEARER ", "Bearer  "} {
		first := w.get(t, "me", header("Authorization", scheme+mine)).status
		if first != http.StatusOK && first != http.StatusUnauthorized {
			t.Errorf("%q: got %d, want 200 or 401", scheme, first)
		}
		for range 5 {
			if again := w.get(t, "me", header("Authorization", scheme+mine)).status; again != first {
				t.Errorf("%q: got %d, then %d", scheme, first, again)
			}
		}
	}
}
