package conformance

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"github.com/forge1/forge1/ports/outbound"
)

// Mailer is the suite of outbound.Mailer. sent gives the raw messages that arrived, oldest first.
func Mailer(t *testing.T, makeMailer func(t *testing.T) (m outbound.Mailer, sent func(t *testing.T) [][]byte)) {
	t.Helper()
	letter := outbound.Mail{
		ID: "0199f2c4-0000-7000-8000-000000000001", To: "ada@example.com", Subject: "Grüße – confirm",
		Text: "Hello,\nopen https://forge.example/auth/verify?token=AbC-_123\n.\nÜber\n",
	}
	one := func(t *testing.T, sent func(*testing.T) [][]byte) *mail.Message {
		t.Helper()
		all := sent(t)
		if len(all) != 1 {
			t.Fatalf("got %d mails, want 1", len(all))
		}
		msg, err := mail.ReadMessage(bytes.NewReader(all[0]))
		if err != nil {
			t.Fatalf("read mail: %v", err)
		}
		return msg
	}

	t.Run("a mail arrives as it was written", func(t *testing.T) {
		m, sent := makeMailer(t)
		if err := m.Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
		msg := one(t, sent)
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || subject != letter.Subject {
			t.Errorf("subject: got %q, %v, want %q", subject, err, letter.Subject)
		}
		if to, err := msg.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != letter.To {
			t.Errorf("to: got %v, %v", to, err)
		}
		if got := textOf(t, msg.Header, msg.Body); got != letter.Text {
			t.Errorf("text: got %q, want %q", got, letter.Text)
		}
		if id := msg.Header.Get("Message-Id"); !strings.HasPrefix(id, "<"+letter.ID+"@") {
			t.Errorf("message id: got %q", id)
		}
		if msg.Header.Get("Date") == "" || msg.Header.Get("From") == "" || msg.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("header: got %v", msg.Header)
		}
		for _, tells := range []string{"User-Agent", "X-Mailer"} {
			if v := msg.Header.Get(tells); v != "" {
				t.Errorf("%s tells %q", tells, v)
			}
		}
	})
	t.Run("a mail with HTML keeps its text", func(t *testing.T) {
		m, sent := makeMailer(t)
		both := letter
		both.HTML = "<p>Über</p>"
		if err := m.Send(t.Context(), both); err != nil {
			t.Fatal(err)
		}
		msg := one(t, sent)
		kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
		if err != nil || kind != "multipart/alternative" {
			t.Fatalf("got %s, %v", kind, err)
		}
		parts := multipart.NewReader(msg.Body, params["boundary"])
		for _, want := range []string{both.Text, both.HTML} {
			p, err := parts.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			if got := textOf(t, mail.Header(p.Header), p); strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
				t.Errorf("part: got %q, want %q", got, want)
			}
		}
	})
	t.Run("nothing is smuggled into the header", func(t *testing.T) {
		for name, bad := range map[string]func(*outbound.Mail){
			"recipient":           func(l *outbound.Mail) { l.To = "ada@example.com\r\nBcc: eve@example.com" },
			"recipient as a list": func(l *outbound.Mail) { l.To = "ada@example.com, eve@example.com" },
			"recipient with name": func(l *outbound.Mail) { l.To = "Eve <eve@example.com>" },
			"nobody":              func(l *outbound.Mail) { l.To = "" },
			"subject":             func(l *outbound.Mail) { l.Subject = "Hi\r\nBcc: eve@example.com" },
			"id":                  func(l *outbound.Mail) { l.ID = "x>\r\nBcc: eve@example.com" },
		} {
			m, sent := makeMailer(t)
			l := letter
			bad(&l)
			if err := m.Send(t.Context(), l); err == nil {
				t.Errorf("%s: taken", name)
			}
			if n := len(sent(t)); n != 0 {
				t.Errorf("%s: %d mails went out", name, n)
			}
		}
	})
}

func textOf(t *testing.T, h mail.Header, body io.Reader) string {
	t.Helper()
	switch enc := h.Get("Content-Transfer-Encoding"); enc {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "", "7bit", "8bit":
	default:
		t.Fatalf("transfer encoding %q", enc)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}
