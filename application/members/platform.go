package members

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// PlatformDeps are what Platform needs.
type PlatformDeps struct {
	Tx    outbound.Tx
	Ender Ender
	Clock outbound.Clock
}

// Platform implements inbound.Platform.
type Platform struct{ PlatformDeps }

var _ inbound.Platform = (*Platform)(nil)

// NewPlatform makes the service.
func NewPlatform(d PlatformDeps) *Platform { return &Platform{d} }

// In implements inbound.Platform.
func (p *Platform) In(ctx context.Context, caller inbound.Caller, in tenant.ID) (inbound.Caller, error) {
	if err := p.mayAct(ctx, caller, "platform.act"); err != nil {
		return inbound.Caller{}, err
	}
	t, err := p.Tx.View().Tenants.Find(ctx, in)
	if err != nil {
		return inbound.Caller{}, fmt.Errorf("find tenant: %w", err)
	}
	caller.TenantID, caller.Role = t.ID(), tenant.Owner
	return caller, nil
}

// DeleteUser implements inbound.Platform.
func (p *Platform) DeleteUser(ctx context.Context, caller inbound.Caller, id user.ID) error {
	if err := p.mayAct(ctx, caller, "users.delete"); err != nil {
		return err
	}
	return Delete(audit.By(ctx, caller), p.Tx, p.Ender, p.Clock, id)
}

func (p *Platform) mayAct(ctx context.Context, caller inbound.Caller, action string) error {
	switch {
	case caller.SessionID == "":
		return audit.ErrSessionOnly
	case !caller.Platform:
		return audit.Refuse(ctx, p.Tx, p.Clock, caller, action)
	}
	return nil
}

// Delete forgets a user with sessions, keys, factors and memberships, and the tenants that it leaves empty. It fails with user.ErrNotFound, or with tenant.ErrLastOwner for the
// last owner of a tenant with other members.
func Delete(ctx context.Context, tx outbound.Tx, ender Ender, clock outbound.Clock, id user.ID) error {
	var ended []session.ID
	err := tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		now := clock()
		return repos.Users.Remove(ctx, id, func(u *user.User) (err error) {
			u.Delete(now)
			if err := leave(ctx, repos, id, now); err != nil {
				return err
			}
			ended, err = EndSessions(ctx, repos, id, "", session.ByAdmin, now)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	ender.Ended(ctx, id, ended...)
	return nil
}

// errCompany is a tenant that has other members.
var errCompany = errors.New("there are other members")

// leave takes a user, who is locked, out of its tenants, in one order, so that two deletions wait for each other.
func leave(ctx context.Context, repos outbound.Repos, id user.ID, now time.Time) error {
	mine, err := repos.Tenants.OfUser(ctx, id)
	if err != nil {
		return fmt.Errorf("list tenants: %w", err)
	}
	slices.SortFunc(mine, func(a, b *tenant.Tenant) int { return cmp.Compare(a.ID(), b.ID()) })
	for _, t := range mine {
		err := errCompany
		if len(t.Members()) == 1 {
			err = repos.Tenants.Remove(ctx, t.ID(), func(t *tenant.Tenant) error {
				if len(t.Members()) > 1 { // since a moment ago
					return errCompany
				}
				t.Close(now)
				return nil
			})
		}
		if errors.Is(err, errCompany) {
			err = leaveOthers(ctx, repos, t.ID(), id, now)
		}
		if err != nil && !errors.Is(err, tenant.ErrNotMember) { // removed, or the tenant gone, since a moment ago
			return fmt.Errorf("leave tenant: %w", err)
		}
	}
	return nil
}

func leaveOthers(ctx context.Context, repos outbound.Repos, in tenant.ID, id user.ID, now time.Time) error {
	err := repos.Tenants.Update(ctx, in, func(t *tenant.Tenant) error { return t.Remove(id, now) })
	if err != nil {
		return err
	}
	return Withdraw(ctx, repos, in, id, "", now)
}
