package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Throttle implements outbound.Throttle: forge1:rl:<key of the bucket> is a hash with the count and each lease. Every operation is one script over all of
// its buckets. Time is the client's clock, so that a moved clock moves windows; nodes whose clocks differ a little count together all the same, and no wait is ever
// longer than a whole window, however the clock jumped. The real expiry of a key is a bound alone.
type Throttle struct{ client *Client }

var _ outbound.Throttle = (*Throttle)(nil)

// NewThrottle counts by a client.
func NewThrottle(c *Client) *Throttle { return &Throttle{client: c.patient} }

func throttleKeys(buckets []outbound.Bucket) []string {
	keys := make([]string, len(buckets))
	for i, b := range buckets {
		keys[i] = "forge1:rl:" + b.Key
	}
	return keys
}

// Admit implements outbound.Throttle.
func (t *Throttle) Admit(ctx context.Context, lease string, ttl time.Duration, buckets []outbound.Bucket) (outbound.Admission, error) {
	if len(buckets) == 0 {
		return outbound.Admission{}, nil
	}
	args := []any{t.client.clock().UnixMicro(), ttl.Microseconds(), lease}
	for _, b := range buckets {
		args = append(args, b.Limit, b.Window.Microseconds(), b.Every, b.Growth.Microseconds())
	}
	var answer []int64
	err := t.client.do(ctx, func(ctx context.Context) (err error) {
		answer, err = admit.Run(ctx, t.client.rdb, throttleKeys(buckets), args...).Int64Slice()
		return err
	})
	if err != nil {
		return outbound.Admission{}, fmt.Errorf("ask the throttle: %w", err)
	}
	if len(answer) != 2+2*len(buckets) {
		return outbound.Admission{}, fmt.Errorf("ask the throttle: %w", fault.ErrDependency.With(fmt.Errorf("it answered %d numbers", len(answer))))
	}
	a := outbound.Admission{Verdict: outbound.Verdict(answer[0]), RetryAfter: span(answer[1])} //nolint:gosec // 0, 1 or 2
	for i := range buckets {
		a.States = append(a.States, outbound.BucketState{Remaining: int(answer[2+2*i]), Reset: span(answer[3+2*i])})
	}
	return a, nil
}

func span(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

// Settle implements outbound.Throttle.
func (t *Throttle) Settle(ctx context.Context, lease string, failed bool, buckets []outbound.Bucket) error {
	if len(buckets) == 0 {
		return nil
	}
	args := []any{t.client.clock().UnixMicro(), lease, failed}
	for _, b := range buckets {
		args = append(args, b.Window.Microseconds(), b.Every, b.Growth.Microseconds())
	}
	err := t.client.do(ctx, func(ctx context.Context) error {
		return settle.Run(ctx, t.client.rdb, throttleKeys(buckets), args...).Err()
	})
	if err != nil {
		return fmt.Errorf("settle with the throttle: %w", err)
	}
	return nil
}

// Clear implements outbound.Throttle.
func (t *Throttle) Clear(ctx context.Context, buckets []outbound.Bucket) error {
	if len(buckets) == 0 {
		return nil
	}
	err := t.client.do(ctx, func(ctx context.Context) error { return wipe.Run(ctx, t.client.rdb, throttleKeys(buckets)).Err() })
	if err != nil {
		return fmt.Errorf("clear the throttle: %w", err)
	}
	return nil
}

// In a bucket's hash, n counts, at says since when (of the first that counts; with growth, of the last), and l:<lease> says until when a lease lasts. Times and spans
// are microseconds. What has run out reads as nothing there.
const reckoning = `
local now = tonumber(ARGV[1])

local function text(n) return string.format('%.0f', n) end

-- What counts now and since when. A time to come, by a clock that was moved back or is a little ahead, becomes now.
local function count(key, n, at, window)
  n, at = tonumber(n) or 0, tonumber(at) or now
  if at > now then
    at = now
    redis.call('HSET', key, 'at', text(at))
  end
  if n == 0 or now - at >= window then return 0, now end
  return n, at
end

-- Keeps a key for at least this long and a minute, of real time.
local function keep(key, us)
  local ms = math.ceil(us / 1000) + 60000
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, text(ms)) end
end

-- Counts one more.
local function add(key, n, at, window, growth)
  if n == 0 or growth > 0 then at = now end
  redis.call('HSET', key, 'n', text(n + 1), 'at', text(at))
  keep(key, window)
  return n + 1, at
end
`

// admit answers the verdict, the wait, and for each bucket what remains and when it begins anew.
var admit = redis.NewScript(reckoning + `
local ttl, lease = tonumber(ARGV[2]), 'l:' .. ARGV[3]
local verdict, retry, seen, answer = 0, 0, {}, {}

for i, key in ipairs(KEYS) do
  local b = {limit = tonumber(ARGV[4*i]), window = tonumber(ARGV[4*i+1]), every = ARGV[4*i+2] == '1', growth = tonumber(ARGV[4*i+3])}
  local n, at, leases = nil, nil, 0
  local fields = redis.call('HGETALL', key)
  for f = 1, #fields, 2 do
    local name, value = fields[f], fields[f+1]
    if name == 'n' then n = value
    elseif name == 'at' then at = value
    elseif tonumber(value) > now then leases = leases + 1
    else redis.call('HDEL', key, name) end
  end
  b.n, b.at = count(key, n, at, b.window)
  b.room = b.limit - b.n - leases
  local wait = 0
  if b.n >= b.limit then
    local whole = b.window
    if b.growth > 0 then whole = math.min(b.growth * 2 ^ (b.n - b.limit), b.window) end
    wait = math.max(b.at + whole - now, 0)
    b.room = wait > 0 and 0 or 1 - leases
  end
  verdict = math.max(verdict, wait > 0 and 2 or b.room <= 0 and 1 or 0)
  retry = math.max(retry, wait)
  seen[i] = b
end

answer[1], answer[2] = verdict, retry
for i, key in ipairs(KEYS) do
  local b = seen[i]
  if verdict == 0 then
    b.room = b.room - 1
    if b.every then
      b.n, b.at = add(key, b.n, b.at, b.window, b.growth)
    else
      redis.call('HSET', key, lease, text(now + ttl))
      keep(key, ttl)
    end
  end
  answer[2*i+1] = math.max(b.room, 0)
  answer[2*i+2] = b.n > 0 and b.at + b.window - now or 0
end
return answer
`)

var settle = redis.NewScript(reckoning + `
local lease, failed = 'l:' .. ARGV[2], ARGV[3] == '1'
for i, key in ipairs(KEYS) do
  local window, every, growth = tonumber(ARGV[3*i+1]), ARGV[3*i+2] == '1', tonumber(ARGV[3*i+3])
  if not every then
    redis.call('HDEL', key, lease)
    if failed then
      local kept = redis.call('HMGET', key, 'n', 'at')
      local n, at = count(key, kept[1], kept[2], window)
      add(key, n, at, window, growth)
    end
  end
end
return redis.status_reply('OK')
`)

// wipe leaves the leases: what is under way still is.
var wipe = redis.NewScript(`
for _, key in ipairs(KEYS) do redis.call('HDEL', key, 'n', 'at') end
return redis.status_reply('OK')
`)
