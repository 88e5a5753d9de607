// Package session holds Session: one sign-in of one user in one tenant. Its refresh token rotates by generation; an old one that comes
// back outside the grace window ends the session.
package session

import (
	"slices"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
)

// ID identifies a session; a UUID in text form.
type ID string

// Reason says why a session ended.
type Reason string

// The reasons.
const (
	ByLogout   Reason = "logout"
	ByReuse    Reason = "reuse"
	ByPassword Reason = "password_change"
	ByAdmin    Reason = "admin"
	ByUser     Reason = "revoked"
	ByMFA      Reason = "mfa_change"
	ByLimit    Reason = "session_limit" // the oldest makes room
)

// MaxPerUser is how many sessions a user has at most; one more ends the oldest.
const MaxPerUser = 100

// ErrRefreshInvalid is every refusal of a refresh token; the reason is in the audit log alone.
var ErrRefreshInvalid = fault.New(fault.Unauthenticated, "refresh_invalid", "the refresh token is not valid; sign in again")

// ErrTokenExpired is an access token that was good until its time passed; a refresh helps.
var ErrTokenExpired = fault.New(fault.Unauthenticated, "token_expired", "the access token has expired; refresh it")

// ErrNotFound is a session that is absent, or another user's.
var ErrNotFound = fault.New(fault.NotFound, "not_found", "there is no such session")

// Terms are the lifetimes of sessions.
type Terms struct {
	Idle     time.Duration // since the last refresh
	Absolute time.Duration // since sign-in; never slides
	Grace    time.Duration // in which the previous token gets the same successor again; 0 to 60 s
}

// Session is one sign-in.
type Session struct {
	id        ID
	user      user.ID
	tenant    string
	gen       uint32
	salt      [16]byte
	epoch     int64
	createdAt time.Time
	rotatedAt time.Time
	idleUntil time.Time
	absUntil  time.Time
	revokedAt time.Time // zero: live
	reason    Reason
	amr       []string
	authTime  time.Time
	ip        string
	agent     string
	events    event.Log
}

// Start begins a session at generation 1. epoch is the user's at this moment; amr says how the user proved itself (RFC 8176).
func Start(id ID, u user.ID, tenant string, salt [16]byte, epoch int64, amr []string, ip, agent string, t Terms, now time.Time) *Session {
	s := &Session{
		id: id, user: u, tenant: tenant, gen: 1, salt: salt, epoch: epoch, createdAt: now, rotatedAt: now, authTime: now,
		absUntil: now.Add(t.Absolute), amr: slices.Clone(amr), ip: ip, agent: agent,
	}
	s.idleUntil = earlier(now.Add(t.Idle), s.absUntil)
	s.events.Record(Started{ID: id, User: u, At: now})
	return s
}

// Rotation is what came of showing a refresh token.
type Rotation uint8

// The outcomes. Reused is a change to be kept, and so no error.
const (
	Refused Rotation = iota // ended, expired, or of an older epoch; nothing changed
	Rotated                 // a new generation
	Grace                   // the same successor again; nothing changed
	Reused                  // an old token came back: the session has been ended
)

// Rotate is called after the token's MAC was checked, so gen was ours once. userEpoch is the user's epoch now. The current generation is
// what the successor token is made of.
func (s *Session) Rotate(gen uint32, userEpoch int64, ip, agent string, t Terms, now time.Time) Rotation {
	switch {
	case !s.Live(userEpoch, now):
		return Refused
	case gen == s.gen:
		s.gen++
		s.rotatedAt, s.ip, s.agent = now, ip, agent
		s.idleUntil = earlier(now.Add(t.Idle), s.absUntil)
		return Rotated
	case gen+1 == s.gen && now.Sub(s.rotatedAt).Abs() <= t.Grace: // clocks of nodes differ a little; one that was set back far is no grace
		s.events.Record(GraceUsed{ID: s.id, User: s.user, At: now})
		return Grace
	case gen < s.gen:
		s.revoke(ByReuse, now)
		s.events.Record(TokenReused{ID: s.id, User: s.user, At: now})
		return Reused
	default: // a generation that was never given out; the MAC says that it was ours, so another root made it
		return Refused
	}
}

// Live reports whether the session is good for a user of this epoch.
func (s *Session) Live(userEpoch int64, now time.Time) bool {
	return s.revokedAt.IsZero() && s.epoch == userEpoch && now.Before(s.idleUntil) && now.Before(s.absUntil)
}

// CarryOver lets this session go on under the epoch after its own, while all others of its user end. One that was ended stays so, be it by itself or by
// an epoch before.
func (s *Session) CarryOver(epoch int64) {
	if s.revokedAt.IsZero() && epoch == s.epoch+1 {
		s.epoch = epoch
	}
}

// Advance gives the session a new generation, as a sign-in step of its user does; whoever lost the answer gets it again by the token until now, within the grace.
func (s *Session) Advance(ip, agent string, t Terms, now time.Time) {
	s.gen++
	s.rotatedAt, s.ip, s.agent = now, ip, agent
	s.idleUntil = earlier(now.Add(t.Idle), s.absUntil)
}

// Prove remembers that the user has proven itself again, and how: the sign-in time is now.
func (s *Session) Prove(how string, now time.Time) {
	if !slices.Contains(s.amr, how) {
		s.amr = append(s.amr, how)
	}
	s.authTime = now
	s.events.Record(event.Noted{Name: "authn_step_up", Subject: string(s.user), Session: string(s.id), At: now})
}

// SwitchTo has the session act in another tenant of its user.
func (s *Session) SwitchTo(tenant string, now time.Time) {
	if s.tenant == tenant {
		return
	}
	s.events.Record(event.Noted{
		Name: "authn_tenant_switched", Subject: string(s.user), Session: string(s.id), Tenant: tenant, Detail: map[string]string{"from": s.tenant}, At: now,
	})
	s.tenant = tenant
}

// Revoke ends the session; ending it again changes nothing.
func (s *Session) Revoke(why Reason, now time.Time) {
	if s.revokedAt.IsZero() {
		s.revoke(why, now)
		s.events.Record(Ended{ID: s.id, User: s.user, Reason: why, At: now})
	}
}

func (s *Session) revoke(why Reason, now time.Time) { s.revokedAt, s.reason = now, why }

// ID identifies the session.
func (s *Session) ID() ID { return s.id }

// User is whose session it is.
func (s *Session) User() user.ID { return s.user }

// Tenant is where the session acts.
func (s *Session) Tenant() string { return s.tenant }

// Generation is that of the refresh token in force.
func (s *Session) Generation() uint32 { return s.gen }

// Salt goes into the MAC of the refresh token.
func (s *Session) Salt() [16]byte { return s.salt }

// AuthTime is when the user last proved itself.
func (s *Session) AuthTime() time.Time { return s.authTime }

// AMR says how the user proved itself: pwd, otp, recovery.
func (s *Session) AMR() []string { return slices.Clone(s.amr) }

// RefreshUntil is when the refresh token in force expires.
func (s *Session) RefreshUntil() time.Time { return s.idleUntil }

// Until is when the session ends whatever happens.
func (s *Session) Until() time.Time { return s.absUntil }

// Epoch is the user's epoch at sign-in.
func (s *Session) Epoch() int64 { return s.epoch }

// Revoked reports whether the session was ended before its time.
func (s *Session) Revoked() bool { return !s.revokedAt.IsZero() }

// Events drains what happened.
func (s *Session) Events() []event.Event { return s.events.Drain() }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Snapshot is a session as stores keep it.
type Snapshot struct {
	ID        ID
	User      user.ID
	Tenant    string
	Gen       uint32
	Salt      [16]byte
	Epoch     int64
	CreatedAt time.Time
	RotatedAt time.Time
	IdleUntil time.Time
	AbsUntil  time.Time
	RevokedAt time.Time
	Reason    Reason
	AMR       []string
	AuthTime  time.Time
	IP        string
	Agent     string
}

// Snapshot gives the session for keeping.
func (s *Session) Snapshot() Snapshot {
	return Snapshot{
		s.id, s.user, s.tenant, s.gen, s.salt, s.epoch, s.createdAt, s.rotatedAt, s.idleUntil, s.absUntil, s.revokedAt, s.reason,
		slices.Clone(s.amr), s.authTime, s.ip, s.agent,
	}
}

// Restore makes a kept session anew.
func Restore(s Snapshot) *Session {
	return &Session{
		id: s.ID, user: s.User, tenant: s.Tenant, gen: s.Gen, salt: s.Salt, epoch: s.Epoch, createdAt: s.CreatedAt, rotatedAt: s.RotatedAt,
		idleUntil: s.IdleUntil, absUntil: s.AbsUntil, revokedAt: s.RevokedAt, reason: s.Reason, amr: slices.Clone(s.AMR), authTime: s.AuthTime,
		ip: s.IP, agent: s.Agent,
	}
}
