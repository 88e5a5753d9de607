package gateway

import (
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// gathering puts together what can be kept of a stream while it passes.
type gathering struct {
	add   func(inbound.Piece)
	entry func(inbound.Receipt, time.Time) *entry // nil: it cannot be had by others
}

// maxGathered bounds, in bytes, a stream that others may have whole.
const maxGathered = 4 << 20

// gather reads along with a stream: its chunks, or its frames by the relay that they come through.
func (v *visit) gather(a inbound.StreamAnswer) gathering {
	size := 0
	if !a.Relayed {
		var g chat.Gatherer
		return gathering{
			add: func(p inbound.Piece) {
				if size += weight(p); size <= maxGathered {
					g.Add(p.Chunk)
				}
			},
			entry: func(r inbound.Receipt, now time.Time) *entry {
				if size > maxGathered {
					return nil
				}
				return &entry{facts: r, created: now, response: g.Response()}
			},
		}
	}
	relay := v.relayOf(a.Head.Provider)
	if relay == nil {
		return gathering{add: func(inbound.Piece) {}, entry: func(inbound.Receipt, time.Time) *entry { return nil }}
	}
	return gatherFrames(relay)
}

// gatherFrames keeps the frames themselves too, as long as they are not too many, for an answer that the neutral form cannot hold.
func gatherFrames(relay outbound.Relay) gathering {
	size := 0
	var frames []frame
	add, read := relay.Gather()
	return gathering{
		add: func(p inbound.Piece) {
			if p.Comment {
				return
			}
			if size += weight(p); size <= maxGathered {
				add(p.Raw)
			}
			if size <= maxEntry {
				frames = append(frames, frame{raw: append([]byte(nil), p.Raw...), usage: p.UsageOnly})
			} else {
				frames = nil
			}
		},
		entry: func(r inbound.Receipt, now time.Time) *entry {
			got := read()
			e := &entry{facts: r, created: now, cut: !got.Complete}
			switch {
			case got.Response != nil && size <= maxGathered:
				e.response = got.Response
			case frames != nil:
				e.frames = frames
			default:
				return nil
			}
			return e
		},
	}
}
