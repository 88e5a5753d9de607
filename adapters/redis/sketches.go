package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Sketches implements outbound.Sketches: forge1:sketch:<replica>:<part> holds a body, and forge1:sketches the replicas that published, by the server's time
// until which what they published last is kept. It has a gate of its own: what nobody waits for slows nothing down.
type Sketches struct{ client *Client }

var _ outbound.Sketches = (*Sketches)(nil)

// NewSketches shares sketches by a client.
func NewSketches(c *Client) *Sketches {
	return &Sketches{&Client{rdb: c.rdb, clock: c.clock, timeout: c.patient.timeout, gate: gate{rest: c.gate.rest}}}
}

const (
	sketchPrefix   = "forge1:sketch:"
	sketchReplicas = "forge1:sketches"
	mostReplicas   = 200 // that are read; more than that is no fleet, but replicas that start over and over
)

// sketchPublish keeps a body and its replica's name. The set of names ends with its last member.
var sketchPublish = redis.NewScript(`
local now = redis.call('TIME')
local until_ = now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (until_ - tonumber(ARGV[3])))
redis.call('ZADD', KEYS[1], until_, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// sketchOthers lists the replicas whose bodies may still be kept, the latest first.
var sketchOthers = redis.NewScript(`
local now = redis.call('TIME')
return redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', now[1] * 1000 + math.floor(now[2] / 1000), 'LIMIT', 0, ARGV[1])`)

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
	var out []outbound.SharedSketch
	err := s.client.do(ctx, func(ctx context.Context) error {
		names, err := sketchOthers.Run(ctx, s.client.rdb, []string{sketchReplicas}, mostReplicas).StringSlice()
		if err != nil {
			return err
		}
		var keys []string
		for _, name := range names {
			if name == replica {
				continue
			}
			for _, part := range parts {
				out = append(out, outbound.SharedSketch{Replica: name, Part: part})
				keys = append(keys, sketchKey(name, part))
			}
		}
		if len(keys) == 0 {
			return nil
		}
		bodies, err := s.client.rdb.MGet(ctx, keys...).Result()
		if err != nil {
			return err
		}
		kept := out[:0]
		for i, b := range bodies {
			if text, ok := b.(string); ok && len(text) <= outbound.MaxSketchBytes {
				out[i].Body = []byte(text)
				kept = append(kept, out[i])
			}
		}
		out = kept
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the sketches of others: %w", err)
	}
	return out, nil
}
