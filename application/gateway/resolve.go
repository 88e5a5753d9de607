package gateway

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/routing"
)

// maxModelName bounds a model's name in bytes; longer ones are nobody's.
const maxModelName = 256

// wish is what a model name and a task type ask for.
type wish struct {
	task  routing.TaskType
	pin   *routing.Target // nil: not pinned
	alias *routing.Alias  // nil: no alias
}

// resolve reads a model name, in this order: nothing or auto, auto:<task type>, the aliases that the tenant can use, <provider>/<model>, a bare
// name that the catalogue knows. The task type given wins over that of the name. It fails with ErrModelNotFound, or with the fault of a bad task
// type.
func (s *Service) resolve(l *landscape, p *routing.Policy, model, taskType string) (wish, error) {
	task, err := routing.ParseTaskType(taskType)
	if err != nil {
		return wish{}, err
	}
	w := wish{task: task}
	if model == "" || model == "auto" {
		return w, nil
	}
	if name, ok := strings.CutPrefix(model, "auto:"); ok {
		named, err := routing.ParseTaskType(name)
		if err != nil || name == "" {
			return wish{}, notFound(model)
		}
		if taskType == "" {
			w.task = named
		}
		return w, nil
	}
	if !plausible(model) {
		return wish{}, ErrModelNotFound
	}
	if alias, ok := p.Alias(model); ok {
		w.alias = &alias
		return w, nil
	}
	if provider, name, ok := strings.Cut(model, "/"); ok && l.connections[provider] != nil {
		if name == "" {
			return wish{}, notFound(model)
		}
		w.pin = &routing.Target{Provider: strings.Clone(provider), Model: strings.Clone(name)}
		return w, nil
	}
	provider := s.homeOf(l, model)
	if provider == "" {
		return wish{}, notFound(model)
	}
	w.pin = &routing.Target{Provider: provider, Model: strings.Clone(model)}
	return w, nil
}

// homeOf gives the provider that a bare name is pinned to: of the vendors that know it, the one whose own it is comes first, and of several
// connections to that vendor a configured one. A connection's own default model is known too, so that servers outside the catalogue can
// be asked by bare name. It is "" when nobody knows the name.
func (s *Service) homeOf(l *landscape, model string) string {
	for _, vendor := range s.Catalogue.Vendors(model) {
		home := ""
		for _, c := range l.ordered {
			if c.Vendor != vendor {
				continue
			}
			if len(c.Credentials) > 0 {
				return c.Name
			}
			if home == "" {
				home = c.Name
			}
		}
		if home != "" {
			return home
		}
	}
	for _, c := range l.ordered {
		if c.DefaultModel == model {
			return c.Name
		}
	}
	return ""
}

// plausible reports whether a text can be a model's name: such a name is stored, logged and sent on.
func plausible(name string) bool {
	return len(name) <= maxModelName && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func notFound(model string) error {
	if !plausible(model) {
		return ErrModelNotFound
	}
	return ErrModelNotFound.Saying(fmt.Sprintf("there is no model %q here; GET /v1/models lists them", model))
}
