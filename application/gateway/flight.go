package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// form says in which form those who share a flight must be able to have its answer.
type form uint8

const (
	anyForm   form = iota // whole or in pieces, if the answer allows it
	ownForm               // as the flight asks the vendor for it, whole
	ownStream             // likewise, in pieces
	alone                 // nobody shares it
)

// flightKey names what is asked for.
type flightKey struct {
	prompt outbound.PromptKey
	form   form
}

// flights are the calls of this replica that a vendor is answering and that others may join, one for each prompt.
type flights struct {
	mu     sync.Mutex
	by     map[flightKey]*flight
	landed [256]atomic.Uint32 // by the first byte of the prompt's key
}

// mark counts the flights that have landed, so that one who found nothing in the store knows whether to look again.
func (fs *flights) mark(k outbound.PromptKey) uint32 { return fs.landed[k[0]].Load() }

// flight is one call of a vendor with all who wait for its answer. It belongs to all of them: it goes on until the last has left, whoever began it,
// and only that one has its row. What stands below mu may be read once began, or ended, is closed.
type flight struct {
	key     flightKey
	streams bool // the vendor is asked for a stream
	cancel  context.CancelFunc
	began   chan struct{} // the head is known, or it has ended
	ended   chan struct{}

	mu    sync.Mutex
	seats map[*seat]struct{}
	empty bool // the last one has left
	over  bool
	log   log

	head    inbound.Receipt
	relayed bool

	answer inbound.Answer // of one that does not stream
	final  inbound.Receipt
	entry  *entry // what came of it; nil after a failure, or when it is too large to be held
	found  bool   // the entry was in the store already: no vendor was asked
	err    error  // the fault that all get
}

// join takes a seat in the flight to the prompt's answer, or begins one.
func (v *visit) join(ctx context.Context, how form) (s *seat, leads bool) {
	fs, key := &v.flights, flightKey{v.key, how}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.by[key]; f != nil && how != alone {
		if s := f.enter(v.in.Stream); s != nil {
			return s, false
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{
		key: key, streams: v.in.Stream, cancel: cancel, began: make(chan struct{}), ended: make(chan struct{}), seats: map[*seat]struct{}{},
	}
	if how != alone {
		if fs.by == nil {
			fs.by = map[flightKey]*flight{}
		}
		fs.by[key] = f
	}
	s = f.enter(v.in.Stream)
	go v.fly(ctx, f)
	return s, true
}

// fly is the flight's own goroutine. It ends when the answer has ended, or soon after everybody has left.
func (v *visit) fly(ctx context.Context, f *flight) {
	defer v.land(f)
	defer v.rescue(f)
	if v.mark != v.flights.mark(v.key) && f.key.form != alone {
		if e := v.recall(ctx); e != nil && v.suits(e) {
			f.end(func() { f.entry, f.found = e, true })
			return
		}
	}
	in := v.in
	in.Cache = inbound.CacheOn
	v.Meter.Cache(string(in.Surface), label(in))
	if f.streams {
		v.flyStream(ctx, f, in)
	} else {
		v.flyWhole(ctx, f, in)
	}
	if f.key.form != alone {
		v.keep(ctx, f.entry) // nobody waits for the store
	}
}

// keepFirst has an answer kept before its one caller is told, when nobody can join the flight: who asks next looks into the store alone.
func (v *visit) keepFirst(ctx context.Context, f *flight, e *entry) *entry {
	if f.key.form == alone {
		v.keep(ctx, e)
	}
	return e
}

func (v *visit) flyWhole(ctx context.Context, f *flight, in inbound.Call) {
	a, err := v.execute(ctx, in)
	var e *entry
	if err == nil {
		e = v.keepFirst(ctx, f, &entry{facts: a.Receipt, created: v.Clock(), body: a.Body, response: a.Response})
	}
	f.end(func() { f.answer, f.final, f.err, f.entry = a, a.Receipt, err, e })
}

func (v *visit) flyStream(ctx context.Context, f *flight, in inbound.Call) {
	a, err := v.stream(ctx, in)
	if err != nil {
		f.end(func() { f.final, f.err = a.Head, err })
		return
	}
	g := v.gather(a)
	f.begin(a.Head, a.Relayed)
	var failure error
	for p, err := range a.Pieces {
		if err != nil {
			failure = err
			break
		}
		g.add(p)
		if !f.add(ctx, p) {
			failure = ErrCanceled
			break
		}
	}
	a.Close()
	r := a.Receipt()
	var e *entry
	if failure == nil {
		e = v.keepFirst(ctx, f, g.entry(r, v.Clock()))
	}
	f.end(func() { f.final, f.err, f.entry = r, failure, e })
}

// arriving gives the answer of a flight that has ended, and that may be on its way into the store still or have come there meanwhile; nil: there is none.
func (v *visit) arriving(ctx context.Context) *entry {
	fs := &v.flights
	fs.mu.Lock()
	f := fs.by[flightKey{v.key, anyForm}]
	fs.mu.Unlock()
	if f != nil && f.isOver() && v.lasts(f.entry) {
		return f.entry
	}
	if v.mark != fs.mark(v.key) {
		return v.recall(ctx)
	}
	return nil
}

// land takes the flight off the board. What it brought is in the store by then.
func (v *visit) land(f *flight) {
	fs := &v.flights
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.by[f.key] == f {
		delete(fs.by, f.key)
	}
	fs.landed[v.key[0]].Add(1)
	f.cancel()
}

// begin says that the answer begins.
func (f *flight) begin(head inbound.Receipt, relayed bool) {
	f.head, f.relayed = head, relayed
	close(f.began)
}

// end says what came of the flight, and releases everybody.
func (f *flight) end(say func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return
	}
	say()
	f.over = true
	select {
	case <-f.began:
	default:
		close(f.began)
	}
	close(f.ended)
	f.log.more.tell()
}

// rescue releases everybody when the flight's goroutine panics: nobody stands above it who would. What it panicked with is logged only when it is sure
// to hold nothing of a call.
func (v *visit) rescue(f *flight) {
	if p := recover(); p != nil {
		said := fmt.Sprintf("%T", p)
		if err, ok := p.(runtime.Error); ok {
			said = err.Error()
		}
		v.Log.Error("a call that others may have waited for panicked", "logger", "gateway", "trace_id", v.in.TraceID,
			"tenant_id", string(v.in.Caller.TenantID), "panic", said, "stack", string(debug.Stack()))
		f.end(func() { f.err = errBroken })
	}
}

// errBroken is a call that ended in a panic.
var errBroken = errors.New("the call broke down")
