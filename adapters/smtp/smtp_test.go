package smtp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	server "github.com/emersion/go-smtp"

	"github.com/forge1/forge1/adapters/smtp"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

const from = "Forge 1 <no-reply@forge.example>"

func clock() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

var letter = outbound.Mail{ID: "m-1", To: "ada@example.com", Subject: "Hello", Text: "Hello\n"}

func mailer(t *testing.T, url string, trust *x509.CertPool) *smtp.Mailer {
	t.Helper()
	c := smtp.Config{URL: secret.New(url), From: from, Clock: clock}
	if trust != nil {
		c.TLS = &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}
	}
	m, err := smtp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMailerConformance(t *testing.T) {
	conformance.Mailer(t, func(t *testing.T) (outbound.Mailer, func(*testing.T) [][]byte) {
		p := &post{}
		open(t, p, nil, false)
		return mailer(t, "smtp://"+p.addr, nil), p.all
	})
}

func TestEncryptedWhereItIsOffered(t *testing.T) {
	cert, trust := certificate(t)
	for name, c := range map[string]struct {
		cert     *tls.Certificate
		implicit bool
		scheme   string
		secure   bool
	}{
		"no TLS offered":     {nil, false, "smtp", false},
		"STARTTLS offered":   {cert, false, "smtp", true},
		"TLS from the start": {cert, true, "smtps", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := &post{password: "s3cret/+"}
			open(t, p, c.cert, c.implicit)
			if err := mailer(t, c.scheme+"://ada:s3cret%2F+@"+p.addr, trust).Send(t.Context(), letter); err != nil {
				t.Fatal(err)
			}
			if len(p.secure) != 1 || p.secure[0] != c.secure {
				t.Errorf("encrypted: got %v, want %v", p.secure, c.secure)
			}
			if len(p.users) != 1 || p.users[0] != "ada" {
				t.Errorf("signed in: got %v, want ada", p.users)
			}
		})
	}
}

func TestACertificateThatIsNotTrustedEndsIt(t *testing.T) {
	cert, _ := certificate(t)
	_, other := certificate(t)
	p := &post{}
	open(t, p, cert, false)
	if err := mailer(t, "smtp://"+p.addr, other).Send(t.Context(), letter); err == nil || len(p.all(t)) != 0 {
		t.Errorf("got %v and %d mails", err, len(p.mails))
	}
}

func TestRefusalsSayStepAndCodeButNoAddress(t *testing.T) {
	p := &post{rcpt: &server.SMTPError{Code: 550, Message: "ada@example.com is unknown here"}}
	open(t, p, nil, false)
	err := mailer(t, "smtp://"+p.addr, nil).Send(t.Context(), letter)
	if err == nil || !strings.Contains(err.Error(), "550") || strings.Contains(err.Error(), "ada@") {
		t.Errorf("got %v", err)
	}

	p = &post{password: "right"}
	open(t, p, nil, false)
	err = mailer(t, "smtp://ada:wrong@"+p.addr, nil).Send(t.Context(), letter)
	if err == nil || strings.Contains(err.Error(), "wrong") || len(p.all(t)) != 0 {
		t.Errorf("wrong password: got %v", err)
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mailer(t, "smtp://"+p.addr, nil).Send(gone, letter); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestAServerThatHangsIsLeftWithTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // greets, and says nothing more
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		if c, err := l.Accept(); err == nil {
			defer c.Close()
			_, _ = io.WriteString(c, "220 hello\r\n")
			_, _ = io.ReadFull(c, make([]byte, len("EHLO")))
			leave()
			_, _ = io.Copy(io.Discard, c)
		}
	}()
	sent := make(chan error, 1)
	go func() { sent <- mailer(t, "smtp://"+l.Addr().String(), nil).Send(ctx, letter) }()
	select {
	case err := <-sent:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	case <-time.After(10 * time.Second): // the library alone would wait for fifteen
		t.Error("still waiting for the server")
	}
}

func TestWhatCannotBeConfiguredIsRefusedWithoutQuotingIt(t *testing.T) {
	for _, url := range []string{"", "http://ada:s3cret@host", "smtp://", "smtp://ada:s3cret@host:port", "smtp://ada:s3cret@host:1/path", "smtp://ada:s3cret@ho st", "://s3cret"} {
		_, err := smtp.New(smtp.Config{URL: secret.New(url), From: from, Clock: clock})
		if !errors.Is(err, smtp.ErrURL) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: got %v", url, err)
		}
	}
	if _, err := smtp.New(smtp.Config{URL: secret.New("smtp://localhost"), From: "nobody", Clock: clock}); err == nil {
		t.Error("a sender without address: taken")
	}
	if _, err := smtp.NewFiles(smtp.FilesConfig{From: "nobody", Clock: clock}); err == nil {
		t.Error("a sender without address: taken")
	}
}

func TestOffLoopbackTLSCanBeRequired(t *testing.T) {
	p := &post{}
	open(t, p, nil, false)
	_, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.Config{URL: secret.New("smtp://0.0.0.0:" + port), From: from, Clock: clock} // leads here, but is no loopback address
	for _, required := range []bool{true, false} {
		c.RequireTLS = required
		m, err := smtp.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Send(t.Context(), letter); (err != nil) != required {
			t.Errorf("required %v: got %v", required, err)
		}
	}
	if n := len(p.all(t)); n != 1 {
		t.Errorf("got %d mails in the clear, want 1", n)
	}
}
