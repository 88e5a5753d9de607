// Package prometheus counts for Prometheus, on a registry of its own, with the prometheus/client_golang library.
package prometheus

import (
	"net/http"
	"strconv"
	"sync"
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

	served, tried, called sync.Map // labels → children, so that a busy series costs one look-up
}

var _ outbound.Meter = (*Meter)(nil)

type servedKey struct {
	route, method string
	status        int
}

type served struct {
	count prometheus.Counter
	took  prometheus.Observer
}

type triedKey struct{ provider, model, outcome string }

type tried struct {
	count prometheus.Counter
	took  prometheus.Observer
}

type calledKey struct{ provider, model string }

type called struct{ input, output, cost prometheus.Counter }

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
		queued:   gauge("forge1_queue_length", "Items that wait in a queue.", "queue"),
		room:     gauge("forge1_queue_capacity", "Items that a queue holds at most.", "queue"),
	}
	m.registry.MustRegister(m.requests, m.duration, m.decision, m.attempts, m.attempt, m.tokens, m.cost, m.breakers, m.queued, m.room,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in Prometheus's text format.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request implements outbound.Meter.
func (m *Meter) Request(route, method string, status int, took time.Duration) {
	k := servedKey{route, method, status}
	s := child(&m.served, k, func() served {
		code := strconv.Itoa(status)
		return served{m.requests.WithLabelValues(route, method, code), m.duration.WithLabelValues(route, method, code)}
	})
	s.count.Inc()
	s.took.Observe(took.Seconds())
}

// Decision implements outbound.Meter.
func (m *Meter) Decision(task, outcome string) { m.decision.WithLabelValues(task, outcome).Inc() }

// Attempt implements outbound.Meter.
func (m *Meter) Attempt(provider, model, outcome string, took time.Duration) {
	k := triedKey{provider, model, outcome}
	t := child(&m.tried, k, func() tried {
		return tried{m.attempts.WithLabelValues(provider, model, outcome), m.attempt.WithLabelValues(provider, model, outcome)}
	})
	t.count.Inc()
	t.took.Observe(took.Seconds())
}

// Call implements outbound.Meter.
func (m *Meter) Call(provider, model string, inputTokens, outputTokens int, costNanos int64) {
	k := calledKey{provider, model}
	c := child(&m.called, k, func() called {
		return called{
			m.tokens.WithLabelValues(provider, model, "input"), m.tokens.WithLabelValues(provider, model, "output"),
			m.cost.WithLabelValues(provider, model),
		}
	})
	c.input.Add(float64(max(0, inputTokens)))
	c.output.Add(float64(max(0, outputTokens)))
	c.cost.Add(float64(max(0, costNanos)) / 1e9)
}

// Queue implements outbound.Meter.
func (m *Meter) Queue(name string, length, capacity int) {
	m.queued.WithLabelValues(name).Set(float64(length))
	m.room.WithLabelValues(name).Set(float64(capacity))
}

// Breaker implements outbound.Meter.
func (m *Meter) Breaker(provider, model string, state outbound.CircuitState) {
	m.breakers.WithLabelValues(provider, model).Set(float64(state))
}

// child finds what was resolved for labels before, or resolves it.
func child[K comparable, V any](of *sync.Map, k K, resolve func() V) V {
	if v, ok := of.Load(k); ok {
		return v.(V) //nolint:forcetypeassert // each map holds one type
	}
	v, _ := of.LoadOrStore(k, resolve())
	return v.(V) //nolint:forcetypeassert // each map holds one type
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
