package simulator_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/forge1/forge1/adapters/simulator"
)

func TestExactlyTheRateFailsUnderConcurrentClients(t *testing.T) {
	t.Parallel()
	for _, seed := range []int64{0, 1, 42, -7} {
		for rate, want := range map[float64]int64{0: 0, 0.05: 20, 0.29: 116, 0.5: 200, 1: 400} {
			w := start(t, simulator.Config{})
			w.configure(simulator.OpenAI, simulator.Behaviour{FailRate: rate, Mode: simulator.ModeEcho, Seed: seed})
			var seen atomic.Int64
			var clients sync.WaitGroup
			for range 16 {
				clients.Go(func() {
					for range 25 {
						res, _, err := w.do(w.request(simulator.OpenAI, "x", false))
						if err != nil {
							t.Error(err)
							return
						}
						if res.StatusCode == http.StatusInternalServerError {
							seen.Add(1)
						}
					}
				})
			}
			clients.Wait()
			s := w.stats(simulator.OpenAI)
			if seen.Load() != want || s.Failed != want || s.OK != 400-want || s.Requests != 400 || s.InFlight != 0 {
				t.Errorf("rate %g, seed %d: clients saw %d failures, stats %+v; want %d", rate, seed, seen.Load(), s, want)
			}
			if s.ByModel["gpt-4.1-mini"] != 400 || s.ByStatus["500"] != want {
				t.Errorf("by model %v, by status %v; want 400 calls and %d of 500", s.ByModel, s.ByStatus, want)
			}
		}
	}
}

func TestTheSeedShiftsWhichCallsFail(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	patterns := map[string]bool{}
	for seed := range int64(32) {
		w.configure(simulator.OpenAI, simulator.Behaviour{FailRate: 0.25, Seed: seed})
		pattern := ""
		for range 8 {
			res, _ := w.must(w.request(simulator.OpenAI, "x", false))
			pattern += string("_x"[res.StatusCode/500])
		}
		if strings.Count(pattern, "x") != 2 || strings.Contains(pattern, "xx") {
			t.Errorf("seed %d fails %s, want two of eight, apart", seed, pattern)
		}
		patterns[pattern] = true
	}
	if len(patterns) != 4 {
		t.Errorf("patterns = %v, want all four places", patterns)
	}
}

func TestFailuresHaveTheVendorsOwnBody(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for name, c := range map[string]struct {
		vendor string
		status int
		want   string
	}{
		"OpenAI 500":     {simulator.OpenAI, 500, `"type":"server_error","param":null,"code":null`},
		"OpenAI 429":     {simulator.OpenAI, 429, `"code":"rate_limit_exceeded"`},
		"OpenAI 401":     {simulator.OpenAI, 401, `"code":"invalid_api_key"`},
		"OpenAI 402":     {simulator.OpenAI, 402, `"type":"insufficient_quota"`},
		"OpenAI 403":     {simulator.OpenAI, 403, `"type":"request_forbidden"`},
		"OpenAI 503":     {simulator.OpenAI, 503, `"type":"server_error"`},
		"OpenAI 418":     {simulator.OpenAI, 418, `"type":"invalid_request_error"`},
		"Anthropic 500":  {simulator.Anthropic, 500, `"type":"api_error","message":"Internal server error"`},
		"Anthropic 429":  {simulator.Anthropic, 429, `"type":"rate_limit_error"`},
		"Anthropic 529":  {simulator.Anthropic, 529, `"type":"overloaded_error","message":"Overloaded"`},
		"Anthropic 401":  {simulator.Anthropic, 401, `"type":"authentication_error"`},
		"Anthropic 402":  {simulator.Anthropic, 402, `"type":"billing_error"`},
		"Anthropic 403":  {simulator.Anthropic, 403, `"type":"permission_error"`},
		"Anthropic 503":  {simulator.Anthropic, 503, `"type":"api_error"`},
		"Anthropic 504":  {simulator.Anthropic, 504, `"type":"timeout_error"`},
		"Gemini 500":     {simulator.Gemini, 500, `"code":500,`},
		"Gemini 429":     {simulator.Gemini, 429, `"retryDelay":"7s"`},
		"Gemini 401":     {simulator.Gemini, 401, `"status":"UNAUTHENTICATED"`},
		"Gemini 402":     {simulator.Gemini, 402, `"status":"PERMISSION_DENIED"`},
		"Gemini 503":     {simulator.Gemini, 503, `"status":"UNAVAILABLE"`},
		"Gemini 504":     {simulator.Gemini, 504, `"status":"DEADLINE_EXCEEDED"`},
		"Gemini 529":     {simulator.Gemini, 529, `"status":"UNKNOWN"`},
		"OpenRouter 500": {simulator.OpenRouter, 500, `"message":"Internal Server Error","code":500`},
		"OpenRouter 429": {simulator.OpenRouter, 429, `"message":"Provider returned error","code":429,"metadata":{"raw":"Simulated is`},
		"OpenRouter 401": {simulator.OpenRouter, 401, `"code":401`},
		"OpenRouter 402": {simulator.OpenRouter, 402, `"message":"Insufficient credits.`},
		"OpenRouter 403": {simulator.OpenRouter, 403, `"code":403`},
		"OpenRouter 502": {simulator.OpenRouter, 502, `"raw":"{\"error\"`},
		"OpenRouter 503": {simulator.OpenRouter, 503, `<!DOCTYPE html>`},
	} {
		w.configure(c.vendor, simulator.Behaviour{FailRate: 1, FailStatus: &c.status, RetryAfter: 7})
		for _, stream := range []bool{false, true} {
			res, body := w.must(w.request(c.vendor, "x", stream))
			if res.StatusCode != c.status || !strings.Contains(packed(body), packed(c.want)) {
				t.Errorf("%s = %d %s, want %s", name, res.StatusCode, body, c.want)
			}
			want := "7"
			if c.vendor == simulator.Gemini {
				want = "" // in the body alone
			}
			if got := res.Header.Get("Retry-After"); got != want {
				t.Errorf("%s: Retry-After = %q, want %q", name, got, want)
			}
		}
	}
}

