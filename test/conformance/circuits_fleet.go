package conformance

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// CircuitFleetWorld is what a test of circuits that share what they know is given: three replicas, whose circuits are all closed, made with CircuitThreshold
// and CircuitCooldown, the clock they go by, and what lets time pass for them and for what they share. Stop makes that fall silent, Start has it answer
// again, Flush has it lose everything.
type CircuitFleetWorld struct {
	Replicas [3]outbound.Circuits
	Now      outbound.Clock
	Pass     func(time.Duration)
	Stop     func()
	Start    func()
	Flush    func()
}

// soon is how long it takes at most until the fleet knows what one replica does.
const soon = time.Second

// CircuitFleet is the suite of outbound.Circuits that are shared. Each replica alone passes Circuits as well. in makes a world and runs the test in it; it
// may do so in a testing/synctest bubble.
func CircuitFleet(t *testing.T, in func(t *testing.T, test func(*testing.T, CircuitFleetWorld))) {
	tests := map[string]func(*testing.T, CircuitFleetWorld){
		"what one opened is open for all within a second":             fleetOpens,
		"after the cooldown one probe is let through in the fleet":    fleetOneProbe,
		"of probes at once in the fleet one is let through":           fleetProbeRace,
		"a probe that succeeds closes it for all":                     fleetProbeCloses,
		"a probe that fails opens it for all for another cooldown":    fleetProbeFails,
		"a probe that shows nothing makes room for another's":         fleetProbeNeutral,
		"a probe may take as long as it likes":                        fleetLongProbe,
		"a rest lasts for all":                                        fleetRests,
		"listeners are told what another replica did":                 fleetTells,
		"late failures elsewhere make it open for longer":             fleetLateFailures,
		"a closed one counts anew":                                    fleetCountsAnew,
		"failures right after it closed open it for all":              fleetOpensAtOnce,
		"a probe right after one that showed nothing is the only one": fleetProbeAgain,
		"when the store is silent each replica has its own breaker":   fleetSilent,
		"when the store answers again it is told":                     fleetReturns,
		"what has ended meanwhile it is not told":                     fleetReturnsLate,
		"when the store lost everything nothing opens or stays shut":  fleetFlushed,
		"a probe under way outlives a loss":                           fleetFlushedMeanwhile,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { in(t, test) })
	}
}

// one gives the world of one replica.
func (w CircuitFleetWorld) one(i int) CircuitWorld {
	return CircuitWorld{Circuits: w.Replicas[i], Now: w.Now, Pass: w.Pass}
}

// wantStates fails the test unless the circuit stands so on every replica.
func (w CircuitFleetWorld) wantStates(t *testing.T, what string, want outbound.CircuitState) {
	t.Helper()
	for i, c := range w.Replicas {
		if got := c.View(someCircuit).State; got != want {
			t.Errorf("%s: state %d on replica %d, want %d", what, got, i, want)
		}
	}
}

// opens has the first replica open the circuit, and waits until all know.
func (w CircuitFleetWorld) opens(t *testing.T) {
	t.Helper()
	w.one(0).open(t)
	w.Pass(soon)
	w.wantStates(t, "opened", outbound.Open)
}

// halfOpens lets the cooldown pass as well.
func (w CircuitFleetWorld) halfOpens(t *testing.T) {
	t.Helper()
	w.opens(t)
	w.Pass(CircuitCooldown)
	w.wantStates(t, "after the cooldown", outbound.HalfOpen)
}

// probe gives the report of the probe, which a replica must be let make.
func (w CircuitFleetWorld) probe(t *testing.T, i int) func(error) {
	t.Helper()
	report, ok := w.Replicas[i].Allow(someCircuit)
	if !ok {
		t.Fatalf("the probe of replica %d was refused", i)
	}
	return report
}

// wantShut fails the test if a replica lets an attempt through.
func (w CircuitFleetWorld) wantShut(t *testing.T, what string) {
	t.Helper()
	for i, c := range w.Replicas {
		if _, ok := c.Allow(someCircuit); ok {
			t.Errorf("%s: replica %d let an attempt through", what, i)
		}
	}
}

