package inbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

// Origin is where a request came from, for the session list and the audit log.
type Origin struct {
	IP        string
	UserAgent string
	RequestID string
	TraceID   string
}

// Register asks for an account.
type Register struct {
	Email       string
	Password    secret.Text
	Username    string
	DisplayName string
	TenantName  string // "" for a personal tenant
	TenantSlug  string
	HasTenant   bool   // the request named a tenant, even an empty one
	InviteToken string // of a mailed invitation; "": none
	Origin      Origin
}

// Registered says that the address must be proven, the same for every address, or, with an invitation for that address, that it is.
type Registered struct {
	ExpiresIn time.Duration
	Verified  bool
}

// Verified says what came of proving an address.
type Verified struct {
	UsernameAssigned bool
	TenantID         tenant.ID
	TenantSlug       string
	UserID           user.ID
}

// Login signs a user in by exactly one of Email and Username.
type Login struct {
	Email    string
	Username string
	Password secret.Text
	Tenant   string // id or slug; "" for the last used, else the oldest
	Origin   Origin
}

// Tokens is what a sign-in or refresh gives.
type Tokens struct {
	Access     string
	AccessFor  time.Duration
	Refresh    string
	RefreshFor time.Duration // what remains
	SessionID  session.ID
	TenantID   tenant.ID
	AuthTime   time.Time
	AMR        []string
	UserID     user.ID
	Email      string
	Username   string
	MFAEnabled bool
}

// LoggedIn is what a login gives: tokens, or a challenge for a second factor.
type LoggedIn struct {
	Tokens    *Tokens
	Challenge *Challenge
}

// Challenge asks for a second factor.
type Challenge struct {
	Token     string
	ExpiresIn time.Duration
	Methods   []string
}

// Logout ends a session, or all sessions of the user.
type Logout struct {
	RefreshToken string // "" when only the bearer is there
	Bearer       string // access token, "" when absent
	All          bool
	Origin       Origin
}

// Profile is what a caller may know of itself.
type Profile struct {
	UserID        user.ID
	Email         string
	EmailVerified bool
	Username      string
	DisplayName   string
	CreatedAt     time.Time
	MFAEnabled    bool
	RecoveryLeft  int
	TenantID      tenant.ID
	TenantSlug    string
	Role          tenant.Role
	SessionID     session.ID // "" for an API key
	AuthTime      time.Time
	AMR           []string
	SessionUntil  time.Time
}

// Auth signs people in and out. What else a person does with its account is in Passwords, MFA and Sessions.
type Auth interface {
	// Register keeps a registration and mails a token. The answer and the work are the same for every address. It fails with faults of kind
	// Invalid, or fault.ErrBusy.
	Register(ctx context.Context, c Register) (Registered, error)
	// VerifyEmail proves an address by the mailed token. It fails with auth.ErrTokenInvalid.
	VerifyEmail(ctx context.Context, token string, o Origin) (Verified, error)
	// Login signs in. It fails with auth.ErrInvalidCredentials, ErrEmailNotVerified, ErrTenantDenied, or fault.ErrBusy.
	Login(ctx context.Context, c Login) (LoggedIn, error)
	// Refresh rotates a refresh token. It fails with session.ErrRefreshInvalid.
	Refresh(ctx context.Context, refreshToken string, o Origin) (Tokens, error)
	// Logout ends sessions. A token that is unknown, expired or another's is no failure, except with All, which needs a live one.
	Logout(ctx context.Context, c Logout) error
	// Me says who the caller is.
	Me(ctx context.Context, caller Caller) (Profile, error)
}
