package gemini_test

import (
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

// results is a message of several results.
func results(r ...chat.ToolResult) chat.Message {
	m := chat.Message{Role: chat.RoleTool}
	for i := range r {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.PartToolResult, Result: &r[i]})
	}
	return m
}

func gives(id, name, s string) chat.ToolResult {
	return chat.ToolResult{CallID: id, Name: name, Parts: []chat.Part{{Text: s}}}
}

func TestResultsFindTheirCalls(t *testing.T) {
	t.Parallel()
	asks := func(id, name string) string {
		return `{"functionCall":{"id":"` + id + `","name":"` + name + `","args":{}}}`
	}
	tells := func(id, name, s string) string {
		return `{"functionResponse":{"id":"` + id + `","name":"` + name + `","response":{"result":"` + s + `"}}}`
	}
	turn := func(role, parts string) string { return `{"role":"` + role + `","parts":[` + parts + `]}` }
	const made = "call_78e35eeeb5c338193a3a242b"
	play(t, map[string]sentence{
		"results of parallel calls stand together, by their functions' names, apart from what the user says next": told(
			talk(user("Hi"), said(call("a", "f", `{"x":1}`), call("functions.g:1", "g", "")), chat.Result("a", `{"n":1.0}`), chat.Result("functions.g:1", ""), user("And?")),
			hi+`,{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{"x":1}}},`+asks("functions.g:1", "g")+`]},`+
				turn("user", tells("a", "f", `{\"n\":1.0}`)+`,`+tells("functions.g:1", "g", ""))+`,{"role":"user","parts":[{"text":"And?"}]}`),
		"results in another order than their calls": told(
			talk(user("Hi"), said(call("a", "f", ""), call("b", "g", "")), results(gives("b", "", "2"), gives("a", "", "1"))),
			hi+`,`+turn("model", asks("a", "f")+`,`+asks("b", "g"))+`,`+turn("user", tells("a", "f", "1")+`,`+tells("b", "g", "2"))),
		"calls and results in a message each": told(
			talk(user("Hi"), said(call("a", "f", "")), said(call("b", "g", "")), chat.Result("b", "2"), chat.Result("a", "1")),
			hi+`,`+turn("model", asks("a", "f")+`,`+asks("b", "g"))+`,`+turn("user", tells("a", "f", "1")+`,`+tells("b", "g", "2"))),
		"an id that comes a second time is the later call's": told(
			talk(user("Hi"), said(call("a", "f", "")), chat.Result("a", "1"), said(call("a", "g", "")), chat.Result("a", "2")),
			hi+`,`+callsF+`,`+answerF+`,`+turn("model", asks("a", "g"))+`,`+turn("user", tells("a", "g", "2"))),
		"one id for two calls": told(
			talk(user("Hi"), said(call("a", "f", ""), call("a", "g", "")), chat.Result("a", "1"), chat.Result("a", "2")),
			hi+`,`+turn("model", asks("a", "f")+`,`+asks("a", "g"))+`,`+turn("user", tells("a", "f", "1")+`,`+tells("a", "g", "2"))),
		"a result by its function's name": told(
			talk(user("Hi"), said(call("a", "f", ""), call("b", "g", "")), results(gives("", "g", "2"), gives("x", "f", "1"))),
			hi+`,`+turn("model", asks("a", "f")+`,`+asks("b", "g"))+`,`+turn("user", tells("a", "f", "1")+`,`+tells("b", "g", "2"))),
		"results by nothing but their order": told(
			talk(user("Hi"), said(call("a", "f", ""), call("b", "g", "")), results(gives("", "", "1"), gives("", "", "2"))),
			hi+`,`+turn("model", asks("a", "f")+`,`+asks("b", "g"))+`,`+turn("user", tells("a", "f", "1")+`,`+tells("b", "g", "2"))),
		"a result of the last turn that waits for one": told(
			talk(user("Hi"), said(call("a", "f", "")), user("Hi"), said(call("b", "f", "")), results(gives("", "f", "1"))),
			hi+`,`+callsF+`,`+hi+`,`+turn("model", asks("b", "f"))+`,`+turn("user", tells("b", "f", "1"))),
		"a call without an id": told(
			talk(user("Hi"), said(call("", "f", "")), results(gives("", "", "1"))),
			hi+`,`+turn("model", asks(made, "f"))+`,`+turn("user", tells(made, "f", "1"))),
		"a result without its call, but with a name": told(talk(user("Hi"), results(gives("a", "f", "1"))), hi+`,`+answerF),
		"a tool that failed": told(
			talk(user("Hi"), said(call("a", "f", "")), results(chat.ToolResult{CallID: "a", Error: true, Parts: []chat.Part{{Text: "no "}, {Text: "net"}}})),
			hi+`,`+callsF+`,{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"error":"no net"}}}]}`),
		"a model that takes no ids": told(
			talk(user("Hi"), said(call("a", "f", "")), chat.Result("a", "1")),
			hi+`,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"1"}}}]}`,
		).by("gemini-1.5-pro"),
	})
}

