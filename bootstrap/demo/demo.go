// Package demo shows Forge 1 at work without keys or internet: it starts the simulated vendors and the API on embedded stores, and takes a tour
// over HTTP, as any client would.
package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/ports/inbound"
)

// Options say how the demo runs.
type Options struct {
	Exit bool // end after the tour
	Port int  // of the API; 0 takes a free one
	Out  io.Writer
	Log  io.Writer // where the API's JSON log goes
}

// Demo account of the tour. It lives in a temporary database.
const (
	email    = "ada@example.com"
	password = "correct horse battery staple"
)

// Run runs the demo. It fails when any step of the tour did not hold.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "forge1-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	sim, err := bootstrap.NewSimulator()
	if err != nil {
		return err
	}
	vendors, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the simulated vendors: %w", err)
	}
	defer func() { _ = vendors.Close() }()

	cfg, err := bootstrap.Load(settings(dir, "http://"+vendors.Addr(), o.Port))
	if err != nil {
		return err
	}
	app, cleanup, err := bootstrap.New(ctx, cfg, bootstrap.LogTo(o.Log))
	if err != nil {
		return err
	}
	defer cleanup()
	if err := app.Migrate(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	if err := app.Listen(); err != nil {
		return err
	}
	go func() { done <- app.Run(running) }()

	t, err := newTour(ctx, o.Out, app, vendors.Addr(), sim)
	if err != nil {
		return err
	}
	tourErr := t.take(ctx)
	if tourErr == nil && !o.Exit {
		t.invite(filepath.Join(dir, "mail"))
		select {
		case <-ctx.Done():
		case err := <-done:
			return err
		}
	}
	stop()
	if err := <-done; err != nil && tourErr == nil {
		return err
	}
	return tourErr
}

// settings is the environment of the demo: embedded stores in a temporary folder, every vendor simulated.
func settings(dir, vendors string, port int) map[string]string {
	return map[string]string{
		"DATA_DIR": dir, "PORT": fmt.Sprint(port), "METRICS_ADDR": "127.0.0.1:0", "LOG_LEVEL": "INFO",
		"OPENAI_API_KEY": "demo", "OPENAI_BASE_URL": vendors + "/openai/v1",
		"ANTHROPIC_API_KEY": "demo", "ANTHROPIC_BASE_URL": vendors + "/anthropic",
		"GOOGLE_AI_API_KEY": "demo", "GOOGLE_AI_BASE_URL": vendors + "/gemini",
		"OPENROUTER_API_KEY": "demo", "OPENROUTER_BASE_URL": vendors + "/openrouter/api/v1",
	}
}

func newTour(ctx context.Context, out io.Writer, app *bootstrap.App, vendors string, sim *simulator.Server) (*tour, error) {
	op := app.Operator()
	_, tenant, err := op.CreateUser(ctx, inbound.NewUser{Email: email, Password: password, Username: "ada", Tenant: "Analytical Engines"})
	if err != nil {
		return nil, fmt.Errorf("create the demo user: %w", err)
	}
	key, err := op.CreateKey(ctx, email, "", inbound.CreateKey{Name: "demo", Scopes: []string{"ai", "router"}})
	if err != nil {
		return nil, fmt.Errorf("create the demo key: %w", err)
	}
	return &tour{
		out: out, base: "http://" + app.Addr(), metrics: app.MetricsAddr(), vendors: "http://" + vendors, sim: sim,
		key: key.Key, tenant: string(tenant), client: newClient(),
	}, nil
}

func (t *tour) invite(mailDir string) {
	t.line("")
	t.line(strings.Repeat("─", 100))
	t.line("Forge 1 serves at %s until Ctrl-C.", t.base)
	t.line("  documentation   %s/docs", t.base)
	t.line("  metrics         http://%s/metrics", t.metrics)
	t.line("  vendors         %s/_sim/stats", t.vendors)
	t.line("  mails           %s", mailDir)
	t.line("  sign in         %s / %s", email, password)
	t.line("  API key         %s", t.key)
	t.line("")
	t.line("Try:")
	t.line("  curl -s %s/api/v1/ai/execute -H 'Authorization: Bearer %s' \\", t.base, t.key)
	t.line("    -H 'Content-Type: application/json' -d '{\"task\":\"Say hello in three languages.\"}'")
}
