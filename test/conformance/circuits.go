package conformance

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// What circuits under test are made with.
const (
	CircuitThreshold = 3
	CircuitCooldown  = time.Minute
)

// CircuitWorld is what a test of circuits is given: circuits that are all closed, made with CircuitThreshold and CircuitCooldown, the clock they go
// by, and what lets time pass for them.
type CircuitWorld struct {
	Circuits outbound.Circuits
	Now      outbound.Clock
	Pass     func(time.Duration)
}

// Circuits is the suite of outbound.Circuits. in makes a world and runs the test in it; it may do so in a testing/synctest bubble.
func Circuits(t *testing.T, in func(t *testing.T, test func(*testing.T, CircuitWorld))) {
	tests := map[string]func(*testing.T, CircuitWorld){
		"a circuit nobody knows is closed":                   circuitFresh,
		"failures in a row open it for the cooldown":         circuitOpens,
		"a success in between starts the count anew":         circuitSuccessResets,
		"what is not the target's fault never opens it":      circuitInnocent,
		"a cancelled attempt counts neither way":             circuitCancelled,
		"after the cooldown one probe is let through":        circuitOneProbe,
		"a probe that succeeds closes it":                    circuitProbeCloses,
		"a probe that fails opens it for another cooldown":   circuitProbeFails,
		"a probe that was cancelled makes room for another":  circuitProbeCancelled,
		"a late report of before does not disturb the probe": circuitLateReport,
		"circuits do not touch each other":                   circuitApart,
		"a rest lasts until its end, the later one counts":   circuitRests,
		"listeners are told before the call returns":         circuitTells,
		"listeners may look at circuits":                     circuitListenerLooks,
		"of probes at once one is let through":               circuitProbeRace,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { in(t, test) })
	}
}

var (
	someCircuit = outbound.Circuit{Provider: "openai", Model: "m", Credential: "k1"}
	errBroken   = chat.Fail(chat.ClassServer, errors.New("status 500"))
)

// attempts makes attempts that end as told, and fails the test when one is refused.
func (w CircuitWorld) attempts(t *testing.T, c outbound.Circuit, results ...error) {
	t.Helper()
	for i, err := range results {
		report, ok := w.Circuits.Allow(c)
		if !ok {
			t.Fatalf("attempt %d of %d was refused", i+1, len(results))
		}
		report(err)
	}
}

func (w CircuitWorld) wantState(t *testing.T, c outbound.Circuit, want outbound.CircuitState) {
	t.Helper()
	if got := w.Circuits.View(c).State; got != want {
		t.Errorf("state %d, want %d", got, want)
	}
}

func (w CircuitWorld) wantRefused(t *testing.T, c outbound.Circuit) {
	t.Helper()
	if _, ok := w.Circuits.Allow(c); ok {
		t.Error("an attempt was let through, want it refused")
	}
}

func (w CircuitWorld) open(t *testing.T) {
	t.Helper()
	w.attempts(t, someCircuit, errBroken, errBroken, errBroken)
	w.wantState(t, someCircuit, outbound.Open)
}

// halfOpen opens the circuit and lets the cooldown pass.
func (w CircuitWorld) halfOpen(t *testing.T) {
	t.Helper()
	w.open(t)
	w.Pass(CircuitCooldown + time.Millisecond)
}

func circuitFresh(t *testing.T, w CircuitWorld) {
	if got := w.Circuits.View(someCircuit); got != (outbound.CircuitView{}) {
		t.Errorf("view of an unknown circuit %+v, want it closed", got)
	}
	w.attempts(t, someCircuit, nil)
	if got := w.Circuits.View(someCircuit); got != (outbound.CircuitView{}) {
		t.Errorf("view after a success %+v, want it closed", got)
	}
}

