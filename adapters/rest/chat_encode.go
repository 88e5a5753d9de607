package rest

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// completion is a whole answer in OpenAI's shape, for vendors that speak another.
type completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Choices     []completionChoice `json:"choices"`
	Usage       completionUsage    `json:"usage"`
	Fingerprint *string            `json:"system_fingerprint"`
}

type completionChoice struct {
	Index    int               `json:"index"`
	Message  completionMessage `json:"message"`
	Logprobs *struct{}         `json:"logprobs"`
	Finish   string            `json:"finish_reason"`
}

type completionMessage struct {
	Role        string           `json:"role"`
	Content     *string          `json:"content"`
	Refusal     *string          `json:"refusal"`
	Annotations []struct{}       `json:"annotations"`
	ToolCalls   []completionTool `json:"tool_calls,omitempty"`
}

type completionTool struct {
	ID       string             `json:"id"`
	Type     string             `json:"type"`
	Function completionFunction `json:"function"`
}

type completionFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type completionUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	PromptMore struct {
		Cached int `json:"cached_tokens"`
		Audio  int `json:"audio_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionMore struct {
		Reasoning int `json:"reasoning_tokens"`
		Audio     int `json:"audio_tokens"`
		Accepted  int `json:"accepted_prediction_tokens"`
		Rejected  int `json:"rejected_prediction_tokens"`
	} `json:"completion_tokens_details"`
}

func usageOf(u chat.Usage) completionUsage {
	out := completionUsage{Prompt: u.Input, Completion: u.Output, Total: u.Total()}
	out.PromptMore.Cached, out.CompletionMore.Reasoning = u.CacheRead, u.Reasoning
	return out
}

// completionOf renders a whole answer.
func completionOf(a inbound.Answer, created int64) completion {
	r := a.Response.First()
	said, refused := r.Text(), r.Refusal()
	m := completionMessage{Role: "assistant", Refusal: orNull(refused), Annotations: []struct{}{}}
	if said != "" || refused == "" && len(r.Calls()) == 0 {
		m.Content = &said
	}
	for _, c := range r.Calls() {
		m.ToolCalls = append(m.ToolCalls, completionTool{c.ID, "function", completionFunction{c.Name, c.Arguments}})
	}
	return completion{
		ID: completionID(a.Receipt), Object: "chat.completion", Created: created, Model: servedModel(a.Receipt),
		Choices: []completionChoice{{Message: m, Finish: string(cmp.Or(r.Finish, a.Receipt.Finish, chat.FinishStop))}},
		Usage:   usageOf(a.Receipt.Usage),
	}
}

func completionID(r inbound.Receipt) string {
	return "chatcmpl-" + strings.ReplaceAll(r.CallID, "-", "")
}

func servedModel(r inbound.Receipt) string { return cmp.Or(r.ServedModel, r.Model) }

// chatEncoder writes a stream in OpenAI's shape: relayed frames as they are, chunks of other vendors rendered.
type chatEncoder struct {
	created int64
	usage   bool // the client asked for usage

	relayed bool
	started bool // the role has been sent
	prefix  string
	buf     []byte
	tools   map[int]bool
}

func (e *chatEncoder) begin(head inbound.Receipt, relayed bool) {
	e.relayed = relayed
	b := append([]byte(nil), `data: {"id":`...)
	b = appendString(b, completionID(head))
	b = append(b, `,"object":"chat.completion.chunk","created":`...)
	b = strconv.AppendInt(b, e.created, 10)
	b = append(b, `,"model":`...)
	b = appendString(b, servedModel(head))
	e.prefix = string(append(b, `,"system_fingerprint":null,"choices":[`...))
}

func (e *chatEncoder) piece(p inbound.Piece) []byte {
	if e.relayed {
		if p.UsageOnly && !e.usage {
			return nil
		}
		return p.Raw
	}
	e.buf = e.buf[:0]
	c := p.Chunk
	if c.Content() && !e.started {
		e.role(c.Tool != nil && c.Text == "" && c.Refusal == "")
	}
	if c.Text != "" {
		e.delta(func(b []byte) []byte { return appendString(append(b, `"content":`...), c.Text) })
	}
	if c.Refusal != "" {
		e.delta(func(b []byte) []byte { return appendString(append(b, `"refusal":`...), c.Refusal) })
	}
	if c.Tool != nil {
		e.delta(func(b []byte) []byte { return e.tool(b, *c.Tool) })
	}
	return e.buf
}

// role opens the message, with content null when it begins with a tool call.
func (e *chatEncoder) role(null bool) {
	e.started = true
	e.delta(func(b []byte) []byte {
		if null {
			return append(b, `"role":"assistant","content":null,"refusal":null`...)
		}
		return append(b, `"role":"assistant","content":"","refusal":null`...)
	})
}

// delta appends a chunk with one delta.
func (e *chatEncoder) delta(fill func([]byte) []byte) {
	e.buf = append(append(e.buf, e.prefix...), `{"index":0,"delta":{`...)
	e.buf = append(fill(e.buf), `},"logprobs":null,"finish_reason":null}]`...)
	e.end()
}

// end closes a chunk. A client that asked for usage finds the field in every chunk.
func (e *chatEncoder) end() {
	if e.usage {
		e.buf = append(e.buf, `,"usage":null`...)
	}
	e.buf = append(e.buf, "}\n\n"...)
}

// tool writes a piece of a tool call; id, type and name come with the first of its index.
func (e *chatEncoder) tool(b []byte, t chat.ToolDelta) []byte {
	b = append(b, `"tool_calls":[{"index":`...)
	b = strconv.AppendInt(b, int64(t.Index), 10)
	b = append(b, ',')
	first := !e.tools[t.Index]
	if first {
		if e.tools == nil {
			e.tools = make(map[int]bool)
		}
		e.tools[t.Index] = true
		b = append(appendString(append(b, `"id":`...), t.ID), `,"type":"function",`...)
	}
	b = append(b, `"function":{`...)
	if first {
		b = append(appendString(append(b, `"name":`...), t.Name), ',')
	}
	return append(appendString(append(b, `"arguments":`...), t.Arguments), `}}]`...)
}

func (e *chatEncoder) done(r inbound.Receipt) []byte {
	if e.relayed {
		return nil
	}
	e.buf = e.buf[:0]
	if !e.started {
		e.role(false)
	}
	e.buf = append(append(e.buf, e.prefix...), `{"index":0,"delta":{},"logprobs":null,"finish_reason":`...)
	e.buf = append(appendString(e.buf, string(cmp.Or(r.Finish, chat.FinishStop))), `}]`...)
	e.end()
	if e.usage {
		e.buf = append(append(append(e.buf, e.prefix...), `],"usage":`...), encode(usageOf(r.Usage))...)
		e.buf = append(e.buf, "}\n\n"...)
	}
	return append(e.buf, "data: [DONE]\n\n"...)
}

func (e *chatEncoder) fail(f *fault.Error) []byte {
	return append(append([]byte("data: "), encode(openAIErrorOf(f))...), "\n\n"...)
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[plain:i]...), "\uFFFD"...)
				plain = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[plain:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}
