package conformance

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// KeptResponses is the suite of outbound.KeptResponses. new gives an empty store.
func KeptResponses(t *testing.T, new func(t *testing.T) outbound.KeptResponses) {
	tests := map[string]func(t *testing.T, s keptSuite){
		"a response comes back byte for byte":              keptRoundTrip,
		"a response of some megabytes comes back":          keptLarge,
		"a response is its tenant's alone":                 keptIsolation,
		"what was kept first stays":                        keptOnce,
		"of many that keep one at once one stays":          keptRace,
		"a response ends with its time":                    keptExpiry,
		"what is removed is gone, once":                    keptRemove,
		"sweeping takes what has expired, oldest first":    keptSweep,
		"text that cannot be kept is the caller's mistake": keptUnstorable,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, keptSuite{new(t)}) })
	}
}

type keptSuite struct{ outbound.KeptResponses }

// keptFor is how long the responses of the suite are kept.
const keptFor = time.Hour

func kept(tenantID, id string) outbound.SealedResponse {
	return outbound.SealedResponse{TenantID: tenantID, ID: id, CreatedAt: storeEpoch, ExpiresAt: storeEpoch.Add(keptFor), Sealed: []byte("sealed " + tenantID + id)}
}

func (s keptSuite) add(t *testing.T, r outbound.SealedResponse) outbound.SealedResponse {
	t.Helper()
	must(t, "add", s.Add(t.Context(), r))
	return r
}

// want fails the test unless the response is there as it was kept.
func (s keptSuite) want(t *testing.T, want outbound.SealedResponse, now time.Time) {
	t.Helper()
	got, err := s.Find(t.Context(), want.TenantID, want.ID, now)
	must(t, "find "+want.ID, err)
	if !bytes.Equal(got.Sealed, want.Sealed) { // which cmp would look at byte by byte
		t.Errorf("%s: what was sealed came back as %d bytes, want the %d that were kept", want.ID, len(got.Sealed), len(want.Sealed))
	}
	got.Sealed, want.Sealed = nil, nil
	same(t, want.ID, got, want)
	utc(t, want.ID, got.ExpiresAt)
}

func (s keptSuite) gone(t *testing.T, what, tenantID, id string, now time.Time) {
	t.Helper()
	_, err := s.Find(t.Context(), tenantID, id, now)
	wantErr(t, what+", found", err, fault.ErrNotFound)
	wantErr(t, what+", removed", s.Remove(t.Context(), tenantID, id, now), fault.ErrNotFound)
}

func keptRoundTrip(t *testing.T, s keptSuite) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	r := kept("tenant", "resp_1")
	r.Sealed = all
	s.want(t, s.add(t, r), storeEpoch)
	odd := kept("tenant", hostile)
	s.want(t, s.add(t, odd), storeEpoch)
}

func keptLarge(t *testing.T, s keptSuite) {
	r := kept("tenant", "resp_1")
	r.Sealed = bytes.Repeat([]byte("\x00\xff'\\"), 1<<20)
	s.want(t, s.add(t, r), storeEpoch)
}

func keptIsolation(t *testing.T, s keptSuite) {
	mine, theirs := s.add(t, kept("mine", "resp_1")), s.add(t, kept("theirs", "resp_1"))
	s.add(t, kept("theirs", "resp_2"))
	for what, tc := range map[string]struct{ tenantID, id string }{
		"theirs":         {"mine", "resp_2"},
		"nobody's":       {"mine", "resp_3"},
		"without tenant": {"", "resp_1"},
		"in other case":  {"MINE", "resp_1"},
		"a pattern":      {"min%", "resp%"},
		"a NUL":          {"mine", "resp_1\x00"},
		"no text":        {"mine", "resp_1\xff"},
	} {
		s.gone(t, what, tc.tenantID, tc.id, storeEpoch)
	}
	must(t, "remove", s.Remove(t.Context(), "mine", "resp_1", storeEpoch))
	s.gone(t, "mine", mine.TenantID, mine.ID, storeEpoch)
	s.want(t, theirs, storeEpoch)
}

func keptOnce(t *testing.T, s keptSuite) {
	first := s.add(t, kept("tenant", "resp_1"))
	later := first
	later.Sealed, later.ExpiresAt = []byte("another"), later.ExpiresAt.Add(keptFor)
	s.add(t, later)
	s.want(t, first, storeEpoch)
}

func keptRace(t *testing.T, s keptSuite) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := kept("tenant", "resp_1")
			r.Sealed = fmt.Appendf(nil, "try %d", i)
			if err := s.Add(t.Context(), r); err != nil {
				t.Errorf("add: %v", err)
			}
		})
	}
	all.Wait()
	got, err := s.Find(t.Context(), "tenant", "resp_1", storeEpoch)
	must(t, "find", err)
	if !bytes.HasPrefix(got.Sealed, []byte("try ")) {
		t.Errorf("got %q", got.Sealed)
	}
}

func keptExpiry(t *testing.T, s keptSuite) {
	r := s.add(t, kept("tenant", "resp_1"))
	s.want(t, r, r.ExpiresAt.Add(-time.Microsecond))
	s.gone(t, "expired", r.TenantID, r.ID, r.ExpiresAt)
	s.want(t, r, storeEpoch) // it was not removed by the attempt
}

func keptRemove(t *testing.T, s keptSuite) {
	r := s.add(t, kept("tenant", "resp_1"))
	other := s.add(t, kept("tenant", "resp_2"))
	must(t, "remove", s.Remove(t.Context(), r.TenantID, r.ID, storeEpoch))
	s.gone(t, "removed", r.TenantID, r.ID, storeEpoch)
	s.want(t, other, storeEpoch)
}

func keptSweep(t *testing.T, s keptSuite) {
	var all []outbound.SealedResponse
	for i := range 5 {
		r := kept(fmt.Sprintf("tenant %d", i%2), fmt.Sprintf("resp_%d", i))
		r.ExpiresAt = storeEpoch.Add(time.Duration(i) * time.Minute)
		all = append(all, s.add(t, r))
	}
	now := storeEpoch.Add(3 * time.Minute) // the first four have expired
	for _, step := range []struct{ limit, want, left int }{{0, 0, 5}, {3, 3, 2}, {3, 1, 1}, {3, 0, 1}} {
		n, err := s.Sweep(t.Context(), now, step.limit)
		must(t, "sweep", err)
		left := 0
		for i, r := range all {
			if _, err := s.Find(t.Context(), r.TenantID, r.ID, storeEpoch.Add(-time.Second)); err == nil {
				left++
				if i < 5-step.left {
					t.Errorf("%s is left, want the oldest gone first", r.ID)
				}
			}
		}
		if n != step.want || left != step.left {
			t.Errorf("swept %d, %d are left; want %d and %d", n, left, step.want, step.left)
		}
	}
}

func keptUnstorable(t *testing.T, s keptSuite) {
	for what, text := range unstorable {
		wantErr(t, what, s.Add(t.Context(), kept("tenant", text)), fault.ErrValidation)
	}
}
