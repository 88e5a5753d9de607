package routing_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
)

var amounts = rapid.OneOf(
	rapid.Just[int64](0), rapid.Int64Range(0, 1000*routing.AttosPerDollarPerMillion), rapid.SampledFrom([]int64{1, 83_333_333_333, 18_750_000_000}),
)

func flat(t *rapid.T) routing.Price {
	return routing.Price{
		Input: amounts.Draw(t, "in"), Output: amounts.Draw(t, "out"), CacheRead: amounts.Draw(t, "read"), CacheWrite: amounts.Draw(t, "write"),
		CacheWrite1h: amounts.Draw(t, "hour"), AudioInput: amounts.Draw(t, "audio in"), AudioCacheRead: amounts.Draw(t, "audio read"),
		AudioOutput: amounts.Draw(t, "audio out"), ImageOutput: amounts.Draw(t, "image"), Reasoning: amounts.Draw(t, "thought"),
		Request: rapid.SampledFrom([]int64{0, 0, 1, 5_000_000_000_000_000}).Draw(t, "request"),
	}
}

var priceLists = rapid.Custom(func(t *rapid.T) routing.Price {
	p := flat(t)
	above := 0
	for range rapid.IntRange(0, 2).Draw(t, "tiers") {
		above += rapid.SampledFrom([]int{1, 1000, 128_000, 200_000}).Draw(t, "above")
		p.Tiers = append(p.Tiers, routing.Tier{Above: above, Price: flat(t)})
	}
	return p
})

var usages = rapid.Custom(func(t *rapid.T) routing.Tokens {
	most := rapid.SampledFrom([]int{10, 3_000_000}).Draw(t, "most")
	n := func(most int, name string) int { return rapid.IntRange(0, most).Draw(t, name) }
	k := routing.Tokens{Input: n(most, "input"), Output: n(most, "output")}
	k.CacheRead = n(k.Input, "cached")
	k.CacheWrite = n(k.Input-k.CacheRead, "written")
	k.CacheWrite1h = n(k.CacheWrite, "written for an hour")
	k.AudioCacheRead = n(k.CacheRead, "cached audio")
	k.AudioInput = k.AudioCacheRead + n(k.Input-k.CacheRead-k.CacheWrite, "audio")
	k.AudioOutput = n(k.Output, "spoken")
	k.ImageOutput = n(k.Output-k.AudioOutput, "drawn")
	k.Reasoning = n(k.Output-k.AudioOutput-k.ImageOutput, "thought")
	return k
})

// attos is the cost by the book: every token at the price of the last of its kinds that has one.
func attos(p routing.Price, k routing.Tokens) *big.Int {
	for i := len(p.Tiers) - 1; i >= 0; i-- {
		if k.Input > p.Tiers[i].Above {
			p = p.Tiers[i].Price
			break
		}
	}
	last := func(otherwise, price int64) int64 {
		if price == 0 {
			return otherwise
		}
		return price
	}
	total := big.NewInt(p.Request)
	for _, part := range [][2]int64{
		{int64(k.Input - k.CacheRead - k.CacheWrite - k.AudioInput + k.AudioCacheRead), p.Input},
		{int64(k.CacheRead - k.AudioCacheRead), p.CacheRead},
		{int64(k.AudioCacheRead), last(p.CacheRead, p.AudioCacheRead)},
		{int64(k.AudioInput - k.AudioCacheRead), last(p.Input, p.AudioInput)},
		{int64(k.CacheWrite - k.CacheWrite1h), p.CacheWrite},
		{int64(k.CacheWrite1h), last(p.CacheWrite, p.CacheWrite1h)},
		{int64(k.Output - k.AudioOutput - k.ImageOutput - k.Reasoning), p.Output},
		{int64(k.AudioOutput), last(p.Output, p.AudioOutput)},
		{int64(k.ImageOutput), last(p.Output, p.ImageOutput)},
		{int64(k.Reasoning), last(p.Output, p.Reasoning)},
	} {
		total.Add(total, new(big.Int).Mul(big.NewInt(part[0]), big.NewInt(part[1])))
	}
	return total
}

func TestCostIsExactAndRoundedHalfUpOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := priceLists.Draw(t, "price"), usages.Draw(t, "tokens")
		want := attos(p, k)
		want.Add(want, big.NewInt(routing.AttosPerNano/2)).Div(want, big.NewInt(routing.AttosPerNano))
		if got := p.Nanos(k); got != want.Int64() {
			t.Fatalf("%+v of %+v is %d, want %d", k, p, got, want)
		}
	})
}

func TestRoutingCostsAreAsExactAsAFloatCanBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := priceLists.Draw(t, "price"), usages.Draw(t, "tokens")
		want, _ := new(big.Rat).SetFrac(attos(p, routing.Tokens{Input: k.Input, Output: k.Output}), big.NewInt(10_000_000_000_000_000)).Float64()
		if got := p.Cents(k.Input, k.Output); math.Abs(got-want) > 4e-16*want {
			t.Fatalf("%d and %d tokens at %+v are %v cents, want %v", k.Input, k.Output, p, got, want)
		}
	})
}

func TestCostNeverFallsAsTokensAreAdded(t *testing.T) {
	kinds := map[string]func(k *routing.Tokens, more int){
		"input":   func(k *routing.Tokens, more int) { k.Input += more },
		"cached":  func(k *routing.Tokens, more int) { k.Input, k.CacheRead = k.Input+more, k.CacheRead+more },
		"written": func(k *routing.Tokens, more int) { k.Input, k.CacheWrite = k.Input+more, k.CacheWrite+more },
		"for an hour": func(k *routing.Tokens, more int) {
			k.Input, k.CacheWrite, k.CacheWrite1h = k.Input+more, k.CacheWrite+more, k.CacheWrite1h+more
		},
		"audio":   func(k *routing.Tokens, more int) { k.Input, k.AudioInput = k.Input+more, k.AudioInput+more },
		"output":  func(k *routing.Tokens, more int) { k.Output += more },
		"spoken":  func(k *routing.Tokens, more int) { k.Output, k.AudioOutput = k.Output+more, k.AudioOutput+more },
		"drawn":   func(k *routing.Tokens, more int) { k.Output, k.ImageOutput = k.Output+more, k.ImageOutput+more },
		"thought": func(k *routing.Tokens, more int) { k.Output, k.Reasoning = k.Output+more, k.Reasoning+more },
	}
	for name, add := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				p, k := flat(t), usages.Draw(t, "tokens")
				next := k
				if add(&next, rapid.IntRange(0, 1_000_000).Draw(t, "more")); p.Nanos(next) < p.Nanos(k) {
					t.Fatalf("%d after %d, at %+v", p.Nanos(next), p.Nanos(k), p)
				}
			})
		})
	}
}

func TestACallInTwoCostsTheSameButForRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := flat(t)
		p.Request = 0
		a, b := usages.Draw(t, "one"), usages.Draw(t, "other")
		both := routing.Tokens{
			Input: a.Input + b.Input, Output: a.Output + b.Output, CacheRead: a.CacheRead + b.CacheRead, CacheWrite: a.CacheWrite + b.CacheWrite,
			CacheWrite1h: a.CacheWrite1h + b.CacheWrite1h, AudioInput: a.AudioInput + b.AudioInput, AudioCacheRead: a.AudioCacheRead + b.AudioCacheRead,
			AudioOutput: a.AudioOutput + b.AudioOutput, ImageOutput: a.ImageOutput + b.ImageOutput, Reasoning: a.Reasoning + b.Reasoning,
		}
		if apart, whole := p.Nanos(a)+p.Nanos(b), p.Nanos(both); apart < whole-1 || apart > whole+1 {
			t.Fatalf("%d apart and %d as one, at %+v", apart, whole, p)
		}
	})
}

