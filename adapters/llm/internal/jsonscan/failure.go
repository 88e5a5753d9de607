package jsonscan

import (
	"errors"

	"github.com/forge1/forge1/domain/chat"
)

// Failure is what a client is told of a body that Find refuses: it cannot be read, or can be read in two ways.
func Failure(err error) *chat.Failure {
	if twice, ok := errors.AsType[*TwiceError](err); ok {
		return Malformed(twice.Key, "stands twice")
	}
	return Malformed("", err.Error())
}

// Malformed is what a client is told of a body, or of one of its members, that is not what it must be.
func Malformed(param, what string) *chat.Failure {
	if param != "" {
		what = param + ": " + what
	}
	f := chat.Fail(chat.ClassInvalid, errors.New(what))
	f.Param, f.Code, f.Message = param, "malformed", what
	return f
}
