package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/simulator"
)

func TestControlReplacesABehaviourAndAnswersTheEffectiveOne(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	full := `{"latency_ms":1,"chunk_delay_ms":2,"fail_rate":0.5,"fail_status":429,"retry_after":3,"cut_after_events":4,"stall":true,"mode":"echo","seed":5}`
	if status, body := w.control("PUT", "openai", full); status != 200 || packed(body) != packed(full) {
		t.Errorf("PUT = %d %s, want what was given", status, body)
	}
	if status, body := w.control("GET", "openai", ""); status != 200 || packed(body) != packed(full) {
		t.Errorf("GET = %d %s, want what was given", status, body)
	}
	const tame = `{"latency_ms":0,"chunk_delay_ms":0,"fail_rate":0,"fail_status":500,"retry_after":0,"cut_after_events":0,"stall":false,"mode":"scripted","seed":0}`
	if status, body := w.control("PUT", "openai", `{}`); status != 200 || packed(body) != packed(tame) {
		t.Errorf("PUT {} = %d %s, want the defaults back", status, body)
	}
	for _, vendor := range simulator.Vendors() {
		if status, _ := w.control("PUT", vendor, `{"fail_rate":1,"fail_status":503}`); status != 200 {
			t.Fatalf("PUT %s = %d", vendor, status)
		}
		if res, _ := w.must(w.request(vendor, "x", false)); res.StatusCode != 503 {
			t.Errorf("%s = %d, want 503", vendor, res.StatusCode)
		}
		if status, body := w.control("DELETE", vendor, ""); status != 200 || packed(body) != packed(tame) {
			t.Errorf("DELETE %s = %d %s, want the defaults", vendor, status, body)
		}
		if s := w.stats(vendor); s.Requests != 0 || s.Failed != 0 || len(s.ByStatus) != 0 {
			t.Errorf("%s: stats = %+v, want zero after DELETE", vendor, s)
		}
		if res, _ := w.must(w.request(vendor, "x", false)); res.StatusCode != 200 {
			t.Errorf("%s = %d after DELETE, want 200", vendor, res.StatusCode)
		}
	}
}

