package rest_test

import (
	"context"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
)

var (
	errReauth  = fault.New(fault.Forbidden, "reauth_failed", "the proof is wrong")
	errCode    = fault.New(fault.Unauthenticated, "mfa_code_invalid", "the code is wrong")
	errTooMany = fault.New(fault.Exhausted, "too_many_attempts", "wait")
)

// account is a fake of everything around a person's account. It knows the password "right", the code 123456, and the ids that end in 1.
type account struct {
	calls    []any // what it was asked, with where from
	pace     func(context.Context, inbound.Caller) error
	sessions []inbound.SessionView
	audit    func(inbound.Caller, inbound.AuditQuery) ([]inbound.AuditLine, error)
}

// call is what a use-case was given.
type call struct {
	caller inbound.Caller
	origin inbound.Origin
	asked  any
}

func (a *account) note(ctx context.Context, c inbound.Caller, asked any) {
	a.calls = append(a.calls, call{c, inbound.OriginOf(ctx), asked})
}

func (a *account) last() call {
	if len(a.calls) == 0 {
		return call{}
	}
	return a.calls[len(a.calls)-1].(call)
}

func (a *account) ResendVerification(ctx context.Context, email string) error {
	a.note(ctx, inbound.Caller{}, email)
	return checkEmail(email)
}

func (a *account) RequestReset(ctx context.Context, email string) error {
	a.note(ctx, inbound.Caller{}, email)
	inbound.Meet(ctx, inbound.Quota{Policy: "reset-ip", Limit: 10, Window: time.Hour, Remaining: 9, Reset: 59*time.Minute + time.Millisecond})
	return checkEmail(email)
}

func checkEmail(email string) error {
	if email == "no address" {
		return fault.ErrValidation.At(fault.Field{Pointer: "/email", Code: "invalid_format", Message: "must be an address"})
	}
	return nil
}

func (a *account) Reset(ctx context.Context, c inbound.ResetPassword) error {
	a.note(ctx, inbound.Caller{}, c)
	switch {
	case c.Token == "bad":
		return errToken
	case len(c.NewPassword.Reveal()) < 8:
		return user.PasswordPolicy{MinLength: 8}.Check("/new_password", c.NewPassword)
	}
	return nil
}

func (a *account) Change(ctx context.Context, caller inbound.Caller, c inbound.ChangePassword) error {
	a.note(ctx, caller, c)
	return proven(c.Current)
}

func proven(password secret.Text) error {
	if password.Reveal() == "wrong" {
		return errReauth
	}
	return nil
}

func (a *account) Setup(ctx context.Context, caller inbound.Caller, p inbound.Proof) (inbound.MFASetup, error) {
	a.note(ctx, caller, p)
	return inbound.MFASetup{
		SetupID: "setup1", Secret: secret.New("JBSWY3DP"), URI: secret.New("otpauth://totp/Forge%201:ada?secret=JBSWY3DP"), RecoveryCodes: []string{"AAAA-BBBB"},
		ExpiresIn: 10 * time.Minute,
	}, proven(p.Password)
}

func (a *account) Confirm(ctx context.Context, caller inbound.Caller, setupID, code string) (inbound.Tokens, error) {
	a.note(ctx, caller, [2]string{setupID, code})
	if setupID != "setup1" {
		return inbound.Tokens{}, user.ErrMFANotPending
	}
	return tokens(), nil
}

func (a *account) Complete(ctx context.Context, mfaToken, code, recoveryCode string) (inbound.Tokens, error) {
	a.note(ctx, inbound.Caller{}, [3]string{mfaToken, code, recoveryCode})
	if code == "000000" {
		return inbound.Tokens{}, errCode
	}
	return tokens(), nil
}

func (a *account) StepUp(ctx context.Context, caller inbound.Caller, code string) (inbound.Tokens, error) {
	a.note(ctx, caller, code)
	t := tokens()
	t.Refresh, t.RefreshFor = "", 0
	return t, nil
}

func (a *account) Disable(ctx context.Context, caller inbound.Caller, p inbound.Proof) error {
	a.note(ctx, caller, p)
	return proven(p.Password)
}

func (a *account) RegenerateCodes(ctx context.Context, caller inbound.Caller, p inbound.Proof) ([]string, error) {
	a.note(ctx, caller, p)
	return []string{"CCCC-DDDD"}, proven(p.Password)
}

func (a *account) Sessions(ctx context.Context, caller inbound.Caller) ([]inbound.SessionView, error) {
	a.note(ctx, caller, nil)
	return a.sessions, nil
}

func (a *account) EndSession(ctx context.Context, caller inbound.Caller, id session.ID) error {
	a.note(ctx, caller, id)
	if id != "s1" {
		return session.ErrNotFound
	}
	return nil
}

