// Package smtp sends mail with github.com/wneessen/go-mail: to a server (Mailer), or into files (Files) where there is none.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

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
	host     string
	options  []mail.Option
	tls      *tls.Config
	implicit bool // TLS from the start
	letters  letters
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
	m := &Mailer{host: u.Hostname(), implicit: u.Scheme == "smtps", letters: l, tls: &tls.Config{MinVersion: tls.VersionTLS12}}
	port, policy := portPlain, mail.TLSOpportunistic
	if m.implicit {
		port, policy = portTLS, mail.NoTLS // what the library would add to the TLS that is there
	} else if c.RequireTLS && !loopback(m.host) {
		policy = mail.TLSMandatory
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, ErrURL
		}
	}
	if c.TLS != nil {
		m.tls = c.TLS.Clone()
	}
	m.tls.ServerName = m.host
	m.options = []mail.Option{mail.WithPort(port), mail.WithTimeout(timeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(m.tls)}
	if password, ok := u.User.Password(); ok {
		m.options = append(m.options, mail.WithUsername(u.User.Username()), mail.WithPassword(password), mail.WithOpportunisticSMTPAuth(signIns(m.host)...))
	}
	return m, nil
}

// signIns are the ways to sign in, best first. The plain ones refuse a connection that is not encrypted, but to this very machine.
func signIns(host string) []mail.SMTPAuthType {
	ways := []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin}
	if loopback(host) {
		ways[2], ways[3] = mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc
	}
	return ways
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send implements outbound.Mailer. Each mail has a connection of its own: mails are few, and idle servers hang up. The end of the context ends it, whatever the
// server does.
func (m *Mailer) Send(ctx context.Context, letter outbound.Mail) error {
	msg, err := m.letters.compose(letter)
	if err != nil {
		return err
	}
	line := &line{tls: m.tls, implicit: m.implicit}
	defer line.hangUp()
	defer context.AfterFunc(ctx, line.hangUp)()
	client, err := mail.NewClient(m.host, append(slices.Clone(m.options), mail.WithDialContextFunc(line.dial))...)
	if err != nil {
		return fmt.Errorf("make SMTP client: %w", err)
	}
	conversation, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		err = client.SendWithSMTPClient(conversation, msg)
	}
	if err != nil {
		return quiet(ctx, err)
	}
	_ = client.CloseWithSMTPClient(conversation) // the mail was taken; a goodbye that fails must not make us send it again
	return nil
}

// line is the one connection of a mail. The library leaves it open when the sign-in fails, and listens to the context while dialling only.
type line struct {
	tls      *tls.Config
	implicit bool

	mu    sync.Mutex
	conn  net.Conn
	ended bool
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.conn = conn
	ended := l.ended
	l.mu.Unlock()
	if ended {
		return nil, errors.Join(context.Canceled, conn.Close())
	}
	if !l.implicit {
		return conn, nil
	}
	secured := tls.Client(conn, l.tls)
	return secured, secured.HandshakeContext(ctx)
}

func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.conn != nil {
		_ = l.conn.Close() // there is nobody left to tell
	}
}

// quiet leaves out what the server said, for servers quote addresses. What remains tells the step and the code.
func quiet(ctx context.Context, err error) error {
	if gone := ctx.Err(); gone != nil {
		return fmt.Errorf("send mail: %w", gone)
	}
	if failed, ok := errors.AsType[*mail.SendError](err); ok {
		return fmt.Errorf("send mail: %s: code %d", failed.Reason, failed.ErrorCode())
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
	encoding := mail.EncodingQP
	if plain(letter.Text) && plain(letter.HTML) {
		encoding = mail.NoEncoding // nothing to encode, so links stay as they are, also for whoever reads the file
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(encoding))
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

// maxLine is the longest line that may be sent as it is (RFC 5321, 4.5.3.1.6), its end not counted.
const maxLine = 998

// plain reports whether a text needs no encoding: ASCII, in lines that are short enough.
func plain(text string) bool {
	for line := range strings.Lines(text) {
		if len(line) > maxLine {
			return false
		}
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || r == 0 || r == '\r' })
}
