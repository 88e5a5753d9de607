package inbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

// All use-cases that take a Caller are a session's: a key gets apikeys.ErrSessionOnly's fault. Where the request came from is OriginOf of the context.

// ResetPassword sets a new password by a mailed token.
type ResetPassword struct {
	Token       string
	NewPassword secret.Text
}

// ChangePassword sets a new password by the current one, and by a code when a second factor is on.
type ChangePassword struct {
	Current secret.Text
	New     secret.Text
	Code    string
}

// Passwords are the use-cases around a password.
type Passwords interface {
	// ResendVerification mails a new link when the address waits to be proven. The answer and the work are the same for every address.
	ResendVerification(ctx context.Context, email string) error
	// RequestReset mails a reset link when the address has an account. The answer and the work are the same for every address.
	RequestReset(ctx context.Context, email string) error
	// Reset sets the password and ends every session. It fails with auth.ErrTokenInvalid, user.ErrPasswordPolicy (the token stays good), or fault.ErrBusy.
	Reset(ctx context.Context, c ResetPassword) error
	// Change sets the password and ends every other session. It fails with auth.ErrReauthFailed, auth.ErrProofMissing, user.ErrPasswordPolicy, or fault.ErrBusy.
	Change(ctx context.Context, caller Caller, c ChangePassword) error
}

// Proof is how a user proves itself anew: the password, and one of code and recovery code when a second factor is on.
type Proof struct {
	Password     secret.Text
	Code         string
	RecoveryCode string
}

// MFASetup is a second factor that waits for its first code.
type MFASetup struct {
	SetupID       string
	Secret        secret.Text // base32, 160 bits
	URI           secret.Text // otpauth
	RecoveryCodes []string    // good once the setup is confirmed
	ExpiresIn     time.Duration
}

// MFA are the use-cases of the second factor: TOTP with recovery codes.
type MFA interface {
	// Setup begins a setup; a live factor is not touched. It fails with auth.ErrReauthFailed, or auth.ErrProofMissing.
	Setup(ctx context.Context, caller Caller, p Proof) (MFASetup, error)
	// Confirm makes a setup live by its first code and ends every other session. It fails with user.ErrMFANotPending, or auth.ErrMFACodeInvalid.
	Confirm(ctx context.Context, caller Caller, setupID, code string) (Tokens, error)
	// Complete finishes a login by exactly one of code and recovery code. It fails with auth.ErrMFACodeInvalid, or auth.ErrMFAChallengeInvalid.
	Complete(ctx context.Context, mfaToken, code, recoveryCode string) (Tokens, error)
	// StepUp proves the user anew by a code. It fails with auth.ErrMFACodeInvalid, or auth.ErrMFARequired when no second factor is on.
	StepUp(ctx context.Context, caller Caller, code string) (Tokens, error)
	// Disable takes the second factor away and ends every session, this one included. It fails with auth.ErrReauthFailed, or auth.ErrProofMissing.
	Disable(ctx context.Context, caller Caller, p Proof) error
	// RegenerateCodes replaces the recovery codes. It fails as Disable does, and with user.ErrFactorNone.
	RegenerateCodes(ctx context.Context, caller Caller, p Proof) ([]string, error)
}

// SessionView is what a user sees of a session of its own.
type SessionView struct {
	ID         session.ID
	TenantID   tenant.ID
	CreatedAt  time.Time
	LastSeenAt time.Time // sign-in or last refresh
	IP         string
	UserAgent  string
	AMR        []string
	Current    bool
}

// ProfileChange changes what is not nil.
type ProfileChange struct {
	Username    *string // "" takes the name away
	DisplayName *string
}

