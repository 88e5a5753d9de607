package rest

import (
	"net/http"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
)

// RegisterBody asks for an account.
type RegisterBody struct {
	Email       string      `json:"email" doc:"Will be proven by a mail" example:"ada@example.com"`
	Password    string      `json:"password" doc:"Used exactly as sent; its rules are the installation's"`
	Username    string      `json:"username,omitempty" doc:"Claimed when the address is verified"`
	DisplayName string      `json:"display_name,omitempty"`
	Tenant      *TenantBody `json:"tenant,omitempty" doc:"A new tenant; without it a personal one"`
	InviteToken string      `json:"invite_token,omitempty" doc:"Of a mailed invitation"`
}

// TenantBody names a new tenant.
type TenantBody struct {
	Name string `json:"name"`
	Slug string `json:"slug,omitempty"`
}

// Registered is the same for every address.
type Registered struct {
	Status    string `json:"status" enum:"verification_required"`
	ExpiresIn int    `json:"expires_in" doc:"Seconds"`
}

// Invited says that the mailed invitation has proven the address.
type Invited struct {
	Status string `json:"status" enum:"verified"`
}

// VerifyBody proves an address.
type VerifyBody struct {
	Token string `json:"token" doc:"From the mail"`
}

// Verified says what came of it.
type Verified struct {
	Status           string    `json:"status" enum:"verified"`
	UsernameAssigned bool      `json:"username_assigned" doc:"False when none was asked for, or another took it first"`
	Tenant           TenantRef `json:"tenant"`
}

// TenantRef names a tenant.
type TenantRef struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

// LoginBody signs in by exactly one of email and username.
type LoginBody struct {
	Email    *string `json:"email,omitempty"`
	Username *string `json:"username,omitempty"`
	Password string  `json:"password"`
	Tenant   string  `json:"tenant,omitempty" doc:"Id or slug; without it the last one used"`
}

// Authenticated holds the tokens of a session that was signed in.
type Authenticated struct {
	Status string `json:"status" enum:"authenticated"`
	TokenFields
}

// TokenFields are the tokens of a session, and whose it is.
type TokenFields struct {
	TokenType      string     `json:"token_type" enum:"Bearer"`
	AccessToken    string     `json:"access_token"`
	ExpiresIn      int        `json:"expires_in" doc:"Seconds"`
	RefreshToken   string     `json:"refresh_token"`
	RefreshExpires int        `json:"refresh_expires_in" doc:"Seconds that remain"`
	Session        SessionRef `json:"session"`
	User           UserRef    `json:"user"`
}

// SessionRef is the session of a sign-in.
type SessionRef struct {
	ID       string    `json:"id"`
	TenantID string    `json:"tenant_id"`
	AuthTime time.Time `json:"auth_time"`
	AMR      []string  `json:"amr" nullable:"false" doc:"How the user signed in: pwd, otp, recovery"`
}

// UserRef is who signed in.
type UserRef struct {
	ID         string  `json:"id"`
	Email      string  `json:"email"`
	Username   *string `json:"username"`
	MFAEnabled bool    `json:"mfa_enabled"`
}

// MFARequired asks for the second factor.
type MFARequired struct {
	Status    string   `json:"status" enum:"mfa_required"`
	MFAToken  string   `json:"mfa_token"`
	ExpiresIn int      `json:"expires_in" doc:"Seconds"`
	Methods   []string `json:"methods" nullable:"false"`
}

// RefreshBody renews tokens.
type RefreshBody struct {
	RefreshToken string `json:"refresh_token"`
}

// LogoutBody ends a session, or all.
type LogoutBody struct {
	RefreshToken string `json:"refresh_token,omitempty"`
	All          bool   `json:"all,omitempty" doc:"Every session of the user; needs a live token"`
}

// Me is what a caller may know of itself.
type Me struct {
	User    MeUser     `json:"user"`
	Tenant  MeTenant   `json:"tenant"`
	Session *MeSession `json:"session,omitempty" doc:"Absent for an API key"`
}

// MeUser is the user.
type MeUser struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Username      *string   `json:"username"`
	DisplayName   string    `json:"display_name"`
	CreatedAt     time.Time `json:"created_at"`
	MFAEnabled    bool      `json:"mfa_enabled"`
	RecoveryLeft  int       `json:"recovery_codes_remaining"`
}

// MeTenant is the tenant of the session or key.
type MeTenant struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Role string `json:"role" enum:"owner,admin,member,viewer"`
}

