package rest

import (
	"net/http"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// KeyBody asks for an API key.
type KeyBody struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes,omitempty" nullable:"false" enum:"ai,router,admin" maxItems:"8" doc:"What it reaches; ai when absent"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"Never when absent"`
}

// RotateBody asks for a successor of a key.
type RotateBody struct {
	GraceSeconds int `json:"grace_seconds,omitempty" minimum:"0" maximum:"86400" doc:"How long the old key still works"`
}

// Key is what may be seen of an API key.
type Key struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes" nullable:"false"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	EndsAt    *time.Time `json:"ends_at" doc:"When it was revoked, or ends after a rotation"`
	LastUsed  *time.Time `json:"last_used_at"`
}

// NewKey is a key with its secret, which is shown this once.
type NewKey struct {
	Key
	Secret string `json:"key" doc:"Shown this once"`
}

func (x *exchange) createKey() error {
	var b KeyBody
	if err := x.decode(&b); err != nil {
		return err
	}
	c := inbound.CreateKey{Name: b.Name, Scopes: b.Scopes}
	if b.ExpiresAt != nil {
		if b.ExpiresAt.IsZero() { // year 1 is past; inside, the zero time means never
			return fault.ErrValidation.At(fault.Field{Pointer: "/expires_at", Code: "in_the_past", Message: "must lie in the future"})
		}
		c.ExpiresAt = *b.ExpiresAt
	}
	got, err := x.s.deps.APIKeys.Create(x.ctx, x.caller, c)
	if err != nil {
		return err
	}
	return x.reply(http.StatusCreated, NewKey{keyOf(got.View), got.Key})
}

func (x *exchange) listKeys() error {
	views, err := x.s.deps.APIKeys.List(x.ctx, x.caller)
	if err != nil {
		return err
	}
	out, err := page(x, views, newestFirst, func(v inbound.KeyView) (time.Time, string) { return v.CreatedAt, string(v.ID) })
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, mapList(out, keyOf))
}

func (x *exchange) rotateKey() error {
	var b RotateBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.APIKeys.Rotate(x.ctx, x.caller, tenant.KeyID(x.pathParam("id")), time.Duration(b.GraceSeconds)*time.Second)
	if err != nil {
		return err
	}
	return x.reply(http.StatusCreated, NewKey{keyOf(got.View), got.Key})
}

func (x *exchange) revokeKey() error {
	if err := x.s.deps.APIKeys.Revoke(x.ctx, x.caller, tenant.KeyID(x.pathParam("id"))); err != nil {
		return err
	}
	return x.empty()
}

func keyOf(v inbound.KeyView) Key {
	scopes := make([]string, len(v.Scopes))
	for i, s := range v.Scopes {
		scopes[i] = string(s)
	}
	return Key{
		ID: string(v.ID), Name: v.Name, Scopes: scopes, CreatedAt: v.CreatedAt.UTC(), ExpiresAt: timeOrNull(v.ExpiresAt),
		EndsAt: timeOrNull(v.EndsAt), LastUsed: timeOrNull(v.LastUsed),
	}
}

// timeOrNull gives nil for the zero time, so that JSON says null.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
