package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// openrouter is OpenRouter's chat completions: OpenAI's dialect with manners of its own.
type openrouter struct{}

func (openrouter) maxBody() int64 { return maxBody }

func (openrouter) resembles(model string) bool {
	maker, name, ok := strings.Cut(model, "/")
	return ok && maker != "" && name != ""
}

func (openrouter) route(r *http.Request, path string) (route, *problem) {
	rt, allow := route{}, http.MethodGet
	switch path {
	case "/api/v1/chat/completions":
		allow = http.MethodPost
	case "/api/v1/embeddings":
		rt.api, allow = apiEmbeddings, http.MethodPost
	case "/api/v1/models":
		rt.list, rt.open = true, true
	default:
		return rt, &problem{status: http.StatusNotFound, message: "Not Found"}
	}
	if r.Method != allow {
		return rt, &problem{status: http.StatusMethodNotAllowed, allow: allow, message: "Method Not Allowed"}
	}
	return rt, nil
}

func (openrouter) authorize(r *http.Request) *problem {
	switch bearer(r) {
	case "":
		return &problem{status: http.StatusUnauthorized, message: "No auth credentials found"}
	case badKey:
		return &problem{status: http.StatusUnauthorized, message: "User not found."}
	}
	if r.Method == http.MethodPost && !isJSON(r) {
		return bad("Invalid content type: expected application/json")
	}
	return nil
}

func (openrouter) malformed(error) *problem { return bad("Invalid JSON in request body") }

func (openrouter) unknownModel(api, model string) *problem {
	if api == apiEmbeddings {
		return bad(fmt.Sprintf("Model %s does not exist", model))
	}
	return &problem{status: http.StatusNotFound, message: fmt.Sprintf("No endpoints found for %s.", model)}
}

// parse takes fields that it does not know, and ids of any length.
func (o openrouter) parse(rt route, body []byte) (*call, *problem) {
	if rt.api == apiEmbeddings {
		return parseEmbeddings(body, o.embeddings)
	}
	c, b, p := parseChat(body, maxBody)
	if p == nil {
		p = alteredDetails(b, rt)
	}
	switch {
	case p == nil:
		o.ponders(c, b)
		return c, nil
	case p.message == "you must provide a model parameter":
		p.message = "No models provided"
	case p.param == "messages":
		p.message = `Input required: specify "prompt" or "messages"`
	}
	return nil, p
}

// ponders finds out whether thinking is on, and whether the web is searched.
func (openrouter) ponders(c *call, b *chatBody) {
	c.thinks = b.IncludeReasoning || thinksHard(b.Effort)
	if r := b.Reasoning; r != nil {
		c.thinks = thinksHard(r.Effort) || r.MaxTokens > 0 || r.Enabled != nil && *r.Enabled
		c.hides = r.Exclude
	}
	c.search = c.search || strings.HasSuffix(c.model, ":online")
	for _, plugin := range b.Plugins {
		c.search = c.search || plugin.ID == "web"
	}
}

// reasoningFormat is the format of the reasoning of a model, which is that of its maker.
func reasoningFormat(model string) string {
	switch maker, _, _ := strings.Cut(model, "/"); maker {
	case "anthropic":
		return chat.FormatAnthropic
	case "google":
		return chat.FormatGemini
	case "openai":
		return chat.FormatOpenAI
	case "x-ai":
		return "xai-responses-v1"
	default:
		return "unknown"
	}
}

// alteredDetails refuses, as the vendor behind does, reasoning of the model's own format that is not signed as it is. What has another format is left out.
func alteredDetails(b *chatBody, rt route) *problem {
	own := reasoningFormat(b.Model)
	for i, m := range *b.Messages {
		for _, d := range m.Details {
			altered := false
			switch {
			case d.Format != own:
			case d.Type == "reasoning.text" && d.Signature != "":
				altered = !rt.genuine("thinking", d.Signature, d.Text)
			case d.Type == "reasoning.encrypted" && own == chat.FormatAnthropic:
				altered = !rt.genuine("redacted", d.Data, "")
			case d.Type == "reasoning.encrypted":
				altered = !rt.genuine("thought", d.Data, "")
			}
			if !altered {
				continue
			}
			return &problem{
				status: http.StatusBadRequest, message: "Provider returned error",
				raw: fmt.Sprintf(`{"type":"error","error":{"type":"invalid_request_error","message":"messages.%d.content.0: Invalid `+"`signature` in `thinking` block"+`"}}`, i),
			}
		}
	}
	return nil
}

