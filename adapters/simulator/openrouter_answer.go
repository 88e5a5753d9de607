package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/chat"
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
		Logprobs *chatLogprobs     `json:"logprobs"`
		Finish   string            `json:"finish_reason"`
		Native   string            `json:"native_finish_reason"`
		Message  openrouterMessage `json:"message"`
	}
	openrouterMessage struct {
		Role        string             `json:"role"`
		Content     *string            `json:"content"`
		Refusal     *string            `json:"refusal"`
		Reasoning   *string            `json:"reasoning"`
		ToolCalls   []chatCall         `json:"tool_calls,omitempty"`
		Details     []openrouterDetail `json:"reasoning_details,omitempty"`
		Annotations []chatCite         `json:"annotations,omitempty"`
	}
	openrouterDetail struct {
		Type      string `json:"type"`
		Text      string `json:"text,omitempty"`
		Summary   string `json:"summary,omitempty"`
		Data      string `json:"data,omitempty"`
		Signature string `json:"signature,omitempty"`
		ID        string `json:"id,omitempty"`
		Format    string `json:"format"`
		Index     int    `json:"index"`
	}
	openrouterChunk struct {
		ID       string                  `json:"id"`
		Object   string                  `json:"object"`
		Created  int64                   `json:"created"`
		Model    string                  `json:"model"`
		Provider string                  `json:"provider"`
		Choices  []openrouterChunkChoice `json:"choices"`
		Usage    *openrouterUsage        `json:"usage,omitempty"`
		Error    *openrouterCause        `json:"error,omitempty"`
	}
	openrouterCause struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	openrouterChunkChoice struct {
		Index    int             `json:"index"`
		Delta    openrouterDelta `json:"delta"`
		Finish   *string         `json:"finish_reason"`
		Native   *string         `json:"native_finish_reason"`
		Logprobs *chatLogprobs   `json:"logprobs,omitempty"`
	}
	openrouterDelta struct {
		Content     *string            `json:"content"`
		Role        string             `json:"role"`
		Refusal     *string            `json:"refusal,omitempty"`
		Reasoning   *string            `json:"reasoning,omitempty"`
		Details     []openrouterDetail `json:"reasoning_details,omitempty"`
		ToolCalls   []chatCall         `json:"tool_calls,omitempty"`
		Annotations []chatCite         `json:"annotations,omitempty"`
	}
)

// usage counts, and prices a prompt token at 1 and a completion token at 5 millionths of a dollar.
func (openrouter) usage(a *answer) openrouterUsage {
	u := openrouterUsage{PromptTokens: a.in, CompletionTokens: a.out}
	u.PromptDetails.Cached, u.PromptDetails.CacheWrite, u.CompletionDetails.Reasoning = a.cached, a.written, a.thought
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	u.Cost = float64(u.PromptTokens+5*u.CompletionTokens) / 1e6
	u.CostDetails.Upstream = u.Cost
	u.CostDetails.Prompt, u.CostDetails.Completions = float64(u.PromptTokens)/1e6, float64(5*u.CompletionTokens)/1e6
	return u
}

// finish gives OpenRouter's reason and that of the vendor behind it.
func (openrouter) finish(c *call, a *answer) (reason, native string) {
	reason = map[finish]string{toCall: "tool_calls", cutShort: "length", exhausted: "length", filtered: "content_filter"}[a.finish]
	if reason == "" {
		reason = "stop"
	}
	switch maker, _, _ := strings.Cut(c.model, "/"); maker {
	case "google":
		return reason, geminiFinish(a)
	case "anthropic":
		return reason, anthropicStopReason(a)
	default:
		return reason, reason
	}
}

