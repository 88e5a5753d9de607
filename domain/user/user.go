package user

import (
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
)

// ID identifies a user for ever; it is never used again.
type ID string

// Status says whether a user may sign in.
type Status string

// The states of a user.
const (
	Active   Status = "active"
	Disabled Status = "disabled"
)

// The sentinels of User.
var (
	ErrEmailTaken    = fault.New(fault.Conflict, "email_taken", "this address has an account")
	ErrUsernameTaken = fault.New(fault.Conflict, "username_taken", "this username is taken")
	ErrNotFound      = fault.New(fault.NotFound, "not_found", "there is no such user")
)

// MaxDisplayName is the longest display name in code points.
const MaxDisplayName = 100

// User is a person. Fields are private: a user changes by the verbs below.
type User struct {
	id            ID
	email         Email
	username      Username
	displayName   string
	status        Status
	platformAdmin bool
	epoch         int64 // raised to end every session at once
	passwordHash  string
	passwordSet   time.Time
	mfa           bool // a live second factor; its secrets are kept by their own aggregate
	createdAt     time.Time
	lastTenant    string
	events        event.Log
}

// New makes a user whose e-mail address has just been proven. It fails with a fault naming /display_name.
func New(id ID, email Email, username Username, displayName, passwordHash string, now time.Time) (*User, error) {
	if err := CheckDisplayName(displayName); err != nil {
		return nil, err
	}
	u := &User{
		id: id, email: email, username: username, displayName: displayName, status: Active,
		epoch: 1, passwordHash: passwordHash, passwordSet: now, createdAt: now,
	}
	u.events.Record(Verified{ID: id, At: now})
	return u, nil
}

// CheckDisplayName refuses a name that is too long or holds control characters; "" is fine.
func CheckDisplayName(s string) error {
	if utf8.RuneCountInString(s) > MaxDisplayName {
		return fault.ErrValidation.At(fault.Field{Pointer: "/display_name", Code: "too_long", Message: "must have at most 100 characters"})
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return fault.ErrValidation.At(fault.Field{Pointer: "/display_name", Code: "invalid_character", Message: "must not hold control characters"})
		}
	}
	return nil
}

// ID identifies the user.
func (u *User) ID() ID { return u.id }

// Email is the proven address.
func (u *User) Email() Email { return u.email }

// Username is the public name, empty when there is none.
func (u *User) Username() Username { return u.username }

// DisplayName is how the user wants to be called.
func (u *User) DisplayName() string { return u.displayName }

// PasswordHash is the PHC string of the password.
func (u *User) PasswordHash() string { return u.passwordHash }

// Epoch is the generation of sessions that are good.
func (u *User) Epoch() int64 { return u.epoch }

// MFA reports whether a second factor is asked for at login.
func (u *User) MFA() bool { return u.mfa }

// CreatedAt is when the address was proven.
func (u *User) CreatedAt() time.Time { return u.createdAt }

// LastTenant is the tenant of the last sign-in, "" before the first.
func (u *User) LastTenant() string { return u.lastTenant }

// PlatformAdmin reports whether the user administers the whole installation.
func (u *User) PlatformAdmin() bool { return u.platformAdmin }

// MaySignIn reports whether the user is active.
func (u *User) MaySignIn() bool { return u.status == Active }

// Disable shuts the user out and ends every session; a disabled user stays so.
func (u *User) Disable(now time.Time) {
	if u.status == Disabled {
		return
	}
	u.status = Disabled
	u.epoch++
	u.events.Record(StatusChanged{ID: u.id, Status: Disabled, At: now})
}

// Enable lets a disabled user in again; old sessions stay ended.
func (u *User) Enable(now time.Time) {
	if u.status == Active {
		return
	}
	u.status = Active
	u.events.Record(StatusChanged{ID: u.id, Status: Active, At: now})
}

// MakePlatformAdmin lets the user administer the whole installation.
func (u *User) MakePlatformAdmin(now time.Time) {
	if u.platformAdmin {
		return
	}
	u.platformAdmin = true
	u.events.Record(event.Noted{Name: "user_platform_admin", Subject: string(u.id), At: now})
}

// ChangePassword sets a new hash and ends every session.
func (u *User) ChangePassword(hash string, now time.Time) {
	u.passwordHash, u.passwordSet = hash, now
	u.epoch++
	u.events.Record(PasswordChanged{ID: u.id, At: now})
}

// Rehash replaces the hash of the same password by one of today's cost.
func (u *User) Rehash(hash string) { u.passwordHash = hash }

// SignedIn remembers the tenant of the last sign-in.
func (u *User) SignedIn(tenant string) { u.lastTenant = tenant }

// Left forgets a tenant that the user is no member of any more, so that nothing of the user counts as that tenant's.
func (u *User) Left(tenant string) {
	if u.lastTenant == tenant {
		u.lastTenant = ""
	}
}

// EndSessions ends every session of the user.
func (u *User) EndSessions() { u.epoch++ }

// EnableMFA has a second factor asked for at every login, and ends every session that was begun without.
func (u *User) EnableMFA() { u.mfa, u.epoch = true, u.epoch+1 }

// DisableMFA has no second factor asked for any more, and ends every session.
func (u *User) DisableMFA() { u.mfa, u.epoch = false, u.epoch+1 }

// Rename gives the user another username and display name. It fails with a fault naming /display_name.
func (u *User) Rename(username Username, displayName string, now time.Time) error {
	if err := CheckDisplayName(displayName); err != nil {
		return err
	}
	if u.username == username && u.displayName == displayName {
		return nil
	}
	u.username, u.displayName = username, displayName
	u.events.Record(event.Noted{Name: "user_profile_changed", Subject: string(u.id), At: now})
	return nil
}

// Delete says that the user is gone; its store forgets it after that.
func (u *User) Delete(now time.Time) {
	u.status = Disabled
	u.epoch++
	u.events.Record(event.Noted{Name: "user_deleted", Subject: string(u.id), At: now})
}

// Events drains what happened.
func (u *User) Events() []event.Event { return u.events.Drain() }

// Snapshot is a user as stores keep it.
type Snapshot struct {
	ID            ID
	EmailDisplay  string
	EmailCanon    string
	Username      string
	DisplayName   string
	Status        Status
	PlatformAdmin bool
	Epoch         int64
	PasswordHash  string
	PasswordSet   time.Time
	MFA           bool
	CreatedAt     time.Time
	LastTenant    string
}

// Snapshot gives the user for keeping.
func (u *User) Snapshot() Snapshot {
	return Snapshot{
		u.id, u.email.display, u.email.canon, u.username.name, u.displayName, u.status, u.platformAdmin, u.epoch,
		u.passwordHash, u.passwordSet, u.mfa, u.createdAt, u.lastTenant,
	}
}

// Restore makes a kept user anew.
func Restore(s Snapshot) *User {
	return &User{
		id: s.ID, email: Email{s.EmailDisplay, s.EmailCanon}, username: Username{s.Username}, displayName: s.DisplayName,
		status: s.Status, platformAdmin: s.PlatformAdmin, epoch: s.Epoch, passwordHash: s.PasswordHash, passwordSet: s.PasswordSet,
		mfa: s.MFA, createdAt: s.CreatedAt, lastTenant: s.LastTenant,
	}
}
