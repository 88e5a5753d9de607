package identity

import (
	"context"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// wire trips at one operation of the database, counted from when it was laid.
type wire struct {
	mu   sync.Mutex
	left int // 0: it trips at none
	err  error
	hit  bool
}

// Trip makes the nth operation of the database from now on fail, and it alone; what the transaction did before is undone. The function returned says whether it came to that, and
// takes the wire away.
func (f *Faults) Trip(nth int, err error) (tripped func() bool) {
	w := &wire{left: nth, err: err}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wire = w
	return func() bool {
		f.mu.Lock()
		f.wire = nil
		f.mu.Unlock()
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.hit
	}
}

func (w *wire) step() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == 0 {
		return nil
	}
	if w.left--; w.left > 0 {
		return nil
	}
	w.hit = true
	return w.err
}

// over lays the wire over every repository.
func (w *wire) over(r outbound.Repos) outbound.Repos {
	if w == nil {
		return r
	}
	r.Users, r.Registrations, r.Tenants = users{r.Users, w}, registrations{r.Registrations, w}, tenants{r.Tenants, w}
	r.Sessions, r.Factors, r.OneTime = sessions{r.Sessions, w}, factors{r.Factors, w}, oneTime{r.OneTime, w}
	r.APIKeys, r.Directory, r.Memberships = apiKeys{r.APIKeys, w}, directory{r.Directory, w}, memberships{r.Memberships, w}
	r.Invites, r.Outbox, r.Audit = invites{r.Invites, w}, outbox{r.Outbox, w}, auditLog{r.Audit, w}
	return r
}

// give gives what do gives, unless the wire trips.
func give[T any](w *wire, do func() (T, error)) (T, error) {
	if err := w.step(); err != nil {
		var none T
		return none, err
	}
	return do()
}

// run does what do does, unless the wire trips.
func run(w *wire, do func() error) error {
	if err := w.step(); err != nil {
		return err
	}
	return do()
}

type users struct {
	outbound.Users
	w *wire
}

func (r users) Add(ctx context.Context, u *user.User) error {
	return run(r.w, func() error { return r.Users.Add(ctx, u) })
}

func (r users) Find(ctx context.Context, id user.ID) (*user.User, error) {
	return give(r.w, func() (*user.User, error) { return r.Users.Find(ctx, id) })
}

func (r users) FindByEmail(ctx context.Context, canon string) (*user.User, error) {
	return give(r.w, func() (*user.User, error) { return r.Users.FindByEmail(ctx, canon) })
}

func (r users) FindByUsername(ctx context.Context, name string) (*user.User, error) {
	return give(r.w, func() (*user.User, error) { return r.Users.FindByUsername(ctx, name) })
}

func (r users) Update(ctx context.Context, id user.ID, change func(*user.User) error) error {
	return run(r.w, func() error { return r.Users.Update(ctx, id, change) })
}

func (r users) Remove(ctx context.Context, id user.ID, change func(*user.User) error) error {
	return run(r.w, func() error { return r.Users.Remove(ctx, id, change) })
}

type directory struct {
	outbound.Directory
	w *wire
}

func (r directory) FindAll(ctx context.Context, ids []user.ID) ([]*user.User, error) {
	return give(r.w, func() ([]*user.User, error) { return r.Directory.FindAll(ctx, ids) })
}

type registrations struct {
	outbound.Registrations
	w *wire
}

func (r registrations) Add(ctx context.Context, reg user.Registration) error {
	return run(r.w, func() error { return r.Registrations.Add(ctx, reg) })
}

func (r registrations) Since(ctx context.Context, canon string, after, now time.Time) (made, live int, err error) {
	if err := r.w.step(); err != nil {
		return 0, 0, err
	}
	return r.Registrations.Since(ctx, canon, after, now)
}

func (r registrations) Newest(ctx context.Context, canon string, now time.Time) (user.Registration, error) {
	return give(r.w, func() (user.Registration, error) { return r.Registrations.Newest(ctx, canon, now) })
}

func (r registrations) Take(ctx context.Context, hash [32]byte, now time.Time) (user.Registration, error) {
	return give(r.w, func() (user.Registration, error) { return r.Registrations.Take(ctx, hash, now) })
}

func (r registrations) Sweep(ctx context.Context, before time.Time) (int, error) {
	return give(r.w, func() (int, error) { return r.Registrations.Sweep(ctx, before) })
}

func (r registrations) Rivals(ctx context.Context, canon, passwordHash string, now time.Time) (int, error) {
	return give(r.w, func() (int, error) { return r.Registrations.Rivals(ctx, canon, passwordHash, now) })
}

type memberships struct {
	outbound.Memberships
	w *wire
}

func (r memberships) Role(ctx context.Context, t tenant.ID, u user.ID) (tenant.Role, error) {
	return give(r.w, func() (tenant.Role, error) { return r.Memberships.Role(ctx, t, u) })
}

type tenants struct {
	outbound.Tenants
	w *wire
}

func (r tenants) Add(ctx context.Context, t *tenant.Tenant) error {
	return run(r.w, func() error { return r.Tenants.Add(ctx, t) })
}

func (r tenants) Find(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
	return give(r.w, func() (*tenant.Tenant, error) { return r.Tenants.Find(ctx, id) })
}

func (r tenants) OfUser(ctx context.Context, u user.ID) ([]*tenant.Tenant, error) {
	return give(r.w, func() ([]*tenant.Tenant, error) { return r.Tenants.OfUser(ctx, u) })
}