// call makes a tool call whose id has the form of the vendor behind: some hold characters that other vendors refuse.
func (openrouter) call(c *call, a *answer, choice int, p part) chatCall {
	out := chatCall{Index: &p.n, Type: "function", Function: chatFunction{Name: p.name, Arguments: p.text}}
	serial := a.serialOf(choice, p.n)
	switch maker, _, _ := strings.Cut(c.model, "/"); maker {
	case "anthropic":
		out.ID = "toolu_bdrk_01" + id(serial, 22)
	case "google":
		out.ID = fmt.Sprintf("tool_%d_%s", p.n, p.name)
		if c.rounds > 0 {
			out.ID += "_" + id(serial, 20)
		}
	case "moonshotai":
		out.ID = fmt.Sprintf("functions.%s:%d", p.name, 2*c.rounds+p.n) // counts all calls of the conversation
	default:
		out.ID = "call_" + id(serial, 24)
	}
	return out
}

// reasoning is what a choice thought: as text, and in details of the format of the model's maker. Google signs the first call; its detail names it.
func (o openrouter) reasoning(c *call, a *answer, choice int) (text *string, details []openrouterDetail) {
	format := reasoningFormat(c.model)
	add := func(d openrouterDetail) {
		d.Format, d.Index = format, len(details)
		details = append(details, d)
	}
	for _, p := range a.parts(choice, thinking) {
		shown := !c.conceals(p)
		if shown {
			text = &p.text
		}
		switch {
		case format == chat.FormatAnthropic && p.hidden:
			add(openrouterDetail{Type: "reasoning.encrypted", Data: seal("redacted", a.serial, "")})
		case format == chat.FormatAnthropic && shown:
			add(openrouterDetail{Type: "reasoning.text", Text: p.text, Signature: seal("thinking", a.serial, p.text)})
		case format == "unknown" && shown:
			add(openrouterDetail{Type: "reasoning.text", Text: p.text})
		case shown && format == chat.FormatGemini:
			add(openrouterDetail{Type: "reasoning.text", Text: p.text})
		case shown:
			add(openrouterDetail{Type: "reasoning.summary", Summary: p.text})
		}
		if format == chat.FormatOpenAI || format == "xai-responses-v1" {
			add(openrouterDetail{Type: "reasoning.encrypted", Data: seal("thought", a.serial, ""), ID: itemID("rs", a.serial, true, 0)})
		}
	}
	calls := a.parts(choice, calling)
	if format == chat.FormatGemini && len(calls) > 0 && (c.thinks || c.asks.thinking || strings.HasPrefix(c.model, "google/gemini-3")) {
		add(openrouterDetail{Type: "reasoning.encrypted", Data: seal("thought", a.serial, ""), ID: o.call(c, a, choice, calls[0]).ID})
	}
	return text, details
}

func (openrouter) header(a *answer, contentType string) http.Header {
	return http.Header{"Content-Type": {contentType}, "X-Generation-Id": {"gen-" + id(a.serial, 20)}, "Cache-Control": {"no-cache"}}
}

// whole pads the body in front, as OpenRouter does to keep the connection alive.
func (o openrouter) whole(c *call, a *answer) reply {
	out := openrouterAnswer{
		ID: "gen-" + id(a.serial, 20), Object: "chat.completion", Created: a.created, Model: snapshot(c.model, "-20251001"),
		Provider: "Simulated", Usage: o.usage(a),
	}
	reason, native := o.finish(c, a)
	for i := range c.choices {
		m := openrouterMessage{Role: "assistant", Annotations: a.chatCites(i)}
		m.Reasoning, m.Details = o.reasoning(c, a, i)
		var pieces []string
		for _, p := range a.choices[i] {
			switch p.kind {
			case words:
				m.Content = new(a.said(i))
				pieces = append(pieces, p.pieces...)
			case refusing:
				m.Refusal = &p.text
			case calling:
				m.ToolCalls = append(m.ToolCalls, o.call(c, a, i, p))
			}
		}
		if m.Content == nil && m.ToolCalls == nil {
			m.Content = new("")
		}
		out.Choices = append(out.Choices, openrouterChoice{Index: i, Finish: reason, Native: native, Message: m, Logprobs: c.chatLogprobs(pieces)})
	}
	body := bytes.Repeat([]byte("\n         \n"), 1+int(a.serial%4)) //nolint:gosec // below 4
	return reply{status: http.StatusOK, header: o.header(a, "application/json"), body: append(body, encode(out)...)}
}