func TestPicturesThatToolsGive(t *testing.T) {
	t.Parallel()
	r := talk(user("Hi"), said(signed(call("a", "f", ""), "s")), results(chat.ToolResult{CallID: "a", Parts: []chat.Part{{Text: "1"}, image(chat.Media{Type: "image/png", Data: "iVBORw0K"})}}))
	const picture, asks = `{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"}}`, `{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"s"}]}`
	play(t, map[string]sentence{
		"stand in the result":                     told(r, hi+`,`+asks+`,{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"1"},"parts":[`+picture+`]}}]}`).by(modern),
		"come after the results for older models": told(r, hi+`,`+asks+`,`+answerF+`,{"role":"user","parts":[`+picture+`]}`),
	})
}

func TestSignaturesStandWhereTheyStood(t *testing.T) {
	t.Parallel()
	const dummy = `,"thoughtSignature":"skip_thought_signature_validator"`
	turn := func(parts string) string { return hi + `,{"role":"model","parts":[` + parts + `]}` }
	f := func(more string) string { return `{"functionCall":{"id":"a","name":"f","args":{}}` + more + `}` }
	g := func(more string) string { return `{"functionCall":{"id":"b","name":"g","args":{}}` + more + `}` }
	a, b := call("a", "f", ""), call("b", "g", "")
	answers := results(gives("a", "", "1"), gives("b", "", "2"))
	const both = `,{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"result":"1"}}},{"functionResponse":{"id":"b","name":"g","response":{"result":"2"}}}]}`
	play(t, map[string]sentence{
		"on a call":                   told(talk(user("Hi"), said(signed(a, "s"), b), answers), turn(f(`,"thoughtSignature":"s"`)+`,`+g(``))+both).by(modern),
		"on a call of an older model": told(talk(user("Hi"), said(signed(a, "s"), b), answers), turn(f(`,"thoughtSignature":"s"`)+`,`+g(``))+both),
		"on each call, where each has one": told(talk(user("Hi"), said(signed(a, "s"), signed(b, "u")), answers),
			turn(f(`,"thoughtSignature":"s"`)+`,`+g(`,"thoughtSignature":"u"`))+both).by(modern),
		"none on the first call of the turn": told(talk(user("Hi"), said(a, b), answers), turn(f(dummy)+`,`+g(``))+both).by(modern),
		"another vendor's on a call": told(talk(user("Hi"), said(chat.Part{Kind: chat.PartToolCall, Call: a.Call, Signature: foreign("x")}, b), answers),
			turn(f(dummy)+`,`+g(``))+both).by(modern).noting("messages[].reasoning"),
		"none on the calls of past turns": told(talk(user("Hi"), said(a, b), answers, assistant("Done."), user("Hi")),
			turn(f(``)+`,`+g(``))+both+`,{"role":"model","parts":[{"text":"Done."}]},`+hi).by(modern),
		"none on every step of the turn": told(
			talk(user("Hi"), said(a), results(gives("a", "", "1")), said(b), results(gives("b", "", "2"))),
			turn(f(dummy))+`,`+answerF+`,{"role":"model","parts":[`+g(dummy)+`]},{"role":"user","parts":[{"functionResponse":{"id":"b","name":"g","response":{"result":"2"}}}]}`,
		).by(modern),
		"none, of an older model": told(talk(user("Hi"), said(a, b), answers), turn(f(``)+`,`+g(``))+both),
		"alone before a call":     told(talk(user("Hi"), said(thought("", sig("s")), a, b), answers), turn(f(`,"thoughtSignature":"s"`)+`,`+g(``))+both).by(modern),
		"alone before a call that has one": told(talk(user("Hi"), said(thought("", sig("s")), signed(a, "u"), b), answers),
			turn(`{"text":"","thoughtSignature":"s"},`+f(`,"thoughtSignature":"u"`)+`,`+g(``))+both).by(modern),
		"alone before a text": told(talk(user("Hi"), said(thought("", sig("s")), text("x"))), turn(`{"text":"","thoughtSignature":"s"},{"text":"x"}`)).by(modern),
		"alone at the end":    told(talk(user("Hi"), said(text("x"), thought("", sig("s")))), turn(`{"text":"x"},{"text":"","thoughtSignature":"s"}`)).by(modern),
		"alone in a message before that of its call": told(talk(user("Hi"), said(thought("", sig("s"))), system("x"), said(a), said(b), answers),
			turn(f(`,"thoughtSignature":"s"`)+`,`+g(``))+both).by(modern).instructed("x"),
		"two alone":              told(talk(user("Hi"), said(thought("", sig("s")), thought("", sig("u")))), turn(`{"text":"","thoughtSignature":"s"},{"text":"","thoughtSignature":"u"}`)),
		"on a text":              told(talk(user("Hi"), said(signed(text("x"), "s"))), turn(`{"text":"x","thoughtSignature":"s"}`)).by(modern),
		"on a text that is none": told(talk(user("Hi"), said(signed(text(""), "s"))), turn(`{"text":"","thoughtSignature":"s"}`)).by(modern),
		"on a thought":           told(talk(user("Hi"), said(thought("hm", sig("s")), text("x"))), turn(`{"text":"hm","thought":true,"thoughtSignature":"s"},{"text":"x"}`)),
		"on the thought before a call that must have one": told(talk(user("Hi"), said(thought("hm", sig("s"))), said(a, b), answers),
			turn(`{"text":"hm","thought":true},`+f(`,"thoughtSignature":"s"`)+`,`+g(``))+both).by(modern),
		"on a thought before a text and a call": told(talk(user("Hi"), said(thought("hm", sig("s")), text("x"), a, b), answers),
			turn(`{"text":"hm","thought":true,"thoughtSignature":"s"},{"text":"x"},`+f(dummy)+`,`+g(``))+both).by(modern),
		"none on the first call, and the user said nothing since": told(talk(user("Hi"), said(a, b), answers, user("")), turn(f(dummy)+`,`+g(``))+both).by(modern),
		"a thought of a turn that is the vendor's": told(talk(user("Hi"), said(thought("hm", nil), signed(text("x"), "s"))),
			turn(`{"text":"hm","thought":true},{"text":"x","thoughtSignature":"s"}`)),
		"a thought of nobody's":    told(talk(user("Hi"), said(thought("hm", nil), text("x"))), turn(`{"text":"x"}`)).noting("messages[].reasoning"),
		"another vendor's thought": told(talk(user("Hi"), said(thought("hm", foreign("s")), text("x"))), turn(`{"text":"x"}`)).noting("messages[].reasoning"),
		"another vendor's thought in a turn that is this vendor's": told(talk(user("Hi"), said(thought("hm", foreign("s")), signed(text("x"), "u"))),
			turn(`{"text":"x","thoughtSignature":"u"}`)).noting("messages[].reasoning"),
		"a thought that nobody may see": told(talk(user("Hi"), said(chat.Part{Kind: chat.PartThinking, Redacted: true, Signature: foreign("s")}, text("x"))), turn(`{"text":"x"}`)).noting("messages[].reasoning"),
		"another vendor's on a text":    told(talk(user("Hi"), said(chat.Part{Text: "x", Signature: foreign("s")})), turn(`{"text":"x"}`)).noting("messages[].reasoning"),
		"a thought without anything":    told(talk(user("Hi"), said(thought("", nil), text("x"))), turn(`{"text":"x"}`)),
	})
}