func TestAbsurdCountsCostTheMostAndNeverWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64()
		n := func(name string) int { return rapid.Int().Draw(t, name) }
		p := routing.Price{Input: amount.Draw(t, "in"), Output: amount.Draw(t, "out"), CacheRead: amount.Draw(t, "read"), Request: amount.Draw(t, "request")}
		k := routing.Tokens{
			Input: n("input"), Output: n("output"), CacheRead: n("cached"), CacheWrite: n("written"), CacheWrite1h: n("hour"),
			AudioInput: n("audio"), AudioCacheRead: n("cached audio"), AudioOutput: n("spoken"), Reasoning: n("thought"),
		}
		if got := p.Nanos(k); got < 0 {
			t.Fatalf("%+v at %+v is %d", k, p, got)
		}
	})
	edge := routing.Price{Output: 64 * routing.AttosPerNano}
	if got := edge.Nanos(routing.Tokens{Output: 1 << 58}); got != math.MaxInt64 { // 2^64 nano-dollars
		t.Errorf("%d, want the greatest number", got)
	}
	if got := edge.Nanos(routing.Tokens{Output: 1<<57 - 1}); got != math.MaxInt64-63 {
		t.Errorf("%d, want one token less than the greatest number", got)
	}
	if got := routing.FlatCents(900_000).Nanos(routing.Tokens{Input: math.MaxInt, Output: math.MaxInt, CacheRead: math.MaxInt}); got != math.MaxInt64 {
		t.Errorf("%d, want the greatest number", got)
	}
}

func TestPrices(t *testing.T) {
	const nano = routing.AttosPerNano // per token
	p := routing.Price{
		Input: 10 * nano, Output: nano / 1000,
		Tiers: []routing.Tier{{Above: 100, Price: routing.Price{Input: 20 * nano}}, {Above: 200, Price: routing.Price{Input: 50 * nano}}},
	}
	tests := map[string]struct {
		tokens routing.Tokens
		want   int64
	}{
		"nothing":                               {routing.Tokens{}, 0},
		"half a nano is one":                    {routing.Tokens{Output: 500}, 1},
		"less than half is none":                {routing.Tokens{Output: 499}, 0},
		"less than nothing is nothing":          {routing.Tokens{Input: -5, Output: -5}, 0},
		"more cached than there was":            {routing.Tokens{Input: 1, CacheRead: 5}, 0},
		"as much as the tier allows":            {routing.Tokens{Input: 100}, 1000},
		"one more, and all of it is dearer":     {routing.Tokens{Input: 101}, 2020},
		"as much as the second tier allows":     {routing.Tokens{Input: 200}, 4000},
		"above the second":                      {routing.Tokens{Input: 201}, 10_050},
		"cached input counts towards the tiers": {routing.Tokens{Input: 101, CacheRead: 100}, 20},
		"output does not":                       {routing.Tokens{Input: 100, Output: 1000}, 1001},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := p.Nanos(tt.tokens); got != tt.want {
				t.Errorf("%d nano-dollars, want %d", got, tt.want)
			}
		})
	}
	spoken := routing.Price{Input: nano, CacheRead: nano, AudioInput: 3 * nano, AudioCacheRead: 5 * nano}
	if got := spoken.Nanos(routing.Tokens{Input: 10, CacheRead: 4, AudioInput: 2, AudioCacheRead: 9}); got != 6+2+2*5 {
		t.Errorf("%d nano-dollars for more cached audio than there was of either, want 18", got)
	}
	kept := routing.Price{CacheWrite: nano, CacheWrite1h: 2 * nano}
	if got := kept.Nanos(routing.Tokens{Input: 2, CacheWrite: 2, CacheWrite1h: 5}); got != 4 {
		t.Errorf("%d nano-dollars for more kept for an hour than was written, want 4", got)
	}
	if got := p.Cents(101, 0); got != 2020e-7 {
		t.Errorf("%v cents, want those of the tier", got)
	}
	if got := routing.FlatCents(0.15).Cents(1000, 1000); got != 0.3 {
		t.Errorf("2,000 tokens at 0.15 cents per thousand are %v cents, want 0.3", got)
	}
	want := 16 * int64(routing.AttosPerCentPerThousand)
	if got := routing.FlatCents(16); !cmp.Equal(got, routing.Price{Input: want, Output: want, CacheRead: want, CacheWrite: want}) {
		t.Errorf("16 cents are %+v", got)
	}
}

func TestTokensOfAUsage(t *testing.T) {
	got := routing.TokensOf(chat.Usage{
		Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4, CacheWrite1h: 5, AudioInput: 6, AudioCacheRead: 7, AudioOutput: 8, ImageOutput: 9, Reasoning: 10,
	})
	want := routing.Tokens{
		Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4, CacheWrite1h: 5, AudioInput: 6, AudioCacheRead: 7, AudioOutput: 8, ImageOutput: 9, Reasoning: 10,
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
