package rest

import (
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/fault"
)

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
