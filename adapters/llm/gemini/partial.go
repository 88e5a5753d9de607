package gemini

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
)

// partialArg is a piece of a call's arguments where the vendor streams them: a value, or a piece of a string, and where it belongs.
type partialArg struct {
	Path   string          `json:"jsonPath"` // such as $.places[0].name
	String *string         `json:"stringValue"`
	Number json.RawMessage `json:"numberValue"`
	Bool   *bool           `json:"boolValue"`
	Null   json.RawMessage `json:"nullValue"`
}

var errPartial = errors.New("a piece of arguments that does not fit")

// step is one name or index of a path.
var step = regexp.MustCompile(`^(?:\.([^.\[\]]+)|\[(\d{1,6})\]|\['([^']+)'\])`)

// put sets the piece within args. Pieces of one string are joined.
func (p partialArg) put(args map[string]any) error {
	if len(p.Path) < 2 || p.Path[0] != '$' {
		return errPartial
	}
	_, err := p.into(args, p.Path[1:])
	return err
}

// into puts the piece at path below node and gives the node that takes its place.
func (p partialArg) into(node any, path string) (any, error) {
	if path == "" {
		return p.value(node), nil
	}
	m := step.FindStringSubmatch(path)
	if m == nil {
		return nil, errPartial
	}
	rest := path[len(m[0]):]
	if m[2] == "" {
		object, ok := node.(map[string]any)
		if !ok && node != nil {
			return nil, errPartial
		}
		if object == nil {
			object = map[string]any{}
		}
		name := m[1] + m[3]
		child, err := p.into(object[name], rest)
		if err != nil {
			return nil, err
		}
		object[name] = child
		return object, nil
	}
	list, ok := node.([]any)
	if !ok && node != nil {
		return nil, errPartial
	}
	i, err := strconv.Atoi(m[2])
	if err != nil || i > len(list) { // lists grow by one at a time, so that no number can make them huge
		return nil, errPartial
	}
	if i == len(list) {
		list = append(list, nil)
	}
	if list[i], err = p.into(list[i], rest); err != nil {
		return nil, err
	}
	return list, nil
}

func (p partialArg) value(before any) any {
	switch {
	case p.String != nil:
		if s, ok := before.(string); ok {
			return s + *p.String
		}
		return *p.String
	case len(p.Number) > 0:
		return p.Number
	case p.Bool != nil:
		return *p.Bool
	default:
		return nil
	}
}
