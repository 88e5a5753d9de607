package outbound

import (
	"context"
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

// Sketch is what one replica measured of a target at a task type in one part of the window.
type Sketch struct {
	Replica string
	// Part numbers the parts of all time since 1970 by the clock of the replica.
	Part   int64
	Task   routing.TaskType
	Target routing.Target
	// Body is for Latencies alone to read. Who reads it must stand any bytes.
	Body []byte
}

// Bounds of Sketches.
const (
	// MaxSketchBody is how many bytes a body may have.
	MaxSketchBody = 8 << 10
	// MaxSketches is of how many pairs of task type and target the sketches of one replica and part are kept.
	MaxSketches = 500
)

// Sketches is where the replicas of a fleet lay out their latencies for each other. Everything is forgotten a window and a little after it was
// published last; the store may lose everything at any time, and keeps a bounded number of bytes. Implementations pass conformance.Sketches.
type Sketches interface {
	// Publish lays sketches out under the replica's name, each in the place of the one that it published before for the same part, task type and
	// target; their own Replica is not looked at. What is too large or one too many is left out. known is false when nothing of the replica was
	// there any more, so that it may publish its whole window again.
	Publish(ctx context.Context, replica string, sketches []Sketch) (known bool, err error)
	// Others gives what the other replicas published since a mark, and the mark to ask from next time; 0 is the beginning. Something that was not
	// published since may be among it.
	Others(ctx context.Context, replica string, since int64) (sketches []Sketch, mark int64, err error)
}
