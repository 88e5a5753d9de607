package simulator

import (
	"regexp"
	"strconv"
)

// What Anthropic's models differ in, by their generation.
const (
	oneSampling  = 401 // takes temperature or top_p, not both
	adaptive     = 406 // decides itself how much to think
	noPrefill    = 406 // goes on from no words of its own
	noBudgets    = 407
	noSampling   = 500
	wholeVersion = 100
)

var generationName = regexp.MustCompile(`^claude-(?:[a-z]+-)?(\d)(?:-(\d))?(?:-|$)`)

// generation reads 405 out of claude-sonnet-4-5; 0 out of a name that does not say.
func generation(model string) int {
	m := generationName.FindStringSubmatch(model)
	if m == nil {
		return 0
	}
	whole, _ := strconv.Atoi(m[1])
	part, _ := strconv.Atoi(m[2])
	return whole*wholeVersion + part
}

// anthropicModelRules refuse what a model of its generation does not take.
var anthropicModelRules = []func(*anthropicBody, route) *problem{twoSamplings, samplingAtAll, adaptiveTooEarly, budgetTooLate, prefillTooLate}

// twoSamplings refuses temperature and top_p together.
func twoSamplings(b *anthropicBody, _ route) *problem {
	if generation(b.Model) >= oneSampling && b.Temperature != nil && b.TopP != nil {
		return bad("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	}
	return nil
}

// samplingAtAll refuses temperature, top_p and top_k where they are gone.
func samplingAtAll(b *anthropicBody, _ route) *problem {
	if generation(b.Model) < noSampling {
		return nil
	}
	switch {
	case b.Temperature != nil && *b.Temperature != 1:
		return bad("`temperature` is deprecated for this model.")
	case b.TopP != nil:
		return bad("`top_p` is deprecated for this model.")
	case b.TopK != nil:
		return bad("`top_k` is deprecated for this model.")
	}
	return nil
}

// adaptiveTooEarly refuses to let a model decide that cannot.
func adaptiveTooEarly(b *anthropicBody, _ route) *problem {
	if g := generation(b.Model); b.Thinking != nil && b.Thinking.Type == "adaptive" && g > 0 && g < adaptive {
		return bad("adaptive thinking is not supported on this model")
	}
	return nil
}

// budgetTooLate refuses a budget where the model decides itself.
func budgetTooLate(b *anthropicBody, _ route) *problem {
	if b.Thinking != nil && b.Thinking.Type == "enabled" && generation(b.Model) >= noBudgets {
		return bad(`"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`)
	}
	return nil
}

// prefillTooLate refuses a last turn that the model is to go on with, where it does not.
func prefillTooLate(b *anthropicBody, _ route) *problem {
	if last := (*b.Messages)[len(*b.Messages)-1]; last.Role == "assistant" && generation(b.Model) >= noPrefill {
		return bad("This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	return nil
}
