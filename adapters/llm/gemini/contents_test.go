package gemini_test

import (
	"errors"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

const modern = "gemini-3-flash-preview"

// told is a sentence of a conversation.
func told(r *chat.Request, contents string, dropped ...string) sentence {
	return sentence{request: r, want: `"contents":[` + contents + `]`, dropped: dropped}
}

// by makes the sentence one of a model's.
func (s sentence) by(model string) sentence {
	s.model = model
	return s
}

// instructed adds a system message.
func (s sentence) instructed(text string) sentence {
	s.want += `,"systemInstruction":{"parts":[{"text":"` + text + `"}]}`
	return s
}

// noting adds what is said to be left out.
func (s sentence) noting(names ...string) sentence {
	s.noted = names
	return s
}

const (
	hi      = `{"role":"user","parts":[{"text":"Hi"}]}`
	callsF  = `{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]}`
	answerF = `{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"1"}}}]}`
)

func TestTurns(t *testing.T) {
	t.Parallel()
	own := chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectGemini, JSON: []byte(`{"executableCode":{"code":"1"},"thoughtSignature":"s"}`)}}
	others := chat.Part{Kind: chat.PartForeign, Foreign: &chat.Foreign{Dialect: chat.DialectAnthropic, JSON: []byte(`{"type":"server_tool_use"}`)}}
	play(t, map[string]sentence{
		"system messages become systemInstruction, in order": {
			request: talk(system("One."), user("Hi"), system("Two."), system("")),
			want:    `"systemInstruction":{"parts":[{"text":"One."},{"text":"Two."}]},` + says,
		},
		"roles, and text byte for byte": told(talk(user("  <b>&\u2028 👩‍🔧 \n"), assistant(" "), user("c"), user("d")),
			`{"role":"user","parts":[{"text":"  <b>&\u2028 👩‍🔧 \n"}]},{"role":"model","parts":[{"text":" "}]},
			{"role":"user","parts":[{"text":"c"}]},{"role":"user","parts":[{"text":"d"}]}`),
		"what the model says at once is one turn": told(talk(user("Hi"), assistant("a"), assistant("b")), hi+`,{"role":"model","parts":[{"text":"a"},{"text":"b"}]}`),
		"a message without text is left out":      told(talk(user("Hi"), assistant(""), user("")), hi),
		"a refusal was said":                      told(talk(user("Hi"), said(chat.Part{Kind: chat.PartRefusal, Text: "No."})), hi+`,{"role":"model","parts":[{"text":"No."}]}`),
		"a participant's name":                    told(talk(chat.Message{Role: chat.RoleUser, Name: "Ann", Parts: []chat.Part{{Text: "Hi"}}}), hi, "messages[].name"),
		"a mark for the cache":                    told(talk(asked(chat.Part{Text: "Hi", Cache: chat.Cache1h})), hi, "messages[].cache_control"),
		"parts of the vendor's own go back":       told(talk(user("Hi"), said(own, text("x"))), hi+`,{"role":"model","parts":[{"executableCode":{"code":"1"},"thoughtSignature":"s"},{"text":"x"}]}`),
		"parts of another vendor's are left out":  told(talk(user("Hi"), said(others, text("x"))), hi+`,{"role":"model","parts":[{"text":"x"}]}`).noting("messages[1].content[0]"),
		"parts in their order, text between images": told(talk(asked(text("a"), image(chat.Media{Type: "image/png", Data: "iVBORw0K"}), text("b"))),
			`{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"}},{"text":"b"}]}`),
	})
}

