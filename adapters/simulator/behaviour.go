package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
)

// The modes.
const (
	ModeScripted = "scripted" // wire cases, and made-up answers where none fits
	ModeEcho     = "echo"     // the SHA-256 of the last user message
)

// Behaviour is how a vendor behaves. The zero value behaves well.
type Behaviour struct {
	LatencyMS    int     `json:"latency_ms"`              // before each answer and each deliberate failure; the median when LatencySigma is set
	LatencySigma float64 `json:"latency_sigma,omitempty"` // 0..3: the latency of a call is log-normal with that sigma; 0: always the same
	ChunkDelayMS int     `json:"chunk_delay_ms"`          // between two events of a stream
	FailRate     float64 `json:"fail_rate"`               // 0..1: of n calls that are not refused, n times this fail, spread evenly
	FailStatus   *int    `json:"fail_status"`             // nil: 500; 0: the connection is reset
	RetryAfter   int     `json:"retry_after"`             // seconds, told with each deliberate failure the way the vendor tells it; 0: not told
	// FailKeys are credentials that always fail, each with its status: a revoked one with 401, a throttled one with 429.
	FailKeys map[string]int `json:"fail_keys,omitempty"`
	// CutAfterEvents breaks a stream's connection after that many events (comments do not count) if more would follow, and a whole
	// answer's connection in the middle of its body. 0: off.
	CutAfterEvents int `json:"cut_after_events"`
	// Stall never answers: a whole call gets no byte, a stream gets its header and first event, then silence until the client leaves.
	Stall bool   `json:"stall"`
	Mode  string `json:"mode"` // "": scripted
	Seed  int64  `json:"seed"` // shifts which calls fail and which of several fitting answers comes first
}

// The bounds of a behaviour.
const (
	maxDelayMS    = 600_000
	maxRetryAfter = 86_400
	maxCut        = 1_000_000
	maxFailKeys   = 100
	maxControl    = 64 << 10 // bytes of a control request
)

// failStatuses are what a vendor can be told to fail with; 0 resets the connection.
const failStatuses = "0 or 400..599"

func (b Behaviour) complete() (Behaviour, error) {
	if b.Mode == "" {
		b.Mode = ModeScripted
	}
	if b.FailStatus == nil {
		b.FailStatus = new(500)
	}
	b.FailStatus = new(*b.FailStatus) // the caller keeps its own
	switch status := *b.FailStatus; {
	case b.LatencyMS < 0 || b.LatencyMS > maxDelayMS:
		return b, fmt.Errorf("latency_ms: want 0..%d", maxDelayMS)
	case b.ChunkDelayMS < 0 || b.ChunkDelayMS > maxDelayMS:
		return b, fmt.Errorf("chunk_delay_ms: want 0..%d", maxDelayMS)
	case !(b.FailRate >= 0 && b.FailRate <= 1): // NaN is neither
		return b, errors.New("fail_rate: want 0..1")
	case status != 0 && (status < 400 || status > 599):
		return b, errors.New("fail_status: want " + failStatuses)
	case b.RetryAfter < 0 || b.RetryAfter > maxRetryAfter:
		return b, fmt.Errorf("retry_after: want 0..%d", maxRetryAfter)
	case b.CutAfterEvents < 0 || b.CutAfterEvents > maxCut:
		return b, fmt.Errorf("cut_after_events: want 0..%d", maxCut)
	case !(b.LatencySigma >= 0 && b.LatencySigma <= 3):
		return b, errors.New("latency_sigma: want 0..3")
	case len(b.FailKeys) > maxFailKeys:
		return b, fmt.Errorf("fail_keys: want at most %d", maxFailKeys)
	case b.Mode != ModeScripted && b.Mode != ModeEcho:
		return b, errors.New("mode: want scripted or echo")
	}
	for _, status := range b.FailKeys {
		if status < 400 || status > 599 {
			return b, errors.New("fail_keys: want 400..599")
		}
	}
	b.FailKeys = maps.Clone(b.FailKeys)
	return b, nil
}

// readBehaviour reads a control request strictly. Its errors are fit to be shown.
func readBehaviour(body []byte) (Behaviour, error) {
	var b Behaviour
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return b, controlError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return b, errors.New("the body holds more than one JSON value")
	}
	return b.complete()
}

func controlError(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: want %s, got %s", wrong.Field, wrong.Type, wrong.Value)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("unknown field %s", field)
	}
	return errors.New("the body is not a JSON object")
}

// conduct is a behaviour in force, with what it counts.
type conduct struct {
	Behaviour

	calls atomic.Uint64 // that were not refused
	rate  uint64        // FailRate in billionths
	phase uint64        // in billionths
	turns atomic.Uint64 // answers chosen among several
}

const billion = 1_000_000_000

func newConduct(b Behaviour) *conduct {
	c := &conduct{Behaviour: b, rate: uint64(math.Round(b.FailRate * billion))}
	if b.Seed != 0 {
		c.phase = mix(uint64(b.Seed)) % billion //nolint:gosec // any bits will do
	}
	return c
}

// fails says whether the next call is to fail: in any n calls in a row the count is within one of n times the rate, and exact where that
// is a whole number. It counts in whole billionths, so that no rounding adds up.
func (c *conduct) fails() bool {
	n := c.calls.Add(1)
	return (n*c.rate+c.phase)/billion > ((n-1)*c.rate+c.phase)/billion
}

// failsKey gives the status that the request's credential always fails with, 0 when it does not.
func (c *conduct) failsKey(r *http.Request) int {
	if len(c.FailKeys) == 0 {
		return 0
	}
	for _, h := range []string{"X-Api-Key", "X-Goog-Api-Key", "Authorization"} {
		if status := c.FailKeys[strings.TrimPrefix(r.Header.Get(h), "Bearer ")]; status != 0 {
			return status
		}
	}
	return 0
}

// latency gives how long the call takes, in milliseconds.
func (c *conduct) latency(serial uint64) int {
	if c.LatencySigma == 0 || c.LatencyMS == 0 {
		return c.LatencyMS
	}
	seed := mix(serial + uint64(c.Seed)) //nolint:gosec // any bits will do
	u := (float64(seed>>11) + 0.5) / (1 << 53)
	v := float64(mix(seed)>>11) / (1 << 53)
	normal := math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v) // Box and Muller
	return int(min(float64(c.LatencyMS)*math.Exp(c.LatencySigma*normal), maxDelayMS))
}

// turn gives the place, below n, of the next answer among n that fit.
func (c *conduct) turn(n int) int {
	if n < 2 {
		return 0
	}
	return int((c.turns.Add(1) - 1 + c.phase) % uint64(n)) //nolint:gosec // below n
}

// mix is splitmix64: one number makes another that looks nothing like it.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
