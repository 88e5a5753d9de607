package simulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

// heard is what a client made of an answer.
type heard struct {
	text     string
	events   int // that carried text
	in, out  int
	finishes int
}

// hear reads a whole answer of the vendor's.
func hear(t *testing.T, vendor, body string) heard {
	t.Helper()
	switch vendor {
	case simulator.Anthropic:
		v := decode[struct {
			Content []struct{ Text string }
			Usage   struct{ Input_tokens, Output_tokens int } //nolint:revive // the wire's names
		}](t, body)
		return heard{text: v.Content[0].Text, events: 1, in: v.Usage.Input_tokens, out: v.Usage.Output_tokens, finishes: 1}
	case simulator.Gemini:
		return hearGemini(t, []string{body})
	}
	v := decode[struct {
		Choices []struct{ Message struct{ Content string } }
		Usage   chatCounts
	}](t, body)
	return heard{text: v.Choices[0].Message.Content, events: 1, in: v.Usage.Prompt, out: v.Usage.Completion, finishes: 1}
}

type chatCounts struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
}

// hearStream reads a streamed answer of the vendor's.
func hearStream(t *testing.T, vendor, body string) heard {
	t.Helper()
	switch vendor {
	case simulator.Anthropic:
		return hearAnthropic(t, body)
	case simulator.Gemini:
		return hearGemini(t, data(body))
	}
	events := data(body)
	if events[len(events)-1] != "[DONE]" {
		t.Errorf("the stream ends with %q, want [DONE]", events[len(events)-1])
	}
	h := heard{}
	for _, e := range events[:len(events)-1] {
		v := decode[struct {
			Choices []struct {
				Delta  struct{ Content string }
				Finish *string `json:"finish_reason"`
			}
			Usage *chatCounts
		}](t, e)
		for _, c := range v.Choices {
			h.hear(c.Delta.Content)
			if c.Finish != nil {
				h.finishes++
			}
		}
		if v.Usage != nil {
			h.in, h.out = v.Usage.Prompt, v.Usage.Completion
		}
	}
	return h
}

func (h *heard) hear(text string) {
	h.text += text
	if text != "" {
		h.events++
	}
}

func hearAnthropic(t *testing.T, body string) heard {
	t.Helper()
	h := heard{}
	for _, e := range data(body) {
		v := decode[struct {
			Type  string
			Delta struct {
				Text string
				Stop string `json:"stop_reason"`
			}
			Message struct{ Usage struct{ Input_tokens int } } //nolint:revive // the wire's names
			Usage   struct{ Output_tokens int }                //nolint:revive // the wire's names
		}](t, e)
		h.hear(v.Delta.Text)
		switch v.Type {
		case "message_start":
			h.in = v.Message.Usage.Input_tokens
		case "message_delta":
			h.out = v.Usage.Output_tokens
		case "message_stop":
			h.finishes++
		}
	}
	return h
}

