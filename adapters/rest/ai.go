package rest

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

// maxSLO bounds a latency objective, in milliseconds.
const maxSLO = 600_000

// asked is what the headers of an AI call ask for.
type asked struct {
	task    string
	sloMs   int
	strict  bool
	explain bool
	cache   caching
}

// askedFor reads the headers that every AI route takes.
func (x *exchange) askedFor() (a asked, err error) {
	h := &x.fc.Request.Header
	if v := string(h.Peek("X-Forge-Task-Type")); v != "" {
		if _, err := routing.ParseTaskType(v); err != nil {
			return a, headerFault("X-Forge-Task-Type", "must be a task type; see /api/v1/ai/capabilities")
		}
		a.task = v
	}
	if v := string(h.Peek("X-Forge-Latency-Slo-Ms")); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxSLO {
			return a, headerFault("X-Forge-Latency-SLO-Ms", "must be 1 to "+strconv.Itoa(maxSLO))
		}
		a.sloMs = n
	}
	if a.cache, err = x.caching(); err != nil {
		return a, err
	}
	if a.strict, err = x.flag("X-Forge-Strict"); err != nil {
		return a, err
	}
	a.explain, err = x.flag("X-Forge-Explain")
	return a, err
}

// flag reads a header that is true, false or absent.
func (x *exchange) flag(name string) (bool, error) {
	switch string(x.fc.Request.Header.Peek(name)) {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	}
	return false, headerFault(name, "must be true or false")
}

// vendorHeaders are those of a client's headers that may concern a vendor which its body is passed to, by canonical name.
var vendorHeaders = []string{"Anthropic-Beta", "Anthropic-Version", "Openai-Beta"}

// maxVendorHeader bounds each of them.
const maxVendorHeader = 1 << 10

// forVendors gives the client's headers that may concern a vendor; nil when there are none. One that is too long, or no plain text, is not passed on.
func (x *exchange) forVendors() map[string]string {
	var out map[string]string
	for _, name := range vendorHeaders {
		lines := x.fc.Request.Header.PeekAll(name)
		if len(lines) == 0 {
			continue
		}
		value := string(bytes.Join(lines, []byte(", ")))
		if value == "" || len(value) > maxVendorHeader || !printable(value) {
			continue
		}
		if out == nil {
			out = make(map[string]string, 1)
		}
		out[name] = value
	}
	return out
}

// printable reports whether a text has nothing but the visible characters of ASCII and spaces.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// takeBody takes the body from the request. It is the caller's from then on: no copy, and no buffer that is used again.
func (x *exchange) takeBody() []byte { return x.fc.Request.SwapBody(nil) }

// callOf begins an AI call of a body that can be passed to a vendor of its dialect, with what was scanned off it.
func (x *exchange) callOf(a asked, surface inbound.Surface, dialect chat.Dialect, body []byte, env *envelope) inbound.Call {
	c := x.call(a, surface)
	c.Dialect, c.Body, c.Header = dialect, body, x.forVendors()
	c.Model, c.EndUser, c.MaxTokens, c.TextBytes = env.model, env.user, env.maxTokens, env.textBytes
	c.Vision, c.Tools, c.Schema, c.Others = env.vision, env.tools, env.schema, env.others
	return c
}

// relayed answers with a vendor's bytes.
func (x *exchange) relayed(body []byte) error {
	r := &x.fc.Response
	r.SetStatusCode(http.StatusOK)
	r.Header.SetContentType("application/json")
	r.SetBodyRaw(body)
	return nil
}

// call begins an AI call with what is known from the headers.
func (x *exchange) call(a asked, surface inbound.Surface) inbound.Call {
	return inbound.Call{
		Caller: x.caller, Surface: surface, TraceID: x.traceID, RequestID: x.requestID, TaskType: a.task, SLOMs: a.sloMs, Strict: a.strict,
		Cache: a.cache.mode, CacheMaxAge: a.cache.maxAge, CacheOnly: a.cache.only,
	}
}

// ask has the gateway answer a whole call while the client is watched, and says in headers what became of it.
func (x *exchange) ask(c inbound.Call, a asked) (inbound.Answer, error) {
	x.watchClient()
	answer, err := x.s.deps.Gateway.Execute(x.ctx, c)
	x.receipt, x.explain = &answer.Receipt, a.explain
	if err != nil {
		return answer, err
	}
	x.writeReceipt(answer.Receipt, outcomeOK)
	return answer, nil
}
