package conformance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
)

// Tokens is the suite of outbound.Tokens.
func Tokens(t *testing.T, makeTokens func(t *testing.T) outbound.Tokens) {
	t.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	claims := outbound.AccessClaims{
		Subject: "u-1", SessionID: "s-1", TenantID: "t-1", ID: "j-1", IssuedAt: now, Expires: now.Add(15 * time.Minute),
		AuthTime: now.Add(-time.Hour), AMR: []string{"pwd"},
	}
	sign := func(t *testing.T, tokens outbound.Tokens, c outbound.AccessClaims) string {
		t.Helper()
		token, err := tokens.Sign(c)
		if err != nil {
			t.Fatalf("sign: %v", err)
		}
		return token
	}

	t.Run("what was signed is read back", func(t *testing.T) {
		tokens := makeTokens(t)
		got, err := tokens.Verify(sign(t, tokens, claims), now)
		if diff := cmp.Diff(claims, got); err != nil || diff != "" {
			t.Errorf("%v; -want +got:\n%s", err, diff)
		}
	})
	t.Run("a token lives from its issue to its expiry, with 30 s leeway", func(t *testing.T) {
		tokens := makeTokens(t)
		token := sign(t, tokens, claims)
		for name, c := range map[string]struct {
			at   time.Time
			want error // nil: good
		}{
			"29 s before its issue":  {now.Add(-29 * time.Second), nil},
			"31 s before its issue":  {now.Add(-31 * time.Second), errAny},
			"29 s past its expiry":   {claims.Expires.Add(29 * time.Second), nil},
			"31 s past its expiry":   {claims.Expires.Add(31 * time.Second), session.ErrTokenExpired},
			"a year past its expiry": {claims.Expires.AddDate(1, 0, 0), session.ErrTokenExpired},
		} {
			_, err := tokens.Verify(token, c.at)
			if (err == nil) != (c.want == nil) || c.want != errAny && !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
	})
	t.Run("a changed token is refused", func(t *testing.T) {
		tokens := makeTokens(t)
		token := sign(t, tokens, claims)
		for i := range len(token) {
			b := []byte(token)
			if b[i]++; b[i] == '.' {
				b[i]++
			}
			if _, err := tokens.Verify(string(b), now); err == nil || errors.Is(err, session.ErrTokenExpired) {
				t.Fatalf("character %d changed: got %v", i, err)
			}
			if _, err := tokens.Verify(token[:i], now); err == nil {
				t.Fatalf("cut to %d: accepted", i)
			}
		}
	})
	t.Run("a token that lacks a claim is refused", func(t *testing.T) {
		tokens := makeTokens(t)
		for name, without := range map[string]func(*outbound.AccessClaims){
			"sub": func(c *outbound.AccessClaims) { c.Subject = "" },
			"sid": func(c *outbound.AccessClaims) { c.SessionID = "" },
			"tid": func(c *outbound.AccessClaims) { c.TenantID = "" },
			"jti": func(c *outbound.AccessClaims) { c.ID = "" },
			"iat": func(c *outbound.AccessClaims) { c.IssuedAt = time.Time{} },
			"exp": func(c *outbound.AccessClaims) { c.Expires = time.Time{} },
		} {
			c := claims
			without(&c)
			token, err := tokens.Sign(c)
			if err != nil {
				continue
			}
			if _, err := tokens.Verify(token, now); err == nil {
				t.Errorf("without %s: accepted", name)
			}
		}
	})
	t.Run("the key set holds public keys alone", func(t *testing.T) {
		raw, err := makeTokens(t).JWKS()
		if err != nil {
			t.Fatal(err)
		}
		var set struct{ Keys []map[string]any }
		if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) == 0 {
			t.Fatalf("got %s, %v", raw, err)
		}
		for _, k := range set.Keys {
			if k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["alg"] != "EdDSA" || k["use"] != "sig" || k["x"] == nil || k["kid"] == "" || k["d"] != nil {
				t.Errorf("got key %v", k)
			}
		}
	})
	t.Run("no error quotes the token", func(t *testing.T) {
		tokens := makeTokens(t)
		token := sign(t, tokens, claims)
		parts := strings.Split(token, ".")
		for _, bad := range []string{token + "x", parts[0] + "." + parts[1], "x" + token, parts[0] + "." + parts[1] + "." + parts[1]} {
			if _, err := tokens.Verify(bad, now); err == nil || strings.Contains(err.Error(), parts[1]) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// errAny stands for a failure whatever it is.
var errAny = errors.New("any failure")
