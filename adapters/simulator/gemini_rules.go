package simulator

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// skipSignature are the documented stand-ins for a signature of another vendor's call.
var skipSignature = []string{"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}

// geminiRules refuse a request that does not hold together, each for one reason.
var geminiRules = []func(*geminiBody, route) *problem{namelessResult, wrongFunctionName, alteredSignature, missingSignature}

// namelessResult refuses a function's result that does not say of which function.
func namelessResult(b *geminiBody, _ route) *problem {
	for i, content := range b.Contents {
		for j, p := range content.Parts {
			if p.result() != nil && p.result().Name == "" {
				return bad(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].function_response.name: Name cannot be empty.\n", i, j))
			}
			if p.call() != nil && p.call().Name == "" {
				return bad(fmt.Sprintf("* GenerateContentRequest.contents[%d].parts[%d].function_call.name: Name cannot be empty.\n", i, j))
			}
		}
	}
	return nil
}

var geminiFunctionName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)

// wrongFunctionName refuses names that Gemini does not let a function have.
func wrongFunctionName(b *geminiBody, _ route) *problem {
	for i, t := range b.Tools {
		for j, f := range append(t.Functions, t.FunctionsSnake...) {
			if !geminiFunctionName.MatchString(f.Name) {
				return bad(fmt.Sprintf("* GenerateContentRequest.tools[%d].function_declarations[%d].name: Invalid function name. Must start with a letter or an "+
					"underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n", i, j))
			}
		}
	}
	return nil
}

// alteredSignature refuses a signature that the vendor did not make.
func alteredSignature(b *geminiBody, rt route) *problem {
	for i, content := range b.Contents {
		for j, p := range content.Parts {
			token := p.signature()
			if token == "" || skipped(token) || rt.genuine("thought", token, "") {
				continue
			}
			if strings.ContainsFunc(token, func(r rune) bool {
				return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+/=-_", r)
			}) {
				return bad(fmt.Sprintf("Invalid value at 'contents[%d].parts[%d].thought_signature' (TYPE_BYTES), Base64 decoding failed for %q", i, j, token))
			}
			return bad("Thought signature is not valid")
		}
	}
	return nil
}

func skipped(token string) bool { return token == skipSignature[0] || token == skipSignature[1] }

// missingSignature refuses, at Gemini 3, a step of the turn under way whose first function call is not signed. A turn begins with what the user says.
func missingSignature(b *geminiBody, rt route) *problem {
	if !strings.HasPrefix(rt.model, "gemini-3") {
		return nil
	}
	begin := 0
	for i, content := range b.Contents {
		if content.Role != "model" && !content.results() {
			begin = i
		}
	}
	for i, content := range b.Contents[begin:] {
		for _, p := range content.Parts {
			call := p.call()
			if call == nil {
				continue
			}
			if p.signature() == "" {
				return bad(fmt.Sprintf("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing "+
					"thought_signature may lead to degraded model performance. Additional data, function call `default_api:%s` , position %d. "+
					"Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.", call.Name, begin+i+1))
			}
			break // the first of a step alone is signed
		}
	}
	return nil
}

// results reports whether the content holds results of functions.
func (content geminiContent) results() bool {
	for _, p := range content.Parts {
		if p.result() != nil {
			return true
		}
	}
	return false
}

var (
	geminiPartShape = object("text", "thought", "thoughtSignature", "fileData", "executableCode", "codeExecutionResult", "videoMetadata", "toolCall",
		"toolResponse", "partMetadata", "mediaResolution").
		with("functionCall", object("id", "name", "args", "willContinue", "partialArgs")).
		with("functionResponse", object("id", "name", "response", "willContinue", "scheduling", "parts")).
		with("inlineData", object("mimeType", "data", "displayName"))
	geminiContentShape = object("role").with("parts", list(geminiPartShape))
	geminiShape        = object("model", "safetySettings", "cachedContent", "labels", "modelArmorConfig", "store", "serviceTier").
				with("contents", list(geminiContentShape)).
				with("systemInstruction", geminiContentShape).
				with("tools", list(object("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "computerUse", "googleMaps", "fileSearch",
			"enterpriseWebSearch", "retrieval", "mcpServers").
			with("functionDeclarations", list(object("name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "behavior"))))).
		with("toolConfig", object("retrievalConfig", "includeServerSideToolInvocations").
			with("functionCallingConfig", object("mode", "allowedFunctionNames", "streamFunctionCallArguments"))).
		with("generationConfig", object("stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities", "candidateCount",
			"maxOutputTokens", "temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs",
			"enableEnhancedCivicAnswers", "speechConfig", "imageConfig", "mediaResolution", "audioTimestamp", "modelSelectionConfig", "routingConfig",
			"responseFormat", "enableAffectiveDialog").
			with("thinkingConfig", object("includeThoughts", "thinkingBudget", "thinkingLevel")))
	geminiCountShape = object("model").with("contents", list(geminiContentShape)).with("generateContentRequest", geminiShape)
	geminiEmbedShape = object("model", "taskType", "title", "outputDimensionality", "embedContentConfig").with("content", geminiContentShape)
	geminiBatchShape = object("requests").with("requests", list(geminiEmbedShape))
)

// unknownInGemini refuses fields that Gemini does not have, in either spelling.
func unknownInGemini(rt route, body []byte) *problem {
	of := geminiShape
	switch rt.api {
	case apiCount:
		of = geminiCountShape
	case apiEmbed:
		of = geminiEmbedShape
	case apiBatch:
		of = geminiBatchShape
	}
	s := of.strangerIn(body, camel)
	switch {
	case s == nil:
		return nil
	case len(s.path) == 0:
		return bad(fmt.Sprintf("Invalid JSON payload received. Unknown name %q: Cannot find field.", s.name))
	default:
		return bad(fmt.Sprintf("Invalid JSON payload received. Unknown name %q at '%s': Cannot find field.", s.name, s.place()))
	}
}

// camel gives the camelCase of a name in snake_case.
func camel(name string) string {
	if !strings.Contains(name, "_") {
		return name
	}
	var b strings.Builder
	up := false
	for _, r := range name {
		switch {
		case r == '_':
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
