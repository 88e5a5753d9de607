package responses_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// simulated starts a vendor that refuses what the vendor refuses: thoughts that nothing follows or that were altered, calls without results.
func simulated(t *testing.T) (*responses.Provider, outbound.Target) {
	t.Helper()
	sim, err := simulator.New(simulator.Config{Models: map[string][]string{simulator.OpenAI: {"gpt-5-mini"}}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := client(t)
	t.Cleanup(func() {
		c.CloseIdleConnections()
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	return responses.New(c, responses.Flavour{}), outbound.Target{
		Provider: "openai", Model: "gpt-5-mini", BaseURL: run.BaseURL(simulator.OpenAI), Secret: secret.New("sk-test-0123456789"),
	}
}

const turnsOfTools = 8

func TestAnAgentGoesOn(t *testing.T) {
	p, to := simulated(t)
	r := turns(chat.Text(chat.RoleSystem, "Be brief."), chat.Text(chat.RoleUser, fmt.Sprintf("[sim:agent=%d,thinking] go", turnsOfTools)))
	r.Tools = []chat.Tool{{Name: "f", Schema: []byte(`{"type":"object","properties":{"q":{"type":"string"}}}`)}, {Name: "g"}}
	r.Thinking = chat.Thinking{Effort: "low", Show: true}
	thoughts, called := 0, 0
	for range turnsOfTools + 3 {
		stream, err := p.Stream(t.Context(), to, r)
		if err != nil {
			t.Fatalf("after %d turns of tools: %v", called, err)
		}
		var g chat.Gatherer
		for c, err := range stream {
			if err != nil {
				t.Fatal(err)
			}
			g.Add(c)
		}
		said := g.Response().First()
		results := chat.Message{Role: chat.RoleTool}
		for i := range said.Parts {
			switch p := &said.Parts[i]; p.Kind {
			case chat.PartThinking:
				thoughts++
			case chat.PartToolCall:
				results.Parts = append(results.Parts, chat.Result(p.Call.ID, "result of "+p.Call.Name).Parts...)
			}
		}
		if len(results.Parts) == 0 {
			if said.Finish != chat.FinishStop || said.Text() == "" {
				t.Errorf("got the finish %s and %q", said.Finish, said.Text())
			}
			break
		}
		called++
		r.Messages = append(r.Messages, chat.Message{Role: chat.RoleAssistant, Parts: said.Parts}, results)
	}
	if called != turnsOfTools || thoughts == 0 {
		t.Errorf("got %d turns of tools and %d thoughts, want %d turns, and thoughts", called, thoughts, turnsOfTools)
	}
}

func TestARelayedAgentGoesOn(t *testing.T) {
	p, to := simulated(t)
	input := []json.RawMessage{json.RawMessage(fmt.Sprintf(`{"role":"user","content":"[sim:agent=%d,thinking] go"}`, turnsOfTools))}
	called := 0
	for range turnsOfTools + 3 {
		items, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		body := `{"model":"auto","store":true,"reasoning":{"effort":"low"},"input":` + string(items) + `,"tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"function","name":"g"}]}`
		out, err := p.RelayWhole(t.Context(), to, outbound.Passage{Body: []byte(body)})
		if err != nil {
			t.Fatalf("after %d turns of tools: %v", called, err)
		}
		if len(out.Dropped) > 0 {
			t.Errorf("got %q dropped", out.Dropped)
		}
		var answer struct {
			Output []json.RawMessage `json:"output"`
		}
		if err := json.Unmarshal(out.Body, &answer); err != nil {
			t.Fatal(err)
		}
		input = append(input, answer.Output...)
		if out.Finish != chat.FinishToolCalls {
			break
		}
		called++
		for _, item := range answer.Output {
			var call struct {
				Type string `json:"type"`
				ID   string `json:"call_id"`
			}
			if json.Unmarshal(item, &call) == nil && call.Type == "function_call" {
				input = append(input, json.RawMessage(`{"type":"function_call_output","call_id":"`+call.ID+`","output":"ok"}`))
			}
		}
	}
	if called != turnsOfTools {
		t.Errorf("got %d turns of tools, want %d", called, turnsOfTools)
	}
	// A client that does not keep what was sealed loses the thoughts, and goes on all the same.
	items, err := json.Marshal(append(input, json.RawMessage(`{"role":"user","content":"thanks"}`)))
	if err != nil {
		t.Fatal(err)
	}
	forgotten := strings.ReplaceAll(string(items), `"encrypted_content":`, `"forgotten":`)
	out, err := p.RelayWhole(t.Context(), to, outbound.Passage{Body: []byte(`{"model":"auto","input":` + forgotten + `}`)})
	if err != nil || len(out.Dropped) != 1 {
		t.Errorf("without what was sealed: got %+v and %v, want an answer, and what was left out named", out, err)
	}
}
