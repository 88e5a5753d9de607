package conformance

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

func sharedNoEarlyProbe(t *testing.T, f Fleet) {
	must(t, "open", f.A.Open(t.Context(), someCircuit, sharedCooldown))
	f.Pass(sharedCooldown - 5*time.Second)
	f.wantLease(t, "who opened it", f.A, outbound.LeaseRefused)
	f.wantLease(t, "another", f.B, outbound.LeaseRefused)
	f.want(t, "after they asked", f.C, open(5*time.Second))
	f.Pass(5 * time.Second)
	f.wantLease(t, "after the cooldown", f.B, outbound.LeaseGranted)
}

func sharedLease(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	f.wantLease(t, "the second", f.A, outbound.LeaseRefused)
	f.wantLease(t, "the third", f.C, outbound.LeaseRefused)
	f.want(t, "whose it is", f.B, leased(waiting, true))
	f.want(t, "whose it is not", f.A, leased(waiting, false))
	must(t, "free", f.B.Free(t.Context(), someCircuit))
	f.want(t, "given back", f.B, waiting)
	f.wantLease(t, "another after that", f.C, outbound.LeaseGranted)
	if l, err := f.A.Lease(t.Context(), outbound.Circuit{Provider: "another"}, 0); err != nil || l != outbound.LeaseRefused {
		t.Errorf("a lease for no time: answer %d, %v; want it refused", l, err)
	}
}

func sharedLeaseEnds(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	f.Pass(sharedLeaseFor - 2*time.Second)
	f.wantLease(t, "before the end", f.A, outbound.LeaseRefused)
	f.Pass(2 * time.Second)
	f.want(t, "at the end", f.B, waiting)
	f.wantLease(t, "at the end", f.A, outbound.LeaseGranted)
	must(t, "close", f.B.Close(t.Context(), someCircuit))
	f.want(t, "closed by whose lease has ended", f.A, leased(waiting, true))
}

func sharedLeaseRenewed(t *testing.T, f Fleet) {
	f.opened(t)
	for range 3 {
		f.wantLease(t, "the one who has it", f.B, outbound.LeaseGranted)
		f.Pass(sharedLeaseFor - 2*time.Second)
	}
	f.wantLease(t, "another", f.A, outbound.LeaseRefused)
	must(t, "open", f.A.Open(t.Context(), someCircuit, sharedCooldown))
	f.wantLease(t, "the one who has it, opened meanwhile", f.B, outbound.LeaseGranted)
	f.Pass(sharedLeaseFor)
	f.wantLease(t, "the one who had it, opened meanwhile", f.B, outbound.LeaseRefused)
}

func sharedCloses(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "close", f.B.Close(t.Context(), someCircuit))
	f.want(t, "closed", f.A, healed)
	f.wantLease(t, "who asks late", f.C, outbound.LeaseNeedless)
	f.wantLease(t, "who closed it", f.B, outbound.LeaseNeedless)
	f.want(t, "after that", f.A, healed)
}

func sharedNotOurs(t *testing.T, f Fleet) {
	f.opened(t)
	must(t, "close", f.A.Close(t.Context(), someCircuit))
	f.want(t, "closed by one without a lease", f.A, waiting)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "close", f.A.Close(t.Context(), someCircuit))
	must(t, "free", f.C.Free(t.Context(), someCircuit))
	f.want(t, "closed and freed by others", f.B, leased(waiting, true))
}

func sharedProbeFails(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "open", f.B.Open(t.Context(), someCircuit, sharedCooldown))
	f.want(t, "after the probe", f.A, open(sharedCooldown))
	f.wantLease(t, "before the end", f.A, outbound.LeaseRefused)
	f.Pass(sharedCooldown)
	f.wantLease(t, "after the second cooldown", f.A, outbound.LeaseGranted)
}

func sharedFailureElsewhere(t *testing.T, f Fleet) {
	f.opened(t)
	f.wantLease(t, "the first", f.B, outbound.LeaseGranted)
	must(t, "open", f.A.Open(t.Context(), someCircuit, sharedCooldown))
	f.want(t, "opened by another", f.C, leased(open(sharedCooldown), false))
	must(t, "close", f.B.Close(t.Context(), someCircuit))
	f.want(t, "closed all the same", f.C, healed)
}

func sharedLeaseRace(t *testing.T, f Fleet) {
	f.opened(t)
	nodes := []outbound.CircuitStates{f.A, f.B, f.C}
	var got [3]atomic.Int32
	none(t, race(30, func(i int) error {
		l, err := nodes[i%3].Lease(t.Context(), someCircuit, sharedLeaseFor)
		if l == outbound.LeaseGranted {
			got[i%3].Add(1)
		}
		return err
	}))
	winners := 0
	for i := range got {
		if got[i].Load() > 0 {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d replicas got the lease, want 1", winners)
	}
}