func fleetOpens(t *testing.T, w CircuitFleetWorld) {
	w.opens(t)
	w.wantShut(t, "opened")
	end := w.Now().Add(CircuitCooldown)
	for i, c := range w.Replicas {
		if until := c.View(someCircuit).OpenUntil; until.After(end) || until.Before(end.Add(-3*time.Second)) {
			t.Errorf("on replica %d open until %v, want about %v", i, until, end)
		}
	}
	if got := w.Replicas[1].View(outbound.Circuit{Provider: "openai", Model: "n", Credential: "k1"}); got != (outbound.CircuitView{}) {
		t.Errorf("another circuit is %+v, want it untouched", got)
	}
	w.Pass(CircuitCooldown - 5*time.Second)
	w.wantStates(t, "near the end", outbound.Open)
	w.wantShut(t, "near the end")
}

func fleetOneProbe(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	report := w.probe(t, 2)
	w.wantShut(t, "while the probe is under way")
	w.Pass(soon)
	w.wantShut(t, "a second later")
	w.wantStates(t, "while the probe is under way", outbound.HalfOpen)
	report(nil)
}

func fleetProbeRace(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	var through atomic.Int32
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			if _, ok := w.Replicas[i%3].Allow(someCircuit); ok {
				through.Add(1)
			}
		})
	}
	all.Wait()
	if got := through.Load(); got != 1 {
		t.Errorf("%d probes were let through, want 1", got)
	}
}

func fleetProbeCloses(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	w.probe(t, 1)(nil)
	w.one(1).wantState(t, someCircuit, outbound.Closed)
	w.Pass(soon)
	w.wantStates(t, "after the probe", outbound.Closed)
	var reports []func(error)
	for i := range w.Replicas {
		for range 3 {
			reports = append(reports, w.probe(t, i))
		}
	}
	for _, report := range reports {
		report(nil)
	}
}

func fleetProbeFails(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	for round := range 4 { // more than the threshold
		w.probe(t, round%3)(errBroken)
		w.one(round%3).wantState(t, someCircuit, outbound.Open)
		w.Pass(soon)
		w.wantStates(t, "after a failed probe", outbound.Open)
		w.wantShut(t, "after a failed probe")
		w.Pass(CircuitCooldown - 5*time.Second)
		w.wantShut(t, "near the end of another cooldown")
		w.Pass(5 * time.Second)
	}
	w.probe(t, 0)(nil)
	w.Pass(soon)
	w.wantStates(t, "after a probe that succeeded", outbound.Closed)
}

func fleetProbeNeutral(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	for i, class := range []chat.Class{chat.ClassCanceled, chat.ClassRateLimited, chat.ClassAuth} {
		w.probe(t, i)(chat.Fail(class, nil))
		w.Pass(soon)
		w.wantStates(t, "after a probe that ended as "+string(class), outbound.HalfOpen)
	}
	w.probe(t, 0)(nil)
	w.Pass(soon)
	w.wantStates(t, "after a probe that succeeded", outbound.Closed)
}

func fleetLongProbe(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	report := w.probe(t, 0)
	w.Pass(2 * CircuitCooldown)
	w.wantShut(t, "two cooldowns later")
	report(nil)
	w.Pass(soon)
	w.wantStates(t, "at its end", outbound.Closed)
}

func fleetRests(t *testing.T, w CircuitFleetWorld) {
	until := w.Now().Add(30 * time.Second)
	w.Replicas[0].Rest(someCircuit, until)
	w.Pass(soon)
	for i, c := range w.Replicas {
		v := c.View(someCircuit)
		if d := v.RestUntil.Sub(until); v.State != outbound.Closed || d.Abs() > 3*time.Second {
			t.Errorf("on replica %d %+v, want it to rest until %v", i, v, until)
		}
	}
	w.Pass(31 * time.Second)
	for i, c := range w.Replicas {
		if got := c.View(someCircuit).RestUntil; !got.IsZero() {
			t.Errorf("on replica %d it rests until %v, want it to be over", i, got)
		}
	}
}

