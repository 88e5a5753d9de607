package pwned_test

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/forge1/forge1/adapters/pwned"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const stolen = "password1234"

func digits(password string) string {
	sum := sha1.Sum([]byte(password))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// serve gives a client of a service that answers every range so.
func serve(t *testing.T, answer http.HandlerFunc) *pwned.Breaches {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return client(t, server.URL+"/range/")
}

func client(t *testing.T, base string) *pwned.Breaches {
	t.Helper()
	b, err := pwned.New(pwned.Config{BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

// service knows some passwords, and pads its answers as the real one does.
func service(passwords ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		prefix, ok := strings.CutPrefix(r.URL.Path, "/range/")
		if !ok || len(prefix) != 5 || strings.ToUpper(prefix) != prefix || r.Method != http.MethodGet || r.Header.Get("Add-Padding") != "true" || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for i := range 900 {
			fmt.Fprintf(w, "%s:0\r\n", digits(fmt.Sprint("padding ", i))[5:])
		}
		for _, p := range passwords {
			if rest, ok := strings.CutPrefix(digits(p), prefix); ok {
				fmt.Fprintf(w, "%s:%d\r\n", rest, 3)
			}
		}
		fmt.Fprintf(w, "%s:1", digits("the last line has no end")[5:])
	}
}

func TestConformance(t *testing.T) {
	conformance.Breaches(t,
		func(t *testing.T, stolen ...string) outbound.Breaches { return serve(t, service(stolen...)) },
		func(t *testing.T) outbound.Breaches {
			return serve(t, func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, r.URL.Path, http.StatusServiceUnavailable)
			})
		})
}

func TestAnAnswerIsReadWhateverItsForm(t *testing.T) {
	rest, other := digits(stolen)[5:], digits("another")[5:]
	for name, c := range map[string]struct {
		body string
		want bool
		err  error
	}{
		"lines of the internet":       {other + ":1\r\n" + rest + ":24\r\n" + other + ":0\r\n", true, nil},
		"lines of unix":               {other + ":1\n" + rest + ":24\n", true, nil},
		"no end of the last line":     {other + ":1\r\n" + rest + ":24", true, nil},
		"lower case":                  {strings.ToLower(rest) + ":24", true, nil},
		"a count of many digits":      {rest + ":9223372036854775807", true, nil},
		"padding":                     {rest + ":0\r\n" + other + ":0\r\n", false, nil},
		"padding and the real one":    {rest + ":0\r\n" + rest + ":1\r\n", true, nil},
		"others alone":                {other + ":7\r\n", false, nil},
		"the real one, then nonsense": {rest + ":24\r\n<html>", false, pwned.ErrAnswer},
		"no count":                    {rest + "\r\n", false, pwned.ErrAnswer},
		"an empty count":              {rest + ":\r\n", false, pwned.ErrAnswer},
		"a negative count":            {rest + ":-1\r\n", false, pwned.ErrAnswer},
		"a whole hash":                {digits(stolen) + ":24\r\n", false, pwned.ErrAnswer},
		"an empty line":               {rest + ":24\r\n\r\n", false, pwned.ErrAnswer},
		"a page":                      {"<!doctype html>\n<p>please log in", false, pwned.ErrAnswer},
		"nothing":                     {"", false, pwned.ErrAnswer},
		"a mebibyte and more":         {strings.Repeat(rest+":24\r\n", 1<<20/len(rest)), false, pwned.ErrAnswer},
		"more, cut where it reads":    {strings.Repeat(rest+":12345678901234\n", 1<<20/len(rest)), false, pwned.ErrAnswer},
		"a line of a mebibyte":        {strings.Repeat("A", 1<<20), false, pwned.ErrAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, text(c.body)).Breached(t.Context(), secret.New(stolen))
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %v, %v, want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

// endless writes lines until the client has had enough.
func endless(gone chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		for r.Context().Err() == nil {
			if _, err := fmt.Fprintf(w, "%s:1\r\n", digits("another")[5:]); err != nil {
				return
			}
		}
	}
}

func TestAnAnswerWithoutEndIsLeft(t *testing.T) {
	gone := make(chan struct{})
	if got, err := serve(t, endless(gone)).Breached(t.Context(), secret.New(stolen)); got || !errors.Is(err, pwned.ErrAnswer) {
		t.Errorf("got %v, %v, want %v", got, err, pwned.ErrAnswer)
	}
	<-gone
}

func TestAServiceThatDoesNotAnswerIsLeftAlone(t *testing.T) {
	for name, begin := range map[string]string{"silent from the first": "", "silent in the middle": digits(stolen)[5:] + ":24\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, begin)
				if begin != "" {
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})
			if got, err := b.Breached(t.Context(), secret.New(stolen)); got || !errors.Is(err, pwned.ErrSilent) {
				t.Errorf("got %v, %v, want %v", got, err, pwned.ErrSilent)
			}
		})
	}
	t.Run("not there", func(t *testing.T) {
		server := httptest.NewServer(nil)
		server.Close()
		if got, err := client(t, server.URL).Breached(t.Context(), secret.New(stolen)); got || !errors.Is(err, pwned.ErrSilent) || strings.Contains(err.Error(), server.URL) {
			t.Errorf("got %v, %v, want %v", got, err, pwned.ErrSilent)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		b := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			fmt.Fprint(w, digits(stolen)[5:]+":24\r\n")
		})
		if got, err := b.Breached(t.Context(), secret.New(stolen)); got || !errors.Is(err, pwned.ErrSilent) {
			t.Errorf("got %v, %v, want %v", got, err, pwned.ErrSilent)
		}
	})
}

