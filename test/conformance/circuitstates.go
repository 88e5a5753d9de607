package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/ports/outbound"
)

// Fleet is what a test of shared circuits is given: the handles of three replicas on one empty store, what lets time pass for it, and what makes
// it lose everything. Time that really passes meanwhile is less than a second.
type Fleet struct {
	A, B, C outbound.CircuitStates
	Pass    func(time.Duration)
	Flush   func()
}

// CircuitStates is the suite of outbound.CircuitStates. in makes a fleet and runs the test in it; it may do so in a testing/synctest bubble.
func CircuitStates(t *testing.T, in func(t *testing.T, test func(*testing.T, Fleet))) {
	tests := map[string]func(*testing.T, Fleet){
		"nothing is known at first":                                 sharedNothing,
		"what one opened is open for all, then waits for its probe": sharedOpens,
		"of two ends of an open one the later counts":               sharedLaterEnd,
		"one that waits can be told of":                             sharedWaits,
		"an open one is not probed":                                 sharedNoEarlyProbe,
		"the probe is one replica's until it is given back":         sharedLease,
		"a lease ends with its time":                                sharedLeaseEnds,
		"a lease can be made longer, also of one opened meanwhile":  sharedLeaseRenewed,
		"who has the lease closes it for all":                       sharedCloses,
		"who has no lease neither closes nor frees":                 sharedNotOurs,
		"a probe that failed opens it and gives the lease back":     sharedProbeFails,
		"another's failure leaves the lease":                        sharedFailureElsewhere,
		"a closed one opens again":                                  sharedOpensAgain,
		"one that is lost may be probed at once":                    sharedLost,
		"the later end of a rest counts":                            sharedRests,
		"circuits do not touch each other, whatever their names":    sharedApart,
		"everything ends":                                           sharedEnds,
		"the number is bounded, what ends first is forgotten":       sharedBound,
		"of many who ask at once one gets the lease":                sharedLeaseRace,
		"an ended context is an error":                              sharedCanceled,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { in(t, test) })
	}
}

const (
	sharedCooldown = time.Minute
	sharedLeaseFor = 10 * time.Second
)

