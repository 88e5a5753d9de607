package keys_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/keys"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

// store hands out the database, and stands in the way when it is told to.
type store struct {
	outbound.Tx
	mu   sync.Mutex
	down error
}

func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

func (s *store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

func (s *store) Do(ctx context.Context, work func(context.Context, outbound.Repos) error) error {
	if err := s.failure(); err != nil {
		return err
	}
	return s.Tx.Do(ctx, work)
}

func (s *store) View() outbound.Repos {
	repos := s.Tx.View()
	repos.SigningKeys = view{repos.SigningKeys, s}
	return repos
}

type view struct {
	outbound.SigningKeys
	store *store
}

func (v view) List(ctx context.Context) ([]signing.Key, error) {
	if err := v.store.failure(); err != nil {
		return nil, err
	}
	return v.SigningKeys.List(ctx)
}

// node is one node of Forge with its signing keys.
type node struct {
	*identity.World
	*keys.Service
	store *store
	log   *bytes.Buffer
}

func newNode(w *identity.World) *node {
	n := &node{World: w, store: &store{Tx: w.DB}, log: &bytes.Buffer{}}
	n.Service = keys.New(keys.Deps{
		Tx: n.store, Tokens: w.Tokens, Clock: w.Clock.Now, Log: slog.New(slog.NewJSONHandler(n.log, nil)),
		Config: keys.Config{AccessTTL: identity.Config.AccessTTL},
	})
	return n
}

// load makes a node that has loaded its keys.
func load(t *testing.T, w *identity.World) *node {
	t.Helper()
	n := newNode(w)
	if err := n.Load(t.Context()); err != nil {
		t.Fatalf("load: %v", err)
	}
	return n
}

// run follows until the test's bubble is left.
func (n *node) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// pass lets time pass for the bubble and for the clock of the world.
func (n *node) pass(d time.Duration) {
	n.Clock.Advance(d)
	time.Sleep(d)
	synctest.Wait()
}

// sign makes a token of now.
func (n *node) sign(t *testing.T) string {
	t.Helper()
	now := n.Clock.Now()
	token, err := n.Tokens.Sign(outbound.AccessClaims{
		Subject: "u", SessionID: "s", TenantID: "t", ID: "j", IssuedAt: now, Expires: now.Add(identity.Config.AccessTTL), AuthTime: now,
	})
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return token
}

func (n *node) good(token string) bool {
	_, err := n.Tokens.Verify(token, n.Clock.Now())
	return err == nil
}

// states gives the stored keys as "1 retired, 2 active, 3 next".
func (n *node) states(t *testing.T) string {
	t.Helper()
	list, err := n.List(t.Context())
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return statesOf(list)
}

func statesOf(list []inbound.SigningKey) string {
	var all []string
	for _, k := range list {
		all = append(all, fmt.Sprint(k.Number, " ", k.State))
	}
	return strings.Join(all, ", ")
}

func (n *node) wantStates(t *testing.T, when, want string) {
	t.Helper()
	if got := n.states(t); got != want {
		t.Errorf("%s: got keys %q, want %q", when, got, want)
	}
}
