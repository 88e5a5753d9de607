package anthropic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// maxUserID is the longest metadata.user_id that the vendor takes.
const maxUserID = 256

// encoder turns a neutral request into the vendor's and remembers what had to be left out.
type encoder struct {
	out   *request
	model model
	ids   toolIDs
	drops llm.Drops
	lost  []string // what is named like a drop and fails no strict request: it is another vendor's property, not the caller's wish
	betas []string // what the request needs that the vendor has not released to all
}

// encoded is a request that is ready to be sent.
type encoded struct {
	*request
	dropped []string // the fields that the vendor cannot honour
	betas   []string
}

// encode gives the vendor's request. With r.Strict the first field that it cannot honour is a failure, and so is, always, content that cannot be left
// out without changing what was asked.
func encode(name string, r *chat.Request, stream bool) (*encoded, error) {
	e := &encoder{out: &request{Model: name, Stream: stream}, model: modelOf(name), ids: newToolIDs()}
	if err := e.messages(r); err != nil {
		return nil, err
	}
	if err := e.tools(r); err != nil {
		return nil, err
	}
	e.format(r)
	e.limits(r)
	e.thinking(r)
	e.sampling(r)
	e.service(r)
	e.cache()
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, err
	}
	return &encoded{e.out, slices.Concat(dropped, e.lost), e.betas}, nil
}

// lose names what is left out because another vendor made it.
func (e *encoder) lose(field string) {
	if !slices.Contains(e.lost, field) {
		e.lost = append(e.lost, field)
	}
}

// limits sets what ends the answer, and names what the vendor has no word for.
func (e *encoder) limits(r *chat.Request) {
	e.out.MaxTokens = e.model.mostTokens()
	if r.MaxTokens != nil {
		e.out.MaxTokens = *r.MaxTokens
	}
	for _, stop := range r.Stop {
		if strings.TrimSpace(stop) == "" {
			e.drops.Add("stop") // the vendor refuses a sequence of white space
			continue
		}
		e.out.StopSequences = append(e.out.StopSequences, stop)
	}
	e.drops.AddAsked(r, "n", "seed", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty", "prompt_cache_key")
}

// minTopP is the least top_p that the vendor takes of a model that thinks.
const minTopP = 0.95

// sampling sends what the model takes of it. What only says the default is not sent and not missed.
func (e *encoder) sampling(r *chat.Request) {
	temperature, topP, topK := r.Temperature, r.TopP, r.TopK
	thinks := e.out.Thinking != nil && e.out.Thinking.Type != thinkingDisabled
	takes := e.model.takesSampling()
	if temperature != nil && (!takes || thinks || *temperature > 1 || topP != nil && !e.model.before(v4_1)) {
		switch {
		case *temperature == 1: // the default
			temperature = nil
		case !takes || thinks || *temperature > 1: // the vendor's scale ends at 1
			e.drops.Add("temperature")
			temperature = nil
		}
	}
	if topP != nil && (!takes || thinks && *topP < minTopP || temperature != nil && !e.model.before(v4_1)) {
		if *topP != 1 {
			e.drops.Add("top_p")
		}
		topP = nil
	}
	if topK != nil && (!takes || thinks) {
		e.drops.Add("top_k")
		topK = nil
	}
	e.out.Temperature, e.out.TopP, e.out.TopK = temperature, topP, topK
}

// service says for whom, and how soon.
func (e *encoder) service(r *chat.Request) {
	switch r.ServiceTier {
	case "", "auto":
		e.out.ServiceTier = r.ServiceTier
	case "default":
		e.out.ServiceTier = "standard_only"
	case "priority":
		e.out.ServiceTier = "auto" // the vendor's word for: soon, if this account has bought that
	default:
		e.drops.Add("service_tier")
	}
	switch {
	case r.EndUser == "":
	case len(r.EndUser) > maxUserID:
		e.drops.Add("user")
	default:
		e.out.Metadata = &metadata{UserID: r.EndUser}
	}
}

func (e *encoder) format(r *chat.Request) {
	switch r.Format.Kind {
	case chat.FormatText:
	case chat.FormatSchema:
		if isObject(r.Format.Schema) && e.model.takesSchema() {
			schema, lost := enforceable(r.Format.Schema)
			if lost {
				e.drops.Add("response_format.json_schema.schema")
			}
			if r.Format.Description != "" {
				e.drops.Add("response_format.json_schema.description")
			}
			e.out.OutputConfig = &outputConfig{Format: &outputFormat{Type: "json_schema", Schema: schema}}
			return
		}
		e.drops.Add("response_format")
	default:
		e.drops.Add("response_format") // the vendor has no JSON mode without a schema
	}
}

// body gives the request's bytes.
func (e *encoded) body() ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e.request); err != nil {
		return nil, chat.Fail(chat.ClassUnsupport, fmt.Errorf("encode the request: %w", err))
	}
	return body.Bytes(), nil
}

// isObject reports whether text is one whole JSON object.
func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text)
}

// unsupported is content that this vendor cannot take, found before the call.
func unsupported(why, param string, at ...any) *chat.Failure {
	return &chat.Failure{Class: chat.ClassUnsupport, Param: fmt.Sprintf(param, at...), Message: why, Err: errors.New(why)}
}
