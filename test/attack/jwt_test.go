package attack_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	row("JWT-1", "alg none in three spellings, with an empty signature", jwtAlgNone)
	row("JWT-2", "HMAC keyed with the public key in four forms", jwtConfusedKey)
	row("JWT-3", "other algorithms and other spellings of ours, under our kid", jwtOtherAlgorithms)
	row("JWT-4", "changed bytes, padding and bits that do not count", jwtTampered)
	row("JWT-5", "exp that is past, absent, of another type, huge or too far", jwtExpiry)
	row("JWT-6", "nbf and iat in the future", jwtNotYet)
	row("JWT-7", "aud and iss of others, or none", jwtMeantForOthers)
	row("JWT-8", "typ of others, or none", jwtOfAnotherType)
	row("JWT-13", "tokens of other kinds as a bearer, an access token as a refresh token", jwtOtherTokens)
}

// unauthorized checks that each of these bearers is refused the same way.
func unauthorized(t *testing.T, w *world, bearers map[string]string) {
	t.Helper()
	for _, what := range slices.Sorted(mapsKeys(bearers)) {
		a := w.me(t, bearers[what])
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %s (WWW-Authenticate %q), want 401 with Bearer", what, a, a.header.Get("WWW-Authenticate"))
		}
		if code := a.str("code"); code != "unauthenticated" && code != "token_expired" && code != "token_invalid" {
			t.Errorf("%s: code %s, want unauthenticated or token_expired", what, code)
		}
	}
}

// bearing signs a new user in and gives the header and the claims of the access token.
func bearing(t *testing.T, w *world) (token string, header, body fields) {
	t.Helper()
	token = w.signIn(t, w.user(t)).access
	header, body = part(t, token, 0), claims(t, token)
	if got := w.me(t, w.mint(t, header, body)); got.status != http.StatusOK {
		t.Fatalf("a token minted with the derived key: %s, want 200", got)
	}
	return token, header, body
}

func jwtAlgNone(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	bad := map[string]string{}
	for _, alg := range []string{"none", "None", "NONE"} {
		bad[alg] = unsigned(t, changed(header, fields{"alg": alg}), body) + "."
		bad[alg+" without kid"] = unsigned(t, fields{"alg": alg, "typ": "at+jwt"}, body) + "."
		bad[alg+" with a signature"] = w.mint(t, changed(header, fields{"alg": alg}), body)
	}
	bad["ours with an empty signature"] = unsigned(t, header, body) + "."
	unauthorized(t, w, bad)
}

func jwtConfusedKey(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	pub := public(w.signingKey(t, 1))
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	x := b64.EncodeToString(pub)
	bad := map[string]string{}
	for name, key := range map[string][]byte{
		"raw": pub, "base64url": []byte(x), "JWK": []byte(`{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}`),
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		in := unsigned(t, changed(header, fields{"alg": "HS256"}), body)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(in))
		bad[name] = in + "." + b64.EncodeToString(mac.Sum(nil))
	}
	unauthorized(t, w, bad)
}

func jwtOtherAlgorithms(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	bad := map[string]string{}
	for _, alg := range []string{"RS256", "ES256", "PS256", "EdDSA ", "eddsa", "Ed25519", "HS256", ""} {
		bad["alg "+alg] = w.mint(t, changed(header, fields{"alg": alg}), body)
	}
	unauthorized(t, w, bad)
}

func jwtTampered(t *testing.T, w *world) {
	token, _, body := bearing(t, w)
	parts := strings.Split(token, ".")
	raw, err := b64.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{}
	for range 20 {
		at := mathrand.IntN(len(raw))
		flipped := slices.Clone(raw)
		flipped[at] ^= 1 << mathrand.IntN(8)
		bad[fmt.Sprintf("byte %d", at)] = parts[0] + "." + b64.EncodeToString(flipped) + "." + parts[2]
	}
	for i, name := range []string{"header", "payload", "signature"} {
		padded := slices.Clone(parts)
		padded[i] += strings.Repeat("=", (4-len(padded[i])%4)%4)
		if padded[i] == parts[i] {
			padded[i] += "===="
		}
		bad["padding of the "+name] = strings.Join(padded, ".")
		if other, ok := sameBytes(parts[i]); ok {
			loose := slices.Clone(parts)
			loose[i] = other
			bad["loose bits of the "+name] = strings.Join(loose, ".")
		}
	}
	// A payload of a length that leaves bits over, signed by us in its loose form.
	for _, filler := range []string{"", "x", "xx"} {
		in := unsigned(t, w.goodHeader(t), changed(body, fields{"filler": filler}))
		if other, ok := sameBytes(in[strings.Index(in, ".")+1:]); ok {
			bad["signed with loose bits "+filler] = signedText(w.signingKey(t, 1), in[:strings.Index(in, ".")]+"."+other)
		}
	}
	unauthorized(t, w, bad)
	if a := w.me(t, token); a.status != http.StatusOK {
		t.Errorf("the token itself: %s, want 200", a)
	}
}

