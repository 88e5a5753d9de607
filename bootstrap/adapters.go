package bootstrap

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/adapters/prometheus"
	"github.com/forge1/forge1/adapters/qr"
	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/application/responses"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// The functions here turn configuration into adapters; sets.go names them to Wire.

func newDatabase(ctx context.Context, c Config, clock outbound.Clock, id outbound.NewID) (*database.DB, func(), error) {
	db, err := database.Open(ctx, database.Config{URL: c.DatabaseURL, DataDir: c.DataDir, MaxConns: c.DatabaseMaxConns}, clock, id)
	if err != nil {
		return nil, nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return db, func() { _ = db.Close() }, nil
}

func newMigrator(db *database.DB, c Config) *database.Migrator {
	return database.NewMigrator(db, database.MigratorConfig{PGVector: c.PGVector})
}

func newPolicies(db *database.DB, c Config) *database.Policies {
	return database.NewPolicies(db, c.Defaults())
}

func newClient(c Config, clock outbound.Clock) *http.Client {
	return llm.NewClient(llm.ClientConfig{
		ConnectTimeout: c.ConnectTimeout, FirstByteTimeout: c.FirstByteTimeout, IdleTimeout: c.StreamIdleTimeout,
		Proxy: http.ProxyFromEnvironment, Clock: clock,
	})
}

func newCircuits(c Config, clock outbound.Clock, s shortLived) *breaker.Circuits {
	return breaker.New(breaker.Config{
		Threshold: uint32(c.BreakerThreshold), Cooldown: c.cooldown(), Clock: clock, States: s.circuits, //nolint:gosec // checked: 1 to 1000
	})
}

func newLatencies(c Config, clock outbound.Clock, id outbound.NewID, s shortLived) *latency.Latencies {
	return latency.New(latency.Config{Window: c.LatencyWindow, Clock: clock, Shared: s.sketches, Replica: id()})
}

func newGatewaySettings(c Config) gateway.Settings {
	return gateway.Settings{
		Region: c.Region, RequestTimeout: c.RequestTimeout, StreamTimeout: c.StreamTimeout, FirstByteTimeout: c.FirstByteTimeout,
		BreakerCooldown: c.cooldown(), CacheTTL: time.Duration(c.PromptCacheTTL) * time.Second,
	}
}

// newPromptCache keeps answers in a Redis of their own, in that of all else, or in this process.
func newPromptCache(c Config, clock outbound.Clock, seal outbound.Keyring, s shortLived) (outbound.PromptCache, func(), error) {
	switch {
	case !c.CacheRedisURL.Empty() && c.CacheRedisURL != c.RedisURL:
		r, err := redis.Open(redis.Config{URL: c.CacheRedisURL}, clock)
		if err != nil {
			return nil, nil, fmt.Errorf("CACHE_REDIS_URL: %w", err)
		}
		return redis.NewPromptCache(r, seal, c.PromptCacheMax), func() { _ = r.Close() }, nil
	case s.redis != nil:
		return redis.NewPromptCache(s.redis, seal, c.PromptCacheMax), func() {}, nil
	default:
		return memory.NewPromptCache(clock, c.PromptCacheMax), func() {}, nil
	}
}

func (c Config) cooldown() time.Duration { return time.Duration(c.BreakerCooldown) * time.Second }

func newServer(c Config, log *slog.Logger, clock outbound.Clock, id outbound.NewID, m *prometheus.Meter, s services) *rest.Server {
	return rest.New(rest.Deps{
		Auth: s.Auth, Gatekeeper: s.Gatekeeper, APIKeys: s.APIKeys, Passwords: s.Passwords, MFA: s.MFA, Sessions: s.Sessions,
		Members: s.Members, Audit: s.Audit, Platform: s.Platform, Policies: s.Policies, Decisions: s.Decisions, Usage: s.Usage, Keys: s.Keys, Gateway: s.Gateway, Health: s.Health,
		Embeddings: s.Embeddings, TokenCounts: s.TokenCounts, Responses: s.Responses,
		QR: qr.SVG, Logger: log, Clock: clock, NewID: id,
		Observe: func(o rest.Observation) { m.Request(o.Route, o.Method, o.Status, o.Duration) },
	}, rest.Config{
		PublicBaseURL: c.PublicBaseURL, Version: BuildFacts().Version, MaxBodyBytes: c.MaxBodyBytes, CORSOrigins: c.CORSOrigins,
		CORSCredentials: c.CORSCredentials, TrustedProxies: c.TrustedProxies,
	})
}

// services are the use-cases that the API asks.
type services struct {
	Auth       inbound.Auth
	Gatekeeper inbound.Gatekeeper
	APIKeys    inbound.APIKeys
	Passwords  inbound.Passwords
	MFA        inbound.MFA
	Sessions   inbound.Sessions
	Members    inbound.Members
	Audit      inbound.Audit
	Platform   inbound.Platform
	Policies   inbound.Policies
	Decisions  inbound.Decisions
	Usage      inbound.Usage
	Keys       inbound.Keys
	Gateway    inbound.Gateway
	Health     inbound.Health

	Embeddings  inbound.Embeddings
	TokenCounts inbound.TokenCounts
	Responses   inbound.Responses
}

// NewSimulator makes the four simulated vendors, which play the vendors' own wire cases and know the catalogue's models.
func NewSimulator() (*simulator.Server, error) {
	table, err := catalogue.New(hostNow)
	if err != nil {
		return nil, err
	}
	models := map[string][]string{}
	for _, v := range vendors {
		for _, m := range table.Models(v.Name) {
			models[v.Name] = append(models[v.Name], m.Name)
		}
	}
	return simulator.New(simulator.Config{Cases: wireCases(), Models: models, Clock: hostNow})
}

// Migrations is the migrator of a configuration, with the database that it opened.
type Migrations struct {
	*database.Migrator
	close func() error
}

// OpenMigrations opens the database of a configuration for the migrate commands.
func OpenMigrations(ctx context.Context, c Config) (*Migrations, error) {
	db, _, err := newDatabase(ctx, c, newClock(c), newIDs())
	if err != nil {
		return nil, err
	}
	return &Migrations{newMigrator(db, c), db.Close}, nil
}

// Close ends the connections.
func (m *Migrations) Close() { _ = m.close() }

func newResponsesSettings(c Config) responses.Settings {
	return responses.Settings{TTL: c.ResponsesTTL}
}

func newRecordSettings(c Config) record.Settings { return record.Settings{Capacity: c.CallsQueue} }
