package simulator_test

import (
	"errors"
	"fmt"
	"testing"

	"google.golang.org/genai"

	"github.com/forge1/forge1/adapters/simulator"
)

func (w *world) genai(t *testing.T, key string) *genai.Client {
	t.Helper()
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI, HTTPClient: w.client, HTTPOptions: genai.HTTPOptions{BaseURL: w.run.BaseURL(simulator.Gemini)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var geminiNames = map[string][]string{simulator.Gemini: {"gemini-2.5-flash", "gemini-3-pro-preview", "gemini-embedding-001"}}

func TestAnAgentWorksThroughGemini(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: geminiNames})
	client := w.genai(t, "sk-test")
	for _, model := range []string{"gemini-2.5-flash", "gemini-3-pro-preview"} {
		t.Run(model, func(t *testing.T) {
			contents := []*genai.Content{genai.NewContentFromText(fmt.Sprintf("[sim:agent=%d] mend it", agentTurns), genai.RoleUser)}
			config := &genai.GenerateContentConfig{
				Tools:          []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "look", ParametersJsonSchema: lookSchema}}}},
				ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true},
			}
			var results []string
			thoughts := 0
			for range agentTurns + 1 {
				said := &genai.Content{Role: genai.RoleModel}
				for chunk, err := range client.Models.GenerateContentStream(t.Context(), model, contents, config) {
					if err != nil {
						t.Fatalf("turn after %d results: %v", len(results), err)
					}
					said.Parts = append(said.Parts, chunk.Candidates[0].Content.Parts...)
				}
				contents = append(contents, said)
				back, text := &genai.Content{Role: genai.RoleUser}, ""
				for _, p := range said.Parts {
					switch {
					case p.Thought:
						thoughts++
					case p.FunctionCall != nil:
						results = append(results, worked(len(results), fmt.Sprint(p.FunctionCall.Args)))
						back.Parts = append(back.Parts, genai.NewPartFromFunctionResponse(p.FunctionCall.Name, map[string]any{"output": results[len(results)-1]}))
					default:
						text += p.Text
					}
				}
				if len(back.Parts) == 0 {
					if want := simulator.Proof(results...); text != want {
						t.Errorf("answer = %q, want %q", text, want)
					}
					break
				}
				contents = append(contents, back)
			}
			if len(results) != agentTurns*3/2 || thoughts <= agentTurns {
				t.Errorf("%d results, %d pieces of thought, want %d and more than %d", len(results), thoughts, agentTurns*3/2, agentTurns)
			}
		})
	}
}

func TestTheOfficialGeminiClientIsServed(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{Models: geminiNames})
	client := w.genai(t, "sk-test")
	ask := func(text string, config *genai.GenerateContentConfig) (*genai.GenerateContentResponse, error) {
		return client.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genai.Text(text), config)
	}
	t.Run("thoughts and their tokens", func(t *testing.T) {
		got, err := ask("[sim:say=four] why", &genai.GenerateContentConfig{ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true}})
		if err != nil {
			t.Fatal(err)
		}
		parts, u := got.Candidates[0].Content.Parts, got.UsageMetadata
		if len(parts) != 2 || !parts[0].Thought || parts[1].Text != "four" || len(parts[1].ThoughtSignature) == 0 {
			t.Errorf("parts = %+v, want a thought and signed words", parts)
		}
		if u.ThoughtsTokenCount == 0 || u.CandidatesTokenCount != 1 || u.TotalTokenCount != u.PromptTokenCount+u.CandidatesTokenCount+u.ThoughtsTokenCount {
			t.Errorf("usage = %+v, want thoughts beside one token of words", u)
		}
	})
	t.Run("candidates", func(t *testing.T) {
		got, err := ask("hello", &genai.GenerateContentConfig{CandidateCount: 2})
		if err != nil || len(got.Candidates) != 2 || got.Candidates[1].Index != 1 || got.Candidates[0].Content.Parts[0].Text == got.Candidates[1].Content.Parts[0].Text {
			t.Errorf("answer = %+v, %v, want two that differ", got, err)
		}
	})
	t.Run("a blocked prompt", func(t *testing.T) {
		got, err := ask("[sim:filter]", nil)
		if err != nil || len(got.Candidates) != 0 || got.PromptFeedback == nil {
			t.Errorf("answer = %+v, %v, want no candidate and why", got, err)
		}
	})
	t.Run("a refusal", func(t *testing.T) {
		got, err := ask("[sim:refuse]", nil)
		if err != nil || got.Candidates[0].FinishReason != genai.FinishReasonSafety {
			t.Errorf("answer = %+v, %v, want SAFETY", got, err)
		}
	})
	t.Run("grounding", func(t *testing.T) {
		got, err := ask("[sim:cite=2,say=found in two places]", &genai.GenerateContentConfig{Tools: []*genai.Tool{{GoogleSearch: &genai.GoogleSearch{}}}})
		if err != nil || got.Candidates[0].GroundingMetadata == nil || len(got.Candidates[0].GroundingMetadata.GroundingSupports) != 2 {
			t.Errorf("answer = %+v, %v, want two supports", got, err)
		}
	})
	t.Run("likelihoods", func(t *testing.T) {
		got, err := ask("[sim:say=one two three four five]", &genai.GenerateContentConfig{ResponseLogprobs: true, Logprobs: genai.Ptr[int32](2)})
		if err != nil || got.Candidates[0].LogprobsResult == nil || len(got.Candidates[0].LogprobsResult.TopCandidates[0].Candidates) != 2 {
			t.Errorf("answer = %+v, %v, want two likely tokens", got, err)
		}
	})
	t.Run("a count", func(t *testing.T) {
		got, err := client.Models.CountTokens(t.Context(), "gemini-2.5-flash", genai.Text("eightyone"), nil)
		if err != nil || got.TotalTokens != 3 {
			t.Errorf("count = %+v, %v, want 3", got, err)
		}
	})
	t.Run("embeddings", func(t *testing.T) {
		contents := []*genai.Content{genai.NewContentFromText("one", ""), genai.NewContentFromText("two", "")}
		got, err := client.Models.EmbedContent(t.Context(), "gemini-embedding-001", contents, &genai.EmbedContentConfig{OutputDimensionality: genai.Ptr[int32](8)})
		if err != nil || len(got.Embeddings) != 2 || len(got.Embeddings[0].Values) != 8 || got.Embeddings[0].Values[0] == got.Embeddings[1].Values[0] {
			t.Errorf("embeddings = %+v, %v, want two of eight numbers", got, err)
		}
	})
	t.Run("the models", func(t *testing.T) {
		n := 0
		for m, err := range client.Models.All(t.Context()) {
			if err != nil || m.Name == "" {
				t.Fatalf("models: %+v, %v", m, err)
			}
			n++
		}
		if m, err := client.Models.Get(t.Context(), "gemini-2.5-flash", nil); err != nil || m.Name != "models/gemini-2.5-flash" || n != 3 {
			t.Errorf("model = %+v, %v, of %d", m, err, n)
		}
	})
	t.Run("its errors", func(t *testing.T) {
		_, noModel := client.Models.GenerateContent(t.Context(), "nope", genai.Text("x"), nil)
		_, noKey := w.genai(t, "bad").Models.GenerateContent(t.Context(), "gemini-2.5-flash", genai.Text("x"), nil)
		for want, err := range map[int]error{404: noModel, 400: noKey} {
			if api, ok := errors.AsType[genai.APIError](err); !ok || api.Code != want {
				t.Errorf("error = %v, want %d", err, want)
			}
		}
	})
}
