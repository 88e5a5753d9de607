// Package smtp sends mail with github.com/wneessen/go-mail: to a server (Mailer), or into files (Files) where there is none.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	portPlain = 587
	portTLS   = 465
	timeout   = 15 * time.Second
)

// Config names the server and the sender.
type Config struct {
	URL        secret.Text // smtp://user:password@host:port or smtps://…
	From       string      // an address, with or without a name
	RequireTLS bool        // refuse a server off loopback that offers no STARTTLS
	TLS        *tls.Config // nil: the system's roots
	Clock      outbound.Clock
}

// Mailer implements outbound.Mailer.
type Mailer struct {
	host    string
	options []mail.Option
	letters letters
}

var _ outbound.Mailer = (*Mailer)(nil)

// ErrURL is a SMTP_URL that cannot be read; the URL is not quoted, for it holds a password.
var ErrURL = errors.New("must be smtp://user:password@host:port or smtps://user:password@host:port")

// New makes a mailer. It dials nothing yet.
func New(c Config) (*Mailer, error) {
	l, err := newLetters(c.From, c.Clock)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(c.URL.Reveal())
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, ErrURL
	}
	m := &Mailer{host: u.Hostname(), letters: l}
	port := portPlain
	if u.Scheme == "smtps" {
		port = portTLS
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, ErrURL
		}
	}
	m.options = []mail.Option{mail.WithPort(port), mail.WithTimeout(timeout), mail.WithTLSPolicy(mail.TLSOpportunistic)}
	switch {
	case u.Scheme == "smtps":
		m.options = append(m.options, mail.WithSSL())
	case c.RequireTLS && !loopback(m.host):
		m.options = append(m.options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if c.TLS != nil {
		own := c.TLS.Clone()
		own.ServerName = m.host
		m.options = append(m.options, mail.WithTLSConfig(own))
	}
	if password, ok := u.User.Password(); ok {
		m.options = append(m.options, mail.WithUsername(u.User.Username()), mail.WithPassword(password), mail.WithSMTPAuth(authFor(m.host)))
	}
	return m, nil
}

// authFor lets a password go in the clear to this very machine only.
func authFor(host string) mail.SMTPAuthType {
	if loopback(host) {
		return mail.SMTPAuthPlainNoEnc
	}
	return mail.SMTPAuthAutoDiscover
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send implements outbound.Mailer. Each mail has a connection of its own: mails are few, and idle servers hang up.
func (m *Mailer) Send(ctx context.Context, letter outbound.Mail) error {
	msg, err := m.letters.compose(letter)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return fmt.Errorf("make SMTP client: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return quiet(err)
	}
	return nil
}

// quiet leaves out what the server said, for servers quote addresses. What remains tells the step and the code.
func quiet(err error) error {
	if failed, ok := errors.AsType[*mail.SendError](err); ok {
		return fmt.Errorf("send mail: %s: code %d", failed.Reason, failed.ErrorCode())
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("send mail: %w", err)
	}
	return errors.New("send mail: the server cannot be reached, or refused the sign-in")
}

// letters makes messages of one sender.
type letters struct {
	from   *netmail.Address
	domain string
	clock  outbound.Clock
}

func newLetters(from string, clock outbound.Clock) (letters, error) {
	a, err := netmail.ParseAddress(from)
	if err != nil {
		return letters{}, fmt.Errorf("read sender address: %w", err)
	}
	return letters{from: a, domain: a.Address[strings.LastIndexByte(a.Address, '@')+1:], clock: clock}, nil
}

// compose makes the message. Header values with line breaks are refused.
func (l letters) compose(letter outbound.Mail) (*mail.Msg, error) {
	for _, v := range []string{letter.ID, letter.To, letter.Subject} {
		if strings.ContainsAny(v, "\r\n\x00") {
			return nil, errors.New("compose mail: line break in a header value")
		}
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(l.from)
	if a, err := netmail.ParseAddress(letter.To); err != nil || a.Address != letter.To {
		return nil, errors.New("compose mail: the recipient is no plain address")
	}
	if err := msg.To(letter.To); err != nil {
		return nil, errors.New("compose mail: the recipient is no plain address")
	}
	msg.Subject(letter.Subject)
	msg.SetDateWithValue(l.clock())
	msg.SetMessageIDWithValue(letter.ID + "@" + l.domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, letter.Text)
	if letter.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, letter.HTML)
	}
	return msg, nil
}
