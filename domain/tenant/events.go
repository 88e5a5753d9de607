package tenant

import (
	"time"

	"github.com/forge1/forge1/domain/user"
)

// Founded says that a tenant exists.
type Founded struct {
	ID    ID
	Owner user.ID
	At    time.Time
}

// EventName implements event.Event.
func (Founded) EventName() string { return "tenant_created" }

// MemberJoined says that a user became a member.
type MemberJoined struct {
	Tenant ID
	User   user.ID
	Role   Role
	At     time.Time
}

// EventName implements event.Event.
func (MemberJoined) EventName() string { return "tenant_member_joined" }

// RoleChanged says that a member has another role.
type RoleChanged struct {
	Tenant ID
	User   user.ID
	Role   Role
	At     time.Time
}

// EventName implements event.Event.
func (RoleChanged) EventName() string { return "tenant_role_changed" }

// MemberLeft says that a user is no member any more.
type MemberLeft struct {
	Tenant ID
	User   user.ID
	At     time.Time
}

// EventName implements event.Event.
func (MemberLeft) EventName() string { return "tenant_member_left" }

// KeyCreated says that an API key exists.
type KeyCreated struct {
	Tenant ID
	Key    KeyID
	By     user.ID
	At     time.Time
}

// EventName implements event.Event.
func (KeyCreated) EventName() string { return "api_key_created" }

// KeyRotated says that an API key was replaced by a new one.
type KeyRotated struct {
	Tenant ID
	Key    KeyID
	By     KeyID
	At     time.Time
}

// EventName implements event.Event.
func (KeyRotated) EventName() string { return "api_key_rotated" }

// KeyRevoked says that an API key was ended.
type KeyRevoked struct {
	Tenant ID
	Key    KeyID
	At     time.Time
}

// EventName implements event.Event.
func (KeyRevoked) EventName() string { return "api_key_revoked" }
