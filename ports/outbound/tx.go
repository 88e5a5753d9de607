package outbound

import "context"

// Tx runs what must happen together. Implementations pass conformance.Tx.
type Tx interface {
	// Do runs work in one transaction over the repositories it is given: when work returns an error nothing has changed and that error is returned.
	// Rows that work loads for change are locked until the end (on SQLite the whole transaction is immediate). Do may run work more than
	// once, so work does no I/O but through repos.
	// It fails with fault.ErrDependency when the database does not answer.
	Do(ctx context.Context, work func(ctx context.Context, repos Repos) error) error
	// View runs reads outside any transaction; a change made through it is a transaction of its own.
	View() Repos
}

// Repos are the repositories of one transaction. The events of an aggregate that is added or updated are kept in the audit log in the
// same transaction, with the Actor of the context. Text that cannot be kept, NUL or no UTF-8, fails with fault.ErrValidation; a name of such text is not found.
type Repos struct {
	Users         Users
	Directory     Directory
	Registrations Registrations
	Tenants       Tenants
	Memberships   Memberships
	Sessions      Sessions
	APIKeys       APIKeys
	Outbox        Outbox
	Factors       Factors
	OneTime       OneTimeTokens
	Invites       Invites
	SigningKeys   SigningKeys
	Audit         AuditLog
}
