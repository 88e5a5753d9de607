package gemini

import (
	"strconv"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// traits are what a model's name tells about what it takes and demands. A name that says nothing has the generation 0.
type traits struct {
	major, minor int // 2 and 5 of gemini-2.5-flash; an alias such as gemini-flash-latest is of the newest
	pro, lite    bool
	mute         bool // it makes pictures, speech or vectors and does not think
}

func traitsOf(model string) traits {
	name, ok := strings.CutPrefix(model, "gemini-")
	if !ok || name == "" {
		return traits{}
	}
	t := traits{pro: strings.Contains(name, "pro"), lite: strings.Contains(name, "lite")}
	for _, word := range [...]string{"-image", "-tts", "-audio", "embedding"} {
		t.mute = t.mute || strings.Contains(name, word)
	}
	if strings.HasSuffix(name, "-latest") && (name[0] < '0' || name[0] > '9') {
		t.major = 3
		return t
	}
	number, _, _ := strings.Cut(name, "-")
	major, minor, _ := strings.Cut(number, ".")
	t.major, _ = strconv.Atoi(major) // of a name that has no number: 0
	t.minor, _ = strconv.Atoi(minor)
	return t
}

// byBudget reports whether thinking is set by a number of tokens.
func (t traits) byBudget() bool { return t.major == 2 && t.minor == 5 && !t.mute }

// byLevel reports whether thinking is set by a word.
func (t traits) byLevel() bool { return t.major >= 3 && !t.mute }

// takesIDs reports whether calls and results may carry ids.
func (t traits) takesIDs() bool { return t.major >= 2 }

// takesURLs reports whether the model fetches what stands at a public address.
func (t traits) takesURLs() bool {
	return t.major == 0 || t.major > 2 || t.major == 2 && t.minor >= 5
}

// validates reports whether the model can be held to the schemas of its functions.
func (t traits) validates() bool { return t.major >= 3 || t.byBudget() }

// thinking maps what was asked for, and says whether all of it is honoured. The configuration is nil when nothing is to be sent.
func (t traits) thinking(want chat.Thinking) (*thinkingConfig, bool) {
	if want.Zero() {
		return nil, true
	}
	effort := want.EffortOr("")
	var c thinkingConfig
	var honoured bool
	switch {
	case t.byLevel():
		c.Level, honoured = t.level(effort)
	case t.byBudget():
		c.Budget, honoured = t.budget(effort, want)
	default:
		return nil, effort == "" && want.Mode != chat.ThinkingOn || effort == "none" // a model that does not think has nothing to turn off or to show
	}
	c.Include = want.Show && effort != "none"
	if c == (thinkingConfig{}) {
		return nil, honoured
	}
	return &c, honoured
}

// level is a word of the models from the third generation on. They always think: the least they do instead of nothing is not what was asked for.
func (t traits) level(effort string) (string, bool) {
	least := "MINIMAL"
	if t.pro {
		least = "LOW" // the least that Pro models take
	}
	switch effort {
	case "":
		return "", true
	case "none":
		return least, false
	case "minimal":
		return least, true
	case "low":
		return "LOW", true
	case "medium":
		if t.pro && t.major == 3 && t.minor == 0 {
			return "HIGH", true // the first Pro of its generation knows two levels
		}
		return "MEDIUM", true
	case "high", "xhigh", "max":
		return "HIGH", effort == "high" // the most there is
	}
	return "", false
}

// budget is a number of tokens of the models of generation 2.5. Pro models always think.
func (t traits) budget(effort string, want chat.Thinking) (*int, bool) {
	least, most := 1, 24_576
	switch {
	case t.pro:
		least, most = 128, 32_768
	case t.lite:
		least = 512
	}
	if effort == "none" {
		if t.pro {
			return &least, false
		}
		return new(0), true
	}
	n, honoured := 0, true
	switch {
	case want.Effort == "" && want.Budget > 0:
		n, honoured = min(max(want.Budget, least), most), want.Budget <= most
	case effort == "" && want.Mode == "":
		return nil, true // asked to show, not to think more or less
	case effort == "":
		n = -1 // the model decides
	case effort == "minimal", effort == "low":
		n = 1024
	case effort == "medium":
		n = 8192
	case effort == "high":
		n = 24_576
	case effort == "xhigh", effort == "max":
		n = most
	default:
		return nil, false
	}
	return &n, honoured
}
