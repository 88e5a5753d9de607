// Package redis keeps what is short-lived and shared by all nodes, in Redis by go-redis. Nothing durable depends on it: a Redis that is slow or away is
// given up after a short wait and then left alone for a while, so that it never slows requests down.
package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// Defaults of Config.
const (
	DefaultTimeout  = 150 * time.Millisecond
	DefaultPatience = 500 * time.Millisecond
	DefaultRest     = time.Second
)

// Config says where Redis is and how patient to be.
type Config struct {
	// URL is redis://user:password@host:port/db, or rediss:// with TLS.
	URL secret.Text
	// Timeout bounds a command that something else can stand in for, with connecting and waiting for a connection; 0 is DefaultTimeout.
	Timeout time.Duration
	// Patience bounds a command without which a sign-in is refused, such as a throttle's; 0 is DefaultPatience.
	Patience time.Duration
	// Rest is how long Redis is left alone after it did not answer in time; what sign-ins need asks again after a quarter of it. 0 is DefaultRest.
	Rest time.Duration
}

// Client is the way to one Redis, shared by everything that is kept there.
type Client struct {
	rdb     *redis.Client
	clock   outbound.Clock
	timeout time.Duration
	gate    gate
	patient *Client // by the same connections, with more patience and a gate of its own: a busy moment that slows a cache down refuses no sign-in
}

// Open prepares the way to Redis. It does not connect: the first use does. It fails when the URL cannot be read; nothing of the URL is in the error.
func Open(c Config, clock outbound.Clock) (*Client, error) {
	options, err := redis.ParseURL(c.URL.Reveal())
	if err != nil { // its text may quote the URL
		return nil, errors.New("the Redis URL is not of the form redis://user:password@host:port/db")
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Patience <= 0 {
		c.Patience = DefaultPatience
	}
	if c.Rest <= 0 {
		c.Rest = DefaultRest
	}
	quiet()
	options.MaxRetries, options.DialerRetries = -1, 1 // with the defaults a command at a dead Redis costs 1.7 s
	most := max(c.Timeout, c.Patience)
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = most, most, most, most
	options.ContextTimeoutEnabled = true // every command is bounded by its context, and by the above at the latest
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	rdb := redis.NewClient(options)
	patient := &Client{rdb: rdb, clock: clock, timeout: c.Patience, gate: gate{rest: c.Rest / 4}}
	return &Client{rdb: rdb, clock: clock, timeout: c.Timeout, gate: gate{rest: c.Rest}, patient: patient}, nil
}

// quiet keeps the library from writing lines of its own to stderr: what fails is returned, and said once by whoever handles it.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf says nothing.
func (silence) Printf(context.Context, string, ...any) {}

// Close ends every connection.
func (c *Client) Close() error { return c.rdb.Close() }

// Ping asks whether Redis answers, also while it is left alone; when it does, it is used again at once.
func (c *Client) Ping(ctx context.Context) error {
	err := c.ask(ctx, func(ctx context.Context) error { return c.rdb.Ping(ctx).Err() })
	if err == nil {
		c.patient.gate.answered()
	}
	return err
}

// do runs a command, unless Redis is being left alone. It fails with fault.ErrDependency within the timeout.
func (c *Client) do(ctx context.Context, command func(context.Context) error) error {
	if !c.gate.open(c.clock()) {
		return fault.ErrDependency.With(errResting)
	}
	return c.ask(ctx, command)
}

// ask runs a command and lets the gate learn from it. An answer is an answer, an error in it too; only silence shuts the gate. A caller
// who leaves says nothing about Redis.
func (c *Client) ask(parent context.Context, command func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	err := command(ctx)
	switch _, answered := errors.AsType[redis.Error](err); {
	case err == nil, errors.Is(err, redis.Nil):
		c.gate.answered()
		return err
	case answered:
		c.gate.answered()
		return fault.ErrDependency.With(err)
	case parent.Err() != nil:
		return fmt.Errorf("redis: %w", parent.Err())
	default:
		c.gate.silent(c.clock())
		return fault.ErrDependency.With(err)
	}
}

// errResting is the cause while Redis is left alone.
var errResting = errors.New("redis did not answer a moment ago and is left alone")

// gate leaves Redis alone for a while after it was silent. Then one caller goes first; the others follow once it has an answer.
type gate struct {
	rest  time.Duration
	until atomic.Int64 // microseconds since 1970; 0: open
}

func (g *gate) open(now time.Time) bool {
	until := g.until.Load()
	if until == 0 {
		return true
	}
	left := until - now.UnixMicro()
	if left > 0 && left <= g.rest.Microseconds() { // more is left only when the clock was moved back
		return false
	}
	return g.until.CompareAndSwap(until, now.Add(g.rest).UnixMicro())
}

func (g *gate) answered() { g.until.Store(0) }

func (g *gate) silent(now time.Time) { g.until.Store(now.Add(g.rest).UnixMicro()) }
