package outbound

import (
	"time"

	"github.com/forge1/forge1/domain/routing"
)

// Latencies keeps whole-answer latencies over a sliding window, per task type and target, and the younger a sample is the more it weighs. It may
// share them with a fleet: then its figures are those of all replicas together, as far as they are known here. Implementations pass
// conformance.Latencies.
type Latencies interface {
	// Observe adds the latency of one complete answer and its length in tokens; 0 tokens: unknown. It waits for nothing.
	Observe(task routing.TaskType, t routing.Target, took time.Duration, outputTokens int)
	// P95 gives the 95th percentile in the window, of weighted samples, and how many samples it stands on, each counted as one; and the weighted
	// mean answer length in tokens (0: unknown). It waits for nothing.
	P95(task routing.TaskType, t routing.Target) (latency routing.Latency, outputTokens int)
	// OnChange registers a function that is told when what other replicas measured has changed figures; of this replica's own answers it is not
	// told. It must not block. Register before first use.
	OnChange(func())
}
