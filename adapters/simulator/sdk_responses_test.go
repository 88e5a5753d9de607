package simulator_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/forge1/forge1/adapters/simulator"
)

// agentTurns is how long a coding agent works in the tests.
const agentTurns = 20

// lookSchema is what the tests' tool takes.
var lookSchema = map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}}

// worked is what a tool gives to the arguments of its nth call.
func worked(n int, args string) string { return fmt.Sprintf("result %d of %s", n, args) }

func (w *world) openai(vendor string) openai.Client {
	return openai.NewClient(option.WithAPIKey("sk-test"), option.WithBaseURL(w.run.BaseURL(vendor)), option.WithHTTPClient(w.client), option.WithMaxRetries(0))
}

func TestTheOfficialClientStreamsResponses(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	client := w.openai(simulator.OpenAI)
	for name, c := range map[string]struct {
		ask  string
		want []string
	}{
		"words": {"[sim:say=one two three four]", []string{
			"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
			"response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
		}},
		"a tool call after reasoning": {"[sim:thinking,tools=1,noargs]", []string{
			"response.created", "response.in_progress", "response.output_item.added", "response.reasoning_summary_part.added",
			"response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.output_item.done",
			"response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
			"response.completed",
		}},
		"a refusal": {"[sim:refuse]", []string{
			"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.refusal.delta",
			"response.refusal.done", "response.content_part.done", "response.output_item.done", "response.completed",
		}},
		"a search with its citation": {"[sim:search,say=found]", []string{
			"response.created", "response.in_progress", "response.output_item.added", "response.web_search_call.in_progress", "response.web_search_call.searching",
			"response.web_search_call.completed", "response.output_item.done", "response.output_item.added", "response.content_part.added",
			"response.output_text.delta", "response.output_text.annotation.added", "response.output_text.done", "response.content_part.done",
			"response.output_item.done", "response.completed",
		}},
		"truncated": {"[sim:length,say=one two three]", []string{
			"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
			"response.output_text.done", "response.content_part.done", "response.output_item.done", "response.incomplete",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{
				Model: "gpt-5-mini", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(c.ask)}, Tools: lookTool(),
			})
			var kinds []string
			for stream.Next() {
				e := stream.Current()
				if got := int(e.SequenceNumber); got < len(kinds) {
					t.Errorf("%s has number %d", e.Type, got)
				}
				if again := len(kinds) > 0 && kinds[len(kinds)-1] == e.Type; !again || name == "words" && e.Type == "response.output_text.delta" {
					kinds = append(kinds, e.Type)
				}
				if tier := e.Response.ServiceTier; e.Type == "response.created" && tier != "auto" || e.Type == "response.completed" && tier != "default" {
					t.Errorf("%s has tier %s", e.Type, tier)
				}
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(kinds, c.want) {
				t.Errorf("events = %v\nwant %v", kinds, c.want)
			}
		})
	}
}

func lookTool() []responses.ToolUnionParam {
	return []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{Name: "look", Parameters: lookSchema}}}
}

// asInput is an item of the output as the next request gives it back.
func asInput(item responses.ResponseOutputItemUnion) responses.ResponseInputItemUnionParam {
	return param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON()))
}

func TestAnAgentWorksThroughResponses(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	client := w.openai(simulator.OpenAI)
	items := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(fmt.Sprintf("[sim:agent=%d] mend it", agentTurns), "user")}
	var results []string
	thought, widest := 0, 0
	for range agentTurns + 1 {
		stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{
			Model: "gpt-5-mini", Input: responses.ResponseNewParamsInputUnion{OfInputItemList: items}, Tools: lookTool(), Store: openai.Bool(false),
			Include:   []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent},
			Reasoning: shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto},
		})
		var answer responses.Response
		for stream.Next() {
			if e := stream.Current(); e.Type == "response.completed" {
				answer = e.Response
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatalf("turn after %d results: %v", len(results), err)
		}
		calls := 0
		var outputs responses.ResponseInputParam
		for _, item := range answer.Output {
			items = append(items, asInput(item))
			switch item := item.AsAny().(type) {
			case responses.ResponseReasoningItem:
				thought++
			case responses.ResponseFunctionToolCall:
				calls++
				results = append(results, worked(len(results), item.Arguments))
				output := responses.ResponseInputItemParamOfFunctionCallOutput(results[len(results)-1])
				output.OfFunctionCallOutput.CallID = openai.String(item.CallID)
				outputs = append(outputs, output)
			}
		}
		widest = max(widest, calls)
		if calls == 0 {
			if got, want := answer.OutputText(), simulator.Proof(results...); got != want {
				t.Errorf("answer = %q, want %q", got, want)
			}
			break
		}
		items = append(items, outputs...)
	}
	if len(results) != agentTurns*3/2 || widest != 2 || thought != agentTurns+1 {
		t.Errorf("%d results, at most %d at once, %d thoughts; want %d, 2, %d", len(results), widest, thought, agentTurns*3/2, agentTurns+1)
	}
}

func TestResponsesAreKeptUnlessTheyAreNotToBe(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	client := w.openai(simulator.OpenAI)
	ask := func(text string, previous param.Opt[string], store bool) (*responses.Response, error) {
		return client.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: "gpt-5-mini", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}, PreviousResponseID: previous, Store: openai.Bool(store),
		})
	}
	first, err := ask("[sim:say=one]", param.Opt[string]{}, true)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ask("[sim:say=two]", openai.String(first.ID), false)
	if err != nil {
		t.Fatal(err)
	}
	if second.PreviousResponseID != first.ID || second.OutputText() != "two" || second.Usage.InputTokens <= first.Usage.InputTokens {
		t.Errorf("second = %+v, want it to go on from %s", second, first.ID)
	}
	if read, err := client.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{}); err != nil || read.OutputText() != "one" {
		t.Errorf("Get = %v, %v, want the first", read, err)
	}
	if _, err := ask("three", openai.String(second.ID), true); err == nil {
		t.Error("a response that was not to be kept is gone on from")
	}
	if err := client.Responses.Delete(t.Context(), first.ID); err != nil {
		t.Errorf("Delete = %v", err)
	}
	if _, err := client.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{}); err == nil {
		t.Error("a deleted response is read")
	}
}
