package ledger_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/forge1/forge1/bootstrap"
)

// asked is what one request of a vendor came to: what the vendor said that it used, as far as it got.
type asked struct {
	vendor   string
	status   int // 0: the connection was reset
	reported bool
	input    int
	output   int
}

// meter stands in front of the simulated vendors and notes what each request of a call came to, by the name of the call in its prompt.
type meter struct {
	vendors *httptest.Server
	mu      sync.Mutex
	calls   map[string][]*asked
	seen    map[string]chan struct{} // closed when a vendor has the call
}

func newMeter(t *testing.T) *meter {
	t.Helper()
	sim, err := bootstrap.NewSimulator()
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{calls: map[string][]*asked{}, seen: map[string]chan struct{}{}}
	play := sim.Handler()
	m.vendors = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(play, w, r) }))
	t.Cleanup(m.vendors.Close)
	return m
}

// nameOf finds the name of a call in a body.
var nameOf = regexp.MustCompile(`call-\d{7}`)

func (m *meter) serve(play http.Handler, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := string(nameOf.Find(body))
	if name == "" { // control
		play.ServeHTTP(w, r)
		return
	}
	vendor, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	one, out := &asked{vendor: vendor}, &tee{ResponseWriter: w}
	m.mu.Lock()
	m.calls[name] = append(m.calls[name], one)
	if seen := m.await(name); len(m.calls[name]) == 1 {
		close(seen)
	}
	m.mu.Unlock()
	defer func() { // also when the simulator breaks the connection by a panic
		m.mu.Lock()
		defer m.mu.Unlock()
		one.status = out.status
		one.read(out.kept.Bytes())
	}()
	play.ServeHTTP(out, r)
}

// await gives the channel that closes when a vendor has the call. The lock is held.
func (m *meter) await(name string) chan struct{} {
	if m.seen[name] == nil {
		m.seen[name] = make(chan struct{})
	}
	return m.seen[name]
}

// arrival gives that channel.
func (m *meter) arrival(name string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.await(name)
}

// of gives what the vendors were asked for a call, in their order.
func (m *meter) of(name string) []asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []asked
	for _, a := range m.calls[name] {
		out = append(out, *a)
	}
	return out
}

// behave tells a vendor how to behave.
func (m *meter) behave(t *testing.T, vendor, how string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, m.vendors.URL+"/_sim/"+vendor, strings.NewReader(how))
	if err != nil {
		t.Error(err)
		return
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("behave %s: got %s", how, res.Status)
	}
}

// tee keeps what was written.
type tee struct {
	http.ResponseWriter
	status int
	kept   bytes.Buffer
}

func (w *tee) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *tee) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.kept.Write(p[:n])
	return n, err
}

// Unwrap lets the simulator flush, and take the connection over.
func (w *tee) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// reports is where the vendors say what was used.
type reports struct {
	Usage         *counts
	Message       struct{ Usage *counts } // of Anthropic's first event
	UsageMetadata *struct {
		Prompt     int `json:"promptTokenCount"`
		Candidates int `json:"candidatesTokenCount"`
		Thoughts   int `json:"thoughtsTokenCount"`
	}
}

type counts struct {
	Prompt     *int `json:"prompt_tokens"`
	Completion *int `json:"completion_tokens"`
	Input      *int `json:"input_tokens"`
	Output     *int `json:"output_tokens"`
}

// read takes what a vendor reported out of its answer, a whole one or events; the last word counts.
func (a *asked) read(answer []byte) {
	for _, piece := range append(strings.Split(string(answer), "\n"), string(answer)) {
		var r reports
		if json.Unmarshal([]byte(strings.TrimPrefix(piece, "data: ")), &r) != nil {
			continue
		}
		for _, c := range []*counts{r.Usage, r.Message.Usage} {
			if c != nil {
				a.say(c.Prompt, c.Completion)
				a.say(c.Input, c.Output)
			}
		}
		if u := r.UsageMetadata; u != nil {
			said := u.Candidates + u.Thoughts
			a.say(&u.Prompt, &said)
		}
	}
}

func (a *asked) say(input, output *int) {
	if input != nil {
		a.input, a.reported = *input, true
	}
	if output != nil {
		a.output, a.reported = *output, true
	}
}
