package simulator

import (
	"net/http"
	"regexp"
	"strings"
)

// The parts of OpenAI's answers. An `any` is a field that is left out when nil and may hold null{}.
type (
	chatUsage struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
		PromptDetails    struct {
			Cached int `json:"cached_tokens"`
			Audio  int `json:"audio_tokens"`
		} `json:"prompt_tokens_details"`
		CompletionDetails struct {
			Reasoning int `json:"reasoning_tokens"`
			Audio     int `json:"audio_tokens"`
			Accepted  int `json:"accepted_prediction_tokens"`
			Rejected  int `json:"rejected_prediction_tokens"`
		} `json:"completion_tokens_details"`
	}
	chatFunction struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	}
	chatCall struct {
		Index    *int         `json:"index,omitempty"`
		ID       string       `json:"id,omitempty"`
		Type     string       `json:"type,omitempty"`
		Function chatFunction `json:"function"`
	}
	openaiAnswer struct {
		ID          string         `json:"id"`
		Object      string         `json:"object"`
		Created     int64          `json:"created"`
		Model       string         `json:"model"`
		Choices     []openaiChoice `json:"choices"`
		Usage       chatUsage      `json:"usage"`
		ServiceTier string         `json:"service_tier"`
		Fingerprint string         `json:"system_fingerprint"`
	}
	openaiChoice struct {
		Index    int           `json:"index"`
		Message  openaiMessage `json:"message"`
		Logprobs null          `json:"logprobs"`
		Finish   string        `json:"finish_reason"`
	}
	openaiMessage struct {
		Role        string     `json:"role"`
		Content     *string    `json:"content"`
		Refusal     null       `json:"refusal"`
		ToolCalls   []chatCall `json:"tool_calls,omitempty"`
		Annotations []null     `json:"annotations"`
	}
	openaiChunk struct {
		ID          string              `json:"id"`
		Object      string              `json:"object"`
		Created     int64               `json:"created"`
		Model       string              `json:"model"`
		ServiceTier string              `json:"service_tier"`
		Fingerprint string              `json:"system_fingerprint"`
		Choices     []openaiChunkChoice `json:"choices"`
		Usage       any                 `json:"usage,omitempty"`
		Obfuscation string              `json:"obfuscation"`
	}
	openaiChunkChoice struct {
		Index    int     `json:"index"`
		Delta    any     `json:"delta"`
		Logprobs null    `json:"logprobs"`
		Finish   *string `json:"finish_reason"`
	}
	openaiOpening struct {
		Role    string  `json:"role"`
		Content *string `json:"content"`
		Refusal null    `json:"refusal"`
	}
	openaiText struct {
		Content string `json:"content"`
	}
	openaiTools struct {
		ToolCalls []chatCall `json:"tool_calls"`
	}
)

const fingerprint = "fp_51d0f0e9c7"

var dated = regexp.MustCompile(`-\d{4}-?\d{2}-?\d{2}$`)

// snapshot is the dated name that a vendor answers with.
func snapshot(model, date string) string {
	if dated.MatchString(model) {
		return model
	}
	return model + date
}

func (a *answer) chatUsage(choices int) chatUsage {
	u := chatUsage{PromptTokens: a.in, CompletionTokens: a.out * choices}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

// openaiFinish names why the answer ended. A tool that was forced by name ends with stop.
func openaiFinish(c *call, a *answer) string {
	switch {
	case a.length:
		return "length"
	case a.tool != nil && c.force == "":
		return "tool_calls"
	default:
		return "stop"
	}
}

func openaiHeader(a *answer, contentType string) http.Header {
	return http.Header{
		"Content-Type":                   {contentType},
		"Openai-Processing-Ms":           {"12"},
		"Openai-Version":                 {"2020-10-01"},
		"X-Request-Id":                   {"req_" + strings.ToLower(id(a.serial, 32))},
		"X-Ratelimit-Limit-Requests":     {"10000"},
		"X-Ratelimit-Remaining-Requests": {"9999"},
		"X-Ratelimit-Reset-Requests":     {"6ms"},
	}
}

func (openai) whole(c *call, a *answer) reply {
	out := openaiAnswer{
		ID: "chatcmpl-" + id(a.serial, 29), Object: "chat.completion", Created: a.created, Model: snapshot(c.model, "-2025-08-07"),
		Usage: a.chatUsage(c.choices), ServiceTier: "default", Fingerprint: fingerprint,
	}
	for i := range c.choices {
		m := openaiMessage{Role: "assistant", Content: &a.text, Annotations: []null{}}
		if a.tool != nil {
			m.Content = nil
			m.ToolCalls = []chatCall{{
				ID: "call_" + id(a.serial+uint64(i), 24), Type: "function", //nolint:gosec // below 128
				Function: chatFunction{Name: a.tool.name, Arguments: a.tool.args},
			}}
		}
		out.Choices = append(out.Choices, openaiChoice{Index: i, Message: m, Finish: openaiFinish(c, a)})
	}
	return reply{status: http.StatusOK, header: openaiHeader(a, "application/json"), body: indent(out)}
}

// openaiStream writes chunks one after another.
type openaiStream struct {
	c     *call
	a     *answer
	chunk openaiChunk
	out   []piece
}

func (s *openaiStream) write() {
	at := uint64(len(s.out))
	s.chunk.Obfuscation = id(s.a.serial+at, int(mix(s.a.serial+at)%14)) //nolint:gosec // below 14
	s.out = append(s.out, event("", encode(s.chunk)))
}

// each writes a chunk for every choice, so that choices interleave.
func (s *openaiStream) each(delta any, finish *string) {
	for i := range s.c.choices {
		s.chunk.Choices = []openaiChunkChoice{{Index: i, Delta: delta, Finish: finish}}
		s.write()
	}
}

func (openai) stream(c *call, a *answer) (http.Header, []piece) {
	s := openaiStream{c: c, a: a, chunk: openaiChunk{
		ID: "chatcmpl-" + id(a.serial, 29), Object: "chat.completion.chunk", Created: a.created, Model: snapshot(c.model, "-2025-08-07"),
		ServiceTier: "default", Fingerprint: fingerprint,
	}}
	if c.usage {
		s.chunk.Usage = null{}
	}
	opening := openaiOpening{Role: "assistant", Content: new("")}
	if a.tool != nil {
		opening.Content = nil
	}
	s.each(opening, nil)
	if a.tool != nil {
		s.each(openaiTools{[]chatCall{{Index: new(0), ID: "call_" + id(a.serial, 24), Type: "function", Function: chatFunction{Name: a.tool.name}}}}, nil)
	}
	for _, text := range a.pieces {
		if a.tool != nil {
			s.each(openaiTools{[]chatCall{{Index: new(0), Function: chatFunction{Arguments: text}}}}, nil)
			continue
		}
		s.each(openaiText{text}, nil)
	}
	s.each(struct{}{}, new(openaiFinish(c, a)))
	if c.usage {
		s.chunk.Choices, s.chunk.Usage = []openaiChunkChoice{}, a.chatUsage(c.choices)
		s.write()
	}
	return openaiHeader(a, "text/event-stream; charset=utf-8"), append(s.out, event("", []byte("[DONE]")))
}

// event frames data as a server-sent event.
func event(name string, data []byte) piece {
	b := make([]byte, 0, len(data)+len(name)+20)
	if name != "" {
		b = append(append(append(b, "event: "...), name...), '\n')
	}
	b = append(append(append(b, "data: "...), data...), "\n\n"...)
	return piece{data: b}
}
