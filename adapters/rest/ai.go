package rest

import (
	"strconv"

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
