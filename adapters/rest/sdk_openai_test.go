package rest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// openAI is the official client, before a server whose gateway is a fake.
func openAI(w *world) *openai.Client {
	c := openai.NewClient(option.WithBaseURL("http://"+w.addr+"/v1"), option.WithAPIKey(aiKey), option.WithMaxRetries(0))
	return &c
}

// askingBoth asks for two answers, with a function and a custom tool.
func askingBoth() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: "auto", N: openai.Int(2), Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")},
		Tools: []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "f"}), openai.ChatCompletionCustomTool(openai.ChatCompletionCustomToolCustomParam{Name: "grep"}),
		},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
}

func twoAnswers() *chat.Response {
	return &chat.Response{Choices: []chat.Choice{everything(), {Parts: []chat.Part{{Text: "again"}}, Finish: chat.FinishStop}}}
}

func TestOpenAIsClientReadsARenderedAnswer(t *testing.T) {
	w := start(t)
	w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
		if _, err := c.Parse(); err != nil {
			t.Error(err)
		}
		return inbound.Answer{Receipt: asUsed(), Response: twoAnswers()}, nil
	}
	p := askingBoth()
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
	got, err := openAI(w).Chat.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Choices) != 2 || got.Choices[0].FinishReason != "length" || got.Choices[1].Message.Content != "again" || got.Choices[1].FinishReason != "stop" {
		t.Fatalf("got %+v", got.Choices)
	}
	m := got.Choices[0].Message
	if m.Content != "ébc" || len(m.Annotations) != 3 || m.Annotations[1].URLCitation.StartIndex != 1 || m.Audio.Data != "BB" || len(m.ToolCalls) != 2 {
		t.Errorf("got %+v", m)
	}
	if f := m.ToolCalls[0].AsFunction(); f.ID != "c1" || f.Function.Name != "f" || f.Function.Arguments != `{"a":1}` {
		t.Errorf("got the call %+v", f)
	}
	if c := m.ToolCalls[1].AsCustom(); c.ID != "c2" || c.Custom.Name != "grep" || c.Custom.Input != `x "y"` {
		t.Errorf("got the call %+v", c)
	}
	if l := got.Choices[0].Logprobs.Content; len(l) != 1 || l[0].Token != "é" || len(l[0].TopLogprobs) != 1 {
		t.Errorf("got %+v", l)
	}
	if u := got.Usage; u.PromptTokens != 10 || u.CompletionTokens != 9 || u.PromptTokensDetails.CachedTokens != 4 || u.CompletionTokensDetails.ReasoningTokens != 2 {
		t.Errorf("got %+v", u)
	}
}

func TestOpenAIsClientReadsARenderedStream(t *testing.T) {
	w := start(t)
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		var pieces []inbound.Piece
		for _, c := range twoAnswers().Chunks() {
			pieces = append(pieces, inbound.Piece{Chunk: c})
		}
		return streamOf(false, pieces...), nil
	}
	stream := openAI(w).Chat.Completions.NewStreaming(t.Context(), askingBoth())
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			t.Fatalf("the client cannot add %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if len(all.Choices) != 2 || all.Choices[0].FinishReason != "length" || all.Choices[1].Message.Content != "again" || all.Choices[1].FinishReason != "stop" {
		t.Fatalf("got %+v", all.Choices)
	}
	if m := all.Choices[0].Message; m.Content != "ébc" || len(m.ToolCalls) != 2 || m.ToolCalls[0].ID != "c1" || m.ToolCalls[0].Function.Arguments != `{"a":1}` {
		t.Errorf("got %+v", m)
	}
	if all.Usage.TotalTokens != 15 {
		t.Errorf("got %+v", all.Usage)
	}
}

func TestOpenAIsClientGetsFailuresOfItsOwnType(t *testing.T) {
	w := start(t)
	client := openAI(w)
	broken := fault.New(fault.Upstream, "provider_error", "the provider failed")
	w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) { return inbound.Answer{}, broken }
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(false, func(yield func(inbound.Piece, error) bool) {
			_ = yield(inbound.Piece{Chunk: chat.Chunk{Text: "a"}}, nil) && yield(inbound.Piece{}, broken)
		}), nil
	}
	w.models.embed = func(inbound.Call) (inbound.Vectors, error) { return inbound.Vectors{}, broken }

	_, err := client.Chat.Completions.New(t.Context(), askingBoth())
	_, embedErr := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "m", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("a")}})
	for name, err := range map[string]error{"chat": err, "embeddings": embedErr} {
		var typed *openai.Error
		if !errors.As(err, &typed) || typed.StatusCode != 502 || typed.Code != "provider_error" || typed.Type != "server_error" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	stream := client.Chat.Completions.NewStreaming(t.Context(), askingBoth())
	for stream.Next() {
	}
	if stream.Err() == nil {
		t.Error("the stream broke, and its client did not notice")
	}
}

func TestOpenAIsClientReadsVectors(t *testing.T) {
	w := start(t)
	w.models.embed = func(c inbound.Call) (inbound.Vectors, error) {
		r, err := c.ParseEmbedding()
		if err != nil || len(r.Inputs) != 2 || *r.Dimensions != 2 {
			t.Errorf("got %+v, %v", r, err)
		}
		return inbound.Vectors{Receipt: receipt(), Response: &embedding.Response{Vectors: [][]float64{{0.25, -1}, {1, 2}}}}, nil
	}
	got, err := openAI(w).Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "m", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}}, Dimensions: openai.Int(2), EncodingFormat: "float",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Data) != 2 || got.Data[0].Embedding[0] != 0.25 || got.Data[1].Index != 1 || got.Usage.PromptTokens != 10 {
		t.Errorf("got %+v", got)
	}
}
