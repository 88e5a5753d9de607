package breaker_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// underWay is an attempt that has not been reported.
type underWay struct {
	replica int
	report  func(error)
	probe   bool
}

// fleetModel knows of one circuit what a fleet that shares everything at once would.
type fleetModel struct {
	store    *store
	replicas [3]*breaker.Circuits
	attempts []underWay

	openedAt time.Time // when the fleet last opened, zero if it is closed
	silent   bool
	lost     time.Time // when the store last lost something, or was silent
}

// tolerance is how long it takes until all know; see ports/outbound.
const tolerance = time.Second

// clear reports whether the store has answered, and kept what it was told, for long enough.
func (m *fleetModel) clear() bool {
	return !m.silent && time.Since(m.lost) > tolerance
}

func (m *fleetModel) probes() (n int) {
	for _, a := range m.attempts {
		if a.probe {
			n++
		}
	}
	return n
}

// step is what happens next. It is drawn before, because a property fails outside of the bubble it is looked at in.
type step struct {
	What    string
	Replica int
	Attempt int
	End     string
	Passes  time.Duration
}

func steps(unruly bool) *rapid.Generator[[]step] {
	what := []string{"allow", "allow", "allow", "report", "report", "pass", "fail"}
	if unruly {
		what = append(what, "flush", "silence")
	}
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
		return step{
			What: rapid.SampledFrom(what).Draw(r, "what"), Replica: rapid.IntRange(0, 2).Draw(r, "replica"), Attempt: rapid.IntRange(0, 100).Draw(r, "attempt"),
			End:    rapid.SampledFrom([]string{"broken", "broken", "fine", "cancelled", "limited"}).Draw(r, "end"),
			Passes: time.Duration(rapid.OneOf(rapid.IntRange(1, 500), rapid.IntRange(500, 45_000)).Draw(r, "milliseconds")) * time.Millisecond,
		}
	}), 1, 80)
}

func (m *fleetModel) do(s step) error {
	switch s.What {
	case "allow":
		return m.allow(s.Replica)
	case "report":
		m.report(s.Attempt, s.End)
	case "fail":
		for range conformance.CircuitThreshold {
			before := len(m.attempts)
			if err := m.allow(s.Replica); err != nil || len(m.attempts) == before {
				return err
			}
			m.report(before, "broken")
		}
	case "pass":
		time.Sleep(s.Passes)
	case "flush":
		m.store.flush()
		m.lost = time.Now()
	default:
		m.silent = !m.silent
		m.store.silence(m.silent)
		m.lost = time.Now()
	}
	return nil
}

// allow has a replica ask. While the fleet knows that the target is open, nothing is let through; after that one probe is.
func (m *fleetModel) allow(i int) error {
	state := m.replicas[i].View(someKey).State
	report, ok := m.replicas[i].Allow(someKey)
	if !ok {
		if state == outbound.Closed {
			return fmt.Errorf("replica %d refused an attempt at a closed circuit", i)
		}
		return nil
	}
	probe := state != outbound.Closed
	others := m.probes()
	m.attempts = append(m.attempts, underWay{i, report, probe})
	if state == outbound.Open {
		return fmt.Errorf("replica %d let an attempt through that it shows as open", i)
	}
	if !m.clear() || m.openedAt.IsZero() || time.Since(m.openedAt) <= tolerance {
		return nil
	}
	switch left := conformance.CircuitCooldown - time.Since(m.openedAt); {
	case left > 0:
		return fmt.Errorf("replica %d let an attempt through %v before the end", i, left)
	case !probe:
		return fmt.Errorf("replica %d takes an attempt for none of a half-open circuit", i)
	case others > 0:
		return fmt.Errorf("replica %d let a probe through beside %d others", i, others)
	}
	return nil
}

// report ends an attempt.
func (m *fleetModel) report(n int, end string) {
	if len(m.attempts) == 0 {
		return
	}
	n %= len(m.attempts)
	a := m.attempts[n]
	m.attempts = slices.Delete(m.attempts, n, n+1)
	before := m.replicas[a.replica].View(someKey)
	switch end {
	case "broken":
		a.report(broken)
	case "fine":
		a.report(nil)
	case "cancelled":
		a.report(chat.Fail(chat.ClassCanceled, nil))
	default:
		a.report(chat.Fail(chat.ClassRateLimited, nil))
	}
	v := m.replicas[a.replica].View(someKey)
	switch {
	case v.State == outbound.Open && before.State != outbound.Open:
		m.openedAt = time.Now()
	case v.State == outbound.Closed && before.State != outbound.Closed:
		m.openedAt = time.Time{}
	}
}

// settle ends what is under way, lets the store answer, and wants the fleet to close in the end, by probes one at a time.
func (m *fleetModel) settle() error {
	m.store.silence(false)
	for _, a := range m.attempts {
		a.report(chat.Fail(chat.ClassCanceled, nil))
	}
	m.attempts = nil
	time.Sleep(2*conformance.CircuitCooldown + 20*time.Second)
	for range 3 {
		closed := 0
		for i, c := range m.replicas {
			if c.View(someKey).State == outbound.Closed {
				closed++
				continue
			}
			report, ok := c.Allow(someKey)
			if !ok {
				return fmt.Errorf("replica %d: nothing is under way, and the probe is refused: %+v", i, c.View(someKey))
			}
			report(nil)
			time.Sleep(tolerance)
		}
		if closed == len(m.replicas) {
			return nil
		}
	}
	return errors.New("the target is well, and the circuit does not close")
}

func TestAFleetDoesWhatTheModelDoes(t *testing.T) {
	for name, unruly := range map[string]bool{"while the store answers": false, "when the store fails": true} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				script := steps(unruly).Draw(r, "steps")
				slow := time.Duration(rapid.IntRange(0, 100).Draw(r, "milliseconds an answer takes")) * time.Millisecond
				var problem error
				synctest.Test(t, func(t *testing.T) { problem = play(t, script, slow) })
				if problem != nil {
					r.Fatal(problem)
				}
			})
		})
	}
}

// play does what a script says.
func play(t *testing.T, script []step, slow time.Duration) error {
	m := &fleetModel{store: newStore()}
	m.store.delay(slow)
	for i := range m.replicas {
		m.replicas[i] = replica(m.store, i, now)
		run(t, m.replicas[i])
	}
	for i, s := range script {
		if err := m.do(s); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return m.settle()
}
