package gemini_test

import (
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

func cited(p chat.Part, c ...chat.Citation) chat.Part {
	p.Citations = c
	return p
}

func TestCitationsStandOnTheirPieceOfTheText(t *testing.T) {
	t.Parallel()
	const sources = `"groundingChunks":[{"web":{"uri":"https://a.test","title":"A"}},{"retrievedContext":{"text":"Old.","title":"B","fileSearchStore":"stores/1"}}]`
	grounded := func(supports string) string {
		return `,"groundingMetadata":{` + sources + `,"groundingSupports":[` + supports + `]}`
	}
	support := func(segment, chunks string) string {
		return `{"segment":{` + segment + `},"groundingChunkIndices":[` + chunks + `]}`
	}
	web := func(from, to int) chat.Citation {
		return chat.Citation{URL: "https://a.test", Title: "A", Start: from, End: to}
	}
	retrieved := func(from, to int) chat.Citation {
		return chat.Citation{Title: "B", Text: "Old.", Start: from, End: to, Foreign: own(`{"retrievedContext":{"text":"Old.","title":"B","fileSearchStore":"stores/1"}}`).Foreign}
	}
	grüße := support(`"startIndex":5,"endIndex":12,"text":"Grüße"`, "0,1")
	spring(t, map[string]trap{
		"bytes become code points": {
			tell(`{"text":"🙂 Grüße."}`, stop+grounded(grüße)), one(chat.FinishStop, cited(text("🙂 Grüße."), web(2, 7), retrieved(2, 7))),
		},
		"across pieces of the text": {
			tell(`{"text":"🙂 Gr"}`, "") + tell(`{"text":"üße."}`, stop+grounded(grüße)), one(chat.FinishStop, cited(text("🙂 Grüße."), web(2, 7), retrieved(2, 7))),
		},
		"with an event of their own": {
			tell(`{"text":"🙂 Grüße."}`, stop) + event(`{"candidates":[{"groundingMetadata":{`+sources+`,"groundingSupports":[`+grüße+`]}}]}`),
			one(chat.FinishStop, cited(text("🙂 Grüße."), web(2, 7), retrieved(2, 7))),
		},
		"before the end, and again at the end": {
			tell(`{"text":"🙂 Gr"}`, grounded("")) + tell(`{"text":"üße."}`, stop+grounded(grüße)), one(chat.FinishStop, cited(text("🙂 Grüße."), web(2, 7), retrieved(2, 7))),
		},
		"beside a signature": {
			tell(`{"text":"🙂 Grüße."}`, "") + tell(`{"text":"","thoughtSignature":"s"}`, stop+grounded(grüße)),
			one(chat.FinishStop, signed(cited(text("🙂 Grüße."), web(2, 7), retrieved(2, 7)), "s")),
		},
		"a segment that is a byte off": {
			tell(`{"text":"🙂 Grüße."}`, stop+grounded(support(`"startIndex":6,"endIndex":13,"text":"Grüße"`, "0"))), one(chat.FinishStop, cited(text("🙂 Grüße."), web(2, 7))),
		},
		"a segment that cuts a code point": {
			tell(`{"text":"🙂 Grüße."}`, stop+grounded(support(`"startIndex":1,"endIndex":4`, "0"))), one(chat.FinishStop, cited(text("🙂 Grüße."), web(0, 0))),
		},
		"a segment of what was never said": {
			tell(`{"text":"x"}`, stop+grounded(support(`"endIndex":3,"text":"abc"`, "0,7,-1"))), one(chat.FinishStop, cited(text("x"), web(0, 0))),
		},
		"a segment without its text": {
			tell(`{"text":"Grüße."}`, stop+grounded(support(`"endIndex":7`, "0"))), one(chat.FinishStop, cited(text("Grüße."), web(0, 5))),
		},
		"the second part of the text": {
			tell(`{"text":"Aha. "},{"executableCode":{"code":"1"}},{"text":"Grüße."}`, stop+grounded(support(`"startIndex":5,"endIndex":12,"text":"Grüße"`, "0"))),
			one(chat.FinishStop, text("Aha. "), own(`{"executableCode":{"code":"1"}}`), cited(text("Grüße."), web(0, 5))),
		},
		"a text that follows a signed one": {
			tell(`{"text":"Aha. ","thoughtSignature":"s"}`, "") + tell(`{"text":"Grüße."}`, stop+grounded(support(`"startIndex":5,"endIndex":12,"text":"Grüße"`, "0"))),
			one(chat.FinishStop, signed(text("Aha. "), "s"), cited(text("Grüße."), web(0, 5))),
		},
		"an earlier part of the text": {
			tell(`{"text":"Grüße. "},{"executableCode":{"code":"1"}},{"text":"Aha."}`, stop+grounded(support(`"endIndex":7,"text":"Grüße"`, "0"))),
			one(chat.FinishStop, text("Grüße. "), own(`{"executableCode":{"code":"1"}}`), cited(text("Aha."), web(0, 0))),
		},
		"a call follows the text": {
			tell(`{"text":"Grüße."},{"functionCall":{"id":"1","name":"f"}}`, stop+grounded(support(`"endIndex":7,"text":"Grüße"`, "0"))),
			one(chat.FinishToolCalls, cited(text("Grüße."), web(0, 5)), call("1", "f", "{}")),
		},
		"a call follows the text, and then they": {
			tell(`{"text":"Grüße."},{"functionCall":{"id":"1","name":"f"}}`, "") + tell("", stop+grounded(support(`"endIndex":7,"text":"Grüße"`, "0"))),
			one(chat.FinishToolCalls, text("Grüße."), call("1", "f", "{}"), cited(text(""), web(0, 0))),
		},
		"sources of no piece": {
			tell(`{"text":"x"}`, stop+`,"groundingMetadata":{`+sources+`}`), one(chat.FinishStop, cited(text("x"), web(0, 0), retrieved(0, 0))),
		},
		"what was quoted at length": {
			tell(`{"text":"é: To be."}`, stop+`,"citationMetadata":{"citationSources":[{"startIndex":4,"endIndex":10,"uri":"https://b.test","license":""}]}`),
			one(chat.FinishStop, cited(text("é: To be."), chat.Citation{URL: "https://b.test", Start: 3, End: 9})),
		},
		"nothing said":                 {tell("", stop+grounded(grüße)), one(chat.FinishStop)},
		"a search that found nothing":  {tell(`{"text":"x"}`, stop+`,"groundingMetadata":{"webSearchQueries":["q"]}`), one(chat.FinishStop, text("x"))},
		"a source of a kind to come":   {tell(`{"text":"x"}`, stop+`,"groundingMetadata":{"groundingChunks":[{"radio":{}}]}`), one(chat.FinishStop, cited(text("x"), chat.Citation{Foreign: own(`{"radio":{}}`).Foreign}))},
		"a picture by where it stands": {tell(`{"text":"x"}`, stop+`,"groundingMetadata":{"groundingChunks":[{"image":{"sourceUri":"https://c.test","title":"C"}}]}`), one(chat.FinishStop, cited(text("x"), chat.Citation{URL: "https://c.test", Title: "C", Foreign: own(`{"image":{"sourceUri":"https://c.test","title":"C"}}`).Foreign}))},
	})
}

func TestCitationsComeBeforeTheSignatureThatEndsTheirText(t *testing.T) {
	t.Parallel()
	body := tell(`{"text":"x"}`, "") + tell(`{"text":"","thoughtSignature":"s"}`, stop+`,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.test"}}]}`)
	s, err := provider(answers("text/event-stream", body)).Stream(t.Context(), target, talk(user("Hi")))
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range s {
		if err != nil || len(c.Citations) > 0 != (c.Signature != nil) {
			t.Errorf("got %+v, %v, want the citations with the signature", c, err)
		}
	}
}
