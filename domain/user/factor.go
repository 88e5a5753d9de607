package user

import (
	"slices"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
)

// Limits of second factors.
const (
	RecoveryCodes       = 10
	MaxFactorFailures   = 100 // consecutive; then only a recovery code or an admin helps
	RecoveryCodeLetters = 24  // of Crockford's base32: 120 bits
)

// The sentinels of Factor.
var (
	ErrMFANotPending = fault.New(fault.Conflict, "mfa_not_pending", "there is no setup of that id to confirm; begin anew")
	ErrMFAAlready    = fault.New(fault.Conflict, "mfa_already_enabled", "a second factor is on; prove it to replace it")
	ErrFactorNone    = fault.New(fault.NotFound, "not_found", "there is no second factor")
)

// Sealed is a secret as stores keep it: encrypted, with the root key's name inside.
type Sealed []byte

// RecoveryCode is what is kept of a recovery code: a MAC with the name of its root key, and when it was used.
type RecoveryCode struct {
	Root   byte
	MAC    [32]byte
	UsedAt time.Time // zero: not used
}

// Pending is a factor that waits for its first code. It is bound to the session that began it.
type Pending struct {
	SetupID   string
	SessionID string
	Secret    Sealed
	Codes     []RecoveryCode
	ExpiresAt time.Time
}

// Factor is a user's TOTP second factor with its recovery codes. A user without one has a Factor that is off.
type Factor struct {
	user      ID
	on        bool
	secret    Sealed
	lastStep  int64
	failures  int
	codes     []RecoveryCode
	pending   *Pending
	enabledAt time.Time
	events    event.Log
}

// NoFactor is the factor of a user that has none.
func NoFactor(u ID) *Factor { return &Factor{user: u} }

// On reports whether a code is asked for at login.
func (f *Factor) On() bool { return f.on }

// Secret is the sealed secret of the live factor.
func (f *Factor) Secret() Sealed { return f.secret }

// Locked reports whether too many codes in a row were wrong; recovery codes still work.
func (f *Factor) Locked() bool { return f.failures >= MaxFactorFailures }

// Begin puts a setup in place of any earlier one; the live factor is not touched.
func (f *Factor) Begin(p Pending, now time.Time) {
	f.pending = &p
	f.events.Record(event.Noted{Name: "mfa_setup", Subject: string(f.user), At: now})
}

// Pending gives the setup of an id that this session began, while it lasts. It fails with ErrMFANotPending.
func (f *Factor) Pending(setupID, sessionID string, now time.Time) (Pending, error) {
	if f.pending == nil || f.pending.SetupID != setupID || f.pending.SessionID != sessionID || !now.Before(f.pending.ExpiresAt) {
		return Pending{}, ErrMFANotPending
	}
	return *f.pending, nil
}

// Confirm makes the pending setup live at the step that its first code matched, so that this code cannot sign in too; the recovery codes are
// replaced. It fails with ErrMFANotPending.
func (f *Factor) Confirm(setupID, sessionID string, step int64, now time.Time) error {
	p, err := f.Pending(setupID, sessionID, now)
	if err != nil {
		return err
	}
	f.on, f.secret, f.lastStep, f.failures, f.enabledAt, f.pending = true, p.Secret, step, 0, now, nil
	f.codes = slices.Clone(p.Codes)
	f.events.Record(event.Noted{Name: "mfa_confirm", Subject: string(f.user), At: now})
	return nil
}

// Fail counts a wrong code; it reports whether this one locked the factor.
func (f *Factor) Fail(now time.Time) (locked bool) {
	if !f.on || f.Locked() {
		return false
	}
	f.failures++
	f.events.Record(event.Noted{Name: "mfa_verify_fail", Subject: string(f.user), At: now})
	if f.Locked() {
		f.events.Record(event.Noted{Name: "authn_login_lock", Subject: string(f.user), At: now})
	}
	return f.Locked()
}

// UseRecovery uses up the one unused recovery code that matches; a lock ends with it. left is how many remain.
func (f *Factor) UseRecovery(matches func(RecoveryCode) bool, now time.Time) (left int, ok bool) {
	if !f.on {
		return 0, false
	}
	i := slices.IndexFunc(f.codes, func(c RecoveryCode) bool { return c.UsedAt.IsZero() && matches(c) })
	if i < 0 {
		return f.RecoveryLeft(), false
	}
	f.codes[i].UsedAt, f.failures = now, 0
	f.events.Record(event.Noted{Name: "mfa_recovery_used", Subject: string(f.user), At: now})
	return f.RecoveryLeft(), true
}

// ReplaceCodes puts new recovery codes in place of all others. It fails with ErrFactorNone.
func (f *Factor) ReplaceCodes(codes []RecoveryCode, now time.Time) error {
	if !f.on {
		return ErrFactorNone
	}
	f.codes = slices.Clone(codes)
	f.events.Record(event.Noted{Name: "mfa_recovery_regenerated", Subject: string(f.user), At: now})
	return nil
}

// Disable takes the factor, its codes and any setup away.
func (f *Factor) Disable(now time.Time) {
	on := f.on
	*f = Factor{user: f.user, events: f.events}
	if on {
		f.events.Record(event.Noted{Name: "mfa_disable", Subject: string(f.user), At: now})
	}
}

// RecoveryLeft counts the recovery codes that can still be used.
func (f *Factor) RecoveryLeft() int {
	n := 0
	for _, c := range f.codes {
		if c.UsedAt.IsZero() {
			n++
		}
	}
	return n
}

// Events drains what happened.
func (f *Factor) Events() []event.Event { return f.events.Drain() }

// FactorSnapshot is a factor as stores keep it.
type FactorSnapshot struct {
	User      ID
	On        bool
	Secret    Sealed
	LastStep  int64
	Failures  int
	Codes     []RecoveryCode
	Pending   *Pending
	EnabledAt time.Time
}

// Snapshot gives the factor for keeping.
func (f *Factor) Snapshot() FactorSnapshot {
	return FactorSnapshot{f.user, f.on, f.secret, f.lastStep, f.failures, slices.Clone(f.codes), f.pending, f.enabledAt}
}

// RestoreFactor makes a kept factor anew.
func RestoreFactor(s FactorSnapshot) *Factor {
	return &Factor{
		user: s.User, on: s.On, secret: s.Secret, lastStep: s.LastStep, failures: s.Failures, codes: slices.Clone(s.Codes),
		pending: s.Pending, enabledAt: s.EnabledAt,
	}
}
