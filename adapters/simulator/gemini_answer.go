package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// The parts of Gemini's answers.
type (
	geminiUsage struct {
		Prompt     int            `json:"promptTokenCount"`
		Candidates int            `json:"candidatesTokenCount,omitempty"` // left out while nothing is visible
		Thoughts   int            `json:"thoughtsTokenCount,omitempty"`
		Cached     int            `json:"cachedContentTokenCount,omitempty"`
		Total      int            `json:"totalTokenCount"`
		Details    []geminiDetail `json:"promptTokensDetails"`
	}
	geminiDetail struct {
		Modality string `json:"modality"`
		Tokens   int    `json:"tokenCount"`
	}
	geminiAnswer struct {
		Candidates []geminiCandidate `json:"candidates,omitempty"` // left out where the prompt is blocked
		Feedback   *geminiFeedback   `json:"promptFeedback,omitempty"`
		Usage      geminiUsage       `json:"usageMetadata"`
		Model      string            `json:"modelVersion"`
		ID         string            `json:"responseId"`
	}
	geminiFeedback struct {
		Reason string `json:"blockReason"`
	}
	geminiCandidate struct {
		Content   geminiOutContent `json:"content"`
		Finish    string           `json:"finishReason,omitempty"`
		Index     int              `json:"index,omitempty"` // left out when 0
		Average   float64          `json:"avgLogprobs,omitempty"`
		Logprobs  *geminiLogprobs  `json:"logprobsResult,omitempty"`
		Grounding *geminiGrounding `json:"groundingMetadata,omitempty"`
	}
	geminiOutContent struct {
		Parts []geminiOutPart `json:"parts,omitempty"`
		Role  string          `json:"role,omitempty"`
	}
	geminiOutPart struct {
		Text      *string        `json:"text,omitempty"`
		Thought   bool           `json:"thought,omitempty"`
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

// geminiPage is how many models a page of the list has when nobody says.
const geminiPage = 50

func (g gemini) models(names []string, created int64, query url.Values) any {
	list := struct {
		Models []any  `json:"models"`
		Next   string `json:"nextPageToken,omitempty"`
	}{Models: []any{}}
	size, err := strconv.Atoi(query.Get("pageSize"))
	if err != nil || size < 1 {
		size = geminiPage
	}
	if at := slices.Index(names, query.Get("pageToken")); at >= 0 {
		names = names[at:]
	}
	if len(names) > size {
		list.Next, names = names[size], names[:size]
	}
	for _, name := range names {
		list.Models = append(list.Models, g.one(name, created))
	}
	return list
}

func (gemini) one(name string, _ int64) any {
	methods := []string{"generateContent", "countTokens"}
	if strings.Contains(name, "embedding") {
		methods = []string{"embedContent", "batchEmbedContents"}
	}
	return geminiModel{Name: "models/" + name, Version: "001", Display: name, Input: 1_048_576, Output: 65_536, Methods: methods}
}

// gemini frames candidates as an answer; said and thought are how many bytes were written up to here.
func (a *answer) gemini(c *call, candidates []geminiCandidate, said, thought int) geminiAnswer {
	u := geminiUsage{
		Prompt: a.in, Candidates: chat.EstimateTokens(said), Thoughts: chat.EstimateTokens(thought), Cached: a.cached, Details: []geminiDetail{{"TEXT", a.in}},
	}
	u.Total = u.Prompt + u.Candidates + u.Thoughts
	return geminiAnswer{Candidates: candidates, Usage: u, Model: c.model, ID: id(a.serial, 23)}
}

func geminiFinish(a *answer) string {
	switch a.finish {
	case cutShort, exhausted:
		return "MAX_TOKENS"
	case declined:
		return "SAFETY"
	default: // of a function call too
		return "STOP"
	}
}

// blocked is the answer to a prompt that the vendor will not have.
func (a *answer) blocked(c *call) geminiAnswer {
	out := a.gemini(c, nil, 0, 0)
	out.Feedback = &geminiFeedback{Reason: "PROHIBITED_CONTENT"}
	return out
}

// geminiParts are the parts of a choice, finished. Of calls the first alone is signed; of words, the last are where the answer is signed.
func (a *answer) geminiParts(c *call, choice int) []geminiOutPart {
	var out []geminiOutPart
	signature := seal("thought", a.serialOf(choice, 0), "")
	for _, p := range a.choices[choice] {
		switch {
		case p.kind == words:
			out = append(out, geminiOutPart{Text: &p.text})
		case p.kind == thinking && !c.conceals(p):
			out = append(out, geminiOutPart{Text: &p.text, Thought: true})
		case p.kind == calling:
			part := geminiOutPart{Call: &geminiOutCall{Name: p.name, Args: json.RawMessage(p.text)}}
			if p.n == 0 {
				part.Signature = signature
			}
			out = append(out, part)
		}
	}
	if last := len(out) - 1; last >= 0 && out[last].Text != nil && !out[last].Thought && (c.signs || len(a.parts(choice, thinking)) > 0) {
		out[last].Signature = signature
	}
	return out
}

// weight is how many bytes a choice has said and thought.
func (a *answer) weight(choice int) (said, thought int) {
	for _, p := range a.choices[choice] {
		switch p.kind {
		case thinking:
			thought += len(p.text)
		case words, calling:
			said += len(p.text)
		}
	}
	return said, thought
}

func (gemini) whole(c *call, a *answer) reply {
	out := a.blocked(c)
	if a.finish != filtered {
		var candidates []geminiCandidate
		said, thought := 0, 0
		for i := range a.choices {
			candidate := geminiCandidate{Finish: geminiFinish(a), Index: i, Grounding: a.grounding(i)}
			if parts := a.geminiParts(c, i); len(parts) > 0 || a.finish == ended {
				candidate.Content = geminiOutContent{Parts: parts, Role: "model"}
			}
			candidate.Average, candidate.Logprobs = c.geminiLogprobs(a.parts(i, words))
			candidates = append(candidates, candidate)
			s, t := a.weight(i)
			said, thought = said+s, thought+t
		}
		out = a.gemini(c, candidates, said, thought)
	}
	return reply{status: http.StatusOK, header: geminiHeader(false), body: indent(out)}
}

func geminiHeader(sse bool) http.Header {
	if sse {
		return http.Header{"Content-Type": {"text/event-stream"}, "Server-Timing": {"gfet4t7; dur=12"}}
	}
	return http.Header{"Content-Type": {"application/json; charset=UTF-8"}, "Server-Timing": {"gfet4t7; dur=12"}}
}