func circuitOpens(t *testing.T, w CircuitWorld) {
	classes := []chat.Class{
		chat.ClassConnect, chat.ClassTimeout, chat.ClassServer, chat.ClassOverloaded, chat.ClassBadResponse, chat.ClassCutOff,
	}
	for _, class := range classes {
		c := someCircuit
		c.Model = string(class)
		err := chat.Fail(class, nil)
		w.attempts(t, c, err, err)
		w.wantState(t, c, outbound.Closed)
		before := w.Now()
		w.attempts(t, c, err)
		v := w.Circuits.View(c)
		if v.State != outbound.Open {
			t.Errorf("after three times %s: state %d, want open", class, v.State)
		}
		if early, late := before.Add(CircuitCooldown), w.Now().Add(CircuitCooldown); v.OpenUntil.Before(early) || v.OpenUntil.After(late) {
			t.Errorf("open until %v, want a cooldown from now: %v", v.OpenUntil, late)
		}
		w.wantRefused(t, c)
	}
}

func circuitSuccessResets(t *testing.T, w CircuitWorld) {
	w.attempts(t, someCircuit, errBroken, errBroken, nil, errBroken, errBroken)
	w.wantState(t, someCircuit, outbound.Closed)
	w.attempts(t, someCircuit, errBroken)
	w.wantState(t, someCircuit, outbound.Open)
}

func circuitInnocent(t *testing.T, w CircuitWorld) {
	classes := []chat.Class{
		chat.ClassRateLimited, chat.ClassQuota, chat.ClassAuth, chat.ClassInvalid, chat.ClassNoModel, chat.ClassTooLarge, chat.ClassTooLong,
		chat.ClassUnsupport, chat.ClassCanceled,
	}
	for _, class := range classes {
		c := someCircuit
		c.Model = string(class)
		for range 2 * CircuitThreshold {
			w.attempts(t, c, chat.Fail(class, nil))
		}
		w.wantState(t, c, outbound.Closed)
	}
}

func circuitCancelled(t *testing.T, w CircuitWorld) {
	w.attempts(t, someCircuit, errBroken, errBroken, chat.Fail(chat.ClassCanceled, nil))
	w.wantState(t, someCircuit, outbound.Closed)
	w.attempts(t, someCircuit, errBroken)
	w.wantState(t, someCircuit, outbound.Open)
}

func circuitOneProbe(t *testing.T, w CircuitWorld) {
	w.open(t)
	w.Pass(CircuitCooldown - time.Second)
	w.wantRefused(t, someCircuit)
	w.Pass(time.Second + time.Millisecond)
	if v := w.Circuits.View(someCircuit); v.State != outbound.HalfOpen || !v.OpenUntil.IsZero() {
		t.Errorf("after the cooldown %+v, want it half open", v)
	}
	report, ok := w.Circuits.Allow(someCircuit)
	if !ok {
		t.Fatal("the probe was refused")
	}
	w.wantRefused(t, someCircuit)
	report(nil)
}

func circuitProbeCloses(t *testing.T, w CircuitWorld) {
	w.halfOpen(t)
	w.attempts(t, someCircuit, nil)
	w.wantState(t, someCircuit, outbound.Closed)
	w.attempts(t, someCircuit, errBroken, errBroken)
	w.wantState(t, someCircuit, outbound.Closed)
}

func circuitProbeFails(t *testing.T, w CircuitWorld) {
	w.halfOpen(t)
	w.attempts(t, someCircuit, errBroken)
	v := w.Circuits.View(someCircuit)
	if left := v.OpenUntil.Sub(w.Now()); v.State != outbound.Open || left < CircuitCooldown-time.Second || left > CircuitCooldown {
		t.Errorf("after a failed probe %+v, open for %v, want a whole cooldown", v, left)
	}
	w.wantRefused(t, someCircuit)
}

func circuitProbeCancelled(t *testing.T, w CircuitWorld) {
	w.halfOpen(t)
	w.attempts(t, someCircuit, chat.Fail(chat.ClassCanceled, nil))
	w.wantState(t, someCircuit, outbound.HalfOpen)
	w.Pass(soon) // a fleet has to be told
	w.attempts(t, someCircuit, nil)
	w.wantState(t, someCircuit, outbound.Closed)
}

func circuitLateReport(t *testing.T, w CircuitWorld) {
	late, ok := w.Circuits.Allow(someCircuit)
	if !ok {
		t.Fatal("an attempt was refused")
	}
	w.halfOpen(t)
	report, ok := w.Circuits.Allow(someCircuit)
	if !ok {
		t.Fatal("the probe was refused")
	}
	late(nil)
	w.wantState(t, someCircuit, outbound.HalfOpen)
	report(errBroken)
	w.wantState(t, someCircuit, outbound.Open)
}

