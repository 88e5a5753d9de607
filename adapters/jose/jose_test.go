package jose_test

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/jose"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

const issuer = "https://forge.example"

var (
	root   = secret.New("a root secret of at least 32 bytes")
	old    = secret.New("the root secret of last month, retired")
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	maxTTL = 15 * time.Minute
	claims = outbound.AccessClaims{
		Subject: "u-1", SessionID: "s-1", TenantID: "t-1", ID: "j-1", IssuedAt: now, Expires: now.Add(maxTTL), AuthTime: now, AMR: []string{"pwd"},
	}
)

func tokens(t testing.TB, root secret.Text, previous ...secret.Text) *jose.Tokens {
	t.Helper()
	made, err := jose.New(jose.Config{Issuer: issuer, Root: root, Previous: previous, MaxTTL: maxTTL})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestConformance(t *testing.T) {
	conformance.Tokens(t, func(t *testing.T) outbound.Tokens { return tokens(t, root, old) })
}

// derived makes the first signing key as it is documented, from the outside.
func derived(t testing.TB, root secret.Text) ed25519.PrivateKey {
	t.Helper()
	return numbered(t, root, 1)
}

// numbered makes a signing key as it is documented, from the outside.
func numbered(t testing.TB, root secret.Text, number int) ed25519.PrivateKey {
	t.Helper()
	seed, err := hkdf.Key(sha256.New, []byte(root.Reveal()), nil, fmt.Sprint("forge1/v1/jwt/", number), ed25519.SeedSize)
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

// thumbprint is the kid of a key by RFC 7638, made by hand.
func thumbprint(key ed25519.PrivateKey) string {
	x := base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestHeaderKeyAndClaimsAreAsDocumented(t *testing.T) {
	token, err := tokens(t, root).Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	head, body, signature := split(t, token)
	key := derived(t, root)
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), []byte(head+"."+body), decode(t, signature)) {
		t.Error("not signed by the derived key")
	}
	var header, payload map[string]any
	if err := json.Unmarshal(decode(t, head), &header); err != nil {
		t.Fatal(err)
	}
	if len(header) != 3 || header["alg"] != "EdDSA" || header["typ"] != "at+jwt" || header["kid"] != thumbprint(key) {
		t.Errorf("header: got %v", header)
	}
	if err := json.Unmarshal(decode(t, body), &payload); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iss", "aud", "sub", "sid", "tid", "jti", "iat", "nbf", "exp", "auth_time", "amr"} {
		if payload[name] == nil {
			t.Errorf("claim %s is absent", name)
		}
		delete(payload, name)
	}
	if len(payload) != 0 {
		t.Errorf("claims that nobody asked for: %v", payload)
	}
}

func TestAPreviousRootVerifiesAndDoesNotSign(t *testing.T) {
	before, err := tokens(t, old).Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	both := tokens(t, root, old, root)
	if _, err := both.Verify(before, now); err != nil {
		t.Errorf("token of the previous root: %v", err)
	}
	after, err := both.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens(t, root).Verify(after, now); err != nil {
		t.Errorf("signed by another than the current root: %v", err)
	}
	if _, err := tokens(t, root).Verify(before, now); err == nil {
		t.Error("token of a root that is gone: accepted")
	}
	want := []string{thumbprint(numbered(t, root, 1)), thumbprint(numbered(t, root, 2)), thumbprint(numbered(t, old, 1)), thumbprint(numbered(t, old, 2))}
	if diff := cmp.Diff(want, listed(t, both)); diff != "" {
		t.Errorf("key set: -want +got\n%s", diff)
	}
}

// listed gives the kids of the key set.
func listed(t *testing.T, all *jose.Tokens) (kids []string) {
	t.Helper()
	raw, err := all.JWKS()
	var set struct{ Keys []struct{ Kid string } }
	if err != nil || json.Unmarshal(raw, &set) != nil {
		t.Fatalf("key set: got %s, %v", raw, err)
	}
	for _, k := range set.Keys {
		kids = append(kids, k.Kid)
	}
	return kids
}

func TestKeysOfEveryNumberAreDerivedAsDocumented(t *testing.T) {
	all := tokens(t, root)
	if err := all.Use([]signing.Key{{Number: 7, State: signing.Retired}, {Number: 12, State: signing.Active}, {Number: 13, State: signing.Next}}); err != nil {
		t.Fatal(err)
	}
	want := []string{thumbprint(numbered(t, root, 7)), thumbprint(numbered(t, root, 12)), thumbprint(numbered(t, root, 13))}
	if diff := cmp.Diff(want, listed(t, all)); diff != "" {
		t.Errorf("key set: -want +got\n%s", diff)
	}
	token, err := all.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	head, body, signature := split(t, token)
	if !ed25519.Verify(numbered(t, root, 12).Public().(ed25519.PublicKey), []byte(head+"."+body), decode(t, signature)) {
		t.Error("not signed by the active key")
	}
}

func BenchmarkVerify(b *testing.B) {
	all := tokens(b, root)
	token, err := all.Sign(claims)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := all.Verify(token, now); err != nil {
			b.Fatal(err)
		}
	}
}
