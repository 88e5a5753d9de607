// Package pwned asks a service that speaks the range API of Have I Been Pwned (https://haveibeenpwned.com/API/v3#PwnedPasswords) whether a password was
// stolen. The service learns five digits of the password's SHA-1, shared by some hundred thousand passwords, and with padding not even from the length of its
// answer whether there was a match.
package pwned

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	prefixLength = 5
	maxAnswer    = 1 << 20 // bytes; a padded answer is of about 70 KiB
	maxIdle      = 4

	// DefaultTimeout is how long an answer is waited for. Whoever registers waits as long.
	DefaultTimeout = time.Second
)

// Config says whom to ask.
type Config struct {
	BaseURL string        // such as https://api.pwnedpasswords.com/range/; the digits are put behind it
	Timeout time.Duration // of the whole exchange; zero: DefaultTimeout
	// Proxy chooses a proxy for a request; nil: none. The environment is bootstrap's to read.
	Proxy func(*http.Request) (*url.URL, error)
}

// Breaches implements outbound.Breaches.
type Breaches struct {
	base   string
	client *http.Client
}

var _ outbound.Breaches = (*Breaches)(nil)

// Errors of a service that gives no answer. None quotes an address or anything else that came of the password.
var (
	ErrBaseURL = errors.New("the address of the breach service must be an absolute http or https URL without user, query or fragment")
	ErrSilent  = errors.New("the breach service does not answer")
	ErrStatus  = errors.New("the breach service refuses to answer")
	ErrAnswer  = errors.New("the breach service gives no range")
)

// New makes a client. It fails with ErrBaseURL.
func New(c Config) (*Breaches, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(c.BaseURL, "?#") {
		return nil, ErrBaseURL
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	return &Breaches{
		base: strings.TrimSuffix(c.BaseURL, "/") + "/",
		client: &http.Client{
			Timeout: c.Timeout,
			// A redirect is an answer, and not the one that was asked for: nobody but the host that was configured learns anything.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{Proxy: c.Proxy, MaxIdleConns: maxIdle, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		},
	}, nil
}

// Breached implements outbound.Breaches.
func (b *Breaches) Breached(ctx context.Context, password secret.Text) (bool, error) {
	sum := sha1.Sum([]byte(password.Reveal())) // the API is made of it
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+digits[:prefixLength], nil)
	if err != nil {
		return false, fmt.Errorf("ask for stolen passwords: %w", ErrBaseURL)
	}
	request.Header.Set("Add-Padding", "true")
	request.Header.Set("User-Agent", "forge1")
	response, err := b.client.Do(request)
	if err != nil {
		return false, fmt.Errorf("ask for stolen passwords: %w", silence(ctx))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("ask for stolen passwords: %w: status %d", ErrStatus, response.StatusCode)
	}
	found, err := find(response.Body, digits[prefixLength:])
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return false, fmt.Errorf("ask for stolen passwords: %w", err)
	}
	return found, nil
}

// Close lets go of the connections that are kept for the next question.
func (b *Breaches) Close() { b.client.CloseIdleConnections() }

// silence says why there is no answer. The client's own error quotes the address, with the digits in it.
func silence(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrSilent
}

// find looks for the rest of the digits in lines of "REST:COUNT". A count of 0 is padding. The answer is read to its end, so that the time it takes tells
// nobody where in it the match was.
func find(answer io.Reader, rest string) (bool, error) {
	body := &io.LimitedReader{R: answer, N: maxAnswer + 1}
	lines := bufio.NewScanner(body)
	found, n := false, 0
	for ; lines.Scan(); n++ {
		digits, count, ok := strings.Cut(strings.TrimSuffix(lines.Text(), "\r"), ":")
		times, err := strconv.ParseUint(count, 10, 63)
		if !ok || err != nil || len(digits) != len(rest) {
			return false, ErrAnswer
		}
		found = found || times > 0 && strings.EqualFold(digits, rest)
	}
	switch {
	case body.N == 0, errors.Is(lines.Err(), bufio.ErrTooLong), lines.Err() == nil && n == 0: // too much, or nothing: every range holds something
		return false, ErrAnswer
	case lines.Err() != nil:
		return false, ErrSilent
	}
	return found, nil
}
