package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Store is an empty store under test, with a way to look at what its ports do not show.
type Store struct {
	outbound.Tx
	// Audit lists the audit log in the order in which it was written. Nil: the store keeps none.
	Audit func(t *testing.T) []Audited
}

// Audited is what a suite looks at in a row of the audit log.
type Audited struct {
	At                                      time.Time
	Event, Actor, Subject, Tenant, Session  string
	Key, Reason, RequestID, TraceID, IP, UA string
}

// storeEpoch is when these suites begin: an odd microsecond, so that rounding shows.
var storeEpoch = time.Date(2026, time.November, 23, 9, 30, 15, 123457000, time.UTC)

// farFuture is later than any clock of a store under test.
var farFuture = storeEpoch.Add(100 * 365 * 24 * time.Hour)

// hostile is text that a careless store takes for SQL, placeholders or escapes.
const hostile = `Ada '; DROP TABLE users; -- ?0 ? ?name $1 :x %s \' \\ "q" {} '' 🦀 ` + "\u00e9e\u0301"

// unstorable are texts that no column can hold.
var unstorable = map[string]string{"a NUL byte": "a\x00b", "no UTF-8": "a\xffb", "half a character": "a\xe2\x82"}

var storeIDs atomic.Int64

// nextID gives ids that grow, of the form of a UUIDv7.
func nextID() string { return fmt.Sprintf("01935a00-0000-7000-8000-%012x", storeIDs.Add(1)) }

func email(name string) user.Email {
	return user.RestoreEmail(name+"@Example.com", name+"@example.com")
}

// newUser makes a user called name, with that username.
func newUser(t *testing.T, name string) *user.User {
	t.Helper()
	u, err := user.New(user.ID(nextID()), email(name), user.RestoreUsername(name), "The "+name, "$argon2id$"+name, storeEpoch)
	if err != nil {
		t.Fatalf("make user %s: %v", name, err)
	}
	return u
}

func addUser(t *testing.T, s Store, name string) *user.User {
	t.Helper()
	u := newUser(t, name)
	if err := s.View().Users.Add(t.Context(), u); err != nil {
		t.Fatalf("add user %s: %v", name, err)
	}
	return u
}

// newTenant makes a tenant with that slug.
func newTenant(t *testing.T, slug string, owner *user.User, now time.Time) *tenant.Tenant {
	t.Helper()
	out, err := tenant.Found(tenant.ID(nextID()), "The "+slug, slug, false, owner.ID(), now)
	if err != nil {
		t.Fatalf("make tenant %s: %v", slug, err)
	}
	return out
}

func addTenant(t *testing.T, s Store, slug string, owner *user.User) *tenant.Tenant {
	t.Helper()
	out := newTenant(t, slug, owner, storeEpoch)
	if err := s.View().Tenants.Add(t.Context(), out); err != nil {
		t.Fatalf("add tenant %s: %v", slug, err)
	}
	return out
}

var sessionTerms = session.Terms{Idle: time.Hour, Absolute: 24 * time.Hour, Grace: 10 * time.Second}

func newSession(u *user.User, in *tenant.Tenant, now time.Time) *session.Session {
	return session.Start(session.ID(nextID()), u.ID(), string(in.ID()), [16]byte{0, 1, 2, '\'', 0xff}, u.Epoch(), []string{"pwd", "otp"},
		"2001:db8::1", hostile, sessionTerms, now)
}

// same fails the test when two values differ.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s: differs (-want +got):\n%s", what, d)
	}
}

// wantErr fails the test when an error is not the one wanted.
func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// must ends the test on an error.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// wantInvalid fails the test unless an error is the caller's mistake.
func wantInvalid(t *testing.T, what string, err error) {
	t.Helper()
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("%s: got error %v of kind %d, want kind Invalid", what, err, fault.KindOf(err))
	}
}

// utc fails the test unless a time is in UTC.
func utc(t *testing.T, what string, at time.Time) {
	t.Helper()
	if at.Location() != time.UTC {
		t.Errorf("%s: got a time in %v, want UTC", what, at.Location())
	}
}

// race runs do n times at once and gives the errors.
func race(n int, do func(i int) error) []error {
	var (
		wg    sync.WaitGroup
		errs  = make([]error, n)
		start = make(chan struct{})
	)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// winners counts the nil errors, and fails the test for each other that is not want.
func winners(t *testing.T, errs []error, want error) int {
	t.Helper()
	n := 0
	for _, err := range errs {
		if err == nil {
			n++
			continue
		}
		wantErr(t, "a racer that lost", err, want)
	}
	return n
}

// none fails the test for every error there is.
func none(t *testing.T, errs []error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
}

// events lists the names in the audit log, none when the store keeps none.
func (s Store) events(t *testing.T) []string {
	t.Helper()
	if s.Audit == nil {
		return nil
	}
	var names []string
	for _, a := range s.Audit(t) {
		names = append(names, a.Event)
	}
	return names
}

// wantEvents fails the test unless the audit log names these events.
func (s Store) wantEvents(t *testing.T, want ...string) {
	t.Helper()
	if s.Audit != nil {
		same(t, "the audit log", s.events(t), want)
	}
}

// canceled gives a context that has ended.
func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// refuse runs a change that is refused inside of a transaction that goes on, so that nothing but the repository keeps it from being written.
func (s Store) refuse(t *testing.T, want error, change func(ctx context.Context, repos outbound.Repos) error) {
	t.Helper()
	must(t, "do", s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		wantErr(t, "the refused change", change(ctx, repos), want)
		return nil
	}))
}

// errChange is what a change fails with in these suites.
var errChange = errors.New("the change was refused")
