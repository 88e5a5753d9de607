package inbound

import (
	"context"

	"github.com/forge1/forge1/domain/routing"
)

// Policies is what a tenant's administrators say about routing: the terms of its policy, and flags. Every method fails with role_insufficient for
// anybody else. A change acts at once on the node that took it and within a second on others.
type Policies interface {
	// Policy gives the tenant's routing policy, the default one when it has none. It is not to be changed.
	Policy(ctx context.Context, caller Caller) (*routing.Policy, error)
	// Revise sets the terms anew, made from that version; 0 is whatever version there is. It fails with routing.ErrStale, and with
	// fault.ErrValidation naming every field that is wrong.
	Revise(ctx context.Context, caller Caller, version int64, t routing.Terms) (*routing.Policy, error)
	// SetFlag turns a flag on or off. It fails with routing.ErrNoFlag and routing.ErrForceConflict.
	SetFlag(ctx context.Context, caller Caller, name string, enabled bool) (routing.Flag, error)
	// ClearFlag puts a flag back to its default. It fails with routing.ErrNoFlag.
	ClearFlag(ctx context.Context, caller Caller, name string) error
	// SetAlias makes a name stand for targets. It fails with fault.ErrValidation naming every field that is wrong, and with routing.ErrAliasCap.
	SetAlias(ctx context.Context, caller Caller, a routing.Alias) (routing.Alias, error)
	// RemoveAlias takes an alias of the tenant's own away. It fails with routing.ErrNoAlias.
	RemoveAlias(ctx context.Context, caller Caller, name string) error
}
