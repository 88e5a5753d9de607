package bedrock

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// explain reads an error body, with the name of the error from the answer's header, or from the body; it gives a llm.Explain. heard may be nil.
func explain(to outbound.Target, heard *listener) llm.Explain {
	return func(body []byte) (llm.Refusal, bool) {
		var p problem
		if json.Unmarshal(body, &p) != nil {
			return llm.Refusal{}, false
		}
		name := p.Type
		if heard != nil && heard.name != "" {
			name = heard.name
		}
		if name == "" && p.Message == "" {
			return llm.Refusal{}, false
		}
		return p.refusal(to, name), true
	}
}

// classes are the names of errors that say more than the status with them, or stand in a stream, where there is none. ValidationException is not among
// them: what is wrong stands in its message.
var classes = map[string]chat.Class{
	"throttlingexception":                 chat.ClassRateLimited,
	"toomanyrequestsexception":            chat.ClassRateLimited,
	"servicequotaexceededexception":       chat.ClassQuota,
	"accessdeniedexception":               chat.ClassAuth,
	"unrecognizedclientexception":         chat.ClassAuth,
	"invalidsignatureexception":           chat.ClassAuth,
	"expiredtokenexception":               chat.ClassAuth,
	"incompletesignatureexception":        chat.ClassAuth,
	"missingauthenticationtoken":          chat.ClassAuth,
	"resourcenotfoundexception":           chat.ClassNoModel,
	"modelnotreadyexception":              chat.ClassOverloaded,
	"modeltimeoutexception":               chat.ClassTimeout,
	"modelerrorexception":                 chat.ClassServer,
	"modelstreamerrorexception":           chat.ClassServer,
	"internalserverexception":             chat.ClassServer,
	"internalfailure":                     chat.ClassServer,
	"serviceunavailableexception":         chat.ClassOverloaded,
	"serviceunavailable":                  chat.ClassOverloaded,
	"missingauthenticationtokenexception": chat.ClassAuth,
}

// arn is a name of Amazon's, which tells an account.
var arn = regexp.MustCompile(`arn:aws[a-z-]*:[^\s"']+`)

// refusal reads an error by its name, which may be a URI with a name behind its # and be followed by another behind a colon.
func (p *problem) refusal(to outbound.Target, name string) llm.Refusal {
	name, _, _ = strings.Cut(name, ":")
	name = name[strings.LastIndexByte(name, '#')+1:]
	r := llm.Refusal{Class: classes[strings.ToLower(name)], Code: name, Message: arn.ReplaceAllString(p.Message, "[removed]")}
	for _, piece := range credentialOf(to.Secret) {
		if len(piece) >= 4 {
			r.Message = strings.ReplaceAll(r.Message, piece, "[removed]")
		}
	}
	message := strings.ToLower(p.Message)
	switch {
	case !strings.EqualFold(name, "ValidationException"):
	case strings.Contains(message, "model identifier is invalid"), strings.Contains(message, "on-demand throughput isn"):
		r.Class = chat.ClassNoModel // or it is sold by another name, an inference profile's
	case strings.Contains(message, "too long"), strings.Contains(message, "too many input tokens"), strings.Contains(message, "maximum context"):
		r.Class = chat.ClassTooLong
	default:
		r.Class = chat.ClassInvalid
	}
	return r
}