// want fails the test unless a replica is told exactly this, with spans at most a second shorter.
func (f Fleet) want(t *testing.T, what string, s outbound.CircuitStates, want ...outbound.SharedCircuit) {
	t.Helper()
	got, err := s.All(t.Context())
	must(t, what, err)
	order := func(a, b outbound.SharedCircuit) int {
		return strings.Compare(fmt.Sprint(a.Circuit), fmt.Sprint(b.Circuit))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	near := func(got *time.Duration, want time.Duration) {
		if *got > want-time.Second && *got <= want {
			*got = want
		}
	}
	for i := range min(len(got), len(want)) {
		near(&got[i].Left, want[i].Left)
		near(&got[i].Rest, want[i].Rest)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (f Fleet) wantLease(t *testing.T, what string, s outbound.CircuitStates, want outbound.Lease) {
	t.Helper()
	got, err := s.Lease(t.Context(), someCircuit, sharedLeaseFor)
	must(t, what, err)
	if got != want {
		t.Errorf("%s: answer %d, want %d", what, got, want)
	}
}

func open(left time.Duration) outbound.SharedCircuit {
	return outbound.SharedCircuit{Circuit: someCircuit, State: outbound.Open, Left: left}
}

var (
	waiting = outbound.SharedCircuit{Circuit: someCircuit, State: outbound.HalfOpen}
	healed  = outbound.SharedCircuit{Circuit: someCircuit, Healed: true}
)

func leased(c outbound.SharedCircuit, mine bool) outbound.SharedCircuit {
	c.Leased, c.Mine = true, mine
	return c
}

// opened opens the circuit and lets the cooldown pass.
func (f Fleet) opened(t *testing.T) {
	t.Helper()
	must(t, "open", f.A.Open(t.Context(), someCircuit, sharedCooldown))
	f.Pass(sharedCooldown)
}

func sharedNothing(t *testing.T, f Fleet) {
	f.want(t, "at first", f.A)
	must(t, "close", f.A.Close(t.Context(), someCircuit))
	must(t, "free", f.A.Free(t.Context(), someCircuit))
	must(t, "rest for no time", f.A.Rest(t.Context(), someCircuit, 0))
	f.want(t, "after what means nothing", f.B)
}

func sharedOpens(t *testing.T, f Fleet) {
	must(t, "open", f.A.Open(t.Context(), someCircuit, sharedCooldown))
	for _, s := range []outbound.CircuitStates{f.A, f.B, f.C} {
		f.want(t, "opened", s, open(sharedCooldown))
	}
	f.Pass(sharedCooldown - 5*time.Second)
	f.want(t, "near the end", f.B, open(5*time.Second))
	f.Pass(5 * time.Second)
	f.want(t, "after the cooldown", f.B, waiting)
	f.Pass(30 * time.Minute)
	f.want(t, "half an hour later", f.B, waiting)
}

func sharedLaterEnd(t *testing.T, f Fleet) {
	for _, d := range []time.Duration{sharedCooldown, 10 * time.Second, 0, -time.Second} {
		must(t, "open", f.A.Open(t.Context(), someCircuit, d))
		f.want(t, "open for "+d.String(), f.B, open(sharedCooldown))
	}
	must(t, "open for longer", f.B.Open(t.Context(), someCircuit, 2*sharedCooldown))
	f.want(t, "for longer", f.A, open(2*sharedCooldown))
}

func sharedWaits(t *testing.T, f Fleet) {
	must(t, "open for no time", f.A.Open(t.Context(), someCircuit, 0))
	f.want(t, "told of", f.B, waiting)
	f.wantLease(t, "its probe", f.B, outbound.LeaseGranted)
	must(t, "close", f.B.Close(t.Context(), someCircuit))
	must(t, "open for no time", f.A.Open(t.Context(), someCircuit, 0))
	f.want(t, "told of what was just closed", f.B, healed)
}

func sharedOpensAgain(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "close", f.B.Close(t.Context(), someCircuit))
	must(t, "open", f.C.Open(t.Context(), someCircuit, sharedCooldown))
	f.want(t, "opened anew", f.A, open(sharedCooldown))
	f.wantLease(t, "its probe", f.A, outbound.LeaseRefused)
	f.Pass(sharedCooldown)
	f.wantLease(t, "its probe, later", f.A, outbound.LeaseGranted)
}

func sharedLost(t *testing.T, f Fleet) {
	f.opened(t)
	must(t, "rest", f.A.Rest(t.Context(), someCircuit, time.Minute))
	f.Flush()
	f.want(t, "after everything was lost", f.A)
	f.wantLease(t, "one who still knows it", f.B, outbound.LeaseGranted)
	f.wantLease(t, "another who does", f.C, outbound.LeaseRefused)
	f.want(t, "known again", f.A, leased(waiting, false))
}

func sharedRests(t *testing.T, f Fleet) {
	rest := func(d time.Duration) outbound.SharedCircuit {
		return outbound.SharedCircuit{Circuit: someCircuit, Rest: d}
	}
	must(t, "rest", f.A.Rest(t.Context(), someCircuit, 30*time.Second))
	f.want(t, "at rest", f.B, rest(30*time.Second))
	must(t, "an earlier end", f.B.Rest(t.Context(), someCircuit, 10*time.Second))
	f.want(t, "an earlier end", f.B, rest(30*time.Second))
	must(t, "a later end", f.B.Rest(t.Context(), someCircuit, 40*time.Second))
	f.Pass(10 * time.Second)
	f.want(t, "a later end", f.A, rest(30*time.Second))
	must(t, "open", f.A.Open(t.Context(), someCircuit, sharedCooldown))
	both := open(sharedCooldown)
	both.Rest = 30 * time.Second
	f.want(t, "at rest and open", f.A, both)
	f.Pass(30 * time.Second)
	f.want(t, "after the rest", f.A, open(30*time.Second))
}

func sharedApart(t *testing.T, f Fleet) {
	names := []outbound.Circuit{
		{},
		{Provider: "a", Model: "b", Credential: "c"},
		{Provider: "a/b", Credential: "c"},
		{Provider: "a", Model: "b/c"},
		{Provider: "a%2Fb", Credential: "c"},
		{Provider: "o:a", Model: "b", Credential: "c"},
		{Model: hostile},
		{Model: "meta/llama 3:70b-instruct?x=1#y", Credential: "k+1"},
		{Credential: "\x00\xff"},
	}
	want := make([]outbound.SharedCircuit, 0, len(names))
	for i, c := range names {
		d := time.Duration(i+1) * time.Minute
		must(t, "open", f.A.Open(t.Context(), c, d))
		want = append(want, outbound.SharedCircuit{Circuit: c, State: outbound.Open, Left: d})
	}
	f.want(t, "all of them", f.B, want...)
}

func sharedEnds(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "rest", f.A.Rest(t.Context(), someCircuit, time.Minute))
	f.Pass(2 * time.Hour)
	f.want(t, "two hours later", f.A)
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "close", f.B.Close(t.Context(), someCircuit))
	f.Pass(time.Hour)
	f.want(t, "an hour after it was closed", f.A)
}

func sharedBound(t *testing.T, f Fleet) {
	must(t, "open", f.A.Open(t.Context(), someCircuit, 24*time.Hour))
	for i := range 3000 {
		must(t, "rest", f.A.Rest(t.Context(), outbound.Circuit{Model: fmt.Sprint(i)}, time.Minute+time.Duration(i)*time.Second))
	}
	all, err := f.B.All(t.Context())
	must(t, "all", err)
	if len(all) < 500 || len(all) > 2500 {
		t.Errorf("%d circuits are known, want 500 to 2500", len(all))
	}
	for what, c := range map[string]outbound.Circuit{"open for longest": someCircuit, "told of last": {Model: "2999"}} {
		if !slices.ContainsFunc(all, func(s outbound.SharedCircuit) bool { return s.Circuit == c }) {
			t.Errorf("the one %s is forgotten", what)
		}
	}
}

func sharedCanceled(t *testing.T, f Fleet) {
	ctx := canceled(t)
	_, all := f.A.All(ctx)
	_, lease := f.A.Lease(ctx, someCircuit, time.Second)
	for what, err := range map[string]error{
		"all": all, "lease": lease, "open": f.A.Open(ctx, someCircuit, time.Minute), "close": f.A.Close(ctx, someCircuit),
		"free": f.A.Free(ctx, someCircuit), "rest": f.A.Rest(ctx, someCircuit, time.Minute),
	} {
		if err == nil {
			t.Errorf("%s with an ended context: no error", what)
		}
	}
}
