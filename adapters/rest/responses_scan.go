package rest

import (
	"strconv"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/fault"
)

// The places of a responses body's fields.
const (
	respModel = iota
	respInput
	respStream
	respPrevious
	respStore
	respBackground
	respConversation
	respInstructions
	respMaxOutput
	respTools
	respText
	respUser
	respSafety
	respTemperature
	respTopP
	respToolChoice
	respParallel
	respReasoning
	respInclude
	respMetadata
	respCacheKey
	respTier
	respTruncation
	respTopLogprobs
	respMaxToolCalls
	respStreamOptions
	respPrompt
	respFields // how many there are
)

// respField says what is known of a field of a responses body.
func respField(key []byte) (place int, kinds uint8) {
	f, ok := respKnown[string(key)]
	if !ok {
		return -1, 0
	}
	return f.place, f.kinds
}

type knownField struct {
	place int
	kinds uint8
}

var respKnown = map[string]knownField{
	"model": {respModel, isString}, "input": {respInput, isString | isArray | isNull}, "stream": {respStream, isBool | isNull},
	"previous_response_id": {respPrevious, isString | isNull}, "store": {respStore, isBool | isNull}, "background": {respBackground, isBool | isNull},
	"conversation": {respConversation, isString | isObject | isNull}, "instructions": {respInstructions, isString | isNull},
	"max_output_tokens": {respMaxOutput, isNumber | isNull}, "tools": {respTools, isArray | isNull}, "text": {respText, isObject | isNull},
	"user": {respUser, isString | isNull}, "safety_identifier": {respSafety, isString | isNull}, "temperature": {respTemperature, isNumber | isNull},
	"top_p": {respTopP, isNumber | isNull}, "tool_choice": {respToolChoice, isString | isObject | isNull}, "parallel_tool_calls": {respParallel, isBool | isNull},
	"reasoning": {respReasoning, isObject | isNull}, "include": {respInclude, isArray | isNull}, "metadata": {respMetadata, isObject | isNull},
	"prompt_cache_key": {respCacheKey, isString | isNull}, "service_tier": {respTier, isString | isNull}, "truncation": {respTruncation, isString | isNull},
	"top_logprobs": {respTopLogprobs, isNumber | isNull}, "max_tool_calls": {respMaxToolCalls, isNumber | isNull},
	"stream_options": {respStreamOptions, isObject | isNull}, "prompt": {respPrompt, isObject | isNull},
}

// span is a piece of a body.
type span struct{ from, to int }

// respEnvelope is what must be known of a responses body.
type respEnvelope struct {
	envelope
	body     []byte
	previous string // id of the response to go on from; "" for none
	store    bool   // the response is to be kept
	refers   bool   // an item of the input stands for one that was kept
	safety   string
	at       [respFields]span // the values of the fields; an empty one is not there
}

// raw gives the value of a field as it was sent; otherwise when it is not there, or null.
func (e *respEnvelope) raw(place int, otherwise string) []byte {
	at := e.at[place]
	if v := e.body[at.from:at.to]; len(v) > 0 && string(v) != "null" {
		return v
	}
	return []byte(otherwise)
}

func (e *respEnvelope) has(place int) bool { return len(e.raw(place, "")) > 0 }

// scanResponses reads a responses body once.
func scanResponses(body []byte) (*respEnvelope, error) {
	e := &respEnvelope{body: body, store: true}
	env, err := scan(body, &bodyFields{known: respField, required: []string{"model"}, read: e.read})
	if err != nil {
		return nil, err
	}
	if env.user == "" {
		env.user = e.safety
	}
	e.envelope = env
	if !e.has(respInput) && e.previous == "" && !e.has(respPrompt) {
		return nil, fault.New(fault.Malformed, strictjson.CodeMissing, "the field is required").
			At(fault.Field{Pointer: "/input", Code: strictjson.CodeMissing, Message: "is required"})
	}
	return e, nil
}

// read goes past the value of a known field, whose kind has been checked.
func (e *respEnvelope) read(s *scanner, place int, k uint8) {
	from := s.i
	e.value(s, place, k)
	e.at[place] = span{from, s.i}
}

