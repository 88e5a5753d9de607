package anthropic

import (
	"bytes"
	"encoding/json"

	"github.com/forge1/forge1/domain/chat"
)

// maxCachePoints is how many points a request may mark up to which its prompt is kept.
const maxCachePoints = 4

const ttlHour = "1h"

// cachePoint marks a point; nil for none.
func cachePoint(c chat.CacheControl) *cacheControl {
	switch c {
	case "":
		return nil
	case chat.Cache1h:
		return &cacheControl{Type: "ephemeral", TTL: ttlHour}
	default:
		return &cacheControl{Type: "ephemeral"} // five minutes
	}
}

// cache makes the vendor take the points that were marked: four at most, of which the last ones keep most of the prompt, and none for an hour behind
// one for five minutes.
func (e *encoder) cache() {
	type point struct {
		at    **cacheControl
		field string // that it is of, in the caller's request
	}
	var points []point
	fixed := 0 // in what is sent as it came
	collect := func(piece any) {
		switch p := piece.(type) {
		case *block:
			if p.Cache != nil {
				points = append(points, point{&p.Cache, "messages[].cache_control"})
			}
		case *tool:
			if p.Cache != nil {
				points = append(points, point{&p.Cache, "tools[].cache_control"})
			}
		case json.RawMessage:
			fixed += bytes.Count(p, []byte(`"cache_control"`))
		}
	}
	for _, t := range e.out.Tools {
		collect(t)
	}
	for _, s := range e.out.System {
		collect(s)
	}
	for i := range e.out.Messages {
		for _, c := range e.out.Messages[i].Content {
			collect(c)
		}
	}
	for len(points) > max(maxCachePoints-fixed, 0) {
		e.drops.Add(points[0].field)
		*points[0].at, points = nil, points[1:]
	}
	short := false
	for _, p := range points {
		if short && (*p.at).TTL == ttlHour {
			(*p.at).TTL = ""
			e.drops.Add(p.field)
		}
		short = short || (*p.at).TTL == ""
	}
}
