package redis

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// PromptCache implements outbound.PromptCache: forge1:prompt:<tenant>:<key> holds an entry, forge1:prompts:<tenant> the keys of a tenant in the order in which they
// were kept, and forge1:prompt-sizes:<tenant> how large each is, their sum, and the next place in that order. Entries are sealed, so that who reads the
// server's memory or a copy of it reads no answer; one that was changed or put elsewhere is none. It has a gate of its own: what slows it down slows
// nothing else that is kept in Redis.
type PromptCache struct {
	client *Client
	seal   outbound.Keyring
	most   int
	full   atomic.Int64 // until when nothing is kept, because the server had no memory left; microseconds since 1970
}

var _ outbound.PromptCache = (*PromptCache)(nil)

// promptLabel names the key that entries are sealed with.
const promptLabel = "prompt-cache"

// fullRest is how long nothing is kept after the server had no memory left. What is there is still found.
const fullRest = 30 * time.Second

// NewPromptCache keeps at most so many bytes for each tenant, by a client that may be used for other things too.
func NewPromptCache(c *Client, seal outbound.Keyring, tenantBytes int) *PromptCache {
	own := &Client{rdb: c.rdb, clock: c.clock, timeout: c.timeout, gate: gate{rest: c.gate.rest}}
	return &PromptCache{client: own, seal: seal, most: tenantBytes}
}

func promptName(tenantID string, key outbound.PromptKey) (value, order, sizes string) {
	tenant := url.PathEscape(tenantID)
	return "forge1:prompt:" + tenant + ":" + hex.EncodeToString(key[:]), "forge1:prompts:" + tenant, "forge1:prompt-sizes:" + tenant
}

// place is what an entry is sealed to.
func place(tenantID string, key outbound.PromptKey) []byte { return append(key[:], tenantID...) }

// Find implements outbound.PromptCache.
func (p *PromptCache) Find(ctx context.Context, tenantID string, key outbound.PromptKey) ([]byte, error) {
	name, _, _ := promptName(tenantID, key)
	var sealed []byte
	err := p.client.do(ctx, func(ctx context.Context) (err error) {
		sealed, err = p.client.rdb.Get(ctx, name).Bytes()
		return err
	})
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find a cached answer: %w", err)
	}
	entry, err := p.seal.Open(promptLabel, sealed, place(tenantID, key))
	if err != nil {
		return nil, nil //nolint:nilerr // what cannot be opened is not there
	}
	return entry, nil
}

// errFull is the cause while nothing is kept.
var errFull = errors.New("redis has little memory left, or had a moment ago")

// Keep implements outbound.PromptCache.
func (p *PromptCache) Keep(ctx context.Context, tenantID string, key outbound.PromptKey, entry []byte, ttl time.Duration) error {
	ms := ttl.Milliseconds()
	if ms <= 0 || len(entry) > p.most {
		return nil
	}
	now := p.client.clock()
	if left := p.full.Load() - now.UnixMicro(); left > 0 && left <= fullRest.Microseconds() { // more is left only when the clock was moved back
		return fmt.Errorf("keep an answer: %w", fault.ErrDependency.With(errFull))
	}
	sealed := p.seal.Seal(promptLabel, entry, place(tenantID, key))
	if len(sealed) > p.most {
		return nil
	}
	name, order, sizes := promptName(tenantID, key)
	var sum int64
	err := p.client.do(ctx, func(ctx context.Context) (err error) {
		sum, err = promptKeep.Run(ctx, p.client.rdb, []string{name, order, sizes}, sealed, ms, hex.EncodeToString(key[:]), len(sealed), p.most).Int64()
		return err
	})
	if err == nil && sum >= 0 {
		return nil
	}
	if err == nil {
		err = fault.ErrDependency.With(errFull)
		p.full.Store(now.Add(fullRest).UnixMicro())
	}
	if redis.IsOOMError(err) {
		p.full.Store(now.Add(fullRest).UnixMicro())
	}
	return fmt.Errorf("keep an answer: %w", err)
}

// promptKeep keeps an entry and lets go of those that were kept first until the tenant is within its bound. It answers what the tenant has then, and -1, having done
// nothing, when less than a fifth of the server's memory would be left: that is for sign-ins. It writes the entry before anything else, so that a server
// without memory refuses the whole script. What has expired by itself is taken off the order as it comes to stand first, a few at a time.
var promptKeep = redis.NewScript(`
local value, order, sizes = KEYS[1], KEYS[2], KEYS[3]
local entry, ms, key, size, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local prefix = string.sub(value, 1, #value - #key)

local memory = redis.pcall('INFO', 'memory') -- which not every server tells
if type(memory) == 'string' then
  local used, all = tonumber(string.match(memory, '\nused_memory:(%d+)')), tonumber(string.match(memory, '\nmaxmemory:(%d+)'))
  if used and all and all > 0 and used + size > 0.8 * all then return -1 end
end
redis.call('SET', value, entry, 'PX', ms)
if redis.call('EXISTS', order) == 0 or redis.call('EXISTS', sizes) == 0 then redis.call('DEL', order, sizes) end

local function forget(k)
  redis.call('ZREM', order, k)
  local had = tonumber(redis.call('HGET', sizes, k) or 0)
  redis.call('HDEL', sizes, k)
  return tonumber(redis.call('HINCRBY', sizes, 'sum', 0 - had))
end

local sum = forget(key)
for i = 1, 32 do
  local first = redis.call('ZRANGE', order, 0, 0)[1]
  if not first or redis.call('EXISTS', prefix .. first) == 1 then break end
  sum = forget(first)
end
while sum + size > most do
  local first = redis.call('ZRANGE', order, 0, 0)[1]
  if not first then break end
  redis.call('DEL', prefix .. first)
  sum = forget(first)
end
redis.call('ZADD', order, redis.call('HINCRBY', sizes, 'next', 1), key)
redis.call('HSET', sizes, key, size)
redis.call('HINCRBY', sizes, 'sum', size)
for _, k in ipairs({order, sizes}) do
  if redis.call('PTTL', k) < tonumber(ms) then redis.call('PEXPIRE', k, ms) end
end
return sum + size
`)
