package chatcompletions

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

func TestWhatAnotherVendorMadeIsStripped(t *testing.T) {
	refuses := func(_, id string) bool { return len(id) > 40 }
	openai, router, own := Flavour{RefusesID: refuses}, Flavour{Kind: OpenRouter}, Flavour{Kind: Compatible}
	mark := (&chat.Signature{Format: chat.FormatGemini, Data: "g"}).Wrap()
	portable := chat.PortableID(long)
	tests := map[string]struct {
		flavour    Flavour
		body, want string
		dropped    bool
	}{
		"nothing of it": {openai, `{"model":"a","messages":[{"role":"user","content":"about \"reasoning\" "}]}`, `{"model":"m","messages":[{"role":"user","content":"about \"reasoning\" "}]}`, false},
		"thoughts at OpenAI": {
			openai,
			`{"model":"a","messages":[ {"role":"assistant", "reasoning":"hm" , "content":"a","reasoning_details":[{"type":"x"}]},{"reasoning_content":"x"},{"role":"user","content":{"reasoning":"not mine"}}]}`,
			`{"model":"m","messages":[ {"role":"assistant", "content":"a"},{},{"role":"user","content":{"reasoning":"not mine"}}]}`, true,
		},
		"fields that say nothing":           {openai, `{"model":"a","messages":[{"reasoning":null,"content":"a"}]}`, `{"model":"m","messages":[{"content":"a"}]}`, false},
		"what is asked for stays":           {openai, `{"reasoning":{"effort":"low"},"model":"a","reasoning_effort":"low","messages":[]}`, `{"reasoning":{"effort":"low"},"model":"m","reasoning_effort":"low","messages":[]}`, false},
		"thoughts at a router":              {router, `{"model":"a","messages":[{"reasoning":"hm","reasoning_details":[{"signature":"s"}]}]}`, `{"model":"m","messages":[{"reasoning":"hm","reasoning_details":[{"signature":"s"}]}]}`, false},
		"thoughts at a server of one's own": {own, `{"model":"a","messages":[{"reasoning_content":"hm"}]}`, `{"model":"m","messages":[{"reasoning_content":"hm"}]}`, false},
		"wrapped ones": {
			router, `{"model":"a","messages":[{"reasoning_details":[{"signature":"s"}, {"signature":"` + mark + `"},{"data":"` + mark + `"} , {"x":1}]}]}`,
			`{"model":"m","messages":[{"reasoning_details":[{"signature":"s"}, {"x":1}]}]}`, true,
		},
		"none but wrapped ones": {own, `{"model":"a","messages":[{"reasoning_details":[{"signature":"` + mark + `"}],"content":"` + mark + `"}]}`, `{"model":"m","messages":[{"reasoning_details":[],"content":"` + mark + `"}]}`, true},
		"ids that are too long": {
			openai, `{"model":"a","messages":[{"role":"assistant","tool_calls":[ {"id":"` + long + `", "type":"function"},{"id":"ok"},7]},{"tool_call_id" : "` + long + `"},{"tool_call_id":"ok"}]}`,
			`{"model":"m","messages":[{"role":"assistant","tool_calls":[ {"id":"` + portable + `", "type":"function"},{"id":"ok"},7]},{"tool_call_id" : "` + portable + `"},{"tool_call_id":"ok"}]}`, false,
		},
		"messages that are none": {openai, `{"model":"a","messages":"\"reasoning\"","x":"\"tool_call"}`, `{"model":"m","messages":"\"reasoning\"","x":"\"tool_call"}`, false},
		"items that are none":    {openai, `{"model":"a","messages":[null,"\"reasoning",[{"reasoning":1}]]}`, `{"model":"m","messages":[null,"\"reasoning",[{"reasoning":1}]]}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, dropped, err := tt.flavour.splice([]byte(tt.body), "m", false)
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			if want := map[bool][]string{true: {"messages[].reasoning"}}[tt.dropped]; !slices.Equal(dropped, want) {
				t.Errorf("dropped %q, want %q", dropped, want)
			}
		})
	}
}

func FuzzStrip(f *testing.F) {
	for _, s := range []string{
		`[{"role":"assistant","reasoning":"x","content":"a","reasoning_details":[{"signature":"forge1-sig-x"}]}]`,
		`[{"tool_calls":[{"id":"` + strings.Repeat("y", 50) + `"}]},{"tool_call_id":"` + strings.Repeat("y", 50) + `"}]`,
		`[{"reasoning":1,"reasoning":2},{"reasoning_content":{}}]`, `{"reasoning":[]}`, `[[[{"reasoning":1}]]]`,
	} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(1))
	}
	f.Fuzz(func(t *testing.T, messages string, kind uint8) {
		flavour := Flavour{Kind: Kind(kind % 3), RefusesID: func(_, id string) bool { return len(id) > 40 }}
		body := []byte(`{"messages":` + messages + `,"model":"a","tail":[1, 2]}`)
		got, _, err := flavour.splice(body, "m", false)
		if err != nil {
			return
		}
		if !json.Valid(got) || !strings.HasSuffix(string(got), `,"tail":[1, 2]}`) && !strings.Contains(messages, "tail") {
			t.Fatalf("%s\nbecame %s", body, got)
		}
		again, _, err := flavour.splice(got, "m", false)
		if err != nil || string(again) != string(got) {
			t.Fatalf("%s\nbecame %s\nand then %s, %v", body, got, again, err)
		}
	})
}
