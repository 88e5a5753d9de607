package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

func TestLikelihoodsAreGivenWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	chat := func(model string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":"[sim:say=sixteen letters and more]"}],"logprobs":true,"top_logprobs":2}`
	}
	const input = `{"model":"gpt-4.1-mini","input":"[sim:say=sixteen letters and more]","include":["message.output_text.logprobs"],"top_logprobs":2}`
	for name, c := range map[string]struct{ vendor, path, body string }{
		"chat":       {simulator.OpenAI, "/chat/completions", chat("gpt-4.1-mini")},
		"OpenRouter": {simulator.OpenRouter, "/chat/completions", chat("meta-llama/llama-3.3-70b")},
		"responses":  {simulator.OpenAI, "/responses", input},
	} {
		for _, body := range []string{c.body, strings.TrimSuffix(c.body, "}") + `,"stream":true}`} {
			_, got := w.must(w.post(c.vendor, c.path, body))
			for _, want := range []string{`"token":"sixteen letters "`, `"logprob":-0.015625`, `"bytes":[115,105,120`, `"token":"sixteen letters …"`} {
				if !strings.Contains(packed(got), packed(want)) {
					t.Errorf("%s = %s\nwant %s", name, got, want)
				}
			}
		}
	}
}

func TestWhatIsNoTextIsSeen(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	chat := func(model string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},` +
			`{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}]}]}`
	}
	const image, audio, url = "I was given an image (image/png, sha256:", "I was given an audio (audio/wav, sha256:", "I was given an image (https://example.com/a.png)"
	for name, c := range map[string]struct {
		vendor, path, body string
		want               []string
	}{
		"chat":       {simulator.OpenAI, "/chat/completions", chat("gpt-4.1-mini"), []string{image, audio}},
		"OpenRouter": {simulator.OpenRouter, "/chat/completions", chat("google/gemini-2.5-flash"), []string{image, audio}},
		"responses": {simulator.OpenAI, "/responses", `{"model":"gpt-4.1-mini","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="},` +
			`{"type":"input_image","image_url":"https://example.com/a.png"},{"type":"input_file","file_data":"data:application/pdf;base64,JVBERg=="}]}]}`, []string{image, url, "I was given a file (application/pdf"}},
		"messages": {simulator.Anthropic, "/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":500,"messages":[{"role":"user","content":[` +
			`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]}`, []string{image, url}},
		"generate": {simulator.Gemini, "/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},` +
			`{"inline_data":{"mime_type":"audio/wav","data":"UklGRg=="}},{"text":"what?"}]}]}`, []string{image, audio}},
	} {
		_, body := w.must(w.post(c.vendor, c.path, c.body))
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s = %s\nwant %s", name, body, want)
			}
		}
	}
}

func TestChoicesDiffer(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	_, body := w.must(w.post(simulator.OpenAI, "/chat/completions", chatWith("gpt-4.1-mini", `,"n":3`)))
	v := decode[struct {
		Choices []struct {
			Index   int
			Message struct{ Content string }
		}
	}](t, body)
	seen := map[string]bool{}
	for _, c := range v.Choices {
		seen[c.Message.Content] = true
	}
	if len(seen) != 3 {
		t.Errorf("choices = %+v, want three that differ", v.Choices)
	}
}

func TestAPromptIsKeptByItsKey(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	chat := chatWith("gpt-4.1-mini", `,"prompt_cache_key":"a"`)
	for i, want := range []string{`"cached_tokens":0`, `"cached_tokens":1`} {
		if _, body := w.must(w.post(simulator.OpenAI, "/chat/completions", chat)); !strings.Contains(packed(body), want) {
			t.Errorf("call %d = %s, want %s", i, body, want)
		}
	}
	if err := w.sim.Reset(simulator.OpenAI); err != nil {
		t.Fatal(err)
	}
	if _, body := w.must(w.post(simulator.OpenAI, "/chat/completions", chat)); !strings.Contains(packed(body), `"cached_tokens":0`) {
		t.Errorf("after a reset = %s, want nothing kept", body)
	}
}

func TestFurtherDialectsAreServedUnderTheirPrefix(t *testing.T) {
	t.Parallel()
	further := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "here is "+r.URL.Path) })
	w := start(t, simulator.Config{Handlers: map[string]http.Handler{"bedrock": further}})
	r := w.post(simulator.OpenAI, "", "")
	r.URL.Path = "/bedrock/model/x/converse"
	if _, body := w.must(r); body != "here is /model/x/converse" {
		t.Errorf("answer = %q, want the further handler's", body)
	}
	for _, name := range []string{"", "openai", "_sim", "a/b"} {
		if _, err := simulator.New(simulator.Config{Handlers: map[string]http.Handler{name: further}}); err == nil {
			t.Errorf("a handler at %q is taken", name)
		}
	}
}

func TestListsOfModelsComeInPages(t *testing.T) {
	t.Parallel()
	names := []string{"m-1", "m-2", "m-3"}
	w := start(t, simulator.Config{Models: map[string][]string{simulator.Anthropic: names, simulator.Gemini: names}})
	for path, c := range map[string]struct{ vendor, want, not string }{
		"/v1/models?limit=2":                      {simulator.Anthropic, `"has_more":true,"first_id":"m-1","last_id":"m-2"`, `"id":"m-3"`},
		"/v1/models?limit=2&after_id=m-2":         {simulator.Anthropic, `"has_more":false,"first_id":"m-3","last_id":"m-3"`, `"id":"m-2"`},
		"/v1beta/models?pageSize=2":               {simulator.Gemini, `"nextPageToken":"m-3"`, `models/m-3`},
		"/v1beta/models?pageSize=2&pageToken=m-3": {simulator.Gemini, `models/m-3`, `nextPageToken`},
	} {
		r := w.post(c.vendor, path, "")
		r.Method = http.MethodGet
		if _, body := w.must(r); !strings.Contains(body, c.want) || strings.Contains(body, c.not) {
			t.Errorf("%s = %s, want %s and no %s", path, body, c.want, c.not)
		}
	}
}
