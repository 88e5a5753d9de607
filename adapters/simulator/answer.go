package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
)

const pieceBytes = 16

// echo answers with the hash of the last user message.
func echo(c *call) *answer {
	sum := sha256.Sum256([]byte(c.user))
	a := &answer{text: "sha256:" + hex.EncodeToString(sum[:])}
	a.count(c)
	return a
}

// count cuts the text into pieces and counts tokens: a quarter of the bytes, rounded up, both ways.
func (a *answer) count(c *call) {
	said := a.text
	if a.tool != nil {
		said = a.tool.args
	}
	a.pieces = cutText(said, pieceBytes)
	a.in, a.out = chat.EstimateTokens(c.textBytes), chat.EstimateTokens(len(said))
}

// cutText cuts text into pieces of about n bytes, never within a character.
func cutText(text string, n int) []string {
	pieces := make([]string, 0, len(text)/n+1)
	for len(text) > n {
		end := n
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		if end == 0 { // not UTF-8
			end = n
		}
		pieces = append(pieces, text[:end])
		text = text[end:]
	}
	if text != "" {
		pieces = append(pieces, text)
	}
	return pieces
}

// compose makes up an answer: a tool call where tools are offered, JSON where JSON is asked for, else friendly words about the task.
func compose(c *call, vendor string, turn func(n int) int) *answer {
	a := &answer{}
	switch {
	case c.wantsTool():
		t := c.tools[0]
		if i := slices.IndexFunc(c.tools, func(t tool) bool { return t.name == c.force }); i >= 0 {
			t = c.tools[i]
		}
		a.tool = &toolUse{name: t.name, args: instance(t.schema, topic(c.user))}
	case c.json && c.schema != nil:
		a.text = instance(c.schema, topic(c.user))
	case c.json:
		a.text = string(encode(map[string]string{"answer": friendly(c, vendor, turn)}))
	default:
		a.text = friendly(c, vendor, turn)
		if limit := c.maxTokens * 4; c.maxTokens > 0 && c.maxTokens < len(a.text) && limit < len(a.text) {
			a.length = true
			for limit > 0 && !utf8.RuneStart(a.text[limit]) {
				limit--
			}
			a.text = a.text[:limit]
		}
	}
	a.count(c)
	return a
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
	return fmt.Sprintf(friendlyWords[turn(len(friendlyWords))], topic(c.user), vendor)
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
