package anthropic_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// simulated is a vendor that refuses what the real one refuses.
func simulated(t *testing.T) (outbound.Abilities, func(model string) outbound.Target) {
	t.Helper()
	sim, err := simulator.New(simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	return anthropic.Vendor.New(server.Client()), func(model string) outbound.Target {
		return outbound.Target{Provider: "claude", Model: model, Secret: secret.New("sk-ant-test"), BaseURL: server.URL + "/anthropic"}
	}
}

var look = chat.Tool{Name: "look", Schema: []byte(`{"type":"object","properties":{"at":{"type":"string"}},"required":["at"]}`)}

// ask takes an answer, whole or streamed.
func ask(t *testing.T, p outbound.Provider, to outbound.Target, r *chat.Request, streamed bool) *chat.Response {
	t.Helper()
	if !streamed {
		a, err := p.Complete(t.Context(), to, r)
		if err != nil {
			t.Fatalf("%v: %s", err, told(err))
		}
		return a
	}
	s, err := p.Stream(t.Context(), to, r)
	if err != nil {
		t.Fatalf("%v: %s", err, told(err))
	}
	var g chat.Gatherer
	for c, err := range s {
		if err != nil {
			t.Fatal(err)
		}
		g.Add(c)
	}
	return g.Response()
}

func told(err error) string {
	if f, ok := errors.AsType[*chat.Failure](err); ok {
		return f.Message
	}
	return ""
}

// TestAnAgentGoesThroughItsTurns calls tools for many turns, of which another vendor made some, and wants the vendor to take all of it back.
func TestAnAgentGoesThroughItsTurns(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"claude-haiku-4-5", "claude-opus-4-5", "claude-sonnet-4-6", "claude-opus-4-8", "claude-sonnet-5"} {
		for _, mode := range []string{"whole", "streamed", "with another vendor's turns"} {
			t.Run(model+" "+mode, func(t *testing.T) {
				t.Parallel()
				a, target := simulated(t)
				r := talk(system("Be brief."), user("Look around. [sim:agent=8,preface]"))
				r.Tools, r.Thinking = []chat.Tool{look}, chat.Thinking{Effort: "high", Show: true}
				r.Messages[0].Parts[0].Cache = chat.Cache1h
				var proof []string
				thoughts := 0
				for turn := range 30 {
					answer := ask(t, a.Provider, target(model), r, mode == "streamed")
					parts := answer.First().Parts
					if answer.First().Finish != chat.FinishToolCalls {
						if got, want := answer.First().Text(), simulator.Proof(proof...); !strings.Contains(got, want) {
							t.Fatalf("got %q, want the proof %q", got, want)
						}
						if thoughts == 0 {
							t.Error("it never thought")
						}
						return
					}
					for _, p := range parts {
						if p.Kind == chat.PartThinking {
							thoughts++
						}
					}
					if strings.HasPrefix(mode, "with") && turn%3 == 1 {
						parts = anotherVendors(parts)
					}
					r.Messages = append(r.Messages, chat.Message{Role: chat.RoleAssistant, Parts: parts})
					for i, c := range (&chat.Choice{Parts: parts}).Calls() {
						text := fmt.Sprintf("result %d of turn %d", i, turn)
						proof = append(proof, text)
						r.Messages = append(r.Messages, chat.Result(c.ID, text))
					}
				}
				t.Fatal("it never came to an end")
			})
		}
	}
}

// anotherVendors makes a turn one that another vendor could have made: thoughts of its own, ids that this vendor refuses.
func anotherVendors(parts []chat.Part) []chat.Part {
	out := []chat.Part{{Kind: chat.PartThinking, Text: "Hm.", Signature: &chat.Signature{Format: chat.FormatGemini, Data: "g"}}}
	for i, p := range parts {
		switch p.Kind {
		case chat.PartToolCall:
			call := *p.Call
			call.ID = fmt.Sprintf("functions.look:%d", i) // the same in every turn, as some vendors have it
			out = append(out, chat.Part{Kind: chat.PartToolCall, Call: &call})
		case chat.PartThinking:
		default:
			out = append(out, p)
		}
	}
	return out
}

