package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// directives are what a test asks for in the last thing that the user says; the package comment lists them.
type directives struct {
	given      bool
	tools      *int
	tool       string
	noArgs     bool
	preface    bool
	agent      int
	thinking   bool
	redacted   bool
	refuse     bool
	filter     bool
	length     bool
	exhausted  bool
	empty      bool
	pause      bool
	search     bool
	cite       int
	say        *string
	bytes      int
	piece      int
	cached     int
	written    int
	breaks     bool
	complaints string // about a directive that there is not
}

const directiveMark = "[sim:"

// The bounds of what can be asked for.
const (
	maxAsked      = 1000
	maxAskedBytes = 16 << 20
)

// readDirectives finds all directives in a text.
func readDirectives(text string) directives {
	var d directives
	for {
		_, after, found := strings.Cut(text, directiveMark)
		if !found {
			return d
		}
		inside, rest, closed := strings.Cut(after, "]")
		if !closed {
			return d
		}
		d.given = true
		for inside != "" {
			word, more, _ := strings.Cut(inside, ",")
			if said, ok := strings.CutPrefix(inside, "say="); ok { // commas and all
				d.say, more = &said, ""
			} else if err := d.read(strings.TrimSpace(word)); err != nil && d.complaints == "" {
				d.complaints = err.Error()
			}
			inside = more
		}
		text = rest
	}
}

// calls reports whether tools are to be called: as it is said, else as it is usual unless something about words is said.
func (d *directives) calls(usual bool) bool {
	switch {
	case d.tools != nil:
		return *d.tools > 0
	case d.tool != "" || d.noArgs || d.preface:
		return true
	}
	return usual && d.say == nil && d.bytes == 0 && d.cite == 0 && !d.search && !d.length
}

func (d *directives) read(directive string) error {
	word, value, valued := strings.Cut(directive, "=")
	if flag := d.flag(word); flag != nil && !valued {
		*flag = true
		return nil
	}
	if word == "tool" && value != "" {
		d.tool = value
		return nil
	}
	number, most := d.number(word)
	if number == nil || !valued {
		return fmt.Errorf("the simulator has no directive %q", directive)
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > most {
		return fmt.Errorf("the simulator's directive %s: want 0..%d", word, most)
	}
	*number = n
	return nil
}

func (d *directives) flag(word string) *bool {
	return map[string]*bool{
		"noargs": &d.noArgs, "preface": &d.preface, "thinking": &d.thinking, "redacted": &d.redacted, "refuse": &d.refuse, "filter": &d.filter,
		"length": &d.length, "exhausted": &d.exhausted, "empty": &d.empty, "pause": &d.pause, "search": &d.search, "error": &d.breaks,
	}[word]
}

func (d *directives) number(word string) (value *int, most int) {
	switch word {
	case "tools":
		d.tools = new(int)
		return d.tools, maxAsked
	case "agent":
		return &d.agent, maxAsked
	case "cite":
		return &d.cite, maxAsked
	case "bytes":
		return &d.bytes, maxAskedBytes
	case "piece":
		return &d.piece, maxAskedBytes
	case "cached":
		return &d.cached, maxAskedBytes
	case "written":
		return &d.written, maxAskedBytes
	}
	return nil, 0
}
