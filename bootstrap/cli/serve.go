package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/bootstrap/demo"
)

type serveCmd struct {
	Migrate bool `help:"Apply pending migrations to Postgres before serving. The embedded database migrates by itself."`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(s *session) error {
	hangup := make(chan os.Signal, 1) // from the first: one that nobody takes would end the process, in the middle of a migration too
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	cfg, err := s.config()
	if err != nil {
		return err
	}
	app, cleanup, err := bootstrap.New(s.ctx, cfg, bootstrap.LogTo(s.out))
	if err != nil {
		return err
	}
	defer cleanup()
	if c.Migrate || app.Embedded() {
		if err := app.Migrate(s.ctx); err != nil {
			return err
		}
	}
	if n, err := app.Pending(s.ctx); err != nil {
		return err
	} else if n > 0 {
		return fmt.Errorf("%d migrations are pending; run 'forge1 migrate up', or serve with --migrate", n)
	}
	if err := app.Listen(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	var reloads sync.WaitGroup
	reloads.Go(func() { s.reloadOn(ctx, hangup, app) })
	err = app.Run(s.ctx)
	stop()
	reloads.Wait()
	return err
}

// reloadOn rereads the configuration with each hangup, until ctx ends.
func (s *session) reloadOn(ctx context.Context, hangup <-chan os.Signal, app *bootstrap.App) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			app.Reread(s.config)
		}
	}
}

type demoCmd struct {
	Exit bool `help:"End after the tour; the exit code is 0 only if every step held."`
	Port int  `help:"Port of the API; 0 takes a free one." default:"0"`
	Log  bool `help:"Show the API's JSON log on stderr."`
}

// Run runs the demo.
func (c *demoCmd) Run(s *session) error {
	log := io.Discard
	if c.Log {
		log = s.err
	}
	return demo.Run(s.ctx, demo.Options{Exit: c.Exit, Port: c.Port, Out: s.out, Log: log})
}

type simulateCmd struct {
	Addr string `help:"Address to listen on, host:port." default:"127.0.0.1:8100"`
}

// Run serves the simulated vendors until the process is told to stop.
func (c *simulateCmd) Run(s *session) error {
	sim, err := bootstrap.NewSimulator()
	if err != nil {
		return err
	}
	running, err := sim.Start(c.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	base := "http://" + running.Addr()
	s.note("simulated vendors on %s", base)
	for _, l := range []string{
		"OPENAI_BASE_URL=" + base + "/openai/v1", "ANTHROPIC_BASE_URL=" + base + "/anthropic",
		"GOOGLE_AI_BASE_URL=" + base + "/gemini", "OPENROUTER_BASE_URL=" + base + "/openrouter/api/v1",
	} {
		s.note("  %s", l)
	}
	s.note("control: PUT %s/_sim/{openai,anthropic,gemini,openrouter}, GET %s/_sim/stats", base, base)
	<-s.ctx.Done()
	return running.Close()
}

type healthCmd struct {
	URL string `help:"Base URL of the server; by default the one this environment would serve." placeholder:"URL"`
}

// Run asks the readiness endpoint.
func (c *healthCmd) Run(s *session) error {
	base := c.URL
	if base == "" {
		cfg, err := s.config()
		if err != nil {
			return err
		}
		base = served(cfg)
	}
	client := &http.Client{Timeout: 3 * time.Second}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, base+"/api/v1/health/ready", nil)
	if err != nil {
		return fmt.Errorf("read --url: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return errors.New("the server does not answer")
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", body)
	}
	_, err = fmt.Fprintln(s.out, string(body))
	return err
}
