package chat

// Usage counts tokens the way Forge reports them: Input includes CacheRead and CacheWrite, Output includes Reasoning.
type Usage struct {
	Input      int
	Output     int
	CacheRead  int
	CacheWrite int
	Reasoning  int
	CostNanos  *int64 // what the vendor itself says the call cost, in 1e-9 USD; nil: it does not say
}

// Total is input and output together.
func (u Usage) Total() int { return u.Input + u.Output }

// Zero reports whether nothing was counted.
func (u Usage) Zero() bool { return u == Usage{} }

// UsageSource says where a usage comes from.
type UsageSource string

// The sources.
const (
	UsageProvider  UsageSource = "provider"
	UsageEstimated UsageSource = "estimated"
	UsageCache     UsageSource = "cache"
)

// EstimateTokens is the count assumed for text of n UTF-8 bytes: a quarter, rounded up.
func EstimateTokens(n int) int { return (n + 3) / 4 }
