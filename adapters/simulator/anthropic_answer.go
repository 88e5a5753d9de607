package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The parts of Anthropic's answers.
type (
	anthropicUsage struct {
		Input       int `json:"input_tokens"`
		CacheWrites int `json:"cache_creation_input_tokens"`
		CacheReads  int `json:"cache_read_input_tokens"`
		Creation    struct {
			FiveMinutes int `json:"ephemeral_5m_input_tokens"`
			Hour        int `json:"ephemeral_1h_input_tokens"`
		} `json:"cache_creation"`
		Output int    `json:"output_tokens"`
		Tier   string `json:"service_tier"`
	}
	anthropicDeltaUsage struct {
		Input       int `json:"input_tokens"`
		CacheWrites int `json:"cache_creation_input_tokens"`
		CacheReads  int `json:"cache_read_input_tokens"`
		Output      int `json:"output_tokens"`
	}
	anthropicAnswer struct {
		Model        string            `json:"model"`
		ID           string            `json:"id"`
		Type         string            `json:"type"`
		Role         string            `json:"role"`
		Content      []any             `json:"content"`
		StopReason   *string           `json:"stop_reason"`
		StopSequence *string           `json:"stop_sequence"`
		StopDetails  *anthropicDetails `json:"stop_details,omitempty"`
		Usage        anthropicUsage    `json:"usage"`
	}
	anthropicDetails struct {
		Type        string `json:"type"`
		Category    string `json:"category"`
		Explanation string `json:"explanation"`
	}
	anthropicText struct {
		Type  string          `json:"type"`
		Text  string          `json:"text"`
		Cites []anthropicCite `json:"citations,omitempty"`
	}
	anthropicCite struct {
		Type  string `json:"type"`
		Text  string `json:"cited_text"`
		URL   string `json:"url"`
		Title string `json:"title"`
		Index string `json:"encrypted_index"`
	}
	anthropicThought struct {
		Type      string `json:"type"`
		Thinking  string `json:"thinking"`
		Signature string `json:"signature"`
	}
	anthropicRedacted struct {
		Type string `json:"type"`
		Data string `json:"data"`
	}
	anthropicToolUse struct {
		Type  string          `json:"type"`
		ID    string          `json:"id"`
		Name  string          `json:"name"`
		Input json.RawMessage `json:"input"`
	}
	anthropicSearched struct {
		Type      string            `json:"type"`
		ToolUseID string            `json:"tool_use_id"`
		Content   []anthropicResult `json:"content"`
	}
	anthropicResult struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		URL       string `json:"url"`
		Encrypted string `json:"encrypted_content"`
		PageAge   null   `json:"page_age"`
	}
	anthropicModel struct {
		Type    string `json:"type"`
		ID      string `json:"id"`
		Name    string `json:"display_name"`
		Created string `json:"created_at"`
	}
)

// anthropicPage is how many models a page of the list has when nobody says.
const anthropicPage = 20

func (a anthropic) models(names []string, created int64, query url.Values) any {
	list := struct {
		Data    []any   `json:"data"`
		HasMore bool    `json:"has_more"`
		First   *string `json:"first_id"`
		Last    *string `json:"last_id"`
	}{Data: []any{}}
	if at := slices.Index(names, query.Get("after_id")); at >= 0 {
		names = names[at+1:]
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		limit = anthropicPage
	}
	if list.HasMore = len(names) > limit; list.HasMore {
		names = names[:limit]
	}
	for _, name := range names {
		list.Data = append(list.Data, a.one(name, created))
	}
	if len(names) > 0 {
		list.First, list.Last = &names[0], &names[len(names)-1]
	}
	return list
}

func (anthropic) one(name string, created int64) any {
	return anthropicModel{Type: "model", ID: name, Name: name, Created: time.Unix(created, 0).UTC().Format(time.RFC3339)}
}

func anthropicStopReason(a *answer) string {
	switch a.finish {
	case cutShort, exhausted:
		return "max_tokens"
	case toCall:
		return "tool_use"
	case stopped:
		return "stop_sequence"
	case declined, filtered:
		return "refusal"
	case paused:
		return "pause_turn"
	default:
		return "end_turn"
	}
}

