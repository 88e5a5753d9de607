package simulator

import (
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
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
		Logprobs *chatLogprobs `json:"logprobs"`
		Finish   string        `json:"finish_reason"`
	}
	openaiMessage struct {
		Role        string     `json:"role"`
		Content     *string    `json:"content"`
		Refusal     *string    `json:"refusal"`
		ToolCalls   []chatCall `json:"tool_calls,omitempty"`
		Annotations []chatCite `json:"annotations"`
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
		Index    int           `json:"index"`
		Delta    any           `json:"delta"`
		Logprobs *chatLogprobs `json:"logprobs"`
		Finish   *string       `json:"finish_reason"`
	}
	openaiOpening struct {
		Role    string  `json:"role"`
		Content *string `json:"content"`
		Refusal null    `json:"refusal"`
	}
	openaiText struct {
		Content string `json:"content"`
	}
	openaiRefusal struct {
		Refusal string `json:"refusal"`
	}
	openaiCites struct {
		Annotations []chatCite `json:"annotations"`
	}
	chatCite struct {
		Type string  `json:"type"`
		URL  urlCite `json:"url_citation"`
	}
	urlCite struct {
		URL     string `json:"url"`
		Title   string `json:"title"`
		Content string `json:"content,omitempty"`
		Start   int    `json:"start_index"`
		End     int    `json:"end_index"`
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

func (a *answer) chatUsage() chatUsage {
	u := chatUsage{PromptTokens: a.in, CompletionTokens: a.out}
	u.PromptDetails.Cached, u.CompletionDetails.Reasoning = a.cached, a.thought
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

// openaiFinish names why the answer ended. A tool that was forced by name ends with stop.
func openaiFinish(c *call, a *answer) string {
	switch a.finish {
	case cutShort, exhausted:
		return "length"
	case filtered:
		return "content_filter"
	case toCall:
		if c.force == "" {
			return "tool_calls"
		}
	}
	return "stop"
}

// chatCites are the citations of a choice's words, in characters.
func (a *answer) chatCites(choice int) []chatCite {
	out := []chatCite{}
	for _, p := range a.parts(choice, words) {
		for _, c := range p.cites {
			start, end := c.runes(p.text)
			out = append(out, chatCite{"url_citation", urlCite{URL: c.url, Title: c.title, Content: c.text, Start: start, End: end}})
		}
	}
	return out
}

// runes gives the place of the citation in characters.
func (c cite) runes(text string) (start, end int) {
	return utf8.RuneCountInString(text[:c.start]), utf8.RuneCountInString(text[:c.end])
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

func (o openai) whole(c *call, a *answer) reply {
	if c.api == apiResponses {
		return o.wholeResponse(c, a)
	}
	out := openaiAnswer{
		ID: "chatcmpl-" + id(a.serial, 29), Object: "chat.completion", Created: a.created, Model: snapshot(c.model, "-2025-08-07"),
		Usage: a.chatUsage(), ServiceTier: "default", Fingerprint: fingerprint,
	}
	for i := range c.choices {
		m, logprobs := a.openaiMessage(c, i)
		out.Choices = append(out.Choices, openaiChoice{Index: i, Message: m, Finish: openaiFinish(c, a), Logprobs: logprobs})
	}
	return reply{status: http.StatusOK, header: openaiHeader(a, "application/json"), body: indent(out)}
}

func (a *answer) openaiMessage(c *call, choice int) (openaiMessage, *chatLogprobs) {
	m := openaiMessage{Role: "assistant", Annotations: a.chatCites(choice)}
	var pieces []string
	for _, p := range a.choices[choice] {
		switch p.kind {
		case words:
			m.Content = new(a.said(choice))
			pieces = append(pieces, p.pieces...)
		case refusing:
			m.Refusal = &p.text
		case calling:
			m.ToolCalls = append(m.ToolCalls, chatCall{
				ID: "call_" + id(a.serialOf(choice, p.n), 24), Type: "function", Function: chatFunction{Name: p.name, Arguments: p.text},
			})
		}
	}
	if m.Content == nil && m.Refusal == nil && m.ToolCalls == nil {
		m.Content = new("")
	}
	return m, c.chatLogprobs(pieces)
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

// each writes what each choice has to say at one step, so that choices interleave.
func (s *openaiStream) each(step func(choice int) (delta any, logprobs *chatLogprobs), finish *string) (wrote bool) {
	for i := range s.c.choices {
		delta, logprobs := step(i)
		if delta == nil {
			continue
		}
		s.chunk.Choices = []openaiChunkChoice{{Index: i, Delta: delta, Logprobs: logprobs, Finish: finish}}
		s.write()
		wrote = true
	}
	return wrote
}

// deltas are the steps of a choice between its first and its last.
func (a *answer) openaiDeltas(c *call, choice int) (deltas []any, logprobs []*chatLogprobs) {
	add := func(d any, l *chatLogprobs) { deltas, logprobs = append(deltas, d), append(logprobs, l) }
	for _, p := range a.choices[choice] {
		if p.kind == calling {
			add(openaiTools{[]chatCall{{
				Index: &p.n, ID: "call_" + id(a.serialOf(choice, p.n), 24), Type: "function", Function: chatFunction{Name: p.name},
			}}}, nil)
			if p.pieces == nil {
				p.pieces = []string{p.text}
			}
		}
		for _, text := range p.pieces {
			switch p.kind {
			case words:
				add(openaiText{text}, c.chatLogprobs([]string{text}))
			case refusing:
				add(openaiRefusal{text}, nil)
			case calling:
				add(openaiTools{[]chatCall{{Index: &p.n, Function: chatFunction{Arguments: text}}}}, nil)
			}
		}
	}
	if cites := a.chatCites(choice); len(cites) > 0 {
		add(openaiCites{cites}, nil)
	}
	return deltas, logprobs
}

func (o openai) stream(c *call, a *answer) (http.Header, []piece) {
	if c.api == apiResponses {
		return o.streamResponses(c, a)
	}
	s := openaiStream{c: c, a: a, chunk: openaiChunk{
		ID: "chatcmpl-" + id(a.serial, 29), Object: "chat.completion.chunk", Created: a.created, Model: snapshot(c.model, "-2025-08-07"),
		ServiceTier: "default", Fingerprint: fingerprint,
	}}
	if c.usage {
		s.chunk.Usage = null{}
	}
	opening := openaiOpening{Role: "assistant", Content: new("")}
	if a.finish == toCall {
		opening.Content = nil
	}
	always := func(delta any) func(int) (any, *chatLogprobs) {
		return func(int) (any, *chatLogprobs) { return delta, nil }
	}
	s.each(always(opening), nil)
	deltas, logprobs := make([][]any, c.choices), make([][]*chatLogprobs, c.choices)
	for i := range c.choices {
		deltas[i], logprobs[i] = a.openaiDeltas(c, i)
	}
	step := 0
	for s.each(func(choice int) (any, *chatLogprobs) {
		if step >= len(deltas[choice]) {
			return nil, nil
		}
		return deltas[choice][step], logprobs[choice][step]
	}, nil) {
		step++
	}
	s.each(always(struct{}{}), new(openaiFinish(c, a)))
	if c.usage {
		s.chunk.Choices, s.chunk.Usage = []openaiChunkChoice{}, a.chatUsage()
		s.write()
	}
	return openaiHeader(a, "text/event-stream; charset=utf-8"), append(s.out, event("", []byte("[DONE]")))
}

// broken is an error in place of the rest.
func (o openai) broken(c *call, a *answer, n int) []piece {
	if c.api == apiResponses {
		return o.breakResponses(c, a, n)
	}
	return []piece{event("", encode(openaiFailure(o.failure(http.StatusInternalServerError))))}
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
