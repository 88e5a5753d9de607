package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// respShape is what is the same in every response object of a call: what the client asked for, said back as OpenAI does.
type respShape struct {
	hex     string // of the call's id: all ids are made of it
	id      string
	created int64
	asked   string // up to the output
	more    string // between output and service tier
	tier    string // that was asked for
	rest    string // between service tier and usage
	whose   string // behind usage
}

// shapeOf says back what a call asked for.
func shapeOf(env *respEnvelope, r inbound.Receipt, created int64) respShape {
	said := func(b *bytes.Buffer, place int, key, otherwise string) {
		b.WriteString(`,"` + key + `":`)
		if err := json.Compact(b, env.raw(place, otherwise)); err != nil { // the body has been read
			b.WriteString(otherwise)
		}
	}
	s := respShape{hex: strings.ReplaceAll(r.CallID, "-", ""), created: created, tier: string(env.raw(respTier, `"auto"`))}
	s.id = "resp_" + s.hex
	var b bytes.Buffer
	said(&b, respInstructions, "instructions", "null")
	said(&b, respMaxOutput, "max_output_tokens", "null")
	said(&b, respMaxToolCalls, "max_tool_calls", "null")
	s.asked = b.String() + `,"model":` + string(appendString(nil, servedModel(r)))
	b.Reset()
	said(&b, respParallel, "parallel_tool_calls", "true")
	said(&b, respPrevious, "previous_response_id", "null")
	said(&b, respCacheKey, "prompt_cache_key", "null")
	said(&b, respReasoning, "reasoning", `{"effort":null,"summary":null}`)
	said(&b, respSafety, "safety_identifier", "null")
	s.more = b.String()
	b.Reset()
	b.WriteString(`,"store":` + strconv.FormatBool(env.store))
	said(&b, respTemperature, "temperature", "1.0")
	said(&b, respText, "text", `{"format":{"type":"text"},"verbosity":"medium"}`)
	said(&b, respToolChoice, "tool_choice", `"auto"`)
	said(&b, respTools, "tools", "[]")
	said(&b, respTopLogprobs, "top_logprobs", "0")
	said(&b, respTopP, "top_p", "1.0")
	said(&b, respTruncation, "truncation", `"disabled"`)
	s.rest = b.String()
	b.Reset()
	said(&b, respUser, "user", "null")
	said(&b, respMetadata, "metadata", "{}")
	s.whose = b.String()
	return s
}

// respState is what changes in a response object.
type respState struct {
	status    string
	completed int64 // 0: not yet
	failure   string
	reason    string // why it is incomplete
	output    []byte
	tier      string
	usage     *chat.Usage
}

// object appends a response object.
func (s *respShape) object(b []byte, is respState) []byte {
	b = appendString(append(b, `{"id":`...), s.id)
	b = strconv.AppendInt(append(b, `,"object":"response","created_at":`...), s.created, 10)
	b = appendString(append(b, `,"status":`...), is.status)
	b = append(b, `,"background":false,"completed_at":`...)
	if is.completed != 0 {
		b = strconv.AppendInt(b, is.completed, 10)
	} else {
		b = append(b, "null"...)
	}
	b = append(append(b, `,"error":`...), cmp.Or(is.failure, "null")...)
	b = append(b, `,"incomplete_details":`...)
	if is.reason != "" {
		b = append(appendString(append(b, `{"reason":`...), is.reason), '}')
	} else {
		b = append(b, "null"...)
	}
	b = append(append(b, s.asked...), `,"output":`...)
	if is.output != nil {
		b = append(b, is.output...)
	} else {
		b = append(b, "[]"...)
	}
	b = append(append(b, s.more...), `,"service_tier":`...)
	if is.tier != "" {
		b = appendString(b, is.tier)
	} else {
		b = append(b, s.tier...)
	}
	b = append(append(b, s.rest...), `,"usage":`...)
	b = appendUsage(b, is.usage)
	return append(append(b, s.whose...), '}')
}

func appendUsage(b []byte, u *chat.Usage) []byte {
	if u == nil {
		return append(b, "null"...)
	}
	b = strconv.AppendInt(append(b, `{"input_tokens":`...), int64(u.Input), 10)
	b = strconv.AppendInt(append(b, `,"input_tokens_details":{"cached_tokens":`...), int64(u.CacheRead), 10)
	b = strconv.AppendInt(append(b, `},"output_tokens":`...), int64(u.Output), 10)
	b = strconv.AppendInt(append(b, `,"output_tokens_details":{"reasoning_tokens":`...), int64(u.Reasoning), 10)
	b = strconv.AppendInt(append(b, `},"total_tokens":`...), int64(u.Total()), 10)
	return append(b, '}')
}

// ended says how an answer ended: its status, and why it is not complete.
func ended(f chat.Finish) (status, reason string) {
	switch f {
	case chat.FinishLength, chat.FinishPause:
		return "incomplete", "max_output_tokens"
	case chat.FinishContentFilter:
		return "incomplete", "content_filter"
	default:
		return "completed", ""
	}
}

// appendLogprobs appends the likelihoods of tokens, as they stand in a text.
func appendLogprobs(b []byte, all []chat.TokenLogprob) []byte {
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendLogprob(b, &all[i])
		b = append(b, `,"top_logprobs":[`...)
		for j := range all[i].Top {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(appendLogprob(b, &all[i].Top[j]), '}')
		}
		b = append(b, "]}"...)
	}
	return b
}

func appendLogprob(b []byte, t *chat.TokenLogprob) []byte {
	b = appendString(append(b, `{"token":`...), t.Token)
	b = append(b, `,"bytes":[`...)
	of := t.Bytes
	if of == nil {
		of = []byte(t.Token)
	}
	for i, c := range of {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(c), 10)
	}
	return strconv.AppendFloat(append(b, `],"logprob":`...), max(t.Logprob, -9999), 'g', -1, 64)
}

// appendAnnotation appends an annotation. length is how long the text is that it is on, in code points.
func appendAnnotation(b []byte, c *chat.Citation, length int) []byte {
	if f := c.Foreign; f != nil && f.Dialect == chat.DialectResponses {
		return append(b, compacted(f.JSON)...)
	}
	start, end := c.Start, c.End
	if start == end {
		start, end = 0, length
	}
	if c.URL == "" { // a document of the request
		b = appendString(append(b, `{"type":"file_citation","file_id":"","filename":`...), c.Title)
		return append(strconv.AppendInt(append(b, `,"index":`...), int64(end), 10), '}')
	}
	b = strconv.AppendInt(append(b, `{"type":"url_citation","start_index":`...), int64(start), 10)
	b = strconv.AppendInt(append(b, `,"end_index":`...), int64(end), 10)
	b = appendString(append(b, `,"title":`...), c.Title)
	return append(appendString(append(b, `,"url":`...), c.URL), '}')
}

// compacted gives JSON without line breaks, so that it can stand in an event; null for what is none.
func compacted(raw []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return []byte("null")
	}
	return b.Bytes()
}
