package simulator_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/forge1/forge1/adapters/simulator"
)

func (w *world) anthropic(key string) anthropic.Client {
	return anthropic.NewClient(option.WithAPIKey(key), option.WithBaseURL(w.run.BaseURL(simulator.Anthropic)), option.WithHTTPClient(w.client), option.WithMaxRetries(0))
}

func claudeTool() []anthropic.ToolUnionParam {
	return []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "look", InputSchema: anthropic.ToolInputSchemaParam{Properties: lookSchema["properties"]}}}}
}

func TestAnAgentWorksThroughMessages(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	client := w.anthropic("sk-test")
	for name, thinks := range map[string]string{"without thinking": "", "with thinking": "thinking", "with thinking that is not shown": "redacted"} {
		t.Run(name, func(t *testing.T) {
			params := anthropic.MessageNewParams{
				Model: "claude-sonnet-4-5", MaxTokens: 4000, Tools: claudeTool(),
				Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(fmt.Sprintf("[sim:agent=%d] mend it", agentTurns)))},
			}
			if thinks != "" {
				params.Thinking = anthropic.ThinkingConfigParamOfEnabled(2000)
				params.Messages[0].Content[0].OfText.Text = fmt.Sprintf("[sim:agent=%d,%s] mend it", agentTurns, thinks)
			}
			var results []string
			thoughts := 0
			for range agentTurns + 1 {
				stream := client.Messages.NewStreaming(t.Context(), params)
				var answer anthropic.Message
				for stream.Next() {
					if err := answer.Accumulate(stream.Current()); err != nil {
						t.Fatal(err)
					}
				}
				if err := stream.Err(); err != nil {
					t.Fatalf("turn after %d results: %v", len(results), err)
				}
				params.Messages = append(params.Messages, answer.ToParam())
				var back []anthropic.ContentBlockParamUnion
				said := ""
				for _, block := range answer.Content {
					switch block := block.AsAny().(type) {
					case anthropic.ThinkingBlock, anthropic.RedactedThinkingBlock:
						thoughts++
					case anthropic.TextBlock:
						said += block.Text
					case anthropic.ToolUseBlock:
						results = append(results, worked(len(results), string(block.Input)))
						back = append(back, anthropic.NewToolResultBlock(block.ID, results[len(results)-1], false))
					}
				}
				if len(back) == 0 {
					if want := simulator.Proof(results...); said != want || answer.StopReason != anthropic.StopReasonEndTurn {
						t.Errorf("answer = %q, %s, want %q", said, answer.StopReason, want)
					}
					break
				}
				back = append(back, anthropic.NewTextBlock("A reminder is no new task."))
				params.Messages = append(params.Messages, anthropic.NewUserMessage(back...))
			}
			if want := map[bool]int{true: agentTurns + 1}[thinks != ""]; len(results) != agentTurns*3/2 || thoughts != want {
				t.Errorf("%d results, %d thoughts, want %d and %d", len(results), thoughts, agentTurns*3/2, want)
			}
		})
	}
}

func TestTheOfficialAnthropicClientIsServed(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	client := w.anthropic("sk-test")
	ask := func(text string) anthropic.MessageNewParams {
		return anthropic.MessageNewParams{
			Model: "claude-sonnet-4-5", MaxTokens: 4000, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
		}
	}
	t.Run("a search with its citations", func(t *testing.T) {
		params := ask("[sim:search,cite=2,say=found it in two places]")
		stream := client.Messages.NewStreaming(t.Context(), params)
		var streamed anthropic.Message
		for stream.Next() {
			if err := streamed.Accumulate(stream.Current()); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := client.Messages.New(t.Context(), params)
		if err != nil || stream.Err() != nil {
			t.Fatal(err, stream.Err())
		}
		for name, m := range map[string]anthropic.Message{"whole": *whole, "streamed": streamed} {
			if len(m.Content) != 3 || m.Content[0].Type != "server_tool_use" || m.Content[1].Type != "web_search_tool_result" || len(m.Content[2].Citations) != 2 {
				t.Errorf("%s = %+v, want a search, its result and words with two citations", name, m.Content)
			}
		}
	})
	t.Run("a refusal", func(t *testing.T) {
		m, err := client.Messages.New(t.Context(), ask("[sim:refuse]"))
		if err != nil || m.StopReason != anthropic.StopReasonRefusal || len(m.Content) != 0 {
			t.Errorf("answer = %+v, %v, want a refusal", m, err)
		}
	})
	t.Run("a stop sequence", func(t *testing.T) {
		params := ask("[sim:say=one, two, three]")
		params.StopSequences = []string{", three"}
		m, err := client.Messages.New(t.Context(), params)
		if err != nil || m.StopReason != anthropic.StopReasonStopSequence || m.StopSequence != ", three" || m.Content[0].Text != "one, two" {
			t.Errorf("answer = %+v, %v, want it to stop", m, err)
		}
	})
	t.Run("a prompt that is kept", func(t *testing.T) {
		params := ask("short")
		params.System = []anthropic.TextBlockParam{{Text: "You are a long system prompt, of 64 bytes exactly, as it happens", CacheControl: anthropic.NewCacheControlEphemeralParam()}}
		for i, want := range [][2]int64{{16, 0}, {0, 16}} {
			m, err := client.Messages.New(t.Context(), params)
			if err != nil || m.Usage.CacheCreationInputTokens != want[0] || m.Usage.CacheReadInputTokens != want[1] || m.Usage.InputTokens != 2 {
				t.Errorf("call %d = %+v, %v, want %v written and read, and 2 tokens more", i, m.Usage, err, want)
			}
		}
	})
	t.Run("a count", func(t *testing.T) {
		n, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: "claude-sonnet-4-5", Messages: ask("eightyone").Messages})
		if err != nil || n.InputTokens != 3 {
			t.Errorf("count = %+v, %v, want 3", n, err)
		}
	})
	t.Run("the models", func(t *testing.T) {
		page, err := client.Models.List(t.Context(), anthropic.ModelListParams{})
		if err != nil || len(page.Data) != 1 || page.Data[0].ID != "claude-sonnet-4-5" {
			t.Errorf("models = %+v, %v", page, err)
		}
		if m, err := client.Models.Get(t.Context(), "claude-sonnet-4-5", anthropic.ModelGetParams{}); err != nil || m.ID != "claude-sonnet-4-5" {
			t.Errorf("model = %+v, %v", m, err)
		}
	})
	t.Run("its typed errors", func(t *testing.T) {
		wrong := w.anthropic("bad")
		_, noKey := wrong.Messages.New(t.Context(), ask("x"))
		unknown := ask("x")
		unknown.Model = "claude-nope"
		_, noModel := client.Messages.New(t.Context(), unknown)
		for want, err := range map[int]error{401: noKey, 404: noModel} {
			if api, ok := errors.AsType[*anthropic.Error](err); !ok || api.StatusCode != want || api.RequestID == "" {
				t.Errorf("error = %v, want %d with its request", err, want)
			}
		}
	})
	t.Run("an error in the middle of a stream", func(t *testing.T) {
		stream := client.Messages.NewStreaming(t.Context(), ask("[sim:error]"))
		events := 0
		for stream.Next() {
			events++
		}
		if stream.Err() == nil || events < 2 {
			t.Errorf("%d events, then %v, want an error after some", events, stream.Err())
		}
	})
}
