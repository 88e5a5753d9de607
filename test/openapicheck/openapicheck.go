// Package openapicheck holds answers against the OpenAPI document that the server itself gives: status, media type, headers and body.
package openapicheck

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Document is a valid OpenAPI document.
type Document struct{ doc *openapi3.T }

// Load reads a document and proves that it is valid OpenAPI.
func Load(b []byte) (*Document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		return nil, fmt.Errorf("the document is OpenAPI %s, want 3.1", doc.OpenAPI)
	}
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaPatternValidation()); err != nil {
		return nil, fmt.Errorf("validate the document: %w", err)
	}
	return &Document{doc}, nil
}

// Operations lists every operation as "METHOD path".
func (d *Document) Operations() []string {
	var out []string
	for path, item := range d.doc.Paths.Map() {
		for method := range item.Operations() {
			out = append(out, method+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

// Check holds one answer against the document. The path is that of the request. An answer to what the document does not have must be a 404
// or 405 in one of the forms of failure; of an event stream, each event that has a name is held against what x-events says of it, and each error.
func (d *Document) Check(method, path string, status int, header http.Header, body []byte) error {
	at := fmt.Sprintf("%s %s: %d", method, path, status)
	path, _, _ = strings.Cut(path, "?")
	op := d.find(method, path)
	if op == nil {
		if method == http.MethodHead || method == http.MethodOptions {
			return nil
		}
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			return fmt.Errorf("%s: the document has no such operation", at)
		}
		return d.checkFault(at, path, header, body)
	}
	ref := op.Responses.Value(strconv.Itoa(status))
	if ref == nil {
		return fmt.Errorf("%s: the document has no such status", at)
	}
	if err := checkHeaders(ref.Value, header); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if len(ref.Value.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("%s: a body of %d bytes, want none", at, len(body))
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("%s: content type %q: %w", at, header.Get("Content-Type"), err)
	}
	content := ref.Value.Content[media]
	if content == nil {
		return fmt.Errorf("%s: the document has no media type %q", at, media)
	}
	if media == "text/event-stream" {
		err = d.checkEvents(content, body)
	} else {
		err = checkJSON(content.Schema.Value, body)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// find looks an operation up by the path of a request. A parameter at the end takes slashes too, where nothing fits better.
func (d *Document) find(method, path string) *openapi3.Operation {
	if item := d.doc.Paths.Value(path); item != nil {
		return item.GetOperation(method)
	}
	var best, greedy *openapi3.PathItem
	fewest := 0 // parameters of best: a path that is spelt out comes before one that is not (OpenAPI 3.1, 4.8.8.2)
	for pattern, item := range d.doc.Paths.Map() {
		whole, rest := fits(pattern, path)
		if n := strings.Count(pattern, "{"); whole && (best == nil || n < fewest) {
			best, fewest = item, n
		}
		if rest {
			greedy = item
		}
	}
	if best == nil {
		best = greedy
	}
	if best == nil {
		return nil
	}
	return best.GetOperation(method)
}

// fits reports whether a path is a pattern's segment by segment, or only if its last parameter takes the rest.
func fits(pattern, path string) (whole, rest bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, seg := range want {
		param := strings.HasPrefix(seg, "{")
		switch {
		case i >= len(got), param && got[i] == "", !param && seg != got[i]:
			return false, false
		case param && i == len(want)-1:
			return len(got) == len(want), true
		}
	}
	return len(want) == len(got), false
}

// checkHeaders proves that each header of the answer that is ours is documented and fits, and that the ids are there.
func checkHeaders(r *openapi3.Response, header http.Header) error {
	documented := map[string]*openapi3.Header{}
	for name, ref := range r.Headers {
		documented[http.CanonicalHeaderKey(name)] = ref.Value
	}
	for _, name := range []string{"X-Request-Id", "X-Trace-Id"} {
		if header.Get(name) == "" {
			return fmt.Errorf("the header %s is missing", name)
		}
	}
	for name := range header {
		if !strings.HasPrefix(name, "X-Forge-") && !slices.Contains([]string{"Retry-After", "Www-Authenticate", "X-Should-Retry", "X-Request-Id", "X-Trace-Id"}, name) {
			continue
		}
		h := documented[name]
		if h == nil {
			return fmt.Errorf("the document has no header %s here", name)
		}
		if h.Schema.Value.Type.Is("integer") {
			if _, err := strconv.Atoi(header.Get(name)); err != nil {
				return fmt.Errorf("the header %s: %q is not an integer", name, header.Get(name))
			}
		}
	}
	return nil
}

// checkFault proves that an answer outside the document has the form of a failure.
func (d *Document) checkFault(at, path string, header http.Header, body []byte) error {
	schema, media := "Problem", "application/problem+json"
	switch {
	case path == "/v1/messages", strings.HasPrefix(path, "/v1/messages/"):
		schema, media = "AnthropicError", "application/json"
	case strings.HasPrefix(path, "/v1/"):
		schema, media = "OpenAIError", "application/json"
	}
	if got := header.Get("Content-Type"); got != media {
		return fmt.Errorf("%s: content type %q, want %q", at, got, media)
	}
	if err := d.checkNamed(schema, body); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

func (d *Document) checkNamed(schema string, body []byte) error {
	ref := d.doc.Components.Schemas[schema]
	if ref == nil {
		return fmt.Errorf("the document has no schema %s", schema)
	}
	return checkJSON(ref.Value, body)
}

func checkJSON(schema *openapi3.Schema, body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	var v any
	if err := dec.Decode(&v); err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	if dec.More() {
		return fmt.Errorf("something follows the JSON of the body")
	}
	if err := schema.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation(), openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("the body does not fit its schema: %w", err)
	}
	return nil
}

// events gives the schemas of a stream's events by their names.
func (d *Document) events(media *openapi3.MediaType) (map[string]*openapi3.Schema, error) {
	out := map[string]*openapi3.Schema{}
	b, err := json.Marshal(media.Extensions["x-events"])
	if err != nil {
		return nil, fmt.Errorf("x-events: %w", err)
	}
	var kinds map[string]openapi3.SchemaRef
	if err := json.Unmarshal(b, &kinds); err != nil {
		return nil, fmt.Errorf("x-events: %w", err)
	}
	for name, ref := range kinds {
		out[name] = ref.Value
		if named := d.doc.Components.Schemas[strings.TrimPrefix(ref.Ref, "#/components/schemas/")]; named != nil {
			out[name] = named.Value
		}
	}
	return out, nil
}

// checkEvents walks over an event stream. A named event has a schema; an unnamed one is JSON, [DONE], or a failure in OpenAI's shape.
func (d *Document) checkEvents(media *openapi3.MediaType, body []byte) error {
	schemas, err := d.events(media)
	if err != nil {
		return err
	}
	name := ""
	lines := bufio.NewReader(bytes.NewReader(body))
	for {
		line, err := lines.ReadString('\n')
		text := strings.TrimRight(line, "\r\n")
		switch {
		case text == "":
			name = ""
		case strings.HasPrefix(text, "event: "):
			name = text[len("event: "):]
		case strings.HasPrefix(text, "data: "):
			if err := d.checkEvent(schemas[name], name, text[len("data: "):]); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

func (d *Document) checkEvent(schema *openapi3.Schema, name, data string) error {
	switch {
	case schema != nil:
		if err := checkJSON(schema, []byte(data)); err != nil {
			return fmt.Errorf("event %s: %w", name, err)
		}
	case name != "":
		return fmt.Errorf("the event %q is not documented", name)
	case data == "[DONE]":
	case strings.HasPrefix(data, `{"error":`):
		return d.checkNamed("OpenAIError", []byte(data))
	case !json.Valid([]byte(data)):
		return fmt.Errorf("an event's data is not JSON")
	}
	return nil
}