func fleetTells(t *testing.T, w CircuitFleetWorld) {
	var mu sync.Mutex
	var told []outbound.CircuitView
	w.Replicas[2].OnChange(func(c outbound.Circuit, v outbound.CircuitView) {
		mu.Lock()
		defer mu.Unlock()
		if c != someCircuit {
			t.Errorf("told of %+v, want %+v", c, someCircuit)
		}
		told = append(told, v)
	})
	last := func(what string, n int) outbound.CircuitView {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if len(told) != n {
			t.Fatalf("%s: told %+v, want %d changes", what, told, n)
		}
		return told[n-1]
	}
	w.opens(t)
	if v := last("opened", 1); v.State != outbound.Open || v.OpenUntil.IsZero() {
		t.Errorf("told %+v, want it open until then", v)
	}
	w.Pass(CircuitCooldown)
	if v := last("after the cooldown", 2); v.State != outbound.HalfOpen {
		t.Errorf("told %+v, want it half open", v)
	}
	w.probe(t, 0)(nil)
	w.Pass(soon)
	if v := last("closed", 3); v.State != outbound.Closed {
		t.Errorf("told %+v, want it closed", v)
	}
	w.Replicas[1].Rest(someCircuit, w.Now().Add(time.Minute))
	w.Pass(soon)
	if v := last("at rest", 4); v.RestUntil.IsZero() {
		t.Errorf("told %+v, want it at rest", v)
	}
}

func fleetLateFailures(t *testing.T, w CircuitFleetWorld) {
	var told atomic.Value
	w.Replicas[2].OnChange(func(_ outbound.Circuit, v outbound.CircuitView) { told.Store(v) })
	var late []func(error)
	for range CircuitThreshold {
		late = append(late, w.probe(t, 1))
	}
	w.opens(t)
	w.Pass(CircuitCooldown / 2)
	for _, report := range late {
		report(errBroken)
	}
	w.Pass(soon)
	w.wantStates(t, "after the late ones", outbound.Open)
	end := w.Now().Add(CircuitCooldown)
	for i, c := range w.Replicas {
		if until := c.View(someCircuit).OpenUntil; until.After(end) || until.Before(end.Add(-3*time.Second)) {
			t.Errorf("on replica %d open until %v, want about %v", i, until, end)
		}
	}
	if until := told.Load().(outbound.CircuitView).OpenUntil; until.Before(end.Add(-3 * time.Second)) {
		t.Errorf("a listener was told that it is open until %v, want about %v", until, end)
	}
	w.Pass(CircuitCooldown / 2)
	w.wantShut(t, "a cooldown after the first")
	w.Pass(CircuitCooldown / 2)
	w.probe(t, 2)(nil)
	w.Pass(soon)
	w.wantStates(t, "closed", outbound.Closed)
}

func fleetCountsAnew(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	w.probe(t, 1)(nil)
	w.Pass(soon)
	for i := range w.Replicas {
		w.one(i).attempts(t, someCircuit, errBroken, errBroken)
	}
	w.Pass(soon)
	w.wantStates(t, "after two failures each", outbound.Closed)
	w.one(1).attempts(t, someCircuit, errBroken)
	w.Pass(soon)
	w.wantStates(t, "after the third of one", outbound.Open)
}

func fleetOpensAtOnce(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	w.probe(t, 0)(nil)
	w.one(0).open(t)
	w.Pass(soon)
	w.wantStates(t, "opened again", outbound.Open)
	w.Pass(CircuitCooldown)
	w.probe(t, 1)(nil)
	w.Pass(soon)
	w.wantStates(t, "closed again", outbound.Closed)
}

func fleetProbeAgain(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	w.probe(t, 0)(chat.Fail(chat.ClassCanceled, nil))
	through := 0
	for _, wait := range []time.Duration{0, soon, soon} {
		w.Pass(wait)
		for _, c := range w.Replicas {
			if _, ok := c.Allow(someCircuit); ok {
				through++
			}
		}
	}
	if through != 1 {
		t.Errorf("%d probes were let through, want 1", through)
	}
}
