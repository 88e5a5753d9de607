package gemini_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/test/conformance"
)

// asking notes what the vendor was asked and plays one answer after the other.
type asking struct {
	urls   []string
	bodies []any
	play   []string
}

func (a *asking) wire(r *http.Request) *http.Response {
	var body any
	raw, _ := io.ReadAll(r.Body)
	if len(raw) > 0 && json.Unmarshal(raw, &body) != nil {
		body = string(raw)
	}
	a.urls, a.bodies = append(a.urls, r.Method+" "+r.URL.String()), append(a.bodies, body)
	next := a.play[min(len(a.urls), len(a.play))-1]
	return answer("application/json", strings.NewReader(next))
}

func TestTextsBecomeVectors(t *testing.T) {
	t.Parallel()
	a := &asking{play: []string{`{"embeddings":[{"values":[0.5,-1e-3]},{"values":[1,2]}],"usageMetadata":{"promptTokenCount":7}}`}}
	got, err := abilities(a.wire).Embedder.Embed(t.Context(), target, &embedding.Request{
		Inputs: []string{"a", "  <b>"}, Dimensions: new(2), EndUser: "u", Untranslated: []string{"input_type"},
	})
	want := &embedding.Response{
		Model: "gemini-2.5-flash", Vectors: [][]float64{{0.5, -0.001}, {1, 2}}, Usage: &chat.Usage{Input: 7}, Dropped: []string{"user", "input_type"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; response (-want +got):\n%s", err, diff)
	}
	text := func(s string) string {
		return `{"model":"models/gemini-2.5-flash","content":{"parts":[{"text":"` + s + `"}]},"outputDimensionality":2}`
	}
	if diff := cmp.Diff([]any{decoded(t, `{"requests":[`+text("a")+`,`+text("  <b>")+`]}`)}, a.bodies); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if want := "POST https://vendor.test/v1beta/models/gemini-2.5-flash:batchEmbedContents"; a.urls[0] != want {
		t.Errorf("got %s, want %s", a.urls[0], want)
	}
}

func TestManyTextsAreSentInBatches(t *testing.T) {
	t.Parallel()
	batch := func(n int) string {
		return `{"embeddings":[` + strings.TrimSuffix(strings.Repeat(`{"values":[1]},`, n), ",") + `]}`
	}
	a := &asking{play: []string{batch(100), batch(100), batch(1)}}
	got, err := abilities(a.wire).Embedder.Embed(t.Context(), target, &embedding.Request{Inputs: make([]string, 201)})
	if err != nil || len(got.Vectors) != 201 || got.Usage != nil || len(a.urls) != 3 {
		t.Errorf("got %+v, %v after %d calls, want 201 vectors after 3, and no usage", got, err, len(a.urls))
	}
}

func TestVectorsThatAreNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]chat.Class{
		`{}`:                            chat.ClassBadResponse,
		`{"embeddings":[]}`:             chat.ClassBadResponse,
		`{"embeddings":[{}]}`:           chat.ClassBadResponse,
		`{"embeddings":[{},{}]}`:        chat.ClassBadResponse,
		`{"embeddings":[{"values":7}]}`: chat.ClassBadResponse,
		`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}`: chat.ClassRateLimited,
	} {
		if r, err := abilities(answers("application/json", body)).Embedder.Embed(t.Context(), target, &embedding.Request{Inputs: []string{"a"}}); chat.ClassOf(err) != want {
			t.Errorf("got %+v, %v, want class %q for %s", r, err, want, body)
		}
	}
	a := &asking{play: []string{`{}`}}
	_, err := abilities(a.wire).Embedder.Embed(t.Context(), target, &embedding.Request{Inputs: []string{"a"}, EndUser: "u", Strict: true})
	if f, ok := errors.AsType[*chat.Failure](err); !ok || f.Class != chat.ClassUnsupport || f.Param != "user" || len(a.urls) > 0 {
		t.Errorf("strict: got %v after %d calls, want a refusal of the user", err, len(a.urls))
	}
}

