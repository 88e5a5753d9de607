package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// The bounds of an embeddings call.
const (
	defaultDimensions = 1536
	maxDimensions     = 3072
	maxInputs         = 2048
)

// vector makes the numbers of a text: of length 1, and always the same for the same model and text. Fewer dimensions are the first of more.
func vector(model, text string, dimensions int) []float32 {
	sum := sha256.Sum256([]byte(model + "\x00" + text))
	seed := binary.BigEndian.Uint64(sum[:])
	out, square := make([]float32, dimensions), 0.0
	for i := range out {
		seed = mix(seed)
		v := float64(seed>>11)/(1<<52) - 1
		out[i] = float32(v)
		square += v * v
	}
	for i := range out {
		out[i] = float32(float64(out[i]) / math.Sqrt(square))
	}
	return out
}

// packed writes a vector as base64 of little-endian numbers.
func packed(v []float32) string {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// embeddingsBody is a request for embeddings, as OpenAI and OpenRouter take it.
type embeddingsBody struct {
	Model      string          `json:"model"`
	Input      json.RawMessage `json:"input"`
	Format     string          `json:"encoding_format"`
	Dimensions *int            `json:"dimensions"`
}

// parseEmbeddings reads and checks the body. Frame puts the vectors in a vendor's shape.
func parseEmbeddings(body []byte, frame func(b *embeddingsBody, vectors []any, tokens int, a *answer) reply) (*call, *problem) {
	var b embeddingsBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, wrongType(err)
	}
	if b.Model == "" {
		return nil, bad("you must provide a model parameter")
	}
	inputs, p := b.inputs()
	if p != nil {
		return nil, p
	}
	dimensions := defaultDimensions
	if strings.Contains(b.Model, "3-large") {
		dimensions = maxDimensions
	}
	if p := b.check(dimensions); p != nil {
		return nil, p
	}
	if b.Dimensions != nil {
		dimensions = *b.Dimensions
	}
	c := &call{api: apiEmbeddings, model: b.Model, choices: 1}
	for _, text := range inputs {
		c.read(text)
	}
	c.user = fmt.Sprintf("%d/%s/%s", dimensions, b.Format, strings.Join(inputs, "\n"))
	c.direct = func(a *answer) reply {
		vectors, tokens := make([]any, len(inputs)), 0
		for i, text := range inputs {
			tokens += chat.EstimateTokens(len(text))
			v := vector(b.Model, text, dimensions)
			if vectors[i] = v; b.Format == "base64" {
				vectors[i] = packed(v)
			}
		}
		return frame(&b, vectors, tokens, a)
	}
	return c, nil
}

// check looks at everything but the inputs.
func (b *embeddingsBody) check(most int) *problem {
	switch {
	case b.Format != "" && b.Format != "float" && b.Format != "base64":
		return &problem{
			status: http.StatusBadRequest, param: "encoding_format", code: "invalid_value",
			message: fmt.Sprintf("Invalid value: '%s'. Supported values are: 'float' and 'base64'.", b.Format),
		}
	case b.Dimensions == nil:
		return nil
	case *b.Dimensions < 1:
		return bad(fmt.Sprintf("%d is less than the minimum of 1 - 'dimensions'", *b.Dimensions))
	case strings.Contains(b.Model, "ada-002"):
		return bad("This model does not support specifying dimensions.")
	case *b.Dimensions > most:
		return bad(fmt.Sprintf("Invalid value for 'dimensions' = %d. Must be less than or equal to %d.", *b.Dimensions, most))
	}
	return nil
}

// inputs reads what is to be embedded: a text, texts, tokens or lists of tokens. Tokens count as their JSON.
func (b *embeddingsBody) inputs() ([]string, *problem) {
	raw := bytes.TrimSpace(b.Input)
	if !given(raw) {
		return nil, missingParam("input")
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return checkInputs([]string{one})
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return nil, invalidInput()
	}
	if len(elements) > 0 && json.Unmarshal(elements[0], new(int)) == nil {
		return []string{string(raw)}, nil
	}
	out := make([]string, len(elements))
	for i, element := range elements {
		if json.Unmarshal(element, &out[i]) == nil {
			continue
		}
		if json.Unmarshal(element, &[]int{}) != nil {
			return nil, invalidInput()
		}
		out[i] = string(element)
	}
	return checkInputs(out)
}

func checkInputs(inputs []string) ([]string, *problem) {
	if len(inputs) == 0 || len(inputs) > maxInputs {
		return nil, invalidInput()
	}
	for _, text := range inputs {
		if text == "" {
			return nil, invalidInput()
		}
	}
	return inputs, nil
}

func invalidInput() *problem {
	return bad("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
}

// embeddingsAnswer is the shape that OpenAI and OpenRouter share.
type embeddingsAnswer struct {
	Object string      `json:"object"`
	Data   []embedding `json:"data"`
	Model  string      `json:"model"`
	Usage  any         `json:"usage"`
	// Provider and ID are OpenRouter's.
	Provider string `json:"provider,omitempty"`
	ID       string `json:"id,omitempty"`
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"`
}

func embeddingsOf(b *embeddingsBody, vectors []any) embeddingsAnswer {
	out := embeddingsAnswer{Object: "list", Model: b.Model}
	for i, v := range vectors {
		out.Data = append(out.Data, embedding{Object: "embedding", Index: i, Vector: v})
	}
	return out
}

type embeddingsUsage struct {
	Prompt int `json:"prompt_tokens"`
	Total  int `json:"total_tokens"`
}

func (openai) embeddings(b *embeddingsBody, vectors []any, tokens int, a *answer) reply {
	out := embeddingsOf(b, vectors)
	out.Usage = embeddingsUsage{tokens, tokens}
	return reply{status: http.StatusOK, header: openaiHeader(a, "application/json"), body: indent(out)}
}

func (o openrouter) embeddings(b *embeddingsBody, vectors []any, tokens int, a *answer) reply {
	out := embeddingsOf(b, vectors)
	out.Provider, out.ID = "Simulated", "gen-emb-"+id(a.serial, 20)
	cost := float64(tokens) / 1e7
	out.Usage = struct {
		embeddingsUsage

		Cost float64 `json:"cost"`
		BYOK bool    `json:"is_byok"`
	}{embeddingsUsage{tokens, tokens}, cost, false}
	return reply{status: http.StatusOK, header: o.header(a, "application/json"), body: encode(out)}
}
