package attack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// secrets are what a world has used or seen that must be found nowhere.
type secrets struct {
	mu sync.Mutex
	of map[string]string // what it is, by the secret
}

func newSecrets() *secrets { return &secrets{of: map[string]string{}} }

// remember notes a secret.
func (w *world) remember(what, value string) { w.secrets.add(what, value) }

func (s *secrets) add(what, value string) {
	if len(value) < 6 {
		return // found everywhere
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[value] = what
}

// secretFields name secrets in requests and answers.
var secretFields = map[string]bool{
	"password": true, "new_password": true, "current_password": true, "token": true, "invite_token": true, "code": true, "recovery_code": true,
	"access_token": true, "refresh_token": true, "mfa_token": true, "secret": true, "otpauth_uri": true, "recovery_codes": true, "key": true,
}

// learn notes the secrets of a request and its answer.
func (s *secrets) learn(request any, answer []byte) {
	raw, text := []byte(nil), ""
	switch b := request.(type) {
	case nil:
	case []byte:
		raw = b
	case string:
		text = b
	default:
		raw, _ = json.Marshal(b)
	}
	if text != "" {
		raw = []byte(text)
	}
	if len(raw) < 32<<10 {
		s.walk("", decoded(raw), true)
	}
	s.walk("", decoded(answer), false)
}

func decoded(raw []byte) any {
	var v any
	_ = json.Unmarshal(raw, &v) // what is no JSON has no fields
	return v
}

func (s *secrets) walk(name string, v any, asked bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			s.walk(k, e, asked)
		}
	case []any:
		for _, e := range v {
			s.walk(name, e, asked)
		}
	case string:
		if !secretFields[name] || name == "code" && !asked { // a problem's code is none
			return
		}
		s.add(name, v)
		if last := strings.LastIndexAny(v, "._"); last > 0 && strings.HasSuffix(name, "_token") {
			s.add("end of "+name, v[last+1:]) // a signature or a MAC
		}
		if parts := strings.Split(v, "_"); name == "key" && len(parts) == 4 {
			s.add("secret of a key", parts[2])
		}
	}
}

// findings are the secrets found where none may be, in every world of a set of stores.
type findings struct {
	mu     sync.Mutex
	worlds int
	known  int
	hits   []string
}

var mailedLink = regexp.MustCompile(`\?token=[A-Za-z0-9_.~-]+`)

// harvest searches what a process and its stores leave. The one place where a token may be is the link of its mail.
func (w *world) harvest(t testing.TB) {
	t.Helper()
	var mails strings.Builder
	for _, l := range w.mail.all("") {
		mails.WriteString(mailedLink.ReplaceAllString(l.subject+"\n"+l.text+"\n"+strings.ReplaceAll(l.html, "&#43;", "+"), ""))
	}
	var audit, rest strings.Builder
	for line := range strings.Lines(w.dump(t)) {
		if strings.HasPrefix(line, "audit_log\t") {
			audit.WriteString(line)
		} else {
			rest.WriteString(line)
		}
	}
	hits := w.secrets.in(map[string]string{
		"the log": w.log.String(), "the audit log": audit.String(), "the database": rest.String(), "Redis": w.redisDump(t), "a mail": mails.String(),
	})
	w.secrets.mu.Lock()
	known := len(w.secrets.of)
	w.secrets.mu.Unlock()
	w.found.mu.Lock()
	defer w.found.mu.Unlock()
	w.found.worlds++
	w.found.known += known
	for _, hit := range hits {
		w.found.hits = append(w.found.hits, fmt.Sprintf("%s (%s)", hit, t.Name()))
	}
}

const headLength = 10

// in searches places for every secret, in one pass over each.
func (s *secrets) in(places map[string]string) (hits []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heads := map[string][]string{} // long secrets by how they begin
	var short []string
	for v := range s.of {
		if len(v) < headLength {
			short = append(short, v)
			continue
		}
		heads[v[:headLength]] = append(heads[v[:headLength]], v)
	}
	for place, text := range places {
		seen := map[string]bool{}
		hit := func(v string, at int) {
			if !seen[v] {
				seen[v] = true
				hits = append(hits, fmt.Sprintf("%s holds a %s: …%s…", place, s.of[v], around(text, at, len(v))))
			}
		}
		for i := 0; i+headLength <= len(text); i++ {
			for _, v := range heads[text[i:i+headLength]] {
				if strings.HasPrefix(text[i:], v) {
					hit(v, i)
				}
			}
		}
		for _, v := range short { // six digits are found in many numbers
			for _, form := range []string{`"` + v + `"`, "=" + v, "\t" + v + "\t", " " + v + " ", `: ` + v} {
				if i := strings.Index(text, form); i >= 0 {
					hit(v, i)
				}
			}
		}
	}
	return hits
}

// around gives a finding with its surroundings, and without the secret.
func around(text string, at, length int) string {
	return text[max(0, at-80):at] + "[secret]" + text[min(len(text), at+length):min(len(text), at+length+40)]
}

func init() {
	row("LEAK-1", "logs, audit rows, mails and dumps of all rows hold no password, code, token or secret", nothingLeaked, last)
}

func nothingLeaked(t *testing.T, w *world) {
	// This world too must be searched, and the search must find what is there: a name is not a secret, and is in the log's table on purpose.
	u := w.user(t)
	in := w.signIn(t, u)
	w.get(t, "me", as(in.access)).want(t, http.StatusOK, "")
	canary := newSecrets()
	canary.add("user id", u.id)
	if hits := canary.in(map[string]string{"the audit log": w.dump(t)}); len(hits) != 1 {
		t.Errorf("the search for what is in the audit log found %v", hits)
	}
	w.harvest(t)
	w.found.mu.Lock()
	defer w.found.mu.Unlock()
	for _, hit := range w.found.hits {
		t.Error(hit)
	}
	t.Logf("%d secrets of %d processes searched for", w.found.known, w.found.worlds)
}
