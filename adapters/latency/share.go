package latency

import (
	"context"
	"slices"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// exchangeEvery is how often a replica tells what it measured and hears what others did.
const exchangeEvery = time.Second

// sharing is the meeting with other replicas.
type sharing struct {
	store   outbound.Sketches
	replica string
	changed func()

	behind bool // what others measured is not all here: every part is to be read
	seen   map[remote]string
}

// Run shares with other replicas until ctx ends: every second it publishes the parts that have changed and reads those of others. A store that
// does not answer costs nothing but the others' news: this replica goes on by what it has, and catches up later.
func (l *Latencies) Run(ctx context.Context) error {
	if l.store == nil {
		<-ctx.Done()
		return nil
	}
	l.behind, l.seen = true, map[remote]string{}
	tick := time.NewTicker(exchangeEvery)
	defer tick.Stop()
	for {
		l.exchange(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// exchange publishes and reads once.
func (l *Latencies) exchange(ctx context.Context) {
	now := l.now()
	for _, p := range l.published(now) {
		err := l.store.Publish(ctx, outbound.SharedSketch{Replica: l.replica, Part: p, Body: l.encode(p, now)}, l.part*(parts+1))
		if err != nil {
			l.unpublish(p)
			l.behind = true
			return
		}
	}
	wanted := []int64{now + 1, now, now - 1} // clocks of replicas differ a little
	if l.behind {
		wanted = wanted[:0]
		for back := int64(-1); back < parts; back++ {
			wanted = append(wanted, now-back)
		}
	}
	others, err := l.store.Others(ctx, l.replica, wanted)
	if err != nil {
		l.behind = true
		return
	}
	l.behind = false
	if l.take(others, now) {
		l.changed()
	}
}

// published takes the parts that have changed since they were published: this one, and the one before if its last samples are news.
func (l *Latencies) published(now int64) []int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var out []int64
	for _, s := range l.keys {
		for _, p := range s.news(now) {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// unpublish has a part published again.
func (l *Latencies) unpublish(part int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.keys {
		s.renew(part)
	}
}

// take puts what others measured in place, and reports whether anything is new.
func (l *Latencies) take(others []outbound.SharedSketch, now int64) bool {
	news := false
	for name := range l.seen {
		if now-name.part >= parts {
			delete(l.seen, name)
		}
	}
	for _, o := range others {
		name := remote{o.Replica, o.Part}
		if o.Replica == l.replica || o.Part > now+1 || now-o.Part >= parts || l.seen[name] == string(o.Body) {
			continue
		}
		sketches, ok := l.decode(o.Body)
		if !ok {
			continue // another version's, or damaged
		}
		l.seen[name] = string(o.Body)
		for k, sk := range sketches {
			l.series(k, now).put(name, sk)
			news = true
		}
	}
	return news
}

// news gives the parts of a series that have samples which were not published.
func (s *series) news(now int64) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	var out []int64
	for back := range int64(parts) {
		if p := now - back; p >= 0 && s.ring[p%parts].news {
			s.ring[p%parts].news = false
			out = append(out, p)
		}
	}
	return out
}

// renew marks a part as not published.
func (s *series) renew(part int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if part >= 0 && part <= s.newest && s.newest-part < parts && s.ring[part%parts].count > 0 {
		s.ring[part%parts].news = true
	}
}

// put takes a sketch of another replica, in the place of what it said of that part before.
func (s *series) put(name remote, sk *sketch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared == nil {
		s.shared = map[remote]*sketch{}
	}
	s.shared[name] = sk
	s.dirty = true
}