func (r tenants) Update(ctx context.Context, id tenant.ID, change func(*tenant.Tenant) error) error {
	return run(r.w, func() error { return r.Tenants.Update(ctx, id, change) })
}

func (r tenants) Remove(ctx context.Context, id tenant.ID, change func(*tenant.Tenant) error) error {
	return run(r.w, func() error { return r.Tenants.Remove(ctx, id, change) })
}

type apiKeys struct {
	outbound.APIKeys
	w *wire
}

func (r apiKeys) List(ctx context.Context, t tenant.ID, creator user.ID) ([]*tenant.APIKey, error) {
	return give(r.w, func() ([]*tenant.APIKey, error) { return r.APIKeys.List(ctx, t, creator) })
}

func (r apiKeys) Update(ctx context.Context, id tenant.KeyID, change func(*tenant.APIKey) error) error {
	return run(r.w, func() error { return r.APIKeys.Update(ctx, id, change) })
}

type sessions struct {
	outbound.Sessions
	w *wire
}

func (r sessions) Add(ctx context.Context, s *session.Session) error {
	return run(r.w, func() error { return r.Sessions.Add(ctx, s) })
}

func (r sessions) Find(ctx context.Context, id session.ID) (*session.Session, error) {
	return give(r.w, func() (*session.Session, error) { return r.Sessions.Find(ctx, id) })
}

func (r sessions) OfUser(ctx context.Context, u user.ID, now time.Time) ([]*session.Session, error) {
	return give(r.w, func() ([]*session.Session, error) { return r.Sessions.OfUser(ctx, u, now) })
}

func (r sessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) error {
	return run(r.w, func() error { return r.Sessions.Update(ctx, id, change) })
}

type factors struct {
	outbound.Factors
	w *wire
}

func (r factors) Find(ctx context.Context, u user.ID) (*user.Factor, error) {
	return give(r.w, func() (*user.Factor, error) { return r.Factors.Find(ctx, u) })
}

func (r factors) Update(ctx context.Context, u user.ID, change func(*user.Factor) error) error {
	return run(r.w, func() error { return r.Factors.Update(ctx, u, change) })
}

func (r factors) UseStep(ctx context.Context, u user.ID, step int64) (bool, error) {
	return give(r.w, func() (bool, error) { return r.Factors.UseStep(ctx, u, step) })
}

type oneTime struct {
	outbound.OneTimeTokens
	w *wire
}

func (r oneTime) Add(ctx context.Context, t outbound.OneTimeToken) error {
	return run(r.w, func() error { return r.OneTimeTokens.Add(ctx, t) })
}

func (r oneTime) Peek(ctx context.Context, kind string, hash [32]byte, now time.Time) (outbound.OneTimeToken, error) {
	return give(r.w, func() (outbound.OneTimeToken, error) { return r.OneTimeTokens.Peek(ctx, kind, hash, now) })
}

func (r oneTime) Take(ctx context.Context, kind string, hash [32]byte, now time.Time) (outbound.OneTimeToken, error) {
	return give(r.w, func() (outbound.OneTimeToken, error) { return r.OneTimeTokens.Take(ctx, kind, hash, now) })
}

func (r oneTime) Since(ctx context.Context, kind string, u user.ID, after, now time.Time) (made, live int, err error) {
	if err := r.w.step(); err != nil {
		return 0, 0, err
	}
	return r.OneTimeTokens.Since(ctx, kind, u, after, now)
}

func (r oneTime) Drop(ctx context.Context, kind string, u user.ID, now time.Time) error {
	return run(r.w, func() error { return r.OneTimeTokens.Drop(ctx, kind, u, now) })
}

type invites struct {
	outbound.Invites
	w *wire
}

func (r invites) Add(ctx context.Context, i *tenant.Invite) error {
	return run(r.w, func() error { return r.Invites.Add(ctx, i) })
}

func (r invites) List(ctx context.Context, t tenant.ID, now time.Time) ([]*tenant.Invite, error) {
	return give(r.w, func() ([]*tenant.Invite, error) { return r.Invites.List(ctx, t, now) })
}

func (r invites) Peek(ctx context.Context, hash [32]byte, now time.Time) (*tenant.Invite, error) {
	return give(r.w, func() (*tenant.Invite, error) { return r.Invites.Peek(ctx, hash, now) })
}

func (r invites) Take(ctx context.Context, hash [32]byte, now time.Time, change func(*tenant.Invite) error) error {
	return run(r.w, func() error { return r.Invites.Take(ctx, hash, now, change) })
}

func (r invites) Revoke(ctx context.Context, t tenant.ID, id tenant.InviteID, change func(*tenant.Invite) error) error {
	return run(r.w, func() error { return r.Invites.Revoke(ctx, t, id, change) })
}

type outbox struct {
	outbound.Outbox
	w *wire
}

func (r outbox) Put(ctx context.Context, m outbound.Message) error {
	return run(r.w, func() error { return r.Outbox.Put(ctx, m) })
}

type auditLog struct {
	outbound.AuditLog
	w *wire
}

func (r auditLog) Append(ctx context.Context, events ...event.Event) error {
	return run(r.w, func() error { return r.AuditLog.Append(ctx, events...) })
}

func (r auditLog) List(ctx context.Context, in string, f outbound.AuditFilter, before string, limit int) ([]outbound.AuditEntry, error) {
	return give(r.w, func() ([]outbound.AuditEntry, error) { return r.AuditLog.List(ctx, in, f, before, limit) })
}
