package gemini

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// call is a call of the conversation, for its result to find.
type call struct {
	id       string // as the result names it; "" when nobody gave one
	sent     string // as the vendor is told
	name     string
	step     int // turn of the model
	answered bool
}

// matched is a result with the call that it answers.
type matched struct {
	at   int // of the call in the conversation; after all others when there is none
	part *part
}

// call gives a call of the model's.
func (e *encoder) call(i int, p *chat.Part) (*part, error) {
	e.uncached(p)
	c := p.Call
	args := json.RawMessage(c.Arguments)
	if strings.TrimSpace(c.Arguments) == "" {
		args = json.RawMessage("{}")
	}
	first, in := true, 0
	for k := len(e.calls) - 1; k >= 0 && e.calls[k].step == e.steps; k-- {
		first, in = false, in+1
	}
	if !isObject(args) {
		return nil, unsupported("gemini takes a JSON object only", "messages[%d].tool_calls[%d].function.arguments", i, in)
	}
	signature := e.signature(p)
	if signature == "" {
		signature = e.loose
	}
	if signature == "" && first && e.model.major >= 3 && i > e.lastUser { // of parallel calls the first alone has one, and no past turn is looked at
		signature = e.demanded()
	}
	sent := c.ID
	if sent == "" {
		sent = callID("", "", len(e.calls), c.Name, c.Arguments)
	}
	e.calls = append(e.calls, call{id: c.ID, sent: sent, name: c.Name, step: e.steps})
	return &part{FunctionCall: &functionCall{ID: e.id(sent), Name: functionName(c.Name), Args: args}, ThoughtSignature: signature}, nil
}

// demanded is the signature of a call that must have one and has none. A client's dialect may have put it onto the thought before it: this vendor's
// models sign calls, not the thoughts that lead to them.
func (e *encoder) demanded() string {
	if e.thinking == nil || e.thinking.ThoughtSignature == "" {
		return noSignature
	}
	signature := e.thinking.ThoughtSignature
	e.thinking.ThoughtSignature = ""
	return signature
}

// id gives an id to a model that takes ids.
func (e *encoder) id(id string) string {
	if e.model.takesIDs() {
		return id
	}
	return ""
}

// results takes the results of a message. They wait for those of other messages that answer the same turn.
func (e *encoder) results(i int, m *chat.Message) error {
	for j := range m.Parts {
		p := &m.Parts[j]
		if p.Kind != chat.PartToolResult {
			return unsupported("gemini takes results only in a tool message", "messages[%d].content[%d]", i, j)
		}
		e.uncached(p)
		out, err := e.result(i, p.Result)
		if err != nil {
			return err
		}
		e.answers = append(e.answers, out)
	}
	return nil
}

// result answers a call by its function's name, which the neutral form knows from the call.
func (e *encoder) result(i int, r *chat.ToolResult) (matched, error) {
	at := e.find(r)
	f := &functionResponse{Name: functionName(r.Name), ID: e.id(r.CallID)}
	if at < len(e.calls) {
		c := &e.calls[at]
		c.answered = true
		f.Name, f.ID = functionName(c.name), e.id(c.sent)
	}
	if f.Name == "" {
		return matched{}, unsupported("gemini takes a tool result only after its call", "messages[%d].tool_call_id", i)
	}
	for j := range r.Parts {
		p := &r.Parts[j]
		switch p.Kind {
		case chat.PartText:
		case chat.PartImage, chat.PartFile, chat.PartAudio:
			out, err := e.media(p, i, j)
			if err != nil {
				return matched{}, err
			}
			if e.model.major >= 3 {
				f.Parts = append(f.Parts, out)
			} else {
				e.extra = append(e.extra, out) // older models take it as the user's
			}
		default:
			return matched{}, unsupported("gemini takes text, images and files only in a tool message", "messages[%d].content[%d]", i, j)
		}
	}
	text := r.Text()
	f.Response.Result = &text
	if r.Error {
		f.Response = result{Error: &text}
	}
	return matched{at: at, part: &part{FunctionResponse: f}}, nil
}

// find gives the call that a result answers: by its id; by its function's name where the id says nothing; or the next that waits, when the result
// says neither. It is len(e.calls) when there is none.
func (e *encoder) find(r *chat.ToolResult) int {
	if r.CallID != "" {
		if at, ok := e.waiting(func(c *call) bool { return c.id == r.CallID }); ok {
			return at
		}
		for at := len(e.calls) - 1; at >= 0; at-- {
			if e.calls[at].id == r.CallID {
				return at
			}
		}
	}
	at, ok := e.waiting(func(c *call) bool { return r.Name == c.name || r.Name == "" && r.CallID == "" })
	if !ok {
		return len(e.calls)
	}
	return at
}

// waiting gives the first call without a result of the last turn that has a fitting one.
func (e *encoder) waiting(fits func(*call) bool) (at int, ok bool) {
	for k := len(e.calls) - 1; k >= 0; k-- {
		c := &e.calls[k]
		switch {
		case ok && c.step != e.calls[at].step:
			return at, true
		case !c.answered && fits(c):
			at, ok = k, true
		}
	}
	return at, ok
}

// closeStep adds the results that were waiting, in the order of their calls: models that give their calls no ids tell them apart by nothing else.
func (e *encoder) closeStep() {
	if len(e.answers) == 0 {
		return
	}
	slices.SortStableFunc(e.answers, func(a, b matched) int { return a.at - b.at })
	parts := make([]any, len(e.answers))
	for k := range e.answers {
		parts[k] = e.answers[k].part
	}
	e.add(user, parts)
	e.add(user, e.extra)
	e.answers, e.extra = nil, nil
}
