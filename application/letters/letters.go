// Package letters writes every mail that Forge 1 sends (Writer), as text and as HTML that say the same, and puts it into the outbox (Post).
//
// A letter holds nothing that a stranger could have typed but the address that it goes to: whoever registers with someone else's address must not be able to say
// something to its owner. The one exception is the name of a tenant that invites; it is shown as a quotation, cut short, and in a form that no mail program makes a
// link of. Every link is made of the configuration alone, never of a request.
package letters

import (
	"embed"
	"fmt"
	html "html/template"
	"io"
	"strings"
	text "text/template"
	"time"
	"unicode"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// maxShownName is how many characters of a tenant's name a letter shows.
const maxShownName = 60

// Config is what letters say of this installation.
type Config struct {
	PublicBaseURL string // where Forge is reached
	AuthUIURL     string // where links lead; "" is PublicBaseURL + "/auth"
	VerifyTTL     time.Duration
	ResetTTL      time.Duration
	InviteTTL     time.Duration
}

// Writer writes letters.
type Writer struct{ config Config }

// New makes a writer.
func New(c Config) Writer { return Writer{c} }

// Nobody is a letter that is carried nowhere; it makes branches without a mail cost what the others do.
func Nobody() outbound.Mail { return outbound.Mail{} }

// Verification asks the owner of an address to prove it.
func (w Writer) Verification(to user.Email, token string) outbound.Mail {
	return w.write("verification", to, facts{Link: w.link("verify", token), Life: spell(w.config.VerifyTTL)})
}

// AlreadyRegistered tells the owner of an account that someone registered with its address.
func (w Writer) AlreadyRegistered(to user.Email) outbound.Mail {
	return w.write("already_registered", to, facts{})
}

// RegisterAgain asks whoever wants a new link to register once more, because several registrations wait for the address and a link of a stranger's would confirm the
// stranger's password.
func (w Writer) RegisterAgain(to user.Email) outbound.Mail {
	return w.write("register_again", to, facts{})
}

// Welcome says that the account is there.
func (w Writer) Welcome(to user.Email) outbound.Mail { return w.write("welcome", to, facts{}) }

// Reset leads to a new password.
func (w Writer) Reset(to user.Email, token string) outbound.Mail {
	return w.write("reset", to, facts{Link: w.link("reset", token), Life: spell(w.config.ResetTTL)})
}

// PasswordChanged says that the password was changed by someone who knew it.
func (w Writer) PasswordChanged(to user.Email) outbound.Mail {
	return w.write("password_changed", to, facts{})
}

// PasswordReset says that the password was changed by a mailed link.
func (w Writer) PasswordReset(to user.Email) outbound.Mail {
	return w.write("password_reset", to, facts{})
}

// MFAEnabled says that a second factor is asked for now.
func (w Writer) MFAEnabled(to user.Email) outbound.Mail { return w.write("mfa_enabled", to, facts{}) }

// MFADisabled says that no second factor is asked for any more.
func (w Writer) MFADisabled(to user.Email) outbound.Mail { return w.write("mfa_disabled", to, facts{}) }

// RecoveryUsed says that a recovery code was used, and how many are left.
func (w Writer) RecoveryUsed(to user.Email, left int) outbound.Mail {
	return w.write("recovery_used", to, facts{Left: left})
}

// OTPLocked says that too many wrong codes were tried.
func (w Writer) OTPLocked(to user.Email) outbound.Mail { return w.write("otp_locked", to, facts{}) }

// TokenReused says that a session was ended because an old token of it came back.
func (w Writer) TokenReused(to user.Email) outbound.Mail { return w.write("token_reused", to, facts{}) }

// Invitation asks the owner of an address to join a tenant.
func (w Writer) Invitation(to user.Email, tenantName string, role tenant.Role, token string) outbound.Mail {
	return w.write("invitation", to, facts{Link: w.link("invite", token), Life: spell(w.config.InviteTTL), Tenant: quiet(tenantName), Role: string(role)})
}

// MemberJoined tells a user of a new membership of its own.
func (w Writer) MemberJoined(to user.Email, tenantName string, role tenant.Role) outbound.Mail {
	return w.write("member_joined", to, facts{Tenant: quiet(tenantName), Role: string(role)})
}

// link leads to the page that shows a button for a token.
func (w Writer) link(page, token string) string {
	base := w.config.AuthUIURL
	if base == "" {
		base = w.config.PublicBaseURL + "/auth"
	}
	return base + "/" + page + "?token=" + token
}

// facts are what templates may say.
type facts struct {
	Base   string
	Link   string
	Life   string
	Tenant string
	Role   string
	Left   int
}

//go:embed templates
var files embed.FS

// sheet is a letter's template, made ready for both forms.
type sheet struct {
	text *text.Template
	html *html.Template
}

var sheets = parse(
	"verification", "already_registered", "register_again", "welcome", "reset", "password_changed", "password_reset", "mfa_enabled", "mfa_disabled",
	"recovery_used", "otp_locked", "token_reused", "invitation", "member_joined",
)

// button is what a link looks like where links can look like something.
type button struct{ Label, URL string }

// parse reads each letter twice, once in either layout. A letter that cannot be read is found at the first start of the program, and by every test.
func parse(names ...string) map[string]sheet {
	funcs := map[string]any{"button": func(label, url string) button { return button{label, url} }}
	plain := text.Must(text.New("").Funcs(funcs).ParseFS(files, "templates/layout.txt"))
	rich := html.Must(html.New("").Funcs(funcs).ParseFS(files, "templates/layout.html"))
	all := make(map[string]sheet, len(names))
	for _, name := range names {
		file := "templates/" + name + ".tmpl"
		all[name] = sheet{
			text: text.Must(text.Must(plain.Clone()).ParseFS(files, file)),
			html: html.Must(html.Must(rich.Clone()).ParseFS(files, file)),
		}
	}
	return all
}

func (w Writer) write(name string, to user.Email, f facts) outbound.Mail {
	f.Base = w.config.PublicBaseURL
	s := sheets[name]
	return outbound.Mail{
		To:      to.String(),
		Subject: strings.TrimSpace(fill(s.text, "subject", f)),
		Text:    fill(s.text, "layout.txt", f),
		HTML:    fill(s.html, "layout.html", f),
	}
}

func fill(t interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}, name string, f facts,
) string {
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name, f); err != nil {
		panic(fmt.Sprintf("letters: %v", err)) // a mistake in a template: nothing that was typed can cause it
	}
	return b.String()
}

// quiet makes a name that someone typed fit to be shown: one line, not long, and with nothing that a mail program makes a link of.
func quiet(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	}), " ")
	var b strings.Builder
	shown, linkable := 0, false
	for _, r := range name {
		if linkable && r != ' ' {
			b.WriteByte(' ')
		}
		if shown++; shown > maxShownName {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
		linkable = strings.ContainsRune(".:/@\\。．｡：／＠", r)
	}
	return b.String()
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
