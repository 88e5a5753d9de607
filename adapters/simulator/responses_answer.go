package simulator

import (
	"encoding/json"
	"net/http"
)

// The parts of the answers of OpenAI's Responses. An any may hold null{}.
type (
	response struct {
		ID          string          `json:"id"`
		Object      string          `json:"object"`
		Created     int64           `json:"created_at"`
		Status      string          `json:"status"`
		Background  bool            `json:"background"`
		Completed   *int64          `json:"completed_at"`
		Error       any             `json:"error"`
		Incomplete  any             `json:"incomplete_details"`
		Instruct    json.RawMessage `json:"instructions"`
		MaxTokens   *int            `json:"max_output_tokens"`
		MaxCalls    null            `json:"max_tool_calls"`
		Model       string          `json:"model"`
		Output      []any           `json:"output"`
		Parallel    bool            `json:"parallel_tool_calls"`
		Previous    *string         `json:"previous_response_id"`
		CacheKey    *string         `json:"prompt_cache_key"`
		Reasoning   responseReasons `json:"reasoning"`
		Safety      *string         `json:"safety_identifier"`
		Tier        string          `json:"service_tier"`
		Store       bool            `json:"store"`
		Temperature float64         `json:"temperature"`
		Text        responseText    `json:"text"`
		Choice      json.RawMessage `json:"tool_choice"`
		Tools       json.RawMessage `json:"tools"`
		TopLogprobs int             `json:"top_logprobs"`
		TopP        float64         `json:"top_p"`
		Truncation  string          `json:"truncation"`
		Usage       *responsesUsage `json:"usage"`
		User        *string         `json:"user"`
		Metadata    json.RawMessage `json:"metadata"`
	}
	responseReasons struct {
		Effort  *string `json:"effort"`
		Summary *string `json:"summary"`
	}
	responseText struct {
		Format    json.RawMessage `json:"format"`
		Verbosity string          `json:"verbosity"`
	}
	responsesUsage struct {
		Input        int `json:"input_tokens"`
		InputDetails struct {
			Cached int `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		Output        int `json:"output_tokens"`
		OutputDetails struct {
			Reasoning int `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
		Total int `json:"total_tokens"`
	}
	responseReason struct {
		Reason string `json:"reason"`
	}
	outReasoning struct {
		ID        string       `json:"id"`
		Type      string       `json:"type"`
		Encrypted string       `json:"encrypted_content,omitempty"`
		Summary   []outSummary `json:"summary"`
	}
	outSummary struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	outMessage struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Status  string `json:"status"`
		Content []any  `json:"content"`
		Role    string `json:"role"`
	}
	outText struct {
		Type     string    `json:"type"`
		Cites    []outCite `json:"annotations"`
		Logprobs []logprob `json:"logprobs"`
		Text     string    `json:"text"`
	}
	outRefusal struct {
		Type    string `json:"type"`
		Refusal string `json:"refusal"`
	}
	outCite struct {
		Type  string `json:"type"`
		End   int    `json:"end_index"`
		Start int    `json:"start_index"`
		Title string `json:"title"`
		URL   string `json:"url"`
	}
	outCall struct {
		ID        string `json:"id"`
		Type      string `json:"type"`
		Status    string `json:"status"`
		Arguments string `json:"arguments"`
		CallID    string `json:"call_id"`
		Name      string `json:"name"`
	}
	outSearch struct {
		ID     string     `json:"id"`
		Type   string     `json:"type"`
		Status string     `json:"status"`
		Action *outAction `json:"action,omitempty"`
	}
	outAction struct {
		Type  string `json:"type"`
		Query string `json:"query"`
	}
)

func orNull(raw json.RawMessage, otherwise string) json.RawMessage {
	if !given(raw) {
		return json.RawMessage(otherwise)
	}
	return raw
}

