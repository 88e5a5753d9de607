package user

import "time"

// RegistrationLimit is how many live registrations, and how many mails an hour, one address has.
const RegistrationLimit = 3

// Registration waits for its address to be proven. It has its own password hash and token, so that whoever proves the address gets the password
// that was chosen with that very token.
type Registration struct {
	ID           string
	Email        Email
	Username     Username // claimed when the address is proven, not before
	DisplayName  string
	PasswordHash string
	TokenHash    [32]byte // SHA-256 of the mailed token
	TenantName   string   // "": a personal tenant
	TenantSlug   string   // "": made from the name
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// Live reports whether the registration can still be completed.
func (r Registration) Live(now time.Time) bool { return now.Before(r.ExpiresAt) }
