package llm

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter bounds what a vendor may ask for.
const MaxRetryAfter = 300 * time.Second

// RetryAfter reads how long a vendor asks to be left alone: from retry-after-ms, from Retry-After in any dialect, from the body's own word,
// or from the reset of a bucket that is empty, the first that speaks. The result is between 0, meaning no word, and MaxRetryAfter. now is
// what dates are held against; when it is zero they are not read. header may be nil.
//
// It is only for failures: vendors send Retry-After with good answers too.
func RetryAfter(header http.Header, body time.Duration, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(header.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return bound(ms * float64(time.Millisecond))
	}
	if d := ParseDelay(header.Get("Retry-After"), now); d > 0 {
		return d
	}
	if body > 0 {
		return bound(float64(body))
	}
	return emptyBucket(header, now)
}

// ParseDelay reads one delay: seconds ("3", "1.5"), a Go duration ("8.64s", "1m0.052s"), an HTTP date, or RFC 3339. 0: not readable,
// not positive, or past. The result is at most MaxRetryAfter.
func ParseDelay(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	if sec, err := strconv.ParseFloat(s, 64); err == nil {
		return bound(sec * float64(time.Second))
	}
	if d, err := time.ParseDuration(s); err == nil {
		return bound(float64(d))
	}
	if now.IsZero() {
		return 0
	}
	if t, err := http.ParseTime(s); err == nil {
		return bound(float64(t.Sub(now)))
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return bound(float64(t.Sub(now)))
	}
	return 0
}

// inProse finds a delay in what a vendor says to people: "Please retry in 48.9s", "Please try again in 1m30s".
var inProse = regexp.MustCompile(`(?i)\b(?:retry|try again) in ((?:\d{1,9}(?:\.\d{1,12})?(?:ms|s|m|h))+)`)

// ProseDelay reads the delay that an error's message names, 0 when it names none.
func ProseDelay(message string) time.Duration {
	m := inProse.FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	return ParseDelay(m[1], time.Time{})
}

// buckets are the vendors' own rate-limit headers: what is left, and when it fills up again.
var buckets = [...]struct{ remaining, reset string }{
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset"}, // epoch, in milliseconds at OpenRouter
	{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset"},
}

// emptyBucket is the longest wait for a bucket that has nothing left.
func emptyBucket(header http.Header, now time.Time) time.Duration {
	var longest time.Duration
	for _, b := range buckets {
		if header.Get(b.remaining) != "0" {
			continue
		}
		reset := header.Get(b.reset)
		var d time.Duration
		if at, ok := epoch(reset); !ok {
			d = ParseDelay(reset, now)
		} else if !now.IsZero() {
			d = bound(float64(at.Sub(now)))
		}
		longest = max(longest, d)
	}
	return longest
}

// epoch reads a point in time given as seconds or milliseconds since 1970; smaller numbers are delays.
func epoch(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n < 1e9:
		return time.Time{}, false
	case n < 1e11:
		return time.Unix(n, 0), true
	default:
		return time.UnixMilli(n), true
	}
}

// bound puts a number of nanoseconds between 0 and MaxRetryAfter.
func bound(ns float64) time.Duration {
	switch {
	case math.IsNaN(ns) || ns <= 0:
		return 0
	case ns >= float64(MaxRetryAfter):
		return MaxRetryAfter
	default:
		return time.Duration(ns)
	}
}

// date is the vendor's own clock, which its dates are meant by; zero when it does not say.
func date(header http.Header) time.Time {
	t, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
