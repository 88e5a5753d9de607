package anthropic

import "strings"

// model is what the vendor's models differ in, read off a name: a model that came out later is taken to be like the latest known of its kind. A name
// that says nothing is taken at its word: everything is sent to it.
type model struct {
	family  string // opus, sonnet, haiku, fable, mythos; "" for a name that says nothing
	version int    // 100 for each whole version: 405 is 4.5
}

// Versions from which on something changed.
const (
	v3_5 = 305
	v3_7 = 307 // thinks
	v4_1 = 401 // refuses temperature and top_p together; opus: answers by a schema
	v4_5 = 405 // answers by a schema
	v4_6 = 406 // decides itself how much to think; refuses to go on from an assistant's words
	v4_7 = 407 // refuses budgets of thought, and sampling
	v5   = 500 // thinks unless told not to
)

var families = map[string]bool{"opus": true, "sonnet": true, "haiku": true, "fable": true, "mythos": true, "instant": true}

// modelOf reads a name such as claude-opus-4-8, claude-3-5-sonnet-20241022 or us.anthropic.claude-sonnet-4.6.
func modelOf(name string) model {
	_, rest, ok := strings.Cut(strings.ToLower(name), "claude-")
	if !ok {
		return model{}
	}
	var m model
	var numbers []int
	for _, word := range strings.FieldsFunc(rest, func(r rune) bool { return r == '-' || r == '.' || r == '@' || r == ':' }) {
		n, ok := small(strings.TrimPrefix(word, "v"))
		switch {
		case families[word] && m.family == "":
			m.family = word
		case ok && len(numbers) < 2:
			numbers = append(numbers, n)
		case !ok && len(numbers) > 0 && m.family != "":
			numbers = append(numbers, 0, 0) // a date: what follows it is no version
		}
	}
	switch {
	case len(numbers) == 0 && (m.family == "fable" || m.family == "mythos"):
		m.version = v5
	case len(numbers) == 0:
		return model{}
	case m.family == "":
		m.family = "claude" // the first ones had no family
	}
	for i, unit := range [...]int{100, 1} {
		if i < len(numbers) {
			m.version += numbers[i] * unit
		}
	}
	return m
}

// small reads a number of one or two digits: longer ones are dates.
func small(s string) (int, bool) {
	n := 0
	for _, r := range s {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = n*10 + int(r-'0')
	}
	return n, s != "" && len(s) <= 2
}

func (m model) known() bool { return m.family != "" }

// since reports whether the model is of a version or later; one that is not known never is.
func (m model) since(version int) bool { return m.known() && m.version >= version }

func (m model) before(version int) bool { return m.known() && m.version < version }

// alwaysThinks: thinking cannot be turned off.
func (m model) alwaysThinks() bool { return m.family == "fable" || m.family == "mythos" }

// decidesItself: takes thinking of type adaptive, and an effort.
func (m model) decidesItself() bool { return !m.known() || m.since(v4_6) }

// takesBudgets: takes a number of tokens to think with.
func (m model) takesBudgets() bool { return m.since(v3_7) && m.before(v4_7) }

// takesEffort: takes output_config.effort.
func (m model) takesEffort() bool { return m.decidesItself() || m.family == "opus" && m.since(v4_5) }

// takesSampling: takes temperature, top_p and top_k.
func (m model) takesSampling() bool { return !m.since(v4_7) }

// takesSchema: answers by a JSON Schema.
func (m model) takesSchema() bool {
	return !m.known() || m.since(v4_5) || m.family == "opus" && m.since(v4_1)
}

// takesPrefill: goes on from the words of a last assistant message.
func (m model) takesPrefill() bool { return !m.since(v4_6) }

// takesForcedTools: can be made to call a tool.
func (m model) takesForcedTools() bool {
	return !m.alwaysThinks() || m.family == "fable" && m.version == v5
}

// mostTokens is the limit of an answer that is sent when the caller set none, because the vendor demands one: as much as every model of its
// generation takes.
func (m model) mostTokens() int {
	switch {
	case m.since(v3_7):
		return 32_000
	case m.since(v3_5):
		return 8192
	default:
		return 4096
	}
}
