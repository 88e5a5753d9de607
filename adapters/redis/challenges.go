package redis

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Challenges implements outbound.Challenges: forge1:mfa:<SHA-256 of the token, in hex> is a hash that names the user by its id. Every operation is one script. A
// challenge ends by the client's clock; the real expiry of its key is a bound alone.
type Challenges struct{ client *Client }

var _ outbound.Challenges = (*Challenges)(nil)

// NewChallenges keeps challenges by a client.
func NewChallenges(c *Client) *Challenges { return &Challenges{client: c.patient} }

func challengeKeys(hash [32]byte) []string {
	return []string{"forge1:mfa:" + hex.EncodeToString(hash[:])}
}

// Put implements outbound.Challenges.
func (s *Challenges) Put(ctx context.Context, hash [32]byte, c outbound.Challenge, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	until, bound := s.client.clock().Add(ttl).UnixMicro(), (ttl + time.Minute).Milliseconds()
	err := s.client.do(ctx, func(ctx context.Context) error {
		return put.Run(ctx, s.client.rdb, challengeKeys(hash), until, bound, string(c.User), c.Tenant, c.Epoch).Err()
	})
	if err != nil {
		return fmt.Errorf("keep challenge: %w", err)
	}
	return nil
}

// Try implements outbound.Challenges.
func (s *Challenges) Try(ctx context.Context, hash [32]byte, most int) (outbound.Challenge, bool, error) {
	var fields []string
	err := s.client.do(ctx, func(ctx context.Context) (err error) {
		fields, err = try.Run(ctx, s.client.rdb, challengeKeys(hash), s.client.clock().UnixMicro(), most).StringSlice()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return outbound.Challenge{}, false, nil
	}
	if err != nil {
		return outbound.Challenge{}, false, fmt.Errorf("try challenge: %w", err)
	}
	if len(fields) != 3 {
		return outbound.Challenge{}, false, fmt.Errorf("try challenge: %w", fault.ErrDependency.With(fmt.Errorf("it has %d fields", len(fields))))
	}
	epoch, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return outbound.Challenge{}, false, fmt.Errorf("try challenge: %w", fault.ErrDependency.With(err))
	}
	return outbound.Challenge{User: user.ID(fields[0]), Tenant: fields[1], Epoch: epoch}, true, nil
}

// Claim implements outbound.Challenges.
func (s *Challenges) Claim(ctx context.Context, hash [32]byte) (bool, error) {
	var taken bool
	err := s.client.do(ctx, func(ctx context.Context) (err error) {
		taken, err = claim.Run(ctx, s.client.rdb, challengeKeys(hash), s.client.clock().UnixMicro()).Bool()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("claim challenge: %w", err)
	}
	return taken, nil
}

// put begins the tries anew.
var put = redis.NewScript(`
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'x', ARGV[1], 'u', ARGV[3], 't', ARGV[4], 'e', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.status_reply('OK')
`)

// try counts before anything is given, and nothing is given past the most (s: spent).
var try = redis.NewScript(`
local until_ = tonumber(redis.call('HGET', KEYS[1], 'x'))
if not until_ then return false end
if until_ <= tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
  return false
end
if redis.call('HEXISTS', KEYS[1], 's') == 1 or redis.call('HINCRBY', KEYS[1], 'n', 1) > tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 's', '1')
  return false
end
return redis.call('HMGET', KEYS[1], 'u', 't', 'e')
`)

var claim = redis.NewScript(`
local until_ = tonumber(redis.call('HGET', KEYS[1], 'x'))
redis.call('DEL', KEYS[1])
return until_ and until_ > tonumber(ARGV[1]) and 1 or 0
`)
