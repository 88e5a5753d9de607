package rest

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

// ExecuteBody is a task for a model.
type ExecuteBody struct {
	Task     string         `json:"task" minLength:"1" maxLength:"1000000" maxBytes:"1000000" doc:"Sent as the last user message; at most 1,000,000 bytes"`
	TaskType string         `json:"task_type,omitempty" enum:"general,code_generation,analysis,creative,review" doc:"general when absent"`
	Context  ExecuteContext `json:"context,omitempty"`
	Model    *string        `json:"model_name,omitempty" nullable:"true" minLength:"1" maxLength:"256" pattern:"^[^\\x00-\\x1f\\x7f]*$" doc:"auto, auto:<task type>, <provider>/<model>, or a model's name; routed when absent"`
	Stream   bool           `json:"stream,omitempty" doc:"Answer with server-sent events"`
}

// ExecuteContext is what goes with a task.
type ExecuteContext struct {
	SLOMs        int          `json:"latency_slo_ms,omitempty" minimum:"1" maximum:"600000"`
	MaxTokens    *int         `json:"max_tokens,omitempty" minimum:"1"`
	Temperature  *float64     `json:"temperature,omitempty" minimum:"0" maximum:"2"`
	TopP         *float64     `json:"top_p,omitempty" minimum:"0" maximum:"1"`
	SystemPrompt string       `json:"system_prompt,omitempty"`
	Messages     chatMessages `json:"messages,omitempty"`
	Tools        chatTools    `json:"tools,omitempty"`
	ToolChoice   toolChoice   `json:"tool_choice,omitempty"`
	Format       chatFormat   `json:"response_format,omitempty"`
	Cache        *bool        `json:"cache,omitempty" doc:"True when absent"`
	Tags         []string     `json:"tags,omitempty" nullable:"false" maxItems:"16" minLength:"1" maxLength:"64" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	EndUser      string       `json:"end_user,omitempty" maxLength:"256" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
}

// chatMessages reads messages in OpenAI's shape.
type chatMessages []chat.Message

// UnmarshalStrict implements strictjson.Unmarshaler.
func (m *chatMessages) UnmarshalStrict(r *strictjson.Reader, v strictjson.Value) {
	*m = (&chatReader{Reader: r}).messages(v)
}

// chatTools reads tools in OpenAI's shape.
type chatTools []chat.Tool

// UnmarshalStrict implements strictjson.Unmarshaler.
func (t *chatTools) UnmarshalStrict(r *strictjson.Reader, v strictjson.Value) {
	*t = (&chatReader{Reader: r}).tools(v)
}

// toolChoice reads tool_choice in OpenAI's shape.
type toolChoice chat.ToolChoice

// UnmarshalStrict implements strictjson.Unmarshaler.
func (c *toolChoice) UnmarshalStrict(r *strictjson.Reader, v strictjson.Value) {
	choice, _ := (&chatReader{Reader: r}).toolChoice(v)
	*c = toolChoice(choice)
}

// chatFormat reads response_format in OpenAI's shape.
type chatFormat struct{ chat.Format }

// UnmarshalStrict implements strictjson.Unmarshaler.
func (f *chatFormat) UnmarshalStrict(r *strictjson.Reader, v strictjson.Value) {
	f.Format = (&chatReader{Reader: r}).format(v)
}

// request puts the task into neutral form: system prompt, then the messages of the context, then the task.
func (b *ExecuteBody) request(strict bool) *chat.Request {
	c := &b.Context
	r := &chat.Request{
		MaxTokens: c.MaxTokens, Temperature: c.Temperature, TopP: c.TopP, Tools: c.Tools, ToolChoice: chat.ToolChoice(c.ToolChoice),
		Format: c.Format.Format, EndUser: c.EndUser, Strict: strict,
	}
	r.Messages = make([]chat.Message, 0, len(c.Messages)+2)
	if c.SystemPrompt != "" {
		r.Messages = append(r.Messages, chat.Text(chat.RoleSystem, c.SystemPrompt))
	}
	r.Messages = append(append(r.Messages, c.Messages...), chat.Text(chat.RoleUser, b.Task))
	return r
}

// task reads an execute body and makes a call of it.
func (x *exchange) task() (c inbound.Call, a asked, stream bool, err error) {
	var b ExecuteBody
	if err := x.decode(&b); err != nil {
		return c, a, false, err
	}
	if a, err = x.askedFor(); err != nil {
		return c, a, false, err
	}
	req := b.request(a.strict)
	c = x.call(a, inbound.SurfaceExecute)
	c.Dialect = chat.DialectExecute
	c.Parse = func() (*chat.Request, error) { return req, nil }
	body := x.fc.Request.SwapBody(nil) // ours from here on: the gateway may want to look at it when the request is over
	if b.Context.Cache != nil && !*b.Context.Cache {
		c.Cache = inbound.CacheOff
	}
	c.Fingerprint = func() ([32]byte, error) { return fingerprint(body, leftOutOfExecute) }
	c.Tags, c.EndUser = b.Context.Tags, b.Context.EndUser
	c.TextBytes, c.Vision, c.Tools, c.Schema = req.TextBytes(), req.HasImages(), len(req.Tools) > 0, req.Format.Kind == chat.FormatSchema
	if b.TaskType != "" {
		c.TaskType = b.TaskType
	}
	if b.Model != nil {
		c.Model = *b.Model
	}
	if b.Context.SLOMs > 0 {
		c.SLOMs = b.Context.SLOMs
	}
	if b.Context.MaxTokens != nil {
		c.MaxTokens = *b.Context.MaxTokens
	}
	return c, a, b.Stream, nil
}

