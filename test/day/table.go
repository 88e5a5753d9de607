package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"
)

// Strategies in the order in which they are shown.
const (
	asForge = iota
	asCheapest
	asFastest
	asRoundRobin
	asOracle
	strategies
)

var titles = [strategies]string{"forge", "always cheapest", "always fastest", "round robin", "oracle"}

// meanOutput is the mean length of an answer in tokens, which the oracle knows.
const meanOutput = 400 * 1.1972 // the mean of a log-normal with median 400 and spread 0.6

// live24 lets every strategy live through the day of a seed, each by a clock of its own that nobody waits for.
func live24(t *testing.T, seed uint64, z size) [strategies]tally {
	t.Helper()
	w := newWorld(seed, z)
	var out [strategies]tally
	for i := range strategies {
		synctest.Test(t, func(*testing.T) {
			switch i {
			case asForge:
				out[i] = live(w, newForge(w, time.Now), time.Sleep)
			case asCheapest:
				out[i] = live(w, &cheapest{world: w}, func(time.Duration) {})
			case asFastest:
				out[i] = live(w, &quickest{}, func(time.Duration) {})
			case asRoundRobin:
				out[i] = live(w, &inTurn{}, func(time.Duration) {})
			case asOracle:
				out[i] = live(w, &oracle{w, newPolicy()}, func(time.Duration) {})
			}
		})
	}
	return out
}

// days are the tallies of several seeds.
type days [][strategies]tally

// table shows the days, and a row for the mean of each strategy.
func (d days) table() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, i int, t tally, ratio float64) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.2f\t%.2f\t%d\t%.2f\t%.3f\t\n", name, titles[i], t.calls, t.cents/100,
			100*float64(t.missed)/float64(max(1, t.withSLO)), t.failed, t.mean(), ratio)
	}
	fmt.Fprintln(w, "seed\tstrategy\tcalls\tcost $\tSLO missed %\tfailed\tmean score\tto oracle\t")
	for day, tallies := range d {
		for i, t := range tallies {
			row(fmt.Sprint(day+1), i, t, t.mean()/tallies[asOracle].mean())
		}
	}
	for i := range strategies {
		row("all", i, d.sum(i), d.ratio(i))
	}
	if err := w.Flush(); err != nil {
		panic(err) // a builder takes everything
	}
	return text.String()
}

// won counts the days on which Forge's score is better than a strategy's.
func (d days) won(against int) int {
	n := 0
	for _, tallies := range d {
		if tallies[asForge].mean() < tallies[against].mean() {
			n++
		}
	}
	return n
}

// sum adds a strategy's days up.
func (d days) sum(strategy int) tally {
	var sum tally
	for _, tallies := range d {
		t := tallies[strategy]
		sum.calls += t.calls
		sum.withSLO += t.withSLO
		sum.missed += t.missed
		sum.failed += t.failed
		sum.cents += t.cents
		sum.score += t.score
	}
	return sum
}

// ratio is how a strategy's score stands to the oracle's in the mean of the days.
func (d days) ratio(strategy int) float64 {
	sum := 0.0
	for _, tallies := range d {
		sum += tallies[strategy].mean() / tallies[asOracle].mean()
	}
	return sum / float64(len(d))
}
