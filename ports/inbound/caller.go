package inbound

import (
	"context"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
)

// Caller is who asks, read from the records of this moment and not from the token.
type Caller struct {
	UserID    user.ID
	TenantID  tenant.ID
	Role      tenant.Role
	SessionID session.ID     // "" for an API key
	KeyID     tenant.KeyID   // "" for a session
	Scopes    []tenant.Scope // of a key; a session has no bounds but its role
	Platform  bool           // a session whose user administers the whole installation
}

// May reports whether the caller's credential reaches the scope: a session always, a key when it has it.
func (c Caller) May(s tenant.Scope) bool {
	if c.KeyID == "" {
		return true
	}
	for _, have := range c.Scopes {
		if have == s {
			return true
		}
	}
	return false
}

// Gatekeeper turns a credential into a caller.
type Gatekeeper interface {
	// Authenticate checks an access token or an API key. It fails with auth.ErrUnauthenticated, with session.ErrTokenExpired for an access token that was
	// good until its time passed, or with fault.ErrDependency when that cannot be known now.
	Authenticate(ctx context.Context, credential string) (Caller, error)
}
