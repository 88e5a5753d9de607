package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// Register implements inbound.Auth. Whatever the address, it spends one hash and one transaction that ends in the outbox.
func (s *Service) Register(ctx context.Context, c inbound.Register) (inbound.Registered, error) {
	ctx = from(ctx, c.Origin)
	draft, err := s.draft(c)
	if err != nil {
		return inbound.Registered{}, err
	}
	settle, err := s.guard(ctx, s.ofNetwork(registerIP, c.Origin.IP))
	if err != nil {
		return inbound.Registered{}, err
	}
	done, err := s.register(ctx, c, draft)
	_ = settle(!sentAway(err)) // all count that were not sent away, good or not
	return done, err
}

// register spends the hash and keeps the registration.
func (s *Service) register(ctx context.Context, c inbound.Register, draft user.Registration) (inbound.Registered, error) {
	invited, err := s.invited(ctx, c, draft)
	if err != nil {
		return inbound.Registered{}, fmt.Errorf("find invitation: %w", err)
	}
	if err := s.breached(ctx, "/password", c.Password); err != nil {
		return inbound.Registered{}, err
	}
	if draft.PasswordHash, err = s.Hasher.Hash(ctx, c.Password); err != nil {
		return inbound.Registered{}, fmt.Errorf("hash password: %w", err)
	}
	token, hash := s.mailToken()
	draft.TokenHash = hash
	verified := false
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) (err error) {
		if verified = false; invited != nil {
			if verified, err = s.welcomeInvited(ctx, repos, draft, *invited); err != nil || verified {
				return err
			}
		}
		return s.keepDraft(ctx, repos, draft, token)
	})
	if err != nil {
		return inbound.Registered{}, fmt.Errorf("register: %w", err)
	}
	s.Postman.Wake()
	if verified {
		return inbound.Registered{Verified: true}, nil
	}
	return inbound.Registered{ExpiresIn: s.Config.VerifyTTL}, nil
}

// draft reads the input. Its answer depends on nothing else.
func (s *Service) draft(c inbound.Register) (user.Registration, error) {
	var (
		wrong mistakes
		r     = user.Registration{DisplayName: c.DisplayName}
		err   error
	)
	r.Email, err = user.ParseEmail(c.Email, s.ToASCII)
	wrong.note(err)
	if c.Username != "" {
		r.Username, err = user.ParseUsername(c.Username)
		wrong.note(err)
	}
	wrong.note(user.CheckDisplayName(c.DisplayName))
	if c.HasTenant {
		r.TenantName, r.TenantSlug = c.TenantName, c.TenantSlug
		wrong.note(tenant.CheckName(c.TenantName))
		if c.TenantSlug != "" {
			wrong.note(tenant.CheckSlug(c.TenantSlug))
		}
	}
	if err := wrong.err(); err != nil {
		return r, err
	}
	return r, s.Config.Passwords.Check("/password", c.Password, r.Email.LocalPart(), r.Username.String(), r.TenantName)
}

// keepDraft adds the registration with its mail. For an address that has an account the row is dead from the start: it only counts the mail. Past the
// limits nothing is kept but a letter to nobody, once in a while.
func (s *Service) keepDraft(ctx context.Context, repos outbound.Repos, r user.Registration, token string) error {
	now := s.Clock()
	canon := r.Email.Canon()
	owner, err := repos.Users.FindByEmail(ctx, canon)
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return fmt.Errorf("find user: %w", err)
	}
	made, live, err := repos.Registrations.Since(ctx, canon, now.Add(-letters.Window), now)
	if err != nil {
		return fmt.Errorf("count registrations: %w", err)
	}
	if made >= user.RegistrationLimit || live >= user.RegistrationLimit {
		return s.silence(ctx, repos.Outbox, canon, now)
	}
	r.ID, r.CreatedAt, r.ExpiresAt = s.NewID(), now, now.Add(s.Config.VerifyTTL)
	letter := s.verification(r.Email, token)
	if owner != nil {
		r.ExpiresAt, r.PasswordHash = now, ""
		letter = s.alreadyRegistered(owner.Email())
	}
	if err := repos.Registrations.Add(ctx, r); err != nil {
		return fmt.Errorf("add registration: %w", err)
	}
	n := s.noted(suspect{name: canon, user: owner})
	if n.Name = "user_registered"; owner != nil {
		n.Reason = "already_registered"
	}
	if err := repos.Audit.Append(ctx, n); err != nil {
		return fmt.Errorf("note registration: %w", err)
	}
	return s.post(ctx, repos.Outbox, "register:"+r.ID, letter, now)
}
