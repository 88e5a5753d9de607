package conformance

import (
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

func fleetSilent(t *testing.T, w CircuitFleetWorld) {
	w.opens(t)
	w.Stop()
	w.Pass(CircuitCooldown - 5*time.Second)
	w.wantShut(t, "before the cooldown is over")
	w.Pass(10 * time.Second)
	var reports []func(error)
	for i := range w.Replicas {
		reports = append(reports, w.probe(t, i))
	}
	w.wantShut(t, "while each has its own probe")
	reports[0](errBroken)
	reports[1](nil)
	reports[2](chat.Fail(chat.ClassCanceled, nil))
	for i, want := range []outbound.CircuitState{outbound.Open, outbound.Closed, outbound.HalfOpen} {
		if got := w.Replicas[i].View(someCircuit).State; got != want {
			t.Errorf("after its own probe state %d on replica %d, want %d", got, i, want)
		}
	}
	w.probe(t, 2)(errBroken)
	w.Pass(CircuitCooldown - 5*time.Second)
	for _, i := range []int{0, 2} {
		w.one(i).wantRefused(t, someCircuit)
	}
	w.Pass(10 * time.Second)
	for _, i := range []int{0, 2} {
		w.probe(t, i)(nil)
	}
	w.wantStates(t, "after each has probed", outbound.Closed)
	w.one(0).open(t)
	w.Pass(soon)
	for i, want := range []outbound.CircuitState{outbound.Open, outbound.Closed, outbound.Closed} {
		if got := w.Replicas[i].View(someCircuit).State; got != want {
			t.Errorf("opened by one, state %d on replica %d, want %d", got, i, want)
		}
	}
}

func fleetReturns(t *testing.T, w CircuitFleetWorld) {
	w.Pass(soon)
	w.Stop()
	w.Pass(soon)
	w.one(0).open(t)
	w.Replicas[1].Rest(someCircuit, w.Now().Add(50*time.Second))
	w.Pass(20 * time.Second)
	w.one(1).wantState(t, someCircuit, outbound.Closed)
	w.Start()
	w.Pass(3 * time.Second)
	end := w.Now().Add(CircuitCooldown - 20*time.Second)
	for i, c := range w.Replicas {
		v := c.View(someCircuit)
		if v.State != outbound.Open || v.OpenUntil.After(end) || v.RestUntil.IsZero() {
			t.Errorf("on replica %d %+v, want it open until %v at the latest, and at rest", i, v, end)
		}
	}
	w.Pass(CircuitCooldown)
	w.probe(t, 2)(nil)
	w.Pass(soon)
	w.wantStates(t, "closed", outbound.Closed)
}

func fleetReturnsLate(t *testing.T, w CircuitFleetWorld) {
	w.Pass(soon)
	w.Stop()
	w.Pass(soon)
	w.one(0).open(t)
	w.Replicas[1].Rest(someCircuit, w.Now().Add(20*time.Second))
	w.Pass(CircuitCooldown + soon)
	w.probe(t, 0)(nil)
	w.Start()
	w.Pass(3 * time.Second)
	w.wantStates(t, "told again", outbound.Closed)
	if v := w.Replicas[2].View(someCircuit); v != (outbound.CircuitView{}) {
		t.Errorf("a replica that was told shows %+v, want nothing", v)
	}
}

func fleetFlushed(t *testing.T, w CircuitFleetWorld) {
	w.opens(t)
	w.Pass(20 * time.Second)
	w.Flush()
	w.Pass(soon)
	w.wantShut(t, "what was open")
	w.wantStates(t, "what was open", outbound.Open)
	w.Pass(CircuitCooldown - 20*time.Second)
	w.wantStates(t, "after the cooldown", outbound.HalfOpen)
	w.Flush()
	w.Pass(soon)
	w.wantStates(t, "what waited for its probe", outbound.HalfOpen)
	report := w.probe(t, 1)
	w.wantShut(t, "while the probe is under way")
	report(nil)
	w.Pass(soon)
	w.wantStates(t, "closed", outbound.Closed)
	w.Flush()
	w.Pass(soon)
	w.wantStates(t, "what was closed", outbound.Closed)
}

func fleetFlushedMeanwhile(t *testing.T, w CircuitFleetWorld) {
	w.halfOpens(t)
	report := w.probe(t, 0)
	w.Flush()
	w.Pass(soon)
	w.wantShut(t, "while the probe is under way")
	report(nil)
	w.Pass(soon)
	w.wantStates(t, "closed", outbound.Closed)
}
