// Package embeddings is OpenAI's dialect of embeddings, which many vendors share: requests, answers, and the relay that passes bodies through.
package embeddings

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/adapters/llm/internal/usage"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/ports/outbound"
)

const path = "/embeddings"

// Embedder implements outbound.Embedder and outbound.Relay for any server of the dialect.
type Embedder struct {
	client  *http.Client
	explain llm.Explain
	// format is the form that vectors are asked for in; both are read, whichever comes.
	format string
}

var (
	_ outbound.Embedder = (*Embedder)(nil)
	_ outbound.Relay    = (*Embedder)(nil)
)

// Formats of vectors.
const (
	Float  = "float"
	Base64 = "base64" // a third of the bytes; servers of one's own do not all know it
)

// New makes an embedder, which binds nothing but the client. format is what it asks for: Float or Base64.
func New(client *http.Client, f chatcompletions.Flavour, format string) *Embedder {
	return &Embedder{client: client, explain: f.Explain, format: format}
}

type request struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Dimensions *int     `json:"dimensions,omitempty"`
	Format     string   `json:"encoding_format,omitempty"`
	User       string   `json:"user,omitempty"`
}

type answer struct {
	Model string          `json:"model"`
	Data  []item          `json:"data"`
	Usage json.RawMessage `json:"usage"`
}

type item struct {
	Index  *int   `json:"index"`
	Vector vector `json:"embedding"`
}

// vector is a list of numbers, or the same as little-endian float32 in base64.
type vector []float64

// UnmarshalJSON implements json.Unmarshaler.
func (v *vector) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '"' {
		return json.Unmarshal(b, (*[]float64)(v))
	}
	var text []byte // JSON holds bytes in base64 too
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("read a vector: %w", err)
	}
	if len(text)%4 != 0 {
		return errors.New("read a vector: half a number")
	}
	out := make([]float64, 0, len(text)/4)
	for ; len(text) > 0; text = text[4:] {
		out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(text))))
	}
	*v = out
	return nil
}

// Embed implements outbound.Embedder.
func (e *Embedder) Embed(ctx context.Context, to outbound.Target, r *embedding.Request) (*embedding.Response, error) {
	var drops llm.Drops
	dropped, err := drops.Settle(r.Untranslated, r.Strict)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(request{Model: to.Model, Input: r.Inputs, Dimensions: r.Dimensions, Format: e.format, User: r.EndUser})
	if err != nil {
		return nil, llm.Unsupported("input")
	}
	var a answer
	if err := e.call(to, body).Into(ctx, e.client, &a); err != nil {
		return nil, err
	}
	vectors, ok := inOrder(a.Data, len(r.Inputs))
	if !ok {
		return nil, llm.BadResponse(to, "answered other vectors than were asked for")
	}
	return &embedding.Response{Model: a.Model, Vectors: vectors, Usage: usage.Embeddings(wrapped(a.Usage)), Dropped: dropped}, nil
}

func (e *Embedder) call(to outbound.Target, body []byte) llm.Call {
	return llm.Call{To: to, URL: llm.JoinURL(to.BaseURL, path), Header: chatcompletions.Authorize(to), Body: body, Explain: e.explain}
}

func wrapped(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return nil
	}
	return append(append([]byte(`{"usage":`), raw...), '}')
}

// inOrder gives one vector for each input, in their order. Items that have no number stand in their order.
func inOrder(data []item, inputs int) ([][]float64, bool) {
	if len(data) != inputs {
		return nil, false
	}
	out := make([][]float64, inputs)
	for i := range data {
		at := i
		if data[i].Index != nil {
			at = *data[i].Index
		}
		if at < 0 || at >= inputs || out[at] != nil || len(data[i].Vector) == 0 {
			return nil, false
		}
		for _, n := range data[i].Vector {
			if math.IsNaN(n) || math.IsInf(n, 0) {
				return nil, false
			}
		}
		out[at] = data[i].Vector
	}
	return out, true
}
