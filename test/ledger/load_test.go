package ledger_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// canary stands in every prompt, and in every answer that repeats it.
const canary = "the vanilla ibis crosses quietly"

// sent is one call of a client, and what it saw.
type sent struct {
	name   string
	left   bool   // the client left before the end
	status int    // 0: no answer
	code   string // of a failure
}

// kinds of calls.
const (
	whole = iota
	stream
	chat
	chatStream
	leaves       // in the middle of a stream
	leavesAtOnce // as soon as a vendor has the call
	kinds
)

// load makes calls until all are made, or it is told to end.
type load struct {
	w       *world
	url     string
	http    *http.Client
	mu      sync.Mutex
	done    []sent
	answers atomic.Int64 // but for those that refuse for want of room
}

func newLoad(t *testing.T, w *world) *load {
	t.Helper()
	l := &load{w: w, url: w.url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(l.http.CloseIdleConnections)
	return l
}

// calls makes n calls, some at a time, and gives what became of them.
func (l *load) calls(ctx context.Context, n, atOnce int) []sent {
	var next atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1))
				if i > n {
					return
				}
				one := l.call(ctx, i)
				l.mu.Lock()
				l.done = append(l.done, one)
				l.mu.Unlock()
				if one.code == "busy" { // it may come again
					pause(ctx)
					continue
				}
				l.answers.Add(1)
			}
		})
	}
	all.Wait()
	return l.done
}

// call makes the i-th call.
func (l *load) call(ctx context.Context, i int) sent {
	s := sent{name: fmt.Sprintf("call-%07d", i)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kind := i % kinds
	if kind == leavesAtOnce {
		seen := l.w.meter.arrival(s.name)
		go func() {
			select {
			case <-seen:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	res, err := l.send(ctx, s.name, kind)
	if err != nil {
		s.left = kind == leavesAtOnce && ctx.Err() != nil
		return s
	}
	defer func() { _ = res.Body.Close() }()
	s.status = res.StatusCode
	if kind == leaves && res.StatusCode == http.StatusOK {
		_, _ = bufio.NewReader(res.Body).ReadString('\n')
		s.left = true
		return s
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.left = kind == leavesAtOnce
		if !s.left {
			s.status = 0
		}
		return s
	}
	var problem struct {
		Code  string
		Error struct{ Code string }
	}
	if s.status != http.StatusOK {
		_ = json.Unmarshal(body, &problem)
		s.code = problem.Code + problem.Error.Code
	}
	return s
}

func (l *load) send(ctx context.Context, name string, kind int) (*http.Response, error) {
	path, body := "/api/v1/ai/execute", map[string]any{
		"task": name + ": " + canary, "stream": kind != whole && kind != leavesAtOnce,
		"context": map[string]any{"cache": false, "end_user": name, "tags": []string{"even", "of-" + strconv.Itoa(kind)}},
	}
	if kind == chat || kind == chatStream {
		path, body = "/v1/chat/completions", map[string]any{
			"model": "auto", "user": name, "stream": kind == chatStream, "messages": []any{map[string]any{"role": "user", "content": name + ": " + canary}},
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+l.w.key)
	return l.http.Do(req)
}

// moods are ways in which a vendor behaves, the good ones more often.
var moods = []string{
	`{"mode":"echo"}`, `{"mode":"echo"}`, `{"mode":"echo"}`, `{"mode":"echo","chunk_delay_ms":1}`, `{"mode":"echo","fail_rate":0.5,"fail_status":500}`,
	`{"mode":"echo","fail_rate":1,"fail_status":503}`, `{"mode":"echo","fail_rate":0.3,"fail_status":429,"retry_after":1}`, `{"mode":"echo","fail_rate":0.5,"fail_status":0}`,
	`{"mode":"echo","fail_rate":0.4,"fail_status":529}`, `{"mode":"echo","cut_after_events":1}`, `{"mode":"echo","cut_after_events":3}`, `{"mode":"echo","latency_ms":20}`,
	`{"mode":"echo","stall":true}`,
}

// moody changes the vendors' moods until the context ends.
func (m *meter) moody(ctx context.Context, t *testing.T) {
	t.Helper()
	dice := rand.New(rand.NewPCG(4, 7)) //nolint:gosec // the same each time
	for ctx.Err() == nil {
		m.behave(t, []string{"openai", "anthropic", "gemini", "openrouter"}[dice.IntN(4)], moods[dice.IntN(len(moods))])
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// howMany is the number of calls on one store.
func howMany(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FORGE_LEDGER_CALLS")
	if text == "" {
		return 5_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 {
		t.Fatal("FORGE_LEDGER_CALLS must be a number of at least 100")
	}
	return n
}

// pause lets others go first, as a client does that was told to come again.
func pause(ctx context.Context) {
	timer := time.NewTimer(5 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
