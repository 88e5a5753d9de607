package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/domain/user"
)

// Hasher hashes passwords with bounded concurrency. It brings them to NFC first (RFC 8265). Implementations pass conformance.Hasher.
type Hasher interface {
	// Hash makes a PHC string. It fails with fault.ErrBusy when the line is full or the wait too long.
	Hash(ctx context.Context, password secret.Text) (string, error)
	// Verify checks a password against a PHC string. stale reports that the string should be made anew at today's cost. An empty PHC string costs the
	// same time as any other and never matches. It fails with fault.ErrBusy.
	Verify(ctx context.Context, phc string, password secret.Text) (ok, stale bool, err error)
}

// AccessClaims are the claims of an access token (RFC 9068).
type AccessClaims struct {
	Subject   user.ID
	SessionID session.ID
	TenantID  string
	ID        string // jti
	IssuedAt  time.Time
	Expires   time.Time
	AuthTime  time.Time
	AMR       []string
}

// Tokens makes and checks access tokens: Ed25519 signed, typ at+jwt. It begins with the first set of keys. Implementations pass conformance.Tokens.
type Tokens interface {
	// Use has these keys sign and verify from now on, in place of all others: the active one signs, all of them verify. It fails when none is active.
	Use(keys []signing.Key) error
	// Sign makes a token.
	Sign(c AccessClaims) (string, error)
	// Verify checks a token fully: form, algorithm, key, issuer, audience, every required claim, and the times with 30 s leeway. Any error means
	// that it is not good; session.ErrTokenExpired that nothing but its time has passed.
	Verify(token string, now time.Time) (AccessClaims, error)
	// JWKS gives the public keys as a JSON Web Key Set (RFC 7517).
	JWKS() ([]byte, error)
}

// Keyring derives every other key from the root secret (HKDF-SHA256) and uses it. A root is named by one byte that is derived from the root itself, so it
// is the same on every node and stays when a newer root takes over; older roots verify and open only. Implementations pass conformance.Keyring.
type Keyring interface {
	// Root names the current root, for what is signed together with the name of its key.
	Root() byte
	// MAC makes an HMAC-SHA256 with the key of a label under the current root, and says which root that is.
	MAC(label string, data []byte) (root byte, mac [32]byte)
	// CheckMAC reports whether a MAC is right under the root named, in constant time.
	CheckMAC(label string, root byte, data []byte, mac [32]byte) bool
	// Seal encrypts and authenticates (AES-256-GCM) under the current root; context binds the result to its place.
	Seal(label string, plain, context []byte) []byte
	// Open undoes Seal under any root that is still known. It fails when the text, label or context is another.
	Open(label string, sealed, context []byte) ([]byte, error)
}
