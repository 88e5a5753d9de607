package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

var (
	errTooLarge = errors.New("the answer is larger than the limit")
	errEmpty    = errors.New("the answer is empty")
)

// FromTransport classifies the failure of a call that got no answer: the caller left, time ran out, or no connection stood.
func FromTransport(ctx context.Context, err error) *chat.Failure {
	if f := interrupted(ctx, err); f != nil {
		return f
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // its text names the URL
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return chat.Fail(chat.ClassConnect, fmt.Errorf("connect: %w", plain(err)))
	}
	// The transport's own type for a handshake that took too long is not exported.
	if timedOut(err) && !strings.Contains(err.Error(), "TLS handshake timeout") {
		return chat.Fail(chat.ClassTimeout, plain(err))
	}
	return chat.Fail(chat.ClassConnect, plain(err))
}

// FromBody classifies a failure while an answer's body was read: the caller left, time ran out, the vendor fell silent, or, else, the
// answer was cut off.
func FromBody(ctx context.Context, err error) *chat.Failure {
	if f := interrupted(ctx, err); f != nil {
		return f
	}
	if timedOut(err) {
		return chat.Fail(chat.ClassTimeout, plain(err))
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return chat.Fail(chat.ClassCutOff, plain(err))
}

// interrupted is about the call's own end: an idle body looks cancelled too, so that goes first.
func interrupted(ctx context.Context, err error) *chat.Failure {
	switch cause := ctx.Err(); {
	case errors.Is(err, errIdle):
		return chat.Fail(chat.ClassTimeout, errIdle)
	case errors.Is(cause, context.DeadlineExceeded):
		return chat.Fail(chat.ClassTimeout, cause)
	case cause != nil:
		return chat.Fail(chat.ClassCanceled, cause)
	case errors.Is(err, context.Canceled):
		return chat.Fail(chat.ClassCanceled, context.Canceled)
	}
	return nil
}

func timedOut(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// plain keeps the text of an error and cuts it, because a transport may quote what a server wrote where a status line was due.
func plain(err error) error {
	const most = 200
	text := err.Error()
	if strings.Contains(text, "malformed HTTP") {
		return errors.New("the answer is not HTTP")
	}
	if len(text) > most {
		text = cut(text, most)
	}
	return errors.New(text)
}