// anthropicDetails are given with a refusal alone.
func (a *answer) anthropicDetails() *anthropicDetails {
	if a.finish != declined && a.finish != filtered {
		return nil
	}
	return &anthropicDetails{Type: "refusal", Category: "other", Explanation: "The simulator was asked to refuse."}
}

func (a *answer) anthropicStop() *string {
	if a.finish != stopped {
		return nil
	}
	return &a.stop
}

// anthropic begins an answer: the input without what was kept before or is kept from now on.
func (a *answer) anthropic(c *call) anthropicAnswer {
	out := anthropicAnswer{
		Model: snapshot(c.model, "-20250929"), ID: "msg_01" + id(a.serial, 22), Type: "message", Role: "assistant", Content: []any{},
		Usage: anthropicUsage{Input: a.in - a.cached - a.written, CacheReads: a.cached, CacheWrites: a.written, Tier: "standard"},
	}
	out.Usage.Creation.Hour = a.hour
	out.Usage.Creation.FiveMinutes = a.written - a.hour
	return out
}

// anthropicBlocks are the blocks of the answer, finished, each with the part that it is of.
func (a *answer) anthropicBlocks(c *call) (blocks []any, of []part) {
	add := func(block any, p part) { blocks, of = append(blocks, block), append(of, p) }
	for _, p := range a.choices[0] {
		switch p.kind {
		case thinking:
			switch {
			case p.hidden:
				add(anthropicRedacted{"redacted_thinking", seal("redacted", a.serial, "")}, p)
			case c.hides:
				p.pieces = nil
				add(anthropicThought{"thinking", "", seal("thinking omitted", a.serial, "")}, p)
			default:
				add(anthropicThought{"thinking", p.text, seal("thinking", a.serial, p.text)}, p)
			}
		case words:
			add(anthropicText{"text", p.text, a.anthropicCites(p)}, p)
		case calling:
			add(anthropicToolUse{"tool_use", "toolu_01" + id(a.serialOf(0, p.n), 22), p.name, json.RawMessage(p.text)}, p)
		case searching:
			use := "srvtoolu_01" + id(a.serial, 22)
			query := encode(map[string]string{"query": p.text})
			p.pieces = cutText(string(query), pieceBytes)
			add(anthropicToolUse{"server_tool_use", use, "web_search", query}, p)
			add(anthropicSearched{"web_search_tool_result", use, []anthropicResult{{
				Type: "web_search_result", Title: "Source 1", URL: "https://example.com/source/1", Encrypted: seal("search", a.serial, ""),
			}}}, part{kind: searching})
		}
	}
	return blocks, of
}

func (a *answer) anthropicCites(p part) []anthropicCite {
	var out []anthropicCite
	for _, cited := range p.cites {
		out = append(out, anthropicCite{
			Type: "web_search_result_location", Text: cited.text, URL: cited.url, Title: cited.title, Index: seal("cite", a.serial, cited.url),
		})
	}
	return out
}

func anthropicHeader(a *answer, contentType string) http.Header {
	clock := time.Unix(a.created, 0).UTC().Format(time.RFC3339)
	return http.Header{
		"Content-Type":                           {contentType},
		"Request-Id":                             {"req_011" + id(a.serial, 21)},
		"Anthropic-Ratelimit-Requests-Limit":     {"4000"},
		"Anthropic-Ratelimit-Requests-Remaining": {"3999"},
		"Anthropic-Ratelimit-Requests-Reset":     {clock},
	}
}

func (anthropic) whole(c *call, a *answer) reply {
	out := a.anthropic(c)
	out.StopReason, out.StopSequence, out.StopDetails, out.Usage.Output = new(anthropicStopReason(a)), a.anthropicStop(), a.anthropicDetails(), a.out
	blocks, _ := a.anthropicBlocks(c)
	out.Content = append(out.Content, blocks...)
	return reply{status: http.StatusOK, header: anthropicHeader(a, "application/json"), body: encode(out)}
}
