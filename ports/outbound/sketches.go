package outbound

import (
	"context"
	"time"
)

// MaxSketchBytes bounds what one replica publishes of one part of the window.
const MaxSketchBytes = 1 << 20

// SharedSketch is what a replica measured in one part of the sliding window.
type SharedSketch struct {
	Replica string
	Part    int64 // number of the part: time since 1970, in parts
	Body    []byte
}

// Sketches passes what replicas measured from one to another. Nobody waits for it, and what it gives is not to be trusted: another version may have
// written it. Implementations pass conformance.Sketches.
type Sketches interface {
	// Publish keeps what a replica measured in a part, in the place of what it published of that part before, for as long as ttl. It fails with
	// fault.ErrValidation when the body is larger than MaxSketchBytes.
	Publish(ctx context.Context, s SharedSketch, ttl time.Duration) error
	// Others gives what other replicas published of those parts and is still kept, in no order; for the replica "", what all did. Of more than
	// any fleet publishes it gives a part.
	Others(ctx context.Context, replica string, parts []int64) ([]SharedSketch, error)
}
