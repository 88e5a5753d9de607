package rest

import (
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/ports/inbound"
)

// caching is what a request says about the prompt cache.
type caching struct {
	mode   inbound.CacheMode
	maxAge time.Duration // as in inbound.Call
	only   bool
}

// oldest bounds max-age, so that it can be counted in nanoseconds; nothing is cached for so long.
const oldest = 1 << 31

// caching reads X-Forge-Cache and Cache-Control (RFC 9111, 5.2.1): no-store keeps the cache out, no-cache and max-age=0 take nothing from it, max-age
// bounds how old an answer may be, and only-if-cached asks for nothing else. Other directives, and those that cannot be read, are no mistakes;
// a max-age that is no number is taken for 0.
func (x *exchange) caching() (c caching, err error) {
	h := &x.fc.Request.Header
	switch string(h.Peek("X-Forge-Cache")) {
	case "":
	case "on":
		c.mode = inbound.CacheOn
	case "off":
		c.mode = inbound.CacheOff
	default:
		return c, headerFault("X-Forge-Cache", "must be on or off")
	}
	for _, line := range h.PeekAll("Cache-Control") {
		for directive := range strings.SplitSeq(string(line), ",") {
			c.direct(directive)
		}
	}
	return c, nil
}

func (c *caching) direct(directive string) {
	name, value, _ := strings.Cut(directive, "=")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "no-store":
		c.mode = inbound.CacheOff
	case "no-cache":
		c.maxAge = -1
	case "only-if-cached":
		c.only = true
	case "max-age":
		seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 63)
		age := time.Duration(min(seconds, oldest)) * time.Second
		switch {
		case err != nil || seconds == 0:
			c.maxAge = -1
		case c.maxAge == 0 || age < c.maxAge:
			c.maxAge = age
		}
	}
}

// writeAge says how old a cached answer is, in seconds (RFC 9111, 5.1).
func (x *exchange) writeAge(r inbound.Receipt) {
	if r.Cache == "hit" {
		x.fc.Response.Header.Set("Age", strconv.FormatInt(int64(r.Age/time.Second), 10))
	}
}
