package redis_test

import (
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
	"github.com/forge1/forge1/test/redistest"
)

// ageSketches takes time from what is left of every key of sketches, as if it had passed.
const ageSketches = `
for _, key in ipairs(redis.call('KEYS', 'forge1:sketch*')) do
	local left = redis.call('PTTL', key) - ARGV[1]
	if left <= 0 then redis.call('DEL', key) else redis.call('PEXPIRE', key, left) end
end
for _, name in ipairs(redis.call('ZRANGE', 'forge1:sketches', 0, -1)) do
	redis.call('ZINCRBY', 'forge1:sketches', -ARGV[1], name)
end
return 1`

func TestSketches(t *testing.T) {
	conformance.Sketches(t, func(t *testing.T) (outbound.Sketches, func(time.Duration)) {
		url := redistest.URL(t)
		rdb := inspect(t, url)
		client := open(t, redis.Config{URL: secret.New(url), Timeout: 10 * time.Second, Patience: 10 * time.Second}, newWatch().read)
		return redis.NewSketches(client), func(d time.Duration) {
			if err := rdb.Eval(t.Context(), ageSketches, nil, d.Milliseconds()).Err(); err != nil {
				t.Fatalf("age: %v", err)
			}
		}
	})
}
