package simulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// shape is what the JSON of a request may hold: the fields of an object, or what each element of an array is. The nil shape is anything.
type shape struct {
	fields map[string]*shape
	each   *shape
}

// object is the shape of an object with those fields, which may hold anything.
func object(names ...string) *shape {
	s := &shape{fields: map[string]*shape{}}
	for _, name := range names {
		s.fields[name] = nil
	}
	return s
}

// with gives the object another field of a shape.
func (s *shape) with(name string, field *shape) *shape {
	fields := maps.Clone(s.fields)
	fields[name] = field
	return &shape{fields: fields}
}

func list(each *shape) *shape { return &shape{each: each} }

// stranger is a field that a shape does not have.
type stranger struct {
	path []string // to the object that it is in; an element of an array is its number
	name string
}

// stranger finds the first field, by name, that the shape does not have. Spell gives a field's name as the shape has it.
func (s *shape) stranger(v any, path []string, spell func(string) string) *stranger {
	if s == nil {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		if s.fields == nil {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			field, known := s.fields[spell(name)]
			if !known {
				return &stranger{path: path, name: name}
			}
			if found := field.stranger(v[name], append(slices.Clip(path), name), spell); found != nil {
				return found
			}
		}
	case []any:
		for i, element := range v {
			if found := s.each.stranger(element, append(slices.Clip(path), strconv.Itoa(i)), spell); found != nil {
				return found
			}
		}
	}
	return nil
}

// strangerIn reads a body, which is valid JSON, and finds the first field that the shape does not have.
func (s *shape) strangerIn(body []byte, spell func(string) string) *stranger {
	var v any
	if s == nil || json.Unmarshal(body, &v) != nil {
		return nil
	}
	return s.stranger(v, nil, spell)
}

// place writes the path with the number of an element in brackets: messages[1].content.
func (s *stranger) place() string {
	out := ""
	for _, step := range s.path {
		switch {
		case step[0] >= '0' && step[0] <= '9':
			out += "[" + step + "]"
		case out == "":
			out = step
		default:
			out += "." + step
		}
	}
	return out
}

// field is the place of the field itself.
func (s *stranger) field() string {
	if place := s.place(); place != "" {
		return place + "." + s.name
	}
	return s.name
}

func asIs(name string) string { return name }
