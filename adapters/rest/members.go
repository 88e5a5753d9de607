package rest

import (
	"net/http"
	"time"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
)

// Member is a member of the tenant.
type Member struct {
	UserID      string    `json:"user_id"`
	Email       string    `json:"email"`
	Username    *string   `json:"username"`
	DisplayName string    `json:"display_name"`
	Role        string    `json:"role" enum:"owner,admin,member,viewer"`
	Since       time.Time `json:"since"`
	MFAEnabled  bool      `json:"mfa_enabled"`
	Active      bool      `json:"active" doc:"False for a user that an operator has disabled"`
}

// RoleBody gives a member another role.
type RoleBody struct {
	Role string `json:"role" enum:"owner,admin,member,viewer"`
}

// InviteBody asks the owner of an address to join.
type InviteBody struct {
	Email string `json:"email"`
	Role  string `json:"role" enum:"owner,admin,member,viewer"`
}

// Invite is an open invitation.
type Invite struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Role      string    `json:"role" enum:"owner,admin,member,viewer"`
	InvitedBy string    `json:"invited_by" doc:"A user's id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// AcceptBody joins a tenant by a mailed token.
type AcceptBody struct {
	InviteToken string `json:"invite_token" doc:"From the mail"`
}

func (x *exchange) listMembers() error {
	views, err := x.s.deps.Members.Members(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out, err := page(x, views, oldestFirst, func(v inbound.MemberView) (time.Time, string) { return v.Since, string(v.UserID) })
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, mapList(out, memberOf))
}

func (x *exchange) changeRole() error {
	var b RoleBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.Members.ChangeRole(x.ctx, x.caller, user.ID(x.pathParam("user_id")), b.Role)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, memberOf(got))
}

func (x *exchange) removeMember() error {
	if err := x.s.deps.Members.RemoveMember(x.ctx, x.caller, user.ID(x.pathParam("user_id"))); err != nil {
		return err
	}
	return x.empty()
}

func (x *exchange) listInvites() error {
	views, err := x.s.deps.Members.Invites(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out, err := page(x, views, newestFirst, func(v inbound.InviteView) (time.Time, string) { return v.CreatedAt, string(v.ID) })
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, mapList(out, inviteOf))
}

func (x *exchange) invite() error {
	var b InviteBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.Members.Invite(x.ctx, x.caller, b.Email, b.Role)
	if err != nil {
		return err
	}
	return x.reply(http.StatusCreated, inviteOf(got))
}

func (x *exchange) revokeInvite() error {
	if err := x.s.deps.Members.RevokeInvite(x.ctx, x.caller, tenant.InviteID(x.pathParam("id"))); err != nil {
		return err
	}
	return x.empty()
}

func (x *exchange) acceptInvite() error {
	var b AcceptBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if err := x.s.deps.Members.AcceptInvite(x.ctx, x.caller, b.InviteToken); err != nil {
		return err
	}
	return x.empty()
}

func memberOf(v inbound.MemberView) Member {
	return Member{
		UserID: string(v.UserID), Email: v.Email, Username: orNull(v.Username), DisplayName: v.DisplayName, Role: string(v.Role),
		Since: v.Since.UTC(), MFAEnabled: v.MFAEnabled, Active: v.Active,
	}
}

func inviteOf(v inbound.InviteView) Invite {
	return Invite{
		ID: string(v.ID), Email: v.Email, Role: string(v.Role), InvitedBy: string(v.InvitedBy), CreatedAt: v.CreatedAt.UTC(), ExpiresAt: v.ExpiresAt.UTC(),
	}
}
