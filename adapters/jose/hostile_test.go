package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"testing"
	"time"
)

var b64 = base64.RawURLEncoding

func split(t testing.TB, token string) (head, body, signature string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token of %d parts", len(parts))
	}
	return parts[0], parts[1], parts[2]
}

func decode(t testing.TB, part string) []byte {
	t.Helper()
	b, err := b64.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mint signs raw texts with our own key: what passes then passes by its content.
func mint(t testing.TB, header, payload string) string {
	t.Helper()
	signed := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	return signed + "." + b64.EncodeToString(ed25519.Sign(derived(t, root), []byte(signed)))
}

func object(t testing.TB, m map[string]any) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type members = map[string]any

func goodHeader(t testing.TB) members {
	t.Helper()
	return members{"alg": "EdDSA", "typ": "at+jwt", "kid": thumbprint(derived(t, root))}
}

func goodPayload() members {
	return members{
		"iss": issuer, "aud": "forge-api", "sub": "u-1", "sid": "s-1", "tid": "t-1", "jti": "j-1",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(maxTTL).Unix(), "auth_time": now.Unix(), "amr": []string{"pwd"},
	}
}

func with(m members, changes members) members {
	m = maps.Clone(m)
	for k, v := range changes {
		if v == nil {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	return m
}

func TestMintedTokensAreGoodUntilTheyAreChanged(t *testing.T) {
	if _, err := tokens(t, root).Verify(mint(t, object(t, goodHeader(t)), object(t, goodPayload())), now); err != nil {
		t.Fatalf("the tests' own token: %v", err)
	}
}

func TestHostileHeadersAreRefused(t *testing.T) {
	all := tokens(t, root, old)
	attacker, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := members{"kty": "OKP", "crv": "Ed25519", "x": b64.EncodeToString(attacker)}
	for name, change := range map[string]members{
		"alg none":            {"alg": "none"},
		"alg None":            {"alg": "None"},
		"alg NONE":            {"alg": "NONE"},
		"alg absent":          {"alg": nil},
		"alg RS256":           {"alg": "RS256"},
		"alg ES256":           {"alg": "ES256"},
		"alg PS256":           {"alg": "PS256"},
		"alg HS256":           {"alg": "HS256"},
		"alg Ed25519":         {"alg": "Ed25519"},
		"alg with a blank":    {"alg": "EdDSA "},
		"alg in lower case":   {"alg": "eddsa"},
		"alg a number":        {"alg": 1},
		"typ JWT":             {"typ": "JWT"},
		"typ absent":          {"typ": nil},
		"typ with more":       {"typ": "at+jwt+x"},
		"typ as a media type": {"typ": "application/at+jwt"},
		"typ in upper case":   {"typ": "AT+JWT"},
		"kid a path":          {"kid": "../../../../dev/null"},
		"kid SQL":             {"kid": "' OR 1=1--"},
		"kid a URL":           {"kid": "https://evil.example/key"},
		"kid of a megabyte":   {"kid": strings.Repeat("k", 1<<20)},
		"kid empty":           {"kid": ""},
		"kid a number":        {"kid": 7},
		"kid absent":          {"kid": nil},
		"kid an array":        {"kid": []string{"a"}},
		"jwk":                 {"jwk": jwk},
		"jwk instead of kid":  {"jwk": jwk, "kid": nil},
		"jku":                 {"jku": "http://127.0.0.1:1/jwks"},
		"x5u":                 {"x5u": "http://127.0.0.1:1/cert"},
		"x5c":                 {"x5c": []string{"MII="}},
		"crit":                {"crit": []string{"exp"}},
		"b64":                 {"b64": false},
		"cty":                 {"cty": "JWT"},
		"zip":                 {"zip": "DEF"},
	} {
		refused(t, all.Verify, name, mint(t, object(t, with(goodHeader(t), change)), object(t, goodPayload())))
	}
	good := object(t, goodHeader(t))
	for name, header := range map[string]string{
		"kid null":            strings.Replace(good, `"kid":"`+thumbprint(derived(t, root))+`"`, `"kid":null`, 1),
		"alg twice":           strings.Replace(good, `{`, `{"alg":"none",`, 1),
		"alg in two cases":    strings.Replace(good, `{`, `{"ALG":"none",`, 1),
		"alg escaped twice":   strings.Replace(good, `{`, `{"\u0061lg":"none",`, 1),
		"more behind":         good + `{}`,
		"cut off":             good[:len(good)-1],
		"an array":            `[]`,
		"null":                `null`,
		"text":                `"alg"`,
		"nothing":             ``,
		"a nested object":     `{"alg":{"alg":"EdDSA"}}`,
		"ten thousand braces": strings.Repeat(`{"a":`, 500),
	} {
		refused(t, all.Verify, name, mint(t, header, object(t, goodPayload())))
	}
}

func TestHostileClaimsAreRefused(t *testing.T) {
	all := tokens(t, root, old)
	for name, change := range map[string]members{
		"exp past":                 {"iat": now.Add(-maxTTL).Unix(), "exp": now.Add(-31 * time.Second).Unix()},
		"exp absent":               {"exp": nil},
		"exp a string":             {"exp": "4102444800"},
		"exp huge":                 {"exp": 1e308},
		"exp beyond int64":         {"exp": 1e19},
		"exp negative":             {"exp": -1},
		"exp zero":                 {"exp": 0},
		"exp past the longest":     {"exp": now.Add(maxTTL + time.Second).Unix()},
		"exp before iat":           {"exp": now.Add(-time.Second).Unix()},
		"nbf in the future":        {"nbf": now.Add(time.Hour).Unix()},
		"nbf absent":               {"nbf": nil},
		"nbf zero":                 {"nbf": 0},
		"nbf negative":             {"nbf": -1},
		"nbf huge":                 {"nbf": 1e308},
		"iat in the future":        {"iat": now.Add(time.Hour).Unix(), "exp": now.Add(time.Hour + maxTTL).Unix()},
		"iat absent":               {"iat": nil},
		"iat a string":             {"iat": "0"},
		"aud another":              {"aud": "other-api"},
		"aud absent":               {"aud": nil},
		"aud empty":                {"aud": []string{}},
		"aud an array of others":   {"aud": []string{"other-api"}},
		"aud an array with others": {"aud": []string{"other-api", "forge-api"}},
		"aud a number":             {"aud": 1},
		"iss another":              {"iss": "https://evil.example"},
		"iss longer":               {"iss": issuer + "/"},
		"iss absent":               {"iss": nil},
		"sub absent":               {"sub": nil},
		"sub empty":                {"sub": ""},
		"sub a number":             {"sub": 1},
		"sid absent":               {"sid": nil},
		"tid absent":               {"tid": nil},
		"jti absent":               {"jti": nil},
	} {
		refused(t, all.Verify, name, mint(t, object(t, goodHeader(t)), object(t, with(goodPayload(), change))))
	}
	good := object(t, goodPayload())
	for name, payload := range map[string]string{
		"cut off":  good[:len(good)-1],
		"an array": `[]`,
		"null":     `null`,
		"exp null": strings.Replace(good, `"exp":`, `"exp":null,"x":`, 1),
		"SUB":      strings.Replace(good, `"sub"`, `"SUB"`, 1),
	} {
		refused(t, all.Verify, name, mint(t, object(t, goodHeader(t)), payload))
	}
	if _, err := all.Verify(mint(t, object(t, goodHeader(t)), object(t, with(goodPayload(), members{"exp": now.Unix() - 29, "iat": now.Unix() - 60}))), now); err != nil {
		t.Errorf("exp past by 29 s: got %v", err)
	}
}

func TestSignaturesOfOthersAreRefused(t *testing.T) {
	all := tokens(t, root)
	head, body, _ := split(t, mint(t, object(t, goodHeader(t)), object(t, goodPayload())))
	public := derived(t, root).Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	x := b64.EncodeToString(public)
	hs := b64.EncodeToString([]byte(object(t, with(goodHeader(t), members{"alg": "HS256"}))))
	for name, key := range map[string][]byte{
		"the public key":    public,
		"its base64":        []byte(x),
		"its JWK":           []byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`),
		"its PEM":           pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"nothing whatever":  {},
		"the root's secret": []byte(root.Reveal()),
	} {
		for _, h := range []string{hs, head} {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(h + "." + body))
			refused(t, all.Verify, "HMAC with "+name, h+"."+body+"."+b64.EncodeToString(mac.Sum(nil)))
		}
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, all.Verify, "a stranger's key under our kid", head+"."+body+"."+b64.EncodeToString(ed25519.Sign(stranger, []byte(head+"."+body))))
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(head + "." + body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	refused(t, all.Verify, "RSA", head+"."+body+"."+b64.EncodeToString(signature))
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signature, err = ecdsa.SignASN1(rand.Reader, ecKey, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	refused(t, all.Verify, "ECDSA", head+"."+body+"."+b64.EncodeToString(signature))
}

func TestOtherSpellingsAreRefused(t *testing.T) {
	all := tokens(t, root)
	token := mint(t, object(t, goodHeader(t)), object(t, goodPayload()))
	head, body, signature := split(t, token)
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, signature[len(signature)-1])
	for name, bad := range map[string]string{
		"signature empty":       head + "." + body + ".",
		"no signature":          head + "." + body,
		"padding":               head + "." + body + "." + signature + "==",
		"padded payload":        head + "." + body + "=." + signature,
		"non-canonical bits":    head + "." + body + "." + signature[:len(signature)-1] + string(alphabet[last|1]),
		"standard alphabet":     head + "." + body + "." + strings.NewReplacer("-", "+", "_", "/").Replace(signature) + "+",
		"blank behind":          token + " ",
		"blank before":          " " + token,
		"line break inside":     head + ".\n" + body + "." + signature,
		"line break in a part":  head + "." + body[:4] + "\n" + body[4:] + "." + signature,
		"Bearer before":         "Bearer " + token,
		"four parts":            token + ".",
		"five parts, as JWE":    head + "." + body + "." + signature + "." + body + "." + signature,
		"JSON serialization":    `{"payload":"` + body + `","protected":"` + head + `","signature":"` + signature + `"}`,
		"a token in a token":    mint(t, object(t, goodHeader(t)), token),
		"a million dots":        strings.Repeat(".", 1_000_000),
		"five megabytes":        strings.Repeat("a", 5<<20),
		"long":                  mint(t, object(t, goodHeader(t)), object(t, with(goodPayload(), members{"x": strings.Repeat("x", 4096)}))),
		"nothing":               "",
		"dots":                  "..",
		"a refresh token":       "fr1." + b64.EncodeToString(make([]byte, 21)) + "." + b64.EncodeToString(make([]byte, 32)),
		"a mailed token":        b64.EncodeToString(make([]byte, 32)),
		"an API key":            "f1_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789a_000000",
		"header twice":          head + "." + head + "." + signature,
		"an unsecured JWT":      b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + body + ".",
		"a dot inside its text": head[:3] + "." + head[3:] + body + "." + signature,
	} {
		refused(t, all.Verify, name, bad)
	}
}

func TestEveryChangedByteOfThePayloadIsSeen(t *testing.T) {
	all := tokens(t, root)
	head, body, signature := split(t, mint(t, object(t, goodHeader(t)), object(t, goodPayload())))
	raw := decode(t, body)
	for i := range raw {
		raw[i] ^= 1
		refused(t, all.Verify, "a flipped bit", head+"."+b64.EncodeToString(raw)+"."+signature)
		raw[i] ^= 1
	}
}

func refused[C any](t *testing.T, verify func(string, time.Time) (C, error), name, token string) {
	t.Helper()
	if _, err := verify(token, now); err == nil {
		t.Errorf("%s: accepted", name)
	} else if len(token) > 100 && strings.Contains(err.Error(), token[10:60]) {
		t.Errorf("%s: the error quotes the token", name)
	}
}
