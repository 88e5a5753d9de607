package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
)

const pieceBytes = 16

// answer is a made-up answer, whatever the vendor's shape.
type answer struct {
	serial  uint64   // makes ids
	created int64    // Unix seconds
	choices [][]part // what each says
	finish  finish
	stop    string // the stop sequence that ended it
	in      int    // tokens, of the whole prompt
	cached  int    // of these, kept before
	written int    // of these, kept from now on
	hour    int    // of these written, for an hour
	out     int    // tokens, with those of thinking
	thought int    // of these, thinking
}

// finish is why an answer ended.
type finish uint8

const (
	ended     finish = iota
	toCall           // tools
	cutShort         // by max_tokens
	stopped          // at a stop sequence
	declined         // the model will not answer
	filtered         // the vendor will not have it
	paused           // Anthropic: to be gone on with
	exhausted        // by max_tokens, before the first word
)

// part is a piece of an answer.
type part struct {
	kind   kind
	text   string   // of thinking, words or a refusal; the query of a search; the arguments of a call
	pieces []string // of text
	name   string   // of the tool
	n      int      // of the calls of its choice, from 0
	hidden bool     // of thinking: none of it is shown
	cites  []cite   // of words
}

type kind uint8

const (
	words kind = iota
	thinking
	calling
	refusing
	searching
)

// cite says where a part of the words is from.
type cite struct {
	url, title, text string
	start, end       int // in bytes, which are characters here
}

// parts gives those of one kind in a choice.
func (a *answer) parts(choice int, k kind) []part {
	var out []part
	for _, p := range a.choices[choice] {
		if p.kind == k {
			out = append(out, p)
		}
	}
	return out
}

// said joins the words of a choice.
func (a *answer) said(choice int) string {
	var b strings.Builder
	for _, p := range a.parts(choice, words) {
		b.WriteString(p.text)
	}
	return b.String()
}

// serialOf makes the ids of the calls of all choices differ.
func (a *answer) serialOf(choice, n int) uint64 {
	return a.serial + uint64(choice)*maxAsked + uint64(n) //nolint:gosec // small
}

// echo answers with the hash of the last user message.
func echo(c *call) []part {
	sum := sha256.Sum256([]byte(c.user))
	return []part{{kind: words, text: "sha256:" + hex.EncodeToString(sum[:])}}
}

// finishOf finds why an answer of these parts ends that nothing else ends.
func finishOf(parts []part) finish {
	for _, p := range parts {
		switch p.kind {
		case calling:
			return toCall
		case refusing:
			return declined
		}
	}
	return ended
}

// count cuts the texts into pieces and counts tokens: a quarter of the bytes, rounded up, both ways.
func (a *answer) count(c *call, m *memory) {
	size := pieceBytes
	if c.asks.piece > 0 {
		size = c.asks.piece
	}
	for i, choice := range a.choices {
		said, thought := 0, 0
		for j, p := range choice {
			if p.kind == thinking {
				thought += len(p.text)
			} else if p.kind != searching {
				said += len(p.text)
			}
			if a.choices[i][j].pieces = cutText(p.text, size); p.kind == calling && p.text == "{}" {
				a.choices[i][j].pieces = nil // a call without arguments has none
			}
		}
		a.thought += chat.EstimateTokens(thought)
		a.out += chat.EstimateTokens(said) + chat.EstimateTokens(thought)
	}
	a.in = chat.EstimateTokens(c.textBytes)
	m.count(c, a)
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

// limit cuts the words at a stop sequence or for want of tokens.
func (a *answer) limit(c *call, choice int) {
	for i, p := range a.choices[choice] {
		if p.kind != words {
			continue
		}
		for _, stop := range c.stops {
			if before, _, found := strings.Cut(p.text, stop); found && stop != "" {
				p.text, a.stop, a.finish = before, stop, stopped
			}
		}
		most := len(p.text)
		if c.maxTokens > 0 && c.maxTokens < most && !c.json {
			most = min(most, c.maxTokens*4)
		}
		if c.asks.length {
			most = min(most, len(p.text)/2)
		}
		if most < len(p.text) {
			for most > 0 && !utf8.RuneStart(p.text[most]) {
				most--
			}
			p.text, a.finish, a.stop = p.text[:most], cutShort, ""
		}
		p.cites = slices.DeleteFunc(p.cites, func(c cite) bool { return c.end > len(p.text) })
		a.choices[choice][i] = p
	}
}
