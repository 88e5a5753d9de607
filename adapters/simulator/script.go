package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// script is what a vendor has to play.
type script struct {
	named  map[string]*scene
	scenes []*scene // that may be played without being named
	models map[string]bool
	tokens map[string]bool // signatures of the cases
}

var caseSignature = regexp.MustCompile(`"(?:signature|data|thoughtSignature|thought_signature|encrypted_content)"\s*:\s*"([^"]+)"`)

// signed reports whether a signature is one of a case.
func (s *script) signed(token string) bool { return s.tokens[token] }

// scene is a wire case made ready.
type scene struct {
	Case
	call   *call // nil when the dialect does not read the request
	pieces []piece
	header http.Header
}

// caseHeader picks a wire case by name.
const caseHeader = "X-Sim-Case"

// newScript makes the cases ready. A case is played without being named when it is a whole, good answer: status 200, its request is one the vendor
// takes, no want-class, and no tag that says it is broken.
func newScript(d dialect, vendor string, cases []Case) *script {
	s := &script{named: map[string]*scene{}, models: map[string]bool{}, tokens: map[string]bool{}}
	for _, c := range cases {
		for _, found := range slices.Concat(caseSignature.FindAllSubmatch(c.RequestBody, -1), caseSignature.FindAllSubmatch(c.Body, -1)) {
			s.tokens[string(found[1])] = true
		}
	}
	for _, c := range cases {
		sc := &scene{Case: c, header: playable(c.Header)}
		if strings.HasPrefix(c.Header.Get("Content-Type"), "text/event-stream") && c.Status < 300 {
			sc.pieces = cutEvents(c.Body)
		}
		sc.call = s.readCase(d, c)
		s.named[c.Name] = sc
		if sc.call == nil || c.Status != http.StatusOK || c.Meta["want-class"] != "" || broken(c.Tags) {
			continue
		}
		s.models[sc.call.model] = true
		s.scenes = append(s.scenes, sc)
	}
	return s
}

// broken reports whether the tags say that the answer is not a good one.
func broken(tags []string) bool {
	return slices.ContainsFunc(tags, func(tag string) bool {
		return strings.Contains(tag, "error") || slices.Contains([]string{"truncated", "cut", "cut-off", "broken", "html", "empty", "blocked"}, tag)
	})
}

// readCase reads the request of a case; nil when the vendor would not take it.
func (s *script) readCase(d dialect, c Case) *call {
	target, err := url.Parse(c.Path)
	if err != nil {
		return nil
	}
	rt, p := d.route(&http.Request{Method: c.Method, URL: target}, target.Path)
	if p != nil || rt.list || rt.one || rt.read != nil {
		return nil
	}
	rt.signed = s.signed
	read, p := d.parse(rt, c.RequestBody)
	if p != nil {
		return nil
	}
	return read
}

// playable leaves out what belongs to the connection and not to the answer.
func playable(h http.Header) http.Header {
	out := h.Clone()
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive"} {
		out.Del(name)
	}
	return out
}

// cutEvents cuts the body of a stream after each blank line. What is left at the end is a piece too.
func cutEvents(body []byte) []piece {
	var out []piece
	for len(body) > 0 {
		end := len(body)
		for _, blank := range []string{"\n\n", "\r\n\r\n"} {
			if i := bytes.Index(body, []byte(blank)); i >= 0 {
				end = min(end, i+len(blank))
			}
		}
		out = append(out, piece{data: body[:end], comment: body[0] == ':'})
		body = body[end:]
	}
	return out
}

// name is the case that a request names: by header, by a model of that name, or by [[case:NAME]] in the last user message.
func (s *script) name(h http.Header, c *call) string {
	if name := h.Get(caseHeader); name != "" {
		return name
	}
	if c == nil {
		return ""
	}
	if s.named[c.model] != nil {
		return c.model
	}
	if _, after, ok := strings.Cut(c.user, "[[case:"); ok {
		if name, _, ok := strings.Cut(after, "]]"); ok {
			return name
		}
	}
	return ""
}

// fit gives the scenes that answer the call without being named: with tools, those with the same tools at the same point of the
// conversation; without, those with the same last user message. Scenes of the same model are preferred.
func (s *script) fit(c *call) []*scene {
	var all, same []*scene
	for _, sc := range s.scenes {
		if !sc.fits(c) {
			continue
		}
		all = append(all, sc)
		if sc.call.model == c.model {
			same = append(same, sc)
		}
	}
	if len(same) > 0 {
		return same
	}
	return all
}

func (sc *scene) fits(c *call) bool {
	own := sc.call
	switch {
	case own.stream != c.stream, own.stream && own.usage != c.usage, own.array != c.array, own.json != c.json, own.choices != c.choices, own.api != c.api:
		return false
	case own.wantsTool() != c.wantsTool(), own.answered != c.answered, own.force != c.force:
		return false
	case !c.wantsTool():
		return own.user == c.user
	}
	return slices.Equal(names(own.tools), names(c.tools))
}

func names(tools []tool) []string {
	out := make([]string, len(tools))
	for i, t := range tools {
		out[i] = t.name
	}
	slices.Sort(out)
	return out
}

// modelOf gives the model that a body names, however wrong the rest of it is.
func modelOf(body []byte) string {
	var b struct {
		Model string `json:"model"`
	}
	_ = json.Unmarshal(body, &b)
	return b.Model
}
