package gemini

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
)

// quotes finds out what in a candidate's text is from where. The vendor counts bytes of all that the candidate says, thoughts aside; the neutral form
// counts code points of one part.
type quotes struct {
	text      []byte // all that was said
	part      int    // where its last part begins
	last      bool   // the last part is text
	open      bool   // and goes on
	grounding []byte // the last groundingMetadata, which repeats those before it
	sources   []byte // the last citationMetadata
	done      bool
}

// say takes a piece of the text. ends says that nothing is added to the part.
func (q *quotes) say(text string, ends bool) {
	if !q.open {
		q.part = len(q.text)
	}
	q.text = append(q.text, text...)
	q.last, q.open = true, !ends
}

// leave notes that something else follows the text.
func (q *quotes) leave() { q.last, q.open = false, false }

// close ends the text by a signature, if it is its.
func (q *quotes) close() bool {
	was := q.open
	q.open = false
	if !was {
		q.last = false
	}
	return was
}

func (q *quotes) read(grounding, sources []byte) {
	if grounding != nil {
		q.grounding = append(q.grounding[:0], grounding...)
	}
	if sources != nil {
		q.sources = append(q.sources[:0], sources...)
	}
}

// groundingMetadata says what of the text is from which source.
type groundingMetadata struct {
	Chunks   []json.RawMessage `json:"groundingChunks"`
	Supports []struct {
		Segment segment `json:"segment"`
		Chunks  []int   `json:"groundingChunkIndices"`
	} `json:"groundingSupports"`
}

// segment is a piece of the text. It is the vendor's word for where it stands, which may be a byte off.
type segment struct {
	Start int    `json:"startIndex"`
	End   int    `json:"endIndex"`
	Text  string `json:"text"`
}

// source is a page, a document, a place or a picture.
type source struct {
	URI       string `json:"uri"`
	SourceURI string `json:"sourceUri"` // of a picture
	Title     string `json:"title"`
	Text      string `json:"text"`
}

// citationMetadata lists what the model quoted at length.
type citationMetadata struct {
	Sources []struct {
		Start int    `json:"startIndex"`
		End   int    `json:"endIndex"`
		URI   string `json:"uri"`
		Title string `json:"title"`
	} `json:"citationSources"`
}

// citations gives the citations on the last part of text; those on earlier parts are on no piece of it. It gives them once. beside says that they go
// with a piece of that part, even if something else has followed it.
func (q *quotes) citations(beside bool) []chat.Citation {
	if q.done || len(q.grounding)+len(q.sources) == 0 || len(q.text) == 0 {
		return nil
	}
	q.done = true
	if !q.last && !beside {
		q.part = len(q.text) // they make a part of their own, which has no text
	}
	var out []chat.Citation
	var g groundingMetadata
	if len(q.grounding) > 0 && json.Unmarshal(q.grounding, &g) == nil {
		for _, s := range g.Supports {
			from, to := q.place(s.Segment)
			for _, i := range s.Chunks {
				if i >= 0 && i < len(g.Chunks) {
					out = append(out, cited(g.Chunks[i], from, to))
				}
			}
		}
		if len(g.Supports) == 0 {
			for _, c := range g.Chunks {
				out = append(out, cited(c, 0, 0))
			}
		}
	}
	var quoted citationMetadata
	if len(q.sources) > 0 && json.Unmarshal(q.sources, &quoted) == nil {
		for _, s := range quoted.Sources {
			from, to := q.place(segment{Start: s.Start, End: s.End})
			out = append(out, chat.Citation{URL: s.URI, Title: s.Title, Start: from, End: to})
		}
	}
	return out
}

// groundingChunk is where something is from: one of these.
type groundingChunk struct {
	Web       *source `json:"web"`
	Retrieved *source `json:"retrievedContext"`
	Maps      *source `json:"maps"`
	Image     *source `json:"image"`
}

// cited makes a citation of a groundingChunk.
func cited(raw json.RawMessage, from, to int) chat.Citation {
	out := chat.Citation{Start: from, End: to}
	var c groundingChunk
	if json.Unmarshal(raw, &c) != nil {
		return out
	}
	s := cmp.Or(c.Web, c.Retrieved, c.Maps, c.Image)
	if s != nil {
		out.URL, out.Title, out.Text = cmp.Or(s.SourceURI, s.URI), s.Title, s.Text
	}
	if c.Web == nil {
		out.Foreign = &chat.Foreign{Dialect: chat.DialectGemini, JSON: raw}
	}
	return out
}

// place gives a segment of the last part in code points; 0 and 0 when it is not there.
func (q *quotes) place(s segment) (from, to int) {
	part := string(q.text[q.part:])
	start, end := s.Start-q.part, s.End-q.part
	if s.Text != "" && (start < 0 || end > len(part) || start > end || part[start:end] != s.Text) {
		at := strings.Index(part[min(max(start-near, 0), len(part)):], s.Text)
		if at >= 0 {
			at += min(max(start-near, 0), len(part))
		} else if at = strings.Index(part, s.Text); at < 0 {
			return 0, 0
		}
		start, end = at, at+len(s.Text)
	}
	if start < 0 || end > len(part) || start >= end || !boundary(part, start) || !boundary(part, end) {
		return 0, 0
	}
	from = utf8.RuneCountInString(part[:start])
	return from, from + utf8.RuneCountInString(part[start:end])
}

// near is how far off a segment is looked for before it is looked for everywhere.
const near = 16

// boundary reports whether no code point is cut at i.
func boundary(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }
