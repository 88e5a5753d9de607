package outbound

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/user"
)

// Challenge is a login that waits for its second factor. What is kept of its token is the SHA-256.
type Challenge struct {
	User   user.ID
	Tenant string
	Epoch  int64 // the user's when the password was checked; another one now ends the challenge
}

// Challenges keeps logins that wait for a second factor, for a short time. Losing them makes people log in again, and no more. Implementations pass
// conformance.Challenges.
type Challenges interface {
	// Put keeps a challenge.
	Put(ctx context.Context, hash [32]byte, c Challenge, ttl time.Duration) error
	// Try counts a try before its code is looked at, and gives the challenge. ok is false when there is none, or the most tries were made: from then on nobody is given it
	// any more, but who was given it before can claim it yet, for a try too many must not take the challenge from one that was right. Of any number of callers at once at
	// most that many get it.
	Try(ctx context.Context, hash [32]byte, most int) (c Challenge, ok bool, err error)
	// Claim takes a challenge away; exactly one of many callers gets true.
	Claim(ctx context.Context, hash [32]byte) (bool, error)
}
