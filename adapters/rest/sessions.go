package rest

import (
	"net/http"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// Session is one of the caller's sessions.
type Session struct {
	ID         string    `json:"id"`
	TenantID   string    `json:"tenant_id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at" doc:"Sign-in or last refresh"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent" doc:"As the client gave it"`
	AMR        []string  `json:"amr" nullable:"false" doc:"How the user signed in: pwd, otp, recovery"`
	Current    bool      `json:"current" doc:"The session that asks"`
}

// Reauthenticated holds a new access token; the session's refresh token stays good.
type Reauthenticated struct {
	Status      string     `json:"status" enum:"authenticated"`
	TokenType   string     `json:"token_type" enum:"Bearer"`
	AccessToken string     `json:"access_token"`
	ExpiresIn   int        `json:"expires_in" doc:"Seconds"`
	Session     SessionRef `json:"session"`
	User        UserRef    `json:"user"`
}

// SwitchBody names the tenant to act in.
type SwitchBody struct {
	TenantID string `json:"tenant_id"`
}

// ProfileBody changes what it names.
type ProfileBody struct {
	Username    *string `json:"username,omitempty" doc:"Empty to give the name up"`
	DisplayName *string `json:"display_name,omitempty"`
}

func (x *exchange) listSessions() error {
	views, err := x.s.deps.Sessions.Sessions(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out, err := page(x, views, newestFirst, func(v inbound.SessionView) (time.Time, string) { return v.CreatedAt, string(v.ID) })
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, mapList(out, func(v inbound.SessionView) Session {
		return Session{
			ID: string(v.ID), TenantID: string(v.TenantID), CreatedAt: v.CreatedAt.UTC(), LastSeenAt: v.LastSeenAt.UTC(), IP: v.IP,
			UserAgent: v.UserAgent, AMR: append([]string{}, v.AMR...), Current: v.Current,
		}
	}))
}

func (x *exchange) endSession() error {
	if err := x.s.deps.Sessions.EndSession(x.ctx, x.caller, session.ID(x.pathParam("id"))); err != nil {
		return err
	}
	return x.empty()
}

func (x *exchange) switchTenant() error {
	var b SwitchBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.Sessions.SwitchTenant(x.ctx, x.caller, tenant.ID(b.TenantID))
	if err != nil {
		return err
	}
	return x.replySameSession(got)
}

// replySameSession answers with new tokens of the session that asked. Where its refresh token stays as it is, none is named.
func (x *exchange) replySameSession(t inbound.Tokens) error {
	if t.Refresh != "" {
		return x.replyTokens(t)
	}
	f := x.tokenFields(t)
	return x.reply(http.StatusOK, Reauthenticated{
		Status: "authenticated", TokenType: f.TokenType, AccessToken: f.AccessToken, ExpiresIn: f.ExpiresIn, Session: f.Session, User: f.User,
	})
}

func (x *exchange) changeProfile() error {
	var b ProfileBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.Sessions.ChangeProfile(x.ctx, x.caller, inbound.ProfileChange{Username: b.Username, DisplayName: b.DisplayName})
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, meOf(got))
}
