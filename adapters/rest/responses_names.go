package rest

import (
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// respNames are what the responses dialect calls fields of chat completions.
var respNames = map[string]string{
	"messages": "input", "max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens", "response_format": "text.format",
	"reasoning_effort": "reasoning.effort", "verbosity": "text.verbosity", "logprobs": "include",
}

// respName gives the name that this dialect has for a field of chat completions.
func respName(field string) string {
	if field == "image_url.detail" {
		return "input.content.detail"
	}
	head, rest := field, ""
	if i := strings.IndexAny(field, ".["); i >= 0 {
		head, rest = field[:i], field[i:]
	}
	if name, there := respNames[head]; there {
		return name + rest
	}
	return field
}

// respPlaces say which items of the input the parts of a request in neutral form are from.
type respPlaces struct {
	messages [][]respPlace // by message and part
	before   int           // items that stand in front of the client's own: of the response that it goes on from
}

// Items that a part may be from that are none: the instructions, and an input that is a text.
const (
	ofInstructions = -1
	ofText         = -2
)

// respPlace is where a part is from: an item, and of its content the part; less than 0: all.
type respPlace struct {
	item, part int
	kind       chat.PartKind
}

// name gives the item's name in the client's body.
func (p *respPlaces) name(at respPlace) string {
	switch {
	case at.item == ofInstructions:
		return "instructions"
	case at.item == ofText:
		return "input"
	case at.item < p.before:
		return "previous_response_id"
	}
	return "input[" + strconv.Itoa(at.item-p.before) + "]"
}

// respNameAt gives the name that this dialect has for a field of a request in neutral form, at its place in the client's body.
func respNameAt(field string, p *respPlaces) string {
	rest, ok := strings.CutPrefix(field, "messages")
	m, more, indexed := index(rest)
	if p == nil || !ok || !indexed || m >= len(p.messages) || len(p.messages[m]) == 0 {
		return respName(field)
	}
	parts := p.messages[m]
	if within, isCall := strings.CutPrefix(more, ".tool_calls"); isCall {
		if k, tail, ok := index(within); ok {
			for _, at := range parts {
				if at.kind != chat.PartToolCall {
					continue
				}
				if k--; k < 0 {
					return p.name(at) + strings.Replace(tail, ".function", "", 1)
				}
			}
		}
	}
	if within, isPart := strings.CutPrefix(more, ".content"); isPart {
		if j, tail, ok := index(within); ok && j < len(parts) {
			switch at := parts[j]; {
			case at.kind == chat.PartToolResult:
				return p.name(at) + ".output" + tail
			case at.part < 0, at.item < p.before:
				return p.name(at) + tail
			default:
				return p.name(at) + ".content[" + strconv.Itoa(at.part) + "]" + tail
			}
		}
	}
	return p.name(parts[0]) + strings.Replace(more, ".tool_call_id", ".call_id", 1)
}

// placed notes which item what was added to the conversation last is from.
func (d *respReader) placed(item int, isMessage bool) {
	for len(d.at) < len(d.conversation) {
		d.at = append(d.at, nil)
	}
	part := 0
	for m := max(0, len(d.at)-2); m < len(d.at); m++ {
		for n := len(d.at[m]); n < len(d.conversation[m].Parts); n++ {
			at := respPlace{item: item, part: -1, kind: d.conversation[m].Parts[n].Kind}
			if isMessage {
				at.part = part
			}
			d.at[m] = append(d.at[m], at)
			part++
		}
	}
}
