package rest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

type header struct{ name, value string }

// fixedHeader is one that is written again and again.
type fixedHeader struct{ name, value []byte }

// The content policies: of the API, and of the few pages.
const (
	apiPolicy  = "default-src 'none'; frame-ancestors 'none'"
	pagePolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
)

// exposed are the response headers that scripts of other origins may read.
const exposed = "Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, Request-Id, X-Trace-ID, X-Forge-Decision-Id, X-Forge-Provider, X-Forge-Model, " +
	"X-Forge-Cache, X-Forge-Dropped, X-Forge-Usage-Source, X-Forge-Decision, Age, ETag"

// fixedHeaders are those that every response carries with the same value, but for pages, which change the policy.
func fixedHeaders() []fixedHeader {
	var out []fixedHeader
	for _, h := range []header{
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Content-Security-Policy", apiPolicy},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
	} {
		out = append(out, fixedHeader{[]byte(h.name), []byte(h.value)})
	}
	return out
}

// writeHead writes the headers that every response carries.
func (x *exchange) writeHead() {
	h := &x.fc.Response.Header
	for _, f := range x.s.fixed {
		h.SetCanonical(f.name, f.value)
	}
	h.Set("X-Request-Id", x.requestID)
	h.Set("X-Trace-Id", x.traceID)
	if x.shape() == shapeAnthropic {
		h.Set("Request-Id", x.requestID) // as Anthropic's clients read it
	}
	x.s.cors.write(&x.fc.Request.Header, h)
}

// writeQuotas tells how the limits stand that the request met (draft-ietf-httpapi-ratelimit-headers-10), in whole seconds, rounded up so that
// a client which waits as long does not come too early.
func (x *exchange) writeQuotas() {
	if len(x.quotas.Met) == 0 {
		return
	}
	var policies, states []string
	for _, q := range x.quotas.Met {
		name := strconv.Quote(q.Policy)
		policies = append(policies, name+";q="+strconv.Itoa(q.Limit)+";w="+strconv.Itoa(wholeSeconds(q.Window)))
		states = append(states, name+";r="+strconv.Itoa(max(0, q.Remaining))+";t="+strconv.Itoa(wholeSeconds(q.Reset)))
	}
	h := &x.fc.Response.Header
	h.Set("RateLimit-Policy", strings.Join(policies, ", "))
	h.Set("RateLimit", strings.Join(states, ", "))
}

func wholeSeconds(d time.Duration) int { return int((max(0, d) + time.Second - 1) / time.Second) }

// cors says which other origins may read answers. Credentials are tokens in a header, so "*" gives no ambient authority.
type cors struct {
	any         bool
	origins     []string
	credentials bool
}

func newCORS(origins []string, credentials bool) cors {
	if slices.Contains(origins, "*") {
		return cors{any: true}
	}
	return cors{origins: origins, credentials: credentials && len(origins) > 0}
}

// write answers a request's Origin. An origin is echoed only when it is one of the list, to the letter.
func (c cors) write(in *fasthttp.RequestHeader, out *fasthttp.ResponseHeader) {
	origin := in.Peek("Origin")
	if !c.any && len(c.origins) > 0 {
		out.Set("Vary", "Origin")
	}
	if len(origin) == 0 {
		return
	}
	switch {
	case c.any:
		out.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(c.origins, string(origin)):
		out.Set("Access-Control-Allow-Origin", string(origin))
		if c.credentials {
			out.Set("Access-Control-Allow-Credentials", "true")
		}
	default:
		return
	}
	out.Set("Access-Control-Expose-Headers", exposed)
}

// preflight adds what a preflight request asks for. Allowed headers are a fixed list; "*" covers the many of vendors' SDKs where no
// credentials are in play.
func (c cors) preflight(in *fasthttp.RequestHeader, out *fasthttp.ResponseHeader, methods []string) {
	if len(in.Peek("Access-Control-Request-Method")) == 0 || len(out.Peek("Access-Control-Allow-Origin")) == 0 {
		return
	}
	allowed := "Authorization, X-Api-Key, Anthropic-Version, Anthropic-Beta, Content-Type, Cache-Control, If-Match, Traceparent, X-Request-ID, X-Tenant-ID, X-Forge-Task-Type, X-Forge-Latency-SLO-Ms, X-Forge-Cache, X-Forge-Strict, X-Forge-Explain"
	if !c.credentials {
		allowed += ", *"
	}
	out.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	out.Set("Access-Control-Allow-Headers", allowed)
	out.Set("Access-Control-Max-Age", "600")
}
