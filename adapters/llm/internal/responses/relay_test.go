package responses_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// spliced gives what reaches the vendor for a body.
func spliced(t *testing.T, f responses.Flavour, in outbound.Passage) (sent string, dropped []string, err error) {
	t.Helper()
	a := answer(t, said)
	before := string(in.Body)
	out, err := responses.New(client(t), f).RelayWhole(t.Context(), a.target("own"), in)
	if string(in.Body) != before {
		t.Error("the caller's body was changed")
	}
	if err != nil {
		return "", nil, err
	}
	if string(out.Body) != said || out.Finish != chat.FinishStop || out.Model != "m-1" {
		t.Errorf("got %+v, want the answer as it came", out)
	}
	return string(a.sent), out.Dropped, nil
}

func TestABodyIsPassedOn(t *testing.T) {
	const rest = `"store":false,"include":["reasoning.encrypted_content"]`
	plain := responses.Flavour{Thoughtless: func(string) bool { return true }}
	foreign := (&chat.Signature{Format: chat.FormatAnthropic, Data: "x"}).Wrap()
	wrapped := (&chat.Signature{Format: chat.FormatOpenAI, Data: "sealed", ID: "rs_own"}).Wrap()
	long, odd := strings.Repeat("a", 65), "functions.f:0"
	thought := []string{"messages[].reasoning"}
	tests := map[string]struct {
		flavour    responses.Flavour
		body, want string
		dropped    []string
	}{
		"nothing is there":             {body: `{}`, want: `{"model":"own","store":false,"include":["reasoning.encrypted_content"]}`},
		"all is as it must be":         {body: `{ "model" : "auto",` + rest + `, "x":1.0e0 }`, want: `{ "model" : "own",` + rest + `, "x":1.0e0 }`},
		"it is not to be kept":         {body: `{"model":"a","store":true,"include":null}`, want: `{"model":"own",` + rest + `}`},
		"more is asked for":            {body: `{"model":"a","store":false,"include":["x"]}`, want: `{"model":"own","store":false,"include":["reasoning.encrypted_content","x"]}`},
		"nothing more is asked for":    {body: `{"model":"a","store":null,"include":[ ]}`, want: `{"model":"own","store":false,"include":["reasoning.encrypted_content" ]}`},
		"what is not understood":       {body: `{"model":"a","store":false,"include":"x","input":{}}`, want: `{"model":"own","store":false,"include":"x","input":{}}`},
		"a model that thinks not":      {flavour: plain, body: `{"model":"a","store":false}`, want: `{"model":"own","store":false}`},
		"it is asked for its thoughts": {flavour: plain, body: `{"model":"a","store":false,"include":["x", "reasoning.encrypted_content"]}`, want: `{"model":"own","store":false,"include":["x"]}`},
		"it is given some":             {flavour: plain, body: `{"model":"a","store":false,"input":[{"type":"reasoning","encrypted_content":"s"},"x"]}`, want: `{"model":"own","store":false,"input":["x"]}`, dropped: thought},
		"state that the vendor lacks":  {body: `{"model":"a",` + rest + `,"previous_response_id":"resp_1","conversation":{"id":"c"}}`, want: `{"model":"own",` + rest + `,"previous_response_id":null,"conversation":null}`, dropped: []string{"previous_response_id", "conversation"}},
		"no state":                     {body: `{"model":"a",` + rest + `,"previous_response_id":null}`, want: `{"model":"own",` + rest + `,"previous_response_id":null}`},
		"its own thoughts":             {body: `{"model":"a",` + rest + `,"input":[ {"type":"reasoning","id":"rs_1","encrypted_content":"gAAA\/"} ]}`, want: `{"model":"own",` + rest + `,"input":[ {"type":"reasoning","id":"rs_1","encrypted_content":"gAAA\/"} ]}`},
		"another vendor's thoughts":    {body: `{"model":"a",` + rest + `,"input":[{"role":"user","content":"` + foreign + `"}, {"type":"reasoning","id":"rs_1","encrypted_content":"` + foreign + `"} ,{"type":"x"}]}`, want: `{"model":"own",` + rest + `,"input":[{"role":"user","content":"` + foreign + `"}, {"type":"x"}]}`, dropped: thought},
		"written with escapes":         {body: `{"model":"a",` + rest + `,"input":[{"type":"reas\u006fning","encrypted_content":"\u0066` + foreign[1:] + `"}]}`, want: `{"model":"own",` + rest + `,"input":[]}`, dropped: thought},
		"thoughts that are damaged":    {body: `{"model":"a",` + rest + `,"input":[{"type":"reasoning","encrypted_content":"` + chat.SignatureMark + `!"},1]}`, want: `{"model":"own",` + rest + `,"input":[1]}`, dropped: thought},
		"thoughts that cannot be read": {body: `{"model":"a",` + rest + `,"input":[1,{"type":"reasoning","summary":[],"encrypted_content":null},{"type":"reasoning","id":"rs_1"}]}`, want: `{"model":"own",` + rest + `,"input":[1]}`, dropped: thought},
		"what led from thoughts that cannot be read": {
			body: `{"model":"a",` + rest + `,"input":[{"type":"reasoning","id":"rs_1"},{"id":"fc_1","type":"function_call","call_id":"a:b"}, {"type":"message","role":"assistant", "id":"msg_1"},{"type":"x","id":"x_1"},"y"]}`,
			want: `{"model":"own",` + rest + `,"input":[{"type":"function_call","call_id":"` + chat.PortableID("a:b") + `"}, {"type":"message","role":"assistant"},{"type":"x","id":"x_1"},"y"]}`, dropped: thought,
		},
		"its own thoughts that were kept": {body: `{"model":"a",` + rest + `,"input":[{"type":"reasoning","id":"rs_forge","encrypted_content":"` + wrapped + `"}]}`, want: `{"model":"own",` + rest + `,"input":[{"type":"reasoning","id":"rs_own","encrypted_content":"sealed"}]}`},
		"ids that it refuses":             {body: `{"model":"a",` + rest + `,"input":[{"type":"function_call","call_id":"` + odd + `"},{"call_id":"` + odd + `","output":""},{"call_id":"` + long + `"},{"call_id":"ok_-1"},{"call_id":7}]}`, want: `{"model":"own",` + rest + `,"input":[{"type":"function_call","call_id":"` + chat.PortableID(odd) + `"},{"call_id":"` + chat.PortableID(odd) + `","output":""},{"call_id":"` + chat.PortableID(long) + `"},{"call_id":"ok_-1"},{"call_id":7}]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sent, dropped, err := spliced(t, tt.flavour, outbound.Passage{Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			if sent != tt.want {
				t.Errorf("\ngot  %s\nwant %s", sent, tt.want)
			}
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("got %q dropped, want %q", dropped, tt.dropped)
			}
			_, _, err = spliced(t, tt.flavour, outbound.Passage{Body: []byte(tt.body), Strict: true})
			if lost := len(tt.dropped) == 2; (chat.ClassOf(err) == chat.ClassUnsupport) != lost {
				t.Errorf("where it is strict: got %v; fails: %t", err, lost)
			}
		})
	}
}

func TestABodyThatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	for _, body := range []string{`{"store":true,"store":false}`, `{"include":[],"include":[]}`, `{"input":[],"inp\u0075t":[]}`, `{"model":`, `[]`} {
		_, _, err := spliced(t, responses.Flavour{}, outbound.Passage{Body: []byte(body)})
		f, ok := err.(*chat.Failure) //nolint:errorlint // the failure itself is promised
		if !ok || f.Class != chat.ClassInvalid || f.Code != "malformed" || f.Message == "" {
			t.Errorf("%s: got %v, want invalid_request", body, err)
		}
	}
}

// frames relays a stream and gives what each frame was taken for.
func frames(t *testing.T, body string) ([]outbound.Frame, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	defer server.Close()
	to := outbound.Target{Provider: "test", Model: "m", BaseURL: server.URL, Secret: secret.New("k1")}
	relayed, err := responses.New(client(t), responses.Flavour{}).RelayStream(t.Context(), to, outbound.Passage{Body: []byte(`{"stream":true}`)})
	if err != nil {
		return nil, err
	}
	var out []outbound.Frame
	for f, err := range relayed {
		if err != nil {
			return out, err
		}
		f.Raw = nil
		out = append(out, f)
	}
	return out, nil
}

func TestWhatAFrameIsTakenFor(t *testing.T) {
	usage := &chat.Usage{Input: 3, Output: 2}
	got, err := frames(t, event(created)+": wait\n\n"+
		event(`{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}}`)+
		event(`{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning"}}`)+
		event(`{"type":"response.output_item.added","output_index":1,"item":{"type":"message"}}`)+
		event(`{"type":"response.output_text.delta","output_index":1,"delta":""}`)+
		event(`{"type":"response.output_text.delta","output_index":1,"delta":"x"}`)+
		event(`{"type":"response.output_item.added","output_index":2,"item":{"type":"custom_tool_call"}}`)+
		event(`{"type":"response.custom_tool_call_input.delta","output_index":2,"delta":"x"}`)+
		event(`{"type":"response.completed","response":{"model":"m-2","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":2}}}`)+
		event(`{"type":"error","error":{"message":"late"}}`)+"data: [DONE]\n\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []outbound.Frame{
		{Model: "m-1"},
		{Comment: true},
		{Model: "m-1"},
		{Model: "m-1"},
		{Model: "m-1"},
		{Model: "m-1"},
		{Model: "m-1", Content: true},
		{Model: "m-1", Content: true},
		{Model: "m-1", Content: true},
		{Model: "m-2", Finish: chat.FinishToolCalls, Usage: usage},
		{Model: "m-2", Finish: chat.FinishToolCalls},
		{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAStreamThatFailsKeepsItsUsage(t *testing.T) {
	body := event(created) + event(`{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"},"usage":{"input_tokens":3,"output_tokens":2}}}`)
	got, err := frames(t, body)
	if chat.ClassOf(err) != chat.ClassServer || len(got) != 2 || got[1].Usage == nil || !got[1].UsageOnly {
		t.Errorf("got %+v and %v, want the usage before the failure", got, err)
	}
	whole, err := gathered(t, []byte(body))
	if chat.ClassOf(err) != chat.ClassServer || whole.Usage == nil || whole.Usage.Input != 3 {
		t.Errorf("translated: got %+v and %v", whole, err)
	}
}

func TestWhatIsReadForKeeping(t *testing.T) {
	p := responses.New(client(t), responses.Flavour{})
	text := `{"type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hi","annotations":[],"logprobs":[]}]`
	for name, tt := range map[string]struct {
		body           string
		held, complete bool
	}{
		"text":                          {`{"id":"r","status":"completed","output":[` + text + `}]}`, true, true},
		"text that is the answer":       {`{"id":"r","status":"completed","output":[` + text + `,"phase":"final_answer"}]}`, true, true},
		"text that is none":             {`{"id":"r","status":"completed","output":[` + text + `,"phase":"commentary"}]}`, false, true},
		"text with something new":       {`{"id":"r","status":"completed","output":[` + text + `,"news":1}]}`, false, true},
		"a part that is new":            {`{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"news"}]}]}`, false, true},
		"a response with something new": {`{"id":"r","status":"completed","news":[1],"output":[` + text + `}]}`, false, true},
		"an item that is new":           {`{"id":"r","status":"completed","output":[{"type":"news","x":1}]}`, true, true},
		"a call with something new":     {`{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}","namespace":"n"}]}`, false, true},
		"text that was cut":             {`{"id":"r","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[` + text + `}]}`, true, false},
		"a failure":                     {`{"id":"r","status":"failed","output":[]}`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			whole := p.Read([]byte(tt.body))
			add, read := p.Gather()
			add([]byte(event(created)))
			if got := read(); got.Response != nil || got.Complete {
				t.Errorf("before its end: got %+v", got)
			}
			kind := "completed"
			if strings.Contains(tt.body, `"incomplete"`) {
				kind = "incomplete"
			}
			add([]byte("event: x\ndata: " + `{"type":"response.` + kind + `","response":` + tt.body + "}\n\n"))
			add([]byte("data: [DONE]\n\n"))
			for way, got := range map[string]outbound.Reading{"whole": whole, "streamed": read()} {
				if (got.Response != nil) != tt.held || got.Complete != tt.complete {
					t.Errorf("%s: held %t, complete %t; want %t, %t", way, got.Response != nil, got.Complete, tt.held, tt.complete)
				}
			}
		})
	}
}

func TestANameIsQuoted(t *testing.T) {
	a := answer(t, said)
	in := outbound.Passage{Body: []byte(`{"model":"x","store":false,"include":["reasoning.encrypted_content"]}`)}
	if _, err := responses.New(client(t), responses.Flavour{}).RelayWhole(t.Context(), a.target(`ü "x"`), in); err != nil {
		t.Fatal(err)
	}
	if want := `{"model":"ü \"x\"","store":false,"include":["reasoning.encrypted_content"]}`; string(a.sent) != want {
		t.Errorf("got %s, want %s", a.sent, want)
	}
}
