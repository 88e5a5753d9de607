package openai_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/openai"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

func TestTheAPIThatKeepsMoreIsAsked(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = path.Base(r.URL.Path)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	client := llm.NewClient(llm.ClientConfig{})
	defer client.CloseIdleConnections()
	p := openai.Vendor.New(client).Provider

	tools := []chat.Tool{{Name: "f"}}
	seed := int64(7)
	think := chat.Thinking{Effort: "high"}
	part := func(p chat.Part) []chat.Message {
		return []chat.Message{{Role: chat.RoleAssistant, Parts: []chat.Part{p}}, chat.Text(chat.RoleUser, "hi")}
	}
	sound := []chat.Message{{Role: chat.RoleUser, Parts: []chat.Part{{Kind: chat.PartAudio, Media: &chat.Media{Data: "UklG", Type: "audio/wav"}}}}}
	const completions, responses = "completions", "responses"
	tests := map[string]struct {
		model   string
		request chat.Request
		want    string
	}{
		"text":                              {"gpt-5.1", chat.Request{}, completions},
		"tools":                             {"gpt-5.1", chat.Request{Tools: tools}, completions},
		"an effort":                         {"gpt-5.1", chat.Request{Thinking: think}, completions},
		"an effort with tools":              {"gpt-5.1", chat.Request{Thinking: think, Tools: tools}, responses},
		"thinking with tools":               {"o3", chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingAdaptive}, Tools: tools}, responses},
		"thoughts that are to be seen":      {"gpt-5-mini", chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOn, Show: true}}, responses},
		"no thinking, with tools":           {"gpt-5.1", chat.Request{Thinking: chat.Thinking{Mode: chat.ThinkingOff, Show: true}, Tools: tools}, completions},
		"a model that does not think":       {"gpt-4o", chat.Request{Thinking: chat.Thinking{Effort: "high", Show: true}, Tools: tools}, completions},
		"a model of another company":        {"llama3.2:3b", chat.Request{Thinking: think, Tools: tools}, completions},
		"a tool of OpenAI's own":            {"gpt-4o", chat.Request{Tools: []chat.Tool{{Server: chat.ServerWebSearch}}}, responses},
		"a tool of this dialect":            {"gpt-4o", chat.Request{Tools: []chat.Tool{{Server: chat.ServerOther, Foreign: &chat.Foreign{Dialect: chat.DialectOpenAIChat, JSON: []byte(`{}`)}}}}, completions},
		"thoughts of its own":               {"gpt-5.1", chat.Request{Messages: part(chat.Part{Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatOpenAI}})}, responses},
		"thoughts of another":               {"gpt-5.1", chat.Request{Messages: part(chat.Part{Kind: chat.PartThinking, Signature: &chat.Signature{Format: chat.FormatAnthropic}})}, completions},
		"what its own tools did":            {"gpt-5.1", chat.Request{Messages: part(chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectResponses}})}, responses},
		"a sound, whatever else there is":   {"gpt-5.1", chat.Request{Messages: sound, Thinking: think, Tools: tools}, completions},
		"a seed, with a tool of its own":    {"gpt-5.1", chat.Request{Seed: &seed, Thinking: think, Tools: tools}, responses},
		"a seed that may not be lost":       {"gpt-5.1", chat.Request{Seed: &seed, Thinking: think, Tools: tools, Strict: true}, completions},
		"a stop that may not be lost":       {"gpt-5.1", chat.Request{Stop: []string{"x"}, Thinking: think, Tools: tools, Strict: true}, completions},
		"answers of which none may be lost": {"gpt-5.1", chat.Request{Choices: 2, Thinking: think, Tools: tools, Strict: true}, completions},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.request.Messages == nil {
				tt.request.Messages = []chat.Message{chat.Text(chat.RoleUser, "hi")}
			}
			to := outbound.Target{Model: tt.model, BaseURL: server.URL}
			_, whole := p.Complete(t.Context(), to, &tt.request)
			wholly := asked
			_, streamed := p.Stream(t.Context(), to, &tt.request)
			if wholly != tt.want || asked != tt.want || chat.ClassOf(whole) != chat.ClassServer || chat.ClassOf(streamed) != chat.ClassServer {
				t.Errorf("asked %s and %s (%v, %v), want %s", wholly, asked, whole, streamed, tt.want)
			}
		})
	}
}
