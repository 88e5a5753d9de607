package simulator

import (
	"bytes"
	"net/http"
	"strings"
)

// The parts of OpenRouter's answers.
type (
	openrouterUsage struct {
		PromptTokens     int     `json:"prompt_tokens"`
		CompletionTokens int     `json:"completion_tokens"`
		TotalTokens      int     `json:"total_tokens"`
		Cost             float64 `json:"cost"`
		BYOK             bool    `json:"is_byok"`
		PromptDetails    struct {
			Cached     int `json:"cached_tokens"`
			CacheWrite int `json:"cache_write_tokens"`
			Audio      int `json:"audio_tokens"`
			Video      int `json:"video_tokens"`
		} `json:"prompt_tokens_details"`
		CostDetails struct {
			Upstream    float64 `json:"upstream_inference_cost"`
			Prompt      float64 `json:"upstream_inference_prompt_cost"`
			Completions float64 `json:"upstream_inference_completions_cost"`
		} `json:"cost_details"`
		CompletionDetails struct {
			Reasoning int `json:"reasoning_tokens"`
			Image     int `json:"image_tokens"`
			Audio     int `json:"audio_tokens"`
		} `json:"completion_tokens_details"`
	}
	openrouterAnswer struct {
		ID          string             `json:"id"`
		Object      string             `json:"object"`
		Created     int64              `json:"created"`
		Model       string             `json:"model"`
		Provider    string             `json:"provider"`
		Fingerprint null               `json:"system_fingerprint"`
		Choices     []openrouterChoice `json:"choices"`
		Usage       openrouterUsage    `json:"usage"`
	}
	openrouterChoice struct {
		Index    int               `json:"index"`
		Logprobs null              `json:"logprobs"`
		Finish   string            `json:"finish_reason"`
		Native   string            `json:"native_finish_reason"`
		Message  openrouterMessage `json:"message"`
	}
	openrouterMessage struct {
		Role      string     `json:"role"`
		Content   *string    `json:"content"`
		Refusal   null       `json:"refusal"`
		Reasoning null       `json:"reasoning"`
		ToolCalls []chatCall `json:"tool_calls,omitempty"`
	}
	openrouterChunk struct {
		ID       string                  `json:"id"`
		Object   string                  `json:"object"`
		Created  int64                   `json:"created"`
		Model    string                  `json:"model"`
		Provider string                  `json:"provider"`
		Choices  []openrouterChunkChoice `json:"choices"`
		Usage    *openrouterUsage        `json:"usage,omitempty"`
	}
	openrouterChunkChoice struct {
		Index  int             `json:"index"`
		Delta  openrouterDelta `json:"delta"`
		Finish *string         `json:"finish_reason"`
		Native *string         `json:"native_finish_reason"`
	}
	openrouterDelta struct {
		Content   *string    `json:"content"`
		Role      string     `json:"role"`
		ToolCalls []chatCall `json:"tool_calls,omitempty"`
	}
)

// usage counts, and prices a prompt token at 1 and a completion token at 5 millionths of a dollar.
func (openrouter) usage(c *call, a *answer) openrouterUsage {
	u := openrouterUsage{PromptTokens: a.in, CompletionTokens: a.out * c.choices}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	u.Cost = float64(u.PromptTokens+5*u.CompletionTokens) / 1e6
	u.CostDetails.Upstream = u.Cost
	u.CostDetails.Prompt, u.CostDetails.Completions = float64(u.PromptTokens)/1e6, float64(5*u.CompletionTokens)/1e6
	return u
}

// finish gives OpenRouter's reason and that of the vendor behind it.
func (openrouter) finish(c *call, a *answer) (reason, native string) {
	google := strings.HasPrefix(c.model, "google/")
	anthropic := strings.HasPrefix(c.model, "anthropic/")
	switch {
	case a.length && google:
		return "length", "MAX_TOKENS"
	case a.length && anthropic:
		return "length", "max_tokens"
	case a.length:
		return "length", "length"
	case a.tool != nil && anthropic:
		return "tool_calls", "tool_use"
	case a.tool != nil && google:
		return "tool_calls", "STOP"
	case a.tool != nil:
		return "tool_calls", "tool_calls"
	case google:
		return "stop", "STOP"
	case anthropic:
		return "stop", "end_turn"
	default:
		return "stop", "stop"
	}
}

