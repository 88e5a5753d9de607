package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	row("FLT-8", "Redis is paused for 30 s, then a user's row is locked for 30 s", stalled, overlapped, before(func(t *testing.T, w *world) {
		if w.on == servers {
			withRedis(t, w)
		}
	}))
}

// stall is how long a part holds still.
const stall = 30 * time.Second

// bounded is how long an answer may take while a part holds still: 2 s in the line of one account, 2 s in that for a hash, 5 s of the database's
// patience, and what a busy machine adds.
const bounded = 12 * time.Second

func stalled(t *testing.T, w *world) {
	victim, other := w.user(t), w.user(t)
	in, others := w.signIn(t, victim), w.signIn(t, other)
	if w.on == servers {
		in, others = w.redisPaused(t, victim, in, others)
	}
	w.rowLocked(t, victim, other, in, others)
}

// redisPaused has Redis hold still. What needs it is refused, what does not goes on.
func (w *world) redisPaused(t *testing.T, u account, in, others session) (session, session) {
	t.Helper()
	redisOf(w).pause()
	defer redisOf(w).resume()
	until := time.Now().Add(stall)
	l := newLoad()
	l.run("login", 100*time.Millisecond, func() answer { return w.login(t, u.email, u.password) })
	l.run("link", 100*time.Millisecond, func() answer { return w.post(t, "request-password-reset", fields{"email": somebody()}) })
	l.run("me", 150*time.Millisecond, func() answer { return w.me(t, others.access) })
	l.run("live", 100*time.Millisecond, func() answer { return w.get(t, "/api/v1/health/live") })
	l.run("refresh", time.Second, func() answer {
		a := w.refresh(t, in.refresh)
		if a.status == http.StatusOK {
			in = w.session(t, a)
		}
		return a
	})
	time.Sleep(time.Until(until))
	got := l.end()
	statuses(t, "while Redis holds still", got, map[string][]int{"login": {503}, "link": {503}, "me": {200}, "live": {200}, "refresh": {200}})
	for what, answers := range got {
		if most := slowest(answers); most > bounded {
			t.Errorf("while Redis holds still, %s took up to %v", what, most)
		}
	}
	redisOf(w).resume()
	eventually(t, "a login when Redis goes on", func() bool { return w.login(t, u.email, u.password).status == http.StatusOK })
	return w.alive(t, "after the pause", in), w.alive(t, "after the pause", others)
}

// rowLocked has somebody lock the victim's row. The victim is kept waiting no longer than it is bounded, and others not at all.
func (w *world) rowLocked(t *testing.T, victim, other account, in, others session) {
	t.Helper()
	letGo := w.held(t, victim)
	defer letGo()
	until := time.Now().Add(stall)
	access := others.access // others themselves are renewed meanwhile
	l := newLoad()
	for range 20 {
		l.run("the victim's login", 20*time.Millisecond, func() answer { return w.login(t, victim.email, victim.password) })
	}
	l.run("the victim's name", 200*time.Millisecond, func() answer {
		return w.do(t, http.MethodPatch, path("me"), fields{"display_name": "Somebody"}, as(in.access))
	})
	l.run("the victim's me", 200*time.Millisecond, func() answer { return w.me(t, in.access) })
	l.run("another's me", 150*time.Millisecond, func() answer { return w.me(t, access) })
	l.run("live", 100*time.Millisecond, func() answer { return w.get(t, "/api/v1/health/live") })
	refused := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests}
	allowed := map[string][]int{
		"the victim's login": refused, "the victim's name": refused, "the victim's me": {200}, "another's me": {200}, "live": {200},
	}
	if w.on == servers { // where others' rows are not locked along with it
		allowed["another's login"], allowed["another's refresh"] = []int{200}, []int{200}
		l.run("another's login", 500*time.Millisecond, func() answer {
			return w.login(t, other.email, other.password)
		})
		l.run("another's refresh", time.Second, func() answer {
			a := w.refresh(t, others.refresh)
			if a.status == http.StatusOK {
				others = w.session(t, a)
			}
			return a
		})
	}
	time.Sleep(time.Until(until))
	got := l.end()
	statuses(t, "while the row is locked", got, allowed)
	for what, answers := range got {
		if most := slowest(answers); most > bounded {
			t.Errorf("while the row is locked, %s took up to %v", what, most)
		}
	}
	letGo()
	eventually(t, "the victim's login", func() bool { return w.login(t, victim.email, victim.password).status == http.StatusOK })
	w.alive(t, "the victim's session", in)
	w.alive(t, "another's session", others)
}
