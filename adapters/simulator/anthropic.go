package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// anthropic is Anthropic's messages.
type anthropic struct{}

// maxBody is what Anthropic takes: half of what the simulator reads.
func (anthropic) maxBody() int64 { return maxBody / 2 }

func (anthropic) resembles(model string) bool { return strings.HasPrefix(model, "claude-") }

func (anthropic) route(r *http.Request, path string) (route, *problem) {
	rt, allow := route{version: r.Header.Get("Anthropic-Version")}, http.MethodGet
	model, one := strings.CutPrefix(path, "/v1/models/")
	switch {
	case path == "/v1/messages":
		allow = http.MethodPost
	case path == "/v1/messages/count_tokens":
		rt.api, allow = apiCount, http.MethodPost
	case path == "/v1/models":
		rt.list = true
	case one:
		rt.one, rt.model = true, model
	default:
		return rt, &problem{status: http.StatusNotFound, kind: "not_found_error", message: "Not Found"}
	}
	if r.Method != allow {
		return rt, &problem{status: http.StatusMethodNotAllowed, allow: allow, message: "Method Not Allowed"}
	}
	return rt, nil
}

func (anthropic) authorize(r *http.Request) *problem {
	key := r.Header.Get("X-Api-Key")
	if key == "" {
		key = bearer(r)
	}
	switch {
	case key == "":
		return &problem{status: http.StatusUnauthorized, message: "x-api-key header is required"}
	case key == badKey:
		return &problem{status: http.StatusUnauthorized, message: "invalid x-api-key"}
	}
	if p := anthropicVersion(r); p != nil {
		return p
	}
	if r.Method == http.MethodPost && !isJSON(r) {
		return bad("content-type: must be application/json")
	}
	return nil
}

func (anthropic) malformed(err error) *problem {
	return bad("The request body is not valid JSON: " + err.Error())
}

func (anthropic) unknownModel(_, model string) *problem {
	return &problem{status: http.StatusNotFound, message: "model: " + model}
}

