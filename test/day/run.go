package main

import (
	"container/heap"
	"errors"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
)

// strategy chooses vendors.
type strategy interface {
	// order gives the vendors that a call is to try, the best first.
	order(c *call, now time.Duration) []int
	// allow asks to make an attempt at a vendor. When it may be made, report is told what became of it.
	allow(c *call, vendor int) (report func(took time.Duration, err error), ok bool)
}

// tally is what became of a day.
type tally struct {
	calls, missed, failed int
	withSLO               int
	cents, score          float64
}

// mean is the mean score of a call.
func (t tally) mean() float64 { return t.score / float64(t.calls) }

// failedScore is the score of a call that nobody answered.
const failedScore = 10_000

// answered adds a call that was answered: its score is that of the contract, with what the call cost and how long it took.
func (t *tally) answered(c *call, cents float64, took time.Duration) {
	ms := float64(took) / float64(time.Millisecond)
	w := routing.DefaultWeights
	t.cents += cents
	t.score += w.Cost*cents + w.Latency*ms
	if over := ms - float64(c.sloMs); c.sloMs > 0 && over > 0 {
		t.missed++
		t.score += w.SLOPenalty * over
	}
}

// errDown is what an attempt at a vendor that is out fails with.
var errDown = chat.Fail(chat.ClassConnect, errors.New("connection refused"))

// going is a call on its way.
type going struct {
	*call
	order    []int
	next     int // in order
	attempts int
	round    int
}

// moment is something that happens at a time; of two at the same time the one that was planned first.
type moment struct {
	at   time.Duration
	turn int
	do   func()
}

type agenda []moment

func (a agenda) Len() int { return len(a) }

func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].turn < a[j].turn
}

func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { *a = append(*a, x.(moment)) } //nolint:forcetypeassert // heap's interface

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// run is a strategy on its way through a day.
type run struct {
	*world
	strategy strategy
	agenda   agenda
	turn     int
	now      time.Duration
	tally    tally
}

// live lets a strategy live through a day. sleep lets its clock run.
func live(w *world, s strategy, sleep func(time.Duration)) tally {
	r := &run{world: w, strategy: s}
	r.expect(0)
	for len(r.agenda) > 0 {
		m := heap.Pop(&r.agenda).(moment) //nolint:forcetypeassert // nothing else is in it
		if m.at > r.now {
			sleep(m.at - r.now)
			r.now = m.at
		}
		m.do()
	}
	return r.tally
}

func (r *run) plan(at time.Duration, do func()) {
	r.turn++
	heap.Push(&r.agenda, moment{at, r.turn, do})
}

// expect plans the arrival of call i, and of the ones after it.
func (r *run) expect(i int) {
	if i == len(r.calls) {
		return
	}
	r.plan(r.calls[i].at, func() {
		c := &r.calls[i]
		r.tally.calls++
		if c.sloMs > 0 {
			r.tally.withSLO++
		}
		r.proceed(&going{call: c, order: r.strategy.order(c, r.now)})
		r.expect(i + 1)
	})
}

// proceed makes a call's next attempt: at the next vendor at once; when all have been tried once more after a backoff, as long as the budget lasts.
func (r *run) proceed(g *going) {
	for ; g.attempts < budget && g.next < len(g.order); g.next++ {
		v := g.order[g.next]
		report, ok := r.strategy.allow(g.call, v)
		if !ok {
			continue
		}
		g.next++
		g.attempts++
		began := r.now
		took, ok := r.attempt(g.call, v, began)
		r.plan(r.now+took, func() {
			if !ok {
				report(took, errDown)
				r.proceed(g)
				return
			}
			report(took, nil)
			r.tally.answered(g.call, r.cost(g.call, v, began), r.now-g.at)
		})
		return
	}
	if g.attempts == 0 || g.attempts >= budget || g.round > budget {
		r.tally.failed++
		r.tally.score += failedScore
		return
	}
	wait := time.Duration(g.jitter * float64(250*time.Millisecond<<g.round))
	g.round, g.next = g.round+1, 0
	r.plan(r.now+wait, func() { r.proceed(g) })
}
