// Package jose makes and checks access tokens (RFC 9068) with github.com/go-jose/go-jose/v4: Ed25519 alone, keys derived from the root secret, and a form so
// narrow that what we did not write ourselves is refused before any cryptography.
package jose

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	// Audience is who access tokens are for.
	Audience = "forge-api"

	tokenType  = "at+jwt"
	keyInfo    = "forge1/v1/jwt/"
	leeway     = 30 * time.Second
	maxSeconds = 1 << 40
)

// Config says who signs, with what, and for how long at most.
type Config struct {
	Issuer   string // PUBLIC_BASE_URL
	Root     secret.Text
	Previous []secret.Text // their keys verify only
	MaxTTL   time.Duration // a token that claims more was not made here
}

// Tokens implements outbound.Tokens.
type Tokens struct {
	config Config
	ring   atomic.Pointer[ring]
}

// ring is the keys in use, never changed once it is.
type ring struct {
	signer jose.Signer
	keys   map[string]ed25519.PublicKey // by kid
	jwks   []byte
}

var _ outbound.Tokens = (*Tokens)(nil)

// New derives the first set of keys.
func New(c Config) (*Tokens, error) {
	t := &Tokens{config: c}
	if err := t.Use(signing.Begin(time.Time{}).Keys()); err != nil {
		return nil, err
	}
	return t, nil
}

// Use implements outbound.Tokens. Every root, former ones too, gives a key for each number.
func (t *Tokens) Use(numbered []signing.Key) error {
	r := &ring{keys: map[string]ed25519.PublicKey{}}
	var set jose.JSONWebKeySet
	for i, root := range append([]secret.Text{t.config.Root}, t.config.Previous...) {
		for _, n := range numbered {
			private, err := derive(root, n.Number)
			if err != nil {
				return err
			}
			public, err := publicOf(private)
			if err != nil {
				return err
			}
			if _, there := r.keys[public.KeyID]; there {
				continue
			}
			r.keys[public.KeyID] = private.Public().(ed25519.PublicKey) //nolint:forcetypeassert // Ed25519 has no other
			set.Keys = append(set.Keys, public)
			if i > 0 || n.State != signing.Active {
				continue
			}
			r.signer, err = jose.NewSigner(
				jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: public.KeyID}},
				(&jose.SignerOptions{}).WithType(tokenType))
			if err != nil {
				return fmt.Errorf("make signer: %w", err)
			}
		}
	}
	if r.signer == nil {
		return errNoActive
	}
	var err error
	if r.jwks, err = json.Marshal(set); err != nil {
		return fmt.Errorf("encode key set: %w", err)
	}
	t.ring.Store(r)
	return nil
}

var errNoActive = errors.New("no signing key is active")

// publicOf gives the public half, named by its thumbprint (RFC 7638).
func publicOf(private ed25519.PrivateKey) (jose.JSONWebKey, error) {
	public := jose.JSONWebKey{Key: private.Public(), Use: "sig", Algorithm: string(jose.EdDSA)}
	print, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return public, fmt.Errorf("name signing key: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(print)
	return public, nil
}

// derive makes the signing key of a number.
func derive(root secret.Text, number int) (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, []byte(root.Reveal()), nil, keyInfo+strconv.Itoa(number), ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive signing key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// claims are the claims as they travel.
type claims struct {
	jwt.Claims
	SessionID string           `json:"sid"`
	TenantID  string           `json:"tid"`
	AuthTime  *jwt.NumericDate `json:"auth_time,omitempty"`
	AMR       []string         `json:"amr,omitempty"`
}

// Sign implements outbound.Tokens.
func (t *Tokens) Sign(c outbound.AccessClaims) (string, error) {
	token, err := jwt.Signed(t.ring.Load().signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: t.config.Issuer, Subject: string(c.Subject), Audience: jwt.Audience{Audience}, ID: c.ID,
			IssuedAt: jwt.NewNumericDate(c.IssuedAt), NotBefore: jwt.NewNumericDate(c.IssuedAt), Expiry: jwt.NewNumericDate(c.Expires),
		},
		SessionID: string(c.SessionID), TenantID: c.TenantID, AuthTime: jwt.NewNumericDate(c.AuthTime), AMR: c.AMR,
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}

// ErrRefused is a token that is not good. Its wrappings say why, for the log alone; none quotes the token.
var ErrRefused = errors.New("access token refused")

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrRefused, why) }

// Verify implements outbound.Tokens.
func (t *Tokens) Verify(token string, now time.Time) (outbound.AccessClaims, error) {
	var none outbound.AccessClaims
	kid, err := header(token)
	if err != nil {
		return none, err
	}
	key, ok := t.ring.Load().keys[kid]
	if !ok {
		return none, refuse("unknown key")
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return none, refuse("unreadable")
	}
	var c claims
	if err := parsed.Claims(key, &c); err != nil {
		return none, refuse("signature or claims")
	}
	if err := t.check(&c, now); err != nil {
		return none, err
	}
	return outbound.AccessClaims{
		Subject: user.ID(c.Subject), SessionID: session.ID(c.SessionID), TenantID: c.TenantID, ID: c.ID,
		IssuedAt: c.IssuedAt.Time().UTC(), Expires: c.Expiry.Time().UTC(), AuthTime: c.AuthTime.Time().UTC(), AMR: c.AMR,
	}, nil
}

// check refuses claims that are missing or wrong. go-jose passes over absent ones, so they are asked for here.
func (t *Tokens) check(c *claims, now time.Time) error {
	for _, d := range []*jwt.NumericDate{c.Expiry, c.NotBefore, c.IssuedAt} {
		if d == nil || *d <= 0 || *d > maxSeconds {
			return refuse("exp, nbf or iat")
		}
	}
	if c.Subject == "" || c.SessionID == "" || c.TenantID == "" || c.ID == "" {
		return refuse("sub, sid, tid or jti")
	}
	if len(c.Audience) != 1 || c.Issuer == "" {
		return refuse("aud or iss")
	}
	if life := c.Expiry.Time().Sub(c.IssuedAt.Time()); life <= 0 || life > t.config.MaxTTL {
		return refuse("lifetime")
	}
	switch err := c.ValidateWithLeeway(jwt.Expected{Issuer: t.config.Issuer, AnyAudience: jwt.Audience{Audience}, Time: now}, leeway); {
	case errors.Is(err, jwt.ErrExpired):
		return session.ErrTokenExpired
	case err != nil:
		return refuse("issuer, audience or time")
	}
	return nil
}

// JWKS implements outbound.Tokens.
func (t *Tokens) JWKS() ([]byte, error) { return bytes.Clone(t.ring.Load().jwks), nil }
