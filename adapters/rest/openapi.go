package rest

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Media types of answers.
const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
	typeEvents  = "text/event-stream"
	typeHTML    = "text/html; charset=utf-8"
)

// document writes the OpenAPI document of the table.
func (s *Server) document() []byte {
	d := &documenter{registry: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Forge 1", Version: s.config.Version, License: &huma.License{Name: "MIT", Identifier: "MIT"},
			Description: "Signs people and machines in, picks a model provider for every task by cost and latency, fails over, and shows why.",
		},
		Servers: []*huma.Server{{URL: "/"}},
		Components: &huma.Components{
			Schemas: d.registry, Headers: headerDocs(),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"session": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access token of a sign-in"},
				"apiKey":  {Type: "http", Scheme: "bearer", BearerFormat: "f1_...", Description: "An API key"},
				"xApiKey": {Type: "apiKey", In: "header", Name: "X-Api-Key", Description: "An API key or an access token, as Anthropic's clients send it"},
			},
		},
	}
	for i := range s.routes {
		if r := &s.routes[i]; !r.hidden {
			doc.AddOperation(d.operation(r))
		}
	}
	return encode(doc)
}

// documenter turns routes into operations.
type documenter struct{ registry huma.Registry }

// schema describes the type of a value.
func (d *documenter) schema(v any) *huma.Schema {
	return d.registry.Schema(reflect.TypeOf(v), true, "")
}

func (d *documenter) operation(r *route) *huma.Operation {
	op := &huma.Operation{
		Method: r.method, Path: strings.ReplaceAll(r.pattern, "...}", "}"), OperationID: r.id, Tags: []string{r.tag}, Summary: r.summary,
		Description: r.doc, Parameters: d.parameters(r), Responses: map[string]*huma.Response{}, Security: securityOf(r),
		Extensions: map[string]any{"x-forge-access": r.verdicts()},
	}
	if r.body != nil {
		op.RequestBody = &huma.RequestBody{
			Required: !r.bodyOptional, Content: map[string]*huma.MediaType{typeJSON: {Schema: d.schema(r.body), Example: r.example}},
		}
	}
	for _, a := range r.replies {
		if r.account {
			a.headers = append(a.headers, "RateLimit", "RateLimit-Policy")
		}
		d.reply(op.Responses, a)
	}
	for _, code := range faultsOf(r) {
		d.fault(op.Responses, r, code)
	}
	return op
}

// securityOf says which credentials a route takes.
func securityOf(r *route) []map[string][]string {
	session, key := map[string][]string{"session": {}}, map[string][]string{"apiKey": {}}
	switch r.access {
	case optional:
		return []map[string][]string{{}, session}
	case signedIn, platform:
		return []map[string][]string{session}
	case keyOrSame, scopedKey, administers:
		if r.shape == shapeAnthropic || r.shared {
			return []map[string][]string{session, key, {"xApiKey": {}}}
		}
		return []map[string][]string{session, key}
	}
	return []map[string][]string{}
}

func (d *documenter) parameters(r *route) []*huma.Param {
	var out []*huma.Param
	for _, p := range r.params {
		s := *d.schema(p.schema)
		s.Enum = p.enum
		if p.max > 0 {
			s.Minimum, s.Maximum = &p.min, &p.max
		}
		out = append(out, &huma.Param{Name: p.name, In: p.in, Description: p.doc, Required: p.in == "path", Schema: &s})
	}
	return out
}

// reply adds a successful answer; two of one status are two media types, or two bodies.
func (d *documenter) reply(all map[string]*huma.Response, a answer) {
	code := strconv.Itoa(a.status)
	resp := all[code]
	if resp == nil {
		resp = &huma.Response{Description: a.doc, Headers: headerRefs(a.headers)}
		all[code] = resp
	}
	media := &huma.MediaType{}
	content := a.content
	switch {
	case a.events != "":
		content, media.Schema = typeEvents, &huma.Schema{Description: a.events} // no type: some readers hold it against each event, others against the text
		kinds := map[string]*huma.Schema{}
		for name, v := range a.kinds {
			kinds[name] = d.schema(v)
		}
		media.Extensions = map[string]any{"x-events": kinds}
	case a.body != nil:
		content, media.Schema = typeJSON, d.schema(a.body)
	case content != "":
		media.Schema = &huma.Schema{Type: huma.TypeString}
	default:
		return
	}
	if resp.Content == nil {
		resp.Content = map[string]*huma.MediaType{}
	}
	if other := resp.Content[content]; other != nil {
		some := other.Schema.OneOf
		if some == nil {
			some = []*huma.Schema{other.Schema}
		}
		media.Schema = &huma.Schema{OneOf: append(slices.Clone(some), media.Schema)}
	}
	resp.Content[content] = media
}

