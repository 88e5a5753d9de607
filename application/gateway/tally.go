package gateway

import "github.com/forge1/forge1/domain/chat"

// tally counts frames of content to estimate their tokens. What a frame has beside its text is taken to be as long as the shortest frame, which
// carries about one token.
type tally struct{ frames, bytes, shortest int }

func (t *tally) add(n int) {
	if t.frames == 0 || n < t.shortest {
		t.shortest = n
	}
	t.frames++
	t.bytes += n
}

func (t *tally) tokens() int {
	return t.frames + chat.EstimateTokens(t.bytes-t.frames*t.shortest)
}
