package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/signing"
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
	t.Run("the key set holds public keys alone", func(t *testing.T) { keySet(t, makeTokens(t)) })
	t.Run("the key set is the caller's own", func(t *testing.T) {
		tokens := makeTokens(t)
		raw, err := tokens.JWKS()
		if err != nil {
			t.Fatal(err)
		}
		clear(raw)
		keySet(t, tokens)
	})
	tokenKeys(t, makeTokens)
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

// keySet reads the key set and gives the kids in it. It fails the test for anything but the members of a public Ed25519 key.
func keySet(t *testing.T, tokens outbound.Tokens) (kids []string) {
	t.Helper()
	raw, err := tokens.JWKS()
	if err != nil {
		t.Fatalf("key set: %v", err)
	}
	var set map[string][]map[string]string
	if err := json.Unmarshal(raw, &set); err != nil || len(set) != 1 || len(set["keys"]) == 0 {
		t.Fatalf("got %s, %v", raw, err)
	}
	want := map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}
	for _, k := range set["keys"] {
		kids = append(kids, k["kid"])
		x, err := base64.RawURLEncoding.DecodeString(k["x"])
		if err != nil || len(x) != 32 || k["kid"] == "" {
			t.Errorf("key %v: x of %d bytes, %v", k, len(x), err)
		}
		delete(k, "kid")
		delete(k, "x")
		if diff := cmp.Diff(want, k); diff != "" {
			t.Errorf("members of a key, besides kid and x (-want +got):\n%s", diff)
		}
	}
	slices.Sort(kids)
	if len(slices.Compact(slices.Clone(kids))) != len(kids) {
		t.Errorf("a kid is listed twice: %q", kids)
	}
	return kids
}

// kidOf gives the kid in a token's header.
func kidOf(t *testing.T, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	var h struct{ Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || json.Unmarshal(raw, &h) != nil || h.Kid == "" {
		t.Fatalf("header %q: %v", raw, err)
	}
	return h.Kid
}

// tokenKeys has a set of keys turn while tokens of its former keys are out.
func tokenKeys(t *testing.T, makeTokens func(t *testing.T) outbound.Tokens) {
	t.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	claims := outbound.AccessClaims{
		Subject: "u-1", SessionID: "s-1", TenantID: "t-1", ID: "j-1", IssuedAt: now, Expires: now.Add(15 * time.Minute), AuthTime: now,
	}
	sign := func(t *testing.T, tokens outbound.Tokens) string {
		t.Helper()
		token, err := tokens.Sign(claims)
		if err != nil {
			t.Fatalf("sign: %v", err)
		}
		return token
	}
	use := func(t *testing.T, tokens outbound.Tokens, s *signing.Set) {
		t.Helper()
		if err := tokens.Use(s.Keys()); err != nil {
			t.Fatalf("use %+v: %v", s.Keys(), err)
		}
	}

	t.Run("it begins with the first set, the next key published", func(t *testing.T) {
		tokens, told := makeTokens(t), makeTokens(t)
		use(t, told, signing.Begin(now))
		if diff := cmp.Diff(keySet(t, told), keySet(t, tokens)); diff != "" {
			t.Errorf("untold it lists others than of the first set:\n%s", diff)
		}
		first := sign(t, tokens)
		if !slices.Contains(keySet(t, tokens), kidOf(t, first)) {
			t.Error("the key that signs is not listed")
		}
		if _, err := told.Verify(first, now); err != nil {
			t.Errorf("a token of the first set: %v", err)
		}
	})
	t.Run("a retired key verifies until its tokens have expired, a dropped one no more", func(t *testing.T) {
		tokens, set := makeTokens(t), signing.Begin(now)
		before, listed := sign(t, tokens), keySet(t, tokens)
		set.Rotate(now)
		use(t, tokens, set)
		after := sign(t, tokens)
		if kidOf(t, after) == kidOf(t, before) {
			t.Error("the retired key still signs")
		}
		if !slices.Contains(listed, kidOf(t, after)) {
			t.Error("the key that signs now was not published ahead")
		}
		for name, token := range map[string]string{"the retired": before, "the active": after} {
			if !slices.Contains(keySet(t, tokens), kidOf(t, token)) {
				t.Errorf("%s key is not listed", name)
			}
			if _, err := tokens.Verify(token, claims.Expires.Add(29*time.Second)); err != nil {
				t.Errorf("a token of %s key, just before its end: %v", name, err)
			}
			if _, err := tokens.Verify(token, claims.Expires.Add(31*time.Second)); !errors.Is(err, session.ErrTokenExpired) {
				t.Errorf("a token of %s key, past its end: got %v, want %v", name, err, session.ErrTokenExpired)
			}
		}
		if err := set.Drop(1, now); err != nil {
			t.Fatal(err)
		}
		use(t, tokens, set)
		if _, err := tokens.Verify(before, now); err == nil || errors.Is(err, session.ErrTokenExpired) {
			t.Errorf("a token of the dropped key: got %v, want it refused", err)
		}
		if slices.Contains(keySet(t, tokens), kidOf(t, before)) {
			t.Error("the dropped key is listed")
		}
		if _, err := tokens.Verify(after, now); err != nil {
			t.Errorf("a token of the active key, after another was dropped: %v", err)
		}
	})
	t.Run("who has not followed yet knows the key that signs next", func(t *testing.T) {
		ahead, behind, set := makeTokens(t), makeTokens(t), signing.Begin(now)
		set.Rotate(now)
		use(t, ahead, set)
		if _, err := behind.Verify(sign(t, ahead), now); err != nil {
			t.Errorf("a token of the published next key: %v", err)
		}
		set.Rotate(now)
		use(t, ahead, set)
		if _, err := behind.Verify(sign(t, ahead), now); err == nil {
			t.Error("a token of a key that was never published: accepted")
		}
	})
	t.Run("without an active key nothing changes", func(t *testing.T) {
		tokens := makeTokens(t)
		before, listed := sign(t, tokens), keySet(t, tokens)
		for name, keys := range map[string][]signing.Key{
			"no keys": nil, "a next one": {{Number: 2, State: signing.Next}}, "a retired one": {{Number: 1, State: signing.Retired}},
			"another state": {{Number: 1, State: "ACTIVE"}},
		} {
			if err := tokens.Use(keys); err == nil {
				t.Errorf("%s: taken", name)
			}
			if _, err := tokens.Verify(before, now); err != nil || kidOf(t, sign(t, tokens)) != kidOf(t, before) {
				t.Errorf("%s: the keys have changed: %v", name, err)
			}
			if diff := cmp.Diff(listed, keySet(t, tokens)); diff != "" {
				t.Errorf("%s: the key set has changed:\n%s", name, diff)
			}
		}
	})
	t.Run("keys turn while tokens are made and checked", func(t *testing.T) {
		tokens, set := makeTokens(t), signing.Begin(now)
		none(t, race(8, func(i int) error {
			for range 50 {
				if i == 0 { // the others' tokens are of a key that is listed all the time
					set.Rotate(now)
					if err := tokens.Use(set.Keys()); err != nil {
						return err
					}
					continue
				}
				token, err := tokens.Sign(claims)
				if err != nil {
					return err
				}
				if _, err := tokens.Verify(token, now); err != nil {
					return err
				}
				if _, err := tokens.JWKS(); err != nil {
					return err
				}
			}
			return nil
		}))
		keySet(t, tokens)
	})
}

// errAny stands for a failure whatever it is.
var errAny = errors.New("any failure")
