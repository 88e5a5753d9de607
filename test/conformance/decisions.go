package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Decisions is the suite of outbound.Decisions.
func Decisions(t *testing.T, new func(t *testing.T) CallStore) {
	tests := map[string]func(t *testing.T, s CallStore){
		"a decision is its tenant's alone":                       decisionsIsolation,
		"a list is newest first and goes on":                     decisionsList,
		"each filter leaves what it asks for":                    decisionsFilters,
		"a sheet that is not there is not found":                 decisionsNoSheet,
		"sweeping takes decisions, and sheets that they outlive": decisionsSweep,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// decide keeps calls with decisions of a tenant, which change makes different, and gives the decisions, oldest first.
func (s CallStore) decide(t *testing.T, n int, tenantID string, change func(i int, d *outbound.Decision)) []outbound.Decision {
	t.Helper()
	calls, out := plainCalls(n, tenantID), make([]outbound.Decision, n)
	for i := range calls {
		calls[i].Decision = fullDecision(tenantID)
		if change != nil {
			change(i, calls[i].Decision)
		}
		out[i] = *calls[i].Decision
	}
	s.append(t, calls...)
	return out
}

func decisionsIsolation(t *testing.T, s CallStore) {
	mine, theirs := s.decide(t, 2, "mine", nil), s.decide(t, 2, "theirs", nil)
	for what, tc := range map[string]struct{ tenantID, id string }{
		"theirs":         {"mine", theirs[0].ID},
		"nobody's":       {"mine", nextID()},
		"without tenant": {"", mine[0].ID},
		"a pattern":      {"min%", mine[0].ID},
		"a NUL":          {"mine", mine[0].ID + "\x00"},
	} {
		_, err := s.Decisions.Find(t.Context(), tc.tenantID, tc.id)
		wantErr(t, what, err, fault.ErrNotFound)
	}
	// Another tenant's id is a place in time, no more.
	for tenantID, want := range map[string][]outbound.Decision{"mine": {mine[1], mine[0]}, "mine\x00": nil, "": nil, "MINE": nil} {
		got, err := s.Decisions.List(t.Context(), tenantID, outbound.DecisionFilter{Before: theirs[1].ID, Limit: 10})
		must(t, "list", err)
		same(t, "the decisions of "+tenantID, got, want)
	}
}

func decisionsList(t *testing.T, s CallStore) {
	want := s.decide(t, 7, "tenant", nil)
	slices.Reverse(want)
	var got []outbound.Decision
	before := ""
	for range want {
		page, err := s.Decisions.List(t.Context(), "tenant", outbound.DecisionFilter{Before: before, Limit: 3})
		must(t, "list", err)
		if len(page) == 0 {
			break
		}
		if len(page) > 3 {
			t.Fatalf("a page of %d, want at most 3", len(page))
		}
		got = append(got, page...)
		before = page[len(page)-1].ID
	}
	same(t, "all pages", got, want)
	nothing, err := s.Decisions.List(t.Context(), "tenant", outbound.DecisionFilter{})
	must(t, "list none", err)
	same(t, "at most none", nothing, []outbound.Decision(nil))
}

func decisionsFilters(t *testing.T, s CallStore) {
	sec := func(n int) time.Time { return storeEpoch.Add(time.Duration(n) * time.Second) }
	all := s.decide(t, 4, "tenant", func(i int, d *outbound.Decision) {
		d.CreatedAt = sec(i)
		switch i {
		case 1:
			d.TaskType, d.Provider = "review", "claude"
		case 2:
			d.Model, d.Outcome = "other", "provider_error"
		}
	})
	for name, tc := range map[string]struct {
		filter outbound.DecisionFilter
		want   []int
	}{
		"nothing":              {outbound.DecisionFilter{}, []int{3, 2, 1, 0}},
		"a task type":          {outbound.DecisionFilter{TaskType: "review"}, []int{1}},
		"a provider":           {outbound.DecisionFilter{Provider: "openai"}, []int{3, 2, 0}},
		"a model":              {outbound.DecisionFilter{Model: "other"}, []int{2}},
		"an outcome":           {outbound.DecisionFilter{Outcome: "ok"}, []int{3, 1, 0}},
		"from then on":         {outbound.DecisionFilter{From: sec(2)}, []int{3, 2}},
		"until then":           {outbound.DecisionFilter{To: sec(2)}, []int{1, 0}},
		"all at once":          {outbound.DecisionFilter{TaskType: "general", Provider: "openai", Model: "m", Outcome: "ok", From: sec(1), To: sec(4)}, []int{3}},
		"what contradicts":     {outbound.DecisionFilter{TaskType: "review", Provider: "openai"}, nil},
		"a pattern":            {outbound.DecisionFilter{Outcome: "%"}, nil},
		"what no row can hold": {outbound.DecisionFilter{Outcome: "ok\x00"}, nil},
	} {
		tc.filter.Limit = 10
		got, err := s.Decisions.List(t.Context(), "tenant", tc.filter)
		must(t, "list", err)
		var want []outbound.Decision
		for _, i := range tc.want {
			want = append(want, all[i])
		}
		same(t, name, got, want)
	}
}

func decisionsNoSheet(t *testing.T, s CallStore) {
	for _, id := range []string{"", "x", "x\x00"} {
		_, err := s.Decisions.Sheet(t.Context(), id)
		wantErr(t, "sheet", err, fault.ErrNotFound)
	}
}

func decisionsSweep(t *testing.T, s CallStore) {
	all := s.decide(t, 3, "tenant", func(i int, d *outbound.Decision) { d.CreatedAt = storeEpoch.Add(time.Duration(i) * time.Hour) })
	must(t, "append", s.Append(t.Context(), outbound.Batch{Sheets: []outbound.Sheet{
		{ID: "old", CreatedAt: storeEpoch.Add(time.Hour - outbound.SheetMargin - time.Microsecond)}, {ID: "referred to", CreatedAt: storeEpoch.Add(time.Hour - outbound.SheetMargin)},
	}}))
	for _, want := range []int{2, 0} { // a decision and a sheet
		n, err := s.Decisions.Sweep(t.Context(), storeEpoch.Add(time.Hour))
		must(t, "sweep", err)
		if n != want {
			t.Errorf("swept %d, want %d", n, want)
		}
	}
	got, err := s.Decisions.List(t.Context(), "tenant", outbound.DecisionFilter{Limit: 10})
	must(t, "list", err)
	same(t, "what is left", got, []outbound.Decision{all[2], all[1]})
	_, err = s.Decisions.Sheet(t.Context(), "old")
	wantErr(t, "a sheet that nothing refers to", err, fault.ErrNotFound)
	_, err = s.Decisions.Sheet(t.Context(), "referred to")
	must(t, "a sheet that is referred to", err)
	if n := len(s.list(t, "tenant", 10)); n != 3 {
		t.Errorf("%d calls are left, want all 3", n)
	}
}
