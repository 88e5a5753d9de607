package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/forge1/forge1/adapters/simulator"
)

// tour asks the running API and says what happened.
type tour struct {
	out     io.Writer
	base    string
	metrics string
	vendors string
	sim     *simulator.Server
	key     string
	tenant  string
	client  *http.Client
	best    string // provider that the first task was routed to
}

func newClient() *http.Client { return &http.Client{Timeout: 30 * time.Second} }

func (t *tour) line(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format+"\n", args...) }

// take goes through every step; the first that does not hold ends the tour.
func (t *tour) take(ctx context.Context) error {
	steps := []struct {
		title string
		run   func(context.Context) error
	}{
		{"A task is routed by cost and latency", t.routed},
		{"A vendor fails, the next one answers", t.failover},
		{"Three failures in a row open the vendor's breaker", t.breaker},
		{"An answer arrives as a stream", t.stream},
		{"The same question again is answered from the prompt cache", t.cached},
		{"Why that provider? The decision is kept, and can be made again", t.replayed},
		{"An OpenAI client changes its base URL and nothing else", t.openai},
	}
	for i, s := range steps {
		t.line("\n%d. %s", i+1, s.title)
		if err := s.run(ctx); err != nil {
			t.line("   ✗ %v", err)
			return fmt.Errorf("step %d, %s: %w", i+1, strings.ToLower(s.title), err)
		}
	}
	t.line("\n✓ Every step held.")
	return nil
}

type executed struct {
	Success   bool   `json:"success"`
	Output    string `json:"output"`
	ModelUsed string `json:"model_used"`
	Metadata  struct {
		Provider     string  `json:"provider"`
		Model        string  `json:"model"`
		DecisionID   string  `json:"decision_id"`
		TraceID      string  `json:"trace_id"`
		InputTokens  int     `json:"input_tokens"`
		OutputTokens int     `json:"output_tokens"`
		CostUSD      *string `json:"cost_usd"`
		Cache        string  `json:"cache"`
		Attempts     []struct {
			Provider string  `json:"provider"`
			Model    string  `json:"model"`
			Outcome  string  `json:"outcome"`
			Latency  float64 `json:"latency_ms"`
		} `json:"attempts"`
	} `json:"metadata"`
}

type decision struct {
	Candidates []struct {
		Provider  string  `json:"provider"`
		Model     string  `json:"model"`
		Rank      int     `json:"rank"`
		Score     float64 `json:"score"`
		CostCents float64 `json:"cost_cents"`
		P95Ms     int     `json:"p95_ms"`
		P95Known  bool    `json:"p95_known"`
	} `json:"candidates"`
	Excluded []struct {
		Provider string `json:"provider"`
		Model    string `json:"model"`
		Reason   string `json:"reason"`
	} `json:"excluded"`
}

const task = "Explain in one sentence why a bicycle stays upright."

func (t *tour) routed(ctx context.Context) error {
	var a executed
	var d decision
	if err := t.execute(ctx, "general", &a, &d); err != nil {
		return err
	}
	t.showDecision(d)
	t.showAnswer(a)
	t.best = a.Metadata.Provider
	if len(d.Candidates) != 4 || d.Candidates[0].Provider != t.best {
		return fmt.Errorf("four candidates were due, the best of which answers; got %d, and %s answered", len(d.Candidates), t.best)
	}
	return nil
}

func (t *tour) failover(ctx context.Context) error {
	if err := t.behave(ctx, t.best, `{"fail_rate":1,"fail_status":503}`); err != nil {
		return err
	}
	t.line("   %s is told to answer every call with 503.", t.best)
	var a executed
	if err := t.execute(ctx, "general", &a, nil); err != nil {
		return err
	}
	t.showAnswer(a)
	if n := len(a.Metadata.Attempts); n != 2 || a.Metadata.Attempts[0].Outcome == "ok" || a.Metadata.Provider == t.best {
		return fmt.Errorf("two attempts were due, the first failed; got %d, and %s answered", n, a.Metadata.Provider)
	}
	return nil
}

func (t *tour) breaker(ctx context.Context) error {
	for range 5 {
		var a executed
		var d decision
		if err := t.execute(ctx, "general", &a, &d); err != nil {
			return err
		}
		for _, x := range d.Excluded {
			if x.Provider == t.best && x.Reason == "breaker_open" {
				t.showDecision(d)
				t.line("   %s is left alone now; the answer came from %s in %d attempt.", t.best, a.ModelUsed, len(a.Metadata.Attempts))
				return t.behave(ctx, t.best, `{}`)
			}
		}
		t.line("   asked again: %d attempts, %s failed once more.", len(a.Metadata.Attempts), t.best)
	}
	return fmt.Errorf("the breaker of %s did not open", t.best)
}

