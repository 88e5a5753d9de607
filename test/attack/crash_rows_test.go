package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	row("FLT-4", "the process is killed while passwords are reset", killedInReset, alone)
	row("FLT-6", "the process is killed while sessions are ended", killedInLogout, alone)
	row("FLT-7", "the process is killed while recovery codes are used", killedInRecovery, alone)
}

// resetter is a user with a session and with a link to reset its password.
type resetter struct {
	account
	in    session
	token string
	next  string // the password it is about to set
	links int    // that it may still ask for within the hour
}

// askLink has a user ask for a link, and takes the newest from the mail.
func (c *crasher) askLink(t *testing.T, u *resetter) {
	t.Helper()
	if u.account.id == "" || u.links == 0 {
		u.account, u.links = c.newcomer(t), 3
		u.in = c.entered(t, u.account)
	}
	before := len(c.mail.all(u.email))
	c.insist(t, "request-password-reset", fields{"email": u.email}).must(t, http.StatusAccepted)
	was := u.token
	eventually(t, "a link for "+u.email, func() bool {
		for _, l := range c.mail.all(u.email)[before:] {
			if _, token := l.link(); token != "" && token != was {
				u.token = token
			}
		}
		return u.token != was
	})
	c.remember("reset token", u.token)
	u.next = passphrase()
	u.links--
	c.me(t, u.in.access).must(t, http.StatusOK) // its record is known by now where records are kept
}

func killedInReset(t *testing.T, w *world) {
	c := w.crasher(150 * time.Millisecond)
	late := stale{}
	users := make([]resetter, 3)
	for c.kills < *rounds {
		var send []func() (answer, error)
		for i := range users {
			u := &users[i]
			c.askLink(t, u)
			send = append(send, func() (answer, error) {
				return w.try(t, http.MethodPost, path("reset-password"), fields{"token": u.token, "new_password": u.next})
			})
		}
		for i, o := range c.kill(t, send...) {
			c.afterReset(t, &users[i], o, late)
		}
	}
	late.end(c, t)
	c.report(t, "nothing happened", "all happened")
}

// afterReset checks that a reset has happened altogether or not at all, and goes on with what is.
func (c *crasher) afterReset(t *testing.T, u *resetter, o outcome, late stale) {
	t.Helper()
	if o.seen && o.status != http.StatusNoContent {
		c.violated(t, "%s, want 204", o.answer)
	}
	was := u.in
	old := c.insist(t, "login", fields{"email": u.email, "password": u.password})
	changed := c.insist(t, "login", fields{"email": u.email, "password": u.next})
	switch {
	case old.status == http.StatusOK && changed.status == http.StatusUnauthorized && !o.seen:
		c.goes("nothing happened")
		u.in = c.session(t, old)
		if a := c.me(t, was.access); a.status != http.StatusOK {
			c.violated(t, "not reset, but %s", a)
		}
		if a := c.refresh(t, was.refresh); a.status != http.StatusOK {
			c.violated(t, "not reset, but %s", a)
		}
		c.linkWorks(t, u)
	case old.status == http.StatusUnauthorized && changed.status == http.StatusOK:
		c.goes("all happened")
		if !o.seen {
			c.goes("all happened and nobody was told")
		}
		u.in, u.password = c.session(t, changed), u.next
		if a := c.insist(t, "reset-password", fields{"token": u.token, "new_password": passphrase()}); a.status != http.StatusBadRequest {
			c.violated(t, "reset, but the link: %s", a)
		}
		if a := c.refresh(t, was.refresh); a.status != http.StatusUnauthorized {
			c.violated(t, "reset, but %s", a)
		}
		late.add(c, t, was)
	default:
		c.violated(t, "204 seen: %t; the old password: %s; the new one: %s", o.seen, old, changed)
		*u = resetter{}
	}
}

// linkWorks checks that a link is good still: by a password that is refused, which does not use it up, and every third time by one that is taken.
func (c *crasher) linkWorks(t *testing.T, u *resetter) {
	t.Helper()
	if a := c.insist(t, "reset-password", fields{"token": u.token, "new_password": "short"}); a.status != http.StatusUnprocessableEntity {
		c.violated(t, "not reset, but the link: %s", a)
	}
	if c.tally["nothing happened"]%3 > 0 {
		return
	}
	if a := c.insist(t, "reset-password", fields{"token": u.token, "new_password": u.next}); a.status != http.StatusNoContent {
		c.violated(t, "not reset, but the link: %s", a)
		return
	}
	u.password = u.next
	u.in = c.entered(t, u.account)
}

