package letters

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// ErrTokenInvalid is every mailed token that is not good: unknown, used, expired, malformed, or of another kind.
var ErrTokenInvalid = fault.New(fault.Malformed, "token_invalid", "the link is not valid any more; ask for a new one")

const tokenBytes = 32

// NewToken makes a token for a link, and what is kept of it.
func NewToken(random outbound.Random) (token string, hash [32]byte) {
	var b [tokenBytes]byte
	random(b[:])
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, sha256.Sum256([]byte(token))
}

// HashOf gives what is kept of a token; false when the text cannot be one.
func HashOf(token string) ([32]byte, bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) { // the decoder passes over line breaks
		return [32]byte{}, false
	}
	if b, err := base64.RawURLEncoding.Strict().DecodeString(token); err != nil || len(b) != tokenBytes {
		return [32]byte{}, false
	}
	return sha256.Sum256([]byte(token)), true
}
