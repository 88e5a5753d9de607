package tenant

import (
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
)

// InviteID identifies an invitation; a UUID in text form.
type InviteID string

// ErrInviteNotFound is an invitation that is absent, or another tenant's.
var ErrInviteNotFound = fault.New(fault.NotFound, "not_found", "there is no such invitation")

// MaxInvites is how many open invitations a tenant has at most.
const MaxInvites = 1000

// Invite asks the owner of an address to join a tenant. What is kept of its mailed token is the SHA-256.
type Invite struct {
	id        InviteID
	tenant    ID
	email     user.Email
	role      Role
	tokenHash [32]byte
	by        user.ID
	createdAt time.Time
	expiresAt time.Time
	events    event.Log
}

// NewInvite makes an invitation.
func NewInvite(id InviteID, t ID, email user.Email, role Role, tokenHash [32]byte, by user.ID, now, expires time.Time) *Invite {
	i := &Invite{id: id, tenant: t, email: email, role: role, tokenHash: tokenHash, by: by, createdAt: now, expiresAt: expires}
	i.note("invite_created", now)
	return i
}

// Live reports whether the invitation can still be accepted.
func (i *Invite) Live(now time.Time) bool { return now.Before(i.expiresAt) }

// For reports whether the invitation is the address's.
func (i *Invite) For(e user.Email) bool { return i.email.Canon() == e.Canon() }

// Accept says that the user has joined by it; its store forgets it then.
func (i *Invite) Accept(by user.ID, now time.Time) {
	i.events.Record(event.Noted{Name: "invite_accepted", Subject: string(by), Tenant: string(i.tenant), Detail: map[string]string{"invite": string(i.id)}, At: now})
}

// Revoke says that it was taken back; its store forgets it then.
func (i *Invite) Revoke(now time.Time) { i.note("invite_revoked", now) }

func (i *Invite) note(name string, now time.Time) {
	i.events.Record(event.Noted{Name: name, Subject: string(i.id), Tenant: string(i.tenant), Detail: map[string]string{"role": string(i.role)}, At: now})
}

// ID identifies the invitation.
func (i *Invite) ID() InviteID { return i.id }

// Tenant is where it leads.
func (i *Invite) Tenant() ID { return i.tenant }

// Email is whom it is for.
func (i *Invite) Email() user.Email { return i.email }

// Role is what the invited will be.
func (i *Invite) Role() Role { return i.role }

// Events drains what happened.
func (i *Invite) Events() []event.Event { return i.events.Drain() }

// InviteSnapshot is an invitation as stores keep it.
type InviteSnapshot struct {
	ID           InviteID
	Tenant       ID
	EmailDisplay string
	EmailCanon   string
	Role         Role
	TokenHash    [32]byte
	By           user.ID
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// Snapshot gives the invitation for keeping.
func (i *Invite) Snapshot() InviteSnapshot {
	return InviteSnapshot{i.id, i.tenant, i.email.String(), i.email.Canon(), i.role, i.tokenHash, i.by, i.createdAt, i.expiresAt}
}

// RestoreInvite makes a kept invitation anew.
func RestoreInvite(s InviteSnapshot) *Invite {
	return &Invite{
		id: s.ID, tenant: s.Tenant, email: user.RestoreEmail(s.EmailDisplay, s.EmailCanon), role: s.Role, tokenHash: s.TokenHash, by: s.By,
		createdAt: s.CreatedAt, expiresAt: s.ExpiresAt,
	}
}
