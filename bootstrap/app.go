package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/adapters/prometheus"
	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/application/health"
	"github.com/forge1/forge1/application/housekeeping"
	"github.com/forge1/forge1/application/keys"
	"github.com/forge1/forge1/application/mail"
	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// App is a wired Forge 1. Listen, then Run; the cleanup that New gives closes what New opened.
type App struct {
	Parts
	api       net.Listener
	metrics   net.Listener
	discovery *discovery
	inForce   atomic.Pointer[Config] // what was reloaded last
}

// Parts are what an App is made of; Wire fills them.
type Parts struct {
	Config      Config
	Clock       outbound.Clock
	Log         *slog.Logger
	Server      *rest.Server
	Database    *database.DB
	Migrator    *database.Migrator
	CacheKind   health.CacheKind
	Eviction    evictionPolicy
	Circuits    *breaker.Circuits
	Latencies   *latency.Latencies
	Catalogue   *catalogue.Catalogue
	Recorder    *record.Recorder
	Mail        *mail.Worker
	Health      *health.Service
	Keys        *keys.Service
	Gatekeeper  *auth.Gatekeeper
	Broom       *housekeeping.Worker
	Meter       *prometheus.Meter
	Operators   inbound.Operator
	Client      *http.Client
	Connections []outbound.Connection
	Policies    *database.Policies
	Gateway     *gateway.Service
}

func newApp(p Parts) *App {
	p.Meter.Show("forge1_clock_skew_seconds", "How far the clock is ahead of the database's, by the last comparison.",
		func() float64 { return p.Health.Skew().Seconds() })
	p.Catalogue.OnChange(p.Gateway.CatalogueChanged)
	a := &App{Parts: p, discovery: &discovery{found: map[string][]string{}, again: make(chan struct{}, 1)}}
	a.inForce.Store(&p.Config)
	a.discovery.watch(p.Config, p.Connections)
	return a
}

// current is the configuration in force.
func (a *App) current() Config { return *a.inForce.Load() }

// Operator gives what the command line does past the HTTP surface.
func (a *App) Operator() inbound.Operator { return a.Operators }

// SigningKeys gives what the command line does to signing keys.
func (a *App) SigningKeys() inbound.SigningKeys { return a.Keys }

// Now tells the time by the one clock that every rule of this process goes by.
func (a *App) Now() time.Time { return a.Clock() }

// Embedded reports whether the database is the embedded one, which migrates by itself.
func (a *App) Embedded() bool { return a.Database.Kind() == "sqlite" }

// Migrate applies every pending migration.
func (a *App) Migrate(ctx context.Context) error {
	names, err := a.Migrator.Up(ctx)
	if len(names) > 0 {
		a.Log.Info("migrated", "logger", "bootstrap", "applied", names)
	}
	return err
}

// Pending counts the migrations that have not been applied.
func (a *App) Pending(ctx context.Context) (int, error) { return a.Database.Pending(ctx) }

// Listen takes the addresses, so that a taken port is an error before anything starts.
func (a *App) Listen() error {
	var listen net.ListenConfig
	var err error
	a.api, err = listen.Listen(context.Background(), "tcp", net.JoinHostPort(a.Config.Host, fmt.Sprint(a.Config.Port)))
	if err != nil {
		return fmt.Errorf("listen on HOST and PORT: %w", err)
	}
	if a.Config.MetricsAddr != "off" {
		a.metrics, err = listen.Listen(context.Background(), "tcp", a.Config.MetricsAddr)
		if err != nil {
			return errors.Join(fmt.Errorf("listen on METRICS_ADDR (off disables it): %w", err), a.api.Close())
		}
	}
	return nil
}

// Addr is the address of the API, once Listen was called.
func (a *App) Addr() string { return a.api.Addr().String() }

// MetricsAddr is the address of the metrics, "" when they are off.
func (a *App) MetricsAddr() string {
	if a.metrics == nil {
		return ""
	}
	return a.metrics.Addr().String()
}

// Run serves until ctx ends, then drains: no new connections, calls and streams end within SHUTDOWN_GRACE, then the workers flush what they hold. It
// refuses to begin when a server that it depends on must not be relied on as it is, or does not say which signing keys are in use.
func (a *App) Run(ctx context.Context) error {
	if err := errors.Join(a.refuse(ctx), a.Keys.Load(ctx)); err != nil {
		return errors.Join(err, a.unlisten())
	}
	a.announce()
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var workers sync.WaitGroup
	failures := make(chan error, 16)
	for name, run := range map[string]func(context.Context) error{
		"recorder": a.Recorder.Run, "circuits": a.Circuits.Run, "latencies": a.Latencies.Run, "mail": a.Mail.Run, "key use": a.Gatekeeper.Run,
		"clock": a.Health.Run, "signing keys": a.Keys.Run, "housekeeping": a.Broom.Run, "discovery": a.discover,
	} {
		workers.Go(func() {
			if err := run(work); err != nil {
				failures <- fmt.Errorf("run %s: %w", name, err)
			}
		})
	}
	metrics := a.serveMetrics(&workers, failures)
	served := make(chan error, 1)
	go func() { served <- a.Server.Serve(a.api) }()

	var err error
	select {
	case <-ctx.Done():
	case err = <-failures:
	case err = <-served:
	}
	a.Log.Info("stopping", "logger", "bootstrap", "grace", a.Config.ShutdownGrace.String())
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.Config.ShutdownGrace)
	defer cancel()
	if drain := a.Server.Shutdown(grace); drain != nil {
		a.Log.Warn("calls were cut off at the end of the grace", "logger", "bootstrap")
	}
	stopWork()
	if metrics != nil {
		_ = metrics.Close()
	}
	workers.Wait()
	a.Log.Info("stopped", "logger", "bootstrap")
	return err
}

// unlisten gives the addresses back.
func (a *App) unlisten() error {
	err := a.api.Close()
	if a.metrics != nil {
		err = errors.Join(err, a.metrics.Close())
	}
	return err
}

func (a *App) announce() {
	configured, missing := a.Config.configured()
	a.Log.Info("serving", "logger", "bootstrap", "address", a.Addr(), "metrics", a.MetricsAddr(), "env", string(a.Config.Env),
		"version", BuildFacts().Version, "database", a.Database.Kind(), "cache", string(a.CacheKind),
		"providers", configured, "not_configured", missing)
}

// serveMetrics serves /metrics and profiling on an address of their own.
func (a *App) serveMetrics(workers *sync.WaitGroup, failures chan<- error) *http.Server {
	if a.metrics == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.Meter.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	workers.Go(func() {
		if err := server.Serve(a.metrics); !errors.Is(err, http.ErrServerClosed) {
			failures <- fmt.Errorf("serve metrics: %w", err)
		}
	})
	return server
}
