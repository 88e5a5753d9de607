// Package housekeeping takes away what nobody needs any more, so that every table is bounded by time.
package housekeeping

import (
	"context"
	"log/slog"
	"time"

	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	every  = 10 * time.Minute
	keep   = 30 * 24 * time.Hour // sessions and API keys that ended, and the keys of letters that were sent
	batch  = 1000                // responses that one statement takes away: each may be large
	logger = "housekeeping"
)

// Config holds the operator's choices.
type Config struct {
	AuditRetention    time.Duration // how long lines of the audit log are kept
	CallsRetention    time.Duration // how long calls are kept, with their attempts
	DecisionRetention time.Duration // how long routing decisions are kept, with what they were made from
}

// Deps are what Worker needs.
type Deps struct {
	Tx        outbound.Tx
	Calls     outbound.Calls
	Decisions outbound.Decisions
	Responses outbound.KeptResponses
	Clock     outbound.Clock
	Log       *slog.Logger
	Config    Config
}

// Worker sweeps at its start and every ten minutes. Any number of nodes may do so at once.
type Worker struct{ Deps }

// New makes a worker. It starts nothing; see Run.
func New(d Deps) *Worker { return &Worker{d} }

// Run sweeps until the context ends.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		w.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round sweeps once. What fails is left for the next time.
func (w *Worker) round(ctx context.Context) {
	repos, now := w.Tx.View(), w.Clock()
	for _, room := range []struct {
		name   string
		sweep  func(context.Context, time.Time) (int, error)
		before time.Time
	}{
		// Registrations and links that expired count against the limit of mails for as long as that looks back.
		{"registrations", repos.Registrations.Sweep, now.Add(-letters.Window)},
		{"one-time tokens", repos.OneTime.Sweep, now.Add(-letters.Window)},
		{"invitations", repos.Invites.Sweep, now},
		{"sessions", repos.Sessions.Sweep, now.Add(-keep)},
		{"API keys", repos.APIKeys.Sweep, now.Add(-keep)},
		{"outbox", repos.Outbox.Sweep, now.Add(-keep)},
		{"audit log", repos.Audit.Sweep, now.Add(-w.Config.AuditRetention)},
		{"calls", w.Calls.Sweep, now.Add(-w.Config.CallsRetention)},
		{"decisions", w.Decisions.Sweep, now.Add(-w.Config.DecisionRetention)},
		{"responses", w.responses, now},
	} {
		n, err := room.sweep(ctx, room.before)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.Log.ErrorContext(ctx, "cannot be swept", "logger", logger, "what", room.name, "error", err)
		case n > 0:
			w.Log.InfoContext(ctx, "swept", "logger", logger, "what", room.name, "rows", n)
		}
	}
}

// responses takes away the kept responses that have expired.
func (w *Worker) responses(ctx context.Context, now time.Time) (int, error) {
	for sum := 0; ; {
		n, err := w.Responses.Sweep(ctx, now, batch)
		if sum += n; err != nil || n < batch {
			return sum, err
		}
	}
}