// call makes a tool call whose id has the form of the vendor behind: some hold characters that other vendors refuse.
func (openrouter) call(c *call, a *answer) chatCall {
	out := chatCall{Index: new(0), Type: "function", Function: chatFunction{Name: a.tool.name, Arguments: a.tool.args}}
	switch maker, _, _ := strings.Cut(c.model, "/"); maker {
	case "anthropic":
		out.ID = "toolu_bdrk_01" + id(a.serial, 22)
	case "google":
		out.ID = "tool_0_" + a.tool.name
	case "moonshotai":
		out.ID = "functions." + a.tool.name + ":0"
	default:
		out.ID = "call_" + id(a.serial, 24)
	}
	return out
}

func (openrouter) header(a *answer, contentType string) http.Header {
	return http.Header{"Content-Type": {contentType}, "X-Generation-Id": {"gen-" + id(a.serial, 20)}, "Cache-Control": {"no-cache"}}
}

// whole pads the body in front, as OpenRouter does to keep the connection alive.
func (o openrouter) whole(c *call, a *answer) reply {
	out := openrouterAnswer{
		ID: "gen-" + id(a.serial, 20), Object: "chat.completion", Created: a.created, Model: snapshot(c.model, "-20251001"),
		Provider: "Simulated", Usage: o.usage(c, a),
	}
	reason, native := o.finish(c, a)
	for i := range c.choices {
		m := openrouterMessage{Role: "assistant", Content: &a.text}
		if a.tool != nil {
			m.Content, m.ToolCalls = nil, []chatCall{o.call(c, a)}
		}
		out.Choices = append(out.Choices, openrouterChoice{Index: i, Finish: reason, Native: native, Message: m})
	}
	body := bytes.Repeat([]byte("\n         \n"), 1+int(a.serial%4)) //nolint:gosec // below 4
	return reply{status: http.StatusOK, header: o.header(a, "application/json"), body: append(body, encode(out)...)}
}

// stream begins with comments, says the role in each chunk, and repeats the finish reason in the chunk with the usage.
func (o openrouter) stream(c *call, a *answer) (http.Header, []piece) {
	comment := piece{data: []byte(": OPENROUTER PROCESSING\n\n"), comment: true}
	out := []piece{comment, comment}
	chunk := openrouterChunk{
		ID: "gen-" + id(a.serial, 20), Object: "chat.completion.chunk", Created: a.created, Model: snapshot(c.model, "-20251001"),
		Provider: "Simulated",
	}
	write := func(d openrouterDelta, reason, native *string) {
		d.Role = "assistant"
		for i := range c.choices {
			chunk.Choices = []openrouterChunkChoice{{Index: i, Delta: d, Finish: reason, Native: native}}
			out = append(out, event("", encode(chunk)))
		}
	}
	if a.tool != nil {
		opening := o.call(c, a)
		opening.Function.Arguments = ""
		write(openrouterDelta{ToolCalls: []chatCall{opening}}, nil, nil)
	}
	for i, text := range a.pieces {
		if i == 2 {
			out = append(out, comment)
		}
		if a.tool != nil {
			write(openrouterDelta{ToolCalls: []chatCall{{Index: new(0), Function: chatFunction{Arguments: text}}}}, nil, nil)
			continue
		}
		write(openrouterDelta{Content: &text}, nil, nil)
	}
	reason, native := o.finish(c, a)
	write(openrouterDelta{Content: new("")}, &reason, &native)
	usage := o.usage(c, a)
	chunk.Usage = &usage
	chunk.Choices = chunk.Choices[:1]
	chunk.Choices[0].Index = 0
	out = append(out, event("", encode(chunk)), event("", []byte("[DONE]")))
	return o.header(a, "text/event-stream"), out
}
