package llm_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

func TestRetryAfterReadsEveryDialect(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		header map[string]string
		body   time.Duration
		want   time.Duration
	}{
		"nothing":                    {nil, 0, 0},
		"seconds":                    {map[string]string{"Retry-After": "20"}, 0, 20 * time.Second},
		"a part of a second":         {map[string]string{"Retry-After": "1.5"}, 0, 1500 * time.Millisecond},
		"milliseconds go first":      {map[string]string{"Retry-After": "20", "Retry-After-Ms": "19742"}, 0, 19742 * time.Millisecond},
		"an HTTP date":               {map[string]string{"Retry-After": "Tue, 24 Nov 2026 12:00:30 GMT"}, 0, 30 * time.Second},
		"a date that is past":        {map[string]string{"Retry-After": "Tue, 24 Nov 2026 11:00:30 GMT"}, 0, 0},
		"RFC 3339":                   {map[string]string{"Retry-After": "2026-11-24T12:00:07Z"}, 0, 7 * time.Second},
		"a Go duration":              {map[string]string{"Retry-After": "1m0.052s"}, 0, 60052 * time.Millisecond},
		"the body":                   {nil, 48 * time.Second, 48 * time.Second},
		"the header before the body": {map[string]string{"Retry-After": "2"}, 48 * time.Second, 2 * time.Second},
		"no more than five minutes":  {map[string]string{"Retry-After": "86400"}, 0, 300 * time.Second},
		"nonsense":                   {map[string]string{"Retry-After": "soon"}, 0, 0},
		"less than nothing":          {map[string]string{"Retry-After": "-5"}, 0, 0},
		"not a number":               {map[string]string{"Retry-After": "NaN"}, 0, 0},
		"a year":                     {map[string]string{"Retry-After": "31536000"}, 0, 300 * time.Second},
		"a year in milliseconds":     {map[string]string{"Retry-After-Ms": "31536000000"}, 0, 300 * time.Second},
		"without end":                {map[string]string{"Retry-After": "+Inf"}, 0, 300 * time.Second},
		"milliseconds that are none": {map[string]string{"Retry-After": "3", "Retry-After-Ms": "NaN"}, 0, 3 * time.Second},
		"less than no milliseconds":  {map[string]string{"Retry-After": "3", "Retry-After-Ms": "-1"}, 0, 3 * time.Second},
		"zero":                       {map[string]string{"Retry-After": "0"}, 0, 0},
		"a date that is a year off":  {map[string]string{"Retry-After": "Wed, 24 Nov 2027 12:00:30 GMT"}, 0, 300 * time.Second},
		"an epoch that is past":      {map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1495521605000"}, 0, 0},
		"an epoch without end":       {map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "9223372036854775807"}, 0, 300 * time.Second},
		"an empty bucket":            {map[string]string{"X-Ratelimit-Remaining-Requests": "0", "X-Ratelimit-Reset-Requests": "8.64s"}, 0, 8640 * time.Millisecond},
		"a bucket that is not empty": {map[string]string{"X-Ratelimit-Remaining-Requests": "3", "X-Ratelimit-Reset-Requests": "8.64s"}, 0, 0},
		"epoch milliseconds":         {map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1795521605000"}, 0, 5 * time.Second},
		"a timestamp of Anthropic's": {map[string]string{"Anthropic-Ratelimit-Tokens-Remaining": "0", "Anthropic-Ratelimit-Tokens-Reset": "2026-11-24T12:00:09Z"}, 0, 9 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range tc.header {
				h.Set(k, v)
			}
			if got := llm.RetryAfter(h, tc.body, now); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestADelayIsReadOutOfProse(t *testing.T) {
	for message, want := range map[string]time.Duration{
		"Please retry in 48.939935699s.":                          48939935699,
		"Rate limit reached. Please try again in 1m30s. Visit us": 90 * time.Second,
		"try again in 20ms":                                       20 * time.Millisecond,
		"try again in 99999999h":                                  0, // more than a duration can hold
		"try again in 400s":                                       llm.MaxRetryAfter,
		"retry in a while":                                        0,
		"please retry":                                            0,
		"":                                                        0,
	} {
		if got := llm.ProseDelay(message); got != want {
			t.Errorf("%q: got %v, want %v", message, got, want)
		}
		if f := (llm.Refusal{Status: 429, Message: message}).Failure(outbound.Target{}, nil); f.RetryAfter != want {
			t.Errorf("%q with 429: got %v, want %v", message, f.RetryAfter, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"20", "1.5", "Tue, 24 Nov 2026 12:00:30 GMT", "2026-11-24T12:00:07Z", "1m", "NaN", "1e999", "-1", "0x1p-2"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{"Retry-After", "Retry-After-Ms", "X-Ratelimit-Reset"} {
			h := http.Header{"X-Ratelimit-Remaining": {"0"}}
			h.Set(name, s)
			if d := llm.RetryAfter(h, llm.ProseDelay("retry in "+s), now); d < 0 || d > llm.MaxRetryAfter {
				t.Fatalf("%s %q: got %v, want 0 to %v", name, s, d, llm.MaxRetryAfter)
			}
		}
	})
}

func TestFailuresAreClassified(t *testing.T) {
	tests := map[string]struct {
		refusal llm.Refusal
		want    chat.Class
	}{
		"a bad request":                              {llm.Refusal{Status: 400, Message: "no"}, chat.ClassInvalid},
		"a value that breaks a rule":                 {llm.Refusal{Status: 422, Message: "no"}, chat.ClassInvalid},
		"too long, by code":                          {llm.Refusal{Status: 400, Code: "context_length_exceeded"}, chat.ClassTooLong},
		"too long, by prose":                         {llm.Refusal{Status: 400, Message: "prompt is too long: 210000 tokens > 200000 maximum"}, chat.ClassTooLong},
		"a bad key":                                  {llm.Refusal{Status: 401, Message: "no"}, chat.ClassAuth},
		"no access":                                  {llm.Refusal{Status: 403, Message: "no"}, chat.ClassAuth},
		"no money":                                   {llm.Refusal{Status: 402, Message: "no"}, chat.ClassAuth},
		"no money, in so many words":                 {llm.Refusal{Status: 402, Code: "insufficient_credits"}, chat.ClassAuth},
		"an unknown model":                           {llm.Refusal{Status: 404, Message: "no such model"}, chat.ClassNoModel},
		"an address that is wrong":                   {llm.Refusal{Status: 404}, chat.ClassBadResponse},
		"an unknown model with 400":                  {llm.Refusal{Status: 400, Code: "model_not_found"}, chat.ClassNoModel},
		"a slow client":                              {llm.Refusal{Status: 408}, chat.ClassTimeout},
		"a large body":                               {llm.Refusal{Status: 413}, chat.ClassTooLarge},
		"a rate limit":                               {llm.Refusal{Status: 429}, chat.ClassRateLimited},
		"an exhausted quota":                         {llm.Refusal{Status: 429, Code: "insufficient_quota"}, chat.ClassQuota},
		"a server error":                             {llm.Refusal{Status: 500}, chat.ClassServer},
		"a bad gateway":                              {llm.Refusal{Status: 502}, chat.ClassServer},
		"unavailable":                                {llm.Refusal{Status: 503}, chat.ClassOverloaded},
		"a slow gateway":                             {llm.Refusal{Status: 504}, chat.ClassTimeout},
		"an overload":                                {llm.Refusal{Status: 529}, chat.ClassOverloaded},
		"an error within a 200":                      {llm.Refusal{Type: "overloaded_error"}, chat.ClassOverloaded},
		"a method that is not known":                 {llm.Refusal{Status: 405, Message: "no"}, chat.ClassInvalid},
		"a form that is not given":                   {llm.Refusal{Status: 406, Type: "invalid_request_error"}, chat.ClassInvalid},
		"something that is gone":                     {llm.Refusal{Status: 410, Message: "no"}, chat.ClassInvalid},
		"a body of another kind":                     {llm.Refusal{Status: 415, Code: "unsupported_media_type"}, chat.ClassInvalid},
		"a range that is none":                       {llm.Refusal{Status: 416, Message: "no"}, chat.ClassInvalid},
		"what the law forbids":                       {llm.Refusal{Status: 451, Message: "no"}, chat.ClassInvalid},
		"a method that something on the way refuses": {llm.Refusal{Status: 405}, chat.ClassBadResponse},
		"a conflict within the vendor":               {llm.Refusal{Status: 409, Message: "no"}, chat.ClassServer},
		"a context that llama.cpp finds full":        {llm.Refusal{Status: 400, Type: "exceed_context_size_error"}, chat.ClassTooLong},
		"a redirect":                                 {llm.Refusal{Status: 302}, chat.ClassBadResponse},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := tc.refusal.Failure(outbound.Target{Provider: "p"}, nil)
			if f.Class != tc.want {
				t.Errorf("got %s, want %s", f.Class, tc.want)
			}
			if passedOn := f.Message != ""; passedOn && !f.Class.CallersFault() && !f.Class.ModelSpecific() {
				t.Errorf("the vendor's words are passed on for %s", f.Class)
			}
		})
	}
}

func TestAVendorMaySayThatAskingAgainIsInVain(t *testing.T) {
	for value, want := range map[string]bool{"false": true, "true": false, "": false, "no": false} {
		f := llm.Refusal{Status: 500}.Failure(outbound.Target{}, http.Header{"X-Should-Retry": {value}})
		if f.Final != want {
			t.Errorf("x-should-retry %q: final %t, want %t", value, f.Final, want)
		}
	}
}

func TestTheStatusOfARefusalIsPassedOn(t *testing.T) {
	for status, want := range map[int]int{400: 400, 422: 422, 500: 0, 429: 0, 401: 0} {
		if f := (llm.Refusal{Status: status}).Failure(outbound.Target{}, nil); f.Status != want {
			t.Errorf("status %d of a vendor is passed on as %d, want %d", status, f.Status, want)
		}
	}
}

func TestABodyThatIsNoErrorIsClassifiedByItsStatus(t *testing.T) {
	resp := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"3"}}, Body: io.NopCloser(strings.NewReader("<html>down</html>"))}
	f := llm.FromResponse(resp, outbound.Target{Provider: "p"}, func([]byte) (llm.Refusal, bool) { return llm.Refusal{}, false })
	if f.Class != chat.ClassOverloaded || f.RetryAfter != 3*time.Second || strings.Contains(f.Error(), "down") {
		t.Errorf("got %v after %v, want overloaded after 3 s and nothing of the body", f, f.RetryAfter)
	}
	if _, ok := errors.AsType[*llm.StatusError](f); !ok {
		t.Error("the cause does not say the status")
	}
}

