package matrix_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

// scenario is a line of the matrix.
type scenario struct {
	name   string
	thinks bool                  // asks for a model that thinks
	ask    func(a *surfaces.Ask) // what is asked
	behave string                // how the vendor behaves, as the simulator's control has it
	leaves bool                  // the client leaves in the middle
	check  func(t *testing.T, c *cell, status int, r surfaces.Reading)
}

// cell is one place of the matrix, whole or streamed.
type cell struct {
	surface surfaces.Surface
	vendor  vendor
	forge   *harness.Forge
	ask     surfaces.Ask
	parts   []map[string]any // of the answer
}

// send asks, and reads what comes.
func (c *cell) send(t *testing.T) (int, surfaces.Reading) {
	t.Helper()
	a := c.forge.Do(t, http.MethodPost, c.surface.Path, c.surface.Body(c.ask))
	if dropped := a.Header.Get("X-Forge-Dropped"); dropped != "" {
		t.Errorf("%s was dropped", dropped)
	}
	c.parts = surfaces.Parts(t, a.Body)
	return a.Status, c.surface.Read(t, a.Body)
}

type vendor struct {
	name     string // the simulator's
	provider string // Forge's
	model    string
	thinker  string
}

var vendors = []vendor{
	{"openai", "openai", "gpt-4o-mini", "gpt-5-mini"},
	{"anthropic", "claude", "claude-sonnet-4-5", "claude-sonnet-4-5"},
	{"gemini", "gemini", "gemini-2.5-flash", "gemini-3-pro-preview"},
	{"openrouter", "openrouter", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5"},
}

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// A PDF of no page and a WAV of no sound, in base64.
const (
	page = "JVBERi0xLjQKJUVPRgo="
	beat = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
)

// says wants an answer of a text that came to its own end.
func says(want string) func(*testing.T, *cell, int, surfaces.Reading) {
	return func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		if status != http.StatusOK || r.Text != want || r.Error != "" || !r.Ended || len(r.Calls) > 0 {
			t.Errorf("got %d %+v, want the text %q", status, r, want)
		}
		if r.Input == 0 || r.Output == 0 {
			t.Errorf("got %d and %d tokens, want some", r.Input, r.Output)
		}
	}
}

// calls wants so many calls of the tool, each with an id of its own and a city, or without arguments.
func calls(n int, args bool) func(*testing.T, *cell, int, surfaces.Reading) {
	return func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		if status != http.StatusOK || len(r.Calls) != n || r.Error != "" {
			t.Fatalf("got %d %+v, want %d calls", status, r, n)
		}
		ids := map[string]bool{}
		for _, call := range r.Calls {
			ids[call.ID] = true
			if call.Name != "get_weather" || args && surfaces.City(call.Arguments) == "" || !args && call.Arguments != "{}" {
				t.Errorf("got the call %+v", call)
			}
		}
		if len(ids) != n {
			t.Errorf("the ids of %+v are not %d", r.Calls, n)
		}
		if word := map[string]string{"chat": "tool_calls", "messages": "tool_use", "responses": "completed:"}[c.surface.Name]; r.Finish != word && !(c.ask.Tool != "" && r.Finish == "stop") { // OpenAI's word for a call that was forced
			t.Errorf("got the finish %s, want %s", r.Finish, word)
		}
	}
}

func fails(status int) func(*testing.T, *cell, int, surfaces.Reading) {
	return func(t *testing.T, c *cell, got int, r surfaces.Reading) {
		if got != status || r.Error == "" {
			t.Errorf("got %d %+v, want %d and a typed error", got, r, status)
		}
	}
}

func text(s string) func(*surfaces.Ask) { return func(a *surfaces.Ask) { a.Text = s } }

func tools(s string) func(*surfaces.Ask) {
	return func(a *surfaces.Ask) { a.Text, a.Tools = s, true }
}

