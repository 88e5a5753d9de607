package gemini

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// Count implements outbound.Counter. A request is counted as it would be sent, with its system prompt and its tools.
func (p *provider) Count(ctx context.Context, to outbound.Target, r *chat.Request) (int, error) {
	out, err := encode(nameOf(to), r)
	if err != nil {
		return 0, err
	}
	out.request.Model = "models/" + nameOf(to)
	c, err := post(to, ":countTokens", struct {
		Request *request `json:"generateContentRequest"`
	}{out.request})
	if err != nil {
		return 0, err
	}
	var a struct {
		Total *int `json:"totalTokens"`
	}
	if err := c.Into(ctx, p.client, &a); err != nil {
		return 0, err
	}
	if a.Total == nil || *a.Total < 0 {
		return 0, llm.BadResponse(to, "counted nothing")
	}
	return *a.Total, nil
}

// maxPages bounds a list of models.
const maxPages = 50

// List implements outbound.Lister.
func (p *provider) List(ctx context.Context, to outbound.Target) ([]string, error) {
	names := []string{}
	token := ""
	for range maxPages {
		query := url.Values{"pageSize": {"1000"}}
		if token != "" {
			query.Set("pageToken", token)
		}
		c := callOf(to, "/v1beta/models?"+query.Encode())
		c.Method = http.MethodGet
		var page struct {
			Models *[]struct {
				Name string `json:"name"`
			} `json:"models"`
			Next string `json:"nextPageToken"`
		}
		if err := c.Into(ctx, p.client, &page); err != nil {
			return nil, err
		}
		if page.Models == nil {
			return nil, llm.BadResponse(to, "answered without a list of models")
		}
		for _, m := range *page.Models {
			if name := strings.TrimPrefix(m.Name, "models/"); name != "" {
				names = append(names, name)
			}
		}
		if page.Next == "" || page.Next == token {
			return names, nil
		}
		token = page.Next
	}
	return nil, llm.BadResponse(to, "does not come to the end of its list of models")
}