func TestScrubTakesOutWhatIsNobodysBusiness(t *testing.T) {
	key := secret.New("plain-and-simple-key")
	for _, private := range []string{
		"https://platform.example.com/account?id=7", "sk-proj-abcDEF123456", "AIzaSyA-1234567890", "plain-and-simple-key", "org-AbC123dEf456",
		"proj_9sK2m", "Bearer abcdef.ghijkl", "ops@example.com", "projects/my-secret-project", "user_2abc9",
	} {
		if got := llm.Scrub("Refused for "+private+" today.", key); strings.Contains(got, private) || !strings.Contains(got, "Refused for") {
			t.Errorf("%s: got %q", private, got)
		}
	}
	for _, plain := range []string{
		"messages.0.content: expected a string", "metadata.user_id is too long", "a key-value pair is missing", "'max_tokens' must be at most 4096", "team_name is required",
	} {
		if got := llm.Scrub(plain, key); got != plain {
			t.Errorf("got %q, want %q unchanged", got, plain)
		}
	}
	long := llm.Scrub(strings.Repeat("ü", 5000), key)
	if len(long) > llm.MaxMessage || !utf8.ValidString(long) || len(long) < llm.MaxMessage-4 {
		t.Errorf("got %d bytes, want up to %d and no rune split", len(long), llm.MaxMessage)
	}
}

