package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// The letters hold nothing that a stranger could have typed but the address itself: whoever registers with someone else's address must not be able to say
// something to its owner.

// nobody is a letter that is carried nowhere; it makes branches without a mail cost what the others do.
func nobody() outbound.Mail { return outbound.Mail{} }

func (s *Service) verification(to user.Email, token string) outbound.Mail {
	return outbound.Mail{
		To:      to.String(),
		Subject: "Confirm your e-mail address",
		Text: "Someone, hopefully you, asked for an account at\n" + s.Config.PublicBaseURL + "\nwith this e-mail address.\n\n" +
			"To confirm it, open this link and press the button there:\n\n" + s.link("verify", token) + "\n\n" +
			"The link works once, for " + spell(s.Config.VerifyTTL) + ". If it was not you, do not open it; without it there will be no account.\n",
	}
}

func (s *Service) alreadyRegistered(to user.Email) outbound.Mail {
	return outbound.Mail{
		To:      to.String(),
		Subject: "You already have an account",
		Text: "Someone, hopefully you, asked for an account at\n" + s.Config.PublicBaseURL + "\nwith this e-mail address. It has one already; nothing was changed.\n\n" +
			"If you forgot your password, ask for a new one there. If it was not you, there is nothing to do.\n",
	}
}

func (s *Service) welcome(to user.Email) outbound.Mail {
	return outbound.Mail{
		To:      to.String(),
		Subject: "Your account is ready",
		Text:    "Your e-mail address is confirmed. You can sign in at\n" + s.Config.PublicBaseURL + "\n",
	}
}

func (s *Service) tokenReused(to user.Email) outbound.Mail {
	return outbound.Mail{
		To:      to.String(),
		Subject: "One of your sessions was ended",
		Text: "An old token of one of your sessions at\n" + s.Config.PublicBaseURL + "\nwas used again. That happens when a token was copied, so this session was ended; " +
			"your other sessions go on.\n\nSign in again where you were signed out. If that happens often, change your password.\n",
	}
}

// link leads to the page that shows a button for a token. It is made of the configuration alone, never of a request.
func (s *Service) link(page, token string) string {
	base := s.Config.AuthUIURL
	if base == "" {
		base = s.Config.PublicBaseURL + "/auth"
	}
	return base + "/" + page + "?token=" + token
}

// post puts a letter into the outbox, sealed and bound to its id.
func (s *Service) post(ctx context.Context, box outbound.Outbox, dedupe string, letter outbound.Mail, now time.Time) error {
	letter.ID = s.NewID()
	plain, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("encode letter: %w", err)
	}
	err = box.Put(ctx, outbound.Message{
		ID: letter.ID, DedupeKey: dedupe, CreatedAt: now, NotBefore: now,
		Sealed: s.Keyring.Seal(labelOutbox, plain, []byte(letter.ID)),
	})
	if err != nil {
		return fmt.Errorf("put letter: %w", err)
	}
	return nil
}

// spell says a lifetime as people do.
func spell(d time.Duration) string {
	unit, name := time.Minute, "minute"
	if d >= time.Hour && d%time.Hour == 0 {
		unit, name = time.Hour, "hour"
	}
	n := max(1, int64(d/unit))
	if n == 1 {
		return "one " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}
