package simulator

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// compose makes up an answer: what the user's directives ask for, else a tool call where tools are offered, JSON where JSON is asked for, else friendly
// words about the task. In echo mode the words are the hash of the last user message, and tools are called when asked for alone.
func compose(c *call, vendor string, echoes bool, turn func(n int) int) *answer {
	a := &answer{}
	for choice := range c.choices {
		parts := c.ponder()
		switch d := c.asks; {
		case d.empty, d.filter, d.exhausted:
		case d.refuse:
			parts = append(parts, part{kind: refusing, text: "I'm sorry, but I can't help with that."})
		case c.agentCalls() > 0:
			parts = append(parts, c.uses(c.agentCalls())...)
		case d.agent > 0 && (c.rounds > 0 || len(c.tools) == 0):
			parts = append(parts, part{kind: words, text: Proof(c.results...)})
		case c.wantsTool() && d.calls(!echoes):
			n := 1
			if d.tools != nil {
				n = *d.tools
			}
			parts = append(parts, c.uses(n)...)
		default:
			parts = append(parts, c.speak(vendor, echoes, turn)...)
			if said := &parts[len(parts)-1]; choice > 0 && !echoes && !c.json && d.say == nil {
				said.text = fmt.Sprintf("(%d) %s", choice+1, said.text)
			}
		}
		a.choices = append(a.choices, parts)
		a.finish = max(a.finish, finishOf(parts))
		if !echoes || c.asks.given {
			a.limit(c, choice)
		}
	}
	switch {
	case c.asks.filter:
		a.finish = filtered
	case c.asks.exhausted:
		a.finish = exhausted
	case c.asks.pause && a.finish == ended:
		a.finish = paused
	}
	return a
}

// agentCalls is how many tools an agent calls in this turn: one and two by turns, none when it has what it wants.
func (c *call) agentCalls() int {
	if len(c.tools) == 0 || c.noTools || c.rounds >= c.asks.agent {
		return 0
	}
	return 1 + c.rounds%2
}

// ponder is the thinking in front of an answer.
func (c *call) ponder() []part {
	if !c.thinks && !c.asks.thinking && !c.asks.redacted {
		return nil
	}
	text := fmt.Sprintf("The user asks about “%s”. This is step %d. I think about it, and then I answer.", topic(c.user), c.rounds+1)
	return []part{{kind: thinking, text: text, hidden: c.asks.redacted}}
}

// conceals reports whether thinking is not shown: by the directive, or since the request does not ask to see it.
func (c *call) conceals(p part) bool { return p.hidden || c.hides && !c.asks.thinking }

// uses makes n tool calls, in turns of the declared tools, of which none is like another.
func (c *call) uses(n int) []part {
	var out []part
	if c.asks.preface {
		out = append(out, part{kind: words, text: "Let me look that up."})
	}
	first := 0
	for i, t := range c.tools {
		if t.name == c.force || c.force == "" && t.name == c.asks.tool {
			first = i
		}
	}
	for i := range n {
		t := c.tools[first]
		if c.force == "" && c.asks.tool == "" {
			t = c.tools[(first+i)%len(c.tools)]
		}
		about := topic(c.user)
		if c.asks.agent > 0 || n > 1 {
			about = fmt.Sprintf("step %d, call %d", c.rounds+1, i+1)
		}
		args := instance(t.schema, about)
		if c.asks.noArgs {
			args = "{}"
		}
		out = append(out, part{kind: calling, name: t.name, text: args, n: i})
	}
	return out
}

// speak is an answer in words, the search in front of it and its citations.
func (c *call) speak(vendor string, echoes bool, turn func(n int) int) []part {
	said := part{kind: words}
	switch d := c.asks; {
	case d.say != nil:
		said.text = *d.say
	case d.bytes > 0:
		said.text = strings.Repeat("All work and no play. ", d.bytes/22+1)[:d.bytes]
	case echoes:
		return echo(c)
	case c.json && c.schema != nil:
		said.text = instance(c.schema, topic(c.user))
	case c.json:
		said.text = string(encode(map[string]string{"answer": friendly(c, vendor, turn)}))
	default:
		said.text = friendly(c, vendor, turn)
	}
	var out []part
	searches := c.asks.search || c.search && !c.answered
	if searches {
		out = append(out, part{kind: searching, text: topic(c.user)})
	}
	cites := c.asks.cite
	if searches && cites == 0 {
		cites = 1
	}
	for i := range cites {
		start := min(i*8, len(said.text))
		end := min(start+8, len(said.text))
		said.cites = append(said.cites, cite{
			url: fmt.Sprintf("https://example.com/source/%d", i+1), title: fmt.Sprintf("Source %d", i+1), text: strings.ToValidUTF8(said.text[start:end], ""), start: start, end: end,
		})
	}
	return append(out, said)
}

var friendlyWords = []string{
	"Happy to help with “%[1]s”. This is %[2]s, played by the simulator: a real model would answer here. Three steps that always help: say what you want, show an example, and check the result.",
	"Good question about “%[1]s”. %[2]s is simulated here, so take this as a stand-in: start small, measure, and keep what works.",
	"Here is a short answer on “%[1]s” from the simulated %[2]s. In brief: it depends on the goal, but the simplest thing that could work is a fine first draft.",
}

func friendly(c *call, vendor string, turn func(n int) int) string {
	if c.answered {
		return fmt.Sprintf("Thank you, the tool's result is in. For “%s” that settles it, says the simulated %s.", topic(c.user), vendor)
	}
	var b strings.Builder
	fmt.Fprintf(&b, friendlyWords[turn(len(friendlyWords))], topic(c.user), vendor)
	for _, m := range c.media {
		fmt.Fprintf(&b, " I was given %s %s (%s).", map[bool]string{true: "an", false: "a"}[m.kind != "file"], m.kind, m.about)
	}
	return b.String()
}

// topicWords and topicBytes bound what an answer repeats of the task and how much of it is read for that.
const (
	topicWords = 8
	topicBytes = 2048
)

// confidential names what must not be repeated: a word that holds one of these, and the three after it.
var confidential = []string{"passw", "secret", "token", "key", "pin", "credential", "bearer", "login", "auth"}

// topic gives the first plain words of a task. Words with digits or signs in them, long ones, and what follows a word such as "password"
// are left out, since they may be secrets.
func topic(task string) string {
	task = task[:min(len(task), topicBytes)]
	words, skip := make([]string, 0, topicWords), 0
	for word := range strings.FieldsSeq(task) {
		lower := strings.ToLower(word)
		if slices.ContainsFunc(confidential, func(s string) bool { return strings.Contains(lower, s) }) {
			skip = 3
			continue
		}
		plain := strings.Trim(word, ".,;:!?\"'()")
		if skip > 0 {
			skip--
			continue
		}
		if plain == "" || len(plain) > 24 || strings.ContainsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) }) {
			continue
		}
		if words = append(words, plain); len(words) == topicWords {
			break
		}
	}
	if len(words) == 0 {
		return "your task"
	}
	return strings.Join(words, " ")
}
