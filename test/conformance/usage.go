package conformance

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Usage is the suite of outbound.Usage.
func Usage(t *testing.T, new func(t *testing.T) CallStore) {
	tests := map[string]func(t *testing.T, s CallStore){
		"a row is its tenant's alone":              usageIsolation,
		"a list is newest first and goes on":       usageList,
		"each filter leaves what it asks for":      usageFilters,
		"sums are put together by what is asked":   usageGroups,
		"a day is one of UTC":                      usageDays,
		"pages of sums follow each other":          usagePages,
		"a call counts once for each of its tags":  usageTags,
		"sums stop at the greatest number":         usageGreatest,
		"what cannot be asked for is an error":     usageOdd,
		"sums of many calls are those of each one": usageMany,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func (s CallStore) sums(t *testing.T, q outbound.UsageQuery) []outbound.UsageGroup {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	got, err := s.Usage.Summary(t.Context(), "tenant", q)
	must(t, "sum up", err)
	return got
}

func usageIsolation(t *testing.T, s CallStore) {
	mine, theirs := plainCalls(2, "mine"), plainCalls(2, "theirs")
	s.append(t, append(slices.Clone(mine), theirs...)...)
	for tenantID, want := range map[string][]string{
		"mine": {mine[1].ID, mine[0].ID}, "theirs": {theirs[0].ID}, "": nil, "min%": nil, "MINE": nil, "mine\x00": nil, "mine' OR 1=1 --": nil,
	} {
		got, err := s.Usage.Calls(t.Context(), tenantID, outbound.CallFilter{Before: theirs[1].ID, Limit: 10}) // another tenant's id is a place in time, no more
		must(t, "list", err)
		same(t, "the calls of "+tenantID, callIDs(got), want)
		sums, err := s.Usage.Summary(t.Context(), tenantID, outbound.UsageQuery{By: []outbound.UsageDimension{outbound.ByModel}, Limit: 10})
		must(t, "sum up", err)
		if (len(sums) == 0) != (want == nil) || len(sums) == 1 && sums[0].Calls != 2 {
			t.Errorf("the sums of %q are %+v", tenantID, sums)
		}
	}
}

func usageList(t *testing.T, s CallStore) {
	rows := plainCalls(7, "tenant")
	s.append(t, rows[3:]...)
	s.append(t, rows[:3]...)
	var got []string
	before := ""
	for range rows { // pages enough, and an end if the list has none
		page, err := s.Usage.Calls(t.Context(), "tenant", outbound.CallFilter{Before: before, Limit: 3})
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
	same(t, "at most none", callIDs(s.list(t, "tenant", 0)), []string(nil))
}

func usageFilters(t *testing.T, s CallStore) {
	sec := func(n int) time.Time { return storeEpoch.Add(time.Duration(n) * time.Second) }
	rows := plainCalls(5, "tenant")
	for i := range rows {
		c := &rows[i]
		c.CreatedAt, c.Outcome, c.Provider, c.Model, c.TaskType, c.UserID, c.KeyID, c.EndUser = sec(i), "ok", "openai", "m", "general", "ada", "", "carol"
		c.Tags = []string{fmt.Sprint("t", i), "all"}
	}
	rows[1].Outcome, rows[1].Provider, rows[2].Model, rows[2].TaskType, rows[3].UserID, rows[3].KeyID, rows[4].EndUser = "x", "claude", "n", "review", "bob", "k", hostile
	rows[4].Tags = []string{hostile, "\"]"}
	s.append(t, rows...)
	type filter = outbound.UsageFilter
	for name, tc := range map[string]struct {
		filter filter
		want   []int
	}{
		"nothing":                       {filter{}, []int{4, 3, 2, 1, 0}},
		"an outcome":                    {filter{Outcome: "x"}, []int{1}},
		"a provider":                    {filter{Provider: "claude"}, []int{1}},
		"a model":                       {filter{Model: "n"}, []int{2}},
		"a task type":                   {filter{TaskType: "review"}, []int{2}},
		"a member":                      {filter{UserID: "bob"}, []int{3}},
		"a key":                         {filter{KeyID: "k"}, []int{3}},
		"an end user":                   {filter{EndUser: hostile}, []int{4}},
		"a tag":                         {filter{Tag: "t2"}, []int{2}},
		"a tag of many":                 {filter{Tag: "all"}, []int{3, 2, 1, 0}},
		"a tag with odd text":           {filter{Tag: hostile}, []int{4}},
		"part of a tag":                 {filter{Tag: "al"}, nil},
		"what would end a list":         {filter{Tag: "\"]"}, []int{4}},
		"a tag that no row can hold":    {filter{Tag: "all\x00"}, nil},
		"a member whom no row can hold": {filter{UserID: "ada\xff"}, nil},
		"from then on, inclusive":       {filter{From: sec(3)}, []int{4, 3}},
		"until then, exclusive":         {filter{To: sec(2)}, []int{1, 0}},
		"between":                       {filter{From: sec(1), To: sec(3)}, []int{2, 1}},
		"all at once": {
			filter{Outcome: "ok", Provider: "openai", Model: "m", TaskType: "general", UserID: "bob", KeyID: "k", Tag: "all", EndUser: "carol", From: sec(3), To: sec(4)},
			[]int{3},
		},
		"all at once, one of them another": {
			filter{Outcome: "ok", Provider: "openai", Model: "m", TaskType: "general", UserID: "ada", KeyID: "k", Tag: "all", EndUser: "carol", From: sec(3), To: sec(4)},
			nil,
		},
	} {
		got, err := s.Usage.Calls(t.Context(), "tenant", outbound.CallFilter{UsageFilter: tc.filter, Limit: 10})
		must(t, "list", err)
		var want []string
		for _, i := range tc.want {
			want = append(want, rows[i].ID)
		}
		same(t, name, callIDs(got), want)
		calls := int64(0)
		for _, g := range s.sums(t, outbound.UsageQuery{UsageFilter: tc.filter, By: []outbound.UsageDimension{outbound.ByTaskType}}) {
			calls += g.Calls
		}
		if calls != int64(len(want)) {
			t.Errorf("%s: %d calls are summed up, want %d", name, calls, len(want))
		}
	}
}

func usageGroups(t *testing.T, s CallStore) {
	cost := func(n int64) *int64 { return &n }
	rows := plainCalls(4, "tenant")
	for i := range rows {
		c := &rows[i]
		c.Provider, c.Model, c.TaskType, c.UserID, c.KeyID = "openai", "m", "general", "ada", "k"
		c.InputTokens, c.OutputTokens, c.CachedTokens, c.CostNanos = 100+i, 10+i, i, cost(int64(1000*i))
	}
	rows[1].Provider, rows[1].Model, rows[1].KeyID = "Zeta", "z", ""
	rows[2].Provider, rows[2].TaskType, rows[2].UserID, rows[2].CostNanos = "", "review", "bob", nil                         // unpriced
	rows[3].CostNanos, rows[3].InputTokens, rows[3].OutputTokens, rows[3].CachedTokens, rows[3].UserID = nil, 0, 0, 0, "bob" // used nothing
	s.append(t, rows...)
	day := storeEpoch.Format(time.DateOnly)
	group := func(calls, in, out, cached, nanos, unpriced int64, values ...string) outbound.UsageGroup {
		return outbound.UsageGroup{
			Values: values, Calls: calls, InputTokens: in, OutputTokens: out, CachedTokens: cached, CostNanos: nanos, Unpriced: unpriced,
		}
	}
	type by = []outbound.UsageDimension
	for _, tc := range []struct {
		by   by
		want []outbound.UsageGroup
	}{
		{by{outbound.ByDay}, []outbound.UsageGroup{group(4, 303, 33, 3, 1000, 1, day)}},
		{by{outbound.ByProvider}, []outbound.UsageGroup{group(1, 102, 12, 2, 0, 1, ""), group(1, 101, 11, 1, 1000, 0, "Zeta"), group(2, 100, 10, 0, 0, 0, "openai")}},
		{by{outbound.ByModel}, []outbound.UsageGroup{group(3, 202, 22, 2, 0, 1, "m"), group(1, 101, 11, 1, 1000, 0, "z")}},
		{by{outbound.ByTaskType}, []outbound.UsageGroup{group(3, 201, 21, 1, 1000, 0, "general"), group(1, 102, 12, 2, 0, 1, "review")}},
		{by{outbound.ByMember}, []outbound.UsageGroup{group(2, 201, 21, 1, 1000, 0, "ada"), group(2, 102, 12, 2, 0, 1, "bob")}},
		{by{outbound.ByKey}, []outbound.UsageGroup{group(1, 101, 11, 1, 1000, 0, ""), group(3, 202, 22, 2, 0, 1, "k")}},
		{by{outbound.ByTag}, []outbound.UsageGroup{group(4, 303, 33, 3, 1000, 1, "")}},
		{by{outbound.ByMember, outbound.ByTaskType, outbound.ByDay}, []outbound.UsageGroup{
			group(2, 201, 21, 1, 1000, 0, "ada", "general", day), group(1, 0, 0, 0, 0, 0, "bob", "general", day), group(1, 102, 12, 2, 0, 1, "bob", "review", day),
		}},
	} {
		same(t, fmt.Sprint("by ", tc.by), s.sums(t, outbound.UsageQuery{By: tc.by}), tc.want)
	}
}

func usageDays(t *testing.T, s CallStore) {
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rows := plainCalls(4, "tenant")
	for i, at := range []time.Time{
		midnight.Add(-time.Microsecond), midnight, midnight.Add(24*time.Hour - time.Microsecond).In(time.FixedZone("east", 9*3600)), midnight.Add(24 * time.Hour),
	} {
		rows[i].CreatedAt = at
	}
	s.append(t, rows...)
	got := map[string]int64{}
	for _, g := range s.sums(t, outbound.UsageQuery{By: []outbound.UsageDimension{outbound.ByDay}}) {
		got[g.Values[0]] = g.Calls
	}
	same(t, "calls of each day", got, map[string]int64{"2026-02-28": 1, "2026-03-01": 2, "2026-03-02": 1})
}

func usagePages(t *testing.T, s CallStore) {
	rows := plainCalls(30, "tenant")
	for i := range rows {
		rows[i].Provider, rows[i].Model = []string{"", "B", "a", "\u00e9", "'"}[i%5], fmt.Sprint("m", i%4)
	}
	s.append(t, rows...)
	for _, by := range [][]outbound.UsageDimension{{outbound.ByProvider}, {outbound.ByProvider, outbound.ByModel}} {
		want := s.sums(t, outbound.UsageQuery{By: by})
		for _, size := range []int{1, 3, len(want)} {
			var got []outbound.UsageGroup
			q := outbound.UsageQuery{By: by, Limit: size}
			for range len(want) + 1 {
				page := s.sums(t, q)
				if len(page) > size {
					t.Fatalf("a page of %d, want at most %d", len(page), size)
				}
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				q.After = page[len(page)-1].Values
			}
			same(t, fmt.Sprint("all pages of ", size, " by ", by), got, want)
		}
	}
}

func usageTags(t *testing.T, s CallStore) {
	rows := plainCalls(4, "tenant")
	rows[0].Tags = []string{"a", "b"}
	rows[1].Tags = []string{"a", "a"}
	rows[2].Tags = []string{hostile}
	s.append(t, rows...)
	got := map[string]int64{}
	for _, g := range s.sums(t, outbound.UsageQuery{By: []outbound.UsageDimension{outbound.ByTag}}) {
		got[g.Values[0]] = g.Calls
	}
	same(t, "calls of each tag", got, map[string]int64{"": 1, "a": 2, "b": 1, hostile: 1})
}

func usageGreatest(t *testing.T, s CallStore) {
	rows := plainCalls(3, "tenant")
	for i := range rows {
		cost := int64(math.MaxInt64)
		rows[i].CostNanos, rows[i].InputTokens, rows[i].OutputTokens = &cost, math.MaxInt64/3, math.MaxInt64
	}
	rows[0].CostNanos, rows[0].InputTokens = nil, 0 // of an answer alone
	s.append(t, rows...)
	got := s.sums(t, outbound.UsageQuery{By: []outbound.UsageDimension{outbound.ByModel}})
	same(t, "the sums", got, []outbound.UsageGroup{{
		Values: []string{""}, Calls: 3, InputTokens: math.MaxInt64 / 3 * 2, OutputTokens: math.MaxInt64, CostNanos: math.MaxInt64, Unpriced: 1,
	}})
}

func usageOdd(t *testing.T, s CallStore) {
	s.append(t, plainCalls(1, "tenant")...)
	for name, q := range map[string]outbound.UsageQuery{
		"nothing to group by":    {Limit: 1},
		"an unknown dimension":   {By: []outbound.UsageDimension{"c.id"}, Limit: 1},
		"a page of other values": {By: []outbound.UsageDimension{outbound.ByModel}, After: []string{"a", "b"}, Limit: 1},
	} {
		if got, err := s.Usage.Summary(t.Context(), "tenant", q); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
	for name, q := range map[string]outbound.UsageQuery{
		"at most none":                   {By: []outbound.UsageDimension{outbound.ByModel}},
		"a page after what no row holds": {By: []outbound.UsageDimension{outbound.ByModel}, After: []string{"\x00"}, Limit: 1},
	} {
		got, err := s.Usage.Summary(t.Context(), "tenant", q)
		must(t, name, err)
		same(t, name, got, []outbound.UsageGroup(nil))
	}
}

func usageMany(t *testing.T, s CallStore) {
	rows := plainCalls(1500, "tenant")
	var want outbound.UsageGroup
	for i := range rows {
		cost := int64(i) * 7_919
		rows[i].OutputTokens, rows[i].CachedTokens, rows[i].CostNanos = i%97, i%5, &cost
		want.Calls++
		want.InputTokens += int64(rows[i].InputTokens)
		want.OutputTokens += int64(rows[i].OutputTokens)
		want.CachedTokens += int64(rows[i].CachedTokens)
		want.CostNanos += cost
	}
	s.append(t, rows...)
	want.Values = []string{""}
	same(t, "the sums", s.sums(t, outbound.UsageQuery{By: []outbound.UsageDimension{outbound.ByProvider}}), []outbound.UsageGroup{want})
}
