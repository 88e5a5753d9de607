package latency

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// How often a replica tells what it measured and hears what others did, and how long it waits for that.
const (
	exchangeEvery    = time.Second
	exchangePatience = 2 * time.Second
)

// Bounds of what is kept of others.
const (
	mostSketches = 50_000
	mostBytes    = 32 << 20
)

// sharing is the meeting with other replicas. The way of a request sees nothing of it; one exchange at a time does.
type sharing struct {
	store   outbound.Sketches
	replica string

	whole int64 // the part in which the whole window was read last; before its first samples come in, what was late or lost is found
	seed  maphash.Seed
	seen  map[remote]uint64                   // hashes of bodies
	heard map[key]map[int64]map[string][]byte // sketches by part and replica
	count int
	bytes int
}

// remote names what another replica published.
type remote struct {
	replica string
	part    int64
}

func newSharing(store outbound.Sketches, replica string) *sharing {
	return &sharing{
		store: store, replica: replica, whole: -1, seed: maphash.MakeSeed(), seen: map[remote]uint64{}, heard: map[key]map[int64]map[string][]byte{},
	}
}

// Run shares with other replicas until ctx ends: every second it publishes the parts that have changed and reads those of others. A store that
// does not answer costs nothing but the others' news: this replica goes on by what it has, and catches up later.
func (l *Latencies) Run(ctx context.Context) error {
	if l.sharing == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(exchangeEvery)
	defer tick.Stop()
	for {
		_ = l.exchange(ctx) // that the store does not answer is said by whoever asks for its health
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// exchange publishes and reads once.
func (l *Latencies) exchange(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, exchangePatience)
	defer cancel()
	now := l.now()
	if err := l.tell(ctx, now); err != nil {
		l.sharing.whole = -1
		return fmt.Errorf("publish latencies: %w", err)
	}
	if err := l.hear(ctx, now); err != nil {
		l.sharing.whole = -1
		return fmt.Errorf("read latencies: %w", err)
	}
	return nil
}

// tell publishes the parts that have changed since they were published: this one, and the one before if its last samples are news.
func (l *Latencies) tell(ctx context.Context, now int64) error {
	parted := map[int64]bool{}
	for _, s := range l.all() {
		for _, p := range s.news(now) {
			parted[p] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(parted)) {
		sketch := outbound.SharedSketch{Replica: l.sharing.replica, Part: p, Body: l.encode(p)}
		if err := l.sharing.store.Publish(ctx, sketch, l.part*time.Duration(parts+1-(now-p))); err != nil {
			for p := range parted { // some may be there; they are put in their own place again
				l.renew(p)
			}
			return err
		}
	}
	return nil
}

// all gives every series there is.
func (l *Latencies) all() map[key]*series {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return maps.Clone(l.keys)
}

// renew has a part published again.
func (l *Latencies) renew(part int64) {
	for _, s := range l.all() {
		s.renew(part)
	}
}

// hear reads what others published: the parts that may be news, and once in each part the whole window, with what this replica published itself. Of that nothing
// is taken; but what the store has lost is published again.
func (l *Latencies) hear(ctx context.Context, now int64) error {
	name, oldest := l.sharing.replica, now-1 // clocks of replicas differ a little
	whole := l.sharing.whole != now
	if whole {
		name, oldest = "", now-parts+1
	}
	var wanted []int64
	for p := now + 1; p >= oldest; p-- {
		wanted = append(wanted, p)
	}
	all, err := l.sharing.store.Others(ctx, name, wanted)
	if err != nil {
		return err
	}
	if whole {
		l.sharing.whole = now
		l.miss(all, wanted)
	}
	l.take(all, now)
	return nil
}

// miss has parts published again that are not there.
func (l *Latencies) miss(all []outbound.SharedSketch, wanted []int64) {
	for _, p := range wanted {
		if !slices.ContainsFunc(all, func(s outbound.SharedSketch) bool { return s.Replica == l.sharing.replica && s.Part == p }) {
			l.renew(p)
		}
	}
}

// take puts what others measured in place, and tells of it when figures have changed.
func (l *Latencies) take(all []outbound.SharedSketch, now int64) {
	l.sharing.forget(now)
	news := map[key]map[int64]bool{}
	for _, o := range all {
		name, hash := remote{o.Replica, o.Part}, maphash.Bytes(l.sharing.seed, o.Body)
		if o.Replica == l.sharing.replica || !inWindow(o.Part, now) || l.sharing.seen[name] == hash {
			continue
		}
		l.sharing.seen[name] = hash
		if each(o.Body, func(key, []byte) {}) != nil {
			continue // another version's, or damaged
		}
		_ = each(o.Body, func(k key, sketch []byte) {
			if !l.keep(k, name, sketch, now) {
				return
			}
			if news[k] == nil {
				news[k] = map[int64]bool{}
			}
			news[k][o.Part] = true
		})
	}
	changed := false
	for k, parts := range news {
		changed = l.learn(k, parts, now) || changed
	}
	if changed {
		l.changed()
	}
}

// inWindow tells whether a part is of the window that ends now, or the next one, which a clock that is ahead has begun.
func inWindow(part, now int64) bool { return part > now-parts && part <= now+1 }

// keep keeps a sketch if it is one, is news and has room.
func (l *Latencies) keep(k key, name remote, body []byte, now int64) bool {
	s := l.sharing
	old, had := s.heard[k][name.part][name.replica]
	switch {
	case had && bytes.Equal(old, body), !slices.Contains(routing.TaskTypes(), k.task),
		s.bytes+len(body)-len(old) > mostBytes, !had && s.count >= mostSketches,
		(&sketch{}).mergeBody(l.mapping, body) != nil, l.spare(k, now) == nil:
		return false
	}
	if s.heard[k] == nil {
		s.heard[k] = map[int64]map[string][]byte{}
	}
	if s.heard[k][name.part] == nil {
		s.heard[k][name.part] = map[string][]byte{}
	}
	if !had {
		s.count++
	}
	s.bytes += len(body) - len(old)
	s.heard[k][name.part][name.replica] = bytes.Clone(body)
	return true
}

// forget drops what has left the window.
func (s *sharing) forget(now int64) {
	maps.DeleteFunc(s.seen, func(r remote, _ uint64) bool { return !inWindow(r.part, now) })
	for k, heard := range s.heard {
		for part, bodies := range heard {
			if inWindow(part, now) {
				continue
			}
			for _, b := range bodies {
				s.count--
				s.bytes -= len(b)
			}
			delete(heard, part)
		}
		if len(heard) == 0 {
			delete(s.heard, k)
		}
	}
}

// learn has a series know the sum of what others measured in some parts, or in all if it was forgotten meanwhile; and says whether its figures have
// changed.
func (l *Latencies) learn(k key, news map[int64]bool, now int64) bool {
	s := l.spare(k, now)
	if s == nil {
		return false
	}
	all, sums := !s.isInformed(), map[int64]*sketch{}
	for part, bodies := range l.sharing.heard[k] {
		if !all && !news[part] {
			continue
		}
		sums[part] = &sketch{}
		for _, b := range bodies {
			_ = sums[part].mergeBody(l.mapping, b) // it was read when it was kept
		}
	}
	return s.hear(now, sums)
}
