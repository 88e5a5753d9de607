package llm_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
)

func TestAnAnswerIsReadIntoAValue(t *testing.T) {
	tests := map[string]struct {
		method string
		status int
		answer string
		class  chat.Class
	}{
		"a GET":                    {http.MethodGet, 200, `{"n":7}`, ""},
		"a POST":                   {"", 200, `{"n":7}`, ""},
		"another type":             {"", 200, `{"n":"many"}`, chat.ClassBadResponse},
		"no JSON":                  {"", 200, `<html>`, chat.ClassBadResponse},
		"nothing":                  {"", 200, ``, chat.ClassBadResponse},
		"an error within a 200":    {"", 200, `{"error":1}`, chat.ClassOverloaded},
		"an error":                 {"", 400, `{"error":1}`, chat.ClassOverloaded},
		"an error of another kind": {"", 429, `no`, chat.ClassRateLimited},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if get := tt.method == http.MethodGet; get != (r.Method == http.MethodGet) || get != (len(body) == 0) || get != (r.Header.Get("Content-Type") == "") {
					t.Errorf("got %s of %q: %q", r.Method, r.Header.Get("Content-Type"), body)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer server.Close()
			client := llm.NewClient(llm.ClientConfig{})
			defer client.CloseIdleConnections()
			call := llm.Call{Method: tt.method, URL: server.URL, Explain: func(b []byte) (llm.Refusal, bool) {
				return llm.Refusal{Class: chat.ClassOverloaded}, strings.Contains(string(b), "error")
			}}
			if tt.method == "" {
				call.Body = []byte(`{}`)
			}
			var out struct{ N int }
			err := call.Into(t.Context(), client, &out)
			if _, typed := errors.AsType[*chat.Failure](err); err != nil && !typed {
				t.Errorf("got the error %v of another type", err)
			}
			if chat.ClassOf(err) != tt.class || err == nil && out.N != 7 {
				t.Errorf("got %+v, %v; want %q", out, err, tt.class)
			}
		})
	}
}

func FuzzScrub(f *testing.F) {
	const key = "plain-and-simple-key"
	for _, s := range []string{"", "no " + key, "https://h.example/" + key, "\xff\xfe" + key, "sk-abc" + key + "def", strings.Repeat("ü", 3000) + key, key[:10] + key + key[10:]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := llm.Scrub(s+" "+key+" "+s, secret.New(key))
		if len(got) > llm.MaxMessage || !utf8.ValidString(got) {
			t.Fatalf("%q became %d bytes, valid UTF-8: %t", s, len(got), utf8.ValidString(got))
		}
		if strings.Contains(got, key) || strings.Contains(got, "https://h.") {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
