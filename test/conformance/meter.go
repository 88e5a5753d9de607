package conformance

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Metric names what a meter counts, whatever it calls that.
type Metric string

// What a meter counts.
const (
	MetricRequests       Metric = "requests"       // labels: route, method, status
	MetricRequestSeconds Metric = "requestSeconds" // the sum; labels as above
	MetricDecisions      Metric = "decisions"      // task, outcome
	MetricAttempts       Metric = "attempts"       // provider, model, outcome
	MetricAttemptSeconds Metric = "attemptSeconds" // the sum; labels as above
	MetricInputTokens    Metric = "inputTokens"    // provider, model
	MetricOutputTokens   Metric = "outputTokens"   // provider, model
	MetricDollars        Metric = "dollars"        // provider, model
	MetricQueueLength    Metric = "queueLength"    // queue
	MetricQueueCapacity  Metric = "queueCapacity"  // queue
	MetricCache          Metric = "cache"          // surface, status
	MetricCacheStore     Metric = "cacheStore"     // operation, outcome
	MetricCacheBytes     Metric = "cacheBytes"     // operation
	MetricBreaker        Metric = "breaker"        // provider, model; the number of the state
)

// Meters is a meter under test, which counts calls and load.
type Meters interface {
	outbound.Meter
	outbound.LoadMeter
}

// Meter is the suite of outbound.Meter. new gives a fresh meter and a way to read what it has counted under label values; 0 when nothing was.
func Meter(t *testing.T, new func(t *testing.T) (m Meters, read func(metric Metric, labels ...string) float64)) {
	meterSuite(t, new, map[string]func(*testing.T, Meters, meterReader){
		"decisions are counted by what came of them":           meterDecisions,
		"attempts are counted by outcome":                      meterAttempts,
		"tokens and cost add up, and unpriced calls cost none": meterCalls,
		"breakers show their last state":                       meterBreakers,
		"the prompt cache is counted by what it did":           meterCache,
		"counts from many goroutines add up":                   meterRace,
		"what makes no sense does no harm":                     meterOdd,
	})
}

// LoadMeter is the suite of outbound.LoadMeter, as Meter is of outbound.Meter.
func LoadMeter(t *testing.T, new func(t *testing.T) (m Meters, read func(metric Metric, labels ...string) float64)) {
	meterSuite(t, new, map[string]func(*testing.T, Meters, meterReader){
		"requests are counted by route, method and status": meterRequests,
		"queues show their last state":                     meterQueues,
	})
}

func meterSuite(t *testing.T, new func(t *testing.T) (m Meters, read func(metric Metric, labels ...string) float64), tests map[string]func(*testing.T, Meters, meterReader)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, read := new(t)
			test(t, m, func(t *testing.T, want float64, metric Metric, labels ...string) {
				t.Helper()
				if got := read(metric, labels...); math.Abs(got-want) > 1e-9 {
					t.Errorf("%s of %q is %v, want %v", metric, labels, got, want)
				}
			})
		})
	}
}

// meterReader fails the test unless the metric has the value.
type meterReader func(t *testing.T, want float64, metric Metric, labels ...string)

func meterRequests(t *testing.T, m Meters, want meterReader) {
	m.Request("/v1/models", "GET", 200, 250*time.Millisecond)
	m.Request("/v1/models", "GET", 200, 500*time.Millisecond)
	m.Request("/v1/models", "GET", 401, time.Millisecond)
	m.Request("/v1/models", "POST", 405, time.Millisecond)
	want(t, 2, MetricRequests, "/v1/models", "GET", "200")
	want(t, 0.75, MetricRequestSeconds, "/v1/models", "GET", "200")
	want(t, 1, MetricRequests, "/v1/models", "GET", "401")
	want(t, 1, MetricRequests, "/v1/models", "POST", "405")
}

func meterDecisions(t *testing.T, m Meters, want meterReader) {
	m.Decision("general", "openai")
	m.Decision("general", "openai")
	m.Decision("review", "no_provider_available")
	want(t, 2, MetricDecisions, "general", "openai")
	want(t, 1, MetricDecisions, "review", "no_provider_available")
}

