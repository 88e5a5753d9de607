package session

import (
	"time"

	"github.com/forge1/forge1/domain/user"
)

// Started says that a session began.
type Started struct {
	ID   ID
	User user.ID
	At   time.Time
}

// EventName implements event.Event.
func (Started) EventName() string { return "authn_token_created" }

// GraceUsed says that the previous refresh token came within the grace window.
type GraceUsed struct {
	ID   ID
	User user.ID
	At   time.Time
}

// EventName implements event.Event.
func (GraceUsed) EventName() string { return "authn_token_refresh_grace" }

// TokenReused says that an old refresh token came back and the session was ended.
type TokenReused struct {
	ID   ID
	User user.ID
	At   time.Time
}

// EventName implements event.Event.
func (TokenReused) EventName() string { return "authn_token_reuse" }

// Ended says that a session was ended.
type Ended struct {
	ID     ID
	User   user.ID
	Reason Reason
	At     time.Time
}

// EventName implements event.Event.
func (Ended) EventName() string { return "authn_token_revoked" }
