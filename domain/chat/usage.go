package chat

// Usage counts tokens the way Forge reports them: Input includes CacheRead and CacheWrite, Output includes Reasoning. What the kinds of tokens share
// is counted in both, as their comments say.
type Usage struct {
	Input          int
	Output         int
	CacheRead      int
	CacheWrite     int // of any lifetime
	CacheWrite1h   int // part of CacheWrite: what is kept for an hour
	AudioInput     int // part of Input
	AudioCacheRead int // part of AudioInput and of CacheRead
	AudioOutput    int // part of Output
	ImageOutput    int // part of Output
	Reasoning      int
	CostNanos      *int64 // what the vendor itself says the call cost, in 1e-9 USD; nil: it does not say
}

// Total is input and output together.
func (u Usage) Total() int { return u.Input + u.Output }

// Plus adds up what two calls used. What a vendor says that one of them cost is not in it.
func (u Usage) Plus(v Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, Output: u.Output + v.Output, CacheRead: u.CacheRead + v.CacheRead, CacheWrite: u.CacheWrite + v.CacheWrite,
		CacheWrite1h: u.CacheWrite1h + v.CacheWrite1h, AudioInput: u.AudioInput + v.AudioInput,
		AudioCacheRead: u.AudioCacheRead + v.AudioCacheRead, AudioOutput: u.AudioOutput + v.AudioOutput,
		ImageOutput: u.ImageOutput + v.ImageOutput, Reasoning: u.Reasoning + v.Reasoning,
	}
}

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
