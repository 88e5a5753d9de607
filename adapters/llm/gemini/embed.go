package gemini

import (
	"context"
	"fmt"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/ports/outbound"
)

// maxTexts is how many texts the vendor takes at once.
const maxTexts = 100

// embedRequest is one text of a batch.
type embedRequest struct {
	Model      string  `json:"model"`
	Content    content `json:"content"`
	Dimensions *int    `json:"outputDimensionality,omitempty"`
}

// embedAnswer holds a vector for each text. The vendor counts tokens for some models alone.
type embedAnswer struct {
	Embeddings []struct {
		Values []float64 `json:"values"`
	} `json:"embeddings"`
	Usage struct {
		Prompt int `json:"promptTokenCount"`
	} `json:"usageMetadata"`
}

// Embed implements outbound.Embedder. More texts than the vendor takes at once are sent one batch after the other.
func (p *provider) Embed(ctx context.Context, to outbound.Target, r *embedding.Request) (*embedding.Response, error) {
	var drops llm.Drops
	if r.EndUser != "" {
		drops.Add("user")
	}
	dropped, err := drops.Settle(r.Untranslated, r.Strict)
	if err != nil {
		return nil, err
	}
	out := &embedding.Response{Model: nameOf(to), Vectors: make([][]float64, 0, len(r.Inputs)), Dropped: dropped}
	tokens := 0
	for from := 0; from < len(r.Inputs); from += maxTexts {
		texts := r.Inputs[from:min(from+maxTexts, len(r.Inputs))]
		a, err := p.batch(ctx, to, texts, r.Dimensions)
		if err != nil {
			return nil, err
		}
		for i := range a.Embeddings {
			out.Vectors = append(out.Vectors, a.Embeddings[i].Values)
		}
		tokens += max(a.Usage.Prompt, 0)
	}
	if tokens > 0 {
		out.Usage = &chat.Usage{Input: tokens}
	}
	return out, nil
}

// batch asks for the vectors of some texts.
func (p *provider) batch(ctx context.Context, to outbound.Target, texts []string, dimensions *int) (*embedAnswer, error) {
	in := struct {
		Requests []embedRequest `json:"requests"`
	}{make([]embedRequest, len(texts))}
	for i := range texts {
		in.Requests[i] = embedRequest{Model: "models/" + nameOf(to), Content: content{Parts: []any{&part{Text: &texts[i]}}}, Dimensions: dimensions}
	}
	c, err := post(to, ":batchEmbedContents", in)
	if err != nil {
		return nil, err
	}
	var a embedAnswer
	if err := c.Into(ctx, p.client, &a); err != nil {
		return nil, err
	}
	if len(a.Embeddings) != len(texts) {
		return nil, llm.BadResponse(to, fmt.Sprintf("made %d vectors of %d texts", len(a.Embeddings), len(texts)))
	}
	for i := range a.Embeddings {
		if len(a.Embeddings[i].Values) == 0 {
			return nil, llm.BadResponse(to, "made an empty vector")
		}
	}
	return &a, nil
}