func TestRetryAfterIsToldOnlyWhenGiven(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		w.configure(vendor, simulator.Behaviour{FailRate: 1, FailStatus: new(429)})
		res, body := w.must(w.request(vendor, "x", false))
		if res.Header.Get("Retry-After") != "" || strings.Contains(body, "retryDelay") {
			t.Errorf("%s tells a delay that was not given: %v %s", vendor, res.Header, body)
		}
	}
}

func TestStatusZeroResetsTheConnection(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		w.configure(vendor, simulator.Behaviour{FailRate: 1, FailStatus: new(0)})
		_, _, err := w.do(w.request(vendor, "x", false))
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("%s: error = %v, want a reset", vendor, err)
		}
		if s := w.stats(vendor); s.Failed != 1 || s.ByStatus["reset"] != 1 || s.InFlight != 0 {
			t.Errorf("%s: stats = %+v, want one failed by reset", vendor, s)
		}
	}
}

func TestCutBreaksAStreamAfterSoManyEvents(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		for _, delay := range []int{0, 1} {
			w.configure(vendor, simulator.Behaviour{CutAfterEvents: 3, ChunkDelayMS: delay, Mode: simulator.ModeEcho})
			before := w.stats(vendor)
			_, body, err := w.do(w.request(vendor, "x", true))
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: error = %v, want an unexpected end", vendor, err)
			}
			if got := len(data(body)); got != 3 {
				t.Errorf("%s: %d events, want 3: %s", vendor, got, body)
			}
			s := w.stats(vendor)
			if s.Cut != before.Cut+1 || s.OK != 0 || s.InFlight != 0 || s.Streams != before.Streams+1 {
				t.Errorf("%s: stats = %+v, want one more cut", vendor, s)
			}
		}
		w.configure(vendor, simulator.Behaviour{CutAfterEvents: 1000})
		if _, _, err := w.do(w.request(vendor, "x", true)); err != nil {
			t.Errorf("%s: error = %v, want a stream of fewer events whole", vendor, err)
		}
	}
}

func TestCutBreaksAWholeAnswerInTheMiddle(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		w.configure(vendor, simulator.Behaviour{CutAfterEvents: 1})
		res, body, err := w.do(w.request(vendor, "x", false))
		if !errors.Is(err, io.ErrUnexpectedEOF) || body == "" || res.StatusCode != http.StatusOK {
			t.Errorf("%s: answer %q, error %v; want half a body", vendor, body, err)
		}
		if s := w.stats(vendor); s.Cut != 1 || s.InFlight != 0 {
			t.Errorf("%s: stats = %+v, want one cut", vendor, s)
		}
	}
}

// eventuallyCanceled waits until the vendor has counted a client that left. The count follows the client's leaving at once, but not before it.
func (w *world) eventuallyCanceled(vendor string, want int64) {
	w.t.Helper()
	for w.t.Context().Err() == nil {
		if s := w.stats(vendor); s.Canceled == want && s.InFlight == 0 {
			return
		}
		runtime.Gosched()
	}
}

func TestAStallLastsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for i, b := range map[string]simulator.Behaviour{
		"stall":       {Stall: true},
		"latency":     {LatencyMS: 600_000},
		"chunk delay": {ChunkDelayMS: 600_000},
	} {
		for _, vendor := range simulator.Vendors() {
			if err := w.sim.Reset(vendor); err != nil {
				t.Fatal(err)
			}
			w.configure(vendor, b)
			left := int64(0)
			if i != "latency" { // with latency nothing comes
				r, cancel := withCancel(w.request(vendor, "x", true))
				res, err := w.client.Do(r)
				if err != nil {
					t.Fatalf("%s, %s: %v", i, vendor, err)
				}
				lines := bufio.NewScanner(res.Body)
				for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") { // the first event comes
				}
				if !strings.HasPrefix(lines.Text(), "data: ") {
					t.Errorf("%s, %s: no first event", i, vendor)
				}
				cancel()
				res.Body.Close()
				left++
			}
			if i != "chunk delay" { // which a whole answer does not know
				r, cancel := withCancel(w.request(vendor, "x", false))
				done := make(chan error, 1)
				go func() { _, _, err := w.do(r); done <- err }()
				for w.stats(vendor).Requests <= left { // it has not arrived
					runtime.Gosched()
				}
				cancel()
				if err := <-done; err == nil {
					t.Errorf("%s, %s: a whole answer came", i, vendor)
				}
				left++
			}
			w.eventuallyCanceled(vendor, left)
		}
	}
}

func TestAClientThatLeavesAmidALargeAnswerIsCanceled(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Cases: cases(simulator.OpenAI, map[string]string{
		"large": "POST /v1/chat/completions HTTP/1.1\n\n{}\n###\nHTTP/1.1 200 OK\nContent-Type: application/json\n\n" + strings.Repeat("x", 32<<20),
	})})
	r, cancel := withCancel(w.request(simulator.OpenAI, "[[case:large]]", false))
	res, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	res.Body.Close()
	w.eventuallyCanceled(simulator.OpenAI, 1)
	if s := w.stats(simulator.OpenAI); s.OK != 0 || s.Requests != 1 {
		t.Errorf("stats = %+v, want one canceled and nothing else", s)
	}
}

func TestAStallIsSilence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields string
		events int
	}{
		"a whole call gets nothing":     {"", 0},
		"a stream gets its first event": {`,"stream":true`, 1},
	} {
		synctest.Test(t, func(t *testing.T) { // in whose bubble it is known when nothing moves any more
			sim, err := simulator.New(simulator.Config{Models: models})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sim.Configure(simulator.OpenAI, simulator.Behaviour{Stall: true}); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/openai/v1/chat/completions", strings.NewReader(chatWith("gpt-4.1-mini", c.fields)))
			r.Header.Set("Content-Type", "application/json")
			authorize(r, simulator.OpenAI, "sk-test")
			r, cancel := withCancel(r)
			w := httptest.NewRecorder()
			done := false
			go func() { sim.Handler().ServeHTTP(w, r); done = true }()
			synctest.Wait()
			if done || len(data(w.Body.String())) != c.events || sim.Stats()[simulator.OpenAI].InFlight != 1 {
				t.Errorf("%s: done %t, body %q; want it to hang with %d events", name, done, w.Body, c.events)
			}
			cancel()
			synctest.Wait()
			if s := sim.Stats()[simulator.OpenAI]; !done || s.Canceled != 1 || s.InFlight != 0 {
				t.Errorf("%s: done %t, stats %+v; want it to end with the client", name, done, s)
			}
		})
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	sim, err := simulator.New(simulator.Config{Models: models})
	if err != nil {
		t.Fatal(err)
	}
	run, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sim: sim, run: run, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	w.configure(simulator.OpenAI, simulator.Behaviour{Stall: true})
	done := make(chan error, 1)
	r := w.request(simulator.OpenAI, "x", false)
	go func() { _, _, err := w.do(r); done <- err }()
	for w.stats(simulator.OpenAI).InFlight == 0 { // it has not arrived
		runtime.Gosched()
	}
	for range 2 { // closing twice is as good as once
		if err := run.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	<-done
	if s := w.stats(simulator.OpenAI); s.Canceled != 1 || s.InFlight != 0 {
		t.Errorf("stats = %+v, want one canceled", s)
	}
}
