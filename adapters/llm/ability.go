package llm

// Ability is something that a caller can ask for, and that a vendor may be unable to do. A vendor says what it lacks in Vendor.Lacks; the provider kit,
// conformance.Scenarios, tries every one.
type Ability string

// The abilities of requests.
const (
	SystemPrompt   Ability = "system"
	Turns          Ability = "multi-turn"
	Images         Ability = "image"
	ImageURLs      Ability = "image by URL"
	Files          Ability = "file"
	Audio          Ability = "audio"
	Tools          Ability = "tools"
	ToolResults    Ability = "tool result"
	ParallelCalls  Ability = "parallel tool results"
	RequiredTool   Ability = "tool required"
	ForcedTool     Ability = "tool forced"
	OneToolAtATime Ability = "one tool at a time"
	ImageResults   Ability = "image in a tool result"
	StrictTools    Ability = "strict tool"
	Schemas        Ability = "schema"
	JSONMode       Ability = "json mode"
	ThinkingEffort Ability = "thinking"
	ThinkingBack   Ability = "thinking sent back"
	ThinkingAway   Ability = "foreign thinking left out"
	CacheControls  Ability = "cache control"
	StopSequences  Ability = "stop"
	MaxTokens      Ability = "max tokens"
	Temperature    Ability = "temperature"
	TopP           Ability = "top p"
	TopK           Ability = "top k"
	Penalties      Ability = "penalties"
	Seeds          Ability = "seed"
	Choices        Ability = "n"
	Logprobs       Ability = "logprobs"
	ServiceTiers   Ability = "service tier"
	WebSearch      Ability = "web search"
	EndUsers       Ability = "end user"
)

// The abilities of answers. A vendor has wire cases with these tags, or lacks the ability.
const (
	AnswersText        Ability = "text"
	AnswersStream      Ability = "streamed text"
	AnswersTool        Ability = "tool call"
	AnswersTools       Ability = "parallel tool calls"
	AnswersNoArgs      Ability = "tool call without arguments"
	AnswersThinking    Ability = "thinking shown"
	AnswersCached      Ability = "cache numbers"
	AnswersLength      Ability = "truncation"
	AnswersStop        Ability = "stop sequence"
	AnswersRefusal     Ability = "refusal"
	AnswersChoices     Ability = "several choices"
	AnswersLogprobs    Ability = "logprobs told"
	AnswersCitations   Ability = "citations"
	AnswersInvalid     Ability = "error 400"
	AnswersAuth        Ability = "error 401"
	AnswersNoModel     Ability = "error 404"
	AnswersRateLimit   Ability = "error 429"
	AnswersServer      Ability = "error 5xx"
	AnswersMidStream   Ability = "error within a stream"
	AnswersCutOff      Ability = "stream cut off"
	AnswersEmbeddings  Ability = "embeddings"
	AnswersCount       Ability = "token count"
	AnswersModels      Ability = "list of models"
	AnswersPassThrough Ability = "pass-through"
)

// AnswerAbilities lists the abilities of answers, in the order of the kit's report.
func AnswerAbilities() []Ability {
	return []Ability{
		AnswersText, AnswersStream, AnswersTool, AnswersTools, AnswersNoArgs, AnswersThinking, AnswersCached, AnswersLength, AnswersStop, AnswersRefusal,
		AnswersChoices, AnswersLogprobs, AnswersCitations, AnswersInvalid, AnswersAuth, AnswersNoModel, AnswersRateLimit, AnswersServer,
		AnswersMidStream, AnswersCutOff, AnswersEmbeddings, AnswersCount, AnswersModels, AnswersPassThrough,
	}
}

// RequestAbilities lists the abilities of requests, in the order of the kit's report.
func RequestAbilities() []Ability {
	return []Ability{
		SystemPrompt, Turns, Images, ImageURLs, Files, Audio, ImageResults, CacheControls, Tools, ToolResults, ParallelCalls, RequiredTool, ForcedTool,
		OneToolAtATime, StrictTools, ThinkingBack, ThinkingAway, WebSearch, Schemas, JSONMode, ThinkingEffort, StopSequences, MaxTokens, Temperature,
		TopP, TopK, Penalties, Seeds, Choices, Logprobs, ServiceTiers, EndUsers,
	}
}