func TestMedia(t *testing.T) {
	t.Parallel()
	inline := func(kind, data string) string {
		return `{"role":"user","parts":[{"inlineData":{"mimeType":"` + kind + `","data":"` + data + `"}}]}`
	}
	at := func(kind, uri string) string {
		return `{"role":"user","parts":[{"fileData":{` + kind + `"fileUri":"` + uri + `"}}]}`
	}
	sound := chat.Part{Kind: chat.PartAudio, Media: &chat.Media{Type: "audio/wav", Data: "UklGRg=="}}
	one := func(p chat.Part) *chat.Request { return talk(asked(p)) }
	play(t, map[string]sentence{
		"an image by its bytes":                 told(one(image(chat.Media{Type: "image/png", Data: "iVBORw0K", Detail: "high"})), inline("image/png", "iVBORw0K"), "image_url.detail"),
		"an image of a type that is none":       told(one(image(chat.Media{Type: "image/jpg", Data: "x", Detail: "auto"})), inline("image/jpeg", "x")),
		"an image of no type":                   told(one(image(chat.Media{Data: "iVBORw0KGgoAAAAN"})), inline("image/png", "iVBORw0KGgoAAAAN")),
		"a document of a type that its name is": told(one(file(chat.Media{Data: "JVBERi0=", Name: "a.PDF", Type: "application/octet-stream"})), inline("application/pdf", "JVBERi0=")),
		"a sound":                               told(one(sound), inline("audio/wav", "UklGRg==")),
		"an image by its address":               told(one(image(chat.Media{URL: "https://img.test/a.JPG?size=9"})), at(`"mimeType":"image/jpeg",`, "https://img.test/a.JPG?size=9")),
		"an address that does not tell":         told(one(image(chat.Media{URL: "https://img.test/a"})), at("", "https://img.test/a")),
		"a film":                                told(one(file(chat.Media{URL: "gs://bucket/a.mp4"})), at(`"mimeType":"video/mp4",`, "gs://bucket/a.mp4")),
		"an upload by its name":                 told(one(file(chat.Media{FileID: "files/abc", Type: "application/pdf"})), at(`"mimeType":"application/pdf",`, "https://generativelanguage.googleapis.com/v1beta/files/abc")),
		"an upload by its id":                   told(one(file(chat.Media{FileID: "abc", Origin: chat.DialectGemini})), at("", "https://generativelanguage.googleapis.com/v1beta/files/abc")),
		"an upload by its address": told(one(file(chat.Media{FileID: "https://generativelanguage.googleapis.com/v1beta/files/abc"})),
			at("", "https://generativelanguage.googleapis.com/v1beta/files/abc")),
		"an older model's own places": told(one(file(chat.Media{URL: "https://www.youtube.com/watch?v=1"})), at("", "https://www.youtube.com/watch?v=1")).by("gemini-2.0-flash"),
		"a picture that the model made": told(talk(user("Hi"), said(signed(image(chat.Media{Type: "image/png", Data: "iVBORw0K"}), "s"))),
			hi+`,{"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"},"thoughtSignature":"s"}]}`),
	})
}

func TestContentThatTheVendorCannotTakeIsRefusedBeforeTheCall(t *testing.T) {
	t.Parallel()
	picture := image(chat.Media{URL: "https://a.test"})
	asks := said(call("a", "f", ""))
	tests := map[string]struct {
		model   string
		request *chat.Request
		param   string
	}{
		"nothing said":                 {"", talk(), "messages"},
		"nothing but a system message": {"", talk(system("s")), "messages"},
		"an image in a system message": {"", talk(user("Hi"), chat.Message{Role: chat.RoleSystem, Parts: []chat.Part{text("a"), picture}}), "messages[1].content[1]"},
		"a result without its call":    {"", talk(user("Hi"), chat.Result("a", "1")), "messages[1].tool_call_id"},
		"a second result that has no call": {
			"", talk(user("Hi"), asks, chat.Message{Role: chat.RoleTool, Parts: append(chat.Result("a", "1").Parts, chat.Result("b", "2").Parts...)}),
			"messages[2].tool_call_id",
		},
		"arguments that are no object":      {"", talk(user("Hi"), said(call("a", "f", ""), call("b", "f", "[1]"))), "messages[1].tool_calls[1].function.arguments"},
		"a tool's schema that is no schema": {"", with(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "a", Schema: []byte("7")}} }), "tools[0].function.parameters"},
		"a medium without anything":         {"", talk(asked(image(chat.Media{}))), "messages[0].content[0]"},
		"a medium that is none":             {"", talk(asked(chat.Part{Kind: chat.PartAudio})), "messages[0].content[0]"},
		"bytes of no type":                  {"", talk(asked(text("a"), file(chat.Media{Data: "AAAA"}))), "messages[0].content[1]"},
		"another vendor's upload":           {"", talk(asked(file(chat.Media{FileID: "file-abc", Origin: chat.DialectOpenAIChat}))), "messages[0].content[0]"},
		"an address of an older model":      {"gemini-2.0-flash", talk(asked(picture)), "messages[0].content[0]"},
		"a result within a user's message":  {"", talk(asked(chat.Result("a", "1").Parts[0])), "messages[0].content[0]"},
		"text within a tool's message":      {"", talk(user("Hi"), asks, chat.Text(chat.RoleTool, "x")), "messages[2].content[0]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, _, err := sent(t, test.model, test.request)
			f, ok := errors.AsType[*chat.Failure](err)
			if !ok || f.Class != chat.ClassUnsupport || f.Param != test.param || f.Message == "" {
				t.Errorf("got %#v, want class %q and param %q with a message", err, chat.ClassUnsupport, test.param)
			}
			if body != nil {
				t.Errorf("the vendor was asked: %v", body)
			}
		})
	}
}
