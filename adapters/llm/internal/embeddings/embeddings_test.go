package embeddings_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/adapters/llm/internal/embeddings"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// serve answers with one body, and gives the target and what arrives.
func serve(t *testing.T, answer string) (to outbound.Target, sent func() string) {
	t.Helper()
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		if r.URL.Path != "/v1/embeddings" || r.Header.Get("Authorization") != "Bearer k" {
			t.Errorf("%s was asked with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return outbound.Target{Provider: "p", Model: "m", BaseURL: server.URL + "/v1", Secret: secret.New("k")}, func() string { return string(body) }
}

func TestVectorsAreRead(t *testing.T) {
	pair := []string{"a", "b"}
	tests := map[string]struct {
		inputs []string
		answer string
		want   [][]float64
		usage  *chat.Usage
		class  chat.Class
	}{
		"numbers":                {pair, `{"data":[{"index":0,"embedding":[0.5,-1]},{"index":1,"embedding":[2,3e0]}],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}`, [][]float64{{0.5, -1}, {2, 3}}, &chat.Usage{Input: 4}, ""},
		"base64":                 {pair, `{"data":[{"index":0,"embedding":"AAAAPwAAgL8="},{"index":1,"embedding":"AAAAQA=="}],"model":"m"}`, [][]float64{{0.5, -1}, {2}}, nil, ""},
		"another order":          {pair, `{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`, [][]float64{{1}, {2}}, nil, ""},
		"no order":               {pair, `{"data":[{"embedding":[1]},{"embedding":[2]}]}`, [][]float64{{1}, {2}}, nil, ""},
		"too few":                {pair, `{"data":[{"index":0,"embedding":[1]}]}`, nil, nil, chat.ClassBadResponse},
		"too many":               {pair[:1], `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]}`, nil, nil, chat.ClassBadResponse},
		"one twice":              {pair, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, nil, nil, chat.ClassBadResponse},
		"a number that is none":  {pair[:1], `{"data":[{"index":7,"embedding":[1]}]}`, nil, nil, chat.ClassBadResponse},
		"a vector of nothing":    {pair[:1], `{"data":[{"index":0,"embedding":[]}]}`, nil, nil, chat.ClassBadResponse},
		"half a number":          {pair[:1], `{"data":[{"index":0,"embedding":"AAAA"}]}`, nil, nil, chat.ClassBadResponse},
		"what is no base64":      {pair[:1], `{"data":[{"index":0,"embedding":"?"}]}`, nil, nil, chat.ClassBadResponse},
		"what is not a number":   {pair[:1], `{"data":[{"index":0,"embedding":"AADAfw=="}]}`, nil, nil, chat.ClassBadResponse},
		"an error within a 200":  {pair, `{"error":{"code":429,"message":"slow down"}}`, nil, nil, chat.ClassRateLimited},
		"a page":                 {pair, `<html>`, nil, nil, chat.ClassBadResponse},
		"a usage of another way": {pair[:1], `{"data":[{"index":0,"embedding":[1]}],"usage":"none"}`, [][]float64{{1}}, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			to, _ := serve(t, tt.answer)
			e := embeddings.New(http.DefaultClient, chatcompletions.Flavour{}, embeddings.Float)
			got, err := e.Embed(t.Context(), to, &embedding.Request{Inputs: tt.inputs})
			if chat.ClassOf(err) != tt.class {
				t.Fatalf("got %v, want %q", err, tt.class)
			}
			if tt.class == "" && (!cmp.Equal(tt.want, got.Vectors) || !cmp.Equal(tt.usage, got.Usage)) {
				t.Errorf("got %v and %+v, want %v and %+v", got.Vectors, got.Usage, tt.want, tt.usage)
			}
		})
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	const answer = `{"data":[{"index":0,"embedding":[1]}]}`
	n := 3
	to, sent := serve(t, answer)
	e := embeddings.New(http.DefaultClient, chatcompletions.Flavour{}, embeddings.Base64)
	r := &embedding.Request{Inputs: []string{"ä <b>"}, Dimensions: &n, EndUser: "u", Untranslated: []string{"x"}}
	got, err := e.Embed(t.Context(), to, r)
	if err != nil || !cmp.Equal(got.Dropped, []string{"x"}) {
		t.Fatalf("got %+v, %v; want x dropped", got, err)
	}
	var is, want any
	if err := errors.Join(json.Unmarshal([]byte(sent()), &is), json.Unmarshal([]byte(`{"model":"m","input":["ä <b>"],"dimensions":3,"encoding_format":"base64","user":"u"}`), &want)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, is); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	r.Strict = true
	if _, err := e.Embed(t.Context(), to, r); chat.ClassOf(err) != chat.ClassUnsupport {
		t.Errorf("got %v of a strict request, want unsupported", err)
	}
}

func TestBodiesPassThrough(t *testing.T) {
	const answer = ` {"object":"list","data":[{"embedding":"AAAAPw=="}],"model":"m-1","usage":{"prompt_tokens":4},"x":1}` + "\n"
	tests := map[string]struct {
		body, sent, answer string
		class              chat.Class
		param              string
	}{
		"a body":                {`{ "model" : "auto","input":[1,2],"x":"\u00e4" }`, `{ "model" : "m","input":[1,2],"x":"\u00e4" }`, answer, "", ""},
		"no model":              {`{"input":"a"}`, `{"model":"m","input":"a"}`, answer, "", ""},
		"two models":            {`{"model":"a","model":"b"}`, ``, answer, chat.ClassInvalid, "model"},
		"no JSON":               {`{"model":`, ``, answer, chat.ClassInvalid, ""},
		"an error within a 200": {`{}`, `{"model":"m"}`, `{"error":{"code":429,"message":"slow down"}}`, chat.ClassRateLimited, ""},
		"no list":               {`{}`, `{"model":"m"}`, `{"data":"none"}`, chat.ClassBadResponse, ""},
		"something else":        {`{}`, `{"model":"m"}`, `[]`, chat.ClassBadResponse, ""},
		"an error that is none": {`{}`, `{"model":"m"}`, `{"error":null,"data":[],"model":"m-1","usage":{"prompt_tokens":4}}`, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			to, sent := serve(t, tt.answer)
			e := embeddings.New(http.DefaultClient, chatcompletions.Flavour{}, embeddings.Float)
			got, err := e.RelayWhole(t.Context(), to, outbound.Passage{Body: []byte(tt.body)})
			if chat.ClassOf(err) != tt.class || sent() != tt.sent {
				t.Fatalf("got %v, and %q was sent; want %q and %q", err, sent(), tt.class, tt.sent)
			}
			if f, ok := errors.AsType[*chat.Failure](err); ok {
				if f.Param != tt.param {
					t.Errorf("got the param %q, want %q", f.Param, tt.param)
				}
				return
			}
			if string(got.Body) != tt.answer || got.Model != "m-1" || got.Finish != "" || !cmp.Equal(got.Usage, &chat.Usage{Input: 4}) {
				t.Errorf("got %+v", got)
			}
			if r := e.Read(got.Body); r.Response != nil || !r.Complete {
				t.Errorf("got %+v, want a whole answer that the form does not hold", r)
			}
		})
	}
}

func TestThereAreNoStreams(t *testing.T) {
	e := embeddings.New(nil, chatcompletions.Flavour{}, embeddings.Float)
	if _, err := e.RelayStream(t.Context(), outbound.Target{}, outbound.Passage{}); chat.ClassOf(err) != chat.ClassUnsupport {
		t.Errorf("got %v, want unsupported", err)
	}
	add, read := e.Gather()
	add([]byte("data: x\n\n"))
	if r := read(); r.Response != nil || r.Complete {
		t.Errorf("got %+v of no stream", r)
	}
}

func FuzzVectors(f *testing.F) {
	for _, s := range []string{`[0.5,-1]`, `"AAAAPwAAgL8="`, `""`, `null`, `{}`, `[1e400]`, `"A==="`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, vector string) {
		e := embeddings.New(&http.Client{Transport: answer(func() string { return `{"data":[{"embedding":` + vector + `}]}` })}, chatcompletions.Flavour{}, embeddings.Float)
		got, err := e.Embed(t.Context(), outbound.Target{BaseURL: "http://h"}, &embedding.Request{Inputs: []string{"a"}})
		if _, typed := errors.AsType[*chat.Failure](err); err != nil && !typed {
			t.Fatalf("%q: got the error %v of another type", vector, err)
		}
		if err == nil && (len(got.Vectors) != 1 || len(got.Vectors[0]) == 0) {
			t.Fatalf("%q: got %v", vector, got.Vectors)
		}
	})
}

// answer is a transport that needs no network.
type answer func() string

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	w := httptest.NewRecorder()
	_, _ = io.WriteString(w, a())
	return w.Result(), nil
}
