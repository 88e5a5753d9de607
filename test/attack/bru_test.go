package attack_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func init() {
	row("BRU-1", "twenty wrong passwords for one account from one address", passwordsGuessed, alone)
	row("BRU-2", "guesses at one account by its address, its username and both in capitals", accountByNames)
	row("BRU-3", "a hundred wrong logins of a fresh account at once", passwordsRaced)
	row("BRU-5", "the victim of guesses signs in from elsewhere, and resets by mail", victimGoesOn)
	row("BRU-6", "forwarding headers that change with every try, from a peer that is no proxy", headersRotated, alone)
	row("BRU-7", "one password at two hundred accounts from one address", sprayed)
	row("BRU-8", "a hundred addresses of one IPv6 network", oneNetwork)
	row("BRU-11", "a thousand random reset tokens and a thousand random refresh tokens", randomTokens)
}

// limited checks a refusal for too many attempts, and that it says in whole seconds, at most so many, when to come again.
func limited(t testing.TB, what string, a answer, most time.Duration) {
	t.Helper()
	if a.status != http.StatusTooManyRequests || a.str("code") != "too_many_attempts" {
		t.Errorf("%s: %s, want 429 too_many_attempts", what, a)
		return
	}
	after, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || after < 1 || time.Duration(after)*time.Second > most {
		t.Errorf("%s: Retry-After is %q, want 1 to %.0f", what, a.header.Get("Retry-After"), most.Seconds())
	}
}

// ticks gives the CPU time that the process has used, in hundredths of a second.
func (n *node) ticks(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.pid()))
	if err != nil {
		t.Fatalf("read the CPU time of forge1: %v", err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:])) // from the third on
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		t.Fatalf("read the CPU time of forge1: %v", err)
	}
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

// failures counts the failed logins of a user in the audit log: each is a password that was looked at.
func (w *world) failures(t testing.TB, u account) int {
	t.Helper()
	return w.count(t, `SELECT count(*) FROM audit_log WHERE event = 'authn_login_fail' AND subject_id = ?`, u.id)
}

func passwordsGuessed(t *testing.T, w *world) {
	const ip, window = "198.51.100.1", 15 * time.Minute
	u := w.user(t)
	begun := w.node.ticks(t)
	for range 5 {
		w.login(t, u.email, passphrase(), from(ip)).want(t, http.StatusUnauthorized, "invalid_credentials")
	}
	spent := w.node.ticks(t) - begun
	begun = w.node.ticks(t)
	for i := range 15 {
		limited(t, fmt.Sprintf("wrong password %d", i+6), w.login(t, u.email, passphrase(), from(ip)), window)
	}
	for range 10 {
		limited(t, "the right password", w.login(t, u.email, u.password, from(ip)), window)
	}
	if refused := w.node.ticks(t) - begun; refused*5*2 >= spent*25 { // per try, less than half
		t.Errorf("25 refusals took %d0 ms of CPU time, 5 looks at a password %d0 ms: want no hash spent on a refusal", refused, spent)
	}
	if n := w.failures(t, u); n != 5 {
		t.Errorf("%d passwords were looked at, want 5", n)
	}
	if n := w.count(t, `SELECT count(*) FROM audit_log WHERE event = 'authn_login_lock' AND subject_id = ?`, u.id); n != 1 {
		t.Errorf("the audit log tells of %d locks, want one", n)
	}
	w.clock.move(t, window-30*time.Second)
	limited(t, "the right password half a minute early", w.login(t, u.email, u.password, from(ip)), 30*time.Second)
	w.clock.move(t, 31*time.Second)
	w.login(t, u.email, u.password, from(ip)).want(t, http.StatusOK, "")
	w.login(t, u.email, passphrase(), from(ip)).want(t, http.StatusUnauthorized, "invalid_credentials") // and all begins anew
}

func accountByNames(t *testing.T, w *world) {
	const ip = "198.51.100.2"
	u := w.user(t)
	names := []fields{
		{"email": u.email},
		{"username": u.username},
		{"email": strings.ToUpper(u.email)},
		{"username": strings.ToUpper(u.username)},
		{"email": strings.ToUpper(u.email[:1]) + u.email[1:]},
	}
	guess := func(name fields) answer {
		return w.post(t, "login", changed(name, fields{"password": passphrase()}), from(ip))
	}
	for _, padded := range []fields{{"email": " " + u.email}, {"email": u.email + " "}, {"username": " " + u.username}, {"username": u.username + "\t"}} {
		for range 2 {
			guess(padded).want(t, http.StatusUnprocessableEntity, "validation_failed") // and counts for nothing
		}
	}
	for _, name := range names {
		guess(name).want(t, http.StatusUnauthorized, "invalid_credentials")
	}
	for _, name := range names {
		limited(t, fmt.Sprint(name), guess(name), 15*time.Minute)
	}
	limited(t, "the right password", w.login(t, u.email, u.password, from(ip)), 15*time.Minute)
	stranger := somebody()
	for i := range 6 { // a name that nobody has is counted alike
		name := stranger
		if i%2 == 1 {
			name = strings.ToUpper(name)
		}
		if a := guess(fields{"email": name}); i < 5 {
			a.want(t, http.StatusUnauthorized, "invalid_credentials")
		} else {
			limited(t, "a stranger", a, 15*time.Minute)
		}
	}
}

