package outbound

import "time"

// Meter counts what calls come to. Labels are names of providers, models of the catalogue and classes, never input. Implementations pass
// conformance.Meter.
type Meter interface {
	// Decision counts a routing decision by task type and by what came of it: the chosen provider's name, or the code of the refusal.
	Decision(task, outcome string)
	// Attempt counts an attempt of a vendor call by its outcome.
	Attempt(provider, model, outcome string, took time.Duration)
	// Call counts a call: its tokens, and its cost in nano-dollars (0 when unpriced).
	Call(provider, model string, inputTokens, outputTokens int, costNanos int64)
	// Cache counts a call by surface and by what the prompt cache did for it: hit, miss or bypass.
	Cache(surface, status string)
	// CacheStore counts what the prompt cache's store was asked, find or keep, by its outcome, ok, none or failed, with the bytes that were moved.
	CacheStore(operation, outcome string, bytes int)
	// Breaker shows a breaker's state.
	Breaker(provider, model string, state CircuitState)
}

// LoadMeter counts what comes in and shows what waits. Labels are route patterns, methods and names of queues, never input. Implementations pass
// conformance.LoadMeter.
type LoadMeter interface {
	// Request counts a served HTTP request by route pattern, method and status.
	Request(route, method string, status int, took time.Duration)
	// Queue shows how full a queue is.
	Queue(name string, length, capacity int)
}