func hearGemini(t *testing.T, answers []string) heard {
	t.Helper()
	h := heard{}
	for _, e := range answers {
		v := decode[struct {
			Candidates []struct {
				Content      struct{ Parts []struct{ Text string } }
				FinishReason string
			}
			UsageMetadata struct{ PromptTokenCount, CandidatesTokenCount, TotalTokenCount int }
		}](t, e)
		for _, c := range v.Candidates {
			for _, p := range c.Content.Parts {
				h.hear(p.Text)
			}
			if c.FinishReason != "" {
				h.finishes++
			}
		}
		h.in, h.out = v.UsageMetadata.PromptTokenCount, v.UsageMetadata.CandidatesTokenCount
		if got := v.UsageMetadata.TotalTokenCount; got != h.in+h.out {
			t.Errorf("total = %d, want %d + %d", got, h.in, h.out)
		}
	}
	return h
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestEchoAnswersWithTheHashOfTheLastUserMessage(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		w.configure(vendor, simulator.Behaviour{Mode: simulator.ModeEcho})
		for name, text := range map[string]string{
			"plain":                      "Hello there",
			"spaces and line breaks":     "  a\r\n\tb \n",
			"beyond ASCII":               "Grüße 👋 <b>&amp;",
			"a case that is not played":  "[[case:nothing]]",
			"a text of more than 64 KiB": strings.Repeat("long ", 20_000),
		} {
			t.Run(vendor+", "+name, func(t *testing.T) {
				in := (len(text) + 3) / 4
				_, body := w.must(w.request(vendor, text, false))
				if got, want := hear(t, vendor, body), (heard{hash(text), 1, in, 18, 1}); got != want {
					t.Errorf("whole answer = %+v, want %+v", got, want)
				}
				r := w.request(vendor, text, true)
				if vendor == simulator.OpenAI {
					raw := `{"model":"gpt-4.1-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":` + quote(text) + `}]}`
					r = w.post(vendor, "/chat/completions", raw)
				}
				_, body = w.must(r)
				want := heard{hash(text), 5, in, 18, 1}
				if vendor == simulator.OpenRouter {
					want.finishes = 2 // the chunk with the usage repeats it
				}
				if got := hearStream(t, vendor, body); got != want {
					t.Errorf("streamed answer = %+v, want %+v", got, want)
				}
			})
		}
	}
}

func TestEchoReadsContentGivenAsPartsAndSkipsOtherTurns(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	chatParts := `"messages":[{"role":"system","content":"sys!"},{"role":"user","content":"one"},{"role":"assistant","content":"two"},` +
		`{"role":"user","content":[{"type":"text","text":"thr"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"ee"}]}]}`
	for vendor, c := range map[string][2]string{
		simulator.OpenAI:     {"/chat/completions", `{"model":"gpt-4.1-mini",` + chatParts},
		simulator.OpenRouter: {"/chat/completions", `{"model":"moonshotai/kimi-k2",` + chatParts},
		simulator.Anthropic: {"/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,"system":[{"type":"text","text":"sys!"}],"messages":[` +
			`{"role":"user","content":"one"},{"role":"assistant","content":[{"type":"text","text":"two"}]},` +
			`{"role":"user","content":[{"type":"text","text":"thr"},{"type":"image","source":{}},{"type":"text","text":"ee"}]},` +
			`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":""}]}]}`},
		simulator.Gemini: {"/v1beta/models/gemini-2.5-flash:generateContent", `{"system_instruction":{"parts":[{"text":"sys!"}]},"contents":[` +
			`{"role":"user","parts":[{"text":"one"}]},{"role":"model","parts":[{"text":"two"}]},` +
			`{"parts":[{"text":"thr"},{"inline_data":{"data":""}},{"text":"ee"}]},` +
			`{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f"}}]}]}`},
	} {
		w.configure(vendor, simulator.Behaviour{Mode: simulator.ModeEcho})
		_, body := w.must(w.post(vendor, c[0], c[1]))
		if got, want := hear(t, vendor, body), (heard{hash("three"), 1, 4, 18, 1}); got != want { // 15 bytes are 4 tokens
			t.Errorf("%s = %+v, want %+v", vendor, got, want)
		}
	}
}

