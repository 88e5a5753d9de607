package anthropic_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestACallSaysWhatItNeedsThatIsNotReleasedToAll(t *testing.T) {
	t.Parallel()
	upload := &chat.Media{FileID: "file_1", Origin: chat.DialectAnthropic}
	for name, test := range map[string]struct {
		request *chat.Request
		want    string
	}{
		"nothing":        {talk(user("Hi")), ""},
		"uploads":        {talk(picture(*upload), picture(*upload)), "files-api-2025-04-14"},
		"code execution": {asks(func(r *chat.Request) { r.Tools = []chat.Tool{{Server: chat.ServerCodeExecution}} }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got http.Header
			a := abilities(func(r *http.Request) *http.Response {
				got = r.Header
				return answer("application/json", strings.NewReader(strings.Replace(okBody, `"id"`, `"input_tokens":1,"id"`, 1)))
			})
			if _, err := a.Provider.Complete(t.Context(), target, test.request); err != nil || got.Get("Anthropic-Beta") != test.want {
				t.Errorf("got %q and %v, want %q", got.Get("Anthropic-Beta"), err, test.want)
			}
			if _, err := a.Counter.Count(t.Context(), target, test.request); err != nil || got.Get("Anthropic-Beta") != test.want {
				t.Errorf("of a count: got %q and %v, want %q", got.Get("Anthropic-Beta"), err, test.want)
			}
		})
	}
}

func TestACountIsAskedForWithoutWhatMakesNoTokens(t *testing.T) {
	t.Parallel()
	body := ""
	var path string
	count := func(answered string) (int, error) {
		return abilities(func(r *http.Request) *http.Response {
			var b strings.Builder
			_ = r.Write(&b)
			path = r.URL.Path
			_, body, _ = strings.Cut(b.String(), "\r\n\r\n")
			return answer("application/json", strings.NewReader(answered))
		}).Counter.Count(t.Context(), target, asks(func(r *chat.Request) {
			r.MaxTokens, r.Temperature, r.Stop, r.EndUser, r.ServiceTier = new(7), new(0.5), []string{"x"}, "u", "auto"
			r.Tools, r.ToolChoice.Mode = []chat.Tool{{Name: "f"}}, chat.ToolAuto
		}))
	}
	if n, err := count(`{"input_tokens":42}`); n != 42 || err != nil {
		t.Errorf("got %d and %v, want 42", n, err)
	}
	want := decoded(t, `{"model":"claude-test",`+hi+`,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"}}`)
	if diff := cmp.Diff(want, decoded(t, body)); diff != "" || path != "/v1/messages/count_tokens" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
	for _, none := range []string{`{}`, `{"input_tokens":-1}`, `{"input_tokens":"7"}`} {
		if n, err := count(none); chat.ClassOf(err) != chat.ClassBadResponse {
			t.Errorf("%s: got %d and %v, want bad_response", none, n, err)
		}
	}
}

func TestAListIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	var asked []string
	names, err := abilities(func(r *http.Request) *http.Response {
		asked = append(asked, r.Method+" "+r.URL.RequestURI())
		page := `{"data":[{"id":"a"},{"id":""}],"has_more":true,"last_id":"a"}`
		if r.URL.Query().Get("after_id") != "" {
			page = `{"data":[{"id":"b"}],"has_more":false,"last_id":"b"}`
		}
		return answer("application/json", strings.NewReader(page))
	}).Lister.List(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"GET /v1/models?limit=1000", "GET /v1/models?after_id=a&limit=1000"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	calls := 0
	if _, err := abilities(func(*http.Request) *http.Response {
		calls++
		return answer("application/json", strings.NewReader(`{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}`))
	}).Lister.List(t.Context(), target); err != nil || calls != 2 {
		t.Errorf("a list that does not go on: %d calls and %v, want 2", calls, err)
	}
}

func TestWhatAnAnswerTellsBesideItsText(t *testing.T) {
	t.Parallel()
	body := strings.NewReplacer(`"text":"ok"`, `"text":"ok","citations":[{"type":"page_location","document_title":"Manual","cited_text":"c","document_index":0},
		{"type":"search_result_location","source":"https://s.test","title":"S"},{"type":"search_result_location","source":"shelf 3","title":7}]`,
		`"input_tokens":1`, `"service_tier":"standard","input_tokens":1`).Replace(okBody)
	r, err := completed(t, body)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, c := range r.First().Parts[0].Citations {
		got = append(got, []string{c.URL, c.Title, c.Text})
	}
	if diff := cmp.Diff([][]string{{"", "Manual", "c"}, {"https://s.test", "S", ""}, {"", "", ""}}, got); diff != "" {
		t.Errorf("citations (-want +got):\n%s", diff)
	}
	if r.ServiceTier != "default" {
		t.Errorf("got the tier %q, want default", r.ServiceTier)
	}
}
