package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// gemini is Google's generateContent.
type gemini struct{}

func (gemini) maxBody() int64 { return maxBody }

func (gemini) resembles(model string) bool {
	return strings.HasPrefix(model, "gemini-") || strings.HasPrefix(model, "gemma-")
}

// route answers what it does not know in HTML, as Google's front does.
func (gemini) route(r *http.Request, path string) (route, *problem) {
	rt, allow := route{}, http.MethodPost
	name, of := strings.CutPrefix(path, "/v1beta/models/")
	model, method, verb := strings.Cut(name, ":")
	sse := r.URL.Query().Get("alt") == "sse"
	switch {
	case path == "/v1beta/models":
		rt.list, allow = true, http.MethodGet
	case of && verb && method == "generateContent":
		rt.model = model
	case of && verb && method == "streamGenerateContent":
		rt.model, rt.stream, rt.array = model, true, !sse
	default:
		return rt, &problem{status: http.StatusNotFound, html: true}
	}
	if r.Method != allow {
		return rt, &problem{status: http.StatusMethodNotAllowed, allow: allow, message: "Request method is not supported.", stream: sse}
	}
	return rt, nil
}

func (gemini) authorize(r *http.Request) *problem {
	sse := r.URL.Query().Get("alt") == "sse"
	key := r.Header.Get("X-Goog-Api-Key")
	if key == "" {
		key = r.URL.Query().Get("key")
	}
	if key == "" {
		key = bearer(r)
	}
	switch {
	case key == "":
		return &problem{
			status: http.StatusForbidden, stream: sse,
			message: "Method doesn't allow unregistered callers (callers without established identity). " +
				"Please use API Key or other form of API consumer identity to call this API.",
		}
	case key == badKey:
		return &problem{status: http.StatusBadRequest, message: "API key not valid. Please pass a valid API key.", key: true, stream: sse}
	case r.Method == http.MethodPost && !isJSON(r):
		return &problem{status: http.StatusBadRequest, message: "Invalid content type: expected application/json.", stream: sse}
	}
	return nil
}

func (gemini) malformed(err error) *problem {
	return bad("Invalid JSON payload received. " + err.Error())
}

func (gemini) unknownModel(model string) *problem {
	return &problem{
		status: http.StatusNotFound,
		message: fmt.Sprintf("models/%s is not found for API version v1beta, or is not supported for generateContent. "+
			"Call ModelService.ListModels to see the list of available models and their supported methods.", model),
	}
}

// A request may spell its names in camelCase or snake_case: both are read, and the first that is given counts.
type (
	geminiBody struct {
		Contents    []geminiContent `json:"contents"`
		System      *geminiContent  `json:"systemInstruction"`
		SystemSnake *geminiContent  `json:"system_instruction"`
		Config      *geminiConfig   `json:"generationConfig"`
		ConfigSnake *geminiConfig   `json:"generation_config"`
		Tools       []struct {
			Functions      []geminiFunction `json:"functionDeclarations"`
			FunctionsSnake []geminiFunction `json:"function_declarations"`
		} `json:"tools"`
		ToolConfig      *geminiToolConfig `json:"toolConfig"`
		ToolConfigSnake *geminiToolConfig `json:"tool_config"`
	}
	geminiContent struct {
		Role  string       `json:"role"`
		Parts []geminiPart `json:"parts"`
	}
	geminiPart struct {
		Text          *string         `json:"text"`
		Thought       bool            `json:"thought"`
		Call          json.RawMessage `json:"functionCall"`
		CallSnake     json.RawMessage `json:"function_call"`
		Response      json.RawMessage `json:"functionResponse"`
		ResponseSnake json.RawMessage `json:"function_response"`
		Data          json.RawMessage `json:"inlineData"`
		DataSnake     json.RawMessage `json:"inline_data"`
		File          json.RawMessage `json:"fileData"`
		FileSnake     json.RawMessage `json:"file_data"`
		Code          json.RawMessage `json:"executableCode"`
		CodeResult    json.RawMessage `json:"codeExecutionResult"`
	}
	geminiConfig struct {
		MaxTokens      *int     `json:"maxOutputTokens"`
		MaxTokensSnake *int     `json:"max_output_tokens"`
		Temperature    *float64 `json:"temperature"`
		TopP           *float64 `json:"topP"`
		TopPSnake      *float64 `json:"top_p"`
		MIMEType       string   `json:"responseMimeType"`
		MIMETypeSnake  string   `json:"response_mime_type"`
		Schema         any      `json:"responseSchema"`
		SchemaSnake    any      `json:"response_schema"`
		JSONSchema     any      `json:"responseJsonSchema"`
	}
	geminiFunction struct {
		Name       string `json:"name"`
		Parameters any    `json:"parameters"`
		JSONSchema any    `json:"parametersJsonSchema"`
	}
	geminiToolConfig struct {
		Calling      *geminiCalling `json:"functionCallingConfig"`
		CallingSnake *geminiCalling `json:"function_calling_config"`
	}
	geminiCalling struct {
		Mode         string   `json:"mode"`
		Allowed      []string `json:"allowedFunctionNames"`
		AllowedSnake []string `json:"allowed_function_names"`
	}
)

