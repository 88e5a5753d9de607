package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// suspect is whoever a login names: a user, an address that waits to be proven, or nobody.
type suspect struct {
	name string     // e-mail address or username, in canonical form
	user *user.User // nil: nobody that may sign in
	hash string     // "" matches nothing, and costs the same
}

// account names the suspect in a bucket: a user alike whether by address or by name.
func (w suspect) account() string {
	if w.user != nil {
		return account(w.user.ID())
	}
	return stranger(w.name)
}

// Login implements inbound.Auth. Every path past the syntax and the throttle costs exactly one verification of a password.
func (s *Service) Login(ctx context.Context, c inbound.Login) (inbound.LoggedIn, error) {
	ctx = from(ctx, c.Origin)
	who, err := s.suspect(ctx, c)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	counted := s.passwordBuckets(who.account(), c.Origin.IP)
	place, err := s.admit(ctx, s.noted(who), append(counted, s.ofNetwork(loginIP, c.Origin.IP))...)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	ok, stale, err := s.Hasher.Verify(ctx, who.hash, c.Password)
	if err != nil {
		_ = place.settle(ctx, false) // nothing was learned
		return inbound.LoggedIn{}, fmt.Errorf("verify password: %w", err)
	}
	if !ok || who.user != nil && !who.user.MaySignIn() {
		if err := place.settle(ctx, true); err != nil {
			return inbound.LoggedIn{}, err
		}
		return inbound.LoggedIn{}, s.refuse(ctx, who, "credentials", ErrInvalidCredentials)
	}
	retried := place.failedBefore(len(counted))
	s.forgive(ctx, place, len(counted))
	if who.user == nil {
		return inbound.LoggedIn{}, s.refuse(ctx, who, "unverified", ErrEmailNotVerified)
	}
	in, err := s.home(ctx, who.user, c.Tenant)
	if errors.Is(err, ErrTenantDenied) {
		return inbound.LoggedIn{}, s.refuse(ctx, who, "tenant", ErrTenantDenied)
	}
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	b := beginning{user: who.user, in: in, amr: []string{"pwd"}, origin: c.Origin, retried: retried}
	if stale {
		b.rehashed, _ = s.Hasher.Hash(ctx, c.Password) // when there is no room for it now, the next login does it
	}
	if who.user.MFA() {
		return s.challenge(ctx, b)
	}
	tokens, err := s.start(ctx, b)
	if err != nil {
		return inbound.LoggedIn{}, err
	}
	return inbound.LoggedIn{Tokens: &tokens}, nil
}

// forgive gives the place of a right password back, and begins the counts of wrong ones anew, in the first n buckets. When nobody can be told, they end by themselves.
func (s *Service) forgive(ctx context.Context, place *lease, n int) {
	_ = place.settle(ctx, false)
	if place.failedBefore(n) {
		_ = s.Throttle.Clear(ctx, place.buckets[:n])
	}
}

// noted is what the audit log says of whoever a login names: a user by id, a name by a mask and a MAC alone. Some type their password where the name belongs.
func (s *Service) noted(who suspect) event.Noted {
	_, mac := s.Keyring.MAC(labelAudit, []byte(who.name))
	n := event.Noted{At: s.Clock(), Detail: map[string]string{"name_mac": hex.EncodeToString(mac[:]), "name_mask": mask(who.name)}}
	if who.user != nil {
		n.Subject, n.Tenant = string(who.user.ID()), who.user.LastTenant()
	}
	return n
}

// mask leaves the first letter of each part of a name.
func mask(name string) string {
	local, domain, isAddress := strings.Cut(name, "@")
	if !isAddress {
		return name[:1] + "***"
	}
	return local[:1] + "***@" + domain[:1] + "***"
}

// refuse has the audit log say why a login failed, and gives the answer. Both cost the same for every name.
func (s *Service) refuse(ctx context.Context, who suspect, reason string, answer error) error {
	n := s.noted(who)
	n.Name, n.Reason = "authn_login_fail", reason
	if err := s.Tx.View().Audit.Append(ctx, n); err != nil {
		return fmt.Errorf("note login: %w", err)
	}
	return answer
}

