package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Now().UTC() }

// book keeps rows, up to a number of places.
type book struct {
	mu       sync.Mutex
	room     int
	reserved int
	rows     []outbound.Call
	decided  []outbound.Decision
	sheets   map[string]outbound.Sheet
	sent     int // sheets, those sent again included
	onDecide func()
}

func (b *book) Reserve() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reserved >= b.room {
		return fault.ErrBusy
	}
	b.reserved++
	return nil
}

func (b *book) Keep(row outbound.Call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, row)
}

func (b *book) Decided(d outbound.Decision) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.decided = append(b.decided, d)
	if b.onDecide != nil {
		b.onDecide()
	}
}

func (b *book) Sheet(s outbound.Sheet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sheets == nil {
		b.sheets = map[string]outbound.Sheet{}
	}
	b.sheets[s.ID] = s
	b.sent++
}

// shelf keeps one policy for all tenants.
type shelf struct {
	mu     sync.Mutex
	policy routing.PolicySnapshot
	finds  int
	err    error
	onFind func()
}

func (s *shelf) Find(context.Context, string) (*routing.Policy, error) {
	s.mu.Lock()
	p, err, hook := s.policy, s.err, s.onFind
	s.finds++
	s.mu.Unlock()
	if hook != nil {
		hook()
	}
	if err != nil {
		return nil, err
	}
	return routing.RestorePolicy(p, routing.Defaults{Order: p.FallbackOrder}), nil
}

func (s *shelf) Update(_ context.Context, _ string, change func(*routing.Policy) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := routing.RestorePolicy(s.policy, routing.Defaults{Order: s.policy.FallbackOrder})
	if err := change(p); err != nil {
		return err
	}
	s.policy = p.Snapshot()
	return nil
}

// counter counts what the gateway meters, as text lines.
type counter struct {
	mu    sync.Mutex
	lines map[string]int
}

func (c *counter) count(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines[fmt.Sprintf(format, args...)]++
}

func (c *counter) Request(string, string, int, time.Duration) {}
func (c *counter) Decision(task, outcome string)              { c.count("decision %s %s", task, outcome) }

func (c *counter) Attempt(provider, model, outcome string, _ time.Duration) {
	c.count("attempt %s %s %s", provider, model, outcome)
}

func (c *counter) Call(provider, model string, in, out int, nanos int64) {
	c.count("call %s %s %d %d %d", provider, model, in, out, nanos)
}
func (c *counter) Cache(surface, status string) { c.count("cache %s %s", surface, status) }
func (c *counter) CacheStore(operation, outcome string, _ int) {
	c.count("cache store %s %s", operation, outcome)
}
func (c *counter) Queue(string, int, int) {}
func (c *counter) Breaker(provider, model string, s outbound.CircuitState) {
	c.count("breaker %s %s %d", provider, model, s)
}

// world is a gateway with real breakers, latencies and prices between played vendors and a book.
type world struct {
	*gateway.Service
	t         testing.TB
	vendors   map[string]*vendor
	book      *book
	shelf     *shelf
	meter     *counter
	latencies *latencies
	circuits  *breaker.Circuits
	log       strings.Builder
	dice      *rand.Rand // nil: always half of all there is
}

func (w *world) random(b []byte) {
	for i := range b {
		b[i] = 0x7f
		if w.dice != nil {
			b[i] = byte(w.dice.Uint32())
		}
	}
}

var names = []string{"openrouter", "openai", "claude", "gemini"}

var vendorOf = map[string]string{"openrouter": "openrouter", "openai": "openai", "claude": "anthropic", "gemini": "gemini"}

var defaults = map[string]string{
	"openrouter": "openai/gpt-4o-mini", "openai": "gpt-4o-mini", "claude": "claude-haiku-4-5", "gemini": "gemini-2.5-flash",
}

// options change a world before it is made.
type options struct {
	connections func(map[string]*outbound.Connection)
	settings    gateway.Settings
	room        int
	catalogue   outbound.Catalogue   // nil: the one that is built in
	recorder    gateway.Recorder     // nil: the world's book
	meter       outbound.Meter       // nil: the world's counter
	cache       outbound.PromptCache // nil: none
}

const threshold, cooldown = 3, time.Minute

