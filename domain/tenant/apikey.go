package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"hash/crc32"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
)

// KeyID is the public part of an API key: 16 base62 characters.
type KeyID string

// Scope is what an API key reaches.
type Scope string

// The scopes.
const (
	ScopeAI     Scope = "ai"     // /api/v1/ai and /v1
	ScopeRouter Scope = "router" // /api/v1/router
	ScopeAdmin  Scope = "admin"  // /api/v1/admin, as far as the creator's role goes
)

// Limits of API keys.
const (
	MaxKeyName     = 100
	MaxGrace       = 24 * time.Hour // in which a rotated key still works
	MaxLiveKeys    = 100            // of a creator in a tenant; as many again while they are rotated
	MaxKeptKeys    = 1000           // with those that ended and are not forgotten yet
	keyPrefix      = "f1_"
	keyIDLength    = 16
	keySecretLen   = 43
	keySumLength   = 6
	base62Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// The sentinels of APIKey.
var (
	ErrKeyNotFound = fault.New(fault.NotFound, "not_found", "there is no such API key")
	ErrManyKeys    = fault.New(fault.Exhausted, "too_many_attempts", "too many API keys; revoke some, or wait until those that ended are forgotten")
	ErrKeyEnded    = fault.New(fault.Conflict, "key_ended", "this API key has been revoked or rotated, or has expired")
)

// ParseScopes reads scopes; none means all that a key for models needs: ai. It fails with a fault of kind Invalid naming /scopes.
func ParseScopes(names []string) ([]Scope, error) {
	if len(names) == 0 {
		return []Scope{ScopeAI}, nil
	}
	var out []Scope
	for _, n := range names {
		s := Scope(n)
		if s != ScopeAI && s != ScopeRouter && s != ScopeAdmin {
			return nil, fault.ErrValidation.At(fault.Field{Pointer: "/scopes", Code: "unknown_value", Message: "must be of ai, router, admin"})
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

// APIKey is a machine's credential. Its secret is never kept, only the SHA-256 of it.
type APIKey struct {
	id         KeyID
	tenant     ID
	creator    user.ID
	name       string
	secretHash [32]byte
	scopes     []Scope
	createdAt  time.Time
	expiresAt  time.Time // zero: never
	endsAt     time.Time // revoked, or rotated away with a grace; zero: neither
	lastUsed   time.Time // zero: never
	events     event.Log
}

// NewAPIKey makes a key. It fails with a fault naming /name or /expires_at.
func NewAPIKey(m KeyMaterial, t ID, creator user.ID, name string, scopes []Scope, expires, now time.Time) (*APIKey, error) {
	if err := checkKeyName(name); err != nil {
		return nil, err
	}
	if !expires.IsZero() && !expires.After(now) {
		return nil, fault.ErrValidation.At(fault.Field{Pointer: "/expires_at", Code: "in_the_past", Message: "must lie in the future"})
	}
	k := &APIKey{
		id: m.ID, tenant: t, creator: creator, name: name, secretHash: sha256.Sum256([]byte(m.Secret)), scopes: slices.Clone(scopes),
		createdAt: now, expiresAt: expires,
	}
	k.events.Record(KeyCreated{Tenant: t, Key: m.ID, By: creator, At: now})
	return k, nil
}

func checkKeyName(name string) error {
	bad := func(code, msg string) error {
		return fault.ErrValidation.At(fault.Field{Pointer: "/name", Code: code, Message: msg})
	}
	if name == "" || utf8.RuneCountInString(name) > MaxKeyName {
		return bad("invalid_length", "must be 1 to 100 characters")
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return bad("invalid_character", "must not hold control characters")
		}
	}
	return nil
}

// Accepts reports whether the secret is this key's and the key is good now.
func (k *APIKey) Accepts(secret string, now time.Time) bool {
	h := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(h[:], k.secretHash[:]) == 1 && k.Live(now)
}

// Live reports whether the key is good now.
func (k *APIKey) Live(now time.Time) bool {
	return (k.expiresAt.IsZero() || now.Before(k.expiresAt)) && (k.endsAt.IsZero() || now.Before(k.endsAt))
}

// Revoke ends the key at once; ending it again changes nothing.
func (k *APIKey) Revoke(now time.Time) {
	if !k.endsAt.IsZero() && !now.Before(k.endsAt) {
		return
	}
	k.endsAt = now
	k.events.Record(KeyRevoked{Tenant: k.tenant, Key: k.id, At: now})
}

// Rotate makes a successor with the same name, scopes and expiry; this key ends after the grace (0 to 24 h). It fails with ErrKeyEnded, also for a key that has its
// successor already, or with a fault naming /grace_seconds.
func (k *APIKey) Rotate(m KeyMaterial, by user.ID, grace time.Duration, now time.Time) (*APIKey, error) {
	if grace < 0 || grace > MaxGrace {
		return nil, fault.ErrValidation.At(fault.Field{Pointer: "/grace_seconds", Code: "out_of_range", Message: "must be 0 to 86400"})
	}
	if !k.Live(now) || !k.endsAt.IsZero() {
		return nil, ErrKeyEnded
	}
	next, err := NewAPIKey(m, k.tenant, by, k.name, k.scopes, k.expiresAt, now)
	if err != nil {
		return nil, err
	}
	k.endsAt = now.Add(grace)
	k.events.Record(KeyRotated{Tenant: k.tenant, Key: k.id, By: m.ID, At: now})
	return next, nil
}

// ID is the public part of the key.
func (k *APIKey) ID() KeyID { return k.id }

// Tenant is where the key acts.
func (k *APIKey) Tenant() ID { return k.tenant }

// Creator is with whose role the key acts.
func (k *APIKey) Creator() user.ID { return k.creator }

// Scopes are what the key reaches.
func (k *APIKey) Scopes() []Scope { return slices.Clone(k.scopes) }

// Events drains what happened.
func (k *APIKey) Events() []event.Event { return k.events.Drain() }

// KeySnapshot is a key as stores keep it.
type KeySnapshot struct {
	ID         KeyID
	Tenant     ID
	Creator    user.ID
	Name       string
	SecretHash [32]byte
	Scopes     []Scope
	CreatedAt  time.Time
	ExpiresAt  time.Time
	EndsAt     time.Time
	LastUsed   time.Time
}

// Snapshot gives the key for keeping.
func (k *APIKey) Snapshot() KeySnapshot {
	return KeySnapshot{k.id, k.tenant, k.creator, k.name, k.secretHash, slices.Clone(k.scopes), k.createdAt, k.expiresAt, k.endsAt, k.lastUsed}
}

// RestoreKey makes a kept key anew.
func RestoreKey(s KeySnapshot) *APIKey {
	return &APIKey{
		id: s.ID, tenant: s.Tenant, creator: s.Creator, name: s.Name, secretHash: s.SecretHash, scopes: slices.Clone(s.Scopes),
		createdAt: s.CreatedAt, expiresAt: s.ExpiresAt, endsAt: s.EndsAt, lastUsed: s.LastUsed,
	}
}

// KeyMaterial is an API key taken apart: f1_<id: 16 base62>_<secret: 43 base62>_<crc32: 6 base62>.
type KeyMaterial struct {
	ID     KeyID
	Secret string
}

// NewKeyMaterial makes a key of randomness, which must fill b with fresh secret bytes.
func NewKeyMaterial(random func(b []byte)) KeyMaterial {
	return KeyMaterial{ID: KeyID(base62(random, keyIDLength)), Secret: base62(random, keySecretLen)}
}

// String gives the key as its owner keeps it. It is shown once.
func (m KeyMaterial) String() string {
	head := keyPrefix + string(m.ID) + "_" + m.Secret
	return head + "_" + checksum(head)
}

// ParseKey takes a key apart and checks its checksum, which finds typing errors without asking the store.
func ParseKey(s string) (KeyMaterial, bool) {
	const length = len(keyPrefix) + keyIDLength + 1 + keySecretLen + 1 + keySumLength
	if len(s) != length || !strings.HasPrefix(s, keyPrefix) {
		return KeyMaterial{}, false
	}
	head, sum := s[:length-keySumLength-1], s[length-keySumLength:]
	if s[length-keySumLength-1] != '_' || checksum(head) != sum {
		return KeyMaterial{}, false
	}
	id, secret, ok := strings.Cut(head[len(keyPrefix):], "_")
	if !ok || len(id) != keyIDLength || !isBase62(id) || !isBase62(secret) {
		return KeyMaterial{}, false
	}
	return KeyMaterial{ID: KeyID(id), Secret: secret}, true
}

// LooksLikeKey reports whether a credential is meant as an API key.
func LooksLikeKey(s string) bool { return strings.HasPrefix(s, keyPrefix) }

func checksum(s string) string {
	n := crc32.ChecksumIEEE([]byte(s))
	var b [keySumLength]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = base62Alphabet[n%62]
		n /= 62
	}
	return string(b[:])
}

func isBase62(s string) bool {
	for i := range len(s) {
		if strings.IndexByte(base62Alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

// base62 draws n characters evenly: bytes of 248 and more are thrown away.
func base62(random func(b []byte), n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		random(buf[:])
		for _, b := range buf {
			if b < 248 && len(out) < n {
				out = append(out, base62Alphabet[b%62])
			}
		}
	}
	return string(out)
}
