package routing

import (
	"slices"
	"time"
)

// DefaultP95Ms is the latency assumed for a target with fewer than MinSamples samples.
const DefaultP95Ms = 1000

// MinSamples is how many answers a target must have given before its p95 counts.
const MinSamples = 5

// DefaultOutputTokens is the answer length assumed until one is learned.
const DefaultOutputTokens = 256

// Request is what Decide must know of a call.
type Request struct {
	Task        TaskType
	Pin         *Target // nil: not pinned
	Alias       *Alias  // nil: no alias; its targets alone are candidates, in its order. Pin and Alias exclude each other
	Draw        uint64  // what chance there is in a weighted alias
	SLOMs       int     // latency objective; 0: none
	InputTokens int     // estimated
	MaxTokens   int     // 0: not given
	Vision      bool
	Tools       bool
	Schema      bool
	Embedding   bool // vectors are wanted, not an answer
}

// Facts is everything Decide knows of the world: an immutable snapshot, kept under its id so that a decision can be re-run.
type Facts struct {
	SnapshotID string
	At         time.Time
	Providers  []ProviderFacts // every known provider, configured or not
}

// ProviderFacts is what is known of one provider.
type ProviderFacts struct {
	Name         string
	Configured   bool
	DefaultModel string
	Price        Price        // of models that nobody knows: what the installation assumes for the provider
	Models       []ModelFacts // the default model first; others that the policy or a pin may name
}

// ModelFacts is what is known of one model at one provider.
type ModelFacts struct {
	Model   string
	Known   bool       // the catalogue has it; ability checks apply to known models alone
	Tasks   []TaskType // task types it serves; empty: all
	Vision  bool
	Tools   bool
	Schema  bool
	Embeds  bool // it makes vectors and answers nothing
	Context int  // tokens; 0: unknown
	Price   Price
	State
}

// State is what changes of a model from one moment to the next.
type State struct {
	OpenUntil time.Time // breaker open; zero: closed
	RestUntil time.Time // rate limited or refused credentials; zero: none
	Refused   bool      // RestUntil is of refused credentials
	Figures   [taskTypes]Figures
}

// Figures is what was measured of a model at one task type.
type Figures struct {
	P95Ms        int
	Samples      int // on how many answers P95Ms stands
	OutputTokens int // learned answer length; 0: not learned
}

// Of gives the figures of a task type.
func (s *State) Of(task TaskType) Figures {
	if i := task.index(); i >= 0 {
		return s.Figures[i]
	}
	return Figures{}
}

// Set puts the figures of a task type in place. An unknown task type changes nothing.
func (s *State) Set(task TaskType, f Figures) {
	if i := task.index(); i >= 0 {
		s.Figures[i] = f
	}
}

// Latency is a p95 over Samples answers.
type Latency struct {
	P95Ms   int
	Samples int
}

// Reading is what a decision read of one target at its moment. Whole is set when the snapshot does not have the model; then Model is all that
// was known of it, else only its State.
type Reading struct {
	Provider string
	Model    ModelFacts
	Whole    bool
}

// Read gives what a decision about these facts read of every target that it speaks of. base is the snapshot that is kept, of the same providers; what
// it holds is not said again. Of a model that both have, only State may differ.
func (f Facts) Read(d Decision, base Facts) []Reading {
	var out []Reading
	add := func(t Target) {
		m := f.find(t)
		if m == nil {
			return
		}
		switch kept := base.find(t); {
		case kept == nil:
			out = append(out, Reading{Provider: t.Provider, Model: *m, Whole: true})
		case kept.State != m.State:
			out = append(out, Reading{Provider: t.Provider, Model: ModelFacts{Model: t.Model, State: m.State}})
		}
	}
	for i := range d.Candidates {
		add(d.Candidates[i].Target)
	}
	for i := range d.Excluded {
		add(d.Excluded[i].Target)
	}
	return out
}

// As gives the facts of a snapshot as they were when a decision read them. The snapshot is not changed.
func (f Facts) As(at time.Time, readings []Reading) Facts {
	out := f
	out.At = at
	out.Providers = slices.Clone(f.Providers)
	for i := range out.Providers {
		p := &out.Providers[i]
		p.Models = slices.Clone(p.Models)
		for _, r := range readings {
			if r.Provider != p.Name {
				continue
			}
			switch m := p.known(r.Model.Model); {
			case m != nil:
				m.State = r.Model.State
			case r.Whole:
				p.Models = append(p.Models, r.Model)
			}
		}
	}
	return out
}

func (f Facts) find(t Target) *ModelFacts {
	for i := range f.Providers {
		if f.Providers[i].Name == t.Provider {
			return f.Providers[i].known(t.Model)
		}
	}
	return nil
}

// known finds a model's facts, nil when there are none.
func (pf *ProviderFacts) known(name string) *ModelFacts {
	for i := range pf.Models {
		if pf.Models[i].Model == name {
			return &pf.Models[i]
		}
	}
	return nil
}
