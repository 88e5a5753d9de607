package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Sketches implements outbound.Sketches: forge1:sketch:<replica>:<part> holds a body, and forge1:sketches the replicas that published, by the server's time
// until which what they published is kept. It has a gate of its own: what nobody waits for slows nothing down.
type Sketches struct{ client *Client }

var _ outbound.Sketches = (*Sketches)(nil)

// NewSketches shares sketches by a client.
func NewSketches(c *Client) *Sketches {
	return &Sketches{&Client{rdb: c.rdb, clock: c.clock, timeout: c.patient.timeout, gate: gate{rest: c.gate.rest}}}
}

// Bounds of what is read. More replicas than that are no fleet, but some that start over and over; of all of them the latest are read.
const (
	sketchPrefix   = "forge1:sketch:"
	sketchReplicas = "forge1:sketches"
	mostReplicas   = 200
	mostAtOnce     = 64       // bodies
	mostBytes      = 64 << 20 // of all bodies; what is at once stops after a quarter
)

// sketchPublish keeps a body and its replica's name. Neither a name nor the set of names ends sooner because something else of it does.
var sketchPublish = redis.NewScript(`
local clock, ttl = redis.call('TIME'), tonumber(ARGV[3])
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('SET', KEYS[2], ARGV[2], 'PX', ttl)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now))
redis.call('ZADD', KEYS[1], 'GT', string.format('%.0f', now + ttl), ARGV[1])
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
return redis.status_reply('OK')`)

// sketchOthers lists the replicas whose bodies may still be kept, the latest first.
var sketchOthers = redis.NewScript(`
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
return redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', now, 'LIMIT', 0, ARGV[1])`)

// sketchBodies reads bodies, but none that is larger than one may be, and none once there are too many bytes. What is not read is empty but for one mark, which
// comes before each body that is.
var sketchBodies = redis.NewScript(`
local most, all, out = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i, key in ipairs(KEYS) do
  out[i] = ''
  if redis.call('TYPE', key).ok == 'string' then
    local size = redis.call('STRLEN', key)
    if size <= most and size <= all then
      all = all - size
      out[i] = '+' .. redis.call('GET', key)
    end
  end
end
return out`)

func sketchKey(replica string, part int64) string {
	return sketchPrefix + replica + ":" + strconv.FormatInt(part, 10)
}

// Publish implements outbound.Sketches.
func (s *Sketches) Publish(ctx context.Context, sk outbound.SharedSketch, ttl time.Duration) error {
	if len(sk.Body) > outbound.MaxSketchBytes {
		return fault.ErrValidation.Saying("a sketch is too large to be shared")
	}
	if ttl < time.Millisecond {
		return nil
	}
	err := s.client.do(ctx, func(ctx context.Context) error {
		return sketchPublish.Run(ctx, s.client.rdb, []string{sketchReplicas, sketchKey(sk.Replica, sk.Part)}, sk.Replica, sk.Body, ttl.Milliseconds()).Err()
	})
	if err != nil {
		return fmt.Errorf("publish a sketch: %w", err)
	}
	return nil
}

// Others implements outbound.Sketches.
func (s *Sketches) Others(ctx context.Context, replica string, parts []int64) ([]outbound.SharedSketch, error) {
	var names []string
	err := s.client.do(ctx, func(ctx context.Context) (err error) {
		names, err = sketchOthers.Run(ctx, s.client.rdb, []string{sketchReplicas}, mostReplicas).StringSlice()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list who publishes sketches: %w", err)
	}
	var wanted []outbound.SharedSketch
	for _, name := range names {
		if name == replica {
			continue
		}
		for _, part := range parts {
			wanted = append(wanted, outbound.SharedSketch{Replica: name, Part: part})
		}
	}
	out, left := wanted[:0], mostBytes
	for some := range slices.Chunk(wanted, mostAtOnce) {
		bodies, err := s.bodies(ctx, some, min(left, mostBytes/4))
		if err != nil {
			return nil, fmt.Errorf("read the sketches of others: %w", err)
		}
		for i, b := range bodies {
			if b, ok := strings.CutPrefix(b, "+"); ok {
				left -= len(b)
				sketch := some[i]
				sketch.Body = []byte(b)
				out = append(out, sketch)
			}
		}
	}
	return out, nil
}

// bodies reads those of some sketches.
func (s *Sketches) bodies(ctx context.Context, some []outbound.SharedSketch, most int) (bodies []string, err error) {
	keys := make([]string, len(some))
	for i, w := range some {
		keys[i] = sketchKey(w.Replica, w.Part)
	}
	err = s.client.do(ctx, func(ctx context.Context) (err error) {
		bodies, err = sketchBodies.Run(ctx, s.client.rdb, keys, outbound.MaxSketchBytes, most).StringSlice()
		return err
	})
	if err == nil && len(bodies) != len(some) {
		err = fault.ErrDependency.With(fmt.Errorf("it answered %d bodies for %d", len(bodies), len(some)))
	}
	return bodies, err
}
