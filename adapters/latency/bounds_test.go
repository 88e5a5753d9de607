package latency_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// numbers writes varints one after the other: those of a sketch are zeros, tokens, lengths, shortest, longest, then steps, which have a sign, and counts.
func numbers(fixed [5]uint64, bins ...int64) []byte {
	var b []byte
	for _, n := range fixed {
		b = binary.AppendUvarint(b, n)
	}
	for i, n := range bins {
		if i%2 == 0 {
			b = binary.AppendVarint(b, n)
		} else {
			b = binary.AppendUvarint(b, uint64(n)) //nolint:gosec // the test's own
		}
	}
	return b
}

// entry writes a key and its sketch.
func entry(task, provider, model string, sketch []byte) []byte {
	var b []byte
	for _, text := range []string{task, provider, model, string(sketch)} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

func general(sketch []byte) []byte { return entry("general", "openai", "m", sketch) }

func body(entries ...[]byte) []byte {
	b := []byte{1}
	for _, e := range entries {
		b = append(b, e...)
	}
	return b
}

func TestOnlyASketchIsBelieved(t *testing.T) {
	const ms = 1_000_000
	good := general(numbers([5]uint64{1, 30, 2, 0, ms}, 0, 3, -200, 1))
	tests := map[string]struct {
		body []byte
		want int // samples
	}{
		"a good one":                         {body(good), 5},
		"a good one, and one of another key": {body(good, entry("review", "openai", "m", numbers([5]uint64{1}))), 5},
		"the later of two of one key":        {body(good, general(numbers([5]uint64{7}))), 7},
		"a good one after a bad one":         {body(general([]byte{1}), good), 5},
		"another version":                    {append([]byte{2}, good...), 0},
		"what ends too soon":                 {body(good)[:len(good)-2], 0},
		"what goes on":                       {append(body(good), 7), 0},
		"nothing in it":                      {body(general(numbers([5]uint64{}))), 0},
		"more lengths than answers":          {body(general(numbers([5]uint64{1, 30, 2}))), 0},
		"a shortest that is longer":          {body(general(numbers([5]uint64{1, 0, 0, 2, 1}))), 0},
		"a day and more":                     {body(general(numbers([5]uint64{1, 0, 0, 0, 86_400_000_000_001}))), 0},
		"too many tokens":                    {body(general(numbers([5]uint64{1, 1_000_000_000_001, 1}))), 0},
		"too many answers":                   {body(general(numbers([5]uint64{600_000_000, 0, 0, 0, ms}, 0, 600_000_000))), 0},
		"a counter of nothing":               {body(general(numbers([5]uint64{1, 0, 0, 0, ms}, 0, 0))), 0},
		"a counter above all":                {body(general(numbers([5]uint64{0, 0, 0, 0, ms}, 1000, 1))), 0},
		"a counter below all":                {body(general(numbers([5]uint64{0, 0, 0, 0, ms}, -300, 1))), 0},
		"a step beyond all":                  {body(general(numbers([5]uint64{0, 0, 0, 0, ms}, 1<<62, 1))), 0},
		"a step without a count":             {body(general(numbers([5]uint64{1, 0, 0, 0, ms}, 0))), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPair()
			_ = p.m.Publish(t.Context(), outbound.SharedSketch{Replica: "c", Part: p.hb.now().UnixNano() / int64(part), Body: tt.body}, time.Minute)
			p.exchange(t)
			p.wantB(t, name, tt.want)
		})
	}
	t.Run("an unknown task type", func(t *testing.T) {
		p := newPair()
		for i, task := range []string{"", "poetry"} {
			_ = p.m.Publish(t.Context(), outbound.SharedSketch{
				Replica: fmt.Sprint(i), Part: p.hb.now().UnixNano() / int64(part), Body: body(entry(task, "openai", "m", numbers([5]uint64{1}))),
			}, time.Minute)
		}
		p.exchange(t)
		if n, _ := p.b.Heard(); n != 0 {
			t.Errorf("%d sketches are kept, want none", n)
		}
	})
}

func TestWhatIsKeptOfOthersHasABound(t *testing.T) {
	var wideBins []int64
	for range 1000 {
		wideBins = append(wideBins, 1, 1_000_000)
	}
	wideBins[0] = -100
	tests := map[string]struct {
		sketch []byte
		keys   int
	}{
		"many":  {numbers([5]uint64{1}), 40},
		"large": {numbers([5]uint64{0, 0, 0, 0, 1}, wideBins...), 9},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPair()
			var entries [][]byte
			for k := range tt.keys {
				entries = append(entries, entry("general", "openai", fmt.Sprint(k%20), tt.sketch), entry("review", "openai", fmt.Sprint(k%20), tt.sketch))
			}
			now := p.hb.now().UnixNano() / int64(part)
			for i := range 600 {
				for back := range int64(10) {
					_ = p.m.Publish(t.Context(), outbound.SharedSketch{Replica: fmt.Sprint(i), Part: now - back, Body: body(entries...)}, time.Minute)
				}
			}
			if err := p.b.Exchange(t.Context()); err != nil {
				t.Fatal(err)
			}
			n, size := p.b.Heard()
			if n == 0 || n > 50_000 || size > 32<<20 || n < 50_000 && size < 31<<20 {
				t.Errorf("%d sketches of %d bytes are kept, want 50,000 or 32 MiB of them", n, size)
			}
			p.m.flush()
			p.pass(conformance.LatencyWindow + part)
			if err := p.b.Exchange(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n, size := p.b.Heard(); n != 0 || size != 0 {
				t.Errorf("%d sketches of %d bytes are kept when they have left the window, want none", n, size)
			}
		})
	}
}

// hangs is a store that answers nothing until whoever asks has had enough.
type hangs struct{}

func (hangs) Publish(ctx context.Context, _ outbound.SharedSketch, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (hangs) Others(ctx context.Context, _ string, _ []int64) ([]outbound.SharedSketch, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// wide answers with latencies that share no counter.
func wide(l *latency.Latencies, model string) {
	for ms := 0.02; ms < 8e7; ms *= 1.021 {
		l.Observe(routing.General, target(model), time.Duration(ms*float64(time.Millisecond)), 100)
	}
}

func TestWhatIsPublishedHasABound(t *testing.T) {
	p := newPair()
	for i := range 700 {
		wide(p.a, fmt.Sprint("wide ", i))
	}
	spread(p.a, 1, 5000)
	p.exchange(t)
	all, err := p.m.Others(t.Context(), "b", []int64{p.ha.now().UnixNano() / int64(part)})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sketches, %v; want one", len(all), err)
	}
	if n := len(all[0].Body); n > outbound.MaxSketchBytes || n < outbound.MaxSketchBytes/2 {
		t.Errorf("%d bytes are published, want nearly the most, %d", n, outbound.MaxSketchBytes)
	}
	p.wantB(t, "the target with the most samples", 5000)
}