// Sessions are the use-cases around a user's own sessions and profile.
type Sessions interface {
	// Sessions lists the caller's sessions, newest first.
	Sessions(ctx context.Context, caller Caller) ([]SessionView, error)
	// EndSession ends one of the caller's sessions. It fails with session.ErrNotFound, also for another user's.
	EndSession(ctx context.Context, caller Caller, id session.ID) error
	// SwitchTenant has the session act in another tenant of its user. It fails with auth.ErrTenantDenied.
	SwitchTenant(ctx context.Context, caller Caller, to tenant.ID) (Tokens, error)
	// ChangeProfile changes username and display name. It fails with user.ErrUsernameTaken, or faults of kind Invalid.
	ChangeProfile(ctx context.Context, caller Caller, c ProfileChange) (Profile, error)
	// Pace counts a request of a session, or of a key, against its limit of 600 a minute. It fails with auth.ErrTooMany.
	Pace(ctx context.Context, caller Caller) error
}

// MemberView is a member as administrators see it.
type MemberView struct {
	UserID      user.ID
	Email       string
	Username    string
	DisplayName string
	Role        tenant.Role
	Since       time.Time
	MFAEnabled  bool
	Active      bool
}

// InviteView is an open invitation.
type InviteView struct {
	ID        tenant.InviteID
	Email     string
	Role      tenant.Role
	InvitedBy user.ID
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Members are the use-cases of a tenant's administrators, in the tenant of the caller. They fail with members.ErrRole for a role that does not go that far: an admin
// neither makes owners nor touches one.
type Members interface {
	// Members lists the members, oldest first.
	Members(ctx context.Context, caller Caller) ([]MemberView, error)
	// ChangeRole gives a member another role. It fails with tenant.ErrNotMember, or tenant.ErrLastOwner.
	ChangeRole(ctx context.Context, caller Caller, u user.ID, role string) (MemberView, error)
	// RemoveMember takes a member out; its sessions and keys in the tenant end. It fails as ChangeRole does.
	RemoveMember(ctx context.Context, caller Caller, u user.ID) error
	// Invite mails an invitation. It fails with tenant.ErrIsMember, or faults of kind Invalid.
	Invite(ctx context.Context, caller Caller, email, role string) (InviteView, error)
	// Invites lists the open invitations, newest first.
	Invites(ctx context.Context, caller Caller) ([]InviteView, error)
	// RevokeInvite takes an invitation back. It fails with tenant.ErrInviteNotFound.
	RevokeInvite(ctx context.Context, caller Caller, id tenant.InviteID) error
	// AcceptInvite makes the caller a member by a mailed token; any role may ask. It fails with auth.ErrTokenInvalid, also when the invitation is for another address,
	// or tenant.ErrIsMember.
	AcceptInvite(ctx context.Context, caller Caller, token string) error
}

// AuditQuery asks for a page of the audit log.
type AuditQuery struct {
	Event   string
	Actor   string
	Subject string
	From    time.Time
	To      time.Time
	Before  string // id of the last line of the page before
	Limit   int
}

// AuditLine is one line of the audit log.
type AuditLine struct {
	ID        string
	At        time.Time
	Event     string
	ActorID   string
	KeyID     string
	SubjectID string
	SessionID string
	Reason    string
	RequestID string
	TraceID   string
	IP        string
	UserAgent string
	Detail    map[string]string
}

// Audit shows a tenant's administrators what happened.
type Audit interface {
	// List gives a page, newest first. It fails with members.ErrRole.
	List(ctx context.Context, caller Caller, q AuditQuery) ([]AuditLine, error)
	// Refused keeps that a caller was refused an action for its role, where it went no further than the door. It gives members.ErrRole.
	Refused(ctx context.Context, caller Caller, action string) error
}

// Platform are the use-cases of platform administrators.
type Platform interface {
	// In gives the caller as it acts in any tenant: as an owner. It fails with members.ErrRole for who is no platform administrator, or tenant.ErrNotFound.
	In(ctx context.Context, caller Caller, t tenant.ID) (Caller, error)
	// DeleteUser forgets a user with sessions, keys, factors and memberships. It fails with members.ErrRole, user.ErrNotFound, or tenant.ErrLastOwner for the last owner of a
	// tenant with other members; a tenant that it leaves empty goes with it.
	DeleteUser(ctx context.Context, caller Caller, u user.ID) error
}

// Keys gives the public half of the signing keys.
type Keys interface {
	// JWKS gives the keys as a JSON Web Key Set (RFC 7517).
	JWKS() ([]byte, error)
}
