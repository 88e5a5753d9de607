package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
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

func (openrouter) unknownModel(model string) *problem {
	return &problem{status: http.StatusNotFound, message: fmt.Sprintf("No endpoints found for %s.", model)}
}

func (openrouter) parse(_ route, body []byte) (*call, *problem) {
	c, _, p := parseChat(body)
	switch {
	case p == nil:
		return c, nil
	case p.message == "you must provide a model parameter":
		p.message = "No models provided"
	case p.param == "messages":
		p.message = `Input required: specify "prompt" or "messages"`
	}
	return nil, p
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
		p.code = "Simulated is temporarily rate-limited upstream. Please retry shortly."
	default:
		p.code = `{"error":{"message":"` + http.StatusText(status) + `"}}`
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
		e.Error.Metadata = &openrouterMetadata{Raw: p.code, Provider: "Simulated"}
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

func (openrouter) models(names []string, created int64) any {
	list := struct {
		Data []openrouterModel `json:"data"`
	}{Data: []openrouterModel{}}
	for _, name := range names {
		m := openrouterModel{
			ID: name, Slug: name, Name: name, Created: created, ContextLength: 200_000,
			Parameters: []string{"max_tokens", "response_format", "stop", "temperature", "tool_choice", "tools", "top_p"},
		}
		m.Pricing.Prompt, m.Pricing.Completion = "0.000001", "0.000005"
		list.Data = append(list.Data, m)
	}
	return list
}
