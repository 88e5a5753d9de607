package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// maxCandidates and maxGeminiStops bound what is asked for.
const (
	maxCandidates  = 8
	maxGeminiStops = 5
)

// gemini is Google's generateContent, countTokens and embedContent.
type gemini struct{}

func (gemini) maxBody() int64 { return maxBody }

func (gemini) resembles(model string) bool {
	return strings.HasPrefix(model, "gemini-") || strings.HasPrefix(model, "gemma-") || strings.HasPrefix(model, "text-embedding-")
}

// route answers what it does not know in HTML, as Google's front does.
func (gemini) route(r *http.Request, path string) (route, *problem) {
	rt, allow := route{}, http.MethodPost
	name, of := strings.CutPrefix(path, "/v1beta/models/")
	model, method, verb := strings.Cut(name, ":")
	rt.model = model
	sse := r.URL.Query().Get("alt") == "sse"
	switch {
	case path == "/v1beta/models":
		rt.list, allow = true, http.MethodGet
	case of && !verb && name != "":
		rt.one, allow = true, http.MethodGet
	case of && verb && method == "generateContent":
	case of && verb && method == "streamGenerateContent":
		rt.stream, rt.array = true, !sse
	case of && verb && method == "countTokens":
		rt.api = apiCount
	case of && verb && (method == "embedContent" || method == "batchEmbedContents"):
		rt.api = method
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

func (gemini) unknownModel(_, model string) *problem {
	return &problem{
		status: http.StatusNotFound,
		message: fmt.Sprintf("models/%s is not found for API version v1beta, or is not supported for generateContent. "+
			"Call ModelService.ListModels to see the list of available models and their supported methods.", model),
	}
}

// A request may spell its names in camelCase or snake_case: both are read, and the first that is given counts.
type (
	geminiBody struct {
		Contents        []geminiContent   `json:"contents"`
		System          *geminiContent    `json:"systemInstruction"`
		SystemSnake     *geminiContent    `json:"system_instruction"`
		Config          *geminiConfig     `json:"generationConfig"`
		ConfigSnake     *geminiConfig     `json:"generation_config"`
		Tools           []geminiTool      `json:"tools"`
		ToolConfig      *geminiToolConfig `json:"toolConfig"`
		ToolConfigSnake *geminiToolConfig `json:"tool_config"`
	}
	geminiTool struct {
		Functions      []geminiFunction `json:"functionDeclarations"`
		FunctionsSnake []geminiFunction `json:"function_declarations"`
		Search         json.RawMessage  `json:"googleSearch"`
		SearchSnake    json.RawMessage  `json:"google_search"`
	}
	geminiContent struct {
		Role  string       `json:"role"`
		Parts []geminiPart `json:"parts"`
	}
	geminiPart struct {
		Text           *string         `json:"text"`
		Thought        bool            `json:"thought"`
		Signature      string          `json:"thoughtSignature"`
		SignatureSnake string          `json:"thought_signature"`
		Call           *geminiInCall   `json:"functionCall"`
		CallSnake      *geminiInCall   `json:"function_call"`
		Response       *geminiInResult `json:"functionResponse"`
		ResponseSnake  *geminiInResult `json:"function_response"`
		Data           *geminiBlob     `json:"inlineData"`
		DataSnake      *geminiBlob     `json:"inline_data"`
		File           *geminiBlob     `json:"fileData"`
		FileSnake      *geminiBlob     `json:"file_data"`
		Code           json.RawMessage `json:"executableCode"`
		CodeSnake      json.RawMessage `json:"executable_code"`
		CodeResult     json.RawMessage `json:"codeExecutionResult"`
		ResultSnake    json.RawMessage `json:"code_execution_result"`
		ToolCall       json.RawMessage `json:"toolCall"`
		ToolResponse   json.RawMessage `json:"toolResponse"`
	}
	geminiInCall struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	geminiInResult struct {
		ID       string          `json:"id"`
		Name     string          `json:"name"`
		Response json.RawMessage `json:"response"`
	}
	geminiBlob struct {
		Type      string `json:"mimeType"`
		TypeSnake string `json:"mime_type"`
		Data      string `json:"data"`
		URI       string `json:"fileUri"`
		URISnake  string `json:"file_uri"`
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
		JSONSnake      any      `json:"response_json_schema"`
		Count          *int     `json:"candidateCount"`
		CountSnake     *int     `json:"candidate_count"`
		Stops          []string `json:"stopSequences"`
		StopsSnake     []string `json:"stop_sequences"`
		Logprobs       bool     `json:"responseLogprobs"`
		Top            int      `json:"logprobs"`

		Thinking      *geminiThinks `json:"thinkingConfig"`
		ThinkingSnake *geminiThinks `json:"thinking_config"`
	}
	geminiThinks struct {
		Include      bool   `json:"includeThoughts"`
		IncludeSnake bool   `json:"include_thoughts"`
		Budget       *int   `json:"thinkingBudget"`
		BudgetSnake  *int   `json:"thinking_budget"`
		Level        string `json:"thinkingLevel"`
		LevelSnake   string `json:"thinking_level"`
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
	var c *call
	p := unknownInGemini(rt, body)
	switch {
	case p != nil:
	case rt.api == apiCount:
		c, p = g.parseCount(rt, body)
	case rt.api != "":
		c, p = g.parseEmbed(rt, body)
	default:
		c, p = g.read(rt, body)
	}
	if p != nil {
		p.stream = rt.stream && !rt.array
		return nil, p
	}
	return c, nil
}

func geminiType(err error) *problem {
	field := "body"
	if wrong, is := asTypeError(err); is && wrong.Field != "" {
		field = wrong.Field
	}
	return bad(fmt.Sprintf("Invalid value at '%s': invalid type", field))
}

func (gemini) read(rt route, body []byte) (*call, *problem) {
	var b geminiBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, geminiType(err)
	}
	c := &call{model: rt.model, stream: rt.stream, array: rt.array, choices: 1}
	for _, t := range b.Tools {
		c.search = c.search || len(t.Search) > 0 || len(t.SearchSnake) > 0
		for _, f := range append(t.Functions, t.FunctionsSnake...) {
			schema := f.Parameters
			if schema == nil {
				schema = f.JSONSchema
			}
			c.tools = append(c.tools, tool{name: f.Name, schema: schema})
		}
	}
	c.begin()
	if system := either(b.System, b.SystemSnake); system != nil {
		for _, part := range system.Parts {
			c.read(part.text())
		}
	}
	if p := b.converse(c); p != nil {
		return nil, p
	}
	for _, refuse := range geminiRules {
		if p := refuse(&b, rt); p != nil {
			return nil, p
		}
	}
	c.signs = strings.HasPrefix(rt.model, "gemini-3")
	if p := either(b.Config, b.ConfigSnake).read(c); p != nil {
		return nil, p
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
	if n := either(g.Count, g.CountSnake); n != nil {
		if *n < 1 || *n > maxCandidates {
			return bad(fmt.Sprintf("%scandidate_count: candidate_count must be in the range [1, %d].\n", at, maxCandidates))
		}
		c.choices = *n
	}
	c.stops = append(g.Stops, g.StopsSnake...)
	if len(c.stops) > maxGeminiStops {
		return bad(fmt.Sprintf("%sstop_sequences: the number of stop sequences must be at most %d.\n", at, maxGeminiStops))
	}
	c.logprobs, c.top = g.Logprobs, g.Top
	if t := either(g.Thinking, g.ThinkingSnake); t != nil {
		budget := either(t.Budget, t.BudgetSnake)
		c.hides = !t.Include && !t.IncludeSnake
		c.thinks = !c.hides || budget != nil && *budget > 0 || t.Level+t.LevelSnake != ""
		c.signs = c.signs || c.thinks
	}
	if g.MIMEType == "application/json" || g.MIMETypeSnake == "application/json" {
		c.json = true
		for _, schema := range []any{g.Schema, g.SchemaSnake, g.JSONSchema, g.JSONSnake} {
			if schema != nil {
				c.schema = schema
			}
		}
	}
	return nil
}