// MeSession is the session.
type MeSession struct {
	ID        string    `json:"id"`
	AuthTime  time.Time `json:"auth_time"`
	AMR       []string  `json:"amr" nullable:"false"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (x *exchange) register() error {
	var b RegisterBody
	if err := x.decode(&b); err != nil {
		return err
	}
	c := inbound.Register{
		Email: b.Email, Password: secret.New(b.Password), Username: b.Username, DisplayName: b.DisplayName, InviteToken: b.InviteToken,
		Origin: x.origin(),
	}
	if b.Tenant != nil {
		c.HasTenant, c.TenantName, c.TenantSlug = true, b.Tenant.Name, b.Tenant.Slug
	}
	got, err := x.s.deps.Auth.Register(x.ctx, c)
	if err != nil {
		return err
	}
	if got.Verified {
		return x.reply(http.StatusCreated, Invited{Status: "verified"})
	}
	return x.reply(http.StatusAccepted, Registered{Status: "verification_required", ExpiresIn: seconds(got.ExpiresIn)})
}

func (x *exchange) verifyEmail() error {
	var b VerifyBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.Auth.VerifyEmail(x.ctx, b.Token, x.origin())
	if err != nil {
		return err
	}
	x.caller.UserID, x.caller.TenantID = got.UserID, got.TenantID
	return x.reply(http.StatusOK, Verified{
		Status: "verified", UsernameAssigned: got.UsernameAssigned, Tenant: TenantRef{ID: string(got.TenantID), Slug: got.TenantSlug},
	})
}

func (x *exchange) login() error {
	var b LoginBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if (b.Email == nil) == (b.Username == nil) {
		const message = "give exactly one of email and username"
		return fault.ErrValidation.At(
			fault.Field{Pointer: "/email", Code: "exactly_one", Message: message},
			fault.Field{Pointer: "/username", Code: "exactly_one", Message: message},
		)
	}
	c := inbound.Login{Password: secret.New(b.Password), Tenant: b.Tenant, Origin: x.origin()}
	if b.Email != nil {
		c.Email = *b.Email
	} else {
		c.Username = *b.Username
	}
	got, err := x.s.deps.Auth.Login(x.ctx, c)
	if err != nil {
		return err
	}
	if got.Tokens == nil {
		return x.reply(http.StatusOK, MFARequired{
			Status: "mfa_required", MFAToken: got.Challenge.Token, ExpiresIn: seconds(got.Challenge.ExpiresIn), Methods: got.Challenge.Methods,
		})
	}
	return x.replyTokens(*got.Tokens)
}

func (x *exchange) refresh() error {
	var b RefreshBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.Auth.Refresh(x.ctx, b.RefreshToken, x.origin())
	if err != nil {
		return err
	}
	return x.replyTokens(got)
}

func (x *exchange) replyTokens(t inbound.Tokens) error {
	return x.reply(http.StatusOK, Authenticated{"authenticated", x.tokenFields(t)})
}

// tokenFields puts tokens in the answer's form, and their user in the log line.
func (x *exchange) tokenFields(t inbound.Tokens) TokenFields {
	x.caller.UserID, x.caller.TenantID = t.UserID, t.TenantID
	return TokenFields{
		TokenType: "Bearer", AccessToken: t.Access, ExpiresIn: seconds(t.AccessFor), RefreshToken: t.Refresh, RefreshExpires: seconds(t.RefreshFor),
		Session: SessionRef{ID: string(t.SessionID), TenantID: string(t.TenantID), AuthTime: t.AuthTime.UTC(), AMR: append([]string{}, t.AMR...)},
		User:    UserRef{ID: string(t.UserID), Email: t.Email, Username: orNull(t.Username), MFAEnabled: t.MFAEnabled},
	}
}

func (x *exchange) logout() error {
	var b LogoutBody
	if err := x.decode(&b); err != nil {
		return err
	}
	err := x.s.deps.Auth.Logout(x.ctx, inbound.Logout{
		RefreshToken: b.RefreshToken, Bearer: x.bearer(), All: b.All, Origin: x.origin(),
	})
	if err != nil {
		return err
	}
	return x.empty()
}

func (x *exchange) me() error {
	p, err := x.s.deps.Auth.Me(x.ctx, x.caller)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, meOf(p))
}

func meOf(p inbound.Profile) Me {
	out := Me{
		User: MeUser{
			ID: string(p.UserID), Email: p.Email, EmailVerified: p.EmailVerified, Username: orNull(p.Username), DisplayName: p.DisplayName,
			CreatedAt: p.CreatedAt.UTC(), MFAEnabled: p.MFAEnabled, RecoveryLeft: p.RecoveryLeft,
		},
		Tenant: MeTenant{ID: string(p.TenantID), Slug: p.TenantSlug, Role: string(p.Role)},
	}
	if p.SessionID != "" {
		out.Session = &MeSession{
			ID: string(p.SessionID), AuthTime: p.AuthTime.UTC(), AMR: append([]string{}, p.AMR...), ExpiresAt: p.SessionUntil.UTC(),
		}
	}
	return out
}

// seconds gives whole seconds, rounded down so that nothing is promised that has run out.
func seconds(d time.Duration) int { return int(d / time.Second) }
