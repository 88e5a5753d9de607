package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/harness"
)

// thinkers has one model of every vendor that thinks and calls tools. That of OpenRouter is Anthropic's, whose signatures hold wherever it is served.
var thinkers = []string{"openai/gpt-5-mini", "claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/anthropic/claude-sonnet-4.5"}

// respAgent works through the responses API by the official client, streamed.
type respAgent struct {
	client  *openai.Client
	stored  bool                         // it goes on from the response before; else it sends everything again
	model   func(turn int) string        // that answers a turn
	input   responses.ResponseInputParam // of the next turn
	before  param.Opt[string]            // the response before
	results []string
}

func lookAtCity() []responses.ToolUnionParam {
	schema := map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}}
	return []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{Name: "look", Parameters: schema}}}
}

// turn asks once, and answers the calls that come. It reports whether there were none.
func (a *respAgent) turn(t *testing.T, n int) (answer responses.Response, done bool) {
	t.Helper()
	stream := a.client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{
		Model: a.model(n), Input: responses.ResponseNewParamsInputUnion{OfInputItemList: a.input}, Tools: lookAtCity(), Store: openai.Bool(a.stored),
		PreviousResponseID: a.before, Reasoning: shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto},
	})
	for stream.Next() {
		if e := stream.Current(); e.Type == "response.completed" {
			answer = e.Response
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatalf("turn %d at %s, after %d results: %v", n, a.model(n), len(a.results), err)
	}
	var outputs responses.ResponseInputParam
	for _, item := range answer.Output {
		if !a.stored {
			a.input = append(a.input, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
		}
		if call := item.AsFunctionCall(); item.Type == "function_call" {
			a.results = append(a.results, fmt.Sprintf("result %d of %s", len(a.results), call.Arguments))
			output := responses.ResponseInputItemParamOfFunctionCallOutput(a.results[len(a.results)-1])
			output.OfFunctionCallOutput.CallID = openai.String(call.CallID)
			outputs = append(outputs, output)
		}
	}
	if a.stored {
		a.before, a.input = openai.String(answer.ID), nil
	}
	a.input = append(a.input, outputs...)
	return answer, len(outputs) == 0
}

func TestAnAgentGoesOnThroughResponsesWhicheverVendorAnswers(t *testing.T) {
	f := harness.New(t, harness.Options{})
	const turns = 20
	models := map[string]func(int) string{"each turn at another": func(n int) string { return thinkers[n%len(thinkers)] }}
	for _, m := range thinkers {
		models[m] = func(int) string { return m }
	}
	for name, model := range models {
		for _, stored := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, kept: %t", name, stored), func(t *testing.T) {
				a := respAgent{client: sdk(f, f.Key), stored: stored, model: model, input: responses.ResponseInputParam{
					responses.ResponseInputItemParamOfMessage(fmt.Sprintf("[sim:agent=%d] mend it", turns), "user"),
				}}
				for n := 0; n <= turns; n++ {
					answer, done := a.turn(t, n)
					if !done {
						continue
					}
					if got, want := answer.OutputText(), simulator.Proof(a.results...); got != want || n != turns {
						t.Errorf("after %d turns and %d results: got %q, want %q", n, len(a.results), got, want)
					}
					return
				}
				t.Errorf("it is not done after %d turns", turns)
			})
		}
	}
}

func TestAResponseIsKeptForItsTenant(t *testing.T) {
	f := harness.New(t, harness.Options{})
	client := sdk(f, f.Key)
	for _, model := range thinkers {
		t.Run(model, func(t *testing.T) {
			ask := func(text string, before param.Opt[string], store bool) (*responses.Response, error) {
				return client.Responses.New(t.Context(), responses.ResponseNewParams{
					Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}, PreviousResponseID: before, Store: openai.Bool(store),
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
				t.Errorf("got %s, want it to go on from %s", second.RawJSON(), first.RawJSON())
			}
			if read, err := client.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{}); err != nil || read.OutputText() != "one" {
				t.Errorf("got %v, %v", read, err)
			}
			var failed *openai.Error
			if _, err := ask("three", openai.String(second.ID), true); !errors.As(err, &failed) || failed.StatusCode != http.StatusNotFound {
				t.Errorf("one that was not to be kept is gone on from: %v", err)
			}
			if err := client.Responses.Delete(t.Context(), first.ID); err != nil {
				t.Error(err)
			}
			if _, err := client.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{}); !errors.As(err, &failed) || failed.StatusCode != http.StatusNotFound {
				t.Errorf("one that was removed is there: %v", err)
			}
		})
	}
}
