package routing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/routing"
)

func TestFiguresStandByTaskType(t *testing.T) {
	var s routing.State
	for i, task := range routing.TaskTypes() {
		s.Set(task, routing.Figures{P95Ms: i + 1})
	}
	s.Set("poetry", routing.Figures{P95Ms: 100})
	for i, task := range routing.TaskTypes() {
		if got := s.Of(task).P95Ms; got != i+1 {
			t.Errorf("%s: %d, want %d", task, got, i+1)
		}
	}
	if got := s.Of("poetry"); got != (routing.Figures{}) {
		t.Errorf("of no task type: %+v", got)
	}
}

func TestAReadingSaysOnlyWhatItsSnapshotDoesNot(t *testing.T) {
	base, now := world(), world()
	now.At = later
	opened := routing.State{OpenUntil: later.Add(time.Minute)}
	model(&now, "claude").State = opened
	pinned := routing.ModelFacts{Model: "pinned", Price: routing.FlatCents(3), State: opened}
	now.Providers[1].Models = append(now.Providers[1].Models, pinned)
	pin, unheard := to("openai", "pinned"), to("openai", "unheard of")
	tests := map[string]struct {
		pin  *routing.Target
		want []routing.Reading
	}{
		"what has changed": {nil, []routing.Reading{{Provider: "claude", Model: routing.ModelFacts{Model: "claude-model", State: opened}}}},
		"a model that the snapshot lacks": {&pin, []routing.Reading{
			{Provider: "claude", Model: routing.ModelFacts{Model: "claude-model", State: opened}}, {Provider: "openai", Model: pinned, Whole: true},
		}},
		"a model of which nothing was known": {&unheard, []routing.Reading{
			{Provider: "claude", Model: routing.ModelFacts{Model: "claude-model", State: opened}},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := routing.Decide(policy(), routing.Request{Task: routing.General, Pin: tt.pin}, now)
			got := now.Read(d, base)
			byProvider := func(rs []routing.Reading) map[string]routing.Reading {
				m := map[string]routing.Reading{}
				for _, r := range rs {
					m[r.Provider] = r
				}
				return m
			}
			if diff := cmp.Diff(byProvider(tt.want), byProvider(got)); diff != "" || len(got) != len(tt.want) {
				t.Errorf("readings (-want +got):\n%s", diff)
			}
			kept := world()
			again := routing.Decide(policy(), d.Request, base.As(d.At, got))
			if diff := cmp.Diff(d, again); diff != "" {
				t.Errorf("made again (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(kept, base); diff != "" {
				t.Errorf("the snapshot was changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadingsOfWhatIsNotThereAreNothing(t *testing.T) {
	f := world()
	if got := f.Read(routing.Decide(policy(), routing.Request{Task: routing.General}, f), routing.Facts{}); len(got) != len(known) || !got[0].Whole {
		t.Errorf("beside an empty snapshot %+v was read, want every model whole", got)
	}
	got := f.As(later, []routing.Reading{
		{Provider: "stranger", Model: routing.ModelFacts{Model: "m"}, Whole: true}, {Provider: "openai", Model: routing.ModelFacts{Model: "gone"}},
	})
	want := world()
	want.At = later
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
