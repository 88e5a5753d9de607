package routing

import (
	"math"
	"math/bits"

	"github.com/forge1/forge1/domain/chat"
)

// Price is what a model costs, in atto-dollars (1e-18 USD) per token, so that every figure of the public price lists is a whole number: a dollar per
// million tokens is AttosPerDollarPerMillion, a cent per 1,000 tokens AttosPerCentPerThousand. What is priced apart within a kind of token may be
// left at 0: then it costs what the kind costs.
type Price struct {
	Input          int64
	Output         int64
	CacheRead      int64  // of input tokens read from the vendor's cache
	CacheWrite     int64  // of input tokens written to the vendor's cache
	CacheWrite1h   int64  // of those among them that are kept for an hour; 0: as CacheWrite
	AudioInput     int64  // of input tokens that are audio and not from the cache; 0: as Input
	AudioCacheRead int64  // of input tokens that are audio from the cache; 0: as CacheRead
	AudioOutput    int64  // of output tokens that are audio; 0: as Output
	ImageOutput    int64  // of output tokens that are images; 0: as Output
	Reasoning      int64  // of output tokens that are thoughts; 0: as Output
	Request        int64  // of every call, in atto-dollars
	Tiers          []Tier // ascending
}

// Tier is the price of a call whose input, cached tokens included, has more than Above tokens: of all its tokens, not of those above. Its price has
// no tiers of its own.
type Tier struct {
	Above int
	Price Price
}

// Units of prices and costs.
const (
	AttosPerDollarPerMillion = 1_000_000_000_000
	AttosPerCentPerThousand  = 10_000_000_000_000
	AttosPerNano             = 1_000_000_000
	attosPerCent             = 1e16
)

// FlatCents is a price of so many cents per 1,000 tokens of any kind.
func FlatCents(cents float64) Price {
	n := int64(cents*AttosPerCentPerThousand + 0.5)
	return Price{Input: n, Output: n, CacheRead: n, CacheWrite: n}
}

// Cents is the cost in cents of so many input and output tokens, as exact as a float64 can be.
func (p Price) Cents(input, output int) float64 {
	at := p.at(input)
	var s sum
	s.add(min(input, maxTokens), at.Input)
	s.add(min(output, maxTokens), at.Output)
	s.add(1, at.Request)
	return (float64(s.hi)*(1<<64) + float64(s.lo)) / attosPerCent
}

// at is the price of a call with so many input tokens: that of the highest tier it is above of, else the price itself.
func (p *Price) at(input int) *Price {
	for i := len(p.Tiers) - 1; i >= 0; i-- {
		if input > p.Tiers[i].Above {
			return &p.Tiers[i].Price
		}
	}
	return p
}

// Tokens counts what is billed. CacheRead, CacheWrite and AudioInput are part of Input, CacheWrite1h is part of CacheWrite, AudioCacheRead of both
// CacheRead and AudioInput; AudioOutput, ImageOutput and Reasoning are part of Output. No token is of two kinds otherwise.
type Tokens struct {
	Input, Output, CacheRead, CacheWrite, CacheWrite1h int
	AudioInput, AudioCacheRead, AudioOutput            int
	ImageOutput, Reasoning                             int
}

// TokensOf are the tokens of a usage.
func TokensOf(u chat.Usage) Tokens {
	return Tokens{
		Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, CacheWrite1h: u.CacheWrite1h,
		AudioInput: u.AudioInput, AudioCacheRead: u.AudioCacheRead, AudioOutput: u.AudioOutput,
		ImageOutput: u.ImageOutput, Reasoning: u.Reasoning,
	}
}

// Nanos is the cost of a call in nano-dollars (1e-9 USD), rounded half up once. A part that is said to be more than its whole is billed as it is
// said. What does not fit is the greatest number.
func (p Price) Nanos(t Tokens) int64 {
	t = t.sane()
	at := p.at(t.Input)
	var s sum
	s.add(t.Input-t.CacheRead-t.CacheWrite-(t.AudioInput-t.AudioCacheRead), at.Input)
	s.add(t.CacheRead-t.AudioCacheRead, at.CacheRead)
	s.add(t.AudioCacheRead, or(at.AudioCacheRead, at.CacheRead))
	s.add(t.AudioInput-t.AudioCacheRead, or(at.AudioInput, at.Input))
	s.add(t.CacheWrite-t.CacheWrite1h, at.CacheWrite)
	s.add(t.CacheWrite1h, or(at.CacheWrite1h, at.CacheWrite))
	s.add(t.Output-t.AudioOutput-t.ImageOutput-t.Reasoning, at.Output)
	s.add(t.AudioOutput, or(at.AudioOutput, at.Output))
	s.add(t.ImageOutput, or(at.ImageOutput, at.Output))
	s.add(t.Reasoning, or(at.Reasoning, at.Output))
	s.add(1, at.Request)
	return s.nanos()
}

// maxTokens bounds every count, so that sums of a few of them, and of what they cost, fit.
const maxTokens = math.MaxInt / 16

// sane takes away what no call can have used: less than nothing, and parts of a part that are more than the part.
func (t Tokens) sane() Tokens {
	for _, n := range []*int{
		&t.Input, &t.Output, &t.CacheRead, &t.CacheWrite, &t.CacheWrite1h, &t.AudioInput, &t.AudioCacheRead, &t.AudioOutput, &t.ImageOutput, &t.Reasoning,
	} {
		*n = min(max(*n, 0), maxTokens)
	}
	t.CacheWrite1h = min(t.CacheWrite1h, t.CacheWrite)
	t.AudioCacheRead = min(t.AudioCacheRead, t.CacheRead, t.AudioInput)
	return t
}

func or(price, otherwise int64) int64 {
	if price != 0 {
		return price
	}
	return otherwise
}

// sum is an amount of atto-dollars in 128 bits. A dozen products of bounded counts and prices do not overflow it.
type sum struct{ hi, lo uint64 }

// add adds so many tokens at a price. Less than none are none.
func (s *sum) add(tokens int, price int64) {
	if tokens <= 0 || price <= 0 {
		return
	}
	hi, lo := bits.Mul64(uint64(tokens), uint64(price))
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi, _ = bits.Add64(s.hi, hi, carry)
}

func (s sum) nanos() int64 {
	lo, carry := bits.Add64(s.lo, AttosPerNano/2, 0)
	hi := s.hi + carry
	if hi >= AttosPerNano {
		return math.MaxInt64
	}
	n, _ := bits.Div64(hi, lo, AttosPerNano)
	return int64(min(n, math.MaxInt64)) //nolint:gosec // bounded
}
