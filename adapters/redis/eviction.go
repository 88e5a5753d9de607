package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Eviction gives the server's maxmemory-policy: what it throws away when its memory is full. It is "" when the server answers and does not tell, as
// managed ones may. It fails with fault.ErrDependency when the server does not answer, or does not let us in.
func (c *Client) Eviction(ctx context.Context) (string, error) {
	policy, err := c.configured(ctx)
	if err == nil && policy != "" {
		return policy, nil
	}
	if _, refused := errors.AsType[redis.Error](err); err != nil && !refused {
		return "", fmt.Errorf("ask for the eviction policy: %w", err)
	}
	if err := c.Ping(ctx); err != nil { // a refusal of the password is none of the question
		return "", fmt.Errorf("ask for the eviction policy: %w", err)
	}
	policy, err = c.informed(ctx)
	if _, refused := errors.AsType[redis.Error](err); err != nil && !refused {
		return "", fmt.Errorf("ask for the eviction policy: %w", err)
	}
	return policy, nil
}

// configured reads the policy where an administrator would.
func (c *Client) configured(ctx context.Context) (policy string, err error) {
	err = c.ask(ctx, func(ctx context.Context) error {
		values, err := c.rdb.ConfigGet(ctx, "maxmemory-policy").Result()
		policy = values["maxmemory-policy"]
		return err
	})
	return policy, err
}

// informed reads the policy where everyone may.
func (c *Client) informed(ctx context.Context) (policy string, err error) {
	err = c.ask(ctx, func(ctx context.Context) error {
		info, err := c.rdb.Info(ctx, "memory").Result()
		for line := range strings.Lines(info) {
			if v, ok := strings.CutPrefix(line, "maxmemory_policy:"); ok {
				policy = strings.TrimSpace(v)
			}
		}
		return err
	})
	return policy, err
}
