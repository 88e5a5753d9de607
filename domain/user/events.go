package user

import "time"

// Verified says that an address was proven and the user exists.
type Verified struct {
	ID ID
	At time.Time
}

// EventName implements event.Event.
func (Verified) EventName() string { return "user_verified" }

// StatusChanged says that a user was disabled or enabled.
type StatusChanged struct {
	ID     ID
	Status Status
	At     time.Time
}

// EventName implements event.Event.
func (e StatusChanged) EventName() string { return "user_" + string(e.Status) }

// PasswordChanged says that a user has a new password.
type PasswordChanged struct {
	ID ID
	At time.Time
}

// EventName implements event.Event.
func (PasswordChanged) EventName() string { return "authn_password_change" }
