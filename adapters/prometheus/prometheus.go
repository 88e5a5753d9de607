// Package prometheus counts for Prometheus, on a registry of its own, with the prometheus/client_golang library.
package prometheus

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/forge1/forge1/ports/outbound"
)

// Meter implements outbound.Meter. Its label values are bounded: routes, providers, models of the catalogue, outcomes.
type Meter struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	decision *prometheus.CounterVec
	attempts *prometheus.CounterVec
	attempt  *prometheus.HistogramVec
	tokens   *prometheus.CounterVec
	cost     *prometheus.CounterVec
	breakers *prometheus.GaugeVec
	queued   *prometheus.GaugeVec
	room     *prometheus.GaugeVec
	cached   *prometheus.CounterVec
	stored   *prometheus.CounterVec
	moved    *prometheus.CounterVec

	// What label values count into, so that a busy series costs one look-up.
	served  children[servedKey, timed]
	decided children[decidedKey, prometheus.Counter]
	tried   children[triedKey, timed]
	called  children[calledKey, called]
	queues  children[string, queue]
	saved   children[savedKey, prometheus.Counter]
	shelved children[shelvedKey, shelf]
}

var (
	_ outbound.Meter     = (*Meter)(nil)
	_ outbound.LoadMeter = (*Meter)(nil)
)

type servedKey struct {
	route, method string
	status        int
}

type decidedKey struct{ task, outcome string }

type triedKey struct{ provider, model, outcome string }

type calledKey struct{ provider, model string }

// timed is a count with durations.
type timed struct {
	count prometheus.Counter
	took  prometheus.Observer
}

type called struct{ input, output, cost prometheus.Counter }

type savedKey struct{ surface, status string }

type shelvedKey struct{ operation, outcome string }

// shelf is a count with bytes.
type shelf struct{ count, bytes prometheus.Counter }

type queue struct{ length, capacity prometheus.Gauge }

// requestBuckets are in seconds: from a cached check to a long stream.
var requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

// New makes a meter with the metrics of the process beside its own.
func New() *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),
		requests: counter("forge1_request_total", "HTTP requests served.", "route", "method", "status"),
		duration: histogram("forge1_request_duration_seconds", "Time from the first byte of a request to the last of its answer.", "route", "method", "status"),
		decision: counter("forge1_router_decision_total", "Routing decisions by task type and the provider chosen, or the code of the refusal.", "task_type", "outcome"),
		attempts: counter("forge1_provider_attempt_total", "Attempts at vendors by outcome.", "provider", "model", "outcome"),
		attempt:  histogram("forge1_provider_attempt_duration_seconds", "Time of an attempt, to the last byte.", "provider", "model", "outcome"),
		tokens:   counter("forge1_tokens_total", "Tokens of calls; input includes cached ones.", "provider", "model", "direction"),
		cost:     counter("forge1_cost_usd_total", "Cost of calls in US dollars, unpriced ones left out.", "provider", "model"),
		breakers: gauge("forge1_breaker_state", "State of a breaker: 0 closed, 1 open, 2 half open.", "provider", "model"),
		queued:   gauge("forge1_queue_length", "Places of a queue that are taken.", "queue"),
		cached:   counter("forge1_prompt_cache_total", "Calls by what the prompt cache did for them: hit, miss or bypass.", "surface", "status"),
		stored:   counter("forge1_prompt_cache_store_total", "What the store of the prompt cache was asked, by outcome.", "operation", "outcome"),
		moved:    counter("forge1_prompt_cache_bytes_total", "Bytes of entries found and kept.", "operation"),
		room:     gauge("forge1_queue_capacity", "Places of a queue; calls are refused when all are taken.", "queue"),
	}
	m.registry.MustRegister(m.requests, m.duration, m.decision, m.attempts, m.attempt, m.tokens, m.cost, m.breakers, m.queued, m.room, m.cached, m.stored, m.moved,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.resolve()
	return m
}

// resolve says how to find what label values count into, the first time that they are met.
func (m *Meter) resolve() {
	m.served.find = func(k servedKey) timed {
		status := strconv.Itoa(k.status)
		return timed{m.requests.WithLabelValues(k.route, k.method, status), m.duration.WithLabelValues(k.route, k.method, status)}
	}
	m.decided.find = func(k decidedKey) prometheus.Counter { return m.decision.WithLabelValues(k.task, k.outcome) }
	m.tried.find = func(k triedKey) timed {
		return timed{m.attempts.WithLabelValues(k.provider, k.model, k.outcome), m.attempt.WithLabelValues(k.provider, k.model, k.outcome)}
	}
	m.called.find = func(k calledKey) called {
		return called{
			m.tokens.WithLabelValues(k.provider, k.model, "input"), m.tokens.WithLabelValues(k.provider, k.model, "output"),
			m.cost.WithLabelValues(k.provider, k.model),
		}
	}
	m.saved.find = func(k savedKey) prometheus.Counter { return m.cached.WithLabelValues(k.surface, k.status) }
	m.shelved.find = func(k shelvedKey) shelf {
		return shelf{m.stored.WithLabelValues(k.operation, k.outcome), m.moved.WithLabelValues(k.operation)}
	}
	m.queues.find = func(name string) queue { return queue{m.queued.WithLabelValues(name), m.room.WithLabelValues(name)} }
}

// Show adds a gauge that is read when it is asked for. It panics when there is one of this name already.
func (m *Meter) Show(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Count adds a counter, and gives what raises it by one. It panics when there is one of this name already.
func (m *Meter) Count(name, help string) func() {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.registry.MustRegister(c)
	return c.Inc
}

// Handler serves the metrics in Prometheus's text format.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request implements outbound.LoadMeter.
func (m *Meter) Request(route, method string, status int, took time.Duration) {
	s := m.served.of(servedKey{route, known(method), status})
	s.count.Inc()
	s.took.Observe(took.Seconds())
}

// known keeps methods that a client invented out of the labels.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// Decision implements outbound.Meter.
func (m *Meter) Decision(task, outcome string) { m.decided.of(decidedKey{task, outcome}).Inc() }

// Attempt implements outbound.Meter.
func (m *Meter) Attempt(provider, model, outcome string, took time.Duration) {
	t := m.tried.of(triedKey{provider, model, outcome})
	t.count.Inc()
	t.took.Observe(took.Seconds())
}

// Call implements outbound.Meter.
func (m *Meter) Call(provider, model string, inputTokens, outputTokens int, costNanos int64) {
	c := m.called.of(calledKey{provider, model})
	c.input.Add(float64(max(0, inputTokens)))
	c.output.Add(float64(max(0, outputTokens)))
	c.cost.Add(float64(max(0, costNanos)) / 1e9)
}

// Cache implements outbound.Meter.
func (m *Meter) Cache(surface, status string) { m.saved.of(savedKey{surface, status}).Inc() }

// CacheStore implements outbound.Meter.
func (m *Meter) CacheStore(operation, outcome string, bytes int) {
	s := m.shelved.of(shelvedKey{operation, outcome})
	s.count.Inc()
	s.bytes.Add(float64(max(0, bytes)))
}

// Queue implements outbound.LoadMeter.
func (m *Meter) Queue(name string, length, capacity int) {
	q := m.queues.of(name)
	q.length.Set(float64(length))
	q.capacity.Set(float64(capacity))
}

// Breaker implements outbound.Meter.
func (m *Meter) Breaker(provider, model string, state outbound.CircuitState) {
	m.breakers.WithLabelValues(provider, model).Set(float64(state))
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: requestBuckets}, labels)
}
