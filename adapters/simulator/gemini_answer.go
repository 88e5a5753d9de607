package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/forge1/forge1/domain/chat"
)

// The parts of Gemini's answers.
type (
	geminiUsage struct {
		Prompt     int            `json:"promptTokenCount"`
		Candidates int            `json:"candidatesTokenCount,omitempty"` // left out while nothing is visible
		Total      int            `json:"totalTokenCount"`
		Details    []geminiDetail `json:"promptTokensDetails"`
	}
	geminiDetail struct {
		Modality string `json:"modality"`
		Tokens   int    `json:"tokenCount"`
	}
	geminiAnswer struct {
		Candidates []geminiCandidate `json:"candidates"`
		Usage      geminiUsage       `json:"usageMetadata"`
		Model      string            `json:"modelVersion"`
		ID         string            `json:"responseId"`
	}
	geminiCandidate struct {
		Content geminiOutContent `json:"content"`
		Finish  string           `json:"finishReason,omitempty"`
		Index   int              `json:"index,omitempty"` // left out when 0
	}
	geminiOutContent struct {
		Parts []geminiOutPart `json:"parts,omitempty"`
		Role  string          `json:"role"`
	}
	geminiOutPart struct {
		Text      *string        `json:"text,omitempty"`
		Call      *geminiOutCall `json:"functionCall,omitempty"`
		Signature string         `json:"thoughtSignature,omitempty"`
	}
	geminiOutCall struct {
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	}
	geminiModel struct {
		Name    string   `json:"name"`
		Version string   `json:"version"`
		Display string   `json:"displayName"`
		Input   int      `json:"inputTokenLimit"`
		Output  int      `json:"outputTokenLimit"`
		Methods []string `json:"supportedGenerationMethods"`
	}
)

func (gemini) models(names []string, _ int64) any {
	list := struct {
		Models []geminiModel `json:"models"`
	}{Models: []geminiModel{}}
	for _, name := range names {
		list.Models = append(list.Models, geminiModel{
			Name: "models/" + name, Version: "001", Display: name, Input: 1_048_576, Output: 65_536,
			Methods: []string{"generateContent", "countTokens"},
		})
	}
	return list
}

// gemini frames parts as an answer; said is how many bytes were visible up to here.
func (a *answer) gemini(c *call, parts []geminiOutPart, said int, last bool) geminiAnswer {
	u := geminiUsage{Prompt: a.in, Candidates: chat.EstimateTokens(said), Details: []geminiDetail{{"TEXT", a.in}}}
	u.Total = u.Prompt + u.Candidates
	candidate := geminiCandidate{Content: geminiOutContent{Parts: parts, Role: "model"}}
	if last {
		candidate.Finish = "STOP" // of a function call too
		if a.length {
			candidate.Finish = "MAX_TOKENS"
		}
	}
	return geminiAnswer{Candidates: []geminiCandidate{candidate}, Usage: u, Model: c.model, ID: id(a.serial, 23)}
}

// toolPart is the function call: without an id, with its arguments as an object, and signed.
func (a *answer) toolPart() []geminiOutPart {
	return []geminiOutPart{{
		Call:      &geminiOutCall{Name: a.tool.name, Args: json.RawMessage(a.tool.args)},
		Signature: base64.StdEncoding.EncodeToString([]byte("signed by the simulator " + id(a.serial, 12))),
	}}
}

func (gemini) whole(c *call, a *answer) reply {
	parts := []geminiOutPart{{Text: &a.text}}
	said := len(a.text)
	if a.tool != nil {
		parts, said = a.toolPart(), len(a.tool.args)
	}
	return reply{status: http.StatusOK, header: geminiHeader(false), body: indent(a.gemini(c, parts, said, true))}
}

func geminiHeader(sse bool) http.Header {
	if sse {
		return http.Header{"Content-Type": {"text/event-stream"}, "Server-Timing": {"gfet4t7; dur=12"}}
	}
	return http.Header{"Content-Type": {"application/json; charset=UTF-8"}, "Server-Timing": {"gfet4t7; dur=12"}}
}

// stream says the usage so far in each chunk, ends lines with CRLF, and ends without a terminator. Without alt=sse it is a JSON array.
func (gemini) stream(c *call, a *answer) (http.Header, []piece) {
	var chunks []geminiAnswer
	if a.tool != nil {
		chunks = append(chunks, a.gemini(c, a.toolPart(), len(a.tool.args), true))
	} else {
		said := 0
		for i, text := range a.pieces {
			last := i == len(a.pieces)-1
			said += len(text)
			visible := said
			if i == 0 && !last {
				visible = 0
			}
			chunks = append(chunks, a.gemini(c, []geminiOutPart{{Text: &text}}, visible, last))
		}
	}
	if len(chunks) == 0 {
		chunks = append(chunks, a.gemini(c, nil, 0, true))
	}
	out := make([]piece, 0, len(chunks))
	for i, chunk := range chunks {
		if c.array {
			out = append(out, arrayPiece(indent(chunk), i == 0, i == len(chunks)-1))
			continue
		}
		out = append(out, piece{data: append(append([]byte("data: "), encode(chunk)...), "\r\n\r\n"...)})
	}
	return geminiHeader(!c.array), out
}

// arrayPiece is an element of a JSON array with what stands in front of it, and after the last.
func arrayPiece(element []byte, first, last bool) piece {
	b := []byte(",\r\n")
	if first {
		b = []byte("[")
	}
	b = append(b, element...)
	if last {
		b = append(b, ']')
	}
	return piece{data: b}
}
