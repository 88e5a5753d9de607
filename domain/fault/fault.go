// Package fault says how anything in Forge 1 can fail: a kind that maps to a status, a stable code, a public text, and a
// private cause for the log.
package fault

import (
	"errors"
	"time"
)

// Kind classifies a failure by what the caller can do about it.
type Kind uint8

// The kinds. Internal is the zero value: whatever nobody classified is ours to mend, and its text never leaves the process.
const (
	Internal        Kind = iota
	Malformed            // the body cannot be read as the schema
	Invalid              // readable, but a value breaks a rule
	Unauthenticated      // no credential, or one that is not valid
	Forbidden            // known, but not allowed
	NotFound             // absent, or another tenant's: the same answer
	Conflict             // collides with what is there
	Stale                // the version named is not the current one
	Precondition         // a required precondition header is missing
	TooLarge             // more bytes than the route takes
	MediaType            // a content type or encoding that is not taken
	Method               // the path exists, the method does not
	Payment              // a budget is used up
	Exhausted            // too many, too fast
	Upstream             // a vendor failed
	Unavailable          // busy, or a dependency is away; trying again may help
	Timeout              // the deadline passed while a vendor was asked
	Canceled             // the caller left
)

// Field is one mistake in the input, named by JSON pointer (RFC 6901).
type Field struct {
	Pointer string // such as /context/max_tokens; "" is the whole body
	Code    string // malformed, unknown_field, wrong_type, missing_field, too_short, …
	Message string // what to do about it; never echoes a secret
}

// Error is a classified failure. Code and Msg are public and stable; Err is for the log alone.
type Error struct {
	Kind       Kind
	Code       string
	Msg        string
	Fields     []Field
	Param      string        // what a vendor said is wrong with the caller's request, in the vendor's notation; "" when it did not say
	RetryAfter time.Duration // zero: none known
	Err        error
}

// New declares a sentinel. Compare with errors.Is: two faults are the same when their codes are.
func New(kind Kind, code, msg string) *Error { return &Error{Kind: kind, Code: code, Msg: msg} }

// Error says the code and the public text, with the cause for the log.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Msg + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Msg
}

// Unwrap gives the private cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is a fault with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // Is is asked about one link of the chain
	return ok && t.Code == e.Code
}

// With gives a copy that carries a private cause.
func (e *Error) With(cause error) *Error { c := *e; c.Err = cause; return &c }

// Saying gives a copy with another public text.
func (e *Error) Saying(msg string) *Error { c := *e; c.Msg = msg; return &c }

// At gives a copy that names mistaken fields.
func (e *Error) At(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// After gives a copy that says when trying again makes sense.
func (e *Error) After(d time.Duration) *Error { c := *e; c.RetryAfter = d; return &c }

// KindOf gives the kind of err: Internal when nobody classified it.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// ErrValidation is a readable body with a value that breaks a rule; add the fields with At.
var ErrValidation = New(Invalid, "validation_failed", "a value breaks a rule; see errors")

// ErrNotFound is what is absent, or belongs to another tenant.
var ErrNotFound = New(NotFound, "not_found", "there is no such thing here")

// ErrBusy refuses work for lack of room; nothing was done, and a retry may succeed.
var ErrBusy = New(Unavailable, "busy", "too much at once; try again shortly").After(time.Second)

// ErrDependency is a store that does not answer; nothing was done.
var ErrDependency = New(Unavailable, "dependency_unavailable", "a service this needs does not answer; try again shortly").After(time.Second)
