package prometheus_test

import (
	"io"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	lib "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/forge1/forge1/adapters/prometheus"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// series says under which name and labels this adapter keeps what the suite reads.
var series = map[conformance.Metric]struct {
	name   string
	labels []string
}{
	conformance.MetricRequests:       {"forge1_request_total", []string{"route", "method", "status"}},
	conformance.MetricRequestSeconds: {"forge1_request_duration_seconds_sum", []string{"route", "method", "status"}},
	conformance.MetricDecisions:      {"forge1_router_decision_total", []string{"task_type", "outcome"}},
	conformance.MetricAttempts:       {"forge1_provider_attempt_total", []string{"provider", "model", "outcome"}},
	conformance.MetricAttemptSeconds: {"forge1_provider_attempt_duration_seconds_sum", []string{"provider", "model", "outcome"}},
	conformance.MetricInputTokens:    {"forge1_tokens_total", []string{"provider", "model", "direction=input"}},
	conformance.MetricOutputTokens:   {"forge1_tokens_total", []string{"provider", "model", "direction=output"}},
	conformance.MetricDollars:        {"forge1_cost_usd_total", []string{"provider", "model"}},
	conformance.MetricQueueLength:    {"forge1_queue_length", []string{"queue"}},
	conformance.MetricQueueCapacity:  {"forge1_queue_capacity", []string{"queue"}},
	conformance.MetricCache:          {"forge1_prompt_cache_total", []string{"surface", "status"}},
	conformance.MetricCacheStore:     {"forge1_prompt_cache_store_total", []string{"operation", "outcome"}},
	conformance.MetricCacheBytes:     {"forge1_prompt_cache_bytes_total", []string{"operation"}},
	conformance.MetricBreaker:        {"forge1_breaker_state", []string{"provider", "model"}},
}

func scrape(t testing.TB, m *prometheus.Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("scrape: status %d, %v", w.Code, err)
	}
	return string(body)
}

var line = regexp.MustCompile(`^(\w+)\{(.*)\} (\S+)$`)

// value finds the line of a scrape that has the name and the labels.
func value(t testing.TB, body string, metric conformance.Metric, values []string) float64 {
	t.Helper()
	s := series[metric]
	for text := range strings.Lines(body) {
		found := line.FindStringSubmatch(strings.TrimSpace(text))
		if found == nil || found[1] != s.name {
			continue
		}
		all := true
		for i, label := range s.labels {
			name, fixed, isFixed := strings.Cut(label, "=")
			if !isFixed {
				fixed = values[i]
			}
			all = all && strings.Contains(","+found[2]+",", ","+name+`="`+fixed+`",`)
		}
		if all {
			v, err := strconv.ParseFloat(found[3], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

func TestConformance(t *testing.T) {
	fresh := func(t *testing.T) (conformance.Meters, func(conformance.Metric, ...string) float64) {
		m := prometheus.New()
		return m, func(metric conformance.Metric, labels ...string) float64 {
			return value(t, scrape(t, m), metric, labels)
		}
	}
	conformance.Meter(t, fresh)
	conformance.LoadMeter(t, fresh)
}

func TestNamesAreInGoodStyle(t *testing.T) {
	m := prometheus.New()
	m.Request("/v1/models", "GET", 200, time.Second)
	m.Decision("general", "openai")
	m.Attempt("openai", "gpt-4o", "ok", time.Second)
	m.Call("openai", "gpt-4o", 1, 2, 3)
	m.Queue("calls", 1, 2)
	m.Breaker("openai", "gpt-4o", outbound.Closed)
	problems, err := promlint.New(strings.NewReader(scrape(t, m))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "forge1_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestProcessMetricsAreThere(t *testing.T) {
	body := scrape(t, prometheus.New())
	for _, want := range []string{"go_goroutines ", "process_cpu_seconds_total "} {
		if !strings.Contains(body, want) {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}

func TestAGaugeIsReadWhenItIsAskedFor(t *testing.T) {
	m := prometheus.New()
	value := 1.5
	m.Show("forge1_clock_skew_seconds", "How far.", func() float64 { return value })
	for _, want := range []string{"1.5", "-2"} {
		if got := scrape(t, m); !strings.Contains(got, "\nforge1_clock_skew_seconds "+want+"\n") {
			t.Errorf("got %s, want the gauge at %s", got, want)
		}
		value = -2
	}
}

func TestACounterIsThereBeforeItCounts(t *testing.T) {
	m := prometheus.New()
	raise := m.Count("forge1_breach_check_failed_total", "Unanswered.")
	for _, want := range []string{"0", "1", "2"} {
		if got := scrape(t, m); !strings.Contains(got, "\nforge1_breach_check_failed_total "+want+"\n") {
			t.Errorf("got %s, want the counter at %s", got, want)
		}
		raise()
	}
}

func TestInventedMethodsAreOneLabel(t *testing.T) {
	m := prometheus.New()
	for _, method := range []string{"BREW", "PROPFIND", "X" + strings.Repeat("x", 100)} {
		m.Request("/v1/models", method, 405, time.Millisecond)
	}
	if got := value(t, scrape(t, m), conformance.MetricRequests, []string{"/v1/models", "other", "405"}); got != 3 {
		t.Errorf("%v requests of other methods, want 3", got)
	}
}

func TestTwoMetersAreApart(t *testing.T) {
	a, b := prometheus.New(), prometheus.New()
	a.Decision("general", "openai")
	if got := value(t, scrape(t, b), conformance.MetricDecisions, []string{"general", "openai"}); got != 0 {
		t.Errorf("the other meter counted %v", got)
	}
	if families, err := lib.DefaultGatherer.Gather(); err != nil || strings.Contains(strings.Join(names(families), " "), "forge1_") {
		t.Errorf("the library's global registry has metrics of Forge 1, or fails: %v", err)
	}
}

func names[F interface{ GetName() string }](families []F) []string {
	var out []string
	for _, f := range families {
		out = append(out, f.GetName())
	}
	return out
}

func BenchmarkCall(b *testing.B) {
	m := prometheus.New()
	b.ReportAllocs()
	for b.Loop() {
		m.Request("/v1/chat/completions", "POST", 200, time.Second)
		m.Decision("general", "openai")
		m.Attempt("openai", "gpt-4o-mini", "ok", time.Second)
		m.Call("openai", "gpt-4o-mini", 100, 200, 12345)
		m.Queue("calls", 5, 8192)
	}
}
