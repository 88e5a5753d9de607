package bedrock

import (
	"regexp"
	"strconv"
	"strings"
)

// family is whose a model is.
type family string

// The families that differ in what Converse can ask of them. Any other is taken at the API's word.
const (
	claude  family = "claude"
	nova    family = "nova"
	gptOSS  family = "gpt-oss"
	llama   family = "llama"
	mistral family = "mistral"
	titan   family = "titan"
	cohere  family = "cohere"
	other   family = ""
)

// model is what models differ in, read off a name. An ARN of an inference profile of somebody's own says nothing: it is taken to be of no family.
type model struct {
	family  family
	version int // of Claude and Nova, 100 for each whole version: 405 is 4.5; 0: before there was anything to tell apart
}

// Versions of Claude from which on something changed, and Nova's second, which thinks.
const (
	v3_7 = 307 // thinks
	v4_1 = 401 // refuses temperature and topP together
	v4_5 = 405 // answers by a schema; keeps prompts for an hour
	v4_6 = 406 // decides itself how much to think; refuses to go on from an assistant's words
	v4_7 = 407 // refuses budgets of thought, and sampling
	v2   = 200
)

var (
	claudeName = regexp.MustCompile(`claude-(?:(?:opus|sonnet|haiku|instant|fable|mythos)-)?(\d{1,2})(?:[-.](\d{1,2}))?(?:\D|$)`)
	novaName   = regexp.MustCompile(`nova-(\d)-`)
)

// modelOf reads a name such as us.anthropic.claude-sonnet-4-5-20250929-v1:0, or an ARN that ends in one.
func modelOf(name string) model {
	name = strings.ToLower(name)
	for word, f := range map[string]family{
		"anthropic.claude": claude, "amazon.nova": nova, "openai.gpt-oss": gptOSS, "meta.llama": llama, "mistral.": mistral, "amazon.titan": titan,
		"cohere.": cohere,
	} {
		if !strings.Contains(name, word) {
			continue
		}
		m := model{family: f}
		switch f {
		case claude:
			m.version = versionOf(claudeName.FindStringSubmatch(name))
			if m.version == 0 && (strings.Contains(name, "fable") || strings.Contains(name, "mythos")) {
				m.version = 5 * 100
			}
		case nova:
			m.version = versionOf(novaName.FindStringSubmatch(name))
		}
		return m
	}
	return model{}
}

func versionOf(m []string) int {
	v := 0
	for i, unit := range [...]int{100, 1} {
		if i+1 < len(m) {
			n, _ := strconv.Atoi(m[i+1]) // of two digits at most, or of none
			v += n * unit
		}
	}
	return v
}

func (m model) is(f family) bool { return m.family == f }

// claudeSince reports whether the model is a Claude of a version or later.
func (m model) claudeSince(version int) bool { return m.is(claude) && m.version >= version }

// takesBudgets: takes a number of tokens to think with.
func (m model) takesBudgets() bool { return m.claudeSince(v3_7) && m.version < v4_7 }

// takesSampling: takes temperature, topP and topK.
func (m model) takesSampling() bool { return !m.claudeSince(v4_7) }

// takesSchema: answers by a JSON Schema.
func (m model) takesSchema() bool {
	switch m.family {
	case claude:
		return m.version >= v4_5
	case nova, llama, titan, cohere:
		return false
	default:
		return true
	}
}

// takesForcedTools: can be made to call some tool, or, named, a certain one.
func (m model) takesForcedTools(named bool) bool {
	switch m.family {
	case claude, nova, other:
		return true
	case mistral:
		return !named
	default:
		return false
	}
}

// takesCachePoints: keeps prompts where it is told to.
func (m model) takesCachePoints() bool { return m.is(claude) || m.is(nova) || m.is(other) }

// signs is the format of the signatures that the model puts on its thoughts, and takes back.
func (m model) signs() string {
	if m.is(claude) {
		return formatClaude
	}
	return formatOther
}