// newWorld makes a world of four configured providers, whose scores rank them as openrouter, openai, claude, gemini.
func newWorld(t testing.TB, o options) *world {
	t.Helper()
	table, err := catalogue.New(now)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, vendors: map[string]*vendor{}, book: &book{room: max(o.room, 1000)}, meter: &counter{lines: map[string]int{}},
		shelf:     &shelf{policy: routing.NewPolicy("t1", routing.Defaults{Order: names}).Snapshot()},
		latencies: &latencies{Latencies: latency.New(latency.Config{Clock: now})},
		circuits:  breaker.New(breaker.Config{Threshold: threshold, Cooldown: cooldown, Clock: now}),
	}
	conns := map[string]*outbound.Connection{}
	for i, name := range names {
		v := &vendor{dialect: chat.DialectOpenAIChat}
		price := float64(i + 1)
		w.vendors[name] = v
		conns[name] = &outbound.Connection{
			Name: name, Vendor: vendorOf[name], BaseURL: "http://" + name, DefaultModel: defaults[name], CostCents: &price, Abilities: outbound.Abilities{Provider: v},
			Credentials: []outbound.Credential{{ID: name + "-1", Secret: secret.New("s-" + name)}},
		}
		if name == "openai" || name == "openrouter" {
			conns[name].Relays = []outbound.Relay{v}
		}
	}
	if o.connections != nil {
		o.connections(conns)
	}
	d := gateway.Deps{
		Catalogue: table, Policies: w.shelf, Circuits: w.circuits, Latencies: w.latencies, Meter: w.meter, Recorder: w.book, Clock: now,
		Log: slog.New(slog.NewTextHandler(&w.log, nil)), Random: w.random, Cache: o.cache,
		Settings: o.settings,
	}
	if o.recorder != nil {
		d.Recorder = o.recorder
	}
	if o.meter != nil {
		d.Meter = o.meter
	}
	if o.catalogue != nil {
		d.Catalogue = o.catalogue
	}
	if o.room > 0 {
		w.book.room = o.room
	}
	ids := 0
	var mu sync.Mutex
	d.NewID = func() string {
		mu.Lock()
		defer mu.Unlock()
		ids++
		return fmt.Sprintf("id-%d", ids)
	}
	for _, name := range names {
		d.Connections = append(d.Connections, *conns[name])
	}
	w.Service = gateway.New(d)
	return w
}

// in runs a test in a bubble of its own time, and checks at the end that no upstream call is left open.
func in(t *testing.T, o options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		test(t, w)
		for name, v := range w.vendors {
			if v.open != 0 {
				t.Errorf("%d calls to %s were left open", v.open, name)
			}
		}
		if w.book.reserved != len(w.book.rows) {
			t.Errorf("%d places were reserved and %d rows kept", w.book.reserved, len(w.book.rows))
		}
	})
}

func (w *world) plays(name string, script ...reply) { w.vendors[name].script = script }

// change applies a verb to the policy, at once.
func (w *world) change(verb func(*routing.Policy) error) {
	w.t.Helper()
	if err := w.shelf.Update(w.t.Context(), "t1", verb); err != nil {
		w.t.Fatal(err)
	}
	w.Invalidate("t1")
}

// asked lists the providers that were asked, in order of name and how often.
func (w *world) asked() map[string]int {
	asked := map[string]int{}
	for name, v := range w.vendors {
		if n := v.calls(); n > 0 {
			asked[name] = n
		}
	}
	return asked
}

// row gives the one row that was kept.
func (w *world) row() outbound.Call {
	w.t.Helper()
	if len(w.book.rows) != 1 {
		w.t.Fatalf("%d rows were kept, want 1", len(w.book.rows))
	}
	return w.book.rows[0]
}

// request is a call that no vendor can be handed as it is; relayed is one that OpenAI-shaped ones can.
func request(model string) inbound.Call {
	return inbound.Call{
		Caller: inbound.Caller{TenantID: "t1", UserID: "u1", KeyID: "k1"}, Surface: inbound.SurfaceExecute, Model: model, TextBytes: 400, MaxTokens: 100,
		Parse: func() (*chat.Request, error) {
			return &chat.Request{Messages: []chat.Message{chat.Text(chat.RoleUser, "hi")}}, nil
		},
	}
}

func relayed(model string) inbound.Call {
	c := request(model)
	c.Surface, c.Dialect, c.Body = inbound.SurfaceChatCompletions, chat.DialectOpenAIChat, []byte(`{"model":"x"}`)
	return c
}

func failed(class chat.Class) reply { return reply{err: chat.Fail(class, errors.New("played"))} }

func limited(after time.Duration) reply {
	return reply{err: &chat.Failure{Class: chat.ClassRateLimited, RetryAfter: after}}
}

// tried gives the attempts as text: "openai ok".
func tried(r inbound.Receipt) []string {
	var out []string
	for _, a := range r.Attempts {
		out = append(out, a.Provider+" "+a.Outcome)
	}
	return out
}

func wantTried(t *testing.T, r inbound.Receipt, want ...string) {
	t.Helper()
	if got := tried(r); !slices.Equal(got, want) {
		t.Errorf("attempts %q, want %q", got, want)
	}
}

// wantFault fails the test unless err is the fault of that kind and code, and gives it.
func wantFault(t *testing.T, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || f.Code != code {
		t.Fatalf("error %v, want kind %d, code %s", err, kind, code)
	}
	return f
}
