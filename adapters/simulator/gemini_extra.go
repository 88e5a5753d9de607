package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// What Gemini says beside an answer, and its other methods.
type (
	geminiLogprobs struct {
		Top    []geminiTop       `json:"topCandidates,omitempty"`
		Chosen []geminiCandidLog `json:"chosenCandidates"`
	}
	geminiTop struct {
		Candidates []geminiCandidLog `json:"candidates"`
	}
	geminiCandidLog struct {
		Token   string  `json:"token"`
		Logprob float64 `json:"logProbability"`
	}
	geminiGrounding struct {
		Queries  []string        `json:"webSearchQueries,omitempty"`
		Chunks   []geminiChunk   `json:"groundingChunks,omitempty"`
		Supports []geminiSupport `json:"groundingSupports,omitempty"`
	}
	geminiChunk struct {
		Web geminiWeb `json:"web"`
	}
	geminiWeb struct {
		URI   string `json:"uri"`
		Title string `json:"title"`
	}
	geminiSupport struct {
		Segment geminiSegment `json:"segment"`
		Chunks  []int         `json:"groundingChunkIndices"`
	}
	geminiSegment struct {
		Start int    `json:"startIndex,omitempty"`
		End   int    `json:"endIndex"`
		Text  string `json:"text"`
	}
	geminiEmbed struct {
		Model      string        `json:"model"`
		Content    geminiContent `json:"content"`
		Dimensions *int          `json:"outputDimensionality"`
		DimSnake   *int          `json:"output_dimensionality"`
	}
	geminiVector struct {
		Values []float32 `json:"values"`
	}
)

// The methods beside those of chats and counts, and the bounds of an embedding.
const (
	apiEmbed = "embedContent"
	apiBatch = "batchEmbedContents"
	maxBatch = 100
)

func (c *call) geminiLogprobs(said []part) (average float64, all *geminiLogprobs) {
	if !c.logprobs {
		return 0, nil
	}
	all = &geminiLogprobs{Chosen: []geminiCandidLog{}}
	for _, p := range said {
		for _, l := range logprobsOf(p.pieces, c.top) {
			all.Chosen = append(all.Chosen, geminiCandidLog{l.Token, l.Logprob})
			average += l.Logprob
			var top geminiTop
			for _, t := range l.Top {
				top.Candidates = append(top.Candidates, geminiCandidLog{t.Token, t.Logprob})
			}
			all.Top = append(all.Top, top)
		}
	}
	return average / float64(max(len(all.Chosen), 1)), all
}

// grounding says where a choice is from, nil where nobody searched.
func (a *answer) grounding(choice int) *geminiGrounding {
	g := &geminiGrounding{}
	for _, p := range a.parts(choice, searching) {
		g.Queries = append(g.Queries, p.text)
	}
	for _, p := range a.parts(choice, words) {
		for i, c := range p.cites {
			g.Chunks = append(g.Chunks, geminiChunk{geminiWeb{c.url, c.title}})
			g.Supports = append(g.Supports, geminiSupport{geminiSegment{c.start, c.end, c.text}, []int{i}})
		}
	}
	if g.Queries == nil && g.Chunks == nil {
		return nil
	}
	return g
}

func (gemini) parseCount(rt route, body []byte) (*call, *problem) {
	var b struct {
		Contents []geminiContent `json:"contents"`
		Whole    *geminiBody     `json:"generateContentRequest"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, geminiType(err)
	}
	c := &call{api: apiCount, model: rt.model, choices: 1}
	if b.Whole == nil {
		b.Whole = &geminiBody{Contents: b.Contents}
	}
	if system := either(b.Whole.System, b.Whole.SystemSnake); system != nil {
		for _, part := range system.Parts {
			c.read(part.text())
		}
	}
	if p := b.Whole.converse(c); p != nil {
		return nil, p
	}
	tokens := chat.EstimateTokens(c.textBytes)
	c.direct = func(*answer) reply {
		return reply{status: http.StatusOK, header: geminiHeader(false), body: indent(struct {
			Total   int            `json:"totalTokens"`
			Details []geminiDetail `json:"promptTokensDetails"`
		}{tokens, []geminiDetail{{"TEXT", tokens}}})}
	}
	return c, nil
}

// parseEmbed reads one text or a batch of them.
func (gemini) parseEmbed(rt route, body []byte) (*call, *problem) {
	var one geminiEmbed
	var batch struct {
		Requests []geminiEmbed `json:"requests"`
	}
	into := any(&one)
	if rt.api == apiBatch {
		into = &batch
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, geminiType(err)
	}
	if rt.api == apiEmbed {
		batch.Requests = []geminiEmbed{one}
	}
	c := &call{api: rt.api, model: rt.model, choices: 1}
	if n := len(batch.Requests); n == 0 || n > maxBatch {
		return nil, bad(fmt.Sprintf("* BatchEmbedContentsRequest.requests: at least one and at most %d requests can be in one batch\n", maxBatch))
	}
	vectors := make([]geminiVector, len(batch.Requests))
	for i, r := range batch.Requests {
		text, p := r.text(i, rt)
		if p != nil {
			return nil, p
		}
		dimensions := maxDimensions
		if d := either(r.Dimensions, r.DimSnake); d != nil {
			dimensions = *d
		}
		if dimensions < 1 || dimensions > maxDimensions {
			return nil, bad("* EmbedContentRequest.output_dimensionality: output_dimensionality must be positive and no more than the model has\n")
		}
		vectors[i].Values = vector(rt.model, text, dimensions)
		c.read(text)
		c.user += text + "\n"
	}
	c.direct = func(*answer) reply {
		out := any(struct {
			Embeddings []geminiVector `json:"embeddings"`
		}{vectors})
		if rt.api == apiEmbed {
			out = struct {
				Embedding geminiVector `json:"embedding"`
			}{vectors[0]}
		}
		return reply{status: http.StatusOK, header: geminiHeader(false), body: indent(out)}
	}
	return c, nil
}

// text is what is to be embedded; a batch repeats the model in each request.
func (r geminiEmbed) text(i int, rt route) (string, *problem) {
	if rt.api == apiBatch && strings.TrimPrefix(r.Model, "models/") != rt.model {
		return "", bad(fmt.Sprintf("* BatchEmbedContentsRequest.requests[%d].model: model must match the model of the batch\n", i))
	}
	text := ""
	for _, p := range r.Content.Parts {
		text += p.text()
	}
	if text == "" {
		return "", bad("* EmbedContentRequest.content: contents is not specified\n")
	}
	return text, nil
}
