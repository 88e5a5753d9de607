package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	maxCredential = 4096
	touchEvery    = 10 * time.Second
	maxTouched    = 10_000 // keys whose last use waits to be kept
	lastFlush     = 5 * time.Second
)

// GateDeps are what Gatekeeper needs.
type GateDeps struct {
	Tx     outbound.Tx
	Tokens outbound.Tokens
	Cache  outbound.SessionCache
	Clock  outbound.Clock
	Config Config
}

// Gatekeeper implements inbound.Gatekeeper. What it found good it remembers for Config.SessionCacheTTL, so that a busy client costs neither a signature check nor a
// query; what is ended on this node it forgets at once.
type Gatekeeper struct {
	GateDeps
	admitted admitted
	asking   flight[question, inbound.Caller]

	mu      sync.Mutex
	touched map[tenant.KeyID]time.Time

	stale stale
}

var _ inbound.Gatekeeper = (*Gatekeeper)(nil)

// NewGatekeeper makes the gatekeeper. It starts nothing; see Run.
func NewGatekeeper(d GateDeps) *Gatekeeper {
	return &Gatekeeper{GateDeps: d, touched: map[tenant.KeyID]time.Time{}}
}

// Authenticate implements inbound.Gatekeeper.
func (g *Gatekeeper) Authenticate(ctx context.Context, credential string) (inbound.Caller, error) {
	if credential == "" || len(credential) > maxCredential {
		return inbound.Caller{}, ErrUnauthenticated
	}
	print := fingerprintOf(credential)
	if caller, ok := g.admitted.find(print, g.Clock()); ok {
		return caller, nil
	}
	q := question{print, g.admitted.forgotten.Load()}
	return g.asking.do(ctx, q, func(ctx context.Context) (inbound.Caller, error) {
		return g.ask(ctx, q, credential)
	})
}

// question is a credential that was asked about after so many things were forgotten: whoever asks after something ended shares no answer from before.
type question struct {
	print fingerprint
	since uint64
}

// ask checks a credential that is not remembered. What was ended while it asked is not remembered either.
func (g *Gatekeeper) ask(ctx context.Context, q question, credential string) (inbound.Caller, error) {
	check := g.token
	if tenant.LooksLikeKey(credential) {
		check = g.key
	}
	now := g.Clock()
	caller, until, err := check(ctx, credential, now)
	if err != nil {
		return inbound.Caller{}, err
	}
	g.admitted.keep(q.print, admission{caller: caller, from: now, until: until}, q.since)
	return caller, nil
}

// token checks an access token: itself, then the record of its session. The role is the record's, not the token's.
func (g *Gatekeeper) token(ctx context.Context, credential string, now time.Time) (inbound.Caller, time.Time, error) {
	claims, err := g.Tokens.Verify(credential, now)
	if errors.Is(err, session.ErrTokenExpired) {
		return inbound.Caller{}, now, session.ErrTokenExpired
	}
	if err != nil {
		return inbound.Caller{}, now, ErrUnauthenticated.With(err)
	}
	r, cached, err := g.record(ctx, claims.SessionID, now)
	if err == nil && cached && r.TenantID != claims.TenantID { // the session has moved to another tenant, or had when the record was read
		r, err = g.read(ctx, claims.SessionID, now)
	}
	if err != nil {
		return inbound.Caller{}, now, err
	}
	if r.UserID != claims.Subject || r.TenantID != claims.TenantID {
		return inbound.Caller{}, now, ErrUnauthenticated
	}
	until := earliest(r.ReadAt.Add(g.Config.SessionCacheTTL), r.Until, claims.Expires)
	return inbound.Caller{UserID: r.UserID, TenantID: tenant.ID(r.TenantID), Role: tenant.Role(r.Role), SessionID: r.ID, Platform: r.Platform}, until, nil
}

// record gives the record of a live session, from the cache while that is fresh, else from the database. A cache that does not answer is passed by.
func (g *Gatekeeper) record(ctx context.Context, id session.ID, now time.Time) (r outbound.SessionRecord, cached bool, err error) {
	r, known, dead, err := g.Cache.Record(ctx, id)
	if err == nil && dead {
		return outbound.SessionRecord{}, false, ErrUnauthenticated
	}
	if err == nil && known && g.fresh(r, now) && !g.stale.is(r) {
		return r, true, nil
	}
	fresh, readErr := g.read(ctx, id, now)
	if readErr != nil {
		return outbound.SessionRecord{}, false, readErr
	}
	if err == nil && !known {
		_ = g.Cache.Keep(ctx, fresh, g.Config.SessionCacheTTL) // only speed is lost
	}
	return fresh, false, nil
}

// fresh reports whether a record of the cache may be believed. One that was read a while later than now is as old as nobody knows: the clock has stepped back since.
func (g *Gatekeeper) fresh(r outbound.SessionRecord, now time.Time) bool {
	age := now.Sub(r.ReadAt)
	return -g.Config.SessionCacheTTL <= age && age < g.Config.SessionCacheTTL && now.Before(r.Until)
}

