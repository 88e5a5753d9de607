package gateway_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// idle answers at once and keeps nothing.
type idle struct {
	outbound.Provider
	outbound.Relay
	answer *outbound.Relayed
}

func (idle) Dialect() chat.Dialect { return chat.DialectOpenAIChat }

func (i idle) RelayWhole(context.Context, outbound.Target, outbound.Passage) (*outbound.Relayed, error) {
	return i.answer, nil
}

func benchWorld(b testing.TB, more ...func(*options)) *world {
	b.Helper()
	v := idle{answer: &outbound.Relayed{Body: make([]byte, 2000), Model: "m", Finish: chat.FinishStop, Usage: &chat.Usage{Input: 100, Output: 20}}}
	o := options{room: 1 << 40, connections: func(c map[string]*outbound.Connection) {
		for _, each := range c {
			each.Provider, each.Relays = v, []outbound.Relay{v}
		}
	}}
	for _, change := range more {
		change(&o)
	}
	return newWorld(b, o)
}

func BenchmarkExecute(b *testing.B) {
	w := benchWorld(b)
	call := relayed("")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Execute(b.Context(), call); err != nil {
			b.Fatal(err)
		}
		w.book.forget()
	}
}

func BenchmarkExecutePinned(b *testing.B) {
	w := benchWorld(b)
	call := relayed("openai/gpt-4o")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Execute(b.Context(), call); err != nil {
			b.Fatal(err)
		}
		w.book.forget()
	}
}

// forget makes the book's memory no part of what is measured.
func (b *book) forget() {
	clear(b.rows)
	clear(b.decided)
	b.rows, b.decided = b.rows[:0], b.decided[:0]
	clear(b.sheets)
}

// BenchmarkDecisionsLeaveTheHeapFlat says by how much the heap has grown for each call, when it has settled: 0, with -benchtime 1000000x.
func BenchmarkDecisionsLeaveTheHeapFlat(b *testing.B) {
	w := benchWorld(b)
	flow := someCalls(b, w)
	for range 20_000 {
		flow()
	}
	before := heap()
	for b.Loop() {
		flow()
	}
	b.ReportMetric(float64(heap()-before)/float64(b.N), "heap-B/op")
}

func TestDecisionsLeaveTheHeapFlat(t *testing.T) {
	const calls, most = 30_000, 1 << 20
	w := benchWorld(t)
	flow := someCalls(t, w)
	for range 20_000 { // breakers and sketches of invented models fill up, to their bounds
		flow()
	}
	before := heap()
	for range calls {
		flow()
	}
	if grown := heap() - before; grown > most {
		t.Errorf("the heap grew by %d bytes in %d calls, want less than %d", grown, calls, most)
	}
}

// someCalls gives a function that makes a call of one of many kinds: routed, by alias, pinned, pinned to a model nobody knows, explained, refused.
func someCalls(t testing.TB, w *world) func() {
	t.Helper()
	w.aliased(alias("fast", routing.Ordered, "openai/gpt-4o", "claude/claude-haiku-4-5"))
	calls := []inbound.Call{relayed(""), relayed("fast"), relayed("openai/gpt-4o"), relayed("auto:review")}
	n := 0
	return func() {
		n++
		call := calls[n%len(calls)]
		if n%4 == 0 {
			call.Model = "openai/invented-" + strconv.Itoa(n)
		}
		call.Vision = n%9 == 0
		if n%7 == 0 {
			_, _ = w.Explain(t.Context(), call)
			return
		}
		if _, err := w.Execute(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		w.book.forget()
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is that large
}

func BenchmarkExplain(b *testing.B) {
	w := benchWorld(b)
	call := relayed("")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Explain(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStreamOf200(b *testing.B) {
	w := newWorld(b, options{room: 1 << 40})
	frames := append(many(content(`data: {"choices":[{"delta":{"content":"word"}}]}`), 200), finish(chat.FinishStop))
	call := relayed("openai/gpt-4o-mini")
	b.ReportAllocs()
	for b.Loop() {
		w.plays("openai", pieces(frames...))
		s, err := w.Stream(b.Context(), call)
		if err != nil {
			b.Fatal(err)
		}
		for range s.Pieces { //nolint:revive // only the way is measured
		}
		w.book.forget()
	}
}
