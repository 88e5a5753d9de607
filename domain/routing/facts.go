package routing

import "time"

// DefaultP95Ms is the latency assumed for a target with fewer than MinSamples samples.
const DefaultP95Ms = 1000

// MinSamples is how many answers a target must have given before its p95 counts.
const MinSamples = 5

// DefaultOutputTokens is the answer length assumed until one is learned.
const DefaultOutputTokens = 256

// Request is what Decide must know of a call.
type Request struct {
	Task        TaskType
	Pin         *Target // nil: routed
	SLOMs       int     // latency objective; 0: none
	InputTokens int     // estimated
	MaxTokens   int     // 0: not given
	Vision      bool
	Tools       bool
	Schema      bool
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
	Models       []ModelFacts // the default model first; others that the policy or a pin may name
}

// ModelFacts is what is known of one model at one provider.
type ModelFacts struct {
	Model        string
	Known        bool       // the catalogue has it; ability checks apply to known models alone
	Tasks        []TaskType // task types it serves; empty: all
	Vision       bool
	Tools        bool
	Schema       bool
	Context      int // tokens; 0: unknown
	Price        Price
	P95Ms        map[TaskType]Latency
	OutputTokens map[TaskType]int // learned answer length; absent: DefaultOutputTokens
	OpenUntil    time.Time        // breaker open; zero: closed
	RestUntil    time.Time        // rate limited or refused credentials; zero: none
}

// Latency is a p95 over Samples answers.
type Latency struct {
	P95Ms   int
	Samples int
}
