package rest

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// exchange is one request and its answer. It outlives the handler when the answer is a stream; fc must not be touched from then on.
type exchange struct {
	s     *Server
	fc    *fasthttp.RequestCtx
	c     *fiber.Ctx // of a route; for the parameters of the path alone
	route *route

	start     time.Time
	method    string
	traceID   string
	spanID    string
	requestID string
	caller    inbound.Caller
	status    int
	failed    *fault.Error // nil: answered as asked
	receipt   *inbound.Receipt
	explain   bool // the decision is to be shown
	late      bool // a stream will end it
	quotas    inbound.Quotas
	naming    func(field string) string // in place of the route's, where names hang on what was sent; nil: the route's

	// ctx is the call's, and ends with it; stop must run before the connection is read again.
	ctx  context.Context
	stop func()
}

// begin starts an exchange and writes the headers that every answer carries.
func (s *Server) begin(fc *fasthttp.RequestCtx, r *route) *exchange {
	x := &exchange{
		s: s, fc: fc, route: r, start: s.deps.Clock(), method: methodName(fc.Method()),
		ctx: s.base, stop: func() {},
	}
	x.identify()
	x.writeHead()
	return x
}

// serve makes the Fiber handler of a route.
func (s *Server) serve(r *route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		x := s.begin(c.Context(), r)
		x.c = c
		x.run()
		return nil
	}
}

// run admits the caller and handles the request, come what may.
func (x *exchange) run() {
	defer func() {
		if p := recover(); p != nil {
			x.stop()
			x.end(x.s.panicked(p))
		}
	}()
	if x.route.account {
		x.ctx = inbound.WithQuotas(inbound.WithOrigin(x.ctx, x.origin()), &x.quotas)
	}
	err := x.admit()
	if err == nil {
		err = x.route.handle(x)
	}
	if x.late {
		return
	}
	x.stop()
	x.end(err)
}

// end answers a failure, if there is one, and closes the books.
func (x *exchange) end(err error) {
	if err != nil {
		x.refuse(err)
	}
	x.writeQuotas()
	x.status = x.fc.Response.StatusCode()
	x.close()
}

// close writes the log line and tells the metrics.
func (x *exchange) close() {
	took := x.s.deps.Clock().Sub(x.start)
	x.logLine(took)
	if x.s.deps.Observe != nil {
		x.s.deps.Observe(Observation{Route: x.route.pattern, Method: x.method, Status: x.status, Duration: took})
	}
}

// watchClient ties the call's context to the client: it ends when the client leaves.
func (x *exchange) watchClient() { x.ctx, x.stop = watch(x.s.base, x.fc.Conn()) }

// panicked makes a fault of a panic. What was panicked with may hold anything, so only the runtime's own words are kept.
func (s *Server) panicked(p any) error {
	said := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		said = err.Error()
	}
	return errInternal.With(fmt.Errorf("panic: %s\n%s", said, debug.Stack()))
}

// identify takes over or makes the ids of the request.
func (x *exchange) identify() {
	h := &x.fc.Request.Header
	fresh := x.s.deps.NewID()
	x.requestID = fresh
	if given := h.Peek("X-Request-Id"); validRequestID(given) {
		x.requestID = string(given)
	}
	x.spanID = lastHex(fresh)
	if trace, ok := traceOf(h.Peek("Traceparent")); ok {
		x.traceID = trace
	} else {
		x.traceID = strings.ReplaceAll(x.s.deps.NewID(), "-", "")
	}
}

// lastHex gives the last 16 hex digits of a UUID: its random part.
func lastHex(uuid string) string {
	if len(uuid) != 36 {
		return strings.ReplaceAll(uuid, "-", "")
	}
	return uuid[19:23] + uuid[24:]
}

// validRequestID reports whether the client's id may be used: ^[A-Za-z0-9-]{8,64}$.
func validRequestID(b []byte) bool {
	if len(b) < 8 || len(b) > 64 {
		return false
	}
	for _, c := range b {
		if !alphanumeric(c) && c != '-' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// traceOf reads the trace id off a traceparent (W3C Trace Context). Versions after 00 may have more fields.
func traceOf(b []byte) (string, bool) {
	const n = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-00")
	if len(b) < n || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return "", false
	}
	version, trace, parent, flags := b[:2], b[3:35], b[36:52], b[53:55]
	if !lowerHex(version) || !lowerHex(trace) || !lowerHex(parent) || !lowerHex(flags) || allZero(trace) || allZero(parent) {
		return "", false
	}
	switch {
	case string(version) == "ff", string(version) == "00" && len(b) != n, len(b) > n && b[n] != '-':
		return "", false
	}
	return string(trace), true
}

func lowerHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != '0' {
			return false
		}
	}
	return true
}

// methodName gives a method that is fit for a metric label.
func methodName(b []byte) string {
	for _, m := range fiber.DefaultMethods {
		if string(b) == m {
			return m
		}
	}
	return "OTHER"
}

// origin says where the request came from. Its strings are copies.
func (x *exchange) origin() inbound.Origin {
	agent := string(x.fc.Request.Header.UserAgent())
	if len(agent) > 256 {
		agent = agent[:256]
	}
	return inbound.Origin{
		IP: x.s.clientIP(x.fc), UserAgent: strings.ToValidUTF8(agent, "\uFFFD"), RequestID: x.requestID, TraceID: x.traceID,
	}
}

// clientIP is the peer, or, behind trusted proxies, the right-most hop of X-Forwarded-For that none of them vouches for as its own.
func (s *Server) clientIP(fc *fasthttp.RequestCtx) string {
	peer := addrOf(fc.RemoteAddr())
	if !s.trusted(peer) {
		return peer.String()
	}
	var hops []string
	for _, line := range fc.Request.Header.PeekAll("X-Forwarded-For") {
		hops = append(hops, strings.Split(string(line), ",")...)
	}
	for i := len(hops) - 1; i >= 0 && s.trusted(peer); i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break
		}
		peer = hop
	}
	return peer.String()
}

// logLine writes the one line of the request. It never holds a body, a credential or a raw path.
func (x *exchange) logLine(took time.Duration) {
	level, ours := slog.LevelInfo, x.failed != nil && statusOf(x.failed) >= fasthttp.StatusInternalServerError
	if ours {
		level = slog.LevelError // of a stream that broke too, whose status is 200
	}
	if !x.s.log.Enabled(x.s.base, level) {
		return
	}
	var room [24]slog.Attr
	a := append(room[:0],
		slog.String("trace_id", x.traceID), slog.String("span_id", x.spanID), slog.String("request_id", x.requestID),
		slog.String("tenant_id", string(x.caller.TenantID)), slog.String("user_id", string(x.caller.UserID)),
		slog.String("request_method", x.method), slog.String("request_path", x.route.pattern),
		slog.Int("status", x.status), slog.Float64("duration_ms", millis(took)),
	)
	if r := x.receipt; r != nil && r.Decision.ID != "" {
		a = append(a,
			slog.String("provider", r.Provider), slog.String("model", r.Model), slog.String("decision_id", r.Decision.ID),
			slog.String("task_type", string(r.Task)), slog.Int("attempts", len(r.Attempts)),
			slog.Int("input_tokens", r.Usage.Input), slog.Int("output_tokens", r.Usage.Output), slog.String("cache", r.Cache),
		)
	}
	if f := x.failed; f != nil {
		a = append(a, slog.String("code", f.Code))
		if f.Err != nil && ours {
			a = append(a, slog.String("error", f.Err.Error()))
		}
	}
	x.s.log.LogAttrs(x.s.base, level, "request", a...)
}

// millis gives a duration in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
