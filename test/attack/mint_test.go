package attack_test

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
)

var b64 = base64.RawURLEncoding

// signingKey derives the n-th key that the process signs access tokens with, from 1.
func (w *world) signingKey(t testing.TB, n int) ed25519.PrivateKey {
	t.Helper()
	seed, err := hkdf.Key(sha256.New, []byte(w.secret), nil, "forge1/v1/jwt/"+strconv.Itoa(n), ed25519.SeedSize)
	if err != nil {
		t.Fatalf("derive key %d: %v", n, err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

// thumbprint names a key (RFC 7638).
func thumbprint(key ed25519.PrivateKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + b64.EncodeToString(public(key)) + `"}`))
	return b64.EncodeToString(sum[:])
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// goodHeader is the header of the process's own tokens.
func (w *world) goodHeader(t testing.TB) fields {
	t.Helper()
	return fields{"alg": "EdDSA", "typ": "at+jwt", "kid": thumbprint(w.signingKey(t, 1))}
}

// claims gives the claims of a token.
func claims(t testing.TB, token string) fields {
	t.Helper()
	return part(t, token, 1)
}

// part gives a part of a token: 0 the header, 1 the claims.
func part(t testing.TB, token string, i int) fields {
	t.Helper()
	var out fields
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts, want 3", len(parts))
	}
	raw, err := b64.DecodeString(parts[i])
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatalf("read part %d of a token: %v", i, err)
	}
	return out
}

// changed gives an object with some members changed; a member of absent is left out.
func changed(object, changes fields) fields {
	out := maps.Clone(object)
	maps.Copy(out, changes)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == absent })
	return out
}

type missing struct{}

var absent any = missing{}

// mint makes an access token with the process's own key. Header and claims are objects, or texts that are taken as they are.
func (w *world) mint(t testing.TB, header, claims any) string {
	t.Helper()
	return signed(t, w.signingKey(t, 1), header, claims)
}

// signed makes an access token with a key.
func signed(t testing.TB, key ed25519.PrivateKey, header, claims any) string {
	t.Helper()
	in := unsigned(t, header, claims)
	return in + "." + b64.EncodeToString(ed25519.Sign(key, []byte(in)))
}

// unsigned gives the first two parts of a token.
func unsigned(t testing.TB, header, claims any) string {
	t.Helper()
	return b64.EncodeToString(asJSON(t, header)) + "." + b64.EncodeToString(asJSON(t, claims))
}

func asJSON(t testing.TB, v any) []byte {
	t.Helper()
	if text, ok := v.(string); ok {
		return []byte(text)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %v: %v", v, err)
	}
	return raw
}

// signedText adds a signature to the first two parts of a token.
func signedText(key ed25519.PrivateKey, in string) string {
	return in + "." + b64.EncodeToString(ed25519.Sign(key, []byte(in)))
}
