package harness

import (
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var tokenInLink = regexp.MustCompile(`[?&]token=([A-Za-z0-9_-]+)`)

// MailTo waits for a mail to an address whose text has all of these, and gives its text.
func (f *Forge) MailTo(t testing.TB, address string, has ...string) string {
	t.Helper()
	var found string
	Eventually(t, "a mail to "+address, func() bool {
		files, _ := filepath.Glob(filepath.Join(f.Mail, "*.eml"))
		for _, file := range files {
			if text, ok := readMail(file, address); ok && containsAll(text, has) {
				found = text
				return true
			}
		}
		return false
	})
	return found
}

// TokenMailedTo waits for a mail with a link of a kind (verify, reset, invite) and gives the link's token.
func (f *Forge) TokenMailedTo(t testing.TB, address, kind string) string {
	t.Helper()
	m := tokenInLink.FindStringSubmatch(f.MailTo(t, address, "/"+kind+"?token="))
	if m == nil {
		t.Fatalf("the mail to %s has no token", address)
	}
	return m[1]
}

func readMail(file, address string) (string, bool) {
	raw, err := os.Open(file)
	if err != nil {
		return "", false
	}
	defer func() { _ = raw.Close() }()
	msg, err := mail.ReadMessage(raw)
	if err != nil || !strings.Contains(msg.Header.Get("To"), address) {
		return "", false
	}
	body := msg.Body
	if strings.EqualFold(msg.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	return string(text), err == nil
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}
