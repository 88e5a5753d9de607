package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// The events of Anthropic's streams.
type (
	anthropicEvent struct {
		Type    string               `json:"type"`
		Message *anthropicAnswer     `json:"message,omitempty"`
		Index   *int                 `json:"index,omitempty"`
		Block   any                  `json:"content_block,omitempty"`
		Delta   any                  `json:"delta,omitempty"`
		Usage   *anthropicDeltaUsage `json:"usage,omitempty"`
	}
	anthropicTextDelta struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	anthropicJSONDelta struct {
		Type string `json:"type"`
		JSON string `json:"partial_json"`
	}
	anthropicThinkingDelta struct {
		Type     string `json:"type"`
		Thinking string `json:"thinking"`
	}
	anthropicSignatureDelta struct {
		Type      string `json:"type"`
		Signature string `json:"signature"`
	}
	anthropicCiteDelta struct {
		Type string        `json:"type"`
		Cite anthropicCite `json:"citation"`
	}
	anthropicStop struct {
		StopReason   string            `json:"stop_reason"`
		StopSequence *string           `json:"stop_sequence"`
		StopDetails  *anthropicDetails `json:"stop_details,omitempty"`
	}
)

// anthropicStream writes events one after another.
type anthropicStream struct {
	a   *answer
	out []piece
}

func (s *anthropicStream) write(e anthropicEvent) {
	s.out = append(s.out, event(e.Type, pad(encode(e), int((s.a.serial+uint64(7*len(s.out)))%16)))) //nolint:gosec // below 16
}

func (s *anthropicStream) delta(index int, delta any) {
	s.write(anthropicEvent{Type: "content_block_delta", Index: &index, Delta: delta})
}

// stream counts tokens cumulatively, pads its events, and pings.
func (anthropic) stream(c *call, a *answer) (http.Header, []piece) {
	s := &anthropicStream{a: a}
	opening := a.anthropic(c)
	opening.Usage.Output = 1
	s.write(anthropicEvent{Type: "message_start", Message: &opening})
	blocks, of := a.anthropicBlocks(c)
	for i, block := range blocks {
		s.write(anthropicEvent{Type: "content_block_start", Index: &i, Block: opened(block)})
		if i == 0 {
			s.out = append(s.out, event("ping", []byte(`{"type": "ping"}`)))
		}
		s.block(i, block, of[i])
		s.write(anthropicEvent{Type: "content_block_stop", Index: &i})
	}
	s.write(anthropicEvent{
		Type: "message_delta", Delta: anthropicStop{anthropicStopReason(a), a.anthropicStop(), a.anthropicDetails()},
		Usage: &anthropicDeltaUsage{Input: a.in - a.cached - a.written, CacheReads: a.cached, CacheWrites: a.written, Output: a.out},
	})
	s.write(anthropicEvent{Type: "message_stop"})
	return anthropicHeader(a, "text/event-stream; charset=utf-8"), s.out
}

// opened is a block as it begins.
func opened(block any) any {
	switch block := block.(type) {
	case anthropicThought:
		return anthropicThought{Type: block.Type}
	case anthropicText:
		return anthropicText{Type: block.Type}
	case anthropicToolUse:
		block.Input = json.RawMessage("{}")
		return block
	default: // comes whole
		return block
	}
}

// block writes the pieces of a block.
func (s *anthropicStream) block(i int, block any, p part) {
	switch block := block.(type) {
	case anthropicThought:
		for _, text := range p.pieces {
			s.delta(i, anthropicThinkingDelta{"thinking_delta", text})
		}
		s.delta(i, anthropicSignatureDelta{"signature_delta", block.Signature})
	case anthropicText:
		for _, text := range p.pieces {
			s.delta(i, anthropicTextDelta{"text_delta", text})
		}
		for _, cited := range block.Cites {
			s.delta(i, anthropicCiteDelta{"citations_delta", cited})
		}
	case anthropicToolUse:
		s.delta(i, anthropicJSONDelta{"input_json_delta", ""})
		for _, text := range p.pieces { // a call without arguments has the empty piece alone
			s.delta(i, anthropicJSONDelta{"input_json_delta", text})
		}
	}
}

// broken is an error in place of the rest.
func (a anthropic) broken(*call, *answer, int) []piece {
	return []piece{event("error", []byte(`{"type":"error","error":{"details":null,"type":"overloaded_error","message":"`+a.failure(statusOverloaded).message+`"}}`))}
}

// counted answers a count of tokens.
func (anthropic) counted(c *call) func(*answer) reply {
	tokens := chat.EstimateTokens(c.textBytes)
	return func(a *answer) reply {
		body := encode(struct {
			Input int `json:"input_tokens"`
		}{tokens})
		return reply{status: http.StatusOK, header: anthropicHeader(a, "application/json"), body: body}
	}
}

// pad puts spaces in front of the last brace, as Anthropic does.
func pad(data []byte, n int) []byte {
	last := bytes.LastIndexByte(data, '}')
	out := make([]byte, 0, len(data)+n)
	out = append(append(out, data[:last]...), strings.Repeat(" ", n)...)
	return append(out, data[last:]...)
}
