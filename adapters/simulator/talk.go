package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
)

// talk is what was said up to now, whatever the vendor's shape. Its methods are called in the order of the conversation.
type talk struct {
	user      string     // text of the last user message
	asks      directives // of the last user message that is no reminder within an agent's work
	textBytes int        // of all messages and the system prompt
	answered  bool       // the last turn gives a tool's result
	rounds    int        // turns of results since asks was said
	results   []string   // of those turns, in the order of their calls
	media     []medium   // of the last user message
	sum       hash.Hash  // over all text up to now
	marks     []mark     // where the prompt is to be kept up to

	asked []string          // ids of the calls of the last turn
	told  map[string]string // their results, as far as they are in
}

// medium is a picture, a sound or a file.
type medium struct{ kind, about string }

// mark is a point up to which the prompt is to be kept.
type mark struct {
	bytes int
	sum   [sha256.Size]byte
	hour  bool
}

// read takes text into account that is part of the prompt.
func (t *talk) read(text string) {
	if t.sum == nil {
		t.sum = sha256.New()
	}
	t.textBytes += len(text)
	_, _ = t.sum.Write([]byte(text))
}

// keep marks that the prompt is to be kept up to here.
func (t *talk) keep(hour bool) {
	t.read("")
	m := mark{bytes: t.textBytes, hour: hour}
	t.sum.Sum(m.sum[:0])
	t.marks = append(t.marks, m)
}

// hear takes in what the user says. Words beside results, and those in the middle of an agent's work, are no new task.
func (t *talk) hear(text string) {
	t.user = text
	asks := readDirectives(text)
	if !asks.given && t.asks.agent > 0 && (t.answered || t.rounds < t.asks.agent) {
		return
	}
	if !asks.given && t.answered && len(t.results) > 0 {
		return
	}
	t.asks, t.rounds, t.results = asks, 0, nil
}

// call notes the ids of the calls that the model made in one turn.
func (t *talk) call(ids []string) {
	t.asked, t.told = ids, map[string]string{}
}

// tell notes the result of a call. With the last of its turn the results are put in the order of the calls.
func (t *talk) tell(id, result string) {
	if t.told == nil || !slices.Contains(t.asked, id) {
		return
	}
	t.told[id] = result
	if len(t.told) < len(t.asked) {
		return
	}
	for _, id := range t.asked {
		t.results = append(t.results, t.told[id])
	}
	t.rounds++
	t.asked, t.told = nil, nil
}

// see takes in what is no text.
func (t *talk) see(kind, mediaType, data, address string) {
	about := address
	if data != "" {
		sum := sha256.Sum256([]byte(data))
		about = fmt.Sprintf("%s, sha256:%s", mediaType, hex.EncodeToString(sum[:8]))
	}
	t.media = append(t.media, medium{kind: kind, about: about})
}

// Proof is what an agent answers with once all results are in: it shows that each of them arrived, in the order of their calls. A result that is JSON
// counts by what it holds, however it is written, and an object with one field as that field, since Gemini knows objects alone.
func Proof(results ...string) string {
	h := sha256.New()
	for _, r := range results {
		r = plain(r)
		fmt.Fprintf(h, "%d:%s\n", len(r), r)
	}
	return fmt.Sprintf("All %d results are in: sha256:%s", len(results), hex.EncodeToString(h.Sum(nil)))
}

// plain is a result as all vendors see it.
func plain(result string) string {
	var v any
	if json.Unmarshal([]byte(result), &v) != nil {
		return result
	}
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, only := range v {
			if len(v) == 1 {
				return plain(string(encode(only)))
			}
		}
	}
	return string(encode(v))
}