func TestStreamsHaveEachVendorsManners(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Config{})
	for _, vendor := range simulator.Vendors() {
		w.configure(vendor, simulator.Behaviour{Mode: simulator.ModeEcho})
	}
	t.Run("OpenAI says usage only when asked", func(t *testing.T) {
		res, body := w.must(w.request(simulator.OpenAI, "x", true))
		if got := res.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
			t.Errorf("content type = %q", got)
		}
		if strings.Contains(body, `"usage"`) {
			t.Errorf("usage without being asked: %s", body)
		}
		asked := `{"model":"gpt-4.1-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}`
		_, body = w.must(w.post(simulator.OpenAI, "/chat/completions", asked))
		events := data(body)
		last := events[len(events)-2]
		if strings.Count(body, `"usage":null`) != len(events)-2 || !strings.Contains(last, `"choices":[],"usage":{"prompt_tokens":1,`) {
			t.Errorf("want null usage in all chunks but the last, which has no choices: %s", body)
		}
		if !strings.Contains(last, `"model":"gpt-4.1-mini-2025-08-07"`) {
			t.Errorf("want a dated model: %s", last)
		}
	})
	t.Run("several choices interleave", func(t *testing.T) {
		_, body := w.must(w.post(simulator.OpenAI, "/chat/completions", chatWith("gpt-4.1-mini", `,"n":2,"stream":true`)))
		events := data(body)
		if !strings.Contains(events[2], `"index":0`) || !strings.Contains(events[3], `"index":1`) || strings.Count(body, `"finish_reason":"stop"`) != 2 {
			t.Errorf("stream of two choices = %s", body)
		}
	})
	t.Run("OpenRouter comments, names the role everywhere and repeats its finish", func(t *testing.T) {
		_, body := w.must(w.request(simulator.OpenRouter, "x", true))
		if !strings.HasPrefix(body, ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n") || strings.Count(body, ": OPENROUTER") != 3 {
			t.Errorf("want three comments, two of them in front: %s", body)
		}
		events := data(body)
		if got := strings.Count(body, `"role":"assistant"`); got != len(events)-1 {
			t.Errorf("role in %d of %d chunks", got, len(events)-1)
		}
		last := events[len(events)-2]
		for _, want := range []string{`"finish_reason":"stop","native_finish_reason":"end_turn"`, `"cost":0.000091`, `"provider":"Simulated"`} {
			if !strings.Contains(last, want) {
				t.Errorf("last chunk = %s, want %s", last, want)
			}
		}
		_, body = w.must(w.request(simulator.OpenRouter, "x", false))
		if !strings.HasPrefix(body, "\n     ") || !json.Valid([]byte(body)) {
			t.Errorf("whole answer = %q, want JSON padded in front", body)
		}
	})
	t.Run("Anthropic pads and pings and counts cumulatively", func(t *testing.T) {
		_, body := w.must(w.request(simulator.Anthropic, "x", true))
		if !strings.Contains(body, "event: ping\ndata: {\"type\": \"ping\"}\n\n") || !strings.Contains(body, " }\n") {
			t.Errorf("want a ping and padding: %s", body)
		}
		if !strings.Contains(body, `"output_tokens":1,`) || !strings.Contains(body, `"output_tokens":18}`) {
			t.Errorf("want 1 output token at the start and all 18 at the end: %s", body)
		}
	})
	t.Run("Gemini ends lines with CRLF and has no terminator", func(t *testing.T) {
		_, body := w.must(w.request(simulator.Gemini, "x", true))
		if strings.Count(body, "\r\n\r\n") != 5 || strings.Count(body, "\n") != 10 || strings.Contains(body, "DONE") {
			t.Errorf("stream = %q", body)
		}
		if strings.Contains(data(body)[0], "candidatesTokenCount") || strings.Contains(body, `"index"`) {
			t.Errorf("want no candidates count in the first chunk and no index 0: %s", body)
		}
	})
	t.Run("Gemini without alt=sse streams a JSON array", func(t *testing.T) {
		const path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
		res, body := w.must(w.post(simulator.Gemini, path, `{"contents":[{"parts":[{"text":"x"}]}]}`))
		if got := res.Header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
			t.Errorf("content type = %q", got)
		}
		raw := decode[[]json.RawMessage](t, body)
		all := make([]string, len(raw))
		for i, r := range raw {
			all[i] = string(r)
		}
		if got := hearGemini(t, all); got.text != hash("x") || got.events != 5 {
			t.Errorf("array = %+v, want the hash in five pieces", got)
		}
	})
}