var scenarios = []scenario{
	{name: "text", ask: text("[sim:say=a plain answer]"), check: says("a plain answer")},
	{name: "system", ask: func(a *surfaces.Ask) { a.Text, a.System = "[sim:say=systematic]", "Be systematic." }, check: says("systematic")},
	{name: "multi-turn", ask: func(a *surfaces.Ask) {
		a.Before, a.Text = []string{"Who are you?", "A machine."}, "[sim:say=the third turn]"
	}, check: says("the third turn")},
	{name: "image", ask: func(a *surfaces.Ask) { a.Text, a.Image = "[sim:say=one pixel]", pixel }, check: says("one pixel")},
	{name: "tools: one call", ask: tools("[sim:tools=1]"), check: calls(1, true)},
	{name: "tools: parallel calls", ask: tools("[sim:tools=3]"), check: calls(3, true)},
	{name: "tools: forced by name", ask: func(a *surfaces.Ask) { a.Text, a.Tools, a.Tool = "Weather?", true, "get_weather" }, check: calls(1, true)},
	{name: "tools: required", ask: func(a *surfaces.Ask) { a.Text, a.Tools, a.Tool = "Weather?", true, "required" }, check: calls(1, true)},
	{name: "tools: without arguments", ask: tools("[sim:tools=1,noargs]"), check: calls(1, false)},
	{name: "tool results", ask: tools("[sim:agent=2]"), check: toTheEnd(2)},
	{name: "schema", ask: func(a *surfaces.Ask) { a.Text, a.Schema = "Answer.", true }, check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		var answer struct {
			Answer *string `json:"answer"`
		}
		if status != http.StatusOK || json.Unmarshal([]byte(r.Text), &answer) != nil || answer.Answer == nil {
			t.Errorf("got %d %+v, want an answer by the schema", status, r)
		}
	}},
	{name: "thinking", thinks: true, ask: func(a *surfaces.Ask) { a.Text, a.Thinking = "[sim:say=thought over]", true }, check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		says("thought over")(t, c, status, r)
		if r.Thinking == "" && r.Reasoning == 0 {
			t.Errorf("neither thoughts nor their tokens were told: %+v", r)
		}
	}},
	{name: "thinking with tools", thinks: true, ask: func(a *surfaces.Ask) { a.Text, a.Thinking, a.Tools = "[sim:agent=3]", true, true }, check: toTheEnd(3)},
	{name: "cache numbers", ask: text("[sim:cached=17,say=kept]"), check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		says("kept")(t, c, status, r)
		if r.Cached != 17 {
			t.Errorf("got %d cached tokens, want 17", r.Cached)
		}
	}},
	{name: "stop", ask: func(a *surfaces.Ask) { a.Text, a.Stop = "[sim:say=one two HALT three]", []string{"HALT"} }, check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		if strings.TrimRight(r.Text, " ") != "one two" {
			t.Errorf("got %d %+v, want what comes before the sequence", status, r)
		}
	}},
	{name: "truncation", ask: text("[sim:length]"), check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		word := map[string]string{"chat": "length", "messages": "max_tokens", "responses": "incomplete:max_output_tokens"}[c.surface.Name]
		if status != http.StatusOK || r.Finish != word || r.Text == "" {
			t.Errorf("got %d %+v, want the finish %s", status, r, word)
		}
	}},
	{name: "file", ask: func(a *surfaces.Ask) { a.Text, a.File = "[sim:say=one page]", page }, check: says("one page")},
	{name: "sound", ask: func(a *surfaces.Ask) { a.Text, a.Sound = "[sim:say=one beat]", beat }, check: says("one beat")},
	{name: "several answers", ask: func(a *surfaces.Ask) { a.Text, a.Choices = "[sim:say=either]", 2 }, check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		says("either")(t, c, status, r)
		if r.Choices != 2 {
			t.Errorf("got %d answers, want 2", r.Choices)
		}
	}},
	{name: "log probabilities", ask: func(a *surfaces.Ask) { a.Text, a.Logprobs = "[sim:say=likely]", true }, check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		says("likely")(t, c, status, r)
		if r.Logprobs == 0 {
			t.Error("none was told")
		}
	}},
	{name: "seed", ask: func(a *surfaces.Ask) { a.Text, a.Seed = "[sim:say=sown]", 4711 }, check: says("sown")},
	{name: "refusal", ask: text("[sim:refuse]"), check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		told := r.Refusal != "" || r.Finish == "content_filter" || r.Finish == "refusal" || r.Finish == "incomplete:content_filter"
		if status != http.StatusOK || !told {
			t.Errorf("got %d %+v, want a refusal that can be told from an answer", status, r)
		}
	}},
	{name: "error 400", behave: `{"fail_rate":1,"fail_status":400}`, check: fails(400)},
	{name: "error 401", behave: `{"fail_rate":1,"fail_status":401}`, check: fails(502)},
	{name: "error 404", behave: `{"fail_rate":1,"fail_status":404}`, check: fails(404)},
	{name: "error 429", behave: `{"fail_rate":1,"fail_status":429}`, check: fails(429)},
	{name: "error 500", behave: `{"fail_rate":1,"fail_status":500}`, check: fails(502)},
	{name: "error 529", behave: `{"fail_rate":1,"fail_status":529}`, check: fails(502)},
	{name: "cancel", ask: text("[sim:bytes=200000]"), behave: `{"chunk_delay_ms":5,"latency_ms":3000}`, leaves: true},
	{name: "cut", ask: text("[sim:bytes=2000]"), behave: `{"cut_after_events":6}`, check: func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		if c.ask.Stream && (status != http.StatusOK || r.Error == "" || r.Ended) || !c.ask.Stream && status != http.StatusBadGateway {
			t.Errorf("got %d %+v, want a typed error", status, r)
		}
	}},
}

// toTheEnd goes on with an agent's loop until it has had so many turns of results. Its answer proves that it saw them all.
func toTheEnd(turns int) func(*testing.T, *cell, int, surfaces.Reading) {
	return func(t *testing.T, c *cell, status int, r surfaces.Reading) {
		n := 0
		var results []string
		for ; len(r.Calls) > 0 && status == http.StatusOK && n < turns+5; n++ {
			c.ask.Turns = append(c.ask.Turns, c.surface.Next(c.parts, r, func(args string) string {
				results = append(results, fmt.Sprintf("sunny in %s, %d", surfaces.City(args), len(results)))
				return results[len(results)-1]
			})...)
			status, r = c.send(t)
		}
		if want := simulator.Proof(results...); status != http.StatusOK || n != turns || r.Text != want || r.Error != "" {
			t.Errorf("after %d turns of results came %d %+v, want %q after %d", n, status, r, want, turns)
		}
	}
}
