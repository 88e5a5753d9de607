package catalogue

import (
	"errors"
	"fmt"

	"github.com/forge1/forge1/domain/routing"
)

// attosPerRequest turns units of 1e-12 dollars into atto-dollars. Prices of tokens need no turning: a dollar per million tokens is a millionth of a
// millionth of it times as many atto-dollars per token.
const attosPerRequest = 1_000_000

// price gives the price that rates and tiers make, and whether there is one.
func price(r Rates, tiers []TierRates) (routing.Price, bool, error) {
	if r.none() && len(tiers) == 0 {
		return routing.Price{}, false, nil
	}
	if r.Input == nil || r.Output == nil {
		return routing.Price{}, false, errors.New("input, output: a price needs both")
	}
	if len(tiers) > maxTiers {
		return routing.Price{}, false, fmt.Errorf("tiers: more than %d", maxTiers)
	}
	p, err := r.flat()
	if err != nil {
		return p, false, err
	}
	above := 0
	for _, t := range tiers {
		if t.Above <= above || t.Above > maxTokens {
			return p, false, fmt.Errorf("tiers: above: %d is no number of tokens above that of the tier before", t.Above)
		}
		above = t.Above
		r = t.Rates.over(r)
		step, err := r.flat()
		if err != nil {
			return p, false, fmt.Errorf("tiers: above %d: %w", t.Above, err)
		}
		p.Tiers = append(p.Tiers, routing.Tier{Above: t.Above, Price: step})
	}
	return p, true, nil
}

// flat fills in what is left out.
func (r Rates) flat() (routing.Price, error) {
	for _, f := range r.rates() {
		if a := *f.price; a != nil && (*a < 0 || *a > maxAmount) {
			return routing.Price{}, fmt.Errorf("%s: %w", f.name, errAmount)
		}
	}
	p := routing.Price{Input: int64(*r.Input), Output: int64(*r.Output)}
	p.CacheRead, p.CacheWrite = or(r.CacheRead, p.Input), or(r.CacheWrite, p.Input)
	if r.Request != nil {
		if *r.Request > maxAmount/attosPerRequest {
			return p, fmt.Errorf("request: %w", errAmount)
		}
		p.Request = int64(*r.Request) * attosPerRequest
	}
	for _, x := range []struct {
		field string
		from  *Amount
		to    *int64
		kind  int64
	}{
		{"cache_write_1h", r.CacheWrite1h, &p.CacheWrite1h, p.CacheWrite},
		{"audio_input", r.AudioInput, &p.AudioInput, p.Input},
		{"audio_cache_read", r.AudioCacheRead, &p.AudioCacheRead, p.CacheRead},
		{"audio_output", r.AudioOutput, &p.AudioOutput, p.Output},
		{"image_output", r.ImageOutput, &p.ImageOutput, p.Output},
		{"reasoning", r.Reasoning, &p.Reasoning, p.Output},
	} {
		switch {
		case x.from == nil:
		case *x.from == 0 && x.kind != 0:
			return p, fmt.Errorf("%s: it cannot be free where its kind of token is not", x.field)
		default:
			*x.to = int64(*x.from)
		}
	}
	return p, nil
}

func or(a *Amount, otherwise int64) int64 {
	if a == nil {
		return otherwise
	}
	return int64(*a)
}
