package jose_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/jose"
	"github.com/forge1/forge1/domain/session"
)

// checkRefusal holds that a refusal is one of the two that a caller is told, and quotes nothing.
func checkRefusal(t *testing.T, token string, err error) {
	t.Helper()
	if !errors.Is(err, jose.ErrRefused) && !errors.Is(err, session.ErrTokenExpired) {
		t.Fatalf("%q: got %v", token, err)
	}
	if len(token) > 20 && strings.Contains(err.Error(), token) {
		t.Fatalf("%v quotes the token", err)
	}
}

// FuzzVerify holds that whatever is accepted bears our signature, in our form.
func FuzzVerify(f *testing.F) {
	public, _ := derived(f, root).Public().(ed25519.PublicKey)
	verifier := tokens(f, root)
	good, err := verifier.Sign(claims)
	if err != nil {
		f.Fatal(err)
	}
	head, body, signature := split(f, good)
	for _, token := range []string{
		good, "", "..", "a.b.c", good + ".", good + "=", good + "\n", head + "." + body + ".", head + ".." + signature, "." + body + "." + signature,
		b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + body + ".", strings.Repeat(".", 5000), head[:len(head)-1] + "." + body + "." + signature,
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, err := verifier.Verify(token, now)
		if err != nil {
			checkRefusal(t, token, err)
			return
		}
		signed, signature, _ := strings.Cut(token[strings.IndexByte(token, '.')+1:], ".")
		signed = token[:strings.IndexByte(token, '.')+1] + signed
		if !ed25519.Verify(public, []byte(signed), decode(t, signature)) {
			t.Fatalf("%q: accepted without our signature: %+v", token, got)
		}
	})
}

// FuzzVerifySigned holds what is accepted of what we might have signed: every claim is there, and is what encoding/json says it is.
func FuzzVerifySigned(f *testing.F) {
	const leeway = 30 * time.Second
	verifier := tokens(f, root)
	header, payload := object(f, goodHeader(f)), object(f, goodPayload())
	f.Add(header, payload)
	for _, h := range []string{`{}`, `{"alg":"EdDSA"}`, `{"alg":"EdDSA","typ":"at+jwt","kid":"x","crit":["exp"]}`, `[]`, "\x00", header + " ", strings.Replace(header, "{", `{"alg":"none",`, 1)} {
		f.Add(h, payload)
	}
	for _, changes := range []members{
		{"exp": nil},
		{"exp": 1e30},
		{"exp": "1"},
		{"exp": -1},
		{"exp": 1.5},
		{"nbf": nil},
		{"iat": nil},
		{"aud": []string{"forge-api"}},
		{"aud": []string{}},
		{"aud": 1},
		{"iss": ""},
		{"sub": nil},
		{"sub": 1},
		{"amr": "pwd"},
		{"amr": nil},
		{"auth_time": nil},
		{"auth_time": []int{}},
		{"sid": members{}},
	} {
		f.Add(header, object(f, with(goodPayload(), changes)))
	}
	f.Add(header, strings.Replace(payload, "{", `{"sub":"u-2",`, 1))
	f.Add(header, strings.Repeat(`{"a":`, 500))
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := mint(t, header, payload)
		got, err := verifier.Verify(token, now)
		if err != nil {
			checkRefusal(t, token, err)
			return
		}
		var h, p map[string]any
		if json.Unmarshal([]byte(header), &h) != nil || json.Unmarshal([]byte(payload), &p) != nil {
			t.Fatalf("accepted %q.%q, which encoding/json refuses", header, payload)
		}
		if len(h) != 3 || h["alg"] != "EdDSA" || h["typ"] != "at+jwt" {
			t.Fatalf("accepted header %q", header)
		}
		if p["iss"] != issuer || p["sub"] != string(got.Subject) || p["sid"] != string(got.SessionID) || p["tid"] != got.TenantID || p["jti"] != got.ID {
			t.Fatalf("%q is read as %+v", payload, got)
		}
		if got.Subject == "" || got.SessionID == "" || got.TenantID == "" || got.ID == "" {
			t.Fatalf("%q: accepted without who it is for: %+v", payload, got)
		}
		if life := got.Expires.Sub(got.IssuedAt); life <= 0 || life > maxTTL || now.Sub(got.Expires) > leeway || got.IssuedAt.Sub(now) > leeway {
			t.Fatalf("%q: accepted from %v to %v", payload, got.IssuedAt, got.Expires)
		}
	})
}
