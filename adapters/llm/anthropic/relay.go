package anthropic

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/events"
	"github.com/forge1/forge1/adapters/llm/internal/jsonscan"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.Relay = (*relay)(nil)

// relay passes bodies of the Messages API through; it implements outbound.Relay.
type relay struct{ client *http.Client }

// Dialect implements outbound.Relay.
func (r *relay) Dialect() chat.Dialect { return chat.DialectAnthropic }

// pass sends a client's body on, and says what was left out of it.
func pass(ctx context.Context, client *http.Client, to outbound.Target, path string, p outbound.Passage) (*http.Response, []string, error) {
	body, dropped, err := passable(p.Body, to.Model)
	if err != nil {
		return nil, nil, err
	}
	c := call(to, path, body, p.Header[headerBeta])
	if v := p.Header[headerVersion]; v != "" {
		c.Header[headerVersion] = []string{v}
	}
	resp, err := c.Do(ctx, client)
	return resp, dropped, err
}

// RelayWhole implements outbound.Relay.
func (r *relay) RelayWhole(ctx context.Context, to outbound.Target, p outbound.Passage) (*outbound.Relayed, error) {
	resp, dropped, err := pass(ctx, r.client, to, pathMessages, p)
	if err != nil {
		return nil, err
	}
	body, err := llm.ReadAnswer(ctx, resp)
	if err != nil {
		return nil, err
	}
	t, ok := tap(body)
	switch {
	case !ok:
		return nil, llm.BadResponse(to, "answered something that is not a message")
	case t.failure != nil:
		return nil, failureOf(t.failure, to)
	case t.kind != wholeMessage || !t.listed || t.reason == "":
		return nil, llm.BadResponse(to, "answered a message without content or stop reason")
	}
	return &outbound.Relayed{Body: body, Model: jsonscan.Unquote(t.model), Finish: finish(t.reason), Usage: usageOf(t.usage), Dropped: dropped}, nil
}

// failureOf reads an error object.
func failureOf(value []byte, to outbound.Target) *chat.Failure {
	var e apiError
	if json.Unmarshal(value, &e) != nil {
		return llm.BadResponse(to, "sent an error that is none")
	}
	return e.refusal().Failure(to, nil)
}

// RelayStream implements outbound.Relay.
func (r *relay) RelayStream(ctx context.Context, to outbound.Target, p outbound.Passage) (iter.Seq2[outbound.Frame, error], error) {
	resp, dropped, err := pass(ctx, r.client, to, pathMessages, p)
	if err != nil {
		return nil, err
	}
	return events.Passing{Response: resp, To: to, Tap: &listener{to: to}, Explain: explain, Dropped: dropped}.Frames(ctx)
}

// listener reads a stream on its way through; it implements events.Tap.
type listener struct {
	to      outbound.Target
	tally   tally
	stopped bool // a stop reason came
}

// Complete implements events.Tap: a message ends with its last event alone.
func (l *listener) Complete() bool { return false }

// Event implements events.Tap.
func (l *listener) Event(_, data []byte) (f outbound.Frame, done bool, err error) {
	t, ok := tap(data)
	if !ok {
		return f, false, llm.BadResponse(l.to, "sent an event that is not one")
	}
	f.Content = t.content
	switch t.kind {
	case "", eventError:
		if t.failure != nil {
			return outbound.Frame{}, false, failureOf(t.failure, l.to)
		}
		if t.kind == eventError {
			return outbound.Frame{}, false, llm.BadResponse(l.to, "sent an error event without an error")
		}
	case eventStart:
		l.tally.count(t.usage)
		f.Model = jsonscan.Unquote(t.model)
	case eventEnd:
		if t.usage != nil {
			l.tally.count(t.usage)
			f.Usage = l.tally.usage()
		}
		if t.reason != "" {
			l.stopped = true
			f.Finish = finish(t.reason)
		}
	case eventStop:
		if !l.stopped {
			return outbound.Frame{}, false, llm.BadResponse(l.to, "ended a message without a stop reason")
		}
		done = true
	}
	return f, done, nil
}
