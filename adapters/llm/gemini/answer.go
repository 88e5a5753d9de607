package gemini

import (
	"encoding/json"
	"strings"

	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
)

// The members of an answer, and of what is in it, that are read. An answer is whole, or a chunk of a stream.
var (
	answerKeys    = [...]string{"candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId", "error"}
	candidateKeys = [...]string{"index", "content", "finishReason", "finishMessage", "groundingMetadata", "citationMetadata", "logprobsResult"}
)

// answerPart is a part of a candidate's content.
type answerPart struct {
	text, signature string
	thought         bool
	call            []byte
	inline          []byte
	file            []byte
	other           bool // it has what is not known here
}

// readPart takes a part apart.
func readPart(raw []byte) answerPart {
	var p answerPart
	w := jsonscan.Walk(raw, 0)
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		name := string(key)
		v := w.Skip()
		if v == nil || jsonscan.IsNull(v) {
			continue
		}
		switch name {
		case "text":
			p.text = jsonscan.Unquote(v)
		case "thought":
			p.thought = v[0] == 't'
		case "thoughtSignature":
			p.signature = jsonscan.Unquote(v)
		case "functionCall":
			p.call = v
		case "inlineData":
			p.inline = v
		case "fileData":
			p.file = v
		case "partMetadata", "videoMetadata", "mediaResolution":
		default:
			p.other = true
		}
	}
	return p
}

// answerCall is a functionCall. Arguments come whole, or in pieces.
type answerCall struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Args         json.RawMessage `json:"args"`
	PartialArgs  []partialArg    `json:"partialArgs"`
	WillContinue bool            `json:"willContinue"`
}

// answerMedia is inlineData or fileData.
type answerMedia struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"`
	URI      string `json:"fileUri"`
}

// neutral makes a part of a medium.
func (m *answerMedia) neutral() chat.Part {
	kind := chat.PartFile
	switch family, _, _ := strings.Cut(m.MIMEType, "/"); family {
	case "image":
		kind = chat.PartImage
	case "audio":
		kind = chat.PartAudio
	}
	return chat.Part{Kind: kind, Media: &chat.Media{Type: m.MIMEType, Data: m.Data, URL: m.URI}}
}

// logprobsResult tells the probabilities of the tokens that were chosen, and of others beside each.
type logprobsResult struct {
	Chosen []tokenLogprob `json:"chosenCandidates"`
	Top    []struct {
		Candidates []tokenLogprob `json:"candidates"`
	} `json:"topCandidates"`
}

type tokenLogprob struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logProbability"`
}

func (t tokenLogprob) neutral() chat.TokenLogprob {
	return chat.TokenLogprob{Token: t.Token, Bytes: []byte(t.Token), Logprob: t.Logprob}
}

// logprobs reads the probabilities of a candidate's tokens; none where they cannot be read.
func logprobs(raw []byte) []chat.TokenLogprob {
	var r logprobsResult
	if json.Unmarshal(raw, &r) != nil {
		return nil
	}
	out := make([]chat.TokenLogprob, 0, len(r.Chosen))
	for i, c := range r.Chosen {
		t := c.neutral()
		if i < len(r.Top) {
			for _, other := range r.Top[i].Candidates {
				t.Top = append(t.Top, other.neutral())
			}
		}
		out = append(out, t)
	}
	return out
}

// word reads an enum's value: its name, or its number, which the vendor writes when it is asked to.
func word(v []byte) string {
	if len(v) > 0 && v[0] == '"' {
		return jsonscan.Unquote(v)
	}
	if len(v) > 0 && v[0] >= '0' && v[0] <= '9' {
		return string(v)
	}
	return ""
}

// finish maps the vendor's reasons to end. Calls end with STOP too. It reports false for an answer that cannot be used: one without a
// reason, or one in which the model botched a call. Every other reason, of which there are many and more to come, is a block of some
// kind, and no such answer is whole.
func finish(reason string, calls bool) (chat.Finish, bool) {
	switch reason {
	case "", "FINISH_REASON_UNSPECIFIED", "0", "MALFORMED_FUNCTION_CALL", "10", "UNEXPECTED_TOOL_CALL", "12", "TOO_MANY_TOOL_CALLS", "13",
		"MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE":
		return "", false
	case "STOP", "1":
		if calls {
			return chat.FinishToolCalls, true
		}
		return chat.FinishStop, true
	case "MAX_TOKENS", "2", "CONTINUATION":
		return chat.FinishLength, true
	default: // SAFETY, RECITATION, LANGUAGE, BLOCKLIST, PROHIBITED_CONTENT, SPII, MODEL_ARMOR, OTHER, ...
		return chat.FinishContentFilter, true
	}
}

// reason is a reason fit for a log.
func reason(word string) string {
	if word == "" {
		return "no reason"
	}
	return word[:min(len(word), 64)]
}