func circuitApart(t *testing.T, w CircuitWorld) {
	w.open(t)
	w.Circuits.Rest(someCircuit, w.Now().Add(time.Hour))
	for _, c := range []outbound.Circuit{
		{Provider: "claude", Model: "m", Credential: "k1"}, {Provider: "openai", Model: "n", Credential: "k1"}, {Provider: "openai", Model: "m", Credential: "k2"},
	} {
		if got := w.Circuits.View(c); got != (outbound.CircuitView{}) {
			t.Errorf("view of %+v is %+v, want it untouched", c, got)
		}
		w.attempts(t, c, nil)
	}
}

func circuitRests(t *testing.T, w CircuitWorld) {
	now := w.Now()
	w.Circuits.Rest(someCircuit, now.Add(-time.Second))
	if got := w.Circuits.View(someCircuit).RestUntil; !got.IsZero() {
		t.Errorf("a rest that is over: rests until %v, want not at all", got)
	}
	until := now.Add(30 * time.Second)
	w.Circuits.Rest(someCircuit, until)
	w.Circuits.Rest(someCircuit, now.Add(10*time.Second))
	if got := w.Circuits.View(someCircuit).RestUntil; !got.Equal(until) {
		t.Errorf("rests until %v, want the later end %v", got, until)
	}
	w.wantState(t, someCircuit, outbound.Closed)
	w.Pass(31 * time.Second)
	if got := w.Circuits.View(someCircuit).RestUntil; !got.IsZero() {
		t.Errorf("after the rest: rests until %v, want not at all", got)
	}
}

func circuitTells(t *testing.T, w CircuitWorld) {
	var told []outbound.CircuitView
	w.Circuits.OnChange(func(c outbound.Circuit, v outbound.CircuitView) {
		if c != someCircuit {
			t.Errorf("told of %+v, want %+v", c, someCircuit)
		}
		told = append(told, v)
	})
	want := func(what string, n int, state outbound.CircuitState) {
		t.Helper()
		if len(told) != n || told[n-1].State != state {
			t.Fatalf("%s: told %+v, want %d changes, the last to state %d", what, told, n, state)
		}
	}
	w.attempts(t, someCircuit, nil, errBroken, errBroken)
	if len(told) != 0 {
		t.Errorf("told %+v before anything changed", told)
	}
	w.attempts(t, someCircuit, errBroken)
	want("when it opens", 1, outbound.Open)
	if told[0].OpenUntil.IsZero() {
		t.Error("told that it opens, but not until when")
	}
	w.Pass(CircuitCooldown + time.Millisecond)
	w.attempts(t, someCircuit, nil)
	want("when a probe closes it", 3, outbound.Closed)
	until := w.Now().Add(time.Minute)
	w.Circuits.Rest(someCircuit, until)
	want("when it rests", 4, outbound.Closed)
	if !told[3].RestUntil.Equal(until) {
		t.Errorf("told of a rest until %v, want %v", told[3].RestUntil, until)
	}
	w.Circuits.Rest(someCircuit, until.Add(-time.Second))
	want("an earlier end", 4, outbound.Closed)
}

func circuitListenerLooks(t *testing.T, w CircuitWorld) {
	var saw []outbound.CircuitState
	w.Circuits.OnChange(func(c outbound.Circuit, _ outbound.CircuitView) { saw = append(saw, w.Circuits.View(c).State) })
	w.open(t)
	if len(saw) != 1 || saw[0] != outbound.Open {
		t.Errorf("the listener saw %v, want the circuit open", saw)
	}
}

func circuitProbeRace(t *testing.T, w CircuitWorld) {
	w.halfOpen(t)
	var through atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, ok := w.Circuits.Allow(someCircuit); ok {
				through.Add(1)
			}
		})
	}
	all.Wait()
	if got := through.Load(); got != 1 {
		t.Errorf("%d probes were let through, want 1", got)
	}
}
