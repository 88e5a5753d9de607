package rest

import (
	"strconv"
	"strings"
)

// messageFields are those of a messages body; countFields those of a body whose tokens are counted, where no answer is limited.
var (
	messageFields = bodyFields{known: messageField, required: []string{"model", "messages", "max_tokens"}, read: (*scanner).messageField}
	countFields   = bodyFields{known: messageField, required: []string{"model", "messages"}, read: (*scanner).messageField}
)

// messageField says what is known of a field of the body.
func messageField(key []byte) (place int, kinds uint8) {
	switch string(key) {
	case "model":
		return 0, isString
	case "messages":
		return 1, isArray
	case "max_tokens":
		return 2, isNumber
	case "stream":
		return 3, isBool | isNull
	case "system":
		return 4, isString | isArray | isNull
	case "tools":
		return 5, isArray | isNull
	case "metadata":
		return 6, isObject | isNull
	case "output_config":
		return 7, isObject | isNull
	case "output_format":
		return 8, isObject | isNull
	case "stop_sequences":
		return 9, isArray | isNull
	case "mcp_servers":
		return 10, isArray | isNull
	case "temperature":
		return 11, isNumber | isNull
	case "top_p":
		return 12, isNumber | isNull
	case "top_k":
		return 13, isNumber | isNull
	case "tool_choice":
		return 14, isObject | isNull
	case "thinking":
		return 15, isObject | isNull
	case "service_tier":
		return 16, isString | isNull
	case "cache_control":
		return 17, isObject | isNull
	case "context_management":
		return 18, isObject | isNull
	case "container":
		return 19, isString | isObject | isNull
	case "speed": // which has its own price
		return 20, isString | isNull
	case "fallbacks": // in place of the model
		return 21, isString | isArray | isNull
	}
	return -1, 0
}

// messageField reads a known field.
func (s *scanner) messageField(place int, k uint8) {
	switch {
	case place == 0:
		if s.out.model = s.text(); s.err == nil && !plainText(s.out.model) {
			s.breaks("/model", "invalid_format", "must be 1 to 256 bytes without control characters")
		}
	case place == 1:
		s.turns()
	case place == 2:
		s.mostTokens()
	case place == 3:
		s.out.stream = s.b[s.i] == 't'
		s.skip(1)
	case place == 4:
		s.said(1)
	case place == 21:
		s.otherModels(1)
	case place == 5 && k == isArray:
		s.declared()
	case place == 6 && k == isObject:
		s.endUser()
	case place == 7 && k == isObject:
		s.object(2, func(key []byte) {
			if string(key) == "format" && s.kind() == isObject {
				s.schemaFormat(2)
				return
			}
			s.skip(2)
		})
	case place == 8 && k == isObject:
		s.schemaFormat(1)
	default:
		s.skip(1)
	}
}

// mostTokens reads max_tokens. 0 has a vendor keep the prompt and say nothing.
func (s *scanner) mostTokens() {
	if n, ok := s.atLeast(0, "/max_tokens"); ok {
		s.out.maxTokens = n
	}
}

// endUser reads whom the caller calls its user.
func (s *scanner) endUser() {
	s.object(2, func(key []byte) {
		if string(key) != "user_id" || s.kind() != isString {
			s.skip(2)
			return
		}
		if user := s.text(); plainText(user) {
			s.out.user = user
		}
	})
}

// schemaFormat reads a format that may hold a schema.
func (s *scanner) schemaFormat(depth int) {
	s.object(depth+1, func(key []byte) {
		switch {
		case string(key) == "type" && s.kind() == isString:
			s.out.schema = string(s.key()) == "json_schema"
		case string(key) == "schema":
			s.countRaw(depth + 1)
		default:
			s.skip(depth + 1)
		}
	})
}

// turns counts the text of the messages and looks for images.
func (s *scanner) turns() {
	n := 0
	s.array(2, func() {
		if s.kind() != isObject {
			s.wrong("/messages/"+strconv.Itoa(n), "must be an object")
			return
		}
		s.object(3, func(key []byte) {
			if string(key) != "content" {
				s.skip(3)
				return
			}
			switch s.kind() {
			case isString, isArray:
				s.said(3)
			case 0:
				s.fail("a value is missing")
			default:
				s.wrong("/messages/"+strconv.Itoa(n)+"/content", "must be a string or an array of blocks")
			}
		})
		n++
	})
	if s.err == nil && n == 0 {
		s.breaks("/messages", "too_short", "must have at least 1 item")
	}
}

// said counts the text of a string, or of the blocks of a list; anything else is only passed.
func (s *scanner) said(depth int) {
	switch s.kind() {
	case isString:
		s.out.textBytes += s.string()
	case isArray:
		s.array(depth+1, func() {
			if s.kind() == isObject {
				s.block(depth + 1)
				return
			}
			s.skip(depth + 1)
		})
	default:
		s.skip(depth)
	}
}

// block counts the text of a block, of what is within it too.
func (s *scanner) block(depth int) {
	s.object(depth+1, func(key []byte) {
		switch string(key) {
		case "type":
			if s.kind() == isString {
				s.out.vision = string(s.key()) == "image" || s.out.vision
				return
			}
			s.skip(depth + 1)
		case "text", "thinking", "title", "context", "name":
			s.countText(depth + 1)
		case "input":
			s.countRaw(depth + 1)
		case "content":
			s.said(depth + 1)
		case "source":
			if s.kind() == isObject {
				s.source(depth + 1)
				return
			}
			s.skip(depth + 1)
		default:
			s.skip(depth + 1)
		}
	})
}

// source counts the text of a document that is text.
func (s *scanner) source(depth int) {
	data, plain := 0, false
	s.object(depth+1, func(key []byte) {
		switch {
		case string(key) == "type" && s.kind() == isString:
			plain = string(s.key()) == "text"
		case string(key) == "data" && s.kind() == isString:
			data = s.string()
		case string(key) == "content":
			s.said(depth + 1)
		default:
			s.skip(depth + 1)
		}
	})
	if plain {
		s.out.textBytes += data
	}
}

// declared counts the text of the tools, their schemas as sent.
func (s *scanner) declared() {
	start := s.i
	s.array(2, func() {
		if s.kind() != isObject {
			s.skip(2)
			return
		}
		s.object(3, func(key []byte) {
			switch string(key) {
			case "name", "description":
				s.countText(3)
			case "input_schema":
				s.countRaw(3)
			default:
				s.skip(3)
			}
		})
	})
	s.out.tools = strings.Trim(string(s.b[start:min(s.i, start+8)]), "[] \t\r\n") != ""
}
