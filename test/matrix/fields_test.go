package matrix_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

// askedModels are the models that every field is sent to.
var askedModels = []string{"openai/gpt-4o-mini", "openai/gpt-5-mini", "claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/anthropic/claude-sonnet-4.5"}

// modelsOf gives the models that an object's fields are sent to: where a vendor has no such API, Forge answers by itself, or not at all.
func modelsOf(o object) []string {
	switch o.path {
	case "/v1/embeddings":
		return []string{"openai/text-embedding-3-small", "gemini/gemini-embedding-001", "openrouter/openai/text-embedding-3-small"}
	case "/v1/messages/count_tokens":
		return []string{"claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash"}
	}
	return askedModels
}

func jsonNames(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// silences are the fields that may change nothing and need not be named, by object and field, and why.
var silences = map[string]string{
	"execute latency_slo_ms":               "steers the router",
	"execute cache":                        "steers the prompt cache",
	"execute tags":                         "kept with the call",
	"embeddings encoding_format":           "Forge writes the vectors as they are wanted",
	"count cache_control":                  "changes no count",
	"count output_format":                  "changes no count",
	"chat stream_options":                  "says how an answer is sent, which Forge does",
	"chat json mode include_reasoning":     "the thoughts of a model that does not think",
	"chat json_schema strict":              "the vendor enforces every schema",
	"responses store":                      "Forge keeps answers",
	"responses metadata":                   "Forge keeps it with the answer",
	"responses stream_options":             "says how an answer is sent, which Forge does",
	"responses reasoning summary":          "the thoughts are shown whole anyway",
	"responses reasoning generate_summary": "the thoughts are shown whole anyway",
	"responses message phase":              "what the vendor of an answer noted on it",
	"responses call id":                    "what the vendor of an answer noted on it",
	"responses call status":                "what the vendor of an answer noted on it",
	"responses call namespace":             "what the vendor of an answer noted on it",
	"responses output id":                  "what the vendor of an answer noted on it",
	"responses output namespace":           "what the vendor of an answer noted on it",
	"responses output status":              "what the vendor of an answer noted on it",
	"messages service_tier":                "the standard tier is the only one",
	"messages others thinking":             "the model decides whether to think, and never does",
	"messages no thinking thinking":        "the model does not think",
	"messages thinking display":            "the thoughts of a model that does not think",
	"messages cache_control":               "the vendor keeps every prompt for some minutes",
	"messages text cache_control":          "the vendor keeps every prompt for some minutes",
	"messages image cache_control":         "the vendor keeps every prompt for some minutes",
	"messages document cache_control":      "the vendor keeps every prompt for some minutes",
	"messages call cache_control":          "the vendor keeps every prompt for some minutes",
	"messages result cache_control":        "the vendor keeps every prompt for some minutes",
	"messages tool cache_control":          "the vendor keeps every prompt for some minutes",
	"messages text citations":              "what the vendor of an answer noted on it",
	"messages call caller":                 "what the vendor of an answer noted on it",
	"messages document title":              "a label, for which the vendor has no place",
	"messages tool type":                   "says what is so anyway",
}

// foreign are the fields whose loss fails no strict request: another vendor's property, which nobody asked for.
var foreign = []string{"chat assistant reasoning", "chat assistant reasoning_details"}

// told reports whether a field is among names that were given for it, by its own name, that of what holds it, or that of a member of it.
func told(names []string, o object, field string) bool {
	for _, name := range names {
		words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(".[]", r) })
		if slices.Contains(words, field) || slices.Contains(words, other[o.name+" "+field]) {
			return true
		}
	}
	return false
}

// other are the names that fields have where they are told by another than their own.
var other = map[string]string{
	"chat assistant reasoning_details": "reasoning", "chat assistant audio": "content", "chat file file_id": "content", "messages output_format": "output_config", "chat any part 1": "content", "chat url part 1": "content",
	"chat video part 1": "content", "messages image source": "content", "messages document by url source": "content", "messages blocks 1": "citations",
	"messages upload 1": "content",
}

