// Package keys has every node sign and verify access tokens with the keys that the database says are in use, turns them by time, and lets operators turn and drop
// them.
package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	// followEvery is how often the stored keys are looked at. With a database that takes its time, and admissions that are believed for five seconds more, a drop is felt
	// on every node well within a minute, one look that fails included.
	followEvery = 15 * time.Second

	// A retired key is kept until the last token that it signed has expired everywhere, with the leeway of those who verify, and everyone who read the key set has read
	// it anew.
	leeway  = 30 * time.Second
	readers = 600 * time.Second // the max-age of the key set, far longer than a node takes to follow
)

// Config says how long tokens live.
type Config struct{ AccessTTL time.Duration }

// Deps are what Service needs.
type Deps struct {
	Tx     outbound.Tx
	Tokens outbound.Tokens
	Clock  outbound.Clock
	Log    *slog.Logger
	Config Config
}

// Service implements inbound.SigningKeys and inbound.Keys. Before it serves, a process calls Load, so that it never accepts a key that was dropped; then Run.
type Service struct {
	Deps

	mu     sync.Mutex // over reading what is stored and using it, so that nothing older is used after something newer
	in     []signing.Key
	behind bool // the last look failed
}

var (
	_ inbound.SigningKeys = (*Service)(nil)
	_ inbound.Keys        = (*Service)(nil)
)

// New makes the service. It starts nothing.
func New(d Deps) *Service { return &Service{Deps: d} }

// JWKS implements inbound.Keys.
func (s *Service) JWKS() ([]byte, error) { return s.Tokens.JWKS() }

// List implements inbound.SigningKeys. There are none before the first start of a server.
func (s *Service) List(ctx context.Context) ([]inbound.SigningKey, error) {
	kept, err := s.Tx.View().SigningKeys.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return views(kept), nil
}

// Rotate implements inbound.SigningKeys.
func (s *Service) Rotate(ctx context.Context) ([]inbound.SigningKey, error) {
	kept, err := s.turn(ctx, func(set *signing.Set) error {
		set.Rotate(s.Clock())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rotate signing keys: %w", err)
	}
	return views(kept), nil
}

// Drop implements inbound.SigningKeys.
func (s *Service) Drop(ctx context.Context, number int) ([]inbound.SigningKey, error) {
	kept, err := s.turn(ctx, func(set *signing.Set) error { return set.Drop(number, s.Clock()) })
	if err != nil {
		return nil, fmt.Errorf("drop signing key: %w", err)
	}
	return views(kept), nil
}

func views(keys []signing.Key) []inbound.SigningKey {
	out := make([]inbound.SigningKey, 0, len(keys))
	for _, k := range keys {
		out = append(out, inbound.SigningKey{Number: k.Number, State: string(k.State), Since: k.Since})
	}
	return out
}

// Load has this node use the stored keys, and begins the first set when there is none. When it fails this node must not serve: it does not know what was dropped.
func (s *Service) Load(ctx context.Context) error {
	if err := s.follow(ctx); err != nil {
		return fmt.Errorf("load signing keys: %w", err)
	}
	return nil
}

// Run follows the stored keys, and turns them when it is time, until the context ends. While the database is away the keys in use stay.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := s.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.say(ctx, err)
	}
}

// say logs the first of several looks that fail, and the first that does not any more.
func (s *Service) say(ctx context.Context, err error) {
	switch {
	case err != nil && !s.behind:
		s.Log.ErrorContext(ctx, "signing keys cannot be followed; those in use stay", "logger", "keys", "error", err)
	case err == nil && s.behind:
		s.Log.InfoContext(ctx, "signing keys are followed again", "logger", "keys")
	}
	s.behind = err != nil
}

// follow reads what is stored, does what time asks for, and uses it.
func (s *Service) follow(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, err := s.Tx.View().SigningKeys.List(ctx)
	if err != nil {
		return err
	}
	if due(kept, s.keep(), s.Clock()) {
		kept, err = s.change(ctx, func(set *signing.Set) error {
			if set.Active() != 0 {
				set.Tend(s.keep(), s.Clock())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.use(ctx, kept)
}

// due reports whether there is a set to begin, or time asks for something. One node will do it; the others find it done.
func due(kept []signing.Key, keep time.Duration, now time.Time) bool {
	set := signing.Restore(kept, now)
	return len(kept) == 0 || set.Active() != 0 && set.Tend(keep, now)
}

func (s *Service) keep() time.Duration { return s.Config.AccessTTL + leeway + readers }

// turn changes the stored keys, and this node uses them at once.
func (s *Service) turn(ctx context.Context, change func(*signing.Set) error) ([]signing.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, err := s.change(ctx, change)
	if err != nil {
		return nil, err
	}
	return kept, s.use(ctx, kept)
}

// change changes the stored keys in a transaction with the lines of the audit log, and gives them as they are then.
func (s *Service) change(ctx context.Context, change func(*signing.Set) error) (kept []signing.Key, err error) {
	err = s.Tx.Do(ctx, func(ctx context.Context, repos outbound.Repos) error {
		return repos.SigningKeys.Update(ctx, func(set *signing.Set) error {
			if err := change(set); err != nil {
				return err
			}
			kept = set.Keys()
			return nil
		})
	})
	return kept, err
}

// errNoActive is a set that nobody made with Forge 1.
var errNoActive = errors.New("no signing key is active; 'forge1 keys rotate' makes the next one so")

// use has this node sign and verify with these keys, if they are others than now.
func (s *Service) use(ctx context.Context, kept []signing.Key) error {
	if slices.EqualFunc(kept, s.in, func(a, b signing.Key) bool { return a.Number == b.Number && a.State == b.State }) {
		return nil
	}
	active := slices.IndexFunc(kept, func(k signing.Key) bool { return k.State == signing.Active })
	if active < 0 {
		return errNoActive
	}
	if err := s.Tokens.Use(kept); err != nil {
		return fmt.Errorf("use signing keys: %w", err)
	}
	s.in = kept
	s.Log.InfoContext(ctx, "signing keys in use", "logger", "keys", "active", kept[active].Number, "keys", len(kept))
	return nil
}
