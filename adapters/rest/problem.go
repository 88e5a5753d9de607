package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/forge1/forge1/domain/fault"
)

// statusGone is nginx's status for a client that has left; nobody receives it, but logs and metrics do.
const statusGone = 499

// status is the one place where kinds of failure meet HTTP.
var status = map[fault.Kind]int{
	fault.Internal: 500, fault.Malformed: 400, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403,
	fault.NotFound: 404, fault.Conflict: 409, fault.Stale: 412, fault.Precondition: 428, fault.TooLarge: 413, fault.MediaType: 415,
	fault.Method: 405, fault.Payment: 402, fault.Exhausted: 429, fault.Upstream: 502, fault.Unavailable: 503, fault.Timeout: 504,
	fault.Canceled: statusGone,
}

// statusOf gives the status of a fault. Two failures of reading a request have statuses of their own.
func statusOf(f *fault.Error) int {
	switch f.Code {
	case errTooSlow.Code:
		return http.StatusRequestTimeout
	case errHeadTooLarge.Code:
		return http.StatusRequestHeaderFieldsTooLarge
	}
	return status[f.Kind]
}

// Problem is a failure in the form of RFC 9457.
type Problem struct {
	Type      string         `json:"type" format:"uri" doc:"Page that explains the code"`
	Title     string         `json:"title" doc:"The kind of problem, the same for every occurrence"`
	Status    int            `json:"status" minimum:"400" maximum:"599"`
	Detail    string         `json:"detail,omitempty" doc:"What happened here"`
	Code      string         `json:"code" doc:"Stable name of the problem"`
	RequestID string         `json:"request_id" doc:"Finds the request in the log"`
	Errors    []ProblemField `json:"errors,omitempty" nullable:"false" doc:"Every mistaken field"`
}

// ProblemField names one mistake in a request.
type ProblemField struct {
	Field   string `json:"field" doc:"JSON pointer into the body (RFC 6901), or the name of a header or parameter"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// faultOf classifies err. Whatever nobody classified is internal, and its text stays inside.
func faultOf(err error) *fault.Error {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && f.Kind != fault.Internal:
		return f
	case ok && f.Err != nil:
		return errInternal.With(f.Err)
	case errors.Is(err, errClientGone), errors.Is(err, context.Canceled):
		return errGone.With(err)
	}
	return errInternal.With(err)
}

// refuse answers with a failure, in the shape of the API that the client speaks.
func (x *exchange) refuse(err error) {
	f := faultOf(err)
	if f.Kind == fault.Canceled && x.ctx.Err() != nil && x.s.base.Err() != nil {
		f = errStopping.With(err)
	}
	x.failed = f
	f = x.inOwnNames(f)
	code := statusOf(f)
	r := &x.fc.Response
	r.ResetBody()
	r.SetStatusCode(code)
	r.Header.Del("X-Forge-Decision")
	if f.Kind == fault.Unauthenticated {
		r.Header.Set("WWW-Authenticate", "Bearer")
	}
	if after := retryAfter(f, code); after > 0 {
		r.Header.Set("Retry-After", strconv.Itoa(after))
	}
	if x.receipt != nil {
		x.writeReceipt(*x.receipt, codeOf(f))
		if x.receipt.Exhausted {
			r.Header.Set("X-Should-Retry", "false")
		}
	}
	media := "application/json"
	var body any
	switch x.shape() {
	case shapeOpenAI:
		body = openAIErrorOf(f)
	case shapeAnthropic:
		body = x.anthropicError(f)
	default:
		media, body = "application/problem+json", x.problem(f)
	}
	r.Header.SetContentType(media)
	r.SetBodyRaw(encode(body))
}

// shape is the form in which the client reads failures. Where no route is, the path says it.
func (x *exchange) shape() shape {
	switch {
	case x.route.shared && len(x.fc.Request.Header.Peek("Anthropic-Version")) > 0:
		return shapeAnthropic
	case x.route.pattern != unmatched:
		return x.route.shape
	}
	switch path := string(x.fc.Path()); {
	case path == messagesPath, strings.HasPrefix(path, messagesPath+"/"):
		return shapeAnthropic
	case strings.HasPrefix(path, "/v1/"):
		return shapeOpenAI
	}
	return shapeProblem
}

// messagesPath begins the paths of Anthropic's API.
const messagesPath = "/v1/messages"

// inOwnNames puts the names of fields that are OpenAI's into the dialect of the route.
func (x *exchange) inOwnNames(f *fault.Error) *fault.Error {
	name := x.namer()
	if name == nil || f.Param == "" {
		return f
	}
	named := *f
	if named.Param = name(f.Param); f.Code == "unsupported_by_provider" { // whose text is Forge's own
		named.Msg = strings.ReplaceAll(f.Msg, f.Param, named.Param)
	}
	return &named
}

// ownNames does the same with a list, in which each name stands once.
func (x *exchange) ownNames(fields []string) []string {
	name := x.namer()
	if name == nil {
		return fields
	}
	out := make([]string, 0, len(fields))
	for _, field := range fields {
		if own := name(field); !slices.Contains(out, own) {
			out = append(out, own)
		}
	}
	return out
}

// namer gives what names fields in the client's dialect; nil: they are named so.
func (x *exchange) namer() func(field string) string {
	if x.naming != nil {
		return x.naming
	}
	return x.route.naming
}

// problem puts a fault in the form of RFC 9457.
func (x *exchange) problem(f *fault.Error) Problem {
	code := codeOf(f)
	p := Problem{
		Type: x.s.config.PublicBaseURL + "/problems/" + url.PathEscape(code), Title: titleOf(f), Status: statusOf(f), Detail: f.Msg, Code: code,
		RequestID: x.requestID,
	}
	for _, e := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{Field: e.Pointer, Code: e.Code, Message: e.Message})
	}
	if f.Param != "" {
		p.Errors = append(p.Errors, ProblemField{Field: f.Param, Code: code, Message: f.Msg})
	}
	return p
}

// codeOf is the code of a failure as clients see it.
func codeOf(f *fault.Error) string {
	return cmp.Or(f.Code, "invalid_request") // a provider may name none
}

// titleOf gives the short text of a fault's code, or that of its status.
func titleOf(f *fault.Error) string {
	if e, ok := explanations[f.Code]; ok {
		return e.title
	}
	if t := http.StatusText(statusOf(f)); t != "" {
		return t
	}
	return "Client Closed Request"
}

// retryAfter is in whole seconds: at least one where the client should come back, zero where that would not help.
func retryAfter(f *fault.Error, code int) int {
	if code != http.StatusTooManyRequests && code != http.StatusServiceUnavailable {
		return 0
	}
	return max(1, int(math.Ceil(min(f.RetryAfter, 24*time.Hour).Seconds())))
}

// encode writes a value as JSON without escaping HTML. Values are our own types, which always encode.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// reply answers with a value as JSON.
func (x *exchange) reply(code int, v any) error {
	r := &x.fc.Response
	r.SetStatusCode(code)
	r.Header.SetContentType("application/json")
	r.SetBodyRaw(encode(v))
	return nil
}

// empty answers with no body.
func (x *exchange) empty() error {
	x.fc.Response.SetStatusCode(fasthttp.StatusNoContent)
	return nil
}
