package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Tx is the suite of outbound.Tx.
func Tx(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"what succeeds is kept in every repository":   txKeeps,
		"an error is returned and keeps nothing":      txErrorKeepsNothing,
		"a panic keeps nothing":                       txPanicKeepsNothing,
		"a refusal does not spoil the transaction":    txRefusalsDoNotSpoil,
		"a refused change is not written":             txRefusedChange,
		"changes are seen inside, and outside later":  txIsolation,
		"changes at once lose nothing":                txLosesNothing,
		"changes to two rows at once end":             txCrossedLocks,
		"a context that has ended keeps nothing":      txContext,
		"events are kept with what they are about":    txEvents,
		"the audit log says who acts and from where":  txActor,
		"a change through View is its own":            txView,
		"text from outside never keeps a log row out": txHostileActor,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// addAll adds one thing to every repository.
func addAll(t *testing.T, ctx context.Context, repos outbound.Repos, now time.Time) (u *user.User, in *tenant.Tenant, on *session.Session, k *tenant.APIKey) {
	t.Helper()
	u = newUser(t, "ada")
	in = newTenant(t, "engines", u, now)
	on = newSession(u, in, now)
	k, err := tenant.NewAPIKey(tenant.KeyMaterial{ID: "0123456789abcdef", Secret: "s"}, in.ID(), u.ID(), "ci", []tenant.Scope{tenant.ScopeAI}, time.Time{}, now)
	must(t, "make key", err)
	must(t, "add user", repos.Users.Add(ctx, u))
	must(t, "add tenant", repos.Tenants.Add(ctx, in))
	must(t, "add session", repos.Sessions.Add(ctx, on))
	must(t, "add key", repos.APIKeys.Add(ctx, k))
	must(t, "add registration", repos.Registrations.Add(ctx, registration("eve", 1, now, now.Add(time.Hour))))
	must(t, "put message", repos.Outbox.Put(ctx, message("m", now)))
	return u, in, on, k
}

// count counts what addAll adds.
func count(t *testing.T, s Store, u *user.User, in *tenant.Tenant, on *session.Session, k *tenant.APIKey) int {
	t.Helper()
	ctx, v, n := t.Context(), s.View(), 0
	for _, err := range []error{
		second(v.Users.Find(ctx, u.ID())), second(v.Tenants.Find(ctx, in.ID())), second(v.Sessions.Find(ctx, on.ID())),
		second(v.APIKeys.Find(ctx, k.ID())), second(v.Registrations.Newest(ctx, "eve@example.com", storeEpoch)),
	} {
		if err == nil {
			n++
		}
	}
	due, err := v.Outbox.Claim(ctx, storeEpoch, storeEpoch.Add(time.Minute), 10)
	must(t, "claim", err)
	return n + len(due)
}

func second[T any](_ T, err error) error { return err }

func txKeeps(t *testing.T, s Store) {
	var (
		u  *user.User
		in *tenant.Tenant
		on *session.Session
		k  *tenant.APIKey
	)
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		u, in, on, k = addAll(t, ctx, repos, storeEpoch)
		return nil
	})
	must(t, "do", err)
	if n := count(t, s, u, in, on, k); n != 6 {
		t.Errorf("found %d of the 6 things added", n)
	}
}

func txErrorKeepsNothing(t *testing.T, s Store) {
	var (
		u  *user.User
		in *tenant.Tenant
		on *session.Session
		k  *tenant.APIKey
	)
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		u, in, on, k = addAll(t, ctx, repos, storeEpoch)
		return errChange
	})
	wantErr(t, "do", err, errChange)
	if n := count(t, s, u, in, on, k); n != 0 {
		t.Errorf("found %d things of a transaction that failed, want none", n)
	}
	s.wantEvents(t)
}

func txPanicKeepsNothing(t *testing.T, s Store) {
	u := newUser(t, "ada")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			must(t, "add", repos.Users.Add(ctx, u))
			panic("on purpose")
		})
	}()
	_, err := s.View().Users.Find(t.Context(), u.ID())
	wantErr(t, "find after the panic", err, user.ErrNotFound)
	addUser(t, s, "bob") // and the store still works
}

func txRefusalsDoNotSpoil(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	addTenant(t, s, "engines", ada)
	bob := newUser(t, "bob")
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		wantErr(t, "a taken address", repos.Users.Add(ctx, newUser(t, "ada")), user.ErrEmailTaken)
		twin, err := user.New(user.ID(nextID()), email("ada2"), user.RestoreUsername("ada"), "", "h", storeEpoch)
		must(t, "make user", err)
		wantErr(t, "a taken username", repos.Users.Add(ctx, twin), user.ErrUsernameTaken)
		wantErr(t, "a taken slug", repos.Tenants.Add(ctx, newTenant(t, "engines", ada, storeEpoch)), tenant.ErrSlugTaken)
		_, err = repos.Users.Find(ctx, "nobody")
		wantErr(t, "nobody", err, user.ErrNotFound)
		return repos.Users.Add(ctx, bob)
	})
	must(t, "do", err)
	_, err = s.View().Users.Find(t.Context(), bob.ID())
	must(t, "find what was added after the refusals", err)
}