func orElse[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// response begins an answer, with nothing said yet: what was asked comes back, and the tier is not settled.
func (c *call) response(a *answer) *response {
	b := c.echoes
	r := &response{
		ID: itemID("resp", a.serial, false, 0), Object: "response", Created: a.created, Status: "in_progress", Background: b.Background,
		Error: null{}, Incomplete: null{}, Instruct: orNull(b.Instructions, "null"), MaxTokens: b.MaxTokens, Model: snapshot(c.model, "-2025-08-07"),
		Output: []any{}, Parallel: orElse(b.Parallel, true), Previous: b.Previous, CacheKey: b.CacheKey, Safety: b.Safety, Tier: "auto",
		Store: orElse(b.Store, true), Temperature: orElse(b.Temperature, 1), Choice: orNull(b.ToolChoice, `"auto"`), Tools: orNull(b.Tools, "[]"),
		TopLogprobs: b.TopLogprobs, TopP: orElse(b.TopP, 1), Truncation: "disabled", User: b.User, Metadata: orNull(b.Metadata, "{}"),
	}
	if b.Tier != "" {
		r.Tier = b.Tier
	}
	if b.Truncation != "" {
		r.Truncation = b.Truncation
	}
	if b.Reasoning != nil {
		r.Reasoning = responseReasons{b.Reasoning.Effort, b.Reasoning.Summary}
	}
	r.Text = responseText{Format: orNull(b.Text.Format, `{"type":"text"}`), Verbosity: "medium"}
	if b.Text.Verbosity != "" {
		r.Text.Verbosity = b.Text.Verbosity
	}
	return r
}

// end settles how an answer ended.
func (r *response) end(a *answer) {
	r.Status = "completed"
	switch a.finish {
	case cutShort, exhausted:
		r.Status, r.Incomplete = "incomplete", responseReason{"max_output_tokens"}
	case filtered:
		r.Status, r.Incomplete = "incomplete", responseReason{"content_filter"}
	default:
		r.Completed = new(a.created + 1)
	}
	if r.Tier == "auto" {
		r.Tier = "default"
	}
	r.Usage = &responsesUsage{Input: a.in, Output: a.out, Total: a.in + a.out}
	r.Usage.InputDetails.Cached, r.Usage.OutputDetails.Reasoning = a.cached, a.thought
}

// items are the items of the output, finished.
func (c *call) items(a *answer) []any {
	var out []any
	parts := a.choices[0]
	reasoned := len(parts) > 0 && parts[0].kind == thinking
	for i, p := range parts {
		switch p.kind {
		case thinking:
			item := outReasoning{ID: itemID("rs", a.serial, true, 0), Type: "reasoning", Summary: []outSummary{}}
			if !c.conceals(p) {
				item.Summary = append(item.Summary, outSummary{"summary_text", p.text})
			}
			if c.encrypts() {
				item.Encrypted = encrypt(a.serial, item.ID)
			}
			out = append(out, item)
		case calling:
			out = append(out, outCall{
				ID: itemID("fc", a.serial, reasoned, i), Type: "function_call", Status: "completed", Arguments: p.text,
				CallID: "call_" + id(a.serialOf(0, p.n), 24), Name: p.name,
			})
		case searching:
			out = append(out, outSearch{ID: itemID("ws", a.serial, false, i), Type: "web_search_call", Status: "completed", Action: &outAction{"search", p.text}})
		case words, refusing:
			out = append(out, c.message(p, itemID("msg", a.serial, reasoned, i), a.finish))
		}
	}
	return out
}

// encrypts reports whether reasoning is given in encrypted form.
func (c *call) encrypts() bool {
	for _, include := range c.echoes.Include {
		if include == includeEncrypted {
			return true
		}
	}
	return false
}

func (c *call) message(p part, itemID string, f finish) outMessage {
	m := outMessage{ID: itemID, Type: "message", Status: "completed", Role: "assistant"}
	if f == cutShort {
		m.Status = "incomplete"
	}
	if p.kind == refusing {
		m.Content = []any{outRefusal{"refusal", p.text}}
		return m
	}
	text := outText{Type: "output_text", Cites: []outCite{}, Logprobs: []logprob{}, Text: p.text}
	for _, cited := range p.cites {
		start, end := cited.runes(p.text)
		text.Cites = append(text.Cites, outCite{"url_citation", end, start, cited.title, cited.url})
	}
	if c.logprobs {
		text.Logprobs = logprobsOf(p.pieces, c.top)
	}
	m.Content = []any{text}
	return m
}

func (o openai) wholeResponse(c *call, a *answer) reply {
	r := c.response(a)
	r.Output = append(r.Output, c.items(a)...)
	r.end(a)
	o.keep(c, r)
	return reply{status: http.StatusOK, header: openaiHeader(a, "application/json"), body: indent(r)}
}
