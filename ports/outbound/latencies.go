package outbound

import (
	"time"

	"github.com/forge1/forge1/domain/routing"
)

// Latencies keeps whole-answer latencies over a sliding window, per task type and target. Implementations pass conformance.Latencies.
type Latencies interface {
	// Observe adds the latency of one complete answer and its length in tokens; 0 tokens: unknown.
	Observe(task routing.TaskType, t routing.Target, took time.Duration, outputTokens int)
	// P95 gives the 95th percentile in the window and on how many samples it stands, and the mean answer length in tokens (0: unknown).
	P95(task routing.TaskType, t routing.Target) (latency routing.Latency, outputTokens int)
}
