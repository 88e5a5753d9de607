package rest

import (
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

// chatCompletions serves POST /v1/chat/completions. The body is read once and goes to the gateway as bytes.
func (x *exchange) chatCompletions() error {
	body := x.fc.Request.SwapBody(nil) // ours from here on: no copy, and no reused buffer
	env, err := scanChat(body)
	if err != nil {
		return err
	}
	a, err := x.askedFor()
	if err != nil {
		return err
	}
	c := x.call(a, inbound.SurfaceChatCompletions)
	c.Dialect, c.Body = chat.DialectOpenAIChat, body
	c.Parse = func() (*chat.Request, error) { return parseChat(body, a.strict) }
	c.Fingerprint = func() ([32]byte, error) { return fingerprint(body, leftOutOfChat) }
	c.Model, c.EndUser, c.MaxTokens, c.TextBytes = env.model, env.user, env.maxTokens, env.textBytes
	c.Vision, c.Tools, c.Schema = env.vision, env.tools, env.schema

	created := x.start.Unix()
	if env.stream {
		return x.stream(c, a, &chatEncoder{created: created, usage: env.includeUsage})
	}
	answer, err := x.ask(c, a)
	if err != nil {
		return err
	}
	r := &x.fc.Response
	r.SetStatusCode(http.StatusOK)
	r.Header.SetContentType("application/json")
	if answer.Response == nil {
		r.SetBodyRaw(answer.Body)
	} else {
		r.SetBodyRaw(encode(completionOf(answer, created)))
	}
	return nil
}

// OpenAIError is a failure in the shape that OpenAI's clients read.
type OpenAIError struct {
	Error OpenAIErrorDetail `json:"error"`
}

// OpenAIErrorDetail says what failed.
type OpenAIErrorDetail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Code    *string `json:"code" doc:"Forge's code, or the vendor's where the vendor refused the request itself"`
	Param   *string `json:"param"`
}

// openAIErrorOf puts a fault into OpenAI's shape.
func openAIErrorOf(f *fault.Error) OpenAIError {
	d := OpenAIErrorDetail{Message: f.Msg, Type: openAIType(statusOf(f)), Code: orNull(f.Code), Param: orNull(f.Param)}
	if len(f.Fields) > 0 {
		first := f.Fields[0]
		param := dotted(first.Pointer)
		if d.Param = orNull(param); first.Message != "" && !strings.HasSuffix(f.Msg, first.Message) { // said already
			d.Message = strings.TrimSuffix(f.Msg, "; see errors") + ": " + strings.TrimSpace(param+" "+first.Message)
		}
	}
	if d.Param == nil && f.Code == errNoModel.Code {
		d.Param = orNull("model") // as OpenAI names it, whoever noticed
	}
	return OpenAIError{d}
}

func openAIType(code int) string {
	switch {
	case code == http.StatusUnauthorized:
		return "authentication_error"
	case code == http.StatusForbidden:
		return "permission_error"
	case code == http.StatusTooManyRequests:
		return "rate_limit_error"
	case code >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

// dotted writes a JSON pointer the way OpenAI names parameters: messages[0].role. Anything else is a name already.
func dotted(pointer string) string {
	if !strings.HasPrefix(pointer, "/") {
		return pointer
	}
	var b strings.Builder
	for i, seg := range strings.Split(pointer[1:], "/") {
		seg = strings.ReplaceAll(strings.ReplaceAll(seg, "~1", "/"), "~0", "~")
		switch {
		case i > 0 && seg != "" && strings.Trim(seg, "0123456789") == "":
			b.WriteString("[" + seg + "]")
		case i > 0:
			b.WriteString("." + seg)
		default:
			b.WriteString(seg)
		}
	}
	return b.String()
}