// faultsOf lists the statuses of a route's failures: those that follow from what it takes, and its own.
func faultsOf(r *route) []int {
	all := map[int]bool{400: true, 408: true, 413: true, 431: true, 500: true}
	if r.access != anyone {
		all[401], all[403], all[503] = true, true, true
	}
	if r.account && r.access != anyone {
		all[429] = true // the session's pace
	}
	if r.body != nil {
		all[415], all[422] = true, true
	}
	if len(r.params) > 0 {
		all[422] = true
	}
	for _, code := range r.faults {
		all[code] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// fault adds a failure.
func (d *documenter) fault(all map[string]*huma.Response, r *route, code int) {
	headers := []string{}
	switch code {
	case http.StatusUnauthorized:
		headers = append(headers, "WWW-Authenticate")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		headers = append(headers, "Retry-After")
	}
	if r.account {
		headers = append(headers, "RateLimit", "RateLimit-Policy")
	}
	if r.large {
		headers = append(append(headers, r.replies[0].headers...), "X-Should-Retry") // a call that failed says how far it came
	}
	media, body := typeProblem, d.schema(Problem{})
	switch {
	case r.shared:
		media, body = typeJSON, &huma.Schema{OneOf: []*huma.Schema{d.schema(OpenAIError{}), d.schema(AnthropicError{})}}
		headers = append(headers, "Request-Id")
	case r.shape == shapeOpenAI:
		media, body = typeJSON, d.schema(OpenAIError{})
	case r.shape == shapeAnthropic:
		media, body = typeJSON, d.schema(AnthropicError{})
		headers = append(headers, "Request-Id")
	}
	text := http.StatusText(code)
	if resp := all[strconv.Itoa(code)]; resp != nil { // an answer of its own, such as that of an unready process
		resp.Content[media] = &huma.MediaType{Schema: body}
		maps.Copy(resp.Headers, headerRefs(headers))
		return
	}
	all[strconv.Itoa(code)] = &huma.Response{
		Description: text, Headers: headerRefs(headers), Content: map[string]*huma.MediaType{media: {Schema: body}},
	}
}

// headerDocs describes the headers of answers.
func headerDocs() map[string]*huma.Header {
	out := map[string]*huma.Header{}
	for name, doc := range map[string]string{
		"X-Request-ID":         "The request's id: the client's own if it is fit, else a fresh one",
		"Request-Id":           "The request's id again, as Anthropic's clients read it",
		"X-Trace-ID":           "The trace: that of a valid traceparent, else a fresh one",
		"ETag":                 "The version, for If-Match",
		"X-Forge-Decision-Id":  "Finds the routing decision",
		"X-Forge-Provider":     "Who answered",
		"X-Forge-Model":        "What answered",
		"X-Forge-Cache":        "hit, miss or bypass",
		"X-Forge-Dropped":      "Request fields that the provider could not honour",
		"X-Forge-Usage-Source": "estimated when no vendor counted",
		"X-Forge-Decision":     "The decision as base64url JSON, at most 8 KB, when X-Forge-Explain asks for it",
		"X-Should-Retry":       "false when the attempts of this call are spent",
		"WWW-Authenticate":     "Bearer",
		"RateLimit-Policy":     "The limits that the request met (draft-ietf-httpapi-ratelimit-headers)",
		"RateLimit":            "How they stand: r is what remains, t the seconds until they are renewed",
	} {
		out[name] = &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	out["Age"] = &huma.Header{Description: "Of an answer from the prompt cache: seconds since it was made", Schema: &huma.Schema{Type: huma.TypeInteger}}
	out["Retry-After"] = &huma.Header{Description: "Seconds", Schema: &huma.Schema{Type: huma.TypeInteger}}
	return out
}

// headerRefs refers to headers by name, and to those of every answer.
func headerRefs(names []string) map[string]*huma.Param {
	out := map[string]*huma.Param{}
	for _, name := range append([]string{"X-Request-ID", "X-Trace-ID"}, names...) {
		out[name] = &huma.Param{Ref: "#/components/headers/" + name}
	}
	return out
}
