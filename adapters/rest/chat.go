package rest

import (
	"net/http"
	"sync/atomic"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// chatCompletions serves POST /v1/chat/completions. The body is read once and goes to the gateway as bytes.
func (x *exchange) chatCompletions() error {
	body := x.takeBody()
	env, err := scanChat(body)
	if err != nil {
		return err
	}
	a, err := x.askedFor()
	if err != nil {
		return err
	}
	c := x.callOf(a, inbound.SurfaceChatCompletions, chat.DialectOpenAIChat, body, &env)
	var tools atomic.Pointer[[]string]
	c.Parse = func() (*chat.Request, error) {
		r, names, err := translateChat(body, a.strict)
		tools.Store(&names)
		return r, err
	}
	x.naming = func(field string) string {
		if field == "user" && env.user == "" {
			return "safety_identifier" // which says the same
		}
		if names := tools.Load(); names != nil {
			return chatName(field, *names)
		}
		return field
	}
	c.Fingerprint = func() ([32]byte, error) { return fingerprint(body, leftOutOfChat) }

	created, forms := x.start.Unix(), &toolForms{body: body}
	if env.stream {
		return x.stream(c, a, &chatEncoder{created: created, usage: env.includeUsage, forms: forms})
	}
	answer, err := x.ask(c, a)
	if err != nil {
		return err
	}
	if answer.Response == nil {
		return x.relayed(answer.Body)
	}
	return x.reply(http.StatusOK, completionOf(answer, created, forms))
}