// either gives a, or b where a is not given.
func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func (g gemini) parse(rt route, body []byte) (*call, *problem) {
	c, p := g.read(rt, body)
	if p != nil {
		p.stream = rt.stream && !rt.array
	}
	return c, p
}

func (gemini) read(rt route, body []byte) (*call, *problem) {
	var b geminiBody
	if err := json.Unmarshal(body, &b); err != nil {
		field := "body"
		if wrong, is := asTypeError(err); is && wrong.Field != "" {
			field = wrong.Field
		}
		return nil, bad(fmt.Sprintf("Invalid value at '%s': invalid type", field))
	}
	c := &call{model: rt.model, stream: rt.stream, array: rt.array, choices: 1}
	if system := either(b.System, b.SystemSnake); system != nil {
		for _, part := range system.Parts {
			c.textBytes += len(part.text())
		}
	}
	if p := b.converse(c); p != nil {
		return nil, p
	}
	if p := either(b.Config, b.ConfigSnake).read(c); p != nil {
		return nil, p
	}
	for _, t := range b.Tools {
		for _, f := range append(t.Functions, t.FunctionsSnake...) {
			schema := f.Parameters
			if schema == nil {
				schema = f.JSONSchema
			}
			c.tools = append(c.tools, tool{name: f.Name, schema: schema})
		}
	}
	either(b.ToolConfig, b.ToolConfigSnake).read(c)
	return c, nil
}

func (t *geminiToolConfig) read(c *call) {
	if t == nil {
		return
	}
	calling := either(t.Calling, t.CallingSnake)
	if calling == nil {
		return
	}
	c.noTools = strings.EqualFold(calling.Mode, "NONE")
	if names := append(calling.Allowed, calling.AllowedSnake...); len(names) > 0 {
		c.force = names[0]
	}
}

func (g *geminiConfig) read(c *call) *problem {
	if g == nil {
		return nil
	}
	const at = "* GenerateContentRequest.generation_config."
	if t := g.Temperature; t != nil && (*t < 0 || *t > 2) {
		return bad(at + "temperature: temperature must be in the range [0.0, 2.0].\n")
	}
	if t := either(g.TopP, g.TopPSnake); t != nil && (*t < 0 || *t > 1) {
		return bad(at + "top_p: top_p must be in the range [0.0, 1.0].\n")
	}
	if limit := either(g.MaxTokens, g.MaxTokensSnake); limit != nil {
		if *limit < 1 {
			return bad(at + "max_output_tokens: max_output_tokens must be positive.\n")
		}
		c.maxTokens = *limit
	}
	if g.MIMEType == "application/json" || g.MIMETypeSnake == "application/json" {
		c.json = true
		for _, schema := range []any{g.Schema, g.SchemaSnake, g.JSONSchema} {
			if schema != nil {
				c.schema = schema
			}
		}
	}
	return nil
}

func (p geminiPart) text() string {
	if p.Text == nil || p.Thought {
		return ""
	}
	return *p.Text
}

func given(raws ...json.RawMessage) bool {
	for _, raw := range raws {
		if len(raw) > 0 && !bytes.Equal(raw, []byte("null")) {
			return true
		}
	}
	return false
}

// converse reads the contents into the call: who may speak, that parts hold something, and that results follow calls.
func (b *geminiBody) converse(c *call) *problem {
	if len(b.Contents) == 0 {
		return bad("* GenerateContentRequest.contents: contents is not specified\n")
	}
	openCalls := 0 // function calls in the turn before
	for i, content := range b.Contents {
		if content.Role != "" && content.Role != "user" && content.Role != "model" && content.Role != "function" {
			return bad("Please use a valid role: user, model.")
		}
		if len(content.Parts) == 0 {
			return bad(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.\n", i))
		}
		t, p := content.read(i)
		if p != nil {
			return p
		}
		if t.results != openCalls {
			return bad("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		}
		if t.calls > 0 && i == 0 {
			return bad("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		}
		openCalls = t.calls
		c.textBytes += t.textBytes
		c.answered = t.results > 0
		if content.Role != "model" && (t.spoke || t.results == 0) {
			c.user = t.text
		}
	}
	return nil
}

func (content geminiContent) read(i int) (turn, *problem) {
	t, text := turn{}, strings.Builder{}
	for j, p := range content.Parts {
		switch {
		case p.Text != nil:
			t.spoke = true
			t.textBytes += len(p.text())
			text.WriteString(p.text())
		case given(p.Call, p.CallSnake):
			t.calls++
		case given(p.Response, p.ResponseSnake):
			t.results++
		case given(p.Data, p.DataSnake, p.File, p.FileSnake, p.Code, p.CodeResult):
		default:
			return t, bad(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one initialized field\n", i, j))
		}
	}
	t.text = text.String()
	return t, nil
}
