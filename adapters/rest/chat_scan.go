package rest

import (
	"strconv"
	"strings"
)

// chatFields are those of a chat completions body.
var chatFields = bodyFields{known: chatField, required: []string{"model", "messages"}, read: (*scanner).chatField}

// scanChat reads a chat completions body once.
func scanChat(body []byte) (envelope, error) { return scan(body, &chatFields) }

// chatField says what is known of a field of the body.
func chatField(key []byte) (place int, kinds uint8) {
	switch string(key) {
	case "model":
		return 0, isString
	case "messages":
		return 1, isArray
	case "stream":
		return 2, isBool | isNull
	case "stream_options":
		return 3, isObject | isNull
	case "max_tokens":
		return 4, isNumber | isNull
	case "max_completion_tokens":
		return 5, isNumber | isNull
	case "tools":
		return 6, isArray | isNull
	case "functions":
		return 7, isArray | isNull
	case "response_format":
		return 8, isObject | isNull
	case "user":
		return 9, isString | isNull
	case "temperature":
		return 10, isNumber | isNull
	case "top_p":
		return 11, isNumber | isNull
	case "n":
		return 12, isNumber | isNull
	case "seed":
		return 13, isNumber | isNull
	case "stop":
		return 14, isString | isArray | isNull
	case "tool_choice":
		return 15, isString | isObject | isNull
	case "parallel_tool_calls":
		return 16, isBool | isNull
	case "frequency_penalty":
		return 17, isNumber | isNull
	case "presence_penalty":
		return 18, isNumber | isNull
	case "logprobs":
		return 19, isBool | isNull
	case "top_logprobs":
		return 20, isNumber | isNull
	case "logit_bias":
		return 21, isObject | isNull
	case "metadata":
		return 22, isObject | isNull
	case "reasoning_effort":
		return 23, isString | isNull
	case "store":
		return 24, isBool | isNull
	case "service_tier": // which has its own price
		return 26, isString | isNull
	}
	return routerField(key)
}

// routerField tells the fields that only OpenRouter knows.
func routerField(key []byte) (place int, kinds uint8) {
	switch string(key) {
	case "usage": // to ask for it
		return 25, isObject | isNull
	case "reasoning":
		return 27, isObject | isNull
	case "models": // in place of the model
		return 28, isArray | isNull
	case "preset": // likewise
		return 29, isString | isNull
	}
	return -1, 0
}

// chatField reads a known field.
func (s *scanner) chatField(place int, k uint8) {
	switch place {
	case 0:
		if s.out.model = s.text(); s.err == nil && !plainText(s.out.model) {
			s.breaks("/model", "invalid_format", "must be 1 to 256 bytes without control characters")
		}
	case 1:
		s.messages()
	case 2:
		s.out.stream = s.b[s.i] == 't'
		s.skip(1)
	case 3:
		s.asksForUsage(k, "/stream_options", "include_usage")
	case 28, 29:
		s.otherModels(1)
	case 25:
		s.asksForUsage(k, "/usage", "include")
	case 4, 5:
		s.limit(place, k)
	case 6, 7:
		if k == isArray {
			s.tools()
		} else {
			s.skip(1)
		}
	case 8:
		s.format(k)
	case 9:
		if k == isString {
			if user := s.text(); plainText(user) {
				s.out.user = user
			}
		} else {
			s.skip(1)
		}
	default:
		s.skip(1)
	}
}

// asksForUsage reads an object with a member that asks for usage at the end of a stream.
func (s *scanner) asksForUsage(k uint8, field, name string) {
	if k != isObject {
		s.skip(1)
		return
	}
	twice := false
	s.object(2, func(key []byte) {
		if string(key) != name {
			s.skip(2)
			return
		}
		if twice {
			s.clash(field+"/"+name, "stands twice")
			return
		}
		twice = true
		if k := s.kind(); k&(isBool|isNull) == 0 {
			s.wrong(field+"/"+name, "must be true or false")
			return
		}
		s.out.includeUsage = s.out.includeUsage || s.b[s.i] == 't'
		s.skip(2)
	})
}

// limit reads max_tokens (4) or max_completion_tokens (5), which wins.
func (s *scanner) limit(place int, k uint8) {
	if k != isNumber {
		s.skip(1)
		return
	}
	name := "/max_tokens"
	if place == 5 {
		name = "/max_completion_tokens"
	}
	if n, ok := s.atLeast(1, name); ok && (place == 5 || s.out.maxTokens == 0) {
		s.out.maxTokens = n
	}
}

// messages counts the text of the messages and looks for images.
func (s *scanner) messages() {
	n := 0
	s.array(2, func() {
		if s.kind() != isObject {
			s.wrong("/messages/"+strconv.Itoa(n), "must be an object")
			return
		}
		s.object(3, func(key []byte) {
			switch string(key) {
			case "content":
				s.content(n)
			case "tool_calls":
				s.texts("name", "arguments", 3)
			case "images": // that a model made
				s.pictures()
			default:
				s.skip(3)
			}
		})
		n++
	})
	if s.err == nil && n == 0 {
		s.breaks("/messages", "too_short", "must have at least 1 item")
	}
}

// pictures goes past a list of pictures.
func (s *scanner) pictures() {
	if s.kind() != isArray {
		s.skip(3)
		return
	}
	s.array(4, func() {
		s.out.vision = true
		s.skip(4)
	})
}

func (s *scanner) content(n int) {
	switch s.kind() {
	case isString:
		s.out.textBytes += s.string()
	case isArray:
		s.array(4, func() {
			if s.kind() != isObject {
				s.skip(4)
				return
			}
			s.object(5, func(key []byte) {
				switch string(key) {
				case "text":
					s.countText(5)
				case "image_url":
					s.out.vision = true
					s.skip(5)
				default:
					s.skip(5)
				}
			})
		})
	case isNull:
		s.skip(3)
	case 0:
		s.fail("a value is missing")
	default:
		s.wrong("/messages/"+strconv.Itoa(n)+"/content", "must be a string or an array of parts")
	}
}

// tools counts the text of the tools, their schemas as sent.
func (s *scanner) tools() {
	start := s.i
	s.texts("name", "description", 1)
	s.out.tools = s.out.tools || len(strings.Trim(string(s.b[start:min(s.i, start+8)]), "[] \t\r\n")) > 0
}

func (s *scanner) format(k uint8) {
	if k != isObject {
		s.skip(1)
		return
	}
	s.object(2, func(key []byte) {
		switch {
		case string(key) == "type" && s.kind() == isString:
			s.out.schema = s.text() == "json_schema"
		case string(key) == "json_schema" && s.kind() == isObject:
			s.object(3, func(key []byte) {
				if string(key) == "schema" {
					s.countRaw(3)
					return
				}
				s.skip(3)
			})
		default:
			s.skip(2)
		}
	})
}

// otherModels reads the names of models: a name, a list of them, or objects that have one.
func (s *scanner) otherModels(depth int) {
	switch s.kind() {
	case isString:
		name := s.text()
		if !plainText(name) {
			name = "?" // which no list has
		}
		s.out.others = append(s.out.others, name)
	case isArray:
		s.array(depth+1, func() { s.otherModels(depth + 1) })
	case isObject:
		s.object(depth+1, func(key []byte) {
			if string(key) == "model" {
				s.otherModels(depth + 1)
				return
			}
			s.skip(depth + 1)
		})
	default:
		s.skip(depth)
	}
}
