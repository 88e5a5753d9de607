package decisions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// shelf holds decisions and sheets, as a store or as what a node remembers.
type shelf struct {
	outbound.Decisions
	decisions []outbound.Decision
	sheets    map[string]outbound.Sheet
	away      error
}

func (s *shelf) Find(_ context.Context, tenantID, id string) (outbound.Decision, error) {
	if s.away != nil {
		return outbound.Decision{}, s.away
	}
	if d, ok := s.Recent(tenantID, id); ok {
		return d, nil
	}
	return outbound.Decision{}, fault.ErrNotFound
}

func (s *shelf) List(_ context.Context, tenantID string, f outbound.DecisionFilter) ([]outbound.Decision, error) {
	if s.away != nil {
		return nil, s.away
	}
	var out []outbound.Decision
	for _, d := range s.RecentOf(tenantID) {
		if (f.Before == "" || d.ID < f.Before) && (f.Outcome == "" || f.Outcome == d.Outcome) && (f.Provider == "" || f.Provider == d.Provider) &&
			(f.Model == "" || f.Model == d.Model) && (f.TaskType == "" || f.TaskType == d.TaskType) &&
			(f.From.IsZero() || !d.CreatedAt.Before(f.From)) && (f.To.IsZero() || d.CreatedAt.Before(f.To)) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b outbound.Decision) int { return strings.Compare(b.ID, a.ID) })
	return out[:min(f.Limit, len(out))], nil
}

func (s *shelf) Sheet(_ context.Context, id string) (outbound.Sheet, error) {
	if s.away != nil {
		return outbound.Sheet{}, s.away
	}
	if sheet, ok := s.RecentSheet(id); ok {
		return sheet, nil
	}
	return outbound.Sheet{}, fault.ErrNotFound
}

func (s *shelf) Recent(tenantID, id string) (outbound.Decision, bool) {
	for _, d := range s.decisions {
		if d.TenantID == tenantID && d.ID == id {
			return d, true
		}
	}
	return outbound.Decision{}, false
}

func (s *shelf) RecentOf(tenantID string) []outbound.Decision {
	return slices.DeleteFunc(slices.Clone(s.decisions), func(d outbound.Decision) bool { return d.TenantID != tenantID })
}

func (s *shelf) RecentSheet(id string) (outbound.Sheet, bool) {
	sheet, ok := s.sheets[id]
	return sheet, ok
}

// house is the service over a store and what the node remembers.
type house struct {
	*decisions.Service
	recent, store *shelf
}

func newHouse() *house {
	h := &house{recent: &shelf{sheets: map[string]outbound.Sheet{}}, store: &shelf{sheets: map[string]outbound.Sheet{}}}
	h.Service = decisions.New(decisions.Deps{Decisions: h.store, Recent: h.recent})
	return h
}

var mine = inbound.Caller{TenantID: "mine"}

// made is a decision as a call leaves it, with its sheets. What it is made of changed since the snapshot that is kept.
func made(p *routing.Policy, r routing.Request, base, f routing.Facts) (outbound.Decision, routing.Decision, []outbound.Sheet) {
	d := routing.Decide(p, r, f)
	d.ID = "0198c2f5-7d00-7000-8000-00000000000a"
	id, body := decisions.EncodePolicy(p)
	kept := outbound.Decision{
		ID: d.ID, TenantID: "mine", CreatedAt: d.At.Truncate(time.Microsecond), PolicyID: id, SnapshotID: d.SnapshotID,
		Shown:  decisions.AppendShown(nil, d, []outbound.CallAttempt{{Provider: "openai", Model: "a", Outcome: "ok", LatencyMs: 12}}, "ok"),
		Inputs: decisions.EncodeInputs(r, f.Read(d, base)),
	}
	return kept, d, []outbound.Sheet{{ID: id, Body: body}, {ID: base.SnapshotID, Body: decisions.EncodeFacts(base)}}
}

var moments = rapid.Custom(func(t *rapid.T) time.Time {
	return rapid.SampledFrom([]time.Time{{}, {}, {}, time.Unix(1_760_000_000, 1), time.Unix(1_760_000_000, 123_456_788), time.Unix(1_760_000_060, 5)}).Draw(t, "moment")
})