func TestRecordedVectorsAreRead(t *testing.T) {
	t.Parallel()
	for _, r := range conformance.Recordings(t, "gemini/embed") {
		w := answers(r.Header().Get("Content-Type"), string(r.Body()))
		if r.Status != 200 {
			w = failingWith(r.Status, string(r.Body()))
		}
		events := eventsOf(string(r.Body()))
		want := objects(events[0]["embeddings"])
		got, err := abilities(w).Embedder.Embed(t.Context(), target, &embedding.Request{Inputs: make([]string, max(len(want), 1))})
		if r.Status != 200 {
			checkFailure(t, r, err)
			continue
		}
		if err != nil || len(got.Vectors) != len(want) || got.Usage != nil {
			t.Fatalf("%s: got %d vectors, %v, want %d and no usage", r.ID, len(got.Vectors), err, len(want))
		}
		for i, v := range want {
			values, _ := v["values"].([]any)
			if len(got.Vectors[i]) != len(values) || any(got.Vectors[i][0]) != values[0] {
				t.Errorf("%s: vector %d is another", r.ID, i)
			}
		}
	}
}

func TestARequestIsCountedAsItWouldBeSent(t *testing.T) {
	t.Parallel()
	a := &asking{play: []string{`{"totalTokens":12,"promptTokensDetails":[]}`}}
	got, err := abilities(a.wire).Counter.Count(t.Context(), target, talk(system("s"), user("Hi")))
	if got != 12 || err != nil {
		t.Errorf("got %d, %v, want 12", got, err)
	}
	want := decoded(t, `{"generateContentRequest":{"model":"models/gemini-2.5-flash","systemInstruction":{"parts":[{"text":"s"}]},`+says+`}}`)
	if diff := cmp.Diff([]any{want}, a.bodies); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if want := "POST https://vendor.test/v1beta/models/gemini-2.5-flash:countTokens"; a.urls[0] != want {
		t.Errorf("got %s, want %s", a.urls[0], want)
	}
	for body, want := range map[string]chat.Class{
		`{}`: chat.ClassBadResponse, `{"totalTokens":-1}`: chat.ClassBadResponse,
		`{"error":{"code":404,"status":"NOT_FOUND","message":"x"}}`: chat.ClassNoModel,
	} {
		if n, err := abilities(answers("application/json", body)).Counter.Count(t.Context(), target, talk(user("Hi"))); chat.ClassOf(err) != want {
			t.Errorf("got %d, %v, want class %q for %s", n, err, want, body)
		}
	}
	if _, err := abilities(a.wire).Counter.Count(t.Context(), target, talk()); chat.ClassOf(err) != chat.ClassUnsupport {
		t.Errorf("nothing to count: got %v", err)
	}
}

func TestModelsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	a := &asking{play: []string{
		`{"models":[{"name":"models/gemini-2.5-flash"},{"name":""},{"name":"models/gemini-embedding-001"}],"nextPageToken":"p/2"}`, `{"models":[{"name":"models/aqa"}]}`,
	}}
	got, err := abilities(a.wire).Lister.List(t.Context(), target)
	if diff := cmp.Diff([]string{"gemini-2.5-flash", "gemini-embedding-001", "aqa"}, got); diff != "" || err != nil {
		t.Errorf("%v; names (-want +got):\n%s", err, diff)
	}
	const page = "GET https://vendor.test/v1beta/models?pageSize=1000"
	if diff := cmp.Diff([]string{page, page + "&pageToken=p%2F2"}, a.urls); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for body, want := range map[string]chat.Class{
		`{}`: chat.ClassBadResponse, `{"models":[],"nextPageToken":"same"}`: "",
		`{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"x","details":[{"reason":"API_KEY_INVALID"}]}}`: chat.ClassAuth,
	} {
		if names, err := abilities(answers("application/json", body)).Lister.List(t.Context(), target); chat.ClassOf(err) != want {
			t.Errorf("got %q, %v, want class %q for %s", names, err, want, body)
		}
	}
	page0 := 0
	endless := wire(func(*http.Request) *http.Response {
		page0++
		return answer("application/json", strings.NewReader(fmt.Sprintf(`{"models":[],"nextPageToken":"%d"}`, page0)))
	})
	if _, err := abilities(endless).Lister.List(t.Context(), target); chat.ClassOf(err) != chat.ClassBadResponse || page0 > 1000 {
		t.Errorf("an endless list: got %v after %d pages", err, page0)
	}
}
