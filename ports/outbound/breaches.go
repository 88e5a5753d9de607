package outbound

import (
	"context"

	"github.com/forge1/forge1/domain/secret"
)

// Breaches knows the passwords that have been stolen somewhere. Implementations pass conformance.Breaches.
type Breaches interface {
	// Breached reports whether a password, in its normal form, is among them. It fails, soon, when that cannot be told; whoever asks then goes on without an answer and counts
	// that. Nothing of the password is in the error.
	Breached(ctx context.Context, password secret.Text) (bool, error)
}