func stir(t *rapid.T, m *routing.ModelFacts) {
	m.OpenUntil, m.RestUntil, m.Refused = moments.Draw(t, "open"), moments.Draw(t, "rest"), rapid.Bool().Draw(t, "refused")
	for _, task := range routing.TaskTypes() {
		m.Set(task, routing.Figures{
			P95Ms: rapid.IntRange(0, 3000).Draw(t, "p95"), Samples: rapid.IntRange(0, 9).Draw(t, "samples"), OutputTokens: rapid.IntRange(0, 900).Draw(t, "tokens"),
		})
	}
}

// worlds are the facts of a moment and the snapshot that is kept of them, which is older and may lack models.
func worlds(t *rapid.T) (base, now routing.Facts) {
	now = routing.Facts{SnapshotID: "snapshot", At: time.Unix(1_760_000_000, 123_456_789)}
	base = routing.Facts{SnapshotID: "snapshot", At: now.At.Add(-time.Second)}
	for _, name := range known {
		p := routing.ProviderFacts{
			Name: name, Configured: rapid.IntRange(0, 4).Draw(t, "configured") > 0, DefaultModel: "default", Price: routing.FlatCents(9),
		}
		q := p
		for _, model := range []string{"default", "a", "b"} {
			m := routing.ModelFacts{
				Model: model, Known: rapid.Bool().Draw(t, "known"), Embeds: rapid.Bool().Draw(t, "embeds"), Vision: rapid.Bool().Draw(t, "vision"), Tools: rapid.Bool().Draw(t, "tools"),
				Schema: rapid.Bool().Draw(t, "schema"), Context: rapid.SampledFrom([]int{0, 1000, 100_000}).Draw(t, "context"),
				Price: routing.FlatCents(rapid.Float64Range(0, 50).Draw(t, "cents")),
			}
			stir(t, &m)
			if model != "default" && rapid.Bool().Draw(t, "absent") {
				continue
			}
			p.Models = append(p.Models, m)
			if rapid.Bool().Draw(t, "in the snapshot") {
				if rapid.Bool().Draw(t, "changed") {
					stir(t, &m)
				}
				q.Models = append(q.Models, m)
			}
		}
		now.Providers, base.Providers = append(now.Providers, p), append(base.Providers, q)
	}
	return base, now
}

func asked(t *rapid.T) routing.Request {
	target := func() routing.Target {
		return routing.Target{Provider: rapid.SampledFrom(known).Draw(t, "provider"), Model: models.Draw(t, "model")}
	}
	r := routing.Request{
		Task: rapid.SampledFrom(routing.TaskTypes()).Draw(t, "task"), SLOMs: rapid.SampledFrom([]int{0, 500, 2000}).Draw(t, "slo"),
		InputTokens: rapid.IntRange(0, 2000).Draw(t, "input"), MaxTokens: rapid.SampledFrom([]int{0, 100, 2000}).Draw(t, "max"),
		Embedding: rapid.Bool().Draw(t, "embedding"), Vision: rapid.Bool().Draw(t, "vision"), Tools: rapid.Bool().Draw(t, "tools"), Schema: rapid.Bool().Draw(t, "schema"),
	}
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 1:
		pin := target()
		r.Pin = &pin
	case 2:
		r.Draw = rapid.Uint64().Draw(t, "draw")
		r.Alias = &routing.Alias{Name: "fast", Mode: rapid.SampledFrom([]routing.AliasMode{routing.Ordered, routing.Weighted}).Draw(t, "mode")}
		for range rapid.IntRange(1, 4).Draw(t, "targets") {
			x := routing.AliasTarget{Target: target(), Weight: rapid.Float64Range(0, 5).Draw(t, "weight")}
			if !slices.ContainsFunc(r.Alias.Targets, func(y routing.AliasTarget) bool { return y.Target == x.Target }) {
				r.Alias.Targets = append(r.Alias.Targets, x)
			}
		}
	}
	return r
}

func TestADecisionMadeAgainIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHouse()
		base, now := worlds(t)
		p, r := policies.Draw(t, "policy"), asked(t)
		kept, want, sheets := made(p, r, base, now)
		where := rapid.SampledFrom([]*shelf{h.recent, h.store})
		at := where.Draw(t, "decision")
		at.decisions = append(at.decisions, kept)
		for _, s := range sheets {
			where.Draw(t, "sheet").sheets[s.ID] = s
		}
		got, err := h.Replay(t.Context(), mine, kept.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Decision, cmpopts.EquateEmpty()); diff != "" || !got.Same {
			t.Errorf("same: %v, decision (-want +got):\n%s", got.Same, diff)
		}
		shown, err := h.Find(t.Context(), mine, kept.ID)
		if err != nil {
			t.Fatal(err)
		}
		want.Request = routing.Request{}
		if diff := cmp.Diff(want, shown.Decision, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		if len(shown.Attempts) != 1 || shown.Attempts[0].Latency != 12*time.Millisecond || shown.Outcome != "ok" {
			t.Errorf("got attempts %v and outcome %q", shown.Attempts, shown.Outcome)
		}
	})
}

func TestAReplaySaysWhenItComesToSomethingElse(t *testing.T) {
	for what, change := range map[string][2]string{
		"a score":         {`"score":`, `"score":9`},
		"a rank":          {`"rank":1`, `"rank":2`},
		"the alias":       {`"alias":"fast"`, `"alias":"slow"`},
		"a reason":        {`"reason":"not_pinned"`, `"reason":"policy"`},
		"an end":          {`"until":"2`, `"until":"3`},
		"the policy":      {`"policy_version":1`, `"policy_version":2`},
		"one that is not": {`"excluded":[`, `"excluded":[{"provider":"openai","model":"z","reason":"policy"},`},
		"nothing":         {`"outcome":"ok"`, `"outcome":"provider_error"`},
	} {
		t.Run(what, func(t *testing.T) {
			h := newHouse()
			f := facts()
			f.Providers[1].Models[0].OpenUntil = f.At.Add(time.Minute)
			var targets []routing.AliasTarget
			for _, p := range f.Providers[:3] {
				targets = append(targets, routing.AliasTarget{Target: routing.Target{Provider: p.Name, Model: p.DefaultModel}})
			}
			r := routing.Request{Task: routing.General, Alias: &routing.Alias{Name: "fast", Mode: routing.Ordered, Targets: targets}}
			kept, _, sheets := made(routing.NewPolicy("mine", routing.Defaults{Order: known}), r, f, f)
			changed := strings.Replace(string(kept.Shown), change[0], change[1], 1)
			if changed == string(kept.Shown) {
				t.Fatalf("nothing was changed: %s", changed)
			}
			kept.Shown = []byte(changed)
			h.store.decisions = append(h.store.decisions, kept)
			for _, s := range sheets {
				h.store.sheets[s.ID] = s
			}
			got, err := h.Replay(t.Context(), mine, kept.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Same != (what == "nothing") {
				t.Errorf("same: got %v", got.Same)
			}
		})
	}
}

func TestWhatIsNotThereCannotBeRead(t *testing.T) {
	kept, _, sheets := made(routing.NewPolicy("mine", routing.Defaults{Order: known}), routing.Request{Task: routing.General}, facts(), facts())
	full := func() *house {
		h := newHouse()
		h.store.decisions = append(h.store.decisions, kept)
		for _, s := range sheets {
			h.store.sheets[s.ID] = s
		}
		return h
	}
	both := func(h *house, c inbound.Caller, id string) (find, replay error) {
		_, find = h.Find(t.Context(), c, id)
		_, replay = h.Replay(t.Context(), c, id)
		return find, replay
	}
	for what, c := range map[string]struct {
		caller inbound.Caller
		id     string
		change func(h *house)
		find   error
		replay error
	}{
		"all there":                {caller: mine, id: kept.ID},
		"another's":                {caller: inbound.Caller{TenantID: "theirs"}, id: kept.ID, find: fault.ErrNotFound, replay: fault.ErrNotFound},
		"another's, just made":     {caller: inbound.Caller{TenantID: "theirs"}, id: kept.ID, change: (*house).fresh, find: fault.ErrNotFound, replay: fault.ErrNotFound},
		"nobody's":                 {caller: mine, id: "x", find: fault.ErrNotFound, replay: fault.ErrNotFound},
		"of which the policy went": {caller: mine, id: kept.ID, change: func(h *house) { delete(h.store.sheets, sheets[0].ID) }, replay: decisions.ErrFactsGone},
		"of which the facts went":  {caller: mine, id: kept.ID, change: func(h *house) { delete(h.store.sheets, sheets[1].ID) }, replay: decisions.ErrFactsGone},
		"from before sheets": {caller: mine, id: kept.ID, change: func(h *house) {
			h.store.decisions[0].PolicyID, h.store.decisions[0].Inputs = "", nil
		}, replay: decisions.ErrFactsGone},
		"from another version": {caller: mine, id: kept.ID, change: func(h *house) {
			h.store.sheets[sheets[1].ID] = outbound.Sheet{Body: []byte(`{"v":2}`)}
		}, replay: decisions.ErrFactsGone},
		"with the store away": {caller: mine, id: kept.ID, change: func(h *house) { h.store.away = fault.ErrDependency }, find: fault.ErrDependency, replay: fault.ErrDependency},
	} {
		t.Run(what, func(t *testing.T) {
			h := full()
			if c.change != nil {
				c.change(h)
			}
			find, replay := both(h, c.caller, c.id)
			if !errors.Is(find, c.find) || !errors.Is(replay, c.replay) || errors.Is(replay, decisions.ErrFactsGone) != (c.replay == decisions.ErrFactsGone) {
				t.Errorf("find: %v, want %v; replay: %v, want %v", find, c.find, replay, c.replay)
			}
		})
	}
}

// fresh makes everything recent and nothing stored.
func (h *house) fresh() { *h.recent, *h.store = *h.store, *h.recent }

func TestAListHoldsWhatIsRecentAndWhatIsStored(t *testing.T) {
	noon := time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)
	one := func(n int, outcome string) outbound.Decision {
		d := routing.Decision{ID: fmt.Sprintf("%02d", n), At: noon.Add(time.Duration(n) * time.Minute), Task: routing.General}
		shown := decisions.AppendShown(nil, d, nil, outcome)
		return outbound.Decision{
			ID: d.ID, TenantID: "mine", CreatedAt: d.At, TaskType: "general", Provider: "openai", Model: "a", Outcome: outcome, Shown: shown,
		}
	}
	h := newHouse()
	theirs := one(9, "ok")
	theirs.TenantID = "theirs"
	h.store.decisions = []outbound.Decision{one(1, "ok"), one(3, "ok"), one(4, "provider_error")}
	h.recent.decisions = []outbound.Decision{one(5, ""), one(2, "ok"), one(4, "provider_error"), theirs, one(6, "ok")}
	for what, c := range map[string]struct {
		q    inbound.DecisionQuery
		want string
	}{
		"all, once each":       {inbound.DecisionQuery{Limit: 10}, "06 05 04 03 02 01"},
		"a page":               {inbound.DecisionQuery{Limit: 3}, "06 05 04"},
		"the next page":        {inbound.DecisionQuery{Limit: 3, Before: "04"}, "03 02 01"},
		"no room":              {inbound.DecisionQuery{}, ""},
		"of an outcome":        {inbound.DecisionQuery{Limit: 10, Outcome: "ok"}, "06 03 02 01"},
		"of a provider":        {inbound.DecisionQuery{Limit: 10, Provider: "claude"}, ""},
		"of a model":           {inbound.DecisionQuery{Limit: 10, Model: "b"}, ""},
		"of a task type":       {inbound.DecisionQuery{Limit: 10, TaskType: "review"}, ""},
		"from a time":          {inbound.DecisionQuery{Limit: 10, From: noon.Add(5 * time.Minute)}, "06 05"},
		"to a time":            {inbound.DecisionQuery{Limit: 10, To: noon.Add(2 * time.Minute)}, "01"},
		"of everything at all": {inbound.DecisionQuery{Limit: 10, Outcome: "ok", Provider: "openai", Model: "a", TaskType: "general"}, "06 03 02 01"},
	} {
		records, err := h.List(t.Context(), mine, c.q)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var ids []string
		for _, r := range records {
			ids = append(ids, r.Decision.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
	h.store.away = fault.ErrDependency
	if _, err := h.List(t.Context(), mine, inbound.DecisionQuery{Limit: 1}); !errors.Is(err, fault.ErrDependency) {
		t.Errorf("with the store away: got %v, want %v", err, fault.ErrDependency)
	}
}