func meterCache(t *testing.T, m Meters, want meterReader) {
	m.Cache("execute", "hit")
	m.Cache("execute", "hit")
	m.Cache("chat.completions", "miss")
	m.CacheStore("find", "ok", 100)
	m.CacheStore("find", "none", 0)
	m.CacheStore("keep", "ok", 30)
	m.CacheStore("keep", "failed", -5)
	want(t, 2, MetricCache, "execute", "hit")
	want(t, 1, MetricCache, "chat.completions", "miss")
	want(t, 0, MetricCache, "execute", "miss")
	want(t, 1, MetricCacheStore, "find", "none")
	want(t, 1, MetricCacheStore, "keep", "failed")
	want(t, 100, MetricCacheBytes, "find")
	want(t, 30, MetricCacheBytes, "keep")
}

func meterAttempts(t *testing.T, m Meters, want meterReader) {
	m.Attempt("openai", "gpt-4o", "ok", 2*time.Second)
	m.Attempt("openai", "gpt-4o", "timeout", time.Second)
	m.Attempt("openai", "gpt-4o", "ok", 3*time.Second)
	want(t, 2, MetricAttempts, "openai", "gpt-4o", "ok")
	want(t, 5, MetricAttemptSeconds, "openai", "gpt-4o", "ok")
	want(t, 1, MetricAttempts, "openai", "gpt-4o", "timeout")
}

func meterCalls(t *testing.T, m Meters, want meterReader) {
	m.Call("openai", "gpt-4o", 100, 20, 1_500_000)
	m.Call("openai", "gpt-4o", 1, 2, 500_000)
	m.Call("openai", "other", 7, 8, 0)
	want(t, 101, MetricInputTokens, "openai", "gpt-4o")
	want(t, 22, MetricOutputTokens, "openai", "gpt-4o")
	want(t, 0.002, MetricDollars, "openai", "gpt-4o")
	want(t, 7, MetricInputTokens, "openai", "other")
	want(t, 0, MetricDollars, "openai", "other")
}

func meterQueues(t *testing.T, m Meters, want meterReader) {
	m.Queue("calls", 5, 100)
	m.Queue("calls", 3, 100)
	want(t, 3, MetricQueueLength, "calls")
	want(t, 100, MetricQueueCapacity, "calls")
}

func meterBreakers(t *testing.T, m Meters, want meterReader) {
	m.Breaker("openai", "gpt-4o", outbound.Open)
	m.Breaker("openai", "gpt-4o", outbound.HalfOpen)
	m.Breaker("claude", "m", outbound.Open)
	m.Breaker("claude", "m", outbound.Closed)
	want(t, float64(outbound.HalfOpen), MetricBreaker, "openai", "gpt-4o")
	want(t, float64(outbound.Closed), MetricBreaker, "claude", "m")
}

func meterRace(t *testing.T, m Meters, want meterReader) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				m.Request("/r", "GET", 200+i, time.Millisecond)
				m.Attempt("openai", "m", "ok", time.Millisecond)
				m.Call("openai", "m", 1, 2, 3)
				m.Decision("general", "openai")
				m.Queue("calls", i, 10)
				m.Breaker("openai", "m", outbound.Open)
			}
		})
	}
	all.Wait()
	want(t, 100, MetricRequests, "/r", "GET", "203")
	want(t, 800, MetricAttempts, "openai", "m", "ok")
	want(t, 1600, MetricOutputTokens, "openai", "m")
	want(t, 800, MetricDecisions, "general", "openai")
}

func meterOdd(t *testing.T, m Meters, want meterReader) {
	m.Request("", "", 0, -time.Second)
	m.Attempt("", "", "", -time.Second)
	m.Decision("", "")
	m.Call("openai", "m", -5, -6, -7)
	m.Queue("calls", -1, 0)
	m.Breaker("openai", "m", outbound.CircuitState(200))
	want(t, 0, MetricInputTokens, "openai", "m")
	want(t, 0, MetricDollars, "openai", "m")
	want(t, 1, MetricDecisions, "", "")
}
