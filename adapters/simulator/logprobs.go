package simulator

// logprob is how likely a token was, as OpenAI and OpenRouter say it.
type logprob struct {
	Token   string        `json:"token"`
	Logprob float64       `json:"logprob"`
	Bytes   []int         `json:"bytes"`
	Top     []likelyToken `json:"top_logprobs"`
}

type likelyToken struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

// chatLogprobs are those of a choice or a chunk of it.
type chatLogprobs struct {
	Content []logprob `json:"content"`
	Refusal null      `json:"refusal"`
}

// logprobsOf makes them for pieces of text, each a token: likely ones, and top other words beside each.
func logprobsOf(pieces []string, top int) []logprob {
	out := []logprob{}
	for i, text := range pieces {
		l := logprob{Token: text, Logprob: -float64(i+1) / 64, Bytes: bytesOf(text), Top: []likelyToken{}}
		for n := range top {
			other := likelyToken{Token: text, Logprob: l.Logprob, Bytes: l.Bytes}
			if n > 0 {
				other.Token, other.Logprob = other.Token+"…", l.Logprob-float64(n)
				other.Bytes = bytesOf(other.Token)
			}
			l.Top = append(l.Top, other)
		}
		out = append(out, l)
	}
	return out
}

func bytesOf(text string) []int {
	out := make([]int, len(text))
	for i := range len(text) {
		out[i] = int(text[i])
	}
	return out
}

// chatLogprobs gives them where they were asked for; nil, which is null, elsewhere.
func (c *call) chatLogprobs(pieces []string) *chatLogprobs {
	if !c.logprobs {
		return nil
	}
	return &chatLogprobs{Content: logprobsOf(pieces, c.top)}
}
