package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/harness"
)

// The smallest picture and document, in base64.
const (
	pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	pdf   = "JVBERi0xLjQKJSVFT0YK"
)

// pinned has one model of every vendor: two that the chat surface relays to and two that it translates for.
var pinned = []string{"openai/gpt-4o-mini", "claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/openai/gpt-4o-mini"}

// given is how the simulated vendors show that data reached them whole.
func given(kind, mediaType, data string) string {
	return fmt.Sprintf("%s (%s, sha256:%s)", kind, mediaType, sha(data)[:16])
}

func cityTool() openai.ChatCompletionToolUnionParam {
	return openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: "look", Description: openai.String("Looks at a city"), Parameters: shared.FunctionParameters(citySchema),
	})
}

var citySchema = map[string]any{
	"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}, "additionalProperties": false,
}

// refusedWith tells what an error of the client's holds.
func refusedWith(err error) string {
	if failed, ok := errors.AsType[*openai.Error](err); ok {
		return fmt.Sprintf("%d %s", failed.StatusCode, failed.RawJSON())
	}
	return err.Error()
}

// chatOnce asks for an answer, whole or streamed.
func chatOnce(t *testing.T, client *openai.Client, p openai.ChatCompletionNewParams, streamed bool) openai.ChatCompletion {
	t.Helper()
	if !streamed {
		got, err := client.Chat.Completions.New(t.Context(), p)
		if err != nil {
			t.Fatal(refusedWith(err))
		}
		return *got
	}
	stream := client.Chat.Completions.NewStreaming(t.Context(), p)
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		if !acc.AddChunk(stream.Current()) {
			t.Fatalf("the chunk does not fit: %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(refusedWith(err))
	}
	return acc.ChatCompletion
}

func TestTheOfficialOpenAIClientWorksWithTools(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, model := range pinned {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %t", model, streamed), func(t *testing.T) {
				p := ask(model, "[sim:agent=3]")
				p.Tools = []openai.ChatCompletionToolUnionParam{cityTool()}
				var results []string
				for turn := range 5 {
					got := chatOnce(t, sdk(f, f.Key), p, streamed).Choices[0]
					if len(got.Message.ToolCalls) == 0 {
						if want := simulator.Proof(results...); turn != 3 || got.Message.Content != want || got.FinishReason != "stop" {
							t.Errorf("turn %d ends with %q (%s), want %q after 3", turn, got.Message.Content, got.FinishReason, want)
						}
						return
					}
					if got.FinishReason != "tool_calls" {
						t.Errorf("got the finish %s of calls", got.FinishReason)
					}
					p.Messages = append(p.Messages, got.Message.ToParam())
					for _, call := range got.Message.ToolCalls {
						results = append(results, fmt.Sprintf("result %d of %s", len(results), call.Function.Arguments))
						p.Messages = append(p.Messages, openai.ToolMessage(results[len(results)-1], call.ID))
					}
				}
				t.Error("it goes on calling")
			})
		}
	}
}

func TestTheOfficialOpenAIClientGetsStructuredAnswers(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, model := range pinned {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %t", model, streamed), func(t *testing.T) {
				p := ask(model, "Where is it?")
				p.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
					JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Schema: citySchema, Strict: openai.Bool(true)},
				}}
				got := chatOnce(t, sdk(f, f.Key), p, streamed).Choices[0].Message.Content
				var place struct {
					City *string `json:"city"`
				}
				if err := json.Unmarshal([]byte(got), &place); err != nil || place.City == nil {
					t.Errorf("got %q, %v, want a place", got, err)
				}
			})
		}
	}
}

func TestTheOfficialOpenAIClientShowsPicturesAndFiles(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, model := range pinned {
		t.Run(model, func(t *testing.T) {
			p := ask(model, "")
			p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart("What are they?"),
				openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + pixel}),
				openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{Filename: openai.String("a.pdf"), FileData: openai.String("data:application/pdf;base64," + pdf)}),
			})}
			said := chatOnce(t, sdk(f, f.Key), p, false).Choices[0].Message.Content
			for _, want := range []string{given("image", "image/png", pixel), given("file", "application/pdf", pdf)} {
				if !strings.Contains(said, want) {
					t.Errorf("got %q, want it to have been given %s", said, want)
				}
			}
		})
	}
}

