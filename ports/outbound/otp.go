package outbound

import (
	"time"

	"github.com/forge1/forge1/domain/secret"
)

// OTP makes and checks time-based one-time passwords (RFC 6238: SHA-1, six digits, 30 s), as authenticator apps know them. Implementations
// pass conformance.OTP.
type OTP interface {
	// New makes a secret of 160 bits in base32, and the otpauth address that an app reads from a QR code; account names the user in it.
	New(account string) (key secret.Text, uri string, err error)
	// Match finds the step that a code belongs to among this one, the one before and the one after, in constant time. Whoever asks must refuse a
	// step that was used: a code is good once. A code that is not six digits matches nothing.
	Match(key secret.Text, code string, now time.Time) (step int64, ok bool)
}
