package tenant_test

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/tenant"
)

var material = tenant.KeyMaterial{ID: "0123456789ABCDEF", Secret: strings.Repeat("s", 43)}

func random(b []byte) {
	for i := range b {
		b[i] = byte(rand.Uint32()) //nolint:gosec // a test's
	}
}

func newKey(t testing.TB, expires time.Time) *tenant.APIKey {
	t.Helper()
	k, err := tenant.NewAPIKey(material, "t-1", "u-1", "a key", []tenant.Scope{tenant.ScopeAI}, expires, now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestScopes(t *testing.T) {
	for name, c := range map[string]struct {
		in   []string
		want []tenant.Scope
	}{
		"none":    {nil, []tenant.Scope{tenant.ScopeAI}},
		"all":     {[]string{"admin", "ai", "router"}, []tenant.Scope{tenant.ScopeAdmin, tenant.ScopeAI, tenant.ScopeRouter}},
		"twice":   {[]string{"ai", "ai"}, []tenant.Scope{tenant.ScopeAI}},
		"unknown": {[]string{"ai", "root"}, nil},
		"case":    {[]string{"AI"}, nil},
		"empty":   {[]string{""}, nil},
	} {
		got, err := tenant.ParseScopes(c.in)
		if pointer, _ := field(t, err); !slices.Equal(got, c.want) || (err != nil) != (c.want == nil) || err != nil && pointer != "/scopes" {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestANewKey(t *testing.T) {
	scopes := []tenant.Scope{tenant.ScopeAI}
	k, err := tenant.NewAPIKey(material, "t-1", "u-1", "a key", scopes, now.Add(time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	scopes[0] = tenant.ScopeAdmin
	want := tenant.KeySnapshot{
		ID: material.ID, Tenant: "t-1", Creator: "u-1", Name: "a key", SecretHash: sha256.Sum256([]byte(material.Secret)),
		Scopes: []tenant.Scope{tenant.ScopeAI}, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	if diff := cmp.Diff(want, k.Snapshot()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]event.Event{tenant.KeyCreated{Tenant: "t-1", Key: material.ID, By: "u-1", At: now}}, k.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	k.Scopes()[0] = tenant.ScopeAdmin
	k.Snapshot().Scopes[0] = tenant.ScopeAdmin
	if k.Scopes()[0] != tenant.ScopeAI || k.ID() != material.ID || k.Tenant() != "t-1" || k.Creator() != "u-1" {
		t.Errorf("got %v %v %v %v", k.ID(), k.Tenant(), k.Creator(), k.Scopes())
	}
	if diff := cmp.Diff(k.Snapshot(), tenant.RestoreKey(k.Snapshot()).Snapshot()); diff != "" {
		t.Errorf("restored: -want +got:\n%s", diff)
	}
}

func TestBadKeysAreNotMade(t *testing.T) {
	for name, c := range map[string]struct {
		name    string
		expires time.Time
		pointer string
	}{
		"no name":             {"", time.Time{}, "/name"},
		"a long name":         {strings.Repeat("ü", 101), time.Time{}, "/name"},
		"a line break":        {"a\nb", time.Time{}, "/name"},
		"a blank of no width": {"a\u200bb", time.Time{}, "/name"},
		"a turned direction":  {"a\u202eb", time.Time{}, "/name"},
		"a line separator":    {"a\u2028b", time.Time{}, "/name"},
		"expired":             {"k", now, "/expires_at"},
		"a name of 100":       {strings.Repeat("ü", 100), time.Time{}, ""},
		"expires in a while":  {"k", now.Add(time.Microsecond), ""},
	} {
		_, err := tenant.NewAPIKey(material, "t", "u", c.name, nil, c.expires, now)
		if pointer, _ := field(t, err); pointer != c.pointer || (err != nil) != (c.pointer != "") {
			t.Errorf("%s: got %v, want %s", name, err, c.pointer)
		}
	}
}

func TestAKeyAcceptsItsSecretWhileItLives(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(*tenant.APIKey)
		secret string
		at     time.Duration
		want   bool
	}{
		"its secret":               {nil, material.Secret, 0, true},
		"another secret":           {nil, strings.Repeat("t", 43), 0, false},
		"no secret":                {nil, "", 0, false},
		"a part of it":             {nil, material.Secret[:42], 0, false},
		"before its expiry":        {nil, material.Secret, time.Hour - 1, true},
		"at its expiry":            {nil, material.Secret, time.Hour, false},
		"revoked":                  {func(k *tenant.APIKey) { k.Revoke(now) }, material.Secret, 0, false},
		"rotated, within grace":    {func(k *tenant.APIKey) { rotate(k, time.Minute) }, material.Secret, time.Minute - 1, true},
		"rotated, after grace":     {func(k *tenant.APIKey) { rotate(k, time.Minute) }, material.Secret, time.Minute, false},
		"rotated, then revoked":    {func(k *tenant.APIKey) { rotate(k, time.Minute); k.Revoke(now) }, material.Secret, 0, false},
		"rotated, and tried again": {func(k *tenant.APIKey) { rotate(k, time.Minute); rotate(k, 30*time.Minute) }, material.Secret, time.Minute, false},
		"tried again for less":     {func(k *tenant.APIKey) { rotate(k, time.Minute); rotate(k, time.Second) }, material.Secret, time.Second, true},
		"revoked, grace no rescue": {func(k *tenant.APIKey) { k.Revoke(now); rotate(k, time.Minute) }, material.Secret, 0, false},
	} {
		k := newKey(t, now.Add(time.Hour))
		if c.do != nil {
			c.do(k)
		}
		if got := k.Accepts(c.secret, now.Add(c.at)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if !newKey(t, time.Time{}).Accepts(material.Secret, now.AddDate(100, 0, 0)) {
		t.Error("a key without expiry expired")
	}
}

// rotate rotates a key, and gives nothing of what came of it.
func rotate(k *tenant.APIKey, grace time.Duration) {
	_, _ = k.Rotate(tenant.NewKeyMaterial(random), "u-2", grace, now)
}

func TestRotate(t *testing.T) {
	k := newKey(t, now.Add(time.Hour))
	k.Events()
	m := tenant.NewKeyMaterial(random)
	next, err := k.Rotate(m, "u-2", time.Minute, now)
	if err != nil {
		t.Fatal(err)
	}
	want := k.Snapshot()
	want.ID, want.Creator, want.SecretHash, want.EndsAt = m.ID, "u-2", sha256.Sum256([]byte(m.Secret)), time.Time{}
	if diff := cmp.Diff(want, next.Snapshot()); diff != "" {
		t.Errorf("successor: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]event.Event{tenant.KeyRotated{Tenant: "t-1", Key: material.ID, By: m.ID, At: now}}, k.Events()); diff != "" {
		t.Errorf("events: -want +got:\n%s", diff)
	}
	rotated := k.Snapshot()
	for name, c := range map[string]struct {
		key   tenant.KeySnapshot
		grace time.Duration
		at    time.Time
		want  string
	}{
		"a negative grace":     {newKey(t, now.Add(time.Hour)).Snapshot(), -1, now, "/grace_seconds"},
		"more than a day":      {newKey(t, now.Add(time.Hour)).Snapshot(), tenant.MaxGrace + 1, now, "/grace_seconds"},
		"a day":                {newKey(t, now.Add(time.Hour)).Snapshot(), tenant.MaxGrace, now, ""},
		"an expired key":       {newKey(t, now.Add(time.Hour)).Snapshot(), 0, now.Add(time.Hour), "ended"},
		"a key in its grace":   {rotated, 0, now.Add(time.Minute - 1), "ended"},
		"a key past its grace": {rotated, 0, now.Add(2 * time.Minute), "ended"},
	} {
		_, err := tenant.RestoreKey(c.key).Rotate(m, "u-2", c.grace, c.at)
		pointer, _ := field(t, err)
		if errors.Is(err, tenant.ErrKeyEnded) {
			pointer = "ended"
		}
		if pointer != c.want || (err != nil) != (c.want != "") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	unnamed := tenant.RestoreKey(tenant.KeySnapshot{})
	if _, err := unnamed.Rotate(m, "u-2", 0, now); err == nil {
		t.Error("a key that is not valid has a successor")
	}
}

func TestRevokeKeepsTheFirstEnd(t *testing.T) {
	k := newKey(t, time.Time{})
	k.Events()
	k.Revoke(now)
	k.Revoke(now.Add(time.Hour))
	if diff := cmp.Diff([]event.Event{tenant.KeyRevoked{Tenant: "t-1", Key: material.ID, At: now}}, k.Events()); diff != "" || !k.Snapshot().EndsAt.Equal(now) {
		t.Errorf("ends at %v; events -want +got:\n%s", k.Snapshot().EndsAt, diff)
	}
}

func TestEventNamesAreStable(t *testing.T) {
	got := names([]event.Event{
		tenant.Founded{}, tenant.MemberJoined{}, tenant.RoleChanged{}, tenant.MemberLeft{}, tenant.KeyCreated{}, tenant.KeyRotated{}, tenant.KeyRevoked{},
	})
	want := []string{
		"tenant_created", "tenant_member_joined", "tenant_role_changed", "tenant_member_left", "api_key_created", "api_key_rotated", "api_key_revoked",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

var form = regexp.MustCompile(`^f1_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`)

func TestAKeyIsReadAsItWasWritten(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		m := tenant.NewKeyMaterial(random)
		text := m.String()
		if got, ok := tenant.ParseKey(text); !ok || got != m || !form.MatchString(text) || !tenant.LooksLikeKey(text) || seen[text] {
			t.Fatalf("%s: got %v, %v, seen %v", text, got, ok, seen[text])
		}
		seen[text] = true
	}
}

func TestATypingErrorIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(material.String())
		i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		typed := rapid.Byte().Draw(t, "typed")
		if typed == text[i] {
			return
		}
		text[i] = typed
		if got, ok := tenant.ParseKey(string(text)); ok {
			t.Fatalf("%s is read as %v", text, got)
		}
	})
}

func TestTheCharactersOfAKeyAreDrawnEvenly(t *testing.T) {
	counts := map[rune]int{}
	const keys = 2000
	for range keys {
		for _, r := range tenant.NewKeyMaterial(random).Secret {
			counts[r]++
		}
	}
	mean := float64(keys*43) / 62
	chi := 0.0
	for _, n := range counts {
		chi += (float64(n) - mean) * (float64(n) - mean) / mean
	}
	if len(counts) != 62 || chi > 150 { // 61 degrees of freedom: 150 is passed less than once in a hundred million runs
		t.Errorf("%d characters, chi-square %.1f", len(counts), chi)
	}
}

func TestWhatIsNoKeyIsNotRead(t *testing.T) {
	good := material.String()
	for name, text := range map[string]string{
		"nothing": "", "its prefix": "f1_", "longer": good + "0", "shorter": good[:len(good)-1], "another prefix": "f2" + good[2:], "a blank": good[:70] + " ",
		"a secret with a mark": tenant.KeyMaterial{ID: material.ID, Secret: strings.Repeat("-", 43)}.String(),
		"an id with a mark":    tenant.KeyMaterial{ID: "0123456789ABCDE-", Secret: material.Secret}.String(),
		"a mark in the id":     tenant.KeyMaterial{ID: "01234567_9ABCDEF", Secret: material.Secret}.String(),
	} {
		if got, ok := tenant.ParseKey(text); ok {
			t.Errorf("%s: %q is read as %v", name, text, got)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(material.String())
	f.Add("f1_")
	f.Add(strings.Replace(material.String(), "s", "t", 1))
	for _, s := range []string{"", "f1_" + strings.Repeat("_", 67), material.String() + "0", " " + material.String(), material.String() + "\x00", strings.ToUpper(material.String()), "f1_" + strings.Repeat("\uff10", 24), strings.Repeat("aZ09", 15), strings.Repeat("aZ_9", 15)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := tenant.ParseKey(s)
		if ok && (m.String() != s || !form.MatchString(s)) {
			t.Errorf("%q is read as %q", s, m)
		}
		if !ok && m != (tenant.KeyMaterial{}) {
			t.Errorf("%q is refused, but gives %+v", s, m)
		}
		if len(s) < 59 {
			return
		}
		made := tenant.KeyMaterial{ID: tenant.KeyID(s[:16]), Secret: s[16:59]} // its checksum is right, which a text by chance never has
		if got, ok := tenant.ParseKey(made.String()); ok != form.MatchString(made.String()) || ok && got != made {
			t.Errorf("%q is read as %+v, %v", made, got, ok)
		}
	})
}
