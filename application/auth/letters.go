package auth

import (
	"context"
	"time"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// letters writes what this service mails.
func (s *Service) letters() letters.Writer {
	return letters.New(letters.Config{
		PublicBaseURL: s.Config.PublicBaseURL, AuthUIURL: s.Config.AuthUIURL, VerifyTTL: s.Config.VerifyTTL, ResetTTL: s.Config.ResetTTL, InviteTTL: s.Config.InviteTTL,
	})
}

func (s *Service) verification(to user.Email, token string) outbound.Mail {
	return s.letters().Verification(to, token)
}

func (s *Service) alreadyRegistered(to user.Email) outbound.Mail {
	return s.letters().AlreadyRegistered(to)
}

func (s *Service) welcome(to user.Email) outbound.Mail { return s.letters().Welcome(to) }

func (s *Service) resetLink(to user.Email, token string) outbound.Mail {
	return s.letters().Reset(to, token)
}

func (s *Service) passwordChanged(to user.Email) outbound.Mail {
	return s.letters().PasswordChanged(to)
}

func (s *Service) passwordReset(to user.Email) outbound.Mail { return s.letters().PasswordReset(to) }

func (s *Service) tokenReused(to user.Email) outbound.Mail { return s.letters().TokenReused(to) }

func (s *Service) mfaEnabled(to user.Email) outbound.Mail { return s.letters().MFAEnabled(to) }

func (s *Service) mfaDisabled(to user.Email) outbound.Mail { return s.letters().MFADisabled(to) }

func (s *Service) otpLocked(to user.Email) outbound.Mail { return s.letters().OTPLocked(to) }

func (s *Service) recoveryUsed(to user.Email, left int) outbound.Mail {
	return s.letters().RecoveryUsed(to, left)
}

// post puts a letter into the outbox, once for a key.
func (s *Service) post(ctx context.Context, box outbound.Outbox, dedupe string, letter outbound.Mail, now time.Time) error {
	return letters.Post{Keyring: s.Keyring, NewID: s.NewID}.Put(ctx, box, dedupe, letter, now)
}

// silence puts a letter to nobody, where a stranger must not see that there is none.
func (s *Service) silence(ctx context.Context, box outbound.Outbox, canon string, now time.Time) error {
	return letters.Post{Keyring: s.Keyring, NewID: s.NewID}.Silence(ctx, box, canon, now)
}
