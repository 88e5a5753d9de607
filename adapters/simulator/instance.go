package simulator

import "strings"

// maxDepth and maxNodes bound how deep and how large an instance of a schema becomes.
const (
	maxDepth = 16
	maxNodes = 1000
)

// instance makes a small value that fits a JSON Schema, as far as tools and formats use it, as JSON text. Strings say what they are about.
func instance(schema any, about string) string {
	m := maker{about: about, left: maxNodes}
	return string(encode(m.value(schema, 0)))
}

type maker struct {
	about string
	left  int
}

func (m *maker) value(schema any, depth int) any {
	s, isObject := schema.(map[string]any)
	if m.left--; !isObject || depth > maxDepth || m.left < 0 {
		return map[string]any{}
	}
	if v, given := s["const"]; given {
		return v
	}
	if v, given := s["enum"].([]any); given && len(v) > 0 {
		return v[0]
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		if v, given := s[key].([]any); given && len(v) > 0 {
			return m.value(v[0], depth+1)
		}
	}
	switch kindOf(s) {
	case "string":
		return m.about
	case "integer", "number":
		if least, given := s["minimum"].(float64); given {
			return least
		}
		return 1
	case "boolean":
		return true
	case "null":
		return nil
	case "array":
		return m.array(s, depth)
	default:
		return m.object(s, depth)
	}
}

// kindOf gives the type in lower case, since Gemini writes STRING; of several, the first.
func kindOf(s map[string]any) string {
	kind, _ := s["type"].(string)
	if several, given := s["type"].([]any); given && len(several) > 0 {
		kind, _ = several[0].(string)
	}
	return strings.ToLower(kind)
}

func (m *maker) array(s map[string]any, depth int) any {
	least, _ := s["minItems"].(float64)
	items := []any{}
	for float64(len(items)) < least && m.left > 0 {
		items = append(items, m.value(s["items"], depth+1))
	}
	return items
}

func (m *maker) object(s map[string]any, depth int) any {
	out := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	for name, of := range properties {
		out[name] = m.value(of, depth+1)
	}
	return out
}