// TestEveryFieldIsHonouredOrTold sends every field of every client API to every vendor: it reaches the vendor, or the client is told that it did not.
func TestEveryFieldIsHonouredOrTold(t *testing.T) {
	l := listen(t)
	f := l.forge(t)
	heeded := map[string]bool{}
	for _, o := range objects {
		if o.params != nil && o.given != "*" {
			for _, name := range jsonNames(o.params) {
				if _, ok := o.values[name]; !ok && !slices.Contains(strings.Fields(o.given), name) {
					t.Errorf("%s: the client library has a field %s, of which there is no value here", o.name, name)
				}
			}
		}
		for _, model := range modelsOf(o) {
			base := set(t, fmt.Sprintf(o.base, model), nil, "")
			l.heard()
			without := f.Do(t, http.MethodPost, o.path, base)
			if without.Status != http.StatusOK {
				t.Fatalf("%s of %s: got %d %s, want 200", o.name, model, without.Status, without.Body)
			}
			c := fieldCell{forge: f, listener: l, object: o, model: model, base: base, sent: l.heard(), dropped: without.Header.Get("X-Forge-Dropped")}
			for field, value := range o.values {
				t.Run(o.name+"/"+field+"/"+model, func(t *testing.T) {
					if c.send(t, field, value) {
						heeded[o.name+" "+field] = true
					}
				})
			}
		}
	}
	for key := range silences {
		if !heeded[key] {
			t.Errorf("%s is told or honoured everywhere, and needs no excuse", key)
		}
	}
}

// fieldCell is where a field is sent to.
type fieldCell struct {
	forge    *harness.Forge
	listener *listener
	object   object
	model    string
	base     string
	sent     string // to the vendor, without the field
	dropped  string
}

// send sends a field, and reports whether it was lost in a silence that is right.
func (c *fieldCell) send(t *testing.T, field, value string) (silent bool) {
	body, key := set(t, c.base, append(slices.Clone(c.object.at), field), value), c.object.name+" "+field
	a := c.forge.Do(t, http.MethodPost, c.object.path, body)
	sent, names := c.listener.heard(), dropsOf(a.Header)
	switch {
	case a.Status == http.StatusUnprocessableEntity, a.Status == http.StatusNotFound && field == "previous_response_id":
		if !told([]string{string(a.Body)}, c.object, field) && !mentions(a.Body, field, other[key]) {
			t.Errorf("got %d %s, which does not name the field", a.Status, a.Body)
		}
		return false
	case a.Status != http.StatusOK:
		t.Errorf("got %d %s, want 200 or 422", a.Status, a.Body)
		return false
	case len(names) > 0 && a.Header.Get("X-Forge-Dropped") != c.dropped:
		if !told(names, c.object, field) {
			t.Errorf("got %q told, want %s among it", names, field)
		}
	case sent == c.sent:
		if silences[key] == "" {
			t.Errorf("neither did it reach the vendor, nor was it told:\n%s\n%s", body, sent)
		}
		silent = true
	}

	strict := c.forge.Do(t, http.MethodPost, c.object.path, body, "X-Forge-Strict", "true")
	again := c.listener.heard()
	switch {
	case silent && strings.HasPrefix(key, "count ") && strict.Status == http.StatusUnprocessableEntity: // as the call itself would be
	case len(names) == 0 || slices.Contains(foreign, key):
		if strict.Status != http.StatusOK || again != sent {
			t.Errorf("where it is strict: got %d %s, sent\n%s\nwant it to be as where it is not:\n%s", strict.Status, strict.Body, again, sent)
		}
	case strict.Status != http.StatusUnprocessableEntity || again != "":
		t.Errorf("where it is strict: got %d %s, sent %q, want 422 and nothing sent", strict.Status, strict.Body, again)
	case !slices.ContainsFunc(names, func(name string) bool { return mentions(strict.Body, name) }):
		t.Errorf("where it is strict: got %s, want one of %q named", strict.Body, names)
	}
	return silent
}

// dropsOf lists what was dropped.
func dropsOf(h http.Header) []string {
	if h.Get("X-Forge-Dropped") == "" {
		return nil
	}
	return strings.Split(h.Get("X-Forge-Dropped"), ", ")
}

func mentions(body []byte, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return name != "" && strings.Contains(string(body), name) })
}

// set gives a JSON text with another value at a place.
func set(t *testing.T, body string, path []any, value string) string {
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	at := v
	for i, p := range path {
		if list, ok := at.([]any); ok {
			n, isN := p.(int)
			if !isN {
				n, _ = strconv.Atoi(p.(string))
			}
			if i == len(path)-1 {
				list[n] = json.RawMessage(value)
				break
			}
			at = list[n]
			continue
		}
		m := at.(map[string]any)
		if i == len(path)-1 {
			m[p.(string)] = json.RawMessage(value)
			break
		}
		at = m[p.(string)]
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