func (openrouter) failure(status int) *problem {
	p := &problem{status: status, message: "Provider returned error"}
	switch status {
	case http.StatusUnauthorized:
		p.message = "User not found."
	case http.StatusPaymentRequired:
		p.message = "Insufficient credits. Add more using https://openrouter.ai/settings/credits"
	case http.StatusForbidden:
		p.message = "This model requires moderation, and the input was flagged."
	case http.StatusInternalServerError:
		p.message = "Internal Server Error"
	case http.StatusServiceUnavailable:
		p.html = true
	case http.StatusTooManyRequests:
		p.raw = "Simulated is temporarily rate-limited upstream. Please retry shortly."
	default:
		p.raw = `{"error":{"message":"` + http.StatusText(status) + `"}}`
	}
	return p
}

type openrouterError struct {
	Error struct {
		Message  string              `json:"message"`
		Code     int                 `json:"code"`
		Metadata *openrouterMetadata `json:"metadata,omitempty"`
	} `json:"error"`
	UserID string `json:"user_id,omitempty"`
}

type openrouterMetadata struct {
	Raw      string `json:"raw"`
	Provider string `json:"provider_name"`
	BYOK     bool   `json:"is_byok"`
}

// refuse has the integer code and, where the problem has one, the cause as a string in the metadata.
func (openrouter) refuse(p *problem, _ uint64) reply {
	var e openrouterError
	e.Error.Message, e.Error.Code = p.message, p.status
	if p.status >= 400 && p.message == "Provider returned error" {
		e.Error.Metadata = &openrouterMetadata{Raw: p.raw, Provider: "Simulated"}
	}
	if p.status != http.StatusUnauthorized {
		e.UserID = "user_simulated"
	}
	r := jsonReply(p.status, encode(e))
	if p.html {
		r = htmlReply(p.status)
	}
	if p.allow != "" {
		r.header.Set("Allow", p.allow)
	}
	if p.retry > 0 {
		r.header.Set("Retry-After", strconv.Itoa(p.retry))
	}
	return r
}

// htmlReply is the answer of a vendor's edge, which does not speak the vendor's dialect.
func htmlReply(status int) reply {
	text := strconv.Itoa(status) + " " + http.StatusText(status)
	return reply{
		status: status, header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		body: []byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>" + text + "</title></head>\n<body><h1>" + text + "</h1></body>\n</html>\n"),
	}
}

type openrouterModel struct {
	ID            string `json:"id"`
	Slug          string `json:"canonical_slug"`
	Name          string `json:"name"`
	Created       int64  `json:"created"`
	ContextLength int    `json:"context_length"`
	Pricing       struct {
		Prompt     string `json:"prompt"`
		Completion string `json:"completion"`
	} `json:"pricing"`
	Parameters []string `json:"supported_parameters"`
}

func (openrouter) models(names []string, created int64, _ url.Values) any {
	list := struct {
		Data []any `json:"data"`
	}{Data: []any{}}
	for _, name := range names {
		list.Data = append(list.Data, openrouter{}.one(name, created))
	}
	return list
}

func (openrouter) one(name string, created int64) any {
	m := openrouterModel{
		ID: name, Slug: name, Name: name, Created: created, ContextLength: 200_000,
		Parameters: []string{"max_tokens", "response_format", "stop", "temperature", "tool_choice", "tools", "top_p"},
	}
	m.Pricing.Prompt, m.Pricing.Completion = "0.000001", "0.000005"
	return m
}
