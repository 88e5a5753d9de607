// Command day simulates days of calls to four vendors and sets Forge's routing beside what else one could do:
//
//	go run ./test/day -seeds 20 -calls 172800 -objectives 0,0,3000,10000
//
// # The day
//
// Four vendors start at the default prices of 10, 16, 8 and 9 cents per 1,000 tokens; every one to five hours a vendor's price changes by a factor
// of 0.5 to 2, and stays between 2 and 40 cents. A vendor's latencies are log-normal, with a spread of 0.2 to 0.4 and a median that is drawn anew
// every hour, at another minute for each vendor, between 300 and 5,000 ms, evenly on a logarithmic scale. There are two outages, of 10 and of 40
// minutes, each of a vendor and at a time drawn at random. In one of them attempts are refused after 20 ms, in the other they hang until the 5
// seconds are over that Forge waits for a connection. Calls come independently of each other, two a second unless told otherwise, with some 800
// tokens of input and 400 of output; a call has one of the objectives of -objectives (milliseconds, 0 for none), by chance.
//
// How near the oracle one can come depends on both. A vendor that nobody has asked for ten minutes is unknown, is taken to answer within 1,000 ms,
// and has to be asked five times, by calls that may miss their objectives there, to be known again. The fewer calls there are and the tighter
// their objectives, the more that weighs.
//
// # The score
//
// A call scores what PRODUCT.md makes the router minimise, with what the call cost and how long it took in the place of the estimates: cents + 0.01
// a millisecond + 0.5 a millisecond over its objective. Time lost with attempts that failed is part of how long it took. A call that nobody
// answered scores 10,000.
//
// # The strategies
//
// Every strategy lives through the same day: the same calls, and for each call and vendor the same luck, whenever it is asked. All have three
// attempts a call, the next at once, with a vendor that is not asked twice before all have been. An attempt fails when its vendor is out as it
// begins.
//
//   - forge: routing.Decide with the latencies of adapters/latency and the breakers of adapters/breaker, with their defaults, by the clock of the
//     simulation. Prices are known at once, as they are in Forge, which reads them from its catalogue. A latency is learned when a whole answer has
//     come, and from nothing else.
//   - always cheapest: by the prices of the moment, and the next cheapest when that fails.
//   - always fastest: the vendor with the lowest mean over its last 20 answers of the last hour, first those that it knows nothing of, as other
//     gateways do it.
//   - round robin: each vendor in turn.
//   - oracle: routing.Decide with the true p95, the price and the outages of the moment, though not the luck of a call.
//
// Nothing goes by a clock on the wall, so a seed gives the same table each time. Breakers take their time from the operating system, so the
// simulation runs in a bubble of testing/synctest, whose clock stands still until all sleep.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

func main() {
	flags := flag.NewFlagSet("day", flag.ExitOnError)
	z := usual()
	seeds := flags.Int("seeds", 20, "how many days")
	flags.IntVar(&z.calls, "calls", z.calls, "calls a day, on average")
	flags.Func("objectives", "latency objectives in milliseconds, of which each call has one (default 0,0,3000,10000)", func(list string) (err error) {
		z.objectives, err = numbers(list)
		return err
	})
	_ = flags.Parse(os.Args[1:]) // it exits
	if *seeds < 1 || z.calls < 1 {
		fmt.Fprintln(os.Stderr, "day: -seeds and -calls must be at least 1")
		os.Exit(2)
	}
	os.Args = os.Args[:1] // a bubble is had in a test alone, and tests read flags of their own
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "Day", F: func(t *testing.T) {
		var d days
		for seed := range *seeds {
			d = append(d, live24(t, uint64(seed)+1, z)) //nolint:gosec // not below 0
		}
		fmt.Print(d.table())
		fmt.Printf("forge is better than always cheapest on %d, always fastest on %d, round robin on %d of %d days, and %.1f %% over the oracle in the mean\n",
			d.won(asCheapest), d.won(asFastest), d.won(asRoundRobin), len(d), 100*(d.ratio(asForge)-1))
	}}}, nil, nil)
}

// numbers reads numbers of at least 0 with commas between.
func numbers(list string) ([]int, error) {
	var out []int
	for _, text := range strings.Split(list, ",") {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", text, err)
		}
		out = append(out, int(n)) //nolint:gosec // 31 bits
	}
	return out, nil
}
