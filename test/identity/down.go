package identity

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// downRepos are repositories that fail. What they embed is never reached: every method that View is asked for is here.
func downRepos(err error) outbound.Repos {
	return outbound.Repos{
		Users: downUsers{err: err}, Registrations: downRegistrations{err: err}, Tenants: downTenants{err: err}, Sessions: downSessions{err: err},
		APIKeys: downKeys{err: err}, Outbox: downOutbox{err: err}, Factors: downFactors{err: err}, Audit: downAudit{err: err},
	}
}

type downUsers struct {
	outbound.Users
	err error
}

func (d downUsers) Find(context.Context, user.ID) (*user.User, error)          { return nil, d.err }
func (d downUsers) FindByEmail(context.Context, string) (*user.User, error)    { return nil, d.err }
func (d downUsers) FindByUsername(context.Context, string) (*user.User, error) { return nil, d.err }

type downRegistrations struct {
	outbound.Registrations
	err error
}

func (d downRegistrations) Newest(context.Context, string, time.Time) (user.Registration, error) {
	return user.Registration{}, d.err
}
func (d downRegistrations) Sweep(context.Context, time.Time) (int, error) { return 0, d.err }

type downTenants struct {
	outbound.Tenants
	err error
}

func (d downTenants) Find(context.Context, tenant.ID) (*tenant.Tenant, error) { return nil, d.err }
func (d downTenants) OfUser(context.Context, user.ID) ([]*tenant.Tenant, error) {
	return nil, d.err
}

type downSessions struct {
	outbound.Sessions
	err error
}

func (d downSessions) Find(context.Context, session.ID) (*session.Session, error) {
	return nil, d.err
}

type downKeys struct {
	outbound.APIKeys
	err error
}

func (d downKeys) Find(context.Context, tenant.KeyID) (*tenant.APIKey, error) { return nil, d.err }
func (d downKeys) List(context.Context, tenant.ID, user.ID) ([]*tenant.APIKey, error) {
	return nil, d.err
}
func (d downKeys) Touch(context.Context, map[tenant.KeyID]time.Time) error { return d.err }

type downOutbox struct {
	outbound.Outbox
	err error
}

func (d downOutbox) Claim(context.Context, time.Time, time.Time, int) ([]outbound.Message, error) {
	return nil, d.err
}

type downFactors struct {
	outbound.Factors
	err error
}

func (d downFactors) Find(context.Context, user.ID) (*user.Factor, error) { return nil, d.err }

type downAudit struct {
	outbound.AuditLog
	err error
}

func (d downAudit) Append(context.Context, ...event.Event) error { return d.err }
