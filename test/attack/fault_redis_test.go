package attack_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func init() {
	row("FLT-1", "Redis is stopped, and comes back", redisStopped, before(withRedis), only(servers, "there is no Redis"))
	row("FLT-3", "Redis is emptied after a logout and after a reuse", redisFlushed, before(withRedis), only(servers, "there is no Redis"))
}

// refusedQuickly checks that an answer is the one of a part that is away, and that it took no longer than two seconds.
func refusedQuickly(t *testing.T, what string, a answer) {
	t.Helper()
	if a.status != http.StatusServiceUnavailable {
		t.Errorf("%s: %s, want 503", what, a)
		return
	}
	a.want(t, http.StatusServiceUnavailable, "dependency_unavailable")
	if _, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil {
		t.Errorf("%s: Retry-After is %q, want whole seconds", what, a.header.Get("Retry-After"))
	}
	if a.took > 2*time.Second {
		t.Errorf("%s: refused after %v, want at most 2 s", what, a.took)
	}
}

func redisStopped(t *testing.T, w *world) {
	u, guarded := w.user(t), w.user(t)
	in, leaving, left := w.signIn(t, u), w.signIn(t, u), w.signIn(t, u)
	f, onGuarded := w.enrol(t, guarded, w.signIn(t, guarded))
	challenge := w.challenge(t, guarded)
	w.post(t, "request-password-reset", fields{"email": u.email}).must(t, http.StatusAccepted)
	link := w.token(t, u.email, "reset", 1)
	w.post(t, "logout", fields{"refresh_token": left.refresh}).must(t, http.StatusNoContent)
	for _, s := range []session{in, leaving, onGuarded} {
		w.me(t, s.access).must(t, http.StatusOK)
	}

	redisOf(w).stop()
	w.refusals(t, u, guarded, f, onGuarded, challenge, link)
	in = w.alive(t, "without Redis", in)
	w.post(t, "logout", fields{"refresh_token": leaving.refresh}).want(t, http.StatusNoContent, "")
	w.dead(t, "a session that was ended without Redis", leaving)
	w.dead(t, "a session that was ended before", left)
	in = w.paced(t, in)

	redisOf(w).start(t)
	eventually(t, "a login when Redis is back", func() bool { return w.login(t, u.email, u.password).status == http.StatusOK })
	w.dead(t, "a session that was ended without Redis", leaving)
	w.me(t, in.access).want(t, http.StatusOK, "")
	w.post(t, "mfa/verify", fields{"mfa_token": w.challenge(t, guarded), "code": w.code(t, f, 0)}).want(t, http.StatusOK, "")
	w.post(t, "reset-password", fields{"token": link, "new_password": passphrase()}).want(t, http.StatusNoContent, "")
}

// refusals checks everything that may not go on uncounted.
func (w *world) refusals(t *testing.T, u, guarded account, f factor, on session, challenge, link string) {
	t.Helper()
	for range 2 { // while Redis is found to be away, and when that is known
		for what, a := range map[string]answer{
			"the right password":   w.login(t, u.email, u.password),
			"an unknown address":   w.login(t, somebody(), passphrase()),
			"a second factor":      w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": w.code(t, f, 0)}),
			"a recovery code":      w.post(t, "mfa/verify", fields{"mfa_token": challenge, "recovery_code": f.recovery[0]}),
			"a stranger's mfa":     w.post(t, "mfa/verify", fields{"mfa_token": b64.EncodeToString(make([]byte, 32)), "code": "123456"}),
			"a step-up":            w.post(t, "mfa/verify", fields{"code": w.code(t, f, 0)}, as(on.access)),
			"a new factor":         w.post(t, "mfa/setup", fields{"password": guarded.password, "code": w.code(t, f, 0)}, as(on.access)),
			"no more factor":       w.post(t, "mfa/disable", fields{"password": guarded.password, "code": w.code(t, f, 0)}, as(on.access)),
			"a request for a link": w.post(t, "request-password-reset", fields{"email": u.email}),
			"a reset":              w.post(t, "reset-password", fields{"token": link, "new_password": passphrase()}),
			"a registration":       w.post(t, "register", fields{"email": somebody(), "password": passphrase()}),
			"a verification":       w.post(t, "verify-email", fields{"token": link}),
		} {
			refusedQuickly(t, what, a)
		}
	}
	for _, a := range together(40, func(int) answer { return w.login(t, u.email, passphrase()) }) {
		refusedQuickly(t, "one of forty guesses", a)
	}
}

// paced checks that refreshes of one session are still counted, in the process itself.
func (w *world) paced(t *testing.T, s session) session {
	t.Helper()
	for n := 1; ; n++ {
		a := w.refresh(t, s.refresh)
		switch {
		case a.status == http.StatusOK && n <= 60:
			s = w.session(t, a)
		case a.status == http.StatusTooManyRequests && n > 30:
			return s
		default:
			t.Errorf("refresh %d without Redis: %s, want 200 up to 60 a minute, then 429", n, a)
			return s
		}
	}
}

func redisFlushed(t *testing.T, w *world) {
	other := w.second(t)
	nodes := map[string]*node{"this node": w.node, "another node": other}
	u, guarded := w.user(t), w.user(t)
	staying, leaving, stolen := w.signIn(t, u), w.signIn(t, u), w.signIn(t, u)
	w.enrol(t, guarded, w.signIn(t, guarded))
	challenge := w.challenge(t, guarded)
	for _, n := range nodes {
		for _, s := range []session{staying, leaving, stolen} {
			w.me(t, s.access, on(n)).must(t, http.StatusOK)
		}
	}
	w.post(t, "logout", fields{"refresh_token": leaving.refresh}).must(t, http.StatusNoContent)
	next := w.session(t, w.refresh(t, stolen.refresh).must(t, http.StatusOK))
	w.clock.move(t, 11*time.Second) // past the grace, and past what a node may remember
	w.refresh(t, stolen.refresh).want(t, http.StatusUnauthorized, "refresh_invalid")

	db := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + redisOf(w).port})
	defer func() { _ = db.Close() }()
	if n, err := db.DBSize(background).Result(); err != nil || n == 0 {
		t.Errorf("Redis holds %d keys, %v; there is nothing to empty", n, err)
	}
	if err := db.FlushAll(background).Err(); err != nil {
		t.Fatalf("empty Redis: %v", err)
	}
	for range 2 {
		for where, n := range nodes {
			w.dead(t, where+", after a logout", leaving, on(n))
			w.dead(t, where+", after a reuse", next, on(n))
			w.dead(t, where+", the first of the reused", stolen, on(n))
			w.me(t, staying.access, on(n)).want(t, http.StatusOK, "")
		}
		w.clock.move(t, 6*time.Second)
	}
	w.post(t, "mfa/verify", fields{"mfa_token": challenge, "code": "123456"}).want(t, http.StatusUnauthorized, "mfa_challenge_invalid")
	w.signIn(t, u)
}
