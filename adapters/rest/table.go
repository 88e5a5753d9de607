package rest

import (
	"net/http"
	"slices"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/tenant"
)

// table lists every route.
func (s *Server) table() []route {
	return slices.Concat(authRoutes(), mfaRoutes(), sessionRoutes(), keyRoutes(), adminRoutes(), policyRoutes(), aiRoutes(), decisionRoutes(), usageRoutes(), openAIRoutes(), embeddingRoutes(), responseRoutes(), messagesRoutes(), healthRoutes(), s.pageRoutes())
}

// taskTypes lists the task types for the document.
func taskTypes() []any {
	var out []any
	for _, t := range routing.TaskTypes() {
		out = append(out, string(t))
	}
	return out
}

// aiHeaders are taken by every AI call.
func aiHeaders() []param {
	yes := []any{"true", "false"}
	return []param{
		{in: "header", name: "X-Forge-Task-Type", doc: "general when nothing says otherwise", schema: "", enum: taskTypes()},
		{in: "header", name: "X-Forge-Latency-SLO-Ms", doc: "Latency objective", schema: 0, min: 1, max: maxSLO},
		{in: "header", name: "X-Forge-Cache", doc: "Whether the prompt cache may answer", schema: "", enum: []any{"on", "off"}},
		{in: "header", name: "Cache-Control", doc: "no-store, no-cache, max-age and only-if-cached, as RFC 9111 has them, for the prompt cache", schema: ""},
		{in: "header", name: "X-Forge-Strict", doc: "Fail rather than drop a field that the provider cannot honour", schema: "", enum: yes},
		{in: "header", name: "X-Forge-Explain", doc: "Show the routing decision", schema: "", enum: yes},
	}
}

// callFaults are the ways in which an AI call can fail.
var callFaults = []int{402, 404, 422, 429, 502, 503, 504}

var callHeaders = []string{"X-Forge-Decision-Id", "X-Forge-Provider", "X-Forge-Model", "X-Forge-Cache", "Age", "X-Forge-Dropped", "X-Forge-Decision"}

var (
	exampleTask = map[string]any{"task": "Why is the sky blue? One sentence.", "task_type": "general", "context": map[string]any{"latency_slo_ms": 2000}}
	exampleChat = map[string]any{"model": "auto", "messages": []any{map[string]any{"role": "user", "content": "Why is the sky blue?"}}}
)

func aiRoutes() []route {
	read := func(name, summary string, handle func(*exchange) error, body any) route {
		return route{
			method: http.MethodGet, pattern: "/api/v1/ai/" + name, access: scopedKey, scope: tenant.ScopeAI, id: "ai-" + name, tag: "ai",
			summary: summary, handle: handle, replies: []answer{{status: 200, doc: "As of now", body: body}},
		}
	}
	const events = "event: delta with a piece of the answer, as often as there is one; then event: done with the whole, or event: error. " +
		"The data of each is one line of JSON; x-events says which. Lines that begin with a colon are heartbeats."
	return []route{
		{
			method: http.MethodPost, pattern: "/api/v1/ai/execute", access: scopedKey, scope: tenant.ScopeAI, large: true, id: "execute", tag: "ai",
			summary: "Have a task done", doc: "The router picks a provider; failures are HTTP errors, never 200.", params: aiHeaders(),
			body: ExecuteBody{}, example: exampleTask, handle: (*exchange).execute, faults: callFaults, naming: executeName,
			replies: []answer{
				{status: 200, doc: "The answer, whole or as events", body: Result{}, headers: callHeaders},
				{status: 200, events: events, kinds: map[string]any{"delta": Delta{}, "done": Result{}, "error": Problem{}}},
			},
		},
		read("models", "Models that can be asked for", (*exchange).models, Models{}),
		read("capabilities", "Who serves which task type", (*exchange).capabilities, Capabilities{}),
		read("health", "How the providers stand", (*exchange).providers, Providers{}),
	}
}

func openAIRoutes() []route {
	const events = "OpenAI's stream: data: with a chat.completion.chunk, data: [DONE] at the end; a stream that breaks ends with " +
		"data: {\"error\":{...}} and no [DONE]. Lines that begin with a colon are heartbeats."
	models := route{
		method: http.MethodGet, pattern: "/v1/models", access: scopedKey, scope: tenant.ScopeAI, shape: shapeOpenAI, id: "list-models",
		tag: "openai", summary: "Names that can stand for a model", handle: (*exchange).openAIModels, shared: true,
		doc:     "Clients that send Anthropic-Version get Anthropic's shape.",
		replies: []answer{{status: 200, doc: "The names", body: OpenAIModels{}}, {status: 200, body: AnthropicModels{}}},
	}
	model := models
	model.pattern, model.id, model.summary, model.handle = "/v1/models/{id...}", "get-model", "One name", (*exchange).openAIModel
	model.params = []param{{in: "path", name: "id", doc: "A name, with its slash", schema: ""}}
	model.replies, model.faults = []answer{{status: 200, doc: "The name", body: OpenAIModel{}}, {status: 200, body: AnthropicModel{}}}, []int{404}
	return []route{
		{
			method: http.MethodPost, pattern: "/v1/chat/completions", access: scopedKey, scope: tenant.ScopeAI, shape: shapeOpenAI, large: true,
			id: "chat-completions", tag: "openai", summary: "OpenAI's chat completions",
			doc:    "To a vendor of the same dialect the body goes as it is; for others it is translated, and what they cannot honour is named in X-Forge-Dropped.",
			params: aiHeaders(), body: chatRequest{}, example: exampleChat, handle: (*exchange).chatCompletions, faults: callFaults,
			replies: []answer{
				{status: 200, doc: "The answer, whole or as events", body: chatResponse{}, headers: callHeaders},
				{status: 200, events: events, kinds: map[string]any{"chat.completion.chunk": chatChunk{}, "error": OpenAIError{}}},
			},
		},
		models,
		model,
	}
}

func healthRoutes() []route {
	r := func(name, summary, doc string, handle func(*exchange) error, replies ...answer) route {
		return route{
			method: http.MethodGet, pattern: "/api/v1/health" + name, access: anyone, id: "health" + name, tag: "health",
			summary: summary, doc: doc, handle: handle, replies: replies,
		}
	}
	return []route{
		r("", "Is it running, and which version", "", (*exchange).health, answer{status: 200, doc: "It is", body: Health{}}),
		r("/live", "Does the process answer", "", (*exchange).live, answer{status: 200, doc: "It does", body: Live{}}),
		r("/ready", "Can it do its work", "Only the database and its migrations decide; a failed cache is listed under degraded.",
			(*exchange).ready, answer{status: 200, doc: "It can", body: Ready{}},
			answer{status: 503, doc: "It cannot", body: Ready{}, headers: []string{"Retry-After"}}),
	}
}
