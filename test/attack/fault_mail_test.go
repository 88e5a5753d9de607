package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	row("FLT-11", "the mail server refuses, hangs, and takes a mail without saying so", mailFails, overlapped)
}

// events has something happen for each of which there is one mail, and gives who gets it.
func (w *world) events(t *testing.T, u account) []string {
	t.Helper()
	pending := somebody()
	w.post(t, "register", fields{"email": pending, "password": passphrase()}).want(t, http.StatusAccepted, "")
	w.post(t, "register", fields{"email": u.email, "password": passphrase()}).want(t, http.StatusAccepted, "")
	w.post(t, "request-password-reset", fields{"email": u.email}).want(t, http.StatusAccepted, "")
	w.post(t, "request-password-reset", fields{"email": somebody()}).want(t, http.StatusAccepted, "")
	return []string{pending, u.email, u.email}
}

// delivered moves the clock on until nothing waits to be sent.
func (w *world) delivered(t *testing.T) {
	t.Helper()
	for range 20 {
		for range 50 {
			if w.count(t, `SELECT count(*) FROM outbox WHERE sent_at IS NULL`) == 0 {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		w.clock.move(t, 10*time.Minute) // a lease is over by then, or the wait before the next try
	}
	t.Fatalf("%s mails wait for ever", w.text(t, `SELECT count(*) FROM outbox WHERE sent_at IS NULL`))
}

func mailFails(t *testing.T, w *world) {
	for what, fails := range map[string]struct {
		begin, end func()
		copies     bool // the same mail may come more than once
	}{
		"refuses":           {func() { w.mail.refuse(true) }, func() { w.mail.refuse(false) }, false},
		"hangs":             {func() { w.mail.hang(true) }, func() { w.mail.hang(false) }, false},
		"accepts and fails": {func() { w.mail.twice(true) }, func() { w.mail.twice(false) }, true},
	} {
		u := w.user(t)
		w.delivered(t)
		before, begun := len(w.mail.all("")), w.mail.begun()
		fails.begin()
		recipients := w.events(t, u)
		eventually(t, what+": a try of a mail", func() bool { return w.mail.begun() > begun })
		recipients = append(recipients, w.events(t, u)...)
		if !fails.copies && len(w.mail.all("")) != before {
			t.Errorf("%s: the server took a mail", what)
		}
		if a := w.get(t, "/api/v1/health/ready"); a.status != http.StatusOK {
			t.Errorf("%s: %s, want 200", what, a)
		}
		fails.end()
		w.delivered(t)
		w.onceEach(t, what, recipients, w.mail.all("")[before:], fails.copies)
	}
}

// onceEach checks that each event has one mail: by its Message-ID when the server has lost the confirmation, for then nobody can do better.
func (w *world) onceEach(t *testing.T, what string, recipients []string, got []letter, copies bool) {
	t.Helper()
	want := map[string]int{}
	for _, to := range recipients {
		want[to]++
	}
	ids, links := map[string]bool{}, map[string]bool{}
	n := map[string]int{}
	for _, l := range got {
		id := l.header.Get("Message-Id")
		if id == "" {
			t.Errorf("%s: a mail without a Message-ID", what)
		}
		if ids[id] {
			if !copies {
				t.Errorf("%s: a mail to %s came twice", what, l.to)
			}
			continue
		}
		ids[id] = true
		n[l.to]++
		if _, token := l.link(); token != "" {
			if links[token] {
				t.Errorf("%s: a link to %s came in two mails", what, l.to)
			}
			links[token] = true
		}
	}
	for to, many := range want {
		if n[to] != many {
			t.Errorf("%s: %d mails to %s, want %d", what, n[to], to, many)
		}
	}
	for to := range n {
		if want[to] == 0 {
			t.Errorf("%s: %d mails to %s, who should get none", what, n[to], to)
		}
	}
}
