package gemini

import "encoding/json"

// request is the body of generateContent and streamGenerateContent. Fields that a caller left out are left out here.
type request struct {
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	Contents          []content         `json:"contents"`
	Tools             []tools           `json:"tools,omitempty"`
	ToolConfig        *toolConfig       `json:"toolConfig,omitempty"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []part `json:"parts"`
}

// part is a piece of a turn that we send.
type part struct {
	Text             string            `json:"text,omitempty"`
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
}

// result wraps a tool's text, because the vendor takes an object only.
type result struct {
	Result string `json:"result"`
}

type tools struct {
	FunctionDeclarations []functionDeclaration `json:"functionDeclarations"`
}

type functionDeclaration struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"` // AUTO, ANY or NONE
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

type generationConfig struct {
	MaxOutputTokens    *int            `json:"maxOutputTokens,omitempty"`
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	StopSequences      []string        `json:"stopSequences,omitempty"`
	Seed               *int64          `json:"seed,omitempty"`
	ResponseMIMEType   string          `json:"responseMimeType,omitempty"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitempty"`
}

type thinkingConfig struct {
	Level  string `json:"thinkingLevel,omitempty"`
	Budget int    `json:"thinkingBudget,omitempty"`
}

// answer is a whole answer, and every chunk of a stream.
type answer struct {
	Candidates     []candidate     `json:"candidates"`
	PromptFeedback *promptFeedback `json:"promptFeedback"`
	Usage          *usageMetadata  `json:"usageMetadata"`
	ModelVersion   string          `json:"modelVersion"`
	ResponseID     string          `json:"responseId"`
	Error          *apiError       `json:"error"`
}

type promptFeedback struct {
	BlockReason string `json:"blockReason"`
}

type candidate struct {
	Index   int `json:"index"` // left out when 0
	Content struct {
		Parts []answerPart `json:"parts"`
	} `json:"content"`
	FinishReason string `json:"finishReason"`
}

type answerPart struct {
	Text           string          `json:"text"`
	Thought        bool            `json:"thought"`
	FunctionCall   *answerCall     `json:"functionCall"`
	ExecutableCode json.RawMessage `json:"executableCode"`
}

type answerCall struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Args         json.RawMessage `json:"args"`
	PartialArgs  []partialArg    `json:"partialArgs"`
	WillContinue bool            `json:"willContinue"`
}

// usageMetadata is cumulative in a stream. thoughts and tool use come on top of candidates and prompt; cached is part of prompt.
type usageMetadata struct {
	Prompt     int `json:"promptTokenCount"`
	ToolUse    int `json:"toolUsePromptTokenCount"`
	Cached     int `json:"cachedContentTokenCount"`
	Candidates int `json:"candidatesTokenCount"`
	Thoughts   int `json:"thoughtsTokenCount"`

	PromptOf     modalities `json:"promptTokensDetails"`
	ToolUseOf    modalities `json:"toolUsePromptTokensDetails"`
	CachedOf     modalities `json:"cacheTokensDetails"`
	CandidatesOf modalities `json:"candidatesTokensDetails"`
}

// modalities say what kind of tokens a count is of.
type modalities []struct {
	Modality string `json:"modality"`
	Tokens   int    `json:"tokenCount"`
}

// of counts the tokens of one kind.
func (m modalities) of(modality string) (n int) {
	for _, x := range m {
		if x.Modality == modality {
			n += max(x.Tokens, 0)
		}
	}
	return n
}

type apiError struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Status  string   `json:"status"`
	Details []detail `json:"details"`
}

// detail is one of google.rpc's error details: ErrorInfo has a reason, RetryInfo a delay, BadRequest its field violations.
type detail struct {
	Reason     string `json:"reason"`
	RetryDelay string `json:"retryDelay"`
	Fields     []struct {
		Field string `json:"field"`
	} `json:"fieldViolations"`
}
