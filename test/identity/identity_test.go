package identity_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// Races that a store decides run here on each, with two nodes.

var stores = map[string]func(testing.TB, ...func(*auth.Config)) *identity.World{
	"SQLite": identity.New, "Postgres": identity.NewOnPostgres, "Postgres and Redis": identity.NewOnServers,
}

const racers = 50

// race lets racers run at once, half of them on each of two nodes, and counts how each ended.
func race(t *testing.T, w *identity.World, run func(node *identity.World, i int) (outcome string)) map[string]int {
	t.Helper()
	nodes := []*identity.World{w, w.Node(t)}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		count = map[string]int{}
		begin = make(chan struct{})
	)
	for i := range racers {
		all.Go(func() {
			<-begin
			outcome := run(nodes[i%2], i)
			mu.Lock()
			defer mu.Unlock()
			count[outcome]++
		})
	}
	close(begin)
	all.Wait()
	return count
}

// said is an error's code, "ok" for none.
func said(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func onEachStore(t *testing.T, test func(t *testing.T, w *identity.World)) {
	t.Helper()
	for name, newWorld := range stores {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t)) })
	}
}

func TestRegistersOfOneAddress(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		count := race(t, w, func(node *identity.World, _ int) string {
			_, err := node.Auth.Register(t.Context(), inbound.Register{Email: "ada@example.com", Password: secret.New(identity.Password), Origin: identity.Somewhere()})
			return said(err)
		})
		if count["ok"] != racers {
			t.Errorf("got %v", count)
		}
		letters := w.Letters(t)
		if len(letters) != 3 {
			t.Errorf("got %d mails, want 3", len(letters))
		}
		verified := race(t, w, func(node *identity.World, i int) string {
			_, err := node.Auth.VerifyEmail(t.Context(), identity.TokenIn(t, letters[i%len(letters)]), identity.Somewhere())
			return said(err)
		})
		if verified["ok"] != 1 || verified["token_invalid"] != racers-1 {
			t.Errorf("verifications: got %v", verified)
		}
	})
}

func TestRegistersOfOneUsernameAndSlug(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		tokens := make([]string, racers)
		for i := range tokens {
			tokens[i] = w.Register(t, inbound.Register{Email: fmt.Sprintf("u%d@example.com", i), Username: "ada", HasTenant: true, TenantName: "Acme"})
		}
		slugs := sync.Map{}
		count := race(t, w, func(node *identity.World, i int) string {
			v, err := node.Auth.VerifyEmail(t.Context(), tokens[i], identity.Somewhere())
			if _, twice := slugs.LoadOrStore(v.TenantSlug, true); twice {
				t.Errorf("slug %q twice", v.TenantSlug)
			}
			return fmt.Sprint(said(err), " ", v.UsernameAssigned)
		})
		if count["ok true"] != 1 || count["ok false"] != racers-1 {
			t.Errorf("got %v", count)
		}
	})
}

func TestRefreshesOfOneToken(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, "ada@example.com", "")
		first := w.Login(t, "ada@example.com")
		count := race(t, w, func(node *identity.World, _ int) string {
			got, err := node.Auth.Refresh(t.Context(), first.Refresh, inbound.Origin{})
			return said(err) + " " + got.Refresh
		})
		if len(count) != 1 {
			t.Fatalf("got %v, want one successor", count)
		}
		for outcome := range count {
			next, err := w.Auth.Refresh(t.Context(), outcome[len("ok "):], inbound.Origin{})
			if err != nil {
				t.Fatalf("the successor: %v", err)
			}
			if r, _ := session.ParseRefreshToken(next.Refresh); r.Gen != 3 {
				t.Errorf("generation %d, want 3", r.Gen)
			}
		}
	})
}

func TestRefreshesAgainstALogout(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, "ada@example.com", "")
		for range 5 {
			first := w.Login(t, "ada@example.com")
			race(t, w, func(node *identity.World, i int) string {
				if i == racers/2 {
					return said(node.Auth.Logout(t.Context(), inbound.Logout{Bearer: first.Access}))
				}
				got, err := node.Auth.Refresh(t.Context(), first.Refresh, inbound.Origin{})
				if err == nil {
					_, _ = node.Gate.Authenticate(t.Context(), got.Access)
				}
				return said(err)
			})
			w.Clock.Advance(5 * time.Second)
			for _, node := range []*identity.World{w, w.Node(t)} {
				if _, err := node.Gate.Authenticate(t.Context(), first.Access); !errors.Is(err, auth.ErrUnauthenticated) {
					t.Errorf("after the logout: got %v", err)
				}
				if _, err := node.Auth.Refresh(t.Context(), first.Refresh, inbound.Origin{}); !errors.Is(err, session.ErrRefreshInvalid) {
					t.Errorf("after the logout: got %v", err)
				}
			}
		}
	})
}

func TestReplaysOfAnOldToken(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, "ada@example.com", "")
		old := w.Login(t, "ada@example.com")
		if _, err := w.Auth.Refresh(t.Context(), old.Refresh, inbound.Origin{}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Minute)
		count := race(t, w, func(node *identity.World, _ int) string {
			_, err := node.Auth.Refresh(t.Context(), old.Refresh, inbound.Origin{})
			return said(err)
		})
		if count["refresh_invalid"] != racers {
			t.Errorf("got %v", count)
		}
		if letters := w.Letters(t); len(letters) != 1 {
			t.Errorf("%d notices, want 1", len(letters))
		}
	})
}

func TestLogins(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		count := race(t, w, func(node *identity.World, _ int) string {
			_, err := node.Auth.Login(t.Context(), inbound.Login{Email: "ada@example.com", Password: secret.New(identity.Password), Origin: identity.Somewhere()})
			return said(err)
		})
		if count["ok"] != racers {
			t.Errorf("got %v", count)
		}
		open, err := w.DB.View().Sessions.OfUser(t.Context(), v.UserID, w.Clock.Now())
		if err != nil || len(open) != racers {
			t.Errorf("%d sessions, %v, want %d", len(open), err, racers)
		}
	})
}
