package chat_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

func TestClasses(t *testing.T) {
	type traits struct {
		outcome                string
		trips, callers, models bool
	}
	tests := map[chat.Class]traits{
		chat.ClassTimeout:     {"timeout", true, false, false},
		chat.ClassRateLimited: {"rate_limited", false, false, false},
		chat.ClassQuota:       {"rate_limited", false, false, false},
		chat.ClassOverloaded:  {"overloaded", true, false, false},
		chat.ClassServer:      {"server_error", true, false, false},
		chat.ClassConnect:     {"connect_error", true, false, false},
		chat.ClassAuth:        {"auth_error", false, false, false},
		chat.ClassBadResponse: {"bad_response", true, false, false},
		chat.ClassCutOff:      {"bad_response", true, false, false},
		chat.ClassCanceled:    {"canceled", false, false, false},
		chat.ClassInvalid:     {"bad_response", false, true, false},
		chat.ClassUnsupport:   {"bad_response", false, true, false},
		chat.ClassNoModel:     {"bad_response", false, false, true},
		chat.ClassTooLarge:    {"bad_response", false, false, true},
		chat.ClassTooLong:     {"bad_response", false, false, true},
	}
	for class, want := range tests {
		t.Run(string(class), func(t *testing.T) {
			got := traits{chat.Outcome(chat.Fail(class, nil)), class.TripsBreaker(), class.CallersFault(), class.ModelSpecific()}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestClassOf(t *testing.T) {
	plain := errors.New("boom")
	tests := map[string]struct {
		err     error
		class   chat.Class
		outcome string
	}{
		"no error":              {nil, "", "ok"},
		"an unclassified error": {plain, chat.ClassServer, "server_error"},
		"a failure":             {chat.Fail(chat.ClassTimeout, plain), chat.ClassTimeout, "timeout"},
		"a wrapped failure":     {fmt.Errorf("ask: %w", chat.Fail(chat.ClassAuth, plain)), chat.ClassAuth, "auth_error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if class, outcome := chat.ClassOf(tt.err), chat.Outcome(tt.err); class != tt.class || outcome != tt.outcome {
				t.Errorf("class %q, outcome %q; want %q, %q", class, outcome, tt.class, tt.outcome)
			}
		})
	}
}

func TestFailuresOfOneClassAreTheSame(t *testing.T) {
	cause := errors.New("unexpected end")
	err := fmt.Errorf("stream: %w", chat.Fail(chat.ClassCutOff, cause))
	if !errors.Is(err, chat.ErrCutOff) || !errors.Is(err, cause) {
		t.Errorf("%v is not a cut-off by %v", err, cause)
	}
	if errors.Is(err, chat.Fail(chat.ClassServer, nil)) || errors.Is(chat.ErrCutOff, cause) {
		t.Error("failures of different classes are the same")
	}
	if got, want := chat.Fail(chat.ClassCutOff, cause).Error(), "cut_off: unexpected end"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if got := chat.ErrCutOff.Error(); got != "cut_off" {
		t.Errorf("text %q, want the class", got)
	}
}
