package bedrock

import "github.com/forge1/forge1/domain/chat"

// maxCachePoints is how many points a request may mark up to which its prompt is kept.
const maxCachePoints = 4

const (
	fieldCache = "messages[].cache_control"
	ttlHour    = "1h"
)

// newPoint gives a point up to which the prompt is to be kept; nil for none.
func (e *encoder) newPoint(c chat.CacheControl) *cachePoint {
	switch {
	case c == "":
		return nil
	case !e.model.takesCachePoints():
		e.drops.Add(fieldCache)
		return nil
	case c == chat.Cache1h && (e.model.claudeSince(v4_5) || e.model.is(other)):
		return &cachePoint{Type: "default", TTL: ttlHour}
	case c == chat.Cache1h:
		e.drops.Add(fieldCache) // this model keeps for five minutes
	}
	return &cachePoint{Type: "default"}
}

// point puts a point behind blocks. It is a block of its own, which keeps nothing where nothing is before it.
func (e *encoder) point(blocks []block, c chat.CacheControl) []block {
	p := e.newPoint(c)
	switch {
	case p == nil:
	case len(blocks) == 0:
		e.drops.Add(fieldCache)
	default:
		blocks = append(blocks, block{CachePoint: p})
	}
	return blocks
}

// cache makes the API take the points that were marked: four at most, of which the last ones keep most of the prompt, and none for an hour behind one for
// five minutes.
func (e *encoder) cache() {
	points := 0
	each := e.eachPoint
	each(func(*cachePoint) bool { points++; return true })
	short := false
	each(func(p *cachePoint) bool {
		if points > maxCachePoints {
			points--
			e.drops.Add(fieldCache)
			return false
		}
		if short && p.TTL == ttlHour {
			p.TTL = ""
			e.drops.Add(fieldCache)
		}
		short = short || p.TTL == ""
		return true
	})
}

// eachPoint goes over the points in the order of the prompt, and takes out those that are not kept.
func (e *encoder) eachPoint(keep func(*cachePoint) bool) {
	if t := e.out.Tools; t != nil {
		kept := t.Tools[:0]
		for _, one := range t.Tools {
			if one.CachePoint == nil || keep(one.CachePoint) {
				kept = append(kept, one)
			}
		}
		t.Tools = kept
	}
	of := func(blocks []block) []block {
		kept := blocks[:0]
		for _, b := range blocks {
			if b.CachePoint == nil || keep(b.CachePoint) {
				kept = append(kept, b)
			}
		}
		return kept
	}
	e.out.System = of(e.out.System)
	for i := range e.out.Messages {
		e.out.Messages[i].Content = of(e.out.Messages[i].Content)
	}
}