// read makes the record of a session that is live, whose user is active and a member. Anything else is refused alike.
func (g *Gatekeeper) read(ctx context.Context, id session.ID, now time.Time) (outbound.SessionRecord, error) {
	repos := g.Tx.View()
	on, err := repos.Sessions.Find(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return outbound.SessionRecord{}, ErrUnauthenticated
	}
	if err != nil {
		return outbound.SessionRecord{}, fmt.Errorf("find session: %w", err)
	}
	u, role, err := g.member(ctx, on.User(), tenant.ID(on.Tenant()))
	if err != nil {
		return outbound.SessionRecord{}, err
	}
	if !on.Live(u.Epoch(), now) {
		return outbound.SessionRecord{}, ErrUnauthenticated
	}
	return outbound.SessionRecord{
		ID: on.ID(), UserID: u.ID(), TenantID: on.Tenant(), Role: string(role), Platform: u.PlatformAdmin(), Epoch: u.Epoch(),
		Until: earliest(on.RefreshUntil(), on.Until()), ReadAt: now,
	}, nil
}

// key checks an API key: its form, its secret in constant time, and what its creator may do now.
func (g *Gatekeeper) key(ctx context.Context, credential string, now time.Time) (inbound.Caller, time.Time, error) {
	shown, ok := tenant.ParseKey(credential)
	if !ok {
		return inbound.Caller{}, now, ErrUnauthenticated
	}
	k, err := g.Tx.View().APIKeys.Find(ctx, shown.ID)
	if errors.Is(err, tenant.ErrKeyNotFound) {
		return inbound.Caller{}, now, ErrUnauthenticated
	}
	if err != nil {
		return inbound.Caller{}, now, fmt.Errorf("find API key: %w", err)
	}
	if !k.Accepts(shown.Secret, now) {
		return inbound.Caller{}, now, ErrUnauthenticated
	}
	u, role, err := g.member(ctx, k.Creator(), k.Tenant())
	if err != nil {
		return inbound.Caller{}, now, err
	}
	g.touch(k.ID(), now)
	until := now.Add(g.Config.SessionCacheTTL)
	if s := k.Snapshot(); !s.ExpiresAt.IsZero() || !s.EndsAt.IsZero() {
		until = earliest(until, s.ExpiresAt, s.EndsAt)
	}
	return inbound.Caller{UserID: u.ID(), TenantID: k.Tenant(), Role: role, KeyID: k.ID(), Scopes: k.Scopes()}, until, nil
}

// member gives an active user with its role in a tenant.
func (g *Gatekeeper) member(ctx context.Context, id user.ID, in tenant.ID) (*user.User, tenant.Role, error) {
	repos := g.Tx.View()
	u, err := repos.Users.Find(ctx, id)
	if errors.Is(err, user.ErrNotFound) {
		return nil, "", ErrUnauthenticated
	}
	if err != nil {
		return nil, "", fmt.Errorf("find user: %w", err)
	}
	role, err := repos.Memberships.Role(ctx, in, id)
	if err != nil {
		return nil, "", fmt.Errorf("find role: %w", err)
	}
	if role == "" || !u.MaySignIn() {
		return nil, "", ErrUnauthenticated
	}
	return u, role, nil
}

// ForgetSession makes the end of a session felt on this node at once.
func (g *Gatekeeper) ForgetSession(id session.ID) {
	g.stale.note("session "+string(id), g.Clock(), g.Config.SessionCacheTTL)
	g.admitted.forget(func(c *inbound.Caller) bool { return c.SessionID == id })
}

// ForgetKey makes the end of an API key felt on this node at once.
func (g *Gatekeeper) ForgetKey(id tenant.KeyID) {
	g.admitted.forget(func(c *inbound.Caller) bool { return c.KeyID == id })
}

// ForgetUser makes a change of a user, or of a membership, felt on this node at once.
func (g *Gatekeeper) ForgetUser(id user.ID) {
	g.stale.note("user "+string(id), g.Clock(), g.Config.SessionCacheTTL)
	g.admitted.forget(func(c *inbound.Caller) bool { return c.UserID == id })
}

// Run keeps the last use of API keys, in batches, until the context ends; then once more.
func (g *Gatekeeper) Run(ctx context.Context) error {
	tick := time.NewTicker(touchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.admitted.prune(g.Clock())
			g.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
			defer cancel()
			g.flush(last)
			return nil
		}
	}
}

// touch notes a use. It is called when a key is checked anew, so the time kept is late by SessionCacheTTL at most.
func (g *Gatekeeper) touch(id tenant.KeyID, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.touched[id]; ok || len(g.touched) < maxTouched {
		g.touched[id] = at
	}
}

// flush hands the uses over. When they are not taken they wait for the next round, behind newer ones.
func (g *Gatekeeper) flush(ctx context.Context) {
	g.mu.Lock()
	used := g.touched
	g.touched = map[tenant.KeyID]time.Time{}
	g.mu.Unlock()
	if len(used) == 0 || g.Tx.View().APIKeys.Touch(ctx, used) == nil {
		return
	}
	for id, at := range used {
		g.mu.Lock()
		_, newer := g.touched[id]
		g.mu.Unlock()
		if !newer {
			g.touch(id, at)
		}
	}
}

// fingerprint stands for a credential, so that none is kept.
type fingerprint [sha256.Size]byte

func fingerprintOf(credential string) fingerprint {
	var buf [1024]byte // room for every token and key we make, so that hashing allocates nothing
	if len(credential) > len(buf) {
		return sha256.Sum256([]byte(credential))
	}
	return sha256.Sum256(buf[:copy(buf[:], credential)])
}

// earliest gives the first of the times that are set.
func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}
