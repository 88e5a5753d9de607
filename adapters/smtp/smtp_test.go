package smtp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	server "github.com/emersion/go-smtp"

	"github.com/forge1/forge1/adapters/smtp"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

const from = "Forge 1 <no-reply@forge.example>"

func clock() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

var letter = outbound.Mail{ID: "m-1", To: "ada@example.com", Subject: "Hello", Text: "Hello\n"}

// post is a mail server that keeps what it takes.
type post struct {
	mu       sync.Mutex
	mails    [][]byte
	users    []string
	secure   []bool
	rcpt     error
	password string // "": no sign-in
	addr     string
}

func (p *post) all(*testing.T) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([][]byte(nil), p.mails...)
}

func (p *post) NewSession(c *server.Conn) (server.Session, error) {
	return &visit{post: p, conn: c}, nil
}

type visit struct {
	post *post
	conn *server.Conn
}

func (v *visit) AuthMechanisms() []string {
	if v.post.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != v.post.password {
			return errors.New("no")
		}
		v.post.mu.Lock()
		defer v.post.mu.Unlock()
		v.post.users = append(v.post.users, user)
		return nil
	}), nil
}

func (v *visit) Mail(string, *server.MailOptions) error { return nil }

func (v *visit) Rcpt(string, *server.RcptOptions) error { return v.post.rcpt }

func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.post.mu.Lock()
	defer v.post.mu.Unlock()
	v.post.mails = append(v.post.mails, b)
	_, secure := v.conn.TLSConnectionState()
	v.post.secure = append(v.post.secure, secure)
	return nil
}

func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

// open starts the server; certificate nil offers no TLS, implicit speaks TLS from the start.
func open(t *testing.T, p *post, certificate *tls.Certificate, implicit bool) {
	t.Helper()
	s := server.NewServer(p)
	s.Domain, s.AllowInsecureAuth = "localhost", certificate == nil
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	if certificate != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}
		if implicit {
			l = tls.NewListener(l, s.TLSConfig)
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = l.Close() // in case that serving has not begun, when Close would not know of it
		_ = s.Close()
		<-served
	})
}

func certificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

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

func TestFilesConformance(t *testing.T) {
	conformance.Mailer(t, func(t *testing.T) (outbound.Mailer, func(*testing.T) [][]byte) {
		dir := filepath.Join(t.TempDir(), "made", "when", "needed")
		f, err := smtp.NewFiles(smtp.FilesConfig{Dir: dir, From: from, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		return f, func(t *testing.T) [][]byte { return files(t, dir) }
	})
}

func files(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil || filepath.Ext(name) != ".eml" {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, b)
	}
	return all
}

func TestFilesAreForTheirOwnerAloneAndNamedByID(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	f, err := smtp.NewFiles(smtp.FilesConfig{Dir: dir, From: from, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(files(t, dir)); n != 1 {
		t.Errorf("a mail sent twice: got %d files, want 1", n)
	}
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, "m-1.eml"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	for _, id := range []string{"", "../m", "a/b", ".hidden", ".", ".."} {
		bad := letter
		bad.ID = id
		if err := f.Send(t.Context(), bad); err == nil {
			t.Errorf("id %q: taken", id)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Send(gone, letter); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestAFolderThatCannotBeWrittenIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := smtp.NewFiles(smtp.FilesConfig{Dir: filepath.Join(file, "mail"), From: from, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), letter); err == nil {
		t.Error("taken")
	}
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
