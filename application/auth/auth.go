// Package auth signs people in and out (Service), and turns a credential into a caller (Gatekeeper).
//
// Everything that tells one account from another is kept out of answers and of the work done: register and login spend one password hash whoever is asked
// for, and what happened is told by mail to the owner of the address alone.
package auth

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// The refusals. Each says as little as the caller may know.
var (
	// ErrUnauthenticated is every bearer credential that is not good: unknown, ended, forged, or its user or membership gone.
	ErrUnauthenticated = fault.New(fault.Unauthenticated, "unauthenticated", "a valid access token or API key is needed")
	// ErrTokenInvalid is every mailed token that is not good: unknown, used, expired, malformed, or of another kind.
	ErrTokenInvalid = letters.ErrTokenInvalid
	// ErrInvalidCredentials is every login that is not good: unknown user, wrong password, disabled.
	ErrInvalidCredentials = fault.New(fault.Unauthenticated, "invalid_credentials", "the name or the password is wrong")
	// ErrEmailNotVerified is a login with the right password of an address that is not proven yet.
	ErrEmailNotVerified = fault.New(fault.Forbidden, "email_not_verified", "open the link in the mail first")
	// ErrTenantDenied is a login with the right password to a tenant, existing or not, that the user is no member of.
	ErrTenantDenied = fault.New(fault.Forbidden, "tenant_access_denied", "you are no member of this tenant")
	// ErrMFARequired is what needs a second factor that is not there, or cannot be asked for.
	ErrMFARequired = fault.New(fault.Forbidden, "mfa_required", "this needs a second factor")
	// ErrMFACodeInvalid is every code that is not good: wrong, of another time, or used.
	ErrMFACodeInvalid = fault.New(fault.Unauthenticated, "mfa_code_invalid", "the code is not valid; use the next one")
	// ErrMFAChallengeInvalid is a login that waits for its second factor no more: unknown, expired, tried too often, or overtaken by a change of the account.
	ErrMFAChallengeInvalid = fault.New(fault.Unauthenticated, "mfa_challenge_invalid", "this sign-in is over; begin anew with the password")
	// ErrTooMany is a limit that is reached; it says when the next try may come.
	ErrTooMany = fault.New(fault.Exhausted, "too_many_attempts", "too many attempts; wait before the next one")
	// ErrReauthFailed is a fresh proof that is not good, whichever part of it.
	ErrReauthFailed = fault.New(fault.Forbidden, "reauth_failed", "the password or the code is wrong")
	// ErrProofMissing is a fresh proof that is not there; its field says what is missing.
	ErrProofMissing = fault.New(fault.Malformed, "missing_field", "this needs a fresh proof of who you are; see errors")
	// ErrSessionOnly is an API key that asks for what only a person may do.
	ErrSessionOnly = audit.ErrSessionOnly
)

const (
	leeway          = 30 * time.Second // by which access tokens outlive their expiry
	tombstoneMargin = time.Minute
	labelRefresh    = "refresh"
	labelThrottle   = "throttle"
	labelTOTP       = "totp-kek"
	labelPepper     = "pepper"
	labelAudit      = "audit"
)

// Config holds the operator's choices.
type Config struct {
	PublicBaseURL   string // where Forge is reached
	AuthUIURL       string // where mail links lead; "" is PublicBaseURL + "/auth"
	AccessTTL       time.Duration
	VerifyTTL       time.Duration
	SessionCacheTTL time.Duration // how long a positive answer of the Gatekeeper may be kept, at most 5 s
	MFATokenTTL     time.Duration // how long a login waits for its second factor
	MFASetupTTL     time.Duration // how long a setup waits for its first code
	ResetTTL        time.Duration
	InviteTTL       time.Duration
	Terms           session.Terms
	Passwords       user.PasswordPolicy
	// ThrottleDisabled lets any number of guesses through. It is for measurements on a machine of one's own.
	ThrottleDisabled bool
}

// Postman is told that there is mail to carry.
type Postman interface {
	// Wake makes it look now instead of at its next round.
	Wake()
}

// Deps are what Service needs.
type Deps struct {
	Tx      outbound.Tx
	Hasher  outbound.Hasher
	Tokens  outbound.Tokens
	Keyring outbound.Keyring
	Cache   outbound.SessionCache
	// Throttle is shared by all nodes. Where guesses are counted nothing goes on without it.
	Throttle outbound.Throttle
	// Local is in this process. It stands in for Throttle where work goes on without it: refresh, and the pace of a session.
	Local      outbound.Throttle
	Challenges outbound.Challenges
	OTP        outbound.OTP
	// Breaches is asked about new passwords; nil asks nobody. BreachFailed, unless nil, is told when it gave no answer.
	Breaches     outbound.Breaches
	BreachFailed func()
	Gate         *Gatekeeper
	Postman      Postman
	Clock        outbound.Clock
	NewID        outbound.NewID
	Random       outbound.Random
	ToASCII      outbound.DomainToASCII
	Config       Config
}

// Service implements inbound.Auth.
type Service struct {
	Deps
	refreshes flight[session.RefreshToken, inbound.Tokens]
	turns     turns
	crowd     atomic.Int64 // who waits for a place in a bucket
	away      atomic.Int64 // until when Throttle is not asked where Local can stand in, in Unix microseconds
}

var _ inbound.Auth = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// mailToken makes a token for a link, and what is kept of it.
func (s *Service) mailToken() (token string, hash [32]byte) { return letters.NewToken(s.Random) }

// hashOfMailToken gives what is kept of a token; false when the text cannot be one.
func hashOfMailToken(token string) ([32]byte, bool) { return letters.HashOf(token) }

// from tells the audit log where a request came from.
func from(ctx context.Context, o inbound.Origin) context.Context { return audit.From(ctx, o) }

// by tells the audit log who acts, and from where.
func by(ctx context.Context, c inbound.Caller) context.Context { return audit.By(ctx, c) }

// clip shortens what a client says of itself to what is worth keeping.
func clip(agent string) string { return audit.Agent(agent) }

// mistakes gathers what is wrong with an input, so that the caller learns all of it at once.
type mistakes struct {
	fields []fault.Field
	other  error // what is no mistake of the caller
}

// note adds the fields of a fault; nil adds nothing.
func (m *mistakes) note(err error) {
	if f, ok := errors.AsType[*fault.Error](err); ok && len(f.Fields) > 0 {
		m.fields = append(m.fields, f.Fields...)
	} else {
		m.other = errors.Join(m.other, err)
	}
}

// err gives all of it as one error, nil when nothing is wrong.
func (m *mistakes) err() error {
	if m.other != nil || len(m.fields) == 0 {
		return m.other
	}
	return fault.ErrValidation.At(m.fields...)
}