func passwordsRaced(t *testing.T, w *world) {
	for what, tc := range map[string]struct {
		most int
		ip   func() string
	}{
		"from one address":           {5, func() string { return "198.51.100.3" }},
		"from a hundred of the same": {30, anAddress},
	} {
		u := w.user(t)
		answers := tally(together(100, func(int) answer { return w.login(t, u.email, passphrase(), from(tc.ip())) }))
		seen := answers["401 invalid_credentials"]
		if seen < 1 || seen > tc.most || seen+answers["429 too_many_attempts"]+answers["503 busy"]+answers["503 dependency_unavailable"] != 100 {
			t.Errorf("%s: %v, want 1 to %d times 401, the rest 429 and 503", what, answers, tc.most)
		}
		if n := w.failures(t, u); n != seen {
			t.Errorf("%s: %d passwords were looked at, and %d answers say so", what, n, seen)
		}
	}
}

func victimGoesOn(t *testing.T, w *world) {
	const thief, home = "198.51.100.4", "203.0.113.4"
	u := w.user(t)
	for range 5 {
		w.login(t, u.email, passphrase(), from(thief)).want(t, http.StatusUnauthorized, "invalid_credentials")
	}
	limited(t, "the thief", w.login(t, u.email, u.password, from(thief)), 15*time.Minute)
	w.login(t, u.email, u.password, from(home)).want(t, http.StatusOK, "")

	// Thirty from everywhere shut the account for half a minute, whoever asks; a mail opens it all the same.
	v := w.user(t)
	for i := range 30 {
		w.login(t, v.email, passphrase(), from(fmt.Sprintf("198.51.100.%d", 50+i/5))).want(t, http.StatusUnauthorized, "invalid_credentials")
	}
	limited(t, "the owner elsewhere", w.login(t, v.email, v.password, from(home)), 30*time.Second)
	w.post(t, "request-password-reset", fields{"email": v.email}, from(home)).want(t, http.StatusAccepted, "")
	next := passphrase()
	w.post(t, "reset-password", fields{"token": w.token(t, v.email, "reset", 1), "new_password": next}, from(home)).want(t, http.StatusNoContent, "")
	w.login(t, v.email, next, from(home)).want(t, http.StatusOK, "")
	w.login(t, v.email, v.password, from(home)).want(t, http.StatusUnauthorized, "invalid_credentials")
}

func headersRotated(t *testing.T, w *world) {
	u := w.user(t)
	n := w.second(t, "TRUSTED_PROXIES", "192.0.2.1/32") // which we are not
	disguise := func(i int) []with {
		ip := fmt.Sprintf("203.0.113.%d", i+1)
		return []with{
			on(n), from(ip), header("X-Real-IP", ip), header("Forwarded", "for="+ip), header("CF-Connecting-IP", ip), header("True-Client-IP", ip), header("X-Client-IP", ip),
			header("X-Forwarded", ip), header("X-Cluster-Client-IP", ip),
		}
	}
	for i := range 20 {
		a := w.login(t, u.email, passphrase(), disguise(i)...)
		if i < 5 {
			a.want(t, http.StatusUnauthorized, "invalid_credentials")
			continue
		}
		limited(t, fmt.Sprintf("try %d", i+1), a, 15*time.Minute)
	}
	for i := range 20 {
		a := w.post(t, "request-password-reset", fields{"email": somebody()}, disguise(i)...)
		if i < 10 {
			a.want(t, http.StatusAccepted, "")
			continue
		}
		limited(t, fmt.Sprintf("reset %d", i+1), a, time.Hour)
	}
	// A proxy that we trust appends whom it saw; what stands before that is the client's invention.
	v := w.user(t)
	for i := range 20 {
		ip := fmt.Sprintf("203.0.113.%d", i+1)
		a := w.login(t, v.email, passphrase(), from(ip+", "+ip+", 198.51.100.6"), header("X-Real-IP", ip), header("Forwarded", "for="+ip), header("CF-Connecting-IP", ip))
		if i < 5 {
			a.want(t, http.StatusUnauthorized, "invalid_credentials")
			continue
		}
		limited(t, fmt.Sprintf("try %d behind a proxy", i+1), a, 15*time.Minute)
	}
	w.login(t, v.email, v.password, from("198.51.100.7")).want(t, http.StatusOK, "")
}

