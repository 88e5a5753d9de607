package conformance

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// CallStore is a store of calls under test: what writes, and what reads.
type CallStore struct {
	outbound.Calls
	Usage     outbound.Usage
	Decisions outbound.Decisions
}

func (s CallStore) append(t *testing.T, calls ...outbound.Call) {
	t.Helper()
	must(t, "append", s.Append(t.Context(), outbound.Batch{Calls: calls}))
}

// list gives a tenant's rows, newest first.
func (s CallStore) list(t *testing.T, tenantID string, limit int) []outbound.Call {
	t.Helper()
	got, err := s.Usage.Calls(t.Context(), tenantID, outbound.CallFilter{Limit: limit})
	must(t, "list", err)
	return got
}

// Calls is the suite of outbound.Calls.
func Calls(t *testing.T, new func(t *testing.T) CallStore) {
	tests := map[string]func(t *testing.T, s CallStore){
		"a row comes back as it was":                    callsRoundTrip,
		"a row that is there is left as it is":          callsIdempotent,
		"batches of any size are kept":                  callsBatches,
		"batches at once are kept":                      callsRace,
		"a row with odd text does not spoil a batch":    callsOddText,
		"a context that has ended keeps nothing":        callsContext,
		"a sheet is kept once, as new as the last time": callsSheets,
		"sheets that meet do not stop each other":       callsSheetRace,
		"sweeping takes calls with their attempts":      callsSweep,
		"an id may be a little later than its row":      callsSweepLateIDs,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// fullDecision makes a decision of a tenant with every field.
func fullDecision(tenantID string) *outbound.Decision {
	return &outbound.Decision{
		ID: nextID(), TenantID: tenantID, CreatedAt: storeEpoch, TaskType: "general", Provider: "openai", Model: "m", Outcome: "ok", PolicyVersion: 7,
		SnapshotID: "snapshot", PolicyID: "policy", Shown: []byte(`{"b": 1,  "a":"\u0000 ` + "\u00e9" + `"}`), Inputs: []byte(hostile),
	}
}

func fullCall() outbound.Call {
	cost, part := int64(math.MaxInt64), int64(12)
	d := fullDecision("tenant")
	return outbound.Call{
		ID: nextID(), CreatedAt: storeEpoch, Region: "eu", TenantID: "tenant", UserID: "user", KeyID: "key", SessionID: "session", TraceID: "trace",
		Surface: "execute", TaskType: "general", RequestedModel: hostile, Provider: "openai", Model: "m", ServedModel: "m-2026", Outcome: "ok",
		InputTokens: 1, OutputTokens: 2, CachedTokens: 3, CacheWrite: 4, Reasoning: 5, UsageSource: "provider", CostNanos: &cost, LatencyMs: 6,
		FirstByteMs: 7, Cache: "miss", Stream: true, DecisionID: d.ID, Decision: d,
		Attempts: []outbound.CallAttempt{{
			StartedAt: storeEpoch.Add(-time.Second), Provider: "claude", Model: "c", ServedModel: "c-2026", Credential: "c1", Outcome: "overloaded",
			LatencyMs: 8, FirstByteMs: 9, InputTokens: 10, OutputTokens: 11, CachedTokens: 12, CacheWrite: 13, Reasoning: 14, UsageSource: "estimated", CostNanos: &part,
		}, {Provider: "openai"}},
		Tags: []string{hostile, ""}, EndUser: hostile,
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

// wantCall looks for a row, and for the decision that was made for it.
func wantCall(t *testing.T, s CallStore, what string, want outbound.Call) {
	t.Helper()
	if d := want.Decision; d != nil {
		got, err := s.Decisions.Find(t.Context(), d.TenantID, d.ID)
		must(t, what, err)
		same(t, what+", its decision", got, *d)
		utc(t, what, got.CreatedAt)
	}
	want.Decision = nil
	for _, got := range s.list(t, want.TenantID, 1000) {
		if got.ID == want.ID {
			same(t, what, got, want)
			utc(t, what, got.CreatedAt)
			return
		}
	}
	t.Errorf("%s: the row is not there", what)
}

func callsRoundTrip(t *testing.T, s CallStore) {
	free := int64(0)
	full, empty, zero := fullCall(), outbound.Call{ID: nextID(), CreatedAt: storeEpoch, TenantID: "tenant"}, fullCall()
	zero.CostNanos, zero.Attempts[0].CostNanos, zero.Stream = &free, &free, false // free is not unpriced
	s.append(t, full, empty, zero)
	for name, want := range map[string]outbound.Call{"full": full, "empty": empty, "free": zero} {
		wantCall(t, s, name, want)
	}
}

func callsIdempotent(t *testing.T, s CallStore) {
	first, again, other := fullCall(), fullCall(), fullCall()
	again.ID, again.Outcome, again.Attempts[1].Outcome = first.ID, "changed", "changed"
	changed := *first.Decision
	changed.Outcome, again.Decision = "changed", &changed
	must(t, "append nothing", s.Append(t.Context(), outbound.Batch{}))
	s.append(t, first)
	s.append(t, again, other, other)
	if got := s.list(t, "tenant", 10); len(got) != 2 {
		t.Errorf("%d rows are kept, want 2", len(got))
	}
	wantCall(t, s, "the first", first)
	wantCall(t, s, "the other", other)
}

func callsBatches(t *testing.T, s CallStore) {
	for _, n := range []int{1, 49, 50, 51, 100, 1201} {
		tenantID := fmt.Sprint("tenant", n)
		rows := plainCalls(n, tenantID)
		for i := range rows { // none, one, two, none, …
			rows[i].Attempts = make([]outbound.CallAttempt, i%3)
		}
		s.append(t, rows...)
		got := s.list(t, tenantID, n+1)
		slices.Reverse(got)
		same(t, fmt.Sprint(n, " rows"), got, rows)
	}
}

func callsRace(t *testing.T, s CallStore) {
	batches := make([][]outbound.Call, 8)
	for i := range batches {
		batches[i] = plainCalls(120, "tenant")
		if i > 0 {
			batches[i] = append(batches[i], batches[i-1][:20]...) // sent twice, by two workers
		}
	}
	none(t, race(len(batches), func(i int) error { return s.Append(t.Context(), outbound.Batch{Calls: batches[i]}) }))
	if got, want := len(s.list(t, "tenant", 10000)), 8*120; got != want {
		t.Errorf("%d rows are kept, want %d", got, want)
	}
}

func callsOddText(t *testing.T, s CallStore) {
	rows := plainCalls(3, "tenant")
	odd := "a\x00b\xff"
	d := &outbound.Decision{ID: nextID(), TenantID: "tenant", CreatedAt: storeEpoch, Outcome: odd, Shown: []byte(odd), Inputs: []byte(odd)}
	rows[1].RequestedModel, rows[1].EndUser, rows[1].Tags, rows[1].Decision = odd, odd, []string{odd}, d
	rows[1].Attempts = []outbound.CallAttempt{{Model: odd}}
	must(t, "append", s.Append(t.Context(), outbound.Batch{Calls: rows, Sheets: []outbound.Sheet{{ID: "sheet", CreatedAt: storeEpoch, Body: []byte(odd)}}}))
	got := s.list(t, "tenant", 10)
	if len(got) != 3 {
		t.Fatalf("%d rows are kept, want 3", len(got))
	}
	kept, err := s.Decisions.Find(t.Context(), "tenant", d.ID)
	must(t, "find", err)
	sheet, err := s.Decisions.Sheet(t.Context(), "sheet")
	must(t, "sheet", err)
	for what, text := range map[string]string{
		"model": got[1].RequestedModel, "end user": got[1].EndUser, "tag": got[1].Tags[0], "attempt": got[1].Attempts[0].Model,
		"decision": string(kept.Shown), "its inputs": string(kept.Inputs), "its outcome": kept.Outcome, "sheet": string(sheet.Body),
	} {
		if want := "a\uFFFDb\uFFFD"; text != want {
			t.Errorf("%s: got %q, want %q", what, text, want)
		}
	}
}

func callsContext(t *testing.T, s CallStore) {
	wantErr(t, "append with an ended context", s.Append(canceled(t), outbound.Batch{Calls: plainCalls(60, "tenant")}), context.Canceled)
	same(t, "what is kept", callIDs(s.list(t, "tenant", 100)), []string(nil))
}

func callsSheets(t *testing.T, s CallStore) {
	sheet := func(id string, after time.Duration, body string) outbound.Sheet {
		return outbound.Sheet{ID: id, CreatedAt: storeEpoch.Add(after), Body: []byte(body)}
	}
	for _, step := range []struct {
		sent  []outbound.Sheet
		after time.Duration // of a
	}{
		{[]outbound.Sheet{sheet("a", 0, hostile), sheet("b", 0, "{}")}, 0},
		{[]outbound.Sheet{sheet("a", time.Hour, hostile)}, time.Hour},
		{[]outbound.Sheet{sheet("a", time.Minute, hostile)}, time.Hour},
		{[]outbound.Sheet{sheet("a", 2*time.Hour, hostile), sheet("a", 3*time.Hour, hostile), sheet("a", time.Hour, hostile)}, 3 * time.Hour},
	} {
		must(t, "append", s.Append(t.Context(), outbound.Batch{Sheets: step.sent}))
		got, err := s.Decisions.Sheet(t.Context(), "a")
		must(t, "sheet", err)
		same(t, "the sheet", got, sheet("a", step.after, hostile))
	}
	got, err := s.Decisions.Sheet(t.Context(), "b")
	must(t, "sheet", err)
	same(t, "the other sheet", got, sheet("b", 0, "{}"))
}

func callsSheetRace(t *testing.T, s CallStore) {
	none(t, race(12, func(i int) error {
		var sheets []outbound.Sheet
		for n := range 20 {
			sheets = append(sheets, outbound.Sheet{ID: fmt.Sprint("s", (n*(1+i%3)+i)%20), CreatedAt: storeEpoch.Add(time.Duration(i) * time.Second), Body: []byte("{}")})
		}
		return s.Append(t.Context(), outbound.Batch{Calls: plainCalls(1, "tenant"), Sheets: sheets})
	}))
	got, err := s.Decisions.Sheet(t.Context(), "s1")
	must(t, "sheet", err)
	if want := storeEpoch.Add(11 * time.Second); !got.CreatedAt.Equal(want) {
		t.Errorf("the sheet is of %v, want the last time that it was sent, %v", got.CreatedAt, want)
	}
}

func callsSweep(t *testing.T, s CallStore) {
	rows := plainCalls(4, "tenant")
	for i := range rows {
		rows[i].Attempts = make([]outbound.CallAttempt, 2)
	}
	rows[0].Decision = fullDecision("tenant")
	s.append(t, rows...)
	for _, step := range []struct {
		after time.Duration
		swept int
	}{{-time.Hour, 0}, {2 * time.Microsecond, 2}, {2 * time.Microsecond, 0}} {
		n, err := s.Sweep(t.Context(), storeEpoch.Add(step.after))
		must(t, "sweep", err)
		if n != step.swept {
			t.Errorf("swept %d from before %v, want %d", n, step.after, step.swept)
		}
	}
	same(t, "what is left", s.list(t, "tenant", 10), []outbound.Call{rows[3], rows[2]})
	_, err := s.Decisions.Find(t.Context(), "tenant", rows[0].Decision.ID)
	must(t, "find the decision of a call that is gone", err)
	for i := range rows { // an attempt that had stayed would be one of the new row
		rows[i].Decision, rows[i].Attempts = nil, nil
	}
	s.append(t, rows[:2]...)
	slices.Reverse(rows)
	rows[0].Attempts, rows[1].Attempts = make([]outbound.CallAttempt, 2), make([]outbound.CallAttempt, 2)
	same(t, "what is there", s.list(t, "tenant", 10), rows)
}

// callsSweepLateIDs sweeps rows whose ids were made half an hour after and before them, as by clocks that differ.
func callsSweepLateIDs(t *testing.T, s CallStore) {
	var rows []outbound.Call
	for i, late := range []time.Duration{30 * time.Minute, -30 * time.Minute} {
		ms := fmt.Sprintf("%012x", storeEpoch.Add(late).UnixMilli())
		c := outbound.Call{ID: fmt.Sprintf("%s-%s-7000-8000-%012x", ms[:8], ms[8:], i), CreatedAt: storeEpoch, TenantID: "tenant", Decision: fullDecision("tenant")}
		c.Decision.ID = c.ID
		rows = append(rows, c)
	}
	s.append(t, rows...)
	for what, sweep := range map[string]func(context.Context, time.Time) (int, error){"calls": s.Sweep, "decisions": s.Decisions.Sweep} {
		for _, step := range []struct {
			after time.Duration
			swept int
		}{{0, 0}, {time.Microsecond, 2}} {
			n, err := sweep(t.Context(), storeEpoch.Add(step.after))
			must(t, "sweep", err)
			if n != step.swept {
				t.Errorf("swept %d %s from before %v, want %d", n, what, step.after, step.swept)
			}
		}
	}
}
