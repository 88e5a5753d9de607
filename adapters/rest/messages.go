package rest

import (
	"cmp"
	"net/http"
	"sync/atomic"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// messages serves POST /v1/messages, Anthropic's API. The body is read once and goes to the gateway as bytes.
func (x *exchange) messages() error {
	body := x.takeBody()
	env, err := scan(body, &messageFields)
	if err != nil {
		return err
	}
	a, err := x.askedFor()
	if err != nil {
		return err
	}
	c := x.callOf(a, inbound.SurfaceMessages, chat.DialectAnthropic, body, &env)
	c.Parse = x.parsing(body, a.strict)
	c.Fingerprint = func() ([32]byte, error) { return fingerprint(body, leftOutOfMessages) }
	if env.stream {
		return x.stream(c, a, &messageEncoder{x: x, input: chat.EstimateTokens(env.textBytes)})
	}
	answer, err := x.ask(c, a)
	if err != nil {
		return err
	}
	if answer.Response == nil {
		return x.relayed(answer.Body)
	}
	return x.relayed(appendMessage(nil, answer.Response, answer.Receipt))
}

// countTokens serves POST /v1/messages/count_tokens.
func (x *exchange) countTokens() error {
	body := x.takeBody()
	env, err := scan(body, &countFields)
	if err != nil {
		return err
	}
	a, err := x.askedFor()
	if err != nil {
		return err
	}
	c := x.callOf(a, inbound.SurfaceCountTokens, chat.DialectAnthropicCount, body, &env)
	c.Parse = x.parsing(body, a.strict)
	x.watchClient()
	count, err := x.s.deps.TokenCounts.Count(x.ctx, c)
	x.receipt, x.explain = &count.Receipt, a.explain
	if err != nil {
		return err
	}
	x.writeReceipt(count.Receipt, outcomeOK)
	if count.Estimated {
		x.fc.Response.Header.Set("X-Forge-Usage-Source", string(chat.UsageEstimated))
	}
	if count.Body != nil {
		return x.relayed(count.Body)
	}
	return x.reply(http.StatusOK, TokenCount{count.Tokens})
}

// TokenCount is how many tokens a request has. A vendor's own may say more.
type TokenCount struct {
	InputTokens int `json:"input_tokens"`
}

// parsing gives what reads the body for a vendor of another dialect. From then on the failures of the exchange name fields as the body does.
func (x *exchange) parsing(body []byte, strict bool) func() (*chat.Request, error) {
	var read atomic.Pointer[places] // whoever shares the call with others may still parse when this exchange fails
	x.naming = func(field string) string { return messageName(field, read.Load()) }
	return func() (*chat.Request, error) {
		r, at, err := parseMessages(body, strict)
		if err == nil {
			read.Store(at)
		}
		return r, err
	}
}

// leftOutOfMessages are the members that name a caller, and those that say how the answer is sent.
func leftOutOfMessages(path, key string) bool {
	return path == "" && (key == "metadata" || key == "stream")
}

// messageID gives the id of an answer that Forge renders.
func messageID(r inbound.Receipt) string {
	id := []byte("msg_")
	for i := range len(r.CallID) {
		if c := r.CallID[i]; c != '-' {
			id = append(id, c)
		}
	}
	return string(id)
}

// stopReason says why the model stopped, in Anthropic's words. Some vendors say that they were done when they call a tool that was asked for by
// name; an agent reads here whether it is its turn.
func stopReason(f chat.Finish, sequence string, called, refused bool) string {
	switch f := cmp.Or(f, chat.FinishStop); {
	case f == chat.FinishLength:
		return "max_tokens"
	case f == chat.FinishContentFilter:
		return "refusal"
	case f == chat.FinishPause:
		return "pause_turn"
	case f == chat.FinishToolCalls, called:
		return "tool_use"
	case refused:
		return "refusal"
	case sequence != "":
		return "stop_sequence"
	}
	return "end_turn"
}