func (e *respEnvelope) value(s *scanner, place int, k uint8) {
	if k == isNull {
		s.skip(1)
		return
	}
	switch place {
	case respModel:
		if s.out.model = s.text(); s.err == nil && !plainText(s.out.model) {
			s.breaks("/model", "invalid_format", "must be 1 to 256 bytes without control characters")
		}
	case respInput:
		e.input(s, k)
	case respStream:
		s.out.stream = s.truth()
	case respStore:
		e.store = s.truth()
	case respPrevious:
		if e.previous = s.text(); s.err == nil && e.previous == "" {
			s.breaks("/previous_response_id", "invalid_format", "must be the id of a response")
		}
	case respBackground:
		if s.truth() {
			s.breaks("/background", "unsupported", "must not be true: responses are made while the client waits")
		}
	case respConversation:
		s.breaks("/conversation", "unsupported", "is not taken: go on from a response by previous_response_id")
	case respInstructions:
		s.out.textBytes += s.string()
	case respMaxOutput:
		s.maxOutput()
	case respTools:
		s.flatTools()
	case respText:
		s.textFormat()
	case respUser:
		s.plain(&s.out.user)
	case respSafety:
		s.plain(&e.safety)
	default:
		s.skip(1)
	}
}

// truth reads true or false.
func (s *scanner) truth() bool {
	yes := s.b[s.i] == 't'
	s.skip(1)
	return yes
}

// plain reads a string that is kept if it is fit to be.
func (s *scanner) plain(dst *string) {
	if v := s.text(); plainText(v) {
		*dst = v
	}
}

func (s *scanner) maxOutput() {
	if n, ok := s.atLeast(1, "/max_output_tokens"); ok {
		s.out.maxTokens = n
	}
}

// input counts the text of the items, and looks for images and for what stands for other items.
func (e *respEnvelope) input(s *scanner, k uint8) {
	if k == isString {
		s.out.textBytes += s.string()
		return
	}
	n := 0
	s.array(2, func() {
		if s.kind() != isObject {
			s.wrong("/input/"+strconv.Itoa(n), "must be an object")
			return
		}
		e.item(s)
		n++
	})
}

func (e *respEnvelope) item(s *scanner) {
	kind, named, sealed, role := "", false, false, false
	s.object(3, func(key []byte) {
		switch string(key) {
		case "type":
			if s.kind() == isString {
				kind = s.text()
				return
			}
		case "role":
			role = true
		case "id":
			named = s.kind() == isString
		case "encrypted_content":
			sealed = s.kind() == isString
		case "content", "output", "arguments", "input":
			s.respParts()
			return
		}
		s.skip(3)
	})
	e.refers = e.refers || refersTo(kind, named, sealed, role)
}

// refersTo reports whether an item stands for one that was kept: a reference, and a thought that the client has without what the vendor wants back.
func refersTo(kind string, named, sealed, role bool) bool {
	return kind == "item_reference" || kind == "" && named && !role || kind == "reasoning" && named && !sealed
}

// respParts counts a text, or the texts of a list of parts.
func (s *scanner) respParts() {
	if s.kind() != isArray {
		s.countText(3)
		return
	}
	s.array(4, func() {
		if s.kind() != isObject {
			s.skip(4)
			return
		}
		s.object(5, func(key []byte) {
			switch {
			case string(key) == "text", string(key) == "refusal":
				s.countText(5)
			case string(key) == "type" && s.kind() == isString:
				if s.text() == "input_image" {
					s.out.vision = true
				}
			default:
				s.skip(5)
			}
		})
	})
}

// flatTools counts the text of tools, whose fields stand beside their type.
func (s *scanner) flatTools() {
	s.array(2, func() {
		s.out.tools = true
		if s.kind() != isObject {
			s.skip(2)
			return
		}
		s.object(3, func(key []byte) {
			switch string(key) {
			case "name", "description":
				s.countText(3)
			case "parameters":
				s.countRaw(3)
			default:
				s.skip(3)
			}
		})
	})
}

func (s *scanner) textFormat() {
	s.object(2, func(key []byte) {
		if string(key) != "format" || s.kind() != isObject {
			s.skip(2)
			return
		}
		s.object(3, func(key []byte) {
			switch {
			case string(key) == "type" && s.kind() == isString:
				s.out.schema = s.text() == "json_schema"
			case string(key) == "schema":
				s.countRaw(3)
			default:
				s.skip(3)
			}
		})
	})
}
