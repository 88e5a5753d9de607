package conformance

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Calls is the suite of outbound.Calls.
func Calls(t *testing.T, new func(t *testing.T) outbound.Calls) {
	tests := map[string]func(t *testing.T, calls outbound.Calls){
		"a row comes back as it was":                 callsRoundTrip,
		"a row that is there is left as it is":       callsIdempotent,
		"batches of any size are kept":               callsBatches,
		"batches at once are kept":                   callsRace,
		"a row is its tenant's alone":                callsIsolation,
		"a list is newest first and goes on":         callsList,
		"a row with odd text does not spoil a batch": callsOddText,
		"a context that has ended keeps nothing":     callsContext,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func fullCall() outbound.Call {
	cost := int64(math.MaxInt64)
	return outbound.Call{
		ID: nextID(), CreatedAt: storeEpoch, Region: "eu", TenantID: "tenant", UserID: "user", KeyID: "key", SessionID: "session", TraceID: "trace",
		Surface: "execute", TaskType: "general", RequestedModel: hostile, Provider: "openai", Model: "m", ServedModel: "m-2026", Outcome: "ok",
		InputTokens: 1, OutputTokens: 2, CachedTokens: 3, CacheWrite: 4, Reasoning: 5, UsageSource: "reported", CostNanos: &cost, LatencyMs: 6,
		FirstByteMs: 7, Cache: "miss", Stream: true, DecisionID: "decision", Decision: &outbound.Decision{ID: "d", TenantID: "t", Shown: []byte(`{"b": 1,  "a":"\u0000 ` + "é" + `"}`)},
		Attempts: []outbound.CallAttempt{{Provider: "claude", Model: "c", Credential: "c1", Outcome: "overloaded", LatencyMs: 8}, {Provider: "openai"}},
		Tags:     []string{hostile, ""}, EndUser: hostile,
	}
}

// plainCalls makes n rows of a tenant, oldest first.
func plainCalls(n int, tenantID string) []outbound.Call {
	out := make([]outbound.Call, n)
	for i := range out {
		out[i] = outbound.Call{ID: nextID(), CreatedAt: storeEpoch.Add(time.Duration(i) * time.Microsecond), TenantID: tenantID, InputTokens: i}
	}
	return out
}

func callIDs(rows []outbound.Call) (ids []string) {
	for _, c := range rows {
		ids = append(ids, c.ID)
	}
	return ids
}

func callsRoundTrip(t *testing.T, calls outbound.Calls) {
	free := int64(0)
	full, empty, zero := fullCall(), outbound.Call{ID: nextID(), CreatedAt: storeEpoch, TenantID: "tenant"}, fullCall()
	zero.CostNanos, zero.Stream = &free, false // free is not unpriced
	must(t, "append", calls.Append(t.Context(), []outbound.Call{full, empty, zero}))
	for name, want := range map[string]outbound.Call{"full": full, "empty": empty, "free": zero} {
		got, err := calls.Find(t.Context(), "tenant", want.ID)
		must(t, name, err)
		same(t, name, got, want)
		utc(t, name, got.CreatedAt)
	}
}

func callsIdempotent(t *testing.T, calls outbound.Calls) {
	first, again, other := fullCall(), fullCall(), fullCall()
	again.ID, again.Outcome = first.ID, "changed"
	must(t, "append nothing", calls.Append(t.Context(), nil))
	must(t, "append", calls.Append(t.Context(), []outbound.Call{first}))
	must(t, "append again", calls.Append(t.Context(), []outbound.Call{again, other, other}))
	got, err := calls.List(t.Context(), "tenant", "", 10)
	must(t, "list", err)
	same(t, "the rows", got, []outbound.Call{other, first})
}

func callsBatches(t *testing.T, calls outbound.Calls) {
	for _, n := range []int{1, 49, 50, 51, 100, 1201} {
		tenantID := fmt.Sprint("tenant", n)
		rows := plainCalls(n, tenantID)
		must(t, "append", calls.Append(t.Context(), rows))
		got, err := calls.List(t.Context(), tenantID, "", n+1)
		must(t, "list", err)
		slices.Reverse(got)
		same(t, fmt.Sprint(n, " rows"), got, rows)
	}
}

func callsRace(t *testing.T, calls outbound.Calls) {
	batches := make([][]outbound.Call, 8)
	for i := range batches {
		batches[i] = plainCalls(120, "tenant")
		if i > 0 {
			batches[i] = append(batches[i], batches[i-1][:20]...) // sent twice, by two workers
		}
	}
	none(t, race(len(batches), func(i int) error { return calls.Append(t.Context(), batches[i]) }))
	got, err := calls.List(t.Context(), "tenant", "", 10000)
	must(t, "list", err)
	if want := 8 * 120; len(got) != want {
		t.Errorf("%d rows are kept, want %d", len(got), want)
	}
}

func callsIsolation(t *testing.T, calls outbound.Calls) {
	mine, theirs := plainCalls(2, "mine"), plainCalls(2, "theirs")
	must(t, "append", calls.Append(t.Context(), append(slices.Clone(mine), theirs...)))
	for what, tc := range map[string]struct{ tenantID, id string }{
		"theirs":         {"mine", theirs[0].ID},
		"nobody's":       {"mine", nextID()},
		"without tenant": {"", mine[0].ID},
		"a pattern":      {"min%", mine[0].ID},
		"a NUL":          {"mine", mine[0].ID + "\x00"},
	} {
		_, err := calls.Find(t.Context(), tc.tenantID, tc.id)
		wantErr(t, what, err, fault.ErrNotFound)
	}
	got, err := calls.List(t.Context(), "mine", theirs[1].ID, 10) // another tenant's id is a place in time, no more
	must(t, "list", err)
	same(t, "mine", callIDs(got), []string{mine[1].ID, mine[0].ID})
	got, err = calls.List(t.Context(), "mine\x00", "", 10)
	must(t, "list of a NUL", err)
	same(t, "of a NUL", callIDs(got), []string(nil))
}

func callsList(t *testing.T, calls outbound.Calls) {
	rows := plainCalls(7, "tenant")
	must(t, "append the later half", calls.Append(t.Context(), rows[3:]))
	must(t, "append the earlier half", calls.Append(t.Context(), rows[:3]))
	var got []string
	before := ""
	for range rows { // pages enough, and an end if the list has none
		page, err := calls.List(t.Context(), "tenant", before, 3)
		must(t, "list", err)
		if len(page) == 0 {
			break
		}
		if len(page) > 3 {
			t.Fatalf("a page of %d, want at most 3", len(page))
		}
		got = append(got, callIDs(page)...)
		before = page[len(page)-1].ID
	}
	want := callIDs(rows)
	slices.Reverse(want)
	same(t, "all pages", got, want)
	nothing, err := calls.List(t.Context(), "tenant", "", 0)
	must(t, "list none", err)
	same(t, "at most none", callIDs(nothing), []string(nil))
}

func callsOddText(t *testing.T, calls outbound.Calls) {
	rows := plainCalls(3, "tenant")
	odd := "a\x00b\xff"
	rows[1].RequestedModel, rows[1].EndUser, rows[1].Tags, rows[1].Decision = odd, odd, []string{odd}, &outbound.Decision{Shown: []byte(odd)}
	rows[1].Attempts = []outbound.CallAttempt{{Model: odd}}
	must(t, "append", calls.Append(t.Context(), rows))
	got, err := calls.List(t.Context(), "tenant", "", 10)
	must(t, "list", err)
	if len(got) != 3 {
		t.Fatalf("%d rows are kept, want 3", len(got))
	}
	for what, text := range map[string]string{
		"model": got[1].RequestedModel, "end user": got[1].EndUser, "tag": got[1].Tags[0], "decision": string(got[1].Decision.Shown), "attempt": got[1].Attempts[0].Model,
	} {
		if want := "a\uFFFDb\uFFFD"; text != want {
			t.Errorf("%s: got %q, want %q", what, text, want)
		}
	}
}

func callsContext(t *testing.T, calls outbound.Calls) {
	wantErr(t, "append with an ended context", calls.Append(canceled(t), plainCalls(60, "tenant")), context.Canceled)
	got, err := calls.List(t.Context(), "tenant", "", 100)
	must(t, "list", err)
	same(t, "what is kept", callIDs(got), []string(nil))
}
