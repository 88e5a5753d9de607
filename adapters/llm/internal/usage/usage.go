// Package usage reads what the APIs of OpenAI that are no chat completions say was used.
package usage

import (
	"cmp"
	"encoding/json"

	"github.com/forge1/forge1/domain/chat"
)

// Responses reads the usage of a response of the Responses API: the whole response, or what its last event holds as one. It is nil when nothing is
// counted.
func Responses(body []byte) *chat.Usage {
	var r struct {
		Usage *struct {
			Input   int `json:"input_tokens"`
			InputOf struct {
				Cached     int `json:"cached_tokens"`
				CacheWrite int `json:"cache_write_tokens"`
			} `json:"input_tokens_details"`
			Output   int `json:"output_tokens"`
			OutputOf struct {
				Reasoning int `json:"reasoning_tokens"`
			} `json:"output_tokens_details"`
			Cost   json.Number `json:"cost"` // OpenRouter's, as are the next
			OwnKey bool        `json:"is_byok"`
			CostOf struct {
				Upstream json.Number `json:"upstream_inference_cost"`
			} `json:"cost_details"`
		} `json:"usage"`
	}
	if json.Unmarshal(body, &r) != nil || r.Usage == nil {
		return nil
	}
	u := counted(chat.Usage{
		Input: max(r.Usage.Input, 0), CacheRead: max(r.Usage.InputOf.Cached, 0), CacheWrite: max(r.Usage.InputOf.CacheWrite, 0),
		Output: max(r.Usage.Output, 0), Reasoning: max(r.Usage.OutputOf.Reasoning, 0),
	})
	if u == nil {
		return nil
	}
	u.CostNanos = Nanos(r.Usage.Cost.String())
	if n := Nanos(r.Usage.CostOf.Upstream.String()); r.Usage.OwnKey && u.CostNanos != nil && n != nil {
		*u.CostNanos += *n // paid at the upstream with a key of the caller's: the vendor's cost is its fee alone
	}
	return u
}

// Embeddings reads the usage of a list of embeddings. It is nil when nothing is counted.
func Embeddings(body []byte) *chat.Usage {
	var r struct {
		Usage struct {
			Prompt int         `json:"prompt_tokens"`
			Total  int         `json:"total_tokens"`
			Cost   json.Number `json:"cost"`
		} `json:"usage"`
	}
	if json.Unmarshal(body, &r) != nil {
		return nil
	}
	u := counted(chat.Usage{Input: max(cmp.Or(r.Usage.Prompt, r.Usage.Total), 0)})
	if u != nil {
		u.CostNanos = Nanos(r.Usage.Cost.String())
	}
	return u
}

func counted(u chat.Usage) *chat.Usage {
	if u.Zero() {
		return nil
	}
	return &u
}
