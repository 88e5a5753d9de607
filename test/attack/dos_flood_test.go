package attack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func init() {
	row("DOS-5", "sessions of one user, pending registrations and audit rows without end", floods, env("AUDIT_RETENTION", "720h"))
	row("DOS-6", "a hundred registrations and a hundred resets for one victim from a hundred addresses", mailBomb, alone)
}

// floods does a hundredth of what the table names where each costs a password's hash, which a test cannot have faster: what bounds them is the same.
// All of it happens fifty days ago, so that the housekeeping of today's start must take it away.
func floods(t *testing.T, w *world) {
	const past = 50 * 24 * time.Hour
	w.clock.set(t, -past)
	u, other := w.user(t), w.user(t)
	live := func(u account) int {
		return w.count(t, `SELECT count(*) FROM auth_sessions WHERE user_id = ? AND revoked_at IS NULL`, u.id)
	}

	// A user has a hundred sessions at most; one more ends the oldest.
	foreign, oldest := w.signIn(t, other), w.signIn(t, u)
	for range 10 {
		for _, a := range together(11, func(int) answer {
			return w.patient(t, "login", fields{"email": u.email, "password": u.password})
		}) {
			a.want(t, http.StatusOK, "")
		}
		if n := live(u); n > 100 {
			t.Errorf("%d live sessions, want 100 at most", n)
		}
	}
	if n := live(u); n != 100 {
		t.Errorf("%d live sessions after 111 logins, want 100", n)
	}
	w.dead(t, "the oldest session", oldest)
	w.alive(t, "another user's session", foreign)
	newest := w.alive(t, "the newest session", w.signIn(t, u))
	if items, _ := w.get(t, "sessions?limit=100", as(newest.access)).at("items").([]any); len(items) != 100 {
		t.Errorf("%d sessions are listed, want 100", len(items))
	}

	// Registrations: three of an address, ten an hour from a network, and all of them end.
	pending := make([]string, 100)
	for i := range pending {
		pending[i] = somebody()
	}
	for network, answers := range together(5, func(network int) []answer { // few at once: whoever is sent away as the process is busy has used up a try
		var out []answer
		for i := range 20 {
			out = append(out, w.post(t, "register", fields{"email": pending[20*network+i], "password": passphrase()}, from(fmt.Sprintf("203.0.113.%d", 1+network))))
		}
		return out
	}) {
		if got := tally(answers); got["202"] != 10 || got["429 too_many_attempts"] != 10 {
			t.Errorf("network %d: %v, want ten times 202 and ten times 429", network, got)
		}
	}
	if n := w.count(t, `SELECT count(*) FROM registrations WHERE email_canon NOT IN (?, ?)`, u.email, other.email); n != 50 {
		t.Errorf("%d pending registrations from five networks, want ten of each", n)
	}

	// The audit log: what is refused by a limit leaves a line when the limit is reached, and then no more.
	before := w.count(t, `SELECT count(*) FROM audit_log`)
	for range 1000 {
		w.post(t, "request-password-reset", fields{"email": somebody()}, from("203.0.113.99"))
	}
	if n := w.count(t, `SELECT count(*) FROM audit_log`) - before; n < 10 || n > 12 {
		t.Errorf("a thousand requests from one network left %d audit rows, want those of ten and of a limit reached", n)
	}
	w.mails(t, "")
	for _, kept := range []string{"auth_sessions", "registrations", "audit_log", "outbox"} {
		if n := w.count(t, `SELECT count(*) FROM `+kept); n < 10 {
			t.Errorf("%d rows of %s, want the flood's", n, kept)
		}
	}

	w.node.stop(t)
	w.clock.set(t, 0)
	w.node.launch(t)
	eventually(t, "the sweep of everything that is past", func() bool {
		return w.count(t, `SELECT count(*) FROM auth_sessions`)+w.count(t, `SELECT count(*) FROM registrations`)+w.count(t, `SELECT count(*) FROM outbox`)+
			w.count(t, `SELECT count(*) FROM audit_log WHERE at < `+w.daysAgo(40)) == 0
	})
	w.dead(t, "a session of fifty days ago", newest)
	w.alive(t, "a new one", w.signIn(t, u))
}

// daysAgo writes a time for a query.
func (w *world) daysAgo(days int) string {
	at := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
	if w.on == embedded {
		return fmt.Sprint(at.UnixMicro())
	}
	return "'" + at.UTC().Format(time.RFC3339) + "'"
}

func mailBomb(t *testing.T, w *world) {
	victim, stranger := w.user(t), somebody()
	kinds := func(to string) map[string]int {
		w.mails(t, to)
		out := map[string]int{}
		for _, l := range w.mail.all(to) {
			switch url, _ := l.link(); {
			case strings.Contains(url, "/auth/verify?") || strings.Contains(l.subject+l.text, "already"):
				out["register"]++
			case strings.Contains(url, "/auth/reset?"):
				out["reset"]++
			default:
				out["other"]++
			}
		}
		return out
	}
	for what, to := range map[string]string{"one with an account": victim.email, "one without": stranger} {
		before := kinds(to)
		all := together(200, func(i int) answer { // each from an address of its own, also when it comes again
			if i%2 == 0 {
				return w.patient(t, "request-password-reset", fields{"email": to})
			}
			return w.patient(t, "register", fields{"email": to, "password": passphrase()})
		})
		if got := tally(all); got["202"] != 200 {
			t.Errorf("%s: %v, want 200 times 202", what, got)
		}
		after := kinds(to)
		resets := 3
		if to == stranger {
			resets = 0
		}
		if after["register"]-before["register"] != 3 || after["reset"] != resets || after["other"] != before["other"] {
			t.Errorf("%s: mails went from %v to %v, want 3 of a registration and %d of a reset in the hour", what, before, after, resets)
		}
		for range 3 {
			w.post(t, "resend-verification", fields{"email": to}).want(t, http.StatusAccepted, "")
		}
		if again := kinds(to); fmt.Sprint(again) != fmt.Sprint(after) {
			t.Errorf("%s: mails went from %v to %v by asking for the link again", what, after, again)
		}
	}
	w.clock.move(t, 61*time.Minute)
	w.post(t, "request-password-reset", fields{"email": victim.email}).want(t, http.StatusAccepted, "")
	if n := kinds(victim.email)["reset"]; n != 4 {
		t.Errorf("%d mails of a reset an hour later, want one more", n)
	}
}
