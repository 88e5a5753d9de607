package simulator

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// openai is OpenAI's chat completions, responses and embeddings.
type openai struct {
	kept *kept // responses
}

func (openai) maxBody() int64 { return maxBody }

func (openai) resembles(model string) bool {
	for _, prefix := range []string{"gpt-", "chatgpt-", "o1", "o3", "o4-", "text-embedding-"} {
		if strings.HasPrefix(model, prefix) {
			return true
		}
	}
	return false
}

func (o openai) route(r *http.Request, path string) (route, *problem) {
	rt, allow := route{}, http.MethodGet
	response, ofResponse := strings.CutPrefix(path, "/v1/responses/")
	switch {
	case path == "/v1/chat/completions":
		allow = http.MethodPost
	case path == "/v1/responses":
		rt.api, allow = apiResponses, http.MethodPost
	case path == "/v1/embeddings":
		rt.api, allow = apiEmbeddings, http.MethodPost
	case ofResponse && r.Method == http.MethodDelete:
		rt.read, allow = func() (reply, *problem) { return o.kept.remove(response) }, http.MethodDelete
	case ofResponse:
		rt.read = func() (reply, *problem) { return o.kept.read(response) }
	case path == "/v1/models":
		rt.list = true
	case strings.HasPrefix(path, "/v1/models/"):
		rt.one, rt.model = true, strings.TrimPrefix(path, "/v1/models/")
	default:
		return rt, &problem{status: http.StatusNotFound, message: fmt.Sprintf("Invalid URL (%s %s)", r.Method, path)}
	}
	if r.Method != allow {
		return rt, &problem{
			status: http.StatusMethodNotAllowed, allow: allow, param: "method", code: "method_not_supported",
			message: fmt.Sprintf("Not allowed to %s on %s.", r.Method, path),
		}
	}
	return rt, nil
}

func (openai) authorize(r *http.Request) *problem {
	switch bearer(r) {
	case "":
		return &problem{
			status: http.StatusUnauthorized,
			message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
				"(i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.",
		}
	case badKey:
		return &problem{
			status: http.StatusUnauthorized, code: "invalid_api_key",
			message: "Incorrect API key provided: bad. You can find your API key at https://platform.openai.com/account/api-keys.",
		}
	}
	if got := r.Header.Get("Content-Type"); r.Method == http.MethodPost && !isJSON(r) {
		return &problem{
			status: http.StatusBadRequest, code: "unsupported_content_type",
			message: fmt.Sprintf("Unsupported content type: '%s'. This API method only accepts 'application/json' requests, "+
				"but you specified the header 'Content-Type: %s'. Please try again with a supported content type.", got, got),
		}
	}
	return nil
}

// badKey is the one key that is refused.
const badKey = "bad"

func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

func (openai) malformed(error) *problem {
	return bad("We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. " +
		"The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, " +
		"please contact us through our help center at help.openai.com.)")
}

func (openai) unknownModel(api, model string) *problem {
	if api == apiResponses {
		return &problem{
			status: http.StatusBadRequest, param: "model", code: "model_not_found", message: fmt.Sprintf("The requested model '%s' does not exist.", model),
		}
	}
	return &problem{
		status: http.StatusNotFound, code: "model_not_found",
		message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model),
	}
}

// reasons reports whether a model is a reasoning model, which takes no max_tokens.
func reasons(model string) bool {
	if strings.Contains(model, "-chat") {
		return false
	}
	return strings.HasPrefix(model, "o1") || strings.HasPrefix(model, "o3") || strings.HasPrefix(model, "o4") || strings.HasPrefix(model, "gpt-5")
}

// fixedTemperature reports whether a model takes no temperature but 1. The gpt-5.x that came later take one when they do not reason.
func fixedTemperature(model string) bool {
	return reasons(model) && !strings.HasPrefix(model, "gpt-5.")
}

// The APIs beside the one for chats.
const (
	apiResponses  = "responses"
	apiEmbeddings = "embeddings"
	apiCount      = "count"
)