func txRefusedChange(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	before := len(s.events(t))
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		err := repos.Users.Update(ctx, ada.ID(), func(u *user.User) error {
			u.ChangePassword("$new", storeEpoch)
			return errChange
		})
		wantErr(t, "update", err, errChange)
		return nil
	})
	must(t, "do", err)
	got, err := s.View().Users.Find(t.Context(), ada.ID())
	must(t, "find", err)
	same(t, "the user", got.Snapshot(), ada.Snapshot())
	if after := len(s.events(t)); after != before {
		t.Errorf("the audit log grew by %d for a refused change", after-before)
	}
}

func txIsolation(t *testing.T, s Store) {
	ada := newUser(t, "ada")
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "add", repos.Users.Add(ctx, ada))
		_, err := repos.Users.FindByUsername(ctx, "ada")
		must(t, "find inside", err)
		_, err = s.View().Users.FindByUsername(t.Context(), "ada")
		wantErr(t, "find outside, before the end", err, user.ErrNotFound)
		return nil
	})
	must(t, "do", err)
	_, err = s.View().Users.FindByUsername(t.Context(), "ada")
	must(t, "find outside, after the end", err)
}

func txLosesNothing(t *testing.T, s Store) {
	ada := addUser(t, s, "ada")
	none(t, race(50, func(int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			if _, err := repos.Tenants.OfUser(ctx, ada.ID()); err != nil { // a read first, as use-cases do
				return err
			}
			return repos.Users.Update(ctx, ada.ID(), func(u *user.User) error {
				u.EndSessions()
				return nil
			})
		})
	}))
	got, err := s.View().Users.Find(t.Context(), ada.ID())
	must(t, "find", err)
	if want := ada.Epoch() + 50; got.Epoch() != want {
		t.Errorf("after 50 changes at once: epoch %d, want %d", got.Epoch(), want)
	}
}

// txCrossedLocks changes two rows in both orders at once: a store that locks rows meets a deadlock, undoes one and runs it again.
func txCrossedLocks(t *testing.T, s Store) {
	ids := []user.ID{addUser(t, s, "ada").ID(), addUser(t, s, "bob").ID()}
	none(t, race(4, func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			for j := range ids {
				err := repos.Users.Update(ctx, ids[(i+j)%2], func(u *user.User) error {
					u.EndSessions()
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}))
	for _, id := range ids {
		got, err := s.View().Users.Find(t.Context(), id)
		must(t, "find", err)
		if got.Epoch() != 5 {
			t.Errorf("after 4 changes: epoch %d, want 5", got.Epoch())
		}
	}
}

func txContext(t *testing.T, s Store) {
	ada := newUser(t, "ada")
	err := s.Do(canceled(t), func(ctx context.Context, repos outbound.Repos) error { return repos.Users.Add(ctx, ada) })
	wantErr(t, "do with an ended context", err, context.Canceled)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = s.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		if err := repos.Users.Add(ctx, ada); err != nil {
			return err
		}
		cancel()
		return nil
	})
	wantErr(t, "do whose context ends before it does", err, context.Canceled)
	_, err = s.View().Users.Find(t.Context(), ada.ID())
	wantErr(t, "find", err, user.ErrNotFound)
	_, err = s.View().Users.Find(canceled(t), ada.ID())
	wantErr(t, "read with an ended context", err, context.Canceled)
}

func txEvents(t *testing.T, s Store) {
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		u := newUser(t, "ada")
		must(t, "add user", repos.Users.Add(ctx, u))
		in := newTenant(t, "engines", u, storeEpoch)
		must(t, "add tenant", repos.Tenants.Add(ctx, in))
		return repos.Sessions.Add(ctx, newSession(u, in, storeEpoch))
	})
	must(t, "do", err)
	s.wantEvents(t, "user_verified", "tenant_created", "authn_token_created")
}

func txActor(t *testing.T, s Store) {
	ada := newUser(t, "ada")
	ctx := outbound.WithActor(t.Context(), outbound.Actor{
		UserID: "u", TenantID: "t", SessionID: "s", KeyID: "k", RequestID: "r", TraceID: "tr", IP: "192.0.2.1", Agent: "curl/8",
	})
	err := s.Do(ctx, func(ctx context.Context, repos outbound.Repos) error { return repos.Users.Add(ctx, ada) })
	must(t, "do", err)
	if s.Audit == nil {
		return
	}
	same(t, "the audit log", s.Audit(t), []Audited{{
		At: storeEpoch, Event: "user_verified", Actor: "u", Subject: string(ada.ID()), Tenant: "t", Session: "s", Key: "k", RequestID: "r", TraceID: "tr",
		IP: "192.0.2.1", UA: "curl/8",
	}})
}

func txView(t *testing.T, s Store) {
	ada := newUser(t, "ada")
	must(t, "add", s.View().Users.Add(t.Context(), ada))
	must(t, "update", s.View().Users.Update(t.Context(), ada.ID(), func(u *user.User) error {
		u.Disable(storeEpoch)
		return nil
	}))
	s.wantEvents(t, "user_verified", "user_disabled")
}

func txHostileActor(t *testing.T, s Store) {
	ctx := outbound.WithActor(t.Context(), outbound.Actor{IP: "a\x00b", Agent: "caf\xe9 " + hostile, RequestID: hostile})
	must(t, "add", s.View().Users.Add(ctx, newUser(t, "ada")))
	s.wantEvents(t, "user_verified")
}
