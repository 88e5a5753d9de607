package mail_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/mail"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

// server takes mails, or refuses them.
type server struct {
	mu      sync.Mutex
	taken   []string
	at      []time.Time
	refuse  int // how many it refuses first
	hang    bool
	asked   int
	busiest int
	open    int
}

func (s *server) Send(ctx context.Context, m outbound.Mail) error {
	s.mu.Lock()
	s.asked++
	s.at = append(s.at, time.Now())
	s.open++
	s.busiest = max(s.busiest, s.open)
	refuse, hang := s.refuse > 0, s.hang
	s.refuse--
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
	}()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if refuse {
		return errors.New("451 try later")
	}
	time.Sleep(time.Millisecond) // on the bubble's clock: mails under way overlap
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, m.Subject)
	return nil
}

func (s *server) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

type office struct {
	*identity.World
	server *server
	worker *mail.Worker
	log    *bytes.Buffer
	logger *slog.Logger
	stop   func()
}

// open runs a worker in the bubble; its clock is the bubble's.
func open(t *testing.T) *office {
	t.Helper()
	o := &office{World: identity.New(t), server: &server{}, log: &bytes.Buffer{}}
	o.logger = slog.New(slog.NewJSONHandler(o.log, nil))
	o.worker = o.newWorker()
	o.stop = run(t, o.worker)
	return o
}

func (o *office) newWorker() *mail.Worker {
	return mail.New(mail.Deps{Tx: o.Faults, Mailer: o.server, Keyring: o.Keys, Clock: time.Now, Log: o.logger})
}

func run(t *testing.T, w *mail.Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// put puts a letter into the outbox.
func (o *office) put(t *testing.T, subject, to string, created time.Time) {
	t.Helper()
	m := outbound.Message{ID: identity.NewID(), DedupeKey: identity.NewID(), CreatedAt: created, NotBefore: created}
	plain, err := json.Marshal(outbound.Mail{ID: m.ID, To: to, Subject: subject, Text: "the secret link"})
	if err != nil {
		t.Fatal(err)
	}
	m.Sealed = o.Keys.Seal("outbox", plain, []byte(m.ID))
	if subject == "unreadable" {
		m.Sealed[len(m.Sealed)-1] ^= 1
	}
	if err := o.DB.View().Outbox.Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// left counts the letters that are not forgotten.
func (o *office) left(t *testing.T) int {
	t.Helper()
	far := time.Now().Add(1000 * time.Hour)
	waiting, err := o.DB.View().Outbox.Claim(t.Context(), far, far, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(waiting)
}

func TestLettersAreCarriedOnceAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		second := run(t, o.newWorker())
		defer second()
		for i := range 100 {
			o.put(t, fmt.Sprint(i), "ada@example.com", time.Now())
		}
		o.put(t, "to nobody", "", time.Now())
		time.Sleep(10 * time.Second)
		o.stop()
		second()
		if n := len(o.server.taken); n != 100 {
			t.Errorf("%d mails, want 100", n)
		}
		if n := o.left(t); n != 0 {
			t.Errorf("%d letters are left", n)
		}
		if o.server.busiest < 2 || o.server.busiest > 8 {
			t.Errorf("%d at once, want 2 to 4 of each worker", o.server.busiest)
		}
	})
}

func TestAWorkerThatIsWokenLooksNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		synctest.Wait()
		start := time.Now()
		o.put(t, "woken", "ada@example.com", start)
		for range 3 {
			o.worker.Wake()
		}
		time.Sleep(10 * time.Millisecond)
		o.put(t, "found", "ada@example.com", time.Now())
		time.Sleep(3 * time.Second)
		o.stop()
		if len(o.server.at) != 2 || o.server.at[0].Sub(start) != 0 || o.server.at[1].Sub(start) != 2*time.Second {
			t.Errorf("sent at %v after %v, want at once and at the next round", o.server.at, start)
		}
	})
}

func TestARefusedLetterIsTriedAgainEverLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		o.server.refuse = 11
		start := time.Now()
		o.put(t, "at last", "ada@example.com", start)
		time.Sleep(3 * time.Hour)
		o.stop()
		if len(o.server.taken) != 1 || o.server.asked != 12 {
			t.Fatalf("taken %v after %d tries, want one after 12", o.server.taken, o.server.asked)
		}
		waits := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600}
		for i, want := range waits {
			want *= time.Second
			if got := o.server.at[i+1].Sub(o.server.at[i]); got < want || got > want+2*time.Second {
				t.Errorf("wait %d: got %v, want %v", i, got, want)
			}
		}
		if n := o.left(t); n != 0 {
			t.Errorf("%d letters are left", n)
		}
	})
}

func TestWhatCannotBeSentIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		o.server.refuse = 1
		o.put(t, "unreadable", "ada@example.com", time.Now())
		o.put(t, "old", "ada@example.com", time.Now().Add(-73*time.Hour))
		time.Sleep(3 * time.Second)
		o.stop()
		if n := o.left(t); n != 0 || o.server.asked != 1 || len(o.server.taken) != 0 {
			t.Errorf("%d left, %d tried, taken %v; want 0, 1, none", n, o.server.asked, o.server.taken)
		}
		for _, want := range []string{"cannot be opened and is given up", "too old and is given up"} {
			if !strings.Contains(o.log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, o.log)
			}
		}
	})
}

func TestTheLogNamesNoAddressAndNoText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		o.server.refuse = 1
		o.put(t, "the subject", "ada@example.com", time.Now())
		time.Sleep(time.Minute)
		o.stop()
		if !strings.Contains(o.log.String(), "mail sent") || !strings.Contains(o.log.String(), "mail not taken") {
			t.Errorf("got log:\n%s", o.log)
		}
		for _, secret := range []string{"ada@", "secret link", "the subject"} {
			if strings.Contains(o.log.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, o.log)
			}
		}
	})
}

func TestAServerThatHangsIsLeftAndTheWorkerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		o.server.hang = true
		o.put(t, "hanging", "ada@example.com", time.Now())
		time.Sleep(30 * time.Second)
		if n := o.server.tries(); n < 2 {
			t.Errorf("tried %d times in 30 s, want again after 20 s", n)
		}
		start := time.Now()
		o.stop() // in the midst of a try
		if took := time.Since(start); took != 0 {
			t.Errorf("ending took %v", took)
		}
		if n := o.left(t); n != 1 || strings.Contains(o.log.String(), `"ERROR"`) {
			t.Errorf("%d letters are left, want 1; log:\n%s", n, o.log)
		}
	})
}

func TestTheWorkerOutlivesTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		defer o.stop()
		o.Faults.Down(fault.ErrDependency)
		o.put(t, "later", "ada@example.com", time.Now())
		time.Sleep(10 * time.Second)
		o.Faults.Down(nil)
		time.Sleep(10 * time.Second)
		o.stop()
		if len(o.server.taken) != 1 || !strings.Contains(o.log.String(), "outbox cannot be read") {
			t.Errorf("taken %v; log:\n%s", o.server.taken, o.log)
		}
	})
}
