package routing

// Price is what a model costs, in nano-dollars (1e-9 USD) per 1,000 tokens. One cent per 1,000 tokens is 10,000,000.
type Price struct {
	Input      int64
	Output     int64
	CacheRead  int64 // of input tokens read from the vendor's cache
	CacheWrite int64 // of input tokens written to the vendor's cache
}

// NanosPerCent is the number of nano-dollars in a cent.
const NanosPerCent = 10_000_000

// FlatCents is a price of so many cents per 1,000 tokens of any kind.
func FlatCents(cents float64) Price {
	n := int64(cents*NanosPerCent + 0.5)
	return Price{Input: n, Output: n, CacheRead: n, CacheWrite: n}
}

// Cents is the exact cost in cents of so many input and output tokens.
func (p Price) Cents(input, output int) float64 {
	return (float64(input)*float64(p.Input) + float64(output)*float64(p.Output)) / 1000 / NanosPerCent
}

// Tokens counts what is billed. CacheRead and CacheWrite are part of Input.
type Tokens struct{ Input, Output, CacheRead, CacheWrite int }

// Nanos is the cost of a call in nano-dollars, rounded half up once.
func (p Price) Nanos(t Tokens) int64 {
	plain := t.Input - t.CacheRead - t.CacheWrite
	if plain < 0 {
		plain = 0
	}
	sum := int64(plain)*p.Input + int64(t.CacheRead)*p.CacheRead + int64(t.CacheWrite)*p.CacheWrite + int64(t.Output)*p.Output
	return (sum + 500) / 1000
}