func (o openai) parse(rt route, body []byte) (*call, *problem) {
	switch rt.api {
	case apiResponses:
		return o.parseResponses(rt, body)
	case apiEmbeddings:
		return parseEmbeddings(body, openai{}.embeddings)
	}
	c, b, p := parseChat(body, maxCallID)
	if p != nil {
		return nil, p
	}
	for _, refuse := range []func() *problem{
		func() *problem { return unknownInChat(body) }, b.choiceWithoutTools, b.tooManyStops, b.logprobsWithoutAsking, b.refuseReasoning,
	} {
		if p := refuse(); p != nil {
			return nil, p
		}
	}
	c.thinks = reasons(c.model) && thinksHard(b.Effort)
	c.hides = true
	return c, nil
}

// thinksHard reports whether an effort is one that makes a model think.
func thinksHard(effort string) bool { return effort != "" && effort != "none" && effort != "minimal" }

// refuseReasoning refuses what a reasoning model does not take.
func (b *chatBody) refuseReasoning() *problem {
	switch {
	case !reasons(b.Model):
		return nil
	case b.MaxTokens != nil:
		return &problem{
			status: http.StatusBadRequest, param: "max_tokens", code: "unsupported_parameter",
			message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
		}
	case b.Temperature != nil && *b.Temperature != 1 && fixedTemperature(b.Model):
		return &problem{
			status: http.StatusBadRequest, param: "temperature", code: "unsupported_value",
			message: fmt.Sprintf("Unsupported value: 'temperature' does not support %g with this model. Only the default (1) value is supported.", *b.Temperature),
		}
	default:
		return nil
	}
}

func (openai) failure(status int) *problem {
	p := &problem{status: status}
	switch status {
	case http.StatusUnauthorized:
		p.code, p.message = "invalid_api_key", "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
	case http.StatusPaymentRequired:
		p.kind, p.code, p.message = "insufficient_quota", "billing_hard_limit_reached", "Billing hard limit has been reached."
	case http.StatusForbidden:
		p.code, p.message = "unsupported_country_region_territory", "Country, region, or territory not supported"
		p.kind = "request_forbidden"
	case http.StatusTooManyRequests:
		p.kind, p.code = "requests", "rate_limit_exceeded"
		p.message = "Rate limit reached for this model on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again later."
	case http.StatusServiceUnavailable:
		p.kind, p.message = "server_error", "The server is overloaded or not ready yet."
	default:
		p.message = "The server had an error while processing your request. Sorry about that!"
		if status < 500 {
			p.message = http.StatusText(status)
		}
	}
	return p
}

type openaiError struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	} `json:"error"`
}

func openaiFailure(p *problem) openaiError {
	var e openaiError
	e.Error.Message, e.Error.Type = p.message, p.kind
	if p.kind == "" {
		e.Error.Type = "invalid_request_error"
		if p.status >= 500 {
			e.Error.Type = "server_error"
		}
	}
	if p.param != "" {
		e.Error.Param = &p.param
	}
	if p.code != "" {
		e.Error.Code = &p.code
	}
	return e
}

func (openai) refuse(p *problem, serial uint64) reply {
	r := jsonReply(p.status, indent(openaiFailure(p)), "X-Request-Id", "req_"+strings.ToLower(id(serial, 32)))
	if p.allow != "" {
		r.header.Set("Allow", p.allow)
	}
	if p.retry > 0 {
		r.header.Set("Retry-After", strconv.Itoa(p.retry))
		r.header.Set("Retry-After-Ms", strconv.Itoa(p.retry*1000))
	}
	return r
}

type openaiModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (openai) models(names []string, created int64, _ url.Values) any {
	list := struct {
		Object string        `json:"object"`
		Data   []openaiModel `json:"data"`
	}{Object: "list", Data: []openaiModel{}}
	for _, name := range names {
		list.Data = append(list.Data, openaiModel{ID: name, Object: "model", Created: created, OwnedBy: "system"})
	}
	return list
}

func (openai) one(name string, created int64) any {
	return openaiModel{ID: name, Object: "model", Created: created, OwnedBy: "system"}
}
