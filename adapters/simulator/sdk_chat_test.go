package simulator_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/forge1/forge1/adapters/simulator"
)

func TestAnAgentWorksThroughChats(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for vendor, names := range map[string][]string{
		simulator.OpenAI:     {"gpt-4.1-mini", "gpt-5-mini"},
		simulator.OpenRouter: {"anthropic/claude-haiku-4.5", "moonshotai/kimi-k2", "google/gemini-2.5-flash", "meta-llama/llama-3.3-70b"},
	} {
		for _, model := range names {
			t.Run(vendor+" "+model, func(t *testing.T) { w.chatAgent(t, vendor, model) })
		}
	}
}

// chatAgent runs an agent by the official client. What OpenRouter gives beside the client's own fields goes back as it came.
func (w *world) chatAgent(t *testing.T, vendor, model string) {
	client := w.openai(vendor)
	messages := []openai.ChatCompletionMessageParamUnion{openai.UserMessage(fmt.Sprintf("[sim:agent=%d,thinking] mend it", agentTurns))}
	var results []string
	for range agentTurns + 1 {
		stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
			Model: model, Messages: messages,
			Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "look", Parameters: lookSchema})},
		})
		var all openai.ChatCompletionAccumulator
		details := detailGatherer{}
		for stream.Next() {
			chunk := stream.Current()
			all.AddChunk(chunk)
			if len(chunk.Choices) > 0 {
				details.add(t, chunk.Choices[0].Delta.RawJSON())
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatalf("turn after %d results: %v", len(results), err)
		}
		answer := all.Choices[0].Message
		if len(answer.ToolCalls) == 0 {
			if want := simulator.Proof(results...); answer.Content != want {
				t.Errorf("answer = %q, want %q", answer.Content, want)
			}
			break
		}
		said := map[string]any{"role": "assistant", "tool_calls": answer.ToolCalls}
		if len(details) > 0 {
			said["reasoning_details"] = details
		}
		raw, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, param.Override[openai.ChatCompletionMessageParamUnion](json.RawMessage(raw)))
		for _, call := range answer.ToolCalls {
			results = append(results, worked(len(results), call.Function.Arguments))
			messages = append(messages, openai.ToolMessage(results[len(results)-1], call.ID))
		}
	}
	if want := agentTurns * 3 / 2; len(results) != want {
		t.Errorf("%d results, want %d", len(results), want)
	}
}

// detailGatherer joins the pieces of OpenRouter's details by their index.
type detailGatherer []map[string]any

func (g *detailGatherer) add(t *testing.T, delta string) {
	t.Helper()
	v := decode[struct {
		Details []map[string]any `json:"reasoning_details"`
	}](t, delta)
	for _, d := range v.Details {
		at := int(d["index"].(float64)) //nolint:errcheck // a number always
		if at == len(*g) {
			*g = append(*g, d)
			continue
		}
		for _, field := range []string{"text", "summary", "signature"} {
			if more, given := d[field].(string); given {
				before, _ := (*g)[at][field].(string)
				(*g)[at][field] = before + more
			}
		}
	}
}

func TestTheOfficialClientReadsEmbeddings(t *testing.T) {
	t.Parallel()
	names := map[string][]string{simulator.OpenAI: {"text-embedding-3-small"}, simulator.OpenRouter: {"openai/text-embedding-3-small"}}
	w := start(t, simulator.Config{Models: names})
	for vendor, model := range names {
		client := w.openai(vendor)
		params := openai.EmbeddingNewParams{Model: model[0], Dimensions: openai.Int(8), Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two", "one"}}}
		got, err := client.Embeddings.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Data) != 3 || got.Usage.PromptTokens != 3 {
			t.Fatalf("%s: %d vectors, %d tokens; want 3 and 3", vendor, len(got.Data), got.Usage.PromptTokens)
		}
		square := 0.0
		for i, x := range got.Data[0].Embedding {
			square += x * x
			if x != got.Data[2].Embedding[i] {
				t.Errorf("%s: the same text has two vectors", vendor)
			}
		}
		if len(got.Data[0].Embedding) != 8 || math.Abs(square-1) > 1e-6 || got.Data[0].Embedding[0] == got.Data[1].Embedding[0] {
			t.Errorf("%s: vectors = %v, want eight numbers of length 1, other ones for another text", vendor, got.Data)
		}
		_, body := w.must(w.post(vendor, "/embeddings", `{"model":"`+model[0]+`","input":"one","dimensions":8,"encoding_format":"base64"}`))
		packed := decode[struct{ Data []struct{ Embedding string } }](t, body)
		raw, err := base64.StdEncoding.DecodeString(packed.Data[0].Embedding)
		if err != nil || len(raw) != 32 || math.Float32frombits(binary.LittleEndian.Uint32(raw)) != float32(got.Data[0].Embedding[0]) {
			t.Errorf("%s: base64 = %v, %v, want the same numbers", vendor, raw, err)
		}
	}
}
