// Package password hashes passwords with argon2id (golang.org/x/crypto/argon2), after bringing them to NFC (golang.org/x/text), and never more of them at
// once than the machine bears: a hash takes 19 MiB and tens of milliseconds of a core.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	saltBytes = 16
	keyBytes  = 32
)

// Params are the cost of a hash.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// OWASP is the least cost that the OWASP password storage cheat sheet allows for argon2id with 19 MiB.
var OWASP = Params{Memory: 19456, Time: 2, Threads: 1}

// most is the dearest hash that is verified; a dearer one could only come of a tampered row.
var most = Params{Memory: 64 << 10, Time: 10, Threads: 4}

// Config bounds the work.
type Config struct {
	Params      Params
	Concurrency int           // hashes at once, at least 1
	Queue       int           // callers that wait for their turn
	Wait        time.Duration // how long they do
}

// Hasher implements outbound.Hasher.
type Hasher struct {
	config  Config
	turns   chan struct{}
	waiting atomic.Int64
}

var (
	_ outbound.Hasher     = (*Hasher)(nil)
	_ outbound.NormalText = Normal
)

// Normal implements outbound.NormalText: the form of a password that is hashed. But for that (RFC 8265, OpaqueString) a password is taken exactly as it is
// sent: nothing is trimmed, folded or cut.
func Normal(text string) string { return norm.NFC.String(text) }

// New makes a hasher.
func New(c Config) *Hasher {
	c.Concurrency = max(1, c.Concurrency)
	return &Hasher{config: c, turns: make(chan struct{}, c.Concurrency)}
}

// Hash implements outbound.Hasher.
func (h *Hasher) Hash(ctx context.Context, password secret.Text) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	p := h.config.Params
	key, err := h.derive(ctx, password, salt, p)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Verify implements outbound.Hasher.
func (h *Hasher) Verify(ctx context.Context, phc string, password secret.Text) (ok, stale bool, err error) {
	if phc == "" {
		_, err := h.derive(ctx, password, make([]byte, saltBytes), h.config.Params)
		return false, false, err
	}
	p, salt, want, err := parse(phc)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, password, salt, p)
	if err != nil {
		return false, false, err
	}
	stale = p != h.config.Params || len(salt) != saltBytes
	return subtle.ConstantTimeCompare(got, want) == 1, stale, nil
}

// derive waits for a turn and does the work.
func (h *Hasher) derive(ctx context.Context, password secret.Text, salt []byte, p Params) ([]byte, error) {
	if err := h.turn(ctx); err != nil {
		return nil, err
	}
	defer func() { <-h.turns }()
	return argon2.IDKey([]byte(Normal(password.Reveal())), salt, p.Time, p.Memory, p.Threads, keyBytes), nil
}

// turn takes a turn: at once, or after standing in line. It fails with fault.ErrBusy when the line is full or does not move, and with the context's error.
func (h *Hasher) turn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.turns <- struct{}{}:
		return nil
	default:
	}
	if h.waiting.Add(1) > int64(h.config.Queue) {
		h.waiting.Add(-1)
		return fault.ErrBusy
	}
	defer h.waiting.Add(-1)
	patience := time.NewTimer(h.config.Wait)
	defer patience.Stop()
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-patience.C:
		return fault.ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}
