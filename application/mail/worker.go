// Package mail carries what waits in the outbox to the mail server, at least once, until it is taken or too old.
package mail

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

const (
	label     = "outbox" // what sealed the letters
	poll      = 2 * time.Second
	batch     = 16
	carriers  = 4
	lease     = 2 * time.Minute // more than a batch takes, so that no letter is carried by two
	perLetter = 20 * time.Second
	firstWait = 5 * time.Second
	longWait  = time.Hour
	tooOld    = 72 * time.Hour // no token in a letter lives longer
)

// Deps are what Worker needs.
type Deps struct {
	Tx      outbound.Tx
	Mailer  outbound.Mailer
	Keyring outbound.Keyring
	Clock   outbound.Clock
	Log     *slog.Logger
}

// Worker carries letters. It looks every two seconds, and at once when it is woken.
type Worker struct {
	Deps
	wake chan struct{}
}

// New makes a worker. It starts nothing; see Run.
func New(d Deps) *Worker { return &Worker{Deps: d, wake: make(chan struct{}, 1)} }

// Wake makes the worker look now. It never waits.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been woken and has not looked yet
	}
}

// Run carries letters until the context ends. A letter under way is then given up; its lease runs out and it is carried again.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		for w.round(ctx) {
			if ctx.Err() != nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.wake:
		}
	}
}

// round carries a batch, and says whether there may be more.
func (w *Worker) round(ctx context.Context) bool {
	now := w.Clock()
	messages, err := w.Tx.View().Outbox.Claim(ctx, now, now.Add(lease), batch)
	if err != nil {
		if ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "outbox cannot be read", "logger", "mail", "error", err)
		}
		return false
	}
	var carrying sync.WaitGroup
	free := make(chan struct{}, carriers)
	for _, m := range messages {
		free <- struct{}{}
		carrying.Go(func() {
			defer func() { <-free }()
			w.carry(ctx, m)
		})
	}
	carrying.Wait()
	return len(messages) == batch
}

// carry sends one letter. What cannot be opened never will be, so it is given up, as is what is too old; the log names it.
func (w *Worker) carry(ctx context.Context, m outbound.Message) {
	log := w.Log.With("logger", "mail", "mail_id", m.ID, "tries", m.Tries)
	letter, err := w.open(m)
	if err != nil {
		log.ErrorContext(ctx, "mail cannot be opened and is given up", "error", err)
		w.done(ctx, log, m)
		return
	}
	if letter.To == "" { // a letter to nobody
		w.done(ctx, log, m)
		return
	}
	sending, cancel := context.WithTimeout(ctx, perLetter)
	err = w.Mailer.Send(sending, letter)
	cancel()
	switch {
	case err == nil:
		log.InfoContext(ctx, "mail sent")
		w.done(ctx, log, m)
	case ctx.Err() != nil: // we are ending; the lease puts it off
	case w.Clock().Sub(m.CreatedAt) > tooOld:
		log.ErrorContext(ctx, "mail is too old and is given up", "error", err)
		w.done(ctx, log, m)
	default:
		wait := backoff(m.Tries)
		log.WarnContext(ctx, "mail not taken", "error", err, "retry_in", wait.String())
		if err := w.Tx.View().Outbox.Retry(ctx, m.ID, w.Clock().Add(wait)); err != nil {
			log.ErrorContext(ctx, "mail cannot be put off", "error", err)
		}
	}
}

func (w *Worker) open(m outbound.Message) (outbound.Mail, error) {
	var letter outbound.Mail
	plain, err := w.Keyring.Open(label, m.Sealed, []byte(m.ID))
	if err != nil {
		return letter, err
	}
	return letter, json.Unmarshal(plain, &letter)
}

// done forgets a letter. When that fails it is sent once more after its lease, with the same Message-ID.
func (w *Worker) done(ctx context.Context, log *slog.Logger, m outbound.Message) {
	// The letter is out: that is worth keeping even when we are ending.
	if err := w.Tx.View().Outbox.Sent(context.WithoutCancel(ctx), m.ID); err != nil {
		log.ErrorContext(ctx, "sent mail cannot be forgotten", "error", err)
	}
}

// backoff doubles from five seconds to an hour.
func backoff(tries int) time.Duration {
	if tries > 10 {
		return longWait
	}
	return min(firstWait<<max(0, tries), longWait)
}
