package chatcompletions

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

func TestModelsAreListed(t *testing.T) {
	tests := map[string]struct {
		answer string
		want   []string
		class  chat.Class
	}{
		"some":                        {`{"object":"list","data":[{"id":"b"},{"id":""},{"id":"a"}]}`, []string{"b", "a"}, ""},
		"without a name of the list":  {`{"data":[{"id":"a"}]}`, []string{"a"}, ""},
		"none":                        {`{"object":"list","data":null}`, []string{}, ""},
		"something else":              {`{"models":["a"]}`, nil, chat.ClassBadResponse},
		"an error within a 200":       {`{"error":{"code":401,"message":"no"}}`, nil, chat.ClassAuth},
		"a list of something else":    {`{"data":["a"]}`, nil, chat.ClassBadResponse},
		"an error in words that fail": {`{"error":`, nil, chat.ClassBadResponse},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := New(&http.Client{Transport: canned{"application/json", []byte(tt.answer)}}, Flavour{})
			got, err := p.List(t.Context(), benchTarget)
			if chat.ClassOf(err) != tt.class || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v; want %q, %q", got, err, tt.want, tt.class)
			}
		})
	}
}

func TestHeadersOfTheClientArePassedOnWhenTheyAreKnown(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	p := New(http.DefaultClient, Flavour{Headers: []string{"X-Title", "X-Other"}})
	in := outbound.Passage{Body: []byte(`{}`), Header: map[string]string{"X-Title": "mine", "Cookie": "c", "Authorization": "Bearer theirs"}}
	if _, err := p.RelayWhole(t.Context(), outbound.Target{BaseURL: server.URL, Secret: secret.New("ours")}, in); err != nil {
		t.Fatal(err)
	}
	if got.Get("X-Title") != "mine" || got.Get("Cookie") != "" || got.Get("Authorization") != "Bearer ours" || len(got.Values("X-Other")) > 0 {
		t.Errorf("got %v", got)
	}
}
