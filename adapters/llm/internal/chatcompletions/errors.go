package chatcompletions

import (
	"encoding/json"
	"strconv"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
)

// ErrorFacts is what an error tells beside the words that all vendors of the dialect share.
type ErrorFacts struct {
	Reasons []string // why the input was flagged
	Raw     string   // what the vendor's own upstream said: JSON or prose
}

// Explain reads an error body; it implements llm.Explain. The usual shape is {"error":{message,type,code,param}}, where code may be a string, a
// number or null; some servers send {"error":"text"}, and some the error's fields without a wrapping.
func (f Flavour) Explain(body []byte) (llm.Refusal, bool) {
	var a struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return llm.Refusal{}, false
	}
	if r, ok := f.refusal(a.Error); ok {
		return r, true
	}
	if len(a.Message) > 0 && a.Message[0] == '"' {
		return f.refusal(body)
	}
	if f.Kind == Compatible && len(a.Detail) > 0 {
		return detailed(a.Detail)
	}
	return llm.Refusal{}, false
}

// detailed reads the error of a server that is written in Python: what is wrong, or a list of it.
func detailed(b json.RawMessage) (llm.Refusal, bool) {
	var list []struct {
		Message string `json:"msg"`
	}
	if json.Unmarshal(b, &list) == nil && len(list) > 0 {
		return llm.Refusal{Message: list[0].Message}, true
	}
	message := jsonscan.Unquote(b)
	return llm.Refusal{Message: message}, message != ""
}

// refusal reads the error itself. It reports false for none.
func (f Flavour) refusal(b json.RawMessage) (llm.Refusal, bool) {
	switch string(b) {
	case "", "null", "false", `""`, "{}":
		return llm.Refusal{}, false
	}
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		return llm.Refusal{Message: plain}, true
	}
	var e struct {
		Message  string          `json:"message"`
		Type     string          `json:"type"`
		Param    string          `json:"param"`
		Code     json.RawMessage `json:"code"`
		Metadata struct {
			Raw     string   `json:"raw"`
			Reasons []string `json:"reasons"`
		} `json:"metadata"`
	}
	// A field of another type than ours is no reason to miss the error.
	_ = json.Unmarshal(b, &e)
	r := llm.Refusal{Message: e.Message, Type: e.Type, Param: e.Param}
	if json.Unmarshal(e.Code, &r.Status) != nil {
		_ = json.Unmarshal(e.Code, &r.Code)
		if n, err := strconv.Atoi(r.Code); err == nil {
			r.Status, r.Code = n, ""
		}
	}
	if f.Refine != nil {
		f.Refine(&r, ErrorFacts{Reasons: e.Metadata.Reasons, Raw: e.Metadata.Raw})
	}
	return r, true
}
