package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// call is what a request asks for, whatever the vendor's shape.
type call struct {
	talk

	api       string // which of the vendor's; "": the one for chats
	model     string
	stream    bool
	usage     bool // OpenAI: the usage chunk was asked for
	array     bool // Gemini: a stream as a JSON array instead of events
	maxTokens int  // 0: not said
	choices   int  // at least 1
	stops     []string
	tools     []tool
	force     string // the tool that must be called
	noTools   bool   // tool choice none
	json      bool   // an answer in JSON is asked for
	schema    any    // of that JSON, nil: free
	thinks    bool   // thinking is on
	hides     bool   // thinking is on, but not shown
	signs     bool   // Gemini: an answer in words is signed
	search    bool   // the vendor's own web search is offered
	logprobs  bool
	top       int                   // of the likeliest tokens at each place
	cacheKey  string                // OpenAI: what the prompt is kept by
	direct    func(a *answer) reply // the whole answer, where it is none of a model
	echoes    *responsesBody        // Responses: what the answer repeats
}

type tool struct {
	name   string
	schema any
}

// wantsTool reports whether the answer is to be a tool call.
func (c *call) wantsTool() bool { return len(c.tools) > 0 && !c.noTools && !c.answered }

// begin names the tools as part of what the prompt is.
func (c *call) begin() {
	c.read("")
	for _, t := range c.tools {
		_, _ = c.sum.Write([]byte(t.name))
	}
}

// reply is a whole HTTP answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// piece is a part of a streamed answer: one event, or a comment, or what stands between them.
type piece struct {
	data    []byte
	comment bool
}

// problem is why a call is refused or fails, before it takes a vendor's shape.
type problem struct {
	status  int
	kind    string // the vendor's type of error; "" the usual one of the status
	message string
	param   string
	code    string
	raw     string // OpenRouter: what the vendor behind said
	allow   string // methods, of a 405
	key     bool   // Gemini: the key is invalid, which has its own details
	retry   int    // seconds; 0: not told
	stream  bool   // Gemini: the call asked for events
	html    bool   // the vendor's edge answers, in HTML
}

func bad(message string) *problem { return &problem{status: http.StatusBadRequest, message: message} }

// route is what a path stands for.
type route struct {
	api     string            // "": the one for chats
	version string            // of the API, where a header says it
	signed  func(string) bool // reports whether a signature is of a wire case; may be nil
	list    bool              // the model list
	one     bool              // one model of it
	model   string            // where the path names it
	stream  bool              // where the path says it
	array   bool
	open    bool                     // needs no key
	read    func() (reply, *problem) // answers without a body; nil: the body says what is wanted
}

// dialect is one vendor's wire shape.
type dialect interface {
	// route reads method and path, which begins after the vendor's name.
	route(r *http.Request, path string) (route, *problem)
	// authorize looks at the key and whatever else the header must hold.
	authorize(r *http.Request) *problem
	// parse reads a body that is valid JSON, and refuses what the vendor refuses.
	parse(rt route, body []byte) (*call, *problem)
	malformed(err error) *problem
	unknownModel(api, model string) *problem
	// resembles reports whether a name looks like a model of the vendor's.
	resembles(model string) bool
	// failure is a deliberate failure of that status.
	failure(status int) *problem
	refuse(p *problem, serial uint64) reply
	models(names []string, created int64, query url.Values) any
	// one is a single model of the list.
	one(name string, created int64) any
	whole(c *call, a *answer) reply
	// stream gives the header and the pieces of the answer.
	stream(c *call, a *answer) (http.Header, []piece)
	// broken is what a stream ends with that fails after n pieces.
	broken(c *call, a *answer, n int) []piece
	maxBody() int64
}

// genuine reports whether a signature is the simulator's own for that, or of a wire case.
func (rt route) genuine(kind, token, about string) bool {
	return sealed(kind, token, about) || rt.signed != nil && rt.signed(token)
}

// encode writes compact JSON the way vendors do: without escaping <, > and &.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("simulator: encode an answer: " + err.Error()) // a programmer's mistake: all of them are plain structs
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// indent is encode over several lines.
func indent(v any) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, encode(v), "", "  "); err != nil {
		panic("simulator: indent an answer: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func jsonReply(status int, body []byte, header ...string) reply {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return reply{status: status, header: h, body: body}
}

// null, a type for fields that are always null.
type null struct{}

// MarshalJSON writes null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

const idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// id makes n letters and digits out of a number.
func id(serial uint64, n int) string {
	b := make([]byte, n)
	x := serial
	for i := range b {
		if i%10 == 0 {
			x = mix(x + uint64(i)) //nolint:gosec // small
		}
		b[i] = idLetters[x%62]
		x /= 62
	}
	return string(b)
}

// asTypeError finds a JSON type error in err.
func asTypeError(err error) (*json.UnmarshalTypeError, bool) {
	return errors.AsType[*json.UnmarshalTypeError](err)
}

// goKind says in a vendor's words what a Go kind stands for.
func goKind(kind string) string {
	switch kind {
	case "string":
		return "a string"
	case "bool":
		return "a boolean"
	case "int":
		return "an integer"
	case "float64":
		return "a decimal"
	case "slice":
		return "an array"
	default:
		return "an object"
	}
}

// article puts "a" or "an" in front of what encoding/json calls a value.
func article(value string) string {
	value, _, _ = strings.Cut(value, " ") // "number 1.5" has the caller's value in it
	switch value {
	case "array", "object":
		return "an " + value
	case "bool":
		return "a boolean"
	default:
		return "a " + value
	}
}
