package attack_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// post is a mail server that keeps what it takes and can misbehave.
type post struct {
	mu      sync.Mutex
	taken   []letter
	offered int // how often a mail was begun
	wait    time.Duration
	refused bool
	hung    chan struct{} // closed when it no longer hangs; nil: it does not
	doubled bool
	ending  chan struct{}
	addr    string
}

// letter is a mail as it was taken.
type letter struct {
	to      string // of the envelope
	raw     string
	header  mail.Header
	subject string
	text    string // the part of text/plain
	html    string // the part of text/html, "" when there is none
}

func openPost(t testing.TB) *post {
	t.Helper()
	p := &post{ending: make(chan struct{})}
	s := smtp.NewServer(p)
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "localhost", true, log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("open the mail server: %v", err)
	}
	p.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		close(p.ending)
		_ = l.Close()
		_ = s.Close()
		<-served
	})
	return p
}

func (p *post) url() string { return "smtp://" + p.addr }

// slow has every mail take so long.
func (p *post) slow(d time.Duration) { p.change(func() { p.wait = d }) }

// refuse has every mail be refused for now (451), or taken again.
func (p *post) refuse(yes bool) { p.change(func() { p.refused = yes }) }

// hang has every mail begun from now on get no answer, until it is called with false.
func (p *post) hang(yes bool) {
	p.change(func() {
		switch {
		case yes && p.hung == nil:
			p.hung = make(chan struct{})
		case !yes && p.hung != nil:
			close(p.hung)
			p.hung = nil
		}
	})
}

// twice has the server take mails and lose its confirmation, so that they come again.
func (p *post) twice(yes bool) { p.change(func() { p.doubled = yes }) }

func (p *post) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

// NewSession begins a visit of a client.
func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{post: p}, nil }

type visit struct {
	post *post
	to   string
}

func (v *visit) Mail(string, *smtp.MailOptions) error { return nil }

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	return nil
}

func (v *visit) Data(r io.Reader) error {
	p := v.post
	p.mu.Lock()
	p.offered++
	wait, refused, hung, doubled := p.wait, p.refused, p.hung, p.doubled
	p.mu.Unlock()
	if hung != nil {
		select {
		case <-hung:
		case <-p.ending:
		}
		return &smtp.SMTPError{Code: 421, Message: "gone"}
	}
	select {
	case <-time.After(wait):
	case <-p.ending:
	}
	if refused {
		return &smtp.SMTPError{Code: 451, Message: "try later"}
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l, err := read(v.to, raw)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, l)
	if doubled {
		return &smtp.SMTPError{Code: 451, Message: "taken, but nobody told you"}
	}
	return nil
}

func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

func read(to string, raw []byte) (letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return letter{}, err
	}
	l := letter{to: to, raw: string(raw), header: m.Header}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, err
	}
	return l, l.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
}

// part takes a part of the mail in.
func (l *letter) part(contentType, encoding string, r io.Reader) error {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(r, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := l.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		r = quotedprintable.NewReader(r)
	}
	body, err := io.ReadAll(r)
	if media == "text/html" {
		l.html = string(body)
	} else {
		l.text += string(body)
	}
	return err
}

// all gives the mails to an address so far, or to anybody for "".
func (p *post) all(to string) []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []letter
	for _, l := range p.taken {
		if to == "" || strings.EqualFold(l.to, to) {
			out = append(out, l)
		}
	}
	return out
}

// begun counts how often a client began to hand a mail over.
func (p *post) begun() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offered
}

// await waits for the n-th mail to an address whose text or subject holds all of these, and gives it. n counts from 1.
func (p *post) await(t testing.TB, to string, n int, has ...string) letter {
	t.Helper()
	var found []letter
	eventually(t, fmt.Sprintf("mail %d to %s with %q", n, to, has), func() bool {
		found = nil
		for _, l := range p.all(to) {
			if holdsAll(l.subject+"\n"+l.text, has) {
				found = append(found, l)
			}
		}
		return len(found) >= n
	})
	return found[n-1]
}

func holdsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

var link = regexp.MustCompile(`\S+/auth/(\w+)\?token=([A-Za-z0-9_.~-]+)`)

// link gives the link of a mail and its token.
func (l letter) link() (url, token string) {
	m := link.FindStringSubmatch(l.text)
	if m == nil {
		return "", ""
	}
	return m[0], m[2]
}

// token waits for the n-th mail with a link of a kind (verify, reset, invite) and gives the link's token.
func (w *world) token(t testing.TB, to, kind string, n int) string {
	t.Helper()
	_, token := w.mail.await(t, to, n, "/auth/"+kind+"?token=").link()
	w.remember(kind+" token", token)
	return token
}

// mails counts the mails to an address once those on their way have come: when nothing waits in the outbox any more.
func (w *world) mails(t testing.TB, to string) int {
	t.Helper()
	eventually(t, "an empty outbox", func() bool { return w.count(t, `SELECT count(*) FROM outbox WHERE sent_at IS NULL`) == 0 })
	return len(w.mail.all(to))
}
