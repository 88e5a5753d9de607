package chat

import (
	"errors"
	"time"
)

// Class is what went wrong with a vendor call. The first group names outcomes of an attempt.
type Class string

// The classes.
const (
	ClassTimeout     Class = "timeout"
	ClassRateLimited Class = "rate_limited"
	ClassQuota       Class = "quota" // an exhausted account: asked once, then rested
	ClassOverloaded  Class = "overloaded"
	ClassServer      Class = "server_error"
	ClassConnect     Class = "connect_error"
	ClassAuth        Class = "auth_error"
	ClassBadResponse Class = "bad_response" // HTML, an empty body, a 200 that is not an answer
	ClassCutOff      Class = "cut_off"      // a stream without its end
	ClassCanceled    Class = "canceled"     // the caller left

	ClassInvalid   Class = "invalid_request" // the caller's own mistake, by the vendor's word
	ClassNoModel   Class = "model_not_found"
	ClassTooLarge  Class = "too_large"      // the body
	ClassTooLong   Class = "context_length" // the conversation
	ClassUnsupport Class = "unsupported"    // a field that this vendor cannot honour, found before the call
)

// Failure is a typed failure of a vendor call. Message, Code and Param are the vendor's own words about the caller's request and
// are set for the caller's mistakes alone; they are already scrubbed and cut. Err is for the log and never holds a body or a key.
type Failure struct {
	Class      Class
	RetryAfter time.Duration // 0: none given; at most 300 s
	Final      bool          // the vendor says that asking it again will not help
	Status     int           // the vendor's own, of HTTP, for the caller's mistakes; 0: it gave none
	Message    string
	Code       string
	Param      string
	Err        error
}

// Error names the class and the private cause.
func (f *Failure) Error() string {
	if f.Err != nil {
		return string(f.Class) + ": " + f.Err.Error()
	}
	return string(f.Class)
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Is makes failures of one class the same, so that the sentinels below can be compared with errors.Is.
func (f *Failure) Is(target error) bool {
	t, ok := target.(*Failure) //nolint:errorlint // Is is asked about one link of the chain
	return ok && t.Class == f.Class
}

// ErrCutOff is a stream that ended without its finishing event.
var ErrCutOff = &Failure{Class: ClassCutOff}

// Fail makes a failure with a private cause.
func Fail(class Class, err error) *Failure { return &Failure{Class: class, Err: err} }

// ClassOf gives the class of err: ClassServer when nobody classified it, "" for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Class
	}
	return ClassServer
}

// Outcome is the public name of what became of an attempt: ok, timeout, rate_limited, overloaded, server_error, connect_error,
// auth_error, bad_response or canceled.
func Outcome(err error) string {
	switch c := ClassOf(err); c {
	case "":
		return "ok"
	case ClassQuota:
		return string(ClassRateLimited)
	case ClassCutOff:
		return string(ClassBadResponse)
	case ClassInvalid, ClassNoModel, ClassTooLarge, ClassTooLong, ClassUnsupport:
		return string(ClassBadResponse)
	default:
		return string(c)
	}
}

// CallersFault reports whether the vendor refused the request itself, so that no other vendor need be asked for the same body.
func (c Class) CallersFault() bool { return c == ClassInvalid || c == ClassUnsupport }

// ModelSpecific reports whether another model might well take the same request.
func (c Class) ModelSpecific() bool {
	return c == ClassNoModel || c == ClassTooLarge || c == ClassTooLong
}

// TripsBreaker reports whether the class speaks against the health of the target.
func (c Class) TripsBreaker() bool {
	switch c {
	case ClassTimeout, ClassOverloaded, ClassServer, ClassConnect, ClassBadResponse, ClassCutOff:
		return true
	default:
		return false
	}
}