func (a *account) SwitchTenant(ctx context.Context, caller inbound.Caller, to tenant.ID) (inbound.Tokens, error) {
	a.note(ctx, caller, to)
	if to == "t9" {
		return inbound.Tokens{}, fault.New(fault.Forbidden, "tenant_access_denied", "you are no member")
	}
	t := tokens()
	t.TenantID = to
	return t, nil
}

func (a *account) ChangeProfile(ctx context.Context, caller inbound.Caller, c inbound.ProfileChange) (inbound.Profile, error) {
	a.note(ctx, caller, c)
	if c.Username != nil && *c.Username == "taken" {
		return inbound.Profile{}, user.ErrUsernameTaken
	}
	return inbound.Profile{UserID: "u1", Email: "ada@example.com", EmailVerified: true, CreatedAt: epoch, TenantID: "t1", Role: tenant.Owner}, nil
}

func (a *account) Pace(ctx context.Context, c inbound.Caller) error {
	if a.pace != nil {
		return a.pace(ctx, c)
	}
	return nil
}

// JWKS gives a key set with one key.
func (a *account) JWKS() ([]byte, error) {
	return []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"AAAA","alg":"EdDSA","use":"sig"}]}`), nil
}

// house is a fake of the tenants' and the platform's administration.
type house struct {
	account
	invites []inbound.InviteView
	members []inbound.MemberView
	doors   []call           // refusals at the door
	refused error            // in place of the refusal
	terms   routing.Defaults // of the tenant's policy; without an order: those of routes
}

func (h *house) Members(ctx context.Context, caller inbound.Caller) ([]inbound.MemberView, error) {
	h.note(ctx, caller, nil)
	return h.members, nil
}

func (h *house) ChangeRole(ctx context.Context, caller inbound.Caller, u user.ID, role string) (inbound.MemberView, error) {
	h.note(ctx, caller, [2]string{string(u), role})
	switch u {
	case "u1":
		return inbound.MemberView{UserID: u, Email: "ada@example.com", Role: tenant.Role(role), Since: epoch, Active: true}, nil
	case "last":
		return inbound.MemberView{}, tenant.ErrLastOwner
	}
	return inbound.MemberView{}, tenant.ErrNotMember
}

func (h *house) RemoveMember(ctx context.Context, caller inbound.Caller, u user.ID) error {
	_, err := h.ChangeRole(ctx, caller, u, "")
	return err
}

func (h *house) Invite(ctx context.Context, caller inbound.Caller, email, role string) (inbound.InviteView, error) {
	h.note(ctx, caller, [2]string{email, role})
	if email == "member@example.com" {
		return inbound.InviteView{}, tenant.ErrIsMember
	}
	return inbound.InviteView{ID: "i1", Email: email, Role: tenant.Role(role), InvitedBy: "u1", CreatedAt: epoch, ExpiresAt: epoch.Add(72 * time.Hour)}, nil
}

func (h *house) Invites(ctx context.Context, caller inbound.Caller) ([]inbound.InviteView, error) {
	h.note(ctx, caller, nil)
	return h.invites, nil
}

func (h *house) RevokeInvite(ctx context.Context, caller inbound.Caller, id tenant.InviteID) error {
	h.note(ctx, caller, id)
	if id != "i1" {
		return tenant.ErrInviteNotFound
	}
	return nil
}

func (h *house) AcceptInvite(ctx context.Context, caller inbound.Caller, token string) error {
	h.note(ctx, caller, token)
	if token == "bad" {
		return errToken
	}
	return nil
}

func (h *house) List(ctx context.Context, caller inbound.Caller, q inbound.AuditQuery) ([]inbound.AuditLine, error) {
	h.note(ctx, caller, q)
	if h.audit != nil {
		return h.audit(caller, q)
	}
	return nil, nil
}

func (h *house) Refused(ctx context.Context, caller inbound.Caller, action string) error {
	h.doors = append(h.doors, call{caller, inbound.OriginOf(ctx), action})
	if h.refused != nil {
		return h.refused
	}
	return fault.New(fault.Forbidden, "role_insufficient", "no")
}

func (h *house) In(ctx context.Context, caller inbound.Caller, t tenant.ID) (inbound.Caller, error) {
	h.note(ctx, caller, t)
	if t == "t9" || t == "" {
		return inbound.Caller{}, tenant.ErrNotFound
	}
	caller.TenantID, caller.Role = t, tenant.Owner
	return caller, nil
}

func (h *house) DeleteUser(ctx context.Context, caller inbound.Caller, u user.ID) error {
	h.note(ctx, caller, u)
	if u != "u1" {
		return user.ErrNotFound
	}
	return nil
}

// drawn stands for the picture of a QR code.
func drawn(text string) ([]byte, error) { return []byte("<svg>" + text + "</svg>"), nil }
