package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// directives are what a test asks for in the last thing that the user says, as [sim:WORD], [sim:WORD=VALUE] or several in one, [sim:WORD,WORD=VALUE]:
//
//	tools=N      calls N of the declared tools in one turn, one after the other; 0: none, although tools are declared
//	tool=NAME    calls the declared tool of that name
//	noargs       calls tools without arguments
//	preface      says something before it calls tools
//	agent=N      calls tools, one or two in turns, until N turns of results are in; then Proof of all of them
//	thinking     thinks first, though the request does not ask for it
//	redacted     thinks, and shows none of it
//	refuse       will not answer
//	filter       the vendor stops the answer: a content filter, or a blocked prompt
//	length       the answer ends in the middle, for want of tokens
//	exhausted    the same, before the first word
//	empty        a good answer that says nothing
//	pause        Anthropic's pause_turn; a good answer elsewhere
//	search       the vendor searches the web itself, and cites
//	cite=N       N citations on the text
//	say=TEXT     the answer, up to the bracket; stop sequences apply to it
//	bytes=N      an answer of N bytes
//	piece=N      a stream in pieces of N bytes, instead of 16
//	cached=N     N tokens of the prompt were kept
//	written=N    N tokens of the prompt are kept from now on
//	error        fails in the middle of a stream; a whole answer fails
//
// They hold in both modes, until the user says something else. With a result of a tool they ask for no second call; an agent goes on.
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
