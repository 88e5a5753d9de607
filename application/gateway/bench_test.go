package gateway_test

import (
	"context"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// idle answers at once and keeps nothing.
type idle struct {
	outbound.Provider
	outbound.Relay
	answer *outbound.Relayed
}

func (idle) Dialect() chat.Dialect { return chat.DialectOpenAIChat }

func (i idle) RelayWhole(context.Context, outbound.Target, []byte) (*outbound.Relayed, error) {
	return i.answer, nil
}

func benchWorld(b *testing.B) *world {
	v := idle{answer: &outbound.Relayed{Body: make([]byte, 2000), Model: "m", Finish: chat.FinishStop, Usage: &chat.Usage{Input: 100, Output: 20}}}
	w := newWorld(b, options{room: 1 << 40, connections: func(c map[string]*outbound.Connection) {
		for _, each := range c {
			each.Provider, each.Relay = v, v
		}
	}})
	return w
}

func BenchmarkExecute(b *testing.B) {
	w := benchWorld(b)
	call := relayed("")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Execute(b.Context(), call); err != nil {
			b.Fatal(err)
		}
		w.book.rows = w.book.rows[:0]
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
		w.book.rows = w.book.rows[:0]
	}
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
		w.book.rows = w.book.rows[:0]
	}
}