// suspect finds whom the login names. By address it always asks for a registration too, so that the number of statements tells nothing.
func (s *Service) suspect(ctx context.Context, c inbound.Login) (suspect, error) {
	if (c.Email == "") == (c.Username == "") {
		return suspect{}, fault.ErrValidation.At(fault.Field{Pointer: "/email", Code: "exactly_one", Message: "give either email or username"})
	}
	repos := s.Tx.View()
	if c.Username != "" {
		name, err := user.ParseUsername(c.Username)
		if err != nil {
			return suspect{}, err
		}
		u, err := repos.Users.FindByUsername(ctx, name.String())
		return suspectOf(name.String(), u, err)
	}
	email, err := user.ParseEmail(c.Email, s.ToASCII)
	if err != nil {
		return suspect{}, err
	}
	u, err := repos.Users.FindByEmail(ctx, email.Canon())
	who, err := suspectOf(email.Canon(), u, err)
	if err != nil {
		return suspect{}, err
	}
	pending, err := repos.Registrations.Newest(ctx, email.Canon(), s.Clock())
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return suspect{}, fmt.Errorf("find registration: %w", err)
	}
	if who.user == nil && err == nil {
		who.hash = pending.PasswordHash
	}
	return who, nil
}

func suspectOf(name string, u *user.User, err error) (suspect, error) {
	if errors.Is(err, user.ErrNotFound) {
		return suspect{name: name}, nil
	}
	if err != nil {
		return suspect{}, fmt.Errorf("find user: %w", err)
	}
	return suspect{name: name, user: u, hash: u.PasswordHash()}, nil
}

// home picks the tenant to sign in to: the one named, else that of the last sign-in, else the oldest membership.
func (s *Service) home(ctx context.Context, u *user.User, wanted string) (tenant.ID, error) {
	mine, err := s.Tx.View().Tenants.OfUser(ctx, u.ID())
	if err != nil {
		return "", fmt.Errorf("list tenants: %w", err)
	}
	t, ok := tenant.Choose(mine, wanted, tenant.ID(u.LastTenant()))
	if !ok {
		return "", ErrTenantDenied
	}
	return t.ID(), nil
}

// start begins the session of a login by password alone.
func (s *Service) start(ctx context.Context, b beginning) (inbound.Tokens, error) {
	var (
		begun *session.Session
		ended []session.ID
	)
	done, err := s.turns.take(ctx, b.user.ID())
	if err != nil {
		return inbound.Tokens{}, err
	}
	defer done()
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) (err error) {
		begun, ended, err = s.begin(ctx, repos, b)
		return err
	})
	if errors.Is(err, errOvertaken) {
		return inbound.Tokens{}, ErrInvalidCredentials
	}
	if err != nil {
		return inbound.Tokens{}, fmt.Errorf("start session: %w", err)
	}
	s.bury(ctx, ended...)
	return s.tokens(begun, b.user)
}

// tokens makes the pair for the session's generation in force.
func (s *Service) tokens(on *session.Session, u *user.User) (inbound.Tokens, error) {
	now := s.Clock()
	expires := now.Add(s.Config.AccessTTL)
	if on.Until().Before(expires) {
		expires = on.Until()
	}
	access, err := s.Tokens.Sign(outbound.AccessClaims{
		Subject: u.ID(), SessionID: on.ID(), TenantID: on.Tenant(), ID: s.NewID(), IssuedAt: now, Expires: expires,
		AuthTime: on.AuthTime(), AMR: on.AMR(),
	})
	if err != nil {
		return inbound.Tokens{}, fmt.Errorf("sign access token: %w", err)
	}
	return inbound.Tokens{
		Access: access, AccessFor: expires.Sub(now).Truncate(time.Second), Refresh: s.refreshToken(on), RefreshFor: on.RefreshUntil().Sub(now).Round(time.Second),
		SessionID: on.ID(), TenantID: tenant.ID(on.Tenant()), AuthTime: on.AuthTime(), AMR: on.AMR(),
		UserID: u.ID(), Email: u.Email().String(), Username: u.Username().String(), MFAEnabled: u.MFA(),
	}, nil
}
