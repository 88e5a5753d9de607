package redis_test

import (
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/test/redistest"
)

func TestEviction(t *testing.T) {
	const policies = "noeviction allkeys-lru allkeys-lfu allkeys-random volatile-lru volatile-lfu volatile-random volatile-ttl"
	for name, tc := range map[string]struct {
		rules []any // of the user that asks; nil: whoever the URL names
		tells bool
		fails error
	}{
		"whoever may do everything":   {tells: true},
		"whoever may not CONFIG":      {rules: []any{"+@all", "-config"}, tells: true},
		"whoever may not INFO":        {rules: []any{"+@all", "-info"}, tells: true},
		"whoever may neither":         {rules: []any{"+@all", "-config", "-info"}},
		"whoever has no right at all": {rules: []any{"-@all"}, fails: fault.ErrDependency},
	} {
		t.Run(name, func(t *testing.T) {
			address := redistest.URL(t)
			if tc.rules != nil {
				user, password := "test-"+rand.Text(), rand.Text()
				admin := inspect(t, address)
				if err := admin.Do(t.Context(), append([]any{"ACL", "SETUSER", user, "on", ">" + password, "~*"}, tc.rules...)...).Err(); err != nil {
					t.Fatal(err)
				}
				defer admin.Do(t.Context(), "ACL", "DELUSER", user)
				u, err := url.Parse(address)
				if err != nil {
					t.Fatal(err)
				}
				u.User = url.UserPassword(user, password)
				address = u.String()
			}
			got, err := open(t, redis.Config{URL: secret.New(address), Timeout: 20 * time.Second}, newWatch().read).Eviction(t.Context())
			if !errors.Is(err, tc.fails) {
				t.Fatalf("got %v, want %v", err, tc.fails)
			}
			if (got != "") != tc.tells || !strings.Contains(policies, got) {
				t.Errorf("got %q, want a policy: %t", got, tc.tells)
			}
		})
	}
	t.Run("a wrong password", func(t *testing.T) {
		u, _ := url.Parse(redistest.URL(t))
		u.User = url.UserPassword("nobody-"+rand.Text(), rand.Text())
		got, err := open(t, redis.Config{URL: secret.New(u.String()), Timeout: 20 * time.Second}, newWatch().read).Eviction(t.Context())
		if !errors.Is(err, fault.ErrDependency) || got != "" {
			t.Errorf("got %q, %v; want fault.ErrDependency", got, err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		got, err := open(t, redis.Config{URL: secret.New("redis://127.0.0.1:1/0"), Timeout: 20 * time.Second}, newWatch().read).Eviction(t.Context())
		if !errors.Is(err, fault.ErrDependency) || got != "" {
			t.Errorf("got %q, %v; want fault.ErrDependency", got, err)
		}
	})
}
