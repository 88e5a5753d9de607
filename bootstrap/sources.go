package bootstrap

import (
	"crypto/rand"

	"github.com/google/uuid"

	"github.com/forge1/forge1/ports/outbound"
)

func init() { uuid.EnableRandPool() }

// newIDs makes UUIDv7 ids (RFC 9562).
func newIDs() outbound.NewID {
	return func() string { return uuid.Must(uuid.NewV7()).String() }
}

// newRandom fills with bytes fit for secrets; crypto/rand does not fail since Go 1.24.
func newRandom() outbound.Random {
	return func(b []byte) { _, _ = rand.Read(b) }
}