func TestTheTimeoutIsASecondUnlessSaid(t *testing.T) {
	if pwned.DefaultTimeout != time.Second {
		t.Errorf("got %v", pwned.DefaultTimeout)
	}
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	b, err := pwned.New(pwned.Config{BaseURL: server.URL, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Breached(t.Context(), secret.New(stolen)); !errors.Is(err, pwned.ErrSilent) {
		t.Errorf("got %v, want %v", err, pwned.ErrSilent)
	}
}

func TestNobodyElseIsAsked(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		service(stolen)(w, r)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		var own atomic.Int64
		b := serve(t, func(w http.ResponseWriter, r *http.Request) {
			own.Add(1)
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		})
		if got, err := b.Breached(t.Context(), secret.New(stolen)); got || !errors.Is(err, pwned.ErrStatus) {
			t.Errorf("%d: got %v, %v, want %v", status, got, err, pwned.ErrStatus)
		}
		if own.Load() != 1 {
			t.Errorf("%d: asked %d times, want once", status, own.Load())
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("another host was asked %d times", n)
	}
}

func TestNothingButARangeIsAnAnswer(t *testing.T) {
	for _, status := range []int{201, 204, 400, 401, 404, 429, 500, 503} {
		b := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				fmt.Fprint(w, digits(stolen)[5:]+":24\r\n")
			}
		})
		if got, err := b.Breached(t.Context(), secret.New(stolen)); got || !errors.Is(err, pwned.ErrStatus) {
			t.Errorf("%d: got %v, %v, want %v", status, got, err, pwned.ErrStatus)
		}
	}
}

func TestTheAddressOfTheServiceIsChecked(t *testing.T) {
	for _, base := range []string{"", "api.example.com/range", "/range", "ftp://example.com/", "https://", "https://user:pw@example.com/", "https://example.com/?a=b", "https://example.com/#x", "https://exa mple.com", "http://[::1"} {
		if _, err := pwned.New(pwned.Config{BaseURL: base}); !errors.Is(err, pwned.ErrBaseURL) {
			t.Errorf("%q: got %v, want %v", base, err, pwned.ErrBaseURL)
		}
	}
	server := httptest.NewServer(service(stolen))
	defer server.Close()
	for _, base := range []string{server.URL + "/range", server.URL + "/range/"} {
		if got, err := client(t, base).Breached(t.Context(), secret.New(stolen)); !got || err != nil {
			t.Errorf("%q: got %v, %v", base, got, err)
		}
	}
}