func sprayed(t *testing.T, w *world) {
	const ip = "198.51.100.8"
	victims := []string{w.user(t).email, w.user(t).email}
	for range 198 {
		victims = append(victims, somebody())
	}
	password := passphrase()
	for i, victim := range victims {
		a := w.login(t, victim, password, from(ip))
		if i < 60 {
			a.want(t, http.StatusUnauthorized, "invalid_credentials")
			continue
		}
		limited(t, fmt.Sprintf("account %d", i+1), a, 15*time.Minute)
	}
	u := w.user(t)
	limited(t, "the right password from there", w.login(t, u.email, u.password, from(ip)), 15*time.Minute)
	w.login(t, u.email, u.password).want(t, http.StatusOK, "")
}

func oneNetwork(t *testing.T, w *world) {
	u := w.user(t)
	for i := range 100 {
		address := fmt.Sprintf("2001:db8:8:1:%x:%x:%x:%x", i, 7*i, 0xffff-i, i+1)
		a := w.post(t, "request-password-reset", fields{"email": somebody()}, from(address))
		b := w.login(t, u.email, passphrase(), from(address))
		if i < 10 {
			a.want(t, http.StatusAccepted, "")
		} else {
			limited(t, fmt.Sprintf("reset %d", i+1), a, time.Hour)
		}
		if i < 5 {
			b.want(t, http.StatusUnauthorized, "invalid_credentials")
		} else {
			limited(t, fmt.Sprintf("login %d", i+1), b, 15*time.Minute)
		}
	}
	w.post(t, "request-password-reset", fields{"email": somebody()}, from("2001:db8:8:2::1")).want(t, http.StatusAccepted, "")
	w.login(t, u.email, u.password, from("2001:db8:8:2::1")).want(t, http.StatusOK, "")
}

// randomToken makes a reset token that nobody was given.
func randomToken() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	return b64.EncodeToString(raw[:])
}

// randomRefresh makes a refresh token of the right form, for half of them with the id of a session that lives.
func randomRefresh(i int, alive string) string {
	raw := make([]byte, 21)
	_, _ = rand.Read(raw)
	raw[0] = byte(i % 3) // the root key
	if parts := strings.Split(alive, "."); i%2 == 0 && len(parts) == 3 {
		copy(raw, mustDecode(parts[1])[:17])
		raw[17], raw[18], raw[19], raw[20] = 0, 0, 0, byte(i%4)
	}
	return "fr1." + b64.EncodeToString(raw) + "." + randomToken()
}

func mustDecode(text string) []byte {
	raw, err := b64.DecodeString(text)
	if err != nil || len(raw) != 21 {
		panic(fmt.Sprintf("a refresh token's first part has %d bytes (%v), want 21", len(raw), err))
	}
	return raw
}

func randomTokens(t *testing.T, w *world) {
	const ip, tries = "198.51.100.11", 1000
	s := w.signIn(t, w.user(t))
	reset := func(options ...with) answer {
		return w.post(t, "reset-password", fields{"token": randomToken(), "new_password": "Velvet teapot of nobody"}, append(options, plain)...)
	}
	begun, looked := time.Now(), 0
	for i := range tries {
		a := reset(from(ip))
		if i < 20 || a.status == http.StatusBadRequest {
			a.want(t, http.StatusBadRequest, "token_invalid")
			looked++
			continue
		}
		limited(t, fmt.Sprintf("token %d", i+1), a, time.Minute)
	}
	if most := 20 * (1 + int(time.Since(begun)/time.Minute)); looked > most {
		t.Errorf("%d tokens were looked up, want %d", looked, most)
	}
	limited(t, "a verification from there", w.post(t, "verify-email", fields{"token": randomToken()}, from(ip), plain), time.Minute)
	reset().want(t, http.StatusBadRequest, "token_invalid")
	for i := range tries {
		a := w.post(t, "refresh", fields{"refresh_token": randomRefresh(i, s.refresh)}, from(ip), plain)
		if a.status != http.StatusUnauthorized || a.str("code") != "refresh_invalid" {
			limited(t, fmt.Sprintf("refresh token %d", i+1), a, time.Minute)
		}
	}
	w.alive(t, "the session that was named", s)
}