func TestTheVendorTakesWhatIsSent(t *testing.T) {
	t.Parallel()
	a, target := simulated(t)
	const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	tests := map[string]struct {
		request *chat.Request
		want    func(*chat.Response) bool
	}{
		"redacted thoughts, sent back": {talk(user("[sim:redacted]")), func(r *chat.Response) bool { return r.First().Parts[0].Redacted }},
		"a search and what it cites": {asks(func(r *chat.Request) {
			r.Messages, r.Tools = []chat.Message{user("[sim:search,cite=2]")}, []chat.Tool{{Server: chat.ServerWebSearch}}
		}), func(r *chat.Response) bool {
			for _, p := range r.First().Parts {
				if len(p.Citations) > 0 {
					return true
				}
			}
			return false
		}},
		"a pause": {talk(user("[sim:pause]")), func(r *chat.Response) bool { return r.First().Finish == chat.FinishPause }},
		"a refusal": {talk(user("[sim:refuse]")), func(r *chat.Response) bool {
			return r.First().Refusal() != "" && r.First().Finish == chat.FinishContentFilter
		}},
		"a stop": {asks(func(r *chat.Request) {
			r.Messages, r.Stop = []chat.Message{user("[sim:say=one END two]")}, []string{"END"}
		}), func(r *chat.Response) bool { return r.First().StopSequence == "END" }},
		"kept prompts": {talk(user("[sim:cached=7,written=9]")), func(r *chat.Response) bool { return r.Usage.CacheRead == 7 && r.Usage.CacheWrite == 9 }},
		"a picture":    {talk(picture(chat.Media{Type: "image/png", Data: pixel})), func(r *chat.Response) bool { return r.First().Text() != "" }},
		"a text file":  {talk(user("read"), file(chat.Media{Type: "text/plain", Data: "aGk=", Name: "a.txt"})), func(r *chat.Response) bool { return r.First().Text() != "" }},
		"by a schema": {asks(func(r *chat.Request) {
			r.Format = chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object","properties":{"town":{"type":"string"}},"required":["town"]}`)}
		}), func(r *chat.Response) bool {
			var v struct{ Town *string }
			return json.Unmarshal([]byte(r.First().Text()), &v) == nil && v.Town != nil
		}},
		"a tool without arguments that must be called": {asks(func(r *chat.Request) {
			r.Messages, r.Tools, r.ToolChoice = []chat.Message{user("[sim:noargs]")}, []chat.Tool{{Name: "now"}}, chat.ToolChoice{Mode: chat.ToolNamed, Name: "now"}
		}), func(r *chat.Response) bool {
			return len(r.First().Calls()) == 1 && r.First().Calls()[0].Arguments == "{}"
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := target("claude-sonnet-4-5")
			whole := ask(t, a.Provider, to, test.request, false)
			streamed := ask(t, a.Provider, to, test.request, true)
			if !test.want(whole) || !test.want(streamed) {
				t.Errorf("whole: %+v\nstreamed: %+v", whole.First(), streamed.First())
			}
			next := *test.request
			next.ToolChoice = chat.ToolChoice{}
			next.Messages = append(append([]chat.Message{}, test.request.Messages...), chat.Message{Role: chat.RoleAssistant, Parts: streamed.First().Parts})
			for _, c := range streamed.First().Calls() {
				next.Messages = append(next.Messages, chat.Result(c.ID, "r"))
			}
			next.Messages = append(next.Messages, user("Thanks."))
			ask(t, a.Provider, to, &next, false) // it takes its own words back
			if n, err := a.Counter.Count(t.Context(), to, &next); err != nil || n < 1 {
				t.Errorf("a count of it: %d and %v", n, err)
			}
		})
	}
}

// TestARelayedConversationComesBackFromAnotherVendor passes a body that the vendor would refuse as it is.
func TestARelayedConversationComesBackFromAnotherVendor(t *testing.T) {
	t.Parallel()
	a, target := simulated(t)
	body := `{"model":"auto","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2048},"tools":[{"name":"look","input_schema":{"type":"object"}}],
	"messages":[{"role":"user","content":"Look."},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"` + sealed(chat.FormatOpenAI) + `"},
	{"type":"tool_use","id":"call|1.x","name":"look","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call|1.x","content":"a wall"}]}]}`
	relay := a.Relay(chat.DialectAnthropic)
	out, err := relay.RelayWhole(t.Context(), target("claude-sonnet-4-5"), outbound.Passage{Body: []byte(body)})
	if err != nil {
		t.Fatalf("%v: %s", err, told(err))
	}
	if diff := cmp.Diff([]string{"messages[].reasoning", "thinking"}, out.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	counts := a.Relay(chat.DialectAnthropicCount)
	if _, err := counts.RelayWhole(t.Context(), target("claude-sonnet-4-5"), outbound.Passage{Body: []byte(body)}); err != nil {
		t.Errorf("a count of it: %v: %s", err, told(err))
	}
}
