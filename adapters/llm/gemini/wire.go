package gemini

import "encoding/json"

// request is the body of generateContent and streamGenerateContent. Fields that a caller left out are left out here.
type request struct {
	Model             string            `json:"model,omitempty"` // where a request stands within another: to be counted
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	Contents          []content         `json:"contents"`
	Tools             []any             `json:"tools,omitempty"` // functions, or json.RawMessage: what the vendor runs
	ToolConfig        *toolConfig       `json:"toolConfig,omitempty"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
	ServiceTier       string            `json:"serviceTier,omitempty"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []any  `json:"parts"` // *part, or json.RawMessage: a part of the vendor's own that goes back as it came
}

// part is a piece of a turn that we send.
type part struct {
	Text             *string           `json:"text,omitempty"` // "" where a signature stands alone
	Thought          bool              `json:"thought,omitempty"`
	InlineData       *inlineData       `json:"inlineData,omitempty"`
	FileData         *fileData         `json:"fileData,omitempty"`
	FunctionCall     *functionCall     `json:"functionCall,omitempty"`
	FunctionResponse *functionResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string            `json:"thoughtSignature,omitempty"`
}

type inlineData struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"`
}

type fileData struct {
	MIMEType string `json:"mimeType,omitempty"`
	URI      string `json:"fileUri"`
}

type functionCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type functionResponse struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name"`
	Response result `json:"response"`
	Parts    []any  `json:"parts,omitempty"` // pictures and documents
}

// result wraps a tool's text, because the vendor takes an object only.
type result struct {
	Result *string `json:"result,omitempty"`
	Error  *string `json:"error,omitempty"`
}

type functions struct {
	Declarations []functionDeclaration `json:"functionDeclarations"`
}

type functionDeclaration struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type toolConfig struct {
	FunctionCallingConfig *functionCallingConfig `json:"functionCallingConfig,omitempty"`
	ServerSide            bool                   `json:"includeServerSideToolInvocations,omitempty"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"` // AUTO, VALIDATED, ANY or NONE
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

type generationConfig struct {
	CandidateCount     int             `json:"candidateCount,omitempty"`
	MaxOutputTokens    *int            `json:"maxOutputTokens,omitempty"`
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	TopK               *int            `json:"topK,omitempty"`
	PresencePenalty    *float64        `json:"presencePenalty,omitempty"`
	FrequencyPenalty   *float64        `json:"frequencyPenalty,omitempty"`
	StopSequences      []string        `json:"stopSequences,omitempty"`
	Seed               *int64          `json:"seed,omitempty"`
	ResponseLogprobs   bool            `json:"responseLogprobs,omitempty"`
	Logprobs           int             `json:"logprobs,omitempty"`
	ResponseMIMEType   string          `json:"responseMimeType,omitempty"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitempty"`
}

// some reports whether anything is configured.
func (c *generationConfig) some() bool {
	return c.CandidateCount > 0 || c.MaxOutputTokens != nil || c.Temperature != nil || c.TopP != nil || c.TopK != nil || c.PresencePenalty != nil ||
		c.FrequencyPenalty != nil || c.StopSequences != nil || c.Seed != nil || c.ResponseLogprobs || c.ResponseMIMEType != "" || c.ThinkingConfig != nil
}

type thinkingConfig struct {
	Level   string `json:"thinkingLevel,omitempty"`
	Budget  *int   `json:"thinkingBudget,omitempty"`
	Include bool   `json:"includeThoughts,omitempty"`
}
