package bedrock_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/chat"
)

const hi = `"messages":[{"role":"user","content":[{"text":"Hi"}]}]`

// encoding is what a request becomes for a model.
type encoding struct {
	model   string
	request *chat.Request
	want    string // the body
	dropped []string
}

func (c encoding) check(t *testing.T) {
	t.Helper()
	got, resp, err := sent(t, c.model, c.request)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, c.want), any(got)); diff != "" {
		t.Errorf("the body differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.dropped, resp.Dropped, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what was dropped differs (-want +got):\n%s", diff)
	}
}

func TestConversations(t *testing.T) {
	for name, c := range map[string]encoding{
		"system messages stand apart": {
			request: talk(chat.Text(chat.RoleSystem, "Be brief."), user("Hi"), chat.Text(chat.RoleSystem, "Be kind.")),
			want:    `{"system":[{"text":"Be brief."},{"text":"Be kind."}],` + hi + `}`,
		},
		"turns of one speaker become one": {request: talk(user("A"), user("B"), assistant("C"), assistant("D"), user("E")), want: `{"messages":[
			{"role":"user","content":[{"text":"A"},{"text":"B"}]},{"role":"assistant","content":[{"text":"C"},{"text":"D"}]},{"role":"user","content":[{"text":"E"}]}]}`},
		"a greeting of the assistant's is dropped": {request: talk(assistant("Welcome!"), user("Hi")), want: `{` + hi + `}`, dropped: []string{"messages[0]"}},
		"a blank text is dropped":                  {request: talk(asked(text(" \n"), text("Hi"))), want: `{` + hi + `}`, dropped: []string{"messages[].content"}},
		"a name is dropped": {
			request: talk(chat.Message{Role: chat.RoleUser, Name: "Ada", Parts: []chat.Part{text("Hi")}}),
			want:    `{` + hi + `}`, dropped: []string{"messages[].name"},
		},
		"an end for the model to go on from loses its white space": {
			request: talk(user("Hi"), assistant("So: ")),
			want:    `{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"So:"}]}]}`, dropped: []string{"messages[].content"},
		},
		"pictures by their bytes and from S3": {
			request: talk(asked(text("Hi"), media(chat.PartImage, chat.Media{Type: "image/jpg", Data: "QQ=="}),
				media(chat.PartImage, chat.Media{Type: "image/webp", URL: "s3://b/k.webp", Detail: "high"}))), want: `{"messages":[{"role":"user","content":[{"text":"Hi"},
			{"image":{"format":"jpeg","source":{"bytes":"QQ=="}}},{"image":{"format":"webp","source":{"s3Location":{"uri":"s3://b/k.webp"}}}}]}]}`,
			dropped: []string{"image_url.detail"},
		},
		"documents have names of their own": {request: talk(asked(text("Hi"), media(chat.PartFile, chat.Media{Type: "application/pdf", Data: "QQ==", Name: "Ümsätze_2025.v2.pdf"}),
			media(chat.PartFile, chat.Media{Data: "QQ==", Name: "a.docx"}), media(chat.PartFile, chat.Media{Type: "text/x-go", Data: "QQ==", Name: "a.go"}),
			media(chat.PartFile, chat.Media{Type: "application/json", Data: "QQ=="}))), want: `{"messages":[{"role":"user","content":[{"text":"Hi"},
			{"document":{"format":"pdf","name":"ms tze 2025 v2","source":{"bytes":"QQ=="}}},{"document":{"format":"docx","name":"a","source":{"bytes":"QQ=="}}},
			{"document":{"format":"txt","name":"a (2)","source":{"bytes":"QQ=="}}},{"document":{"format":"txt","name":"document","source":{"bytes":"QQ=="}}}]}]}`},
		"a model that hears": {
			model: nova2, request: talk(asked(text("Hi"), media(chat.PartAudio, chat.Media{Type: "audio/wav", Data: "QQ=="}))),
			want: `{"messages":[{"role":"user","content":[{"text":"Hi"},{"audio":{"format":"wav","source":{"bytes":"QQ=="}}}]}]}`,
		},
		"points to keep the prompt at": {
			request: talk(chat.Message{Role: chat.RoleSystem, Parts: []chat.Part{kept(text("S"), chat.Cache1h)}}, asked(kept(text("Hi"), chat.Cache5m))),
			want:    `{"system":[{"text":"S"},{"cachePoint":{"type":"default","ttl":"1h"}}],"messages":[{"role":"user","content":[{"text":"Hi"},{"cachePoint":{"type":"default"}}]}]}`,
		},
		"an hour behind five minutes is five minutes": {
			request: talk(asked(kept(text("A"), chat.Cache5m), kept(text("B"), chat.Cache1h))),
			want:    `{"messages":[{"role":"user","content":[{"text":"A"},{"cachePoint":{"type":"default"}},{"text":"B"},{"cachePoint":{"type":"default"}}]}]}`,
			dropped: []string{"messages[].cache_control"},
		},
		"an older model keeps for five minutes": {
			model: haiku3, request: talk(asked(kept(text("Hi"), chat.Cache1h))),
			want: `{"messages":[{"role":"user","content":[{"text":"Hi"},{"cachePoint":{"type":"default"}}]}]}`, dropped: []string{"messages[].cache_control"},
		},
		"a model that keeps nothing": {model: llama, request: talk(asked(kept(text("Hi"), chat.Cache5m))), want: `{` + hi + `}`, dropped: []string{"messages[].cache_control"}},
		"five points are four": {
			request: talk(asked(kept(text("A"), "5m"), kept(text("B"), "5m"), kept(text("C"), "5m"), kept(text("D"), "5m"), kept(text("E"), "5m"))),
			want: `{"messages":[{"role":"user","content":[{"text":"A"},{"text":"B"},{"cachePoint":{"type":"default"}},{"text":"C"},{"cachePoint":{"type":"default"}},
			{"text":"D"},{"cachePoint":{"type":"default"}},{"text":"E"},{"cachePoint":{"type":"default"}}]}]}`, dropped: []string{"messages[].cache_control"},
		},
	} {
		t.Run(name, c.check)
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]encoding{
		"nothing asked, nothing sent": {request: talk(user("Hi")), want: `{` + hi + `}`},
		"limits and sampling": {model: haiku3, request: with(func(r *chat.Request) {
			r.MaxTokens, r.Temperature, r.TopP, r.TopK, r.Stop = ptr(99), ptr(0.5), ptr(0.9), ptr(7), []string{"END"}
		}), want: `{` + hi + `,"inferenceConfig":{"maxTokens":99,"temperature":0.5,"topP":0.9,"stopSequences":["END"]},"additionalModelRequestFields":{"top_k":7},
			"additionalModelResponseFieldPaths":["/stop_sequence"]}`},
		"Claude takes one of two ways to sample": {
			request: with(func(r *chat.Request) { r.Temperature, r.TopP = ptr(0.5), ptr(0.9) }),
			want:    `{` + hi + `,"inferenceConfig":{"temperature":0.5}}`, dropped: []string{"top_p"},
		},
		"a default beside it is no loss": {
			request: with(func(r *chat.Request) { r.Temperature, r.TopP = ptr(1.0), ptr(0.9) }),
			want:    `{` + hi + `,"inferenceConfig":{"topP":0.9}}`,
		},
		"a temperature beyond the scale": {model: llama, request: with(func(r *chat.Request) { r.Temperature = ptr(1.5) }), want: `{` + hi + `}`, dropped: []string{"temperature"}},
		"a model that takes no sampling": {
			model: opus47, request: with(func(r *chat.Request) { r.Temperature, r.TopP, r.TopK = ptr(0.5), ptr(0.9), ptr(7) }),
			want: `{` + hi + `}`, dropped: []string{"temperature", "top_p", "top_k"},
		},
		"top k in Nova's words":                      {model: novaPro, request: with(func(r *chat.Request) { r.TopK = ptr(7) }), want: `{` + hi + `,"additionalModelRequestFields":{"inferenceConfig":{"topK":7}}}`},
		"top k in Mistral's words":                   {model: mistral, request: with(func(r *chat.Request) { r.TopK = ptr(7) }), want: `{` + hi + `,"additionalModelRequestFields":{"top_k":7}}`},
		"top k of a model of which nothing is known": {model: unnamed, request: with(func(r *chat.Request) { r.TopK = ptr(7) }), want: `{` + hi + `}`, dropped: []string{"top_k"}},
		"a schema": {request: with(func(r *chat.Request) {
			r.Format = chat.Format{Kind: chat.FormatSchema, Name: "n", Description: "d", Schema: []byte(`{"type":"object"}`)}
		}), want: `{` + hi + `,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n","description":"d"}}}}}`},
		"a schema for a model that has none": {model: novaPro, request: with(func(r *chat.Request) {
			r.Format = chat.Format{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object"}`)}
		}), want: `{` + hi + `}`, dropped: []string{"response_format"}},
		"JSON without a schema": {request: with(func(r *chat.Request) { r.Format.Kind = chat.FormatJSON }), want: `{` + hi + `}`, dropped: []string{"response_format"}},
		"for whom and how soon": {
			request: with(func(r *chat.Request) { r.EndUser, r.ServiceTier = "u-1", "flex" }),
			want:    `{` + hi + `,"requestMetadata":{"user":"u-1"},"serviceTier":{"type":"flex"}}`,
		},
		"what the metadata cannot hold": {request: with(func(r *chat.Request) { r.EndUser, r.ServiceTier = "ü", "batch" }), want: `{` + hi + `}`, dropped: []string{"service_tier", "user"}},
		"what the API has no word for": {request: with(func(r *chat.Request) {
			r.Choices, r.Seed, r.Logprobs, r.TopLogprobs, r.FrequencyPenalty, r.PresencePenalty, r.CacheKey = 2, ptr(int64(1)), true, 3, ptr(0.1), ptr(0.1), "k"
			r.Stop, r.Untranslated = []string{" "}, []string{"store"}
		}), want: `{` + hi + `}`, dropped: []string{"stop", "n", "seed", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty", "prompt_cache_key", "store"}},
	} {
		t.Run(name, c.check)
	}
}

func TestThinking(t *testing.T) {
	think := func(thinking chat.Thinking, most int) *chat.Request {
		return with(func(r *chat.Request) {
			r.Thinking = thinking
			if most > 0 {
				r.MaxTokens = &most
			}
		})
	}
	const none = `{` + hi + `}`
	lost := []string{"reasoning_effort"}
	for name, c := range map[string]encoding{
		"an effort is a budget": {
			request: think(chat.Thinking{Effort: "low"}, 9000),
			want:    `{` + hi + `,"inferenceConfig":{"maxTokens":9000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}}}`,
		},
		"a budget makes room for the answer": {
			request: think(chat.Thinking{Budget: 5000}, 0),
			want:    `{` + hi + `,"inferenceConfig":{"maxTokens":9096},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":5000}}}`,
		},
		"a budget beyond the limit shrinks": {
			request: think(chat.Thinking{Budget: 50_000}, 8000),
			want:    `{` + hi + `,"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":5999}}}`,
		},
		"a limit that leaves no room": {request: think(chat.Thinking{Effort: "high"}, 500), want: `{` + hi + `,"inferenceConfig":{"maxTokens":500}}`, dropped: lost},
		"a model that decides itself": {
			model: opus46, request: think(chat.Thinking{Effort: "xhigh"}, 0),
			want: `{` + hi + `,"additionalModelRequestFields":{"thinking":{"type":"adaptive"}},"outputConfig":{"effort":"max"}}`,
		},
		"a model that shows its thoughts when asked": {
			model: opus47, request: think(chat.Thinking{Effort: "minimal", Show: true}, 0),
			want: `{` + hi + `,"additionalModelRequestFields":{"thinking":{"type":"adaptive","display":"summarized"}},"outputConfig":{"effort":"low"}}`,
		},
		"Claude need not be told not to": {request: think(chat.Thinking{Mode: chat.ThinkingOff}, 0), want: none},
		"a Claude that does not think":   {model: haiku3, request: think(chat.Thinking{Effort: "low"}, 0), want: none, dropped: lost},
		"Nova's second": {
			model: nova2, request: think(chat.Thinking{Effort: "max"}, 0),
			want: `{` + hi + `,"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}}`, dropped: lost,
		},
		"Nova's second, not":                  {model: nova2, request: think(chat.Thinking{Effort: "none"}, 0), want: `{` + hi + `,"additionalModelRequestFields":{"reasoningConfig":{"type":"disabled"}}}`},
		"Nova's first":                        {model: novaPro, request: think(chat.Thinking{Effort: "low"}, 0), want: none, dropped: lost},
		"OpenAI's own model":                  {model: gptOSS, request: think(chat.Thinking{Effort: "minimal"}, 0), want: `{` + hi + `,"additionalModelRequestFields":{"reasoning_effort":"low"}}`},
		"OpenAI's own model cannot stop":      {model: gptOSS, request: think(chat.Thinking{Effort: "none"}, 0), want: none, dropped: lost},
		"a model of which nothing is known":   {model: unnamed, request: think(chat.Thinking{Effort: "low"}, 0), want: none, dropped: lost},
		"a model that does not think, not to": {model: llama, request: think(chat.Thinking{Effort: "none"}, 0), want: none},
	} {
		t.Run(name, c.check)
	}
}

func TestWhatCannotBeLeftOutIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		model   string
		request *chat.Request
		param   string
	}{
		"a picture by its address":    {"", talk(user("A"), asked(media(chat.PartImage, chat.Media{URL: "https://example.com/a.png"}))), "messages[1].content[0]"},
		"a picture of another kind":   {"", talk(asked(text("A"), media(chat.PartImage, chat.Media{Type: "image/tiff", Data: "QQ=="}))), "messages[0].content[1]"},
		"an upload at another vendor": {"", talk(asked(media(chat.PartFile, chat.Media{FileID: "file-1", Origin: chat.DialectAnthropic}))), "messages[0].content[0]"},
		"a document of another kind":  {"", talk(asked(media(chat.PartFile, chat.Media{Type: "application/zip", Data: "QQ=="}))), "messages[0].content[0]"},
		"a sound for Claude":          {"", talk(asked(media(chat.PartAudio, chat.Media{Type: "audio/wav", Data: "QQ=="}))), "messages[0].content[0]"},
		"a sound of another kind":     {nova2, talk(asked(media(chat.PartAudio, chat.Media{Type: "audio/midi", Data: "QQ=="}))), "messages[0].content[0]"},
		"a picture in the system":     {"", talk(chat.Message{Role: chat.RoleSystem, Parts: []chat.Part{media(chat.PartImage, chat.Media{})}}, user("Hi")), "messages[0].content[0]"},
		"a foreign part of a user's":  {"", talk(asked(chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{}})), "messages[0].content[0]"},
		"a call before anything":      {"", talk(said(call("a", "f", "{}"))), "messages[0].role"},
		"arguments that are a list":   {"", talk(user("Hi"), said(text("x"), call("a", "f", "[1]"))), "messages[1].tool_calls[0].function.arguments"},
		"nothing at all":              {"", talk(asked(text(" "))), "messages"},
		"words to go on from":         {opus46, talk(user("Hi"), assistant("So")), "messages[1]"},
		"a schema that is a list":     {"", with(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "f", Schema: []byte("[]")}} }), "tools[0].function.parameters"},
		"a strict request":            {"", with(func(r *chat.Request) { r.Seed, r.Strict = ptr(int64(1)), true }), "seed"},
	} {
		t.Run(name, func(t *testing.T) {
			body, _, err := sent(t, tt.model, tt.request)
			if f := failureOf(t, err); f.Class != chat.ClassUnsupport || f.Param != tt.param || f.Message == "" || body != nil {
				t.Errorf("got %s of %q (%s), sent: %t; want unsupported of %q, unsent", f.Class, f.Param, f.Message, body != nil, tt.param)
			}
		})
	}
}
