package smtp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	server "github.com/emersion/go-smtp"
)

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
