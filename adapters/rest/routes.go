package rest

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/forge1/forge1/domain/tenant"
)

// The bounds of bodies on all routes but the AI ones: of one that does not say another, and of a routing policy with its lists full.
const (
	smallBody  = 16 << 10
	policyBody = 512 << 10
)

// shape is the form of a route's failures.
type shape uint8

const (
	shapeProblem shape = iota // RFC 9457
	shapeOpenAI
	shapeAnthropic
)

// route is one line of the table: how it is called, by whom, and everything the document says of it.
type route struct {
	method  string
	pattern string // as in the document: {name} is a segment, {name...} the rest of the path
	access  access
	scope   tenant.Scope // with scopedKey
	role    tenant.Role  // the least role in the tenant; "": any
	shape   shape
	shared  bool // the shape is Anthropic's for clients that send Anthropic-Version
	// naming gives a field of a request the name that the route's dialect has for it, where it is named as OpenAI's chat completions do; nil: the same.
	naming  func(field string) string
	large   bool // takes bodies up to MaxBodyBytes
	most    int  // else the bytes that a body may have; 0: smallBody
	account bool // of people and tenants: it is told where requests come from, and a session's are counted

	hidden                bool // not part of the document: pages and their assets
	id, tag, summary, doc string
	params                []param
	body                  any  // a value of the request's type; nil: none
	example               any  // a body that would do
	bodyOptional          bool // an empty body stands for {}
	replies               []answer
	faults                []int // statuses of failures beyond those that follow from the fields above

	handle func(*exchange) error
}

// param documents a header or a parameter.
type param struct {
	in, name, doc string
	schema        any // a value of its type
	enum          []any
	min, max      float64
}

// answer documents one successful answer.
type answer struct {
	status  int
	doc     string
	content string // media type; "" with no body
	body    any    // a value of its type; nil: free text
	headers []string
	events  string         // description of an event stream
	kinds   map[string]any // values of its events' types, by the events' names
}

// register puts the table into Fiber and the document. It panics on a route that does not say who may call it.
func (s *Server) register(table []route) {
	s.routes = table
	for i := range s.routes {
		r := &s.routes[i]
		if !r.said() {
			panic("rest: the route " + r.method + " " + r.pattern + " does not say who may call it")
		}
		r.account = r.account || strings.HasPrefix(r.pattern, "/api/v1/auth/") || strings.HasPrefix(r.pattern, adminPath)
		if r.large {
			s.large[r.pattern] = true
		} else if r.most > smallBody {
			s.wider = append(s.wider, r)
		}
		h := s.serve(r)
		s.app.Add(r.method, fiberPath(r.pattern), h)
		if r.method == http.MethodGet {
			s.app.Add(http.MethodHead, fiberPath(r.pattern), h)
		}
	}
	s.app.Use(func(c *fiber.Ctx) error {
		s.unmatched(c.Context())
		return nil
	})
	s.openapi = s.document()
}

// fiberPath writes a pattern the way Fiber does.
func fiberPath(pattern string) string {
	var b strings.Builder
	for seg := range strings.SplitSeq(strings.TrimPrefix(pattern, "/"), "/") {
		b.WriteByte('/')
		switch {
		case strings.HasSuffix(seg, "...}"):
			b.WriteByte('+')
		case strings.HasPrefix(seg, "{"):
			b.WriteString(":" + strings.Trim(seg, "{}"))
		default:
			b.WriteString(strings.ReplaceAll(seg, ":", `\:`))
		}
	}
	return b.String()
}

// unmatched answers what no route takes: 405 where other methods would do, the methods for OPTIONS, else 404.
func (s *Server) unmatched(fc *fasthttp.RequestCtx) {
	x := s.begin(fc, &route{pattern: unmatched})
	methods := s.allowed(string(fc.URI().PathOriginal()))
	switch {
	case len(methods) == 0:
		x.end(errNoRoute)
	case x.method == http.MethodOptions:
		fc.Response.Header.Set("Allow", strings.Join(methods, ", "))
		s.cors.preflight(&fc.Request.Header, &fc.Response.Header, methods)
		x.end(x.empty())
	default:
		fc.Response.Header.Set("Allow", strings.Join(methods, ", "))
		x.end(errMethod)
	}
}

// allowed lists the methods that a path takes.
func (s *Server) allowed(path string) []string {
	var out []string
	for i := range s.routes {
		if r := &s.routes[i]; matches(r.pattern, path) && !slices.Contains(out, r.method) {
			out = append(out, r.method)
			if r.method == http.MethodGet {
				out = append(out, http.MethodHead)
			}
		}
	}
	if len(out) > 0 {
		out = append(out, http.MethodOptions)
	}
	return out
}

// matches reports whether a path fits a pattern.
func matches(pattern, path string) bool {
	for {
		p, restOfPattern, moreOfPattern := strings.Cut(pattern, "/")
		if strings.HasSuffix(p, "...}") {
			return path != ""
		}
		seg, rest, more := strings.Cut(path, "/")
		if p != seg && (!strings.HasPrefix(p, "{") || seg == "") {
			return false
		}
		if moreOfPattern != more {
			return false
		}
		if !more {
			return true
		}
		pattern, path = restOfPattern, rest
	}
}

// pathParam gives a parameter of the path, unescaped and copied. One that cannot be unescaped, or is no text, names nothing.
func (x *exchange) pathParam(name string) string {
	s, err := url.PathUnescape(strings.Clone(x.c.Params(name)))
	if err != nil || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return ""
	}
	return s
}

// pathOf gives the path of a request target, without the query and, in absolute form, without the host.
func pathOf(target []byte) []byte {
	if len(target) > 0 && target[0] != '/' {
		if _, after, ok := bytes.Cut(target, []byte("://")); ok {
			target = after[max(0, bytes.IndexByte(after, '/')):]
		}
	}
	path, _, _ := bytes.Cut(target, []byte("?"))
	return path
}