func killedInLogout(t *testing.T, w *world) {
	c := w.crasher(8 * time.Millisecond)
	late := stale{}
	one, all := c.newcomer(t), c.newcomer(t)
	for c.kills < *rounds {
		single, first, second := c.entered(t, one), c.entered(t, all), c.entered(t, all)
		for _, s := range []session{single, first, second} {
			w.me(t, s.access).must(t, http.StatusOK)
		}
		got := c.kill(t,
			func() (answer, error) {
				return w.try(t, http.MethodPost, path("logout"), fields{"refresh_token": single.refresh})
			},
			func() (answer, error) {
				return w.try(t, http.MethodPost, path("logout"), fields{"all": true}, as(first.access))
			})
		c.afterLogout(t, got[0], late, single)
		c.afterLogout(t, got[1], late, first, second)
	}
	late.end(c, t)
	c.report(t, "nothing happened", "all happened", "204 seen")
}

// afterLogout checks that sessions ended altogether or not at all, and that they ended when the client was told so.
func (c *crasher) afterLogout(t *testing.T, o outcome, late stale, sessions ...session) {
	t.Helper()
	if o.seen {
		c.goes("204 seen")
		if o.status != http.StatusNoContent {
			c.violated(t, "%s, want 204", o.answer)
		}
	}
	ended := 0
	for _, s := range sessions {
		a := c.refresh(t, s.refresh)
		switch a.status {
		case http.StatusUnauthorized:
			ended++
			late.add(c, t, s)
		case http.StatusOK:
			if b := c.me(t, s.access); b.status != http.StatusOK {
				c.violated(t, "the refresh token works, but %s", b)
			}
		default:
			c.violated(t, "%s, want 200 or 401", a)
		}
	}
	switch {
	case o.seen && ended < len(sessions):
		c.violated(t, "204 was seen, and %d of %d sessions live on", len(sessions)-ended, len(sessions))
	case ended == len(sessions):
		c.goes("all happened")
	case ended == 0:
		c.goes("nothing happened")
	default:
		c.violated(t, "%d of %d sessions have ended", ended, len(sessions))
	}
}

// recoverer is a user with recovery codes left.
type recoverer struct {
	account
	codes          []string
	used, sessions int
}

func killedInRecovery(t *testing.T, w *world) {
	c := w.crasher(8 * time.Millisecond)
	users := make([]recoverer, 2)
	for c.kills < *rounds {
		var send []func() (answer, error)
		for i := range users {
			u := &users[i]
			if len(u.codes) < 2 {
				u.account = c.newcomer(t)
				u.codes, u.used, u.sessions = c.codes(t, u.account), 0, 0
			}
			challenge := c.pending(t, u.account)
			send = append(send, func() (answer, error) {
				return w.try(t, http.MethodPost, path("mfa/verify"), fields{"mfa_token": challenge, "recovery_code": u.codes[0]})
			})
		}
		for i, o := range c.kill(t, send...) {
			c.afterRecovery(t, &users[i], o)
		}
	}
	c.report(t, "nothing happened", "all happened", "200 seen")
}

// usedAndBegun gives how many codes of a user are used, and how many sessions began by one.
func (c *crasher) usedAndBegun(t *testing.T, u *recoverer) (used, begun int) {
	t.Helper()
	return c.count(t, `SELECT count(*) FROM recovery_codes WHERE user_id = ? AND used_at IS NOT NULL`, u.id),
		c.count(t, `SELECT count(*) FROM auth_sessions WHERE user_id = ? AND CAST(amr AS TEXT) LIKE '%recovery%'`, u.id)
}

// afterRecovery checks that a code is used exactly when a session began by it, and every third time that the code itself tells the same.
func (c *crasher) afterRecovery(t *testing.T, u *recoverer, o outcome) {
	t.Helper()
	used, begun := c.usedAndBegun(t, u)
	used, begun, u.used, u.sessions = used-u.used, begun-u.sessions, used, begun
	code := u.codes[0]
	switch {
	case used != begun || used > 1:
		c.violated(t, "%d codes used and %d sessions begun", used, begun)
	case used == 1:
		c.goes("all happened")
	default:
		c.goes("nothing happened")
	}
	if o.seen {
		c.goes("200 seen")
		if o.status != http.StatusOK || used != 1 {
			c.violated(t, "%s, and %d codes used", o.answer, used)
		} else if a := c.me(t, c.session(t, o.answer).access); a.status != http.StatusOK {
			c.violated(t, "signed in, but %s", a)
		}
	}
	if used == 1 {
		u.codes = u.codes[1:]
	}
	if c.kills%3 > 0 {
		return
	}
	a := c.insist(t, "mfa/verify", fields{"mfa_token": c.pending(t, u.account), "recovery_code": code})
	if want := map[int]int{0: http.StatusOK, 1: http.StatusUnauthorized}[used]; a.status != want {
		c.violated(t, "%d codes used, then the code itself: %s, want %d", used, a, want)
	}
	if used == 0 {
		u.codes = u.codes[1:]
	}
	u.used, u.sessions = c.usedAndBegun(t, u)
}
