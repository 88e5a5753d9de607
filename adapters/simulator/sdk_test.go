package simulator_test

import (
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/forge1/forge1/adapters/simulator"
)

func TestTheOfficialOpenAIClientIsServed(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	w.configure(simulator.OpenAI, simulator.Behaviour{Mode: simulator.ModeEcho})
	client := func(key string) openai.Client {
		return openai.NewClient(option.WithAPIKey(key), option.WithBaseURL(w.run.BaseURL(simulator.OpenAI)), option.WithHTTPClient(w.client), option.WithMaxRetries(0))
	}
	good := client("sk-test")
	params := openai.ChatCompletionNewParams{Model: "gpt-5-mini", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")}}

	t.Run("a chat", func(t *testing.T) {
		got, err := good.Chat.Completions.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		if got.Choices[0].Message.Content != hash("Hello") || got.Usage.PromptTokens != 2 || got.Usage.CompletionTokens != 18 {
			t.Errorf("answer = %+v, want the hash and 2 + 18 tokens", got)
		}
	})
	t.Run("a stream", func(t *testing.T) {
		params := params
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		stream := good.Chat.Completions.NewStreaming(t.Context(), params)
		var all openai.ChatCompletionAccumulator
		for stream.Next() {
			if !all.AddChunk(stream.Current()) {
				t.Fatalf("chunk does not fit: %+v", stream.Current())
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		if all.Choices[0].Message.Content != hash("Hello") || all.Choices[0].FinishReason != "stop" || all.Usage.TotalTokens != 20 {
			t.Errorf("stream = %+v, want the hash, stop and 20 tokens", all)
		}
	})
	t.Run("the models", func(t *testing.T) {
		page, err := good.Models.List(t.Context())
		if err != nil || len(page.Data) != 2 {
			t.Errorf("models = %+v, %v, want two", page, err)
		}
	})
	t.Run("its typed errors", func(t *testing.T) {
		unknown := params
		unknown.Model = "nope"
		wrong := client("bad")
		_, noKey := wrong.Chat.Completions.New(t.Context(), params)
		_, noModel := good.Chat.Completions.New(t.Context(), unknown)
		w.configure(simulator.OpenAI, simulator.Behaviour{FailRate: 1, FailStatus: new(429)})
		_, limited := good.Chat.Completions.New(t.Context(), params)
		for want, err := range map[int]error{401: noKey, 404: noModel, 429: limited} {
			if api, ok := errors.AsType[*openai.Error](err); !ok || api.StatusCode != want || api.Code == "" {
				t.Errorf("error = %v, want %d with a code", err, want)
			}
		}
	})
}