// sameBytes spells base64url another way that stands for the same bytes, if there is one.
func sameBytes(s string) (string, bool) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(s)%4 == 0 {
		return "", false
	}
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last|1]), alphabet[last|1] != s[len(s)-1]
}

func jwtExpiry(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	now := time.Now().Unix()
	long := 15 * time.Minute // the longest life
	with := func(changes fields) string { return w.mint(t, header, changed(body, changes)) }
	early := fields{"iat": now - 120, "nbf": now - 120}
	bad := map[string]string{
		"past by 31 s": with(changed(early, fields{"exp": now - 31})),
		"absent":       with(fields{"exp": absent}),
		"null":         with(fields{"exp": nil}),
		"a text":       with(fields{"exp": fmt.Sprint(now + 60)}),
		"huge":         with(fields{"exp": json.Number("1e308")}),
		"too far":      with(fields{"iat": now, "nbf": now, "exp": now + int64(long/time.Second) + 1}),
		"a year":       with(fields{"exp": now + 365*24*3600}),
	}
	unauthorized(t, w, bad)
	if a := w.me(t, bad["past by 31 s"]); a.str("code") != "token_expired" {
		t.Errorf("past by 31 s: code %q, want token_expired", a.str("code"))
	}
	if a := w.me(t, with(changed(early, fields{"exp": now - 29}))); a.status != http.StatusOK && time.Now().Unix() == now {
		t.Errorf("past by 29 s: %s, want 200", a)
	}
}

func jwtNotYet(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	now := time.Now().Unix()
	unauthorized(t, w, map[string]string{
		"nbf in an hour":   w.mint(t, header, changed(body, fields{"nbf": now + 3600})),
		"nbf in a minute":  w.mint(t, header, changed(body, fields{"nbf": now + 60})),
		"iat in an hour":   w.mint(t, header, changed(body, fields{"iat": now + 3600})),
		"all in an hour":   w.mint(t, header, changed(body, fields{"iat": now + 3600, "nbf": now + 3600, "exp": now + 4000})),
		"nbf absent":       w.mint(t, header, changed(body, fields{"nbf": absent})),
		"iat absent":       w.mint(t, header, changed(body, fields{"iat": absent})),
		"nbf a text":       w.mint(t, header, changed(body, fields{"nbf": "0"})),
		"iat beyond int64": w.mint(t, header, changed(body, fields{"iat": json.Number("1e30")})),
	})
}

func jwtMeantForOthers(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	bad := map[string]string{}
	for name, aud := range map[string]any{
		"another": "other-api", "absent": absent, "null": nil, "an array with another": []string{"forge-api", "other-api"},
		"an array of another": []string{"other-api"}, "empty": "", "upper case": "FORGE-API", "a prefix": "forge",
	} {
		bad["aud "+name] = w.mint(t, header, changed(body, fields{"aud": aud}))
	}
	for name, iss := range map[string]any{
		"another": "https://evil.example", "absent": absent, "null": nil, "with a slash": issuer + "/", "upper case": strings.ToUpper(issuer), "http": "http://forge.attack.test",
	} {
		bad["iss "+name] = w.mint(t, header, changed(body, fields{"iss": iss}))
	}
	for _, name := range []string{"sub", "sid", "tid", "jti"} {
		bad[name+" absent"] = w.mint(t, header, changed(body, fields{name: absent}))
		bad[name+" empty"] = w.mint(t, header, changed(body, fields{name: ""}))
	}
	unauthorized(t, w, bad)
}

func jwtOfAnotherType(t *testing.T, w *world) {
	_, header, body := bearing(t, w)
	bad := map[string]string{}
	for name, typ := range map[string]any{"JWT": "JWT", "absent": absent, "longer": "at+jwt+x", "null": nil, "upper case": "AT+JWT"} {
		bad["typ "+name] = w.mint(t, changed(header, fields{"typ": typ}), body)
	}
	unauthorized(t, w, bad)
}

func jwtOtherTokens(t *testing.T, w *world) {
	u := w.user(t)
	in := w.signIn(t, u)
	random := make([]byte, 32)
	_, _ = rand.Read(random)
	w.post(t, "request-password-reset", fields{"email": u.email}).must(t, http.StatusAccepted)
	bad := map[string]string{
		"a refresh token":          in.refresh,
		"a token of the mfa form":  b64.EncodeToString(random),
		"a reset token":            w.token(t, u.email, "reset", 1),
		"an mfa token that exists": challenged(t, w),
	}
	unauthorized(t, w, bad)
	w.refresh(t, in.access).want(t, http.StatusUnauthorized, "refresh_invalid")
	w.alive(t, "the session after all that", in)
}
