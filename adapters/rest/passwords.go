package rest

import (
	"net/http"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
)

// EmailBody names an address that a mail is wanted for.
type EmailBody struct {
	Email string `json:"email" example:"ada@example.com"`
}

// Accepted is the same for every address.
type Accepted struct {
	Status string `json:"status" enum:"accepted"`
}

// ResetBody sets a new password by a mailed token.
type ResetBody struct {
	Token       string `json:"token" doc:"From the mail"`
	NewPassword string `json:"new_password" doc:"Used exactly as sent; its rules are the installation's"`
}

// ChangePasswordBody sets a new password by the current one.
type ChangePasswordBody struct {
	Current string `json:"current_password"`
	New     string `json:"new_password" doc:"Used exactly as sent; its rules are the installation's"`
	Code    string `json:"code,omitempty" pattern:"^[0-9]{6}$" doc:"Of the authenticator; needed when the second factor is on"`
}

func (x *exchange) resendVerification() error {
	var b EmailBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if err := x.s.deps.Passwords.ResendVerification(x.ctx, b.Email); err != nil {
		return err
	}
	return x.reply(http.StatusAccepted, Accepted{Status: "accepted"})
}

func (x *exchange) requestReset() error {
	var b EmailBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if err := x.s.deps.Passwords.RequestReset(x.ctx, b.Email); err != nil {
		return err
	}
	return x.reply(http.StatusAccepted, Accepted{Status: "accepted"})
}

func (x *exchange) resetPassword() error {
	var b ResetBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if err := x.s.deps.Passwords.Reset(x.ctx, inbound.ResetPassword{Token: b.Token, NewPassword: secret.New(b.NewPassword)}); err != nil {
		return err
	}
	return x.empty()
}

func (x *exchange) changePassword() error {
	var b ChangePasswordBody
	if err := x.decode(&b); err != nil {
		return err
	}
	c := inbound.ChangePassword{Current: secret.New(b.Current), New: secret.New(b.New), Code: b.Code}
	if err := x.s.deps.Passwords.Change(x.ctx, x.caller, c); err != nil {
		return err
	}
	return x.empty()
}