func (t *tour) stream(ctx context.Context) error {
	for _, v := range []string{"openai", "claude", "gemini", "openrouter"} {
		if err := t.behave(ctx, v, `{"chunk_delay_ms":30}`); err != nil {
			return err
		}
	}
	res, err := t.post(ctx, "/api/v1/ai/execute", `{"task":`+quote(task)+`,"task_type":"creative","stream":true}`, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream was refused with %s", res.Status)
	}
	_, _ = fmt.Fprint(t.out, "   ")
	event, pieces, finished := "", 0, false
	var got strings.Builder
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, data, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "event":
			event = data
		case name == "data" && event == "delta":
			var piece struct {
				Text string `json:"text"`
			}
			if err := json.Unmarshal([]byte(data), &piece); err != nil {
				return fmt.Errorf("read a piece: %w", err)
			}
			_, _ = fmt.Fprint(t.out, strings.ReplaceAll(piece.Text, "\n", "\n   "))
			got.WriteString(piece.Text)
			pieces++
		case name == "data" && event == "done":
			var a executed
			if err := json.Unmarshal([]byte(data), &a); err != nil {
				return fmt.Errorf("read the end: %w", err)
			}
			finished = a.Output == got.String()
			t.line("\n   %d pieces from %s, then the whole with %d tokens.", pieces, a.ModelUsed, a.Metadata.InputTokens+a.Metadata.OutputTokens)
		}
	}
	if pieces < 2 || !finished {
		return fmt.Errorf("several pieces and an end that equals them were due; got %d pieces, end right: %v", pieces, finished)
	}
	return nil
}

func (t *tour) openai(ctx context.Context) error {
	res, err := t.post(ctx, "/v1/chat/completions", `{"model":"auto","messages":[{"role":"user","content":`+quote(task)+`}]}`, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var a struct {
		Object  string `json:"object"`
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if a.Object != "chat.completion" || len(a.Choices) != 1 || a.Choices[0].Message.Content == "" {
		return fmt.Errorf("a chat.completion was due, got %q with %s", a.Object, res.Status)
	}
	t.line("   POST /v1/chat/completions, model auto → %s/%s", res.Header.Get("X-Forge-Provider"), res.Header.Get("X-Forge-Model"))
	return nil
}

// execute asks for a whole answer, with the decision when d is not nil.
func (t *tour) execute(ctx context.Context, taskType string, a *executed, d *decision) error {
	headers := map[string]string{}
	if d != nil {
		headers["X-Forge-Explain"] = "true"
	}
	res, err := t.post(ctx, "/api/v1/ai/execute", `{"task":`+quote(task)+`,"task_type":`+quote(taskType)+`,"context":{"max_tokens":200,"cache":false}}`, headers)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the task was refused with %s", res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(a); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if !a.Success {
		return fmt.Errorf("an answer without success")
	}
	if d == nil {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(res.Header.Get("X-Forge-Decision"))
	if err != nil {
		return fmt.Errorf("read the decision: %w", err)
	}
	return json.Unmarshal(raw, d)
}

func (t *tour) post(ctx context.Context, path, body string, headers map[string]string) (*http.Response, error) {
	return t.send(ctx, http.MethodPost, path, body, headers)
}

func (t *tour) send(ctx context.Context, method, path, body string, headers map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, t.base+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+t.key)
	req.Header.Set("Content-Type", "application/json")
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	return t.client.Do(req)
}

// behave tells a simulated vendor how to behave, through its control interface.
func (t *tour) behave(ctx context.Context, provider, how string) error {
	vendor := provider
	if provider == "claude" {
		vendor = "anthropic"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, t.vendors+"/_sim/"+vendor, bytes.NewBufferString(how))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := t.client.Do(req)
	if err != nil {
		return fmt.Errorf("control the simulator: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("control the simulator: %s", res.Status)
	}
	return nil
}

func (t *tour) showDecision(d decision) {
	t.line("   %-4s %-34s %9s %9s %9s", "rank", "target", "cents", "p95 ms", "score")
	for _, c := range d.Candidates {
		known := ""
		if !c.P95Known {
			known = " (assumed)"
		}
		t.line("   %-4d %-34s %9.4f %9d %9.4f%s", c.Rank, c.Provider+"/"+c.Model, c.CostCents, c.P95Ms, c.Score, known)
	}
	for _, x := range d.Excluded {
		t.line("   %-4s %-34s excluded: %s", "-", x.Provider+"/"+x.Model, x.Reason)
	}
}

func (t *tour) showAnswer(a executed) {
	for i, at := range a.Metadata.Attempts {
		t.line("   attempt %d: %s/%s %s in %.1f ms", i+1, at.Provider, at.Model, at.Outcome, at.Latency)
	}
	cost := "unpriced"
	if a.Metadata.CostUSD != nil {
		cost = "$" + *a.Metadata.CostUSD
	}
	t.line("   %s answered: %q", a.ModelUsed, shorten(a.Output, 90))
	t.line("   %d + %d tokens, %s, decision %s, trace %s", a.Metadata.InputTokens, a.Metadata.OutputTokens, cost, a.Metadata.DecisionID, a.Metadata.TraceID)
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func quote(s string) string {
	b, _ := json.Marshal(s) //nolint:errchkjson // a string always marshals
	return string(b)
}
