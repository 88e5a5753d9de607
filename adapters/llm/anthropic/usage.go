package anthropic

import "github.com/forge1/forge1/domain/chat"

// tally counts usage. The vendor's counts are cumulative, so the last word on each wins.
type tally struct {
	input, cacheRead, cacheWrite, cacheMinutes, cacheHour, output, thinking int
	tier                                                                    string
}

func (t *tally) add(u *usage) {
	set(&t.input, u.Input)
	set(&t.cacheRead, u.CacheRead)
	set(&t.cacheWrite, u.CacheWrite)
	set(&t.output, u.Output)
	if u.Written != nil {
		set(&t.cacheMinutes, u.Written.Minutes)
		set(&t.cacheHour, u.Written.Hour)
	}
	if u.Details != nil {
		set(&t.thinking, u.Details.Thinking)
	}
	if u.ServiceTier != "" {
		t.tier = u.ServiceTier
	}
}

func set(to, from *int) {
	if from != nil {
		*to = max(*from, 0)
	}
}

// usage gives the neutral counts: the vendor's input leaves cached tokens out, ours includes them; thinking is part of output in both.
func (t *tally) usage() *chat.Usage {
	written := max(t.cacheWrite, t.cacheMinutes+t.cacheHour) // some servers of the dialect give the parts alone
	return &chat.Usage{
		Input: t.input + t.cacheRead + written, Output: t.output,
		CacheRead: t.cacheRead, CacheWrite: written, CacheWrite1h: t.cacheHour, Reasoning: t.thinking,
	}
}

// serviceTier names the tier that the call was served in.
func (t *tally) serviceTier() string {
	if t.tier == "standard" {
		return "default"
	}
	return t.tier // priority, batch
}
