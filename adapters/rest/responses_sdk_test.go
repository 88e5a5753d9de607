package rest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// official is OpenAI's own client, with nothing changed but where it goes and with what key.
func (w *world) official() responses.ResponseService {
	return openai.NewClient(option.WithAPIKey(aiKey), option.WithBaseURL("http://"+w.addr+"/v1"), option.WithHTTPClient(w.client), option.WithMaxRetries(0)).Responses
}

func TestOpenAIsClientReadsWholeResponses(t *testing.T) {
	w := start(t)
	w.foreign(&chat.Response{Choices: []chat.Choice{{Finish: chat.FinishToolCalls, Parts: []chat.Part{
		{Kind: chat.PartThinking, Text: "so", Signature: &chat.Signature{Format: chat.FormatAnthropic, Data: "sig"}},
		{Text: "Hello.", Citations: []chat.Citation{{URL: "https://x", Title: "X"}}},
		calling("c1", "add", `{"a":1}`), calling("c2", "say", `{"input":"a text"}`),
	}}}})
	sdk := w.official()
	got, err := sdk.New(t.Context(), responses.ResponseNewParams{
		Model: "auto", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")}, Metadata: map[string]string{"a": "b"},
		Tools: []responses.ToolUnionParam{
			{OfFunction: &responses.FunctionToolParam{Name: "add", Parameters: map[string]any{"type": "object"}}}, {OfCustom: &responses.CustomToolParam{Name: "say"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, item := range got.Output {
		kinds = append(kinds, item.Type)
	}
	if d := cmp.Diff([]string{"reasoning", "message", "function_call", "custom_tool_call"}, kinds); d != "" {
		t.Error(d)
	}
	if got.OutputText() != "Hello." || got.Output[2].AsFunctionCall().CallID != "c1" || got.Output[3].AsCustomToolCall().Input != "a text" || got.Usage.InputTokens != 10 || got.Metadata["a"] != "b" {
		t.Errorf("got %s", got.RawJSON())
	}
	again, err := sdk.Get(t.Context(), got.ID, responses.ResponseGetParams{})
	if err != nil || again.RawJSON() != got.RawJSON() {
		t.Errorf("later: %v, %s", err, again.RawJSON())
	}
	n := 0
	items := sdk.InputItems.ListAutoPaging(t.Context(), got.ID, responses.InputItemListParams{Limit: openai.Int(1)})
	for items.Next() {
		n++
		if m := items.Current().AsMessage(); m.Role != "user" || m.Content[0].AsInputText().Text != "hi" {
			t.Errorf("got %s", items.Current().RawJSON())
		}
	}
	if err := items.Err(); err != nil || n != 1 {
		t.Errorf("%d items, %v", n, err)
	}
	if err := sdk.Delete(t.Context(), got.ID); err != nil {
		t.Error(err)
	}
	var failed *openai.Error
	if _, err := sdk.Get(t.Context(), got.ID, responses.ResponseGetParams{}); !errors.As(err, &failed) || failed.StatusCode != http.StatusNotFound {
		t.Errorf("got %v", err)
	}
}

func TestOpenAIsClientReadsStreamedResponses(t *testing.T) {
	w := start(t)
	sdk := w.official()
	ask := responses.ResponseNewParams{
		Model: "auto", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")},
		Tools: []responses.ToolUnionParam{{OfCustom: &responses.CustomToolParam{Name: "say"}}},
	}
	for name, chunks := range respSaid {
		t.Run(name, func(t *testing.T) {
			w.streams(chunks)
			stream := sdk.NewStreaming(t.Context(), ask)
			said, want := "", ""
			var last responses.ResponseStreamEventUnion
			for stream.Next() {
				if last = stream.Current(); last.Type == "response.output_text.delta" {
					said += last.AsResponseOutputTextDelta().Delta
				}
			}
			for _, c := range chunks {
				if c.Choice == 0 {
					want += c.Text
				}
			}
			if err := stream.Err(); err != nil || said != want || last.Response.OutputText() != want {
				t.Errorf("%v: got %q and %q, want %q", err, said, last.Response.OutputText(), want)
			}
		})
	}
	w.models.stream = func(context.Context, inbound.Call) (inbound.StreamAnswer, error) {
		return streamFrom(false, func(yield func(inbound.Piece, error) bool) {
			_ = yield(chunks("x")[0], nil) && yield(inbound.Piece{}, fault.New(fault.Upstream, "provider_error", "no provider could answer"))
		}), nil
	}
	stream := sdk.NewStreaming(t.Context(), ask)
	for stream.Next() {
	}
	if stream.Err() == nil {
		t.Error("a stream that broke ended well")
	}
}