func (x *exchange) execute() error {
	c, a, stream, err := x.task()
	if err != nil {
		return err
	}
	if stream {
		return x.stream(c, a, &executeEncoder{x: x})
	}
	answer, err := x.ask(c, a)
	if err != nil {
		return err
	}
	resp := answer.Response
	if resp == nil {
		resp = &chat.Response{}
	}
	first := resp.First()
	return x.reply(http.StatusOK, x.result(answer.Receipt, cmp.Or(first.Text(), first.Refusal()), first.Calls()))
}

// Result is the answer to a task.
type Result struct {
	Success       bool       `json:"success" enum:"true"`
	Output        string     `json:"output" doc:"Empty when there are only tool calls"`
	Finish        string     `json:"finish_reason" enum:"stop,length,tool_calls,content_filter"`
	ToolCalls     []ToolCall `json:"tool_calls" nullable:"false"`
	Model         string     `json:"model_used" doc:"<provider>/<model>"`
	ExecutionTime float64    `json:"execution_time" doc:"Seconds"`
	Metadata      Metadata   `json:"metadata"`
	Error         *string    `json:"error" doc:"Always null: failures are HTTP errors"`
}

// ToolCall is a call that the model asks for.
type ToolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments object `json:"arguments"`
}

// Metadata says who answered, why, and at what cost.
type Metadata struct {
	TaskType     string    `json:"task_type"`
	Provider     string    `json:"provider"`
	Model        string    `json:"model"`
	DecisionID   string    `json:"decision_id"`
	InputTokens  int       `json:"input_tokens" doc:"Cached and cache-write tokens included"`
	OutputTokens int       `json:"output_tokens" doc:"Reasoning tokens included"`
	CachedTokens int       `json:"cached_tokens"`
	CacheWrite   int       `json:"cache_write_tokens"`
	Reasoning    int       `json:"reasoning_tokens"`
	TokensUsed   int       `json:"tokens_used" doc:"Input and output together"`
	UsageSource  string    `json:"usage_source" enum:"provider,estimated,cache"`
	CostUSD      *string   `json:"cost_usd" doc:"Decimal; null when the model is unpriced"`
	CostCents    *amount   `json:"cost_cents"`
	CostReason   string    `json:"cost_reason,omitempty" enum:"unpriced"`
	Cache        string    `json:"cache" enum:"hit,miss,bypass"`
	Attempts     []Attempt `json:"attempts" nullable:"false"`
	Dropped      []string  `json:"dropped,omitempty" nullable:"false" doc:"Fields that the provider could not honour"`
	TraceID      string    `json:"trace_id"`
	Decision     *Decision `json:"decision,omitempty" doc:"When X-Forge-Explain asks for it"`
}

// result renders the answer to a task.
func (x *exchange) result(r inbound.Receipt, text string, calls []*chat.ToolCall) Result {
	out := Result{
		Success: true, Output: text, Finish: finishOf(r.Finish, 0, "", false), ToolCalls: make([]ToolCall, len(calls)),
		Model: routing.Target{Provider: r.Provider, Model: r.Model}.String(), ExecutionTime: r.Took.Seconds(),
		Metadata: Metadata{
			TaskType: string(r.Task), Provider: r.Provider, Model: r.Model, DecisionID: r.Decision.ID, InputTokens: r.Usage.Input,
			OutputTokens: r.Usage.Output, CachedTokens: r.Usage.CacheRead, CacheWrite: r.Usage.CacheWrite, Reasoning: r.Usage.Reasoning,
			TokensUsed: r.Usage.Total(), UsageSource: string(cmp.Or(r.UsageSource, chat.UsageEstimated)), Cache: cmp.Or(r.Cache, "bypass"), Attempts: attemptsOf(r.Attempts),
			Dropped: r.Dropped, TraceID: x.traceID,
		},
	}
	for i, c := range calls {
		out.ToolCalls[i] = ToolCall{ID: c.ID, Name: c.Name, Arguments: argumentsOf(c.Arguments)}
	}
	if r.CostNanos != nil {
		usd, cents := dollars(*r.CostNanos), amount(decimal(*r.CostNanos, 7))
		out.Metadata.CostUSD, out.Metadata.CostCents = &usd, &cents
	} else {
		out.Metadata.CostReason = "unpriced"
	}
	if x.explain {
		d := decisionOf(r, outcomeOK)
		out.Metadata.Decision = &d
	}
	return out
}

// argumentsOf gives a call's arguments as an object. A model may write what is none; that is kept as text.
func argumentsOf(s string) object {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(s), &members) == nil && members != nil {
		return object(s)
	}
	return encode(map[string]string{"_raw": s})
}
