package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// anthropic is Anthropic's messages.
type anthropic struct{}

// maxBody is what Anthropic takes: half of what the simulator reads.
func (anthropic) maxBody() int64 { return maxBody / 2 }

func (anthropic) resembles(model string) bool { return strings.HasPrefix(model, "claude-") }

func (anthropic) route(r *http.Request, path string) (route, *problem) {
	rt, allow := route{}, http.MethodGet
	switch path {
	case "/v1/messages":
		allow = http.MethodPost
	case "/v1/models":
		rt.list = true
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
	case r.Header.Get("Anthropic-Version") == "":
		return bad("anthropic-version: header is required")
	case r.Header.Get("Anthropic-Version") != "2023-06-01" && r.Header.Get("Anthropic-Version") != "2023-01-01":
		return bad(fmt.Sprintf("anthropic-version: %q is not a valid version for this endpoint", r.Header.Get("Anthropic-Version")))
	case r.Method == http.MethodPost && !isJSON(r):
		return bad("content-type: must be application/json")
	}
	return nil
}

func (anthropic) malformed(err error) *problem {
	return bad("The request body is not valid JSON: " + err.Error())
}

func (anthropic) unknownModel(model string) *problem {
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
		Tools        []anthropicTool     `json:"tools"`
		ToolChoice   anthropicChoice     `json:"tool_choice"`
		OutputFormat *anthropicFormat    `json:"output_format"`
		OutputConfig struct {
			Format *anthropicFormat `json:"format"`
		} `json:"output_config"`
	}
	anthropicMessage struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	anthropicTool struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Schema any    `json:"input_schema"`
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
		ToolUseID string          `json:"tool_use_id"`
		Content   json.RawMessage `json:"content"`
	}
)

func (anthropic) parse(_ route, body []byte) (*call, *problem) {
	var b anthropicBody
	if err := json.Unmarshal(body, &b); err != nil {
		field := "body"
		if wrong, is := asTypeError(err); is && wrong.Field != "" {
			field = strings.ReplaceAll(wrong.Field, "[]", "")
		}
		return nil, bad(field + ": Input should be a valid " + anthropicKind(err))
	}
	if p := b.check(); p != nil {
		return nil, p
	}
	c := &call{model: b.Model, stream: b.Stream, maxTokens: *b.MaxTokens, choices: 1, force: b.ToolChoice.Name, noTools: b.ToolChoice.Type == "none"}
	system, _, valid := contentText(b.System)
	if !valid {
		return nil, bad("system: Input should be a valid list")
	}
	c.textBytes = len(system)
	if p := b.converse(c); p != nil {
		return nil, p
	}
	for i, t := range b.Tools {
		if t.Type != "" && t.Type != "custom" {
			continue // a tool that Anthropic itself runs
		}
		if !toolName.MatchString(t.Name) {
			return nil, bad(fmt.Sprintf("tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", i))
		}
		c.tools = append(c.tools, tool{name: t.Name, schema: t.Schema})
	}
	for _, f := range []*anthropicFormat{b.OutputFormat, b.OutputConfig.Format} {
		if f != nil {
			c.json, c.schema = true, f.Schema
		}
	}
	return c, nil
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

// toolUseID is what Anthropic lets the id of a tool's use be.
var toolUseID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// converse reads the messages into the call. Two turns of one role in a row are let pass, as Anthropic joins them.
func (b *anthropicBody) converse(c *call) *problem {
	var open []string // ids of tool uses in the turn before
	for i, m := range *b.Messages {
		switch {
		case m.Role == "system":
			return bad("messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.")
		case m.Role != "user" && m.Role != "assistant":
			return bad(fmt.Sprintf("messages: Unexpected role %q. Allowed roles are \"user\" or \"assistant\".", m.Role))
		case i == 0 && m.Role != "user":
			return bad("messages: first message must use the \"user\" role")
		}
		blocks, valid := anthropicBlocks(m.Content)
		if !valid {
			return bad(fmt.Sprintf("messages.%d.content: Input should be a valid list", i))
		}
		if empty(blocks) && !(i == len(*b.Messages)-1 && m.Role == "assistant") {
			return bad(fmt.Sprintf("messages.%d: all messages must have non-empty content except for the optional final assistant message", i))
		}
		said, p := m.read(i, blocks, open)
		if p != nil {
			return p
		}
		open = said.uses
		c.textBytes += said.textBytes
		c.answered = said.results > 0
		if m.Role == "user" && (said.spoke || said.results == 0) {
			c.user = said.text
		}
	}
	if len(open) > 0 {
		return unansweredUse(len(*b.Messages)-1, open)
	}
	return nil
}

func unansweredUse(at int, ids []string) *problem {
	return bad(fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
		"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at, strings.Join(ids, ", ")))
}

func anthropicBlocks(raw json.RawMessage) ([]anthropicBlock, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '"' {
		block := anthropicBlock{Type: "text"}
		err := json.Unmarshal(raw, &block.Text)
		return []anthropicBlock{block}, err == nil
	}
	var blocks []anthropicBlock
	err := json.Unmarshal(raw, &blocks)
	return blocks, err == nil
}

func empty(blocks []anthropicBlock) bool {
	return len(blocks) == 0 || len(blocks) == 1 && blocks[0].Type == "text" && blocks[0].Text == ""
}

// turn is what one message says.
type turn struct {
	text      string
	spoke     bool // there is a text block
	textBytes int
	uses      []string
	results   int
	calls     int // Gemini: function calls, which have no ids
}

func (m anthropicMessage) read(i int, blocks []anthropicBlock, open []string) (turn, *problem) {
	t, text := turn{}, strings.Builder{}
	for j, block := range blocks {
		switch block.Type {
		case "text":
			t.spoke = true
			t.textBytes += len(block.Text)
			text.WriteString(block.Text)
		case "tool_use":
			if !toolUseID.MatchString(block.ID) {
				return t, bad(fmt.Sprintf("messages.%d.content.%d.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'", i, j))
			}
			t.uses = append(t.uses, block.ID)
		case "tool_result":
			if !toolUseID.MatchString(block.ToolUseID) {
				return t, bad(fmt.Sprintf("messages.%d.content.%d.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'", i, j))
			}
			at := slices.Index(open, block.ToolUseID)
			if at < 0 {
				return t, bad(fmt.Sprintf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. "+
					"Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i, j, block.ToolUseID))
			}
			open = slices.Delete(slices.Clone(open), at, at+1)
			t.results++
			result, _, _ := contentText(block.Content)
			t.textBytes += len(result)
		case "":
			return t, bad(fmt.Sprintf("messages.%d.content.%d.type: Field required", i, j))
		}
	}
	if len(open) > 0 {
		return t, unansweredUse(i-1, open)
	}
	t.text = text.String()
	return t, nil
}
