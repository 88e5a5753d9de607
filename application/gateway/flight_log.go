package gateway

import (
	"bytes"
	"context"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// lagPatience is how long the readers of a stream wait for one of them who has fallen behind by all that is kept.
const lagPatience = 10 * time.Second

// log is what a stream has said, as far as somebody may still want it: from its beginning while that is not too much, then from the slowest reader on.
type log struct {
	pieces []inbound.Piece
	gone   int // pieces that stood before them
	bytes  int
	more   signal // there are more pieces, or the end
	room   signal // readers went on
}

// signal wakes all who wait. It is used under the flight's lock, and costs nothing while nobody waits.
type signal struct{ c chan struct{} }

func (s *signal) wait() <-chan struct{} {
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) tell() {
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}

// seat is the place of one who waits for a flight's answer.
type seat struct {
	*flight
	listens bool // wants the pieces
	at      int  // how many it has had
	shed    bool // fell too far behind
	left    bool
}

// enter takes a seat; nil when the flight can take nobody any more: everybody has left, or what was said at the beginning is gone.
func (f *flight) enter(listens bool) *seat {
	f.mu.Lock()
	defer f.mu.Unlock()
	listens = listens && f.streams
	if !f.over && f.empty || listens && f.log.gone > 0 {
		return nil
	}
	s := &seat{flight: f, listens: listens}
	f.seats[s] = struct{}{}
	return s
}

// leave gives the seat up. The last to leave ends the upstream call and waits until that is settled. It may be called twice.
func (s *seat) leave() {
	f := s.flight
	f.mu.Lock()
	was := s.left
	s.left = true
	delete(f.seats, s)
	f.empty = len(f.seats) == 0
	last := f.empty && !f.over && !was
	f.trim()
	f.mu.Unlock()
	if last {
		f.cancel()
		<-f.ended
	}
}

// add takes the next piece, and waits while a reader is too far behind. It is false when everybody has left.
func (f *flight) add(ctx context.Context, p inbound.Piece) bool {
	p.Raw = bytes.Clone(p.Raw)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log.pieces = append(f.log.pieces, p)
	f.log.bytes += weight(p)
	f.trim()
	f.log.more.tell()
	for f.log.bytes > maxEntry && ctx.Err() == nil {
		if !f.await(ctx) {
			f.shed()
		}
	}
	return ctx.Err() == nil
}

// await waits for the slowest reader to go on; false when it did not for too long.
func (f *flight) await(ctx context.Context) bool {
	room := f.log.room.wait()
	f.mu.Unlock()
	defer f.mu.Lock()
	patience := time.NewTimer(lagPatience)
	defer patience.Stop()
	select {
	case <-room:
	case <-ctx.Done():
	case <-patience.C:
		return false
	}
	return true
}

// shed gives up the readers who hold the others up. One who reads alone holds up nobody.
func (f *flight) shed() {
	if len(f.seats) < 2 {
		return
	}
	end := f.log.gone + len(f.log.pieces)
	for s := range f.seats {
		if s.listens && s.at == f.log.gone && s.at < end {
			s.shed = true
		}
	}
	f.trim()
	f.log.more.tell()
}

// trim lets go of pieces that nobody can want any more, once there are too many to keep for those who might still join.
func (f *flight) trim() {
	l := &f.log
	if l.bytes <= maxEntry {
		return
	}
	first := l.gone + len(l.pieces)
	for s := range f.seats {
		if s.listens && !s.shed {
			first = min(first, s.at)
		}
	}
	n := 0
	for ; l.bytes > maxEntry && l.gone+n < first; n++ {
		l.bytes -= weight(l.pieces[n])
		l.pieces[n] = inbound.Piece{}
	}
	if n > 0 {
		l.pieces, l.gone = l.pieces[n:], l.gone+n
		l.room.tell()
	}
}

// weight is about what a piece takes.
func weight(p inbound.Piece) int {
	n := len(p.Raw) + p.Chunk.TextBytes() + 64
	if s := p.Chunk.Signature; s != nil {
		n += len(s.Data)
	}
	if part := p.Chunk.Part; part != nil {
		n += weightOf(part)
	}
	return n
}

// weightOf is about what a part that came whole takes.
func weightOf(p *chat.Part) int {
	n := len(p.Text)
	if p.Media != nil {
		n += len(p.Media.Data) + len(p.Media.URL)
	}
	if p.Foreign != nil {
		n += len(p.Foreign.JSON)
	}
	if p.Signature != nil {
		n += len(p.Signature.Data)
	}
	return n
}

// next gives the next piece when it is there; false at the end, with the fault that ended it.
func (s *seat) next(ctx context.Context) (inbound.Piece, bool, error) {
	for {
		if ctx.Err() != nil {
			return inbound.Piece{}, false, gaveUp(ctx)
		}
		p, there, more, err := s.take()
		if there || more == nil {
			return p, there, err
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
}

// take gives the next piece, or what to wait for; neither at the end.
func (s *seat) take() (p inbound.Piece, there bool, more <-chan struct{}, err error) {
	f := s.flight
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.shed {
		return p, false, nil, errTooSlow
	}
	if i := s.at - f.log.gone; i < len(f.log.pieces) {
		p = f.log.pieces[i]
		s.at++
		f.trim()
		return p, true, nil, nil
	}
	if f.over {
		return p, false, nil, f.err
	}
	return p, false, f.log.more.wait(), nil
}

// isOver reports whether the flight has ended.
func (f *flight) isOver() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}