func TestControlIsStrict(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"an unknown field":     {"PUT", "openai", `{"latency":1}`, 400, `unknown field \"latency\"`},
		"a wrong type":         {"PUT", "openai", `{"latency_ms":"1"}`, 400, "latency_ms: want int, got string"},
		"no JSON":              {"PUT", "openai", `{`, 400, "not a JSON object"},
		"an empty body":        {"PUT", "openai", ``, 400, "not a JSON object"},
		"two values":           {"PUT", "openai", `{}{}`, 400, "more than one JSON value"},
		"latency below 0":      {"PUT", "openai", `{"latency_ms":-1}`, 400, "latency_ms: want 0.."},
		"delay too long":       {"PUT", "openai", `{"chunk_delay_ms":600001}`, 400, "chunk_delay_ms: want 0.."},
		"rate over 1":          {"PUT", "openai", `{"fail_rate":1.1}`, 400, "fail_rate: want 0..1"},
		"a status of success":  {"PUT", "openai", `{"fail_status":200}`, 400, "fail_status: want 0 or 400..599"},
		"retry below 0":        {"PUT", "openai", `{"retry_after":-1}`, 400, "retry_after: want 0.."},
		"cut below 0":          {"PUT", "openai", `{"cut_after_events":-1}`, 400, "cut_after_events: want 0.."},
		"an unknown mode":      {"PUT", "openai", `{"mode":"sing"}`, 400, "mode: want scripted or echo"},
		"a body of a megabyte": {"PUT", "openai", `{"mode":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too large"},
		"an unknown vendor":    {"PUT", "mistral", `{}`, 404, "openrouter"},
		"POST":                 {"POST", "openai", `{}`, 405, "GET, PUT, DELETE"},
		"PUT of the stats":     {"PUT", "stats", `{}`, 405, "GET"},
	} {
		if status, body := w.control(c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s = %d %s, want %d with %s", name, status, body, c.status, c.want)
		}
	}
	if res, _ := w.must(w.request(simulator.OpenAI, "x", false)); res.StatusCode != 200 {
		t.Errorf("a refused behaviour came into force: %d", res.StatusCode)
	}
}

func TestStatsTellEveryVendorByTheWire(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	w.must(w.request(simulator.OpenAI, "x", false))
	w.must(w.request(simulator.OpenAI, "x", true))
	w.must(w.post(simulator.OpenAI, "/chat/completions", chatWith("nope", "")))
	status, body := w.control("GET", "stats", "")
	all := decode[map[string]simulator.Stats](t, body)
	if status != 200 || len(all) != 4 {
		t.Fatalf("GET stats = %d %s, want four vendors", status, body)
	}
	want := simulator.Stats{
		Requests: 3, OK: 2, Refused: 1, Streams: 1,
		ByStatus: map[string]int64{"200": 2, "404": 1}, ByModel: map[string]int64{"gpt-4.1-mini": 2},
	}
	if diff := cmp.Diff(want, all[simulator.OpenAI]); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	for _, field := range []string{"requests", "ok", "failed", "refused", "canceled", "cut", "in_flight", "streams", "by_status", "by_model"} {
		if !strings.Contains(body, `"`+field+`":`) {
			t.Errorf("no field %s in %s", field, body)
		}
	}
}

func TestLatencyAndChunkDelayTakeTheirTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		b      simulator.Behaviour
		stream string
		want   time.Duration
	}{
		"latency of a whole answer": {simulator.Behaviour{LatencyMS: 40, Mode: simulator.ModeEcho}, "", 40 * time.Millisecond},
		"latency of a failure":      {simulator.Behaviour{LatencyMS: 40, FailRate: 1}, "", 40 * time.Millisecond},
		"delays of eight events":    {simulator.Behaviour{ChunkDelayMS: 10, Mode: simulator.ModeEcho}, `,"stream":true`, 70 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) { // in whose bubble time is counted, not waited for
			sim, err := simulator.New(simulator.Config{Models: models})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sim.Configure(simulator.OpenAI, c.b); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/openai/v1/chat/completions", strings.NewReader(chatWith("gpt-4.1-mini", c.stream)))
			r.Header.Set("Content-Type", "application/json")
			authorize(r, simulator.OpenAI, "sk-test")
			begun := time.Now()
			sim.Handler().ServeHTTP(httptest.NewRecorder(), r)
			if got := time.Since(begun); got != c.want {
				t.Errorf("%s took %v, want %v", name, got, c.want)
			}
		})
	}
}

func TestConfigureAndNewRefuse(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	if _, err := w.sim.Configure("mistral", simulator.Behaviour{}); err == nil || !strings.Contains(err.Error(), `no vendor "mistral"`) {
		t.Errorf("Configure of no vendor = %v", err)
	}
	if _, err := w.sim.Configure(simulator.OpenAI, simulator.Behaviour{FailRate: 2}); err == nil || !strings.Contains(err.Error(), "fail_rate") {
		t.Errorf("Configure of a bad rate = %v", err)
	}
	if err := w.sim.Reset("mistral"); err == nil {
		t.Error("Reset of no vendor succeeds")
	}
	if _, err := w.sim.Start(w.run.Addr()); err == nil {
		t.Error("Start on a taken address succeeds")
	}
	for name, config := range map[string]simulator.Config{
		"models of no vendor": {Models: map[string][]string{"mistral": nil}},
		"cases of no vendor":  {Cases: cases("mistral", nil)},
		"a case that is none": {Cases: cases(simulator.OpenAI, map[string]string{"x": "nothing"})},
	} {
		if _, err := simulator.New(config); err == nil {
			t.Errorf("New with %s succeeds", name)
		}
	}
	if _, err := simulator.ParseCases(fstest.MapFS{}); err != nil {
		t.Errorf("no case at all = %v, want none", err)
	}
}

func TestTheClockDatesAnswers(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 8, 9, 0, 0, 0, time.UTC)
	w := start(t, simulator.Config{Clock: func() time.Time { return at }})
	_, body := w.must(w.request(simulator.OpenAI, "x", false))
	if got := decode[struct{ Created int64 }](t, body).Created; got != at.Unix() {
		t.Errorf("created = %d, want %d", got, at.Unix())
	}
	if got := simulator.BasePath(simulator.OpenRouter); got != "/openrouter/api/v1" {
		t.Errorf("BasePath = %q", got)
	}
}

func TestACredentialCanFailAlone(t *testing.T) {
	t.Parallel()
	for _, vendor := range []string{simulator.OpenAI, simulator.Anthropic, simulator.Gemini, simulator.OpenRouter} {
		w := start(t, simulator.Config{Models: models})
		b := simulator.Behaviour{FailKeys: map[string]int{"revoked": 401, "throttled": 429}, RetryAfter: 7, Mode: simulator.ModeEcho}
		if _, err := w.sim.Configure(vendor, b); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]int{"revoked": 401, "throttled": 429, "sound": 200} {
			r := w.request(vendor, "x", false)
			authorize(r, vendor, key)
			if res, body := w.must(r); res.StatusCode != want {
				t.Errorf("%s with the key %s = %d %s, want %d", vendor, key, res.StatusCode, body, want)
			}
		}
	}
	if _, err := start(t, simulator.Config{}).sim.Configure(simulator.OpenAI, simulator.Behaviour{FailKeys: map[string]int{"k": 200}}); err == nil {
		t.Error("a key that fails with 200 is taken")
	}
}

func TestLatenciesScatterAroundTheirMedian(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Config{Models: models})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sim.Configure(simulator.OpenAI, simulator.Behaviour{LatencyMS: 1000, LatencySigma: 0.5, Mode: simulator.ModeEcho, Seed: 1}); err != nil {
			t.Fatal(err)
		}
		below, seen := 0, map[time.Duration]bool{}
		for range 400 {
			r := httptest.NewRequest(http.MethodPost, "/openai/v1/chat/completions", strings.NewReader(chatWith("gpt-4.1-mini", "")))
			r.Header.Set("Content-Type", "application/json")
			authorize(r, simulator.OpenAI, "sk-test")
			begun := time.Now()
			sim.Handler().ServeHTTP(httptest.NewRecorder(), r)
			took := time.Since(begun)
			if seen[took] = true; took < time.Second {
				below++
			}
		}
		if below < 160 || below > 240 || len(seen) < 200 {
			t.Errorf("of 400 calls %d are below the median, of %d lengths; want about half, of many", below, len(seen))
		}
	})
}