func TestTheOfficialOpenAIClientGetsVectors(t *testing.T) {
	f := harness.New(t, harness.Options{})
	client := sdk(f, f.Key)
	for _, model := range []string{"text-embedding-3-small", "gemini/gemini-embedding-001"} {
		t.Run(model, func(t *testing.T) {
			vectors := func(format openai.EmbeddingNewParamsEncodingFormat) [][]float64 {
				got, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
					Model: model, EncodingFormat: format, Dimensions: openai.Int(256), Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two"}},
				})
				if err != nil {
					t.Fatal(refusedWith(err))
				}
				var out [][]float64
				for i, d := range got.Data {
					if int(d.Index) != i || got.Usage.PromptTokens == 0 {
						t.Errorf("vector %d has the index %d, and %d tokens", i, d.Index, got.Usage.PromptTokens)
					}
					out = append(out, d.Embedding)
				}
				return out
			}
			usual, floats := vectors(""), vectors(openai.EmbeddingNewParamsEncodingFormatFloat)
			if len(usual) != 2 || len(usual[0]) != 256 || fmt.Sprint(usual) != fmt.Sprint(floats) || fmt.Sprint(usual[0]) == fmt.Sprint(usual[1]) {
				t.Errorf("got %d vectors, the same in every format: %t", len(usual), fmt.Sprint(usual) == fmt.Sprint(floats))
			}
			raw, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
				Model: model, EncodingFormat: openai.EmbeddingNewParamsEncodingFormatBase64, Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("one")},
			})
			if packed := ""; err != nil || json.Unmarshal([]byte(raw.Data[0].JSON.Embedding.Raw()), &packed) != nil || packed == "" {
				t.Errorf("got %v, want a vector in base64", err)
			}
		})
	}
	var failed *openai.Error
	_, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "auto", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("one")}})
	if !errors.As(err, &failed) || failed.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("got %v, want vectors of any model to be refused", err)
	}
}

func TestTheOfficialOpenAIClientGoesOnWithWholeResponses(t *testing.T) {
	f := harness.New(t, harness.Options{})
	client := sdk(f, f.Key)
	for _, model := range pinned {
		t.Run(model, func(t *testing.T) {
			p := responses.ResponseNewParams{Model: model, Tools: lookAtCity(), Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("[sim:agent=3]")}}
			var results []string
			for turn := range 5 {
				got, err := client.Responses.New(t.Context(), p)
				if err != nil {
					t.Fatal(refusedWith(err))
				}
				var outputs responses.ResponseInputParam
				for _, item := range got.Output {
					if call := item.AsFunctionCall(); item.Type == "function_call" {
						results = append(results, fmt.Sprintf("result %d of %s", len(results), call.Arguments))
						output := responses.ResponseInputItemParamOfFunctionCallOutput(results[len(results)-1])
						output.OfFunctionCallOutput.CallID = openai.String(call.CallID)
						outputs = append(outputs, output)
					}
				}
				if len(outputs) == 0 {
					if want := simulator.Proof(results...); turn != 3 || got.OutputText() != want || got.Status != "completed" {
						t.Errorf("turn %d ends with %q (%s), want %q after 3", turn, got.OutputText(), got.Status, want)
					}
					return
				}
				p.PreviousResponseID, p.Input = param.NewOpt(got.ID), responses.ResponseNewParamsInputUnion{OfInputItemList: outputs}
			}
			t.Error("it goes on calling")
		})
	}
}

// TestTheOfficialOpenAIClientLeaves wants the vendor's call to end when the client's context does.
func TestTheOfficialOpenAIClientLeaves(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for i, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, `{"chunk_delay_ms":5}`)
		t.Run(pinned[i], func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream := sdk(f, f.Key).Chat.Completions.NewStreaming(ctx, ask(pinned[i], "[sim:bytes=100000]"))
			for range 3 {
				if !stream.Next() {
					t.Fatalf("the stream ended early: %v", stream.Err())
				}
			}
			cancel()
			for stream.Next() {
				continue // what is in the client's buffer
			}
			if err := stream.Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want its own cancellation", err)
			}
			harness.Eventually(t, "the vendor's call ends", func() bool { return f.VendorStats(t, v).Canceled == 1 })
		})
	}
}