type (
	anthropicBody struct {
		Model        string              `json:"model"`
		MaxTokens    *int                `json:"max_tokens"`
		Messages     *[]anthropicMessage `json:"messages"`
		System       json.RawMessage     `json:"system"`
		Stream       bool                `json:"stream"`
		Temperature  *float64            `json:"temperature"`
		TopP         *float64            `json:"top_p"`
		TopK         *int                `json:"top_k"`
		Stops        []string            `json:"stop_sequences"`
		Thinking     *anthropicThinks    `json:"thinking"`
		Tools        []anthropicTool     `json:"tools"`
		ToolChoice   anthropicChoice     `json:"tool_choice"`
		OutputFormat *anthropicFormat    `json:"output_format"`
		OutputConfig struct {
			Format *anthropicFormat `json:"format"`
		} `json:"output_config"`
	}
	anthropicThinks struct {
		Type    string `json:"type"`
		Budget  *int   `json:"budget_tokens"`
		Display string `json:"display"`
	}
	anthropicMessage struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`

		blocks []anthropicBlock // of the content
	}
	anthropicTool struct {
		Type   string        `json:"type"`
		Name   string        `json:"name"`
		Schema any           `json:"input_schema"`
		Cache  *cacheControl `json:"cache_control"`
	}
	anthropicChoice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	anthropicFormat struct {
		Schema any `json:"schema"`
	}
	anthropicBlock struct {
		Type      string          `json:"type"`
		Text      string          `json:"text"`
		ID        string          `json:"id"`
		Input     json.RawMessage `json:"input"`
		ToolUseID string          `json:"tool_use_id"`
		Content   json.RawMessage `json:"content"`
		Thinking  string          `json:"thinking"`
		Signature *string         `json:"signature"`
		Data      string          `json:"data"`
		Citations json.RawMessage `json:"citations"`
		Cache     *cacheControl   `json:"cache_control"`
		Source    struct {
			Type      string `json:"type"`
			MediaType string `json:"media_type"`
			Data      string `json:"data"`
			URL       string `json:"url"`
			FileID    string `json:"file_id"`
		} `json:"source"`
	}
)

func (a anthropic) parse(rt route, body []byte) (*call, *problem) {
	var b anthropicBody
	if err := json.Unmarshal(body, &b); err != nil {
		field := "body"
		if wrong, is := asTypeError(err); is && wrong.Field != "" {
			field = strings.ReplaceAll(wrong.Field, "[]", "")
		}
		return nil, bad(field + ": Input should be a valid " + anthropicKind(err))
	}
	if p := unknownInAnthropic(body); p != nil {
		return nil, p
	}
	if rt.api == apiCount && b.MaxTokens == nil {
		b.MaxTokens = new(maxBody) // a count needs no limit
	}
	if p := b.check(); p != nil {
		return nil, p
	}
	c := &call{
		api: rt.api, model: b.Model, stream: b.Stream, maxTokens: *b.MaxTokens, choices: 1, stops: b.Stops,
		force: b.ToolChoice.Name, noTools: b.ToolChoice.Type == "none",
	}
	if p := b.declare(c); p != nil {
		return nil, p
	}
	c.begin()
	if p := b.instruct(c); p != nil {
		return nil, p
	}
	if p := b.converse(c); p != nil {
		return nil, p
	}
	for _, refuse := range slices.Concat(anthropicRules, anthropicModelRules) {
		if p := refuse(&b, rt); p != nil {
			return nil, p
		}
	}
	c.thinks = b.Thinking.on()
	c.hides = c.thinks && b.Thinking.Display == "omitted"
	if rt.api == apiCount {
		c.direct = a.counted(c)
	}
	return c, nil
}

// declare reads the tools, and what is asked of the answer's form.
func (b *anthropicBody) declare(c *call) *problem {
	for i, t := range b.Tools {
		if t.Type != "" && t.Type != "custom" {
			c.search = c.search || strings.HasPrefix(t.Type, "web_search")
			continue // a tool that Anthropic itself runs
		}
		if !toolName.MatchString(t.Name) {
			return bad(fmt.Sprintf("tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", i))
		}
		c.tools = append(c.tools, tool{name: t.Name, schema: t.Schema})
	}
	for _, f := range []*anthropicFormat{b.OutputFormat, b.OutputConfig.Format} {
		if f != nil {
			c.json, c.schema = true, f.Schema
		}
	}
	return nil
}

// instruct reads the system prompt.
func (b *anthropicBody) instruct(c *call) *problem {
	for _, t := range b.Tools {
		if t.Cache != nil {
			c.keep(t.Cache.TTL == "1h")
		}
	}
	if !given(b.System) {
		return nil
	}
	blocks, valid := anthropicBlocks(b.System)
	if !valid {
		return bad("system: Input should be a valid list")
	}
	for i, block := range blocks {
		if block.Type == "text" && block.Text == "" && blocks[i].Cache != nil {
			return bad("system: cache_control cannot be set for empty text blocks")
		}
		c.read(block.Text)
		if block.Cache != nil {
			c.keep(block.Cache.TTL == "1h")
		}
	}
	return nil
}

func anthropicKind(err error) string {
	wrong, is := asTypeError(err)
	if !is {
		return "dictionary"
	}
	switch wrong.Type.Kind().String() {
	case "string":
		return "string"
	case "bool":
		return "boolean"
	case "int":
		return "integer"
	case "float64":
		return "number"
	case "slice":
		return "list"
	default:
		return "dictionary"
	}
}

// check looks at everything but the messages.
func (b *anthropicBody) check() *problem {
	switch {
	case b.Model == "":
		return bad("model: Field required")
	case b.MaxTokens == nil:
		return bad("max_tokens: Field required")
	case *b.MaxTokens < 1:
		return bad("max_tokens: must be greater than or equal to 1")
	case b.Messages == nil:
		return bad("messages: Field required")
	case len(*b.Messages) == 0:
		return bad("messages: at least one message is required")
	case b.Temperature != nil && (*b.Temperature < 0 || *b.Temperature > 1):
		return bad("temperature: range: 0..1")
	case b.TopP != nil && (*b.TopP < 0 || *b.TopP > 1):
		return bad("top_p: range: 0..1")
	}
	return nil
}