func TestDropsAreNamedAndFailStrictRequests(t *testing.T) {
	var d llm.Drops
	d.Note("messages[].reasoning")
	got, err := d.Settle(nil, true)
	if err != nil || !slices.Equal(got, []string{"messages[].reasoning"}) {
		t.Errorf("got %q, %v; want what is another vendor's named, and no failure", got, err)
	}
	d.Add("seed")
	d.Add("seed")
	if got, err = d.Settle([]string{"x", "seed"}, false); err != nil || !slices.Equal(got, []string{"messages[].reasoning", "seed", "x"}) {
		t.Errorf("got %q, %v; want each once", got, err)
	}
	var f *chat.Failure
	if _, err = d.Fields(&chat.Request{Strict: true}); !errors.As(err, &f) || f.Class != chat.ClassUnsupport || f.Param != "seed" || !strings.Contains(f.Message, "seed") {
		t.Errorf("got %v, want unsupported, naming seed", err)
	}
	d.Add("messages[].reasoning")
	if _, err = d.Fields(&chat.Request{Strict: true}); !errors.As(err, &f) || f.Param != "messages[].reasoning" {
		t.Errorf("got %v, want unsupported: it was asked for after all", err)
	}
	var none llm.Drops
	if got, err := none.Fields(&chat.Request{Strict: true}); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v of nothing", got, err)
	}
}

func TestURLsAreJoinedOnce(t *testing.T) {
	for _, base := range []string{"http://h/v1", "http://h/v1/"} {
		if got := llm.JoinURL(base, "/chat"); got != "http://h/v1/chat" {
			t.Errorf("got %s", got)
		}
	}
}
