package chatcompletions

import (
	"bytes"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/adapters/llm/internal/usage"
	"github.com/forge1/forge1/domain/chat"
)

// usageOf reads usage without decoding what it does not need; nil for one that counts nothing.
func usageOf(b []byte) *chat.Usage {
	w := jsonscan.Walk(b, 0)
	if !w.Object() {
		return nil
	}
	var u chat.Usage
	var cost, upstream []byte
	ownKey := false
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		value := w.Skip()
		switch string(key) {
		case "prompt_tokens":
			u.Input = count(value)
		case "completion_tokens":
			u.Output = count(value)
		case "prompt_tokens_details":
			eachCount(value, func(name string, n int) { promptPart(&u, name, n) })
		case "completion_tokens_details":
			eachCount(value, func(name string, n int) { answerPart(&u, name, n) })
		case "prompt_cache_hit_tokens", "cached_tokens": // as servers say it that have no details
			u.CacheRead = max(u.CacheRead, count(value))
		case "cost":
			cost = value
		case "is_byok":
			ownKey = string(value) == "true"
		case "cost_details":
			upstream = member(value, "upstream_inference_cost")
		}
	}
	if u.Zero() {
		return nil
	}
	u.CostNanos = usage.Nanos(string(bytes.Trim(cost, `"`)))
	if ownKey && u.CostNanos != nil { // paid at the upstream with a key of the caller's: the vendor's cost is its fee alone
		if n := usage.Nanos(string(upstream)); n != nil {
			*u.CostNanos += *n
		}
	}
	return &u
}

func promptPart(u *chat.Usage, name string, n int) {
	switch name {
	case "cached_tokens":
		u.CacheRead = n
	case "cache_write_tokens":
		u.CacheWrite = n
	case "audio_tokens":
		u.AudioInput = n
	}
}

func answerPart(u *chat.Usage, name string, n int) {
	switch name {
	case "reasoning_tokens":
		u.Reasoning = n
	case "audio_tokens":
		u.AudioOutput = n
	case "image_tokens":
		u.ImageOutput = n
	}
}

// eachCount goes over the counts of an object.
func eachCount(object []byte, each func(name string, n int)) {
	w := jsonscan.Walk(object, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		each(string(key), count(w.Skip()))
	}
}

// member gives a member's value; nil when there is none.
func member(object []byte, name string) []byte {
	w := jsonscan.Walk(object, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if value := w.Skip(); string(key) == name {
			return value
		}
	}
	return nil
}

// count reads a number of tokens, which some servers send as a string. Less than none is none.
func count(value []byte) int {
	return max(jsonscan.Number(bytes.Trim(value, `"`)), 0)
}
