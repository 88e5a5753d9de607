package rest

import (
	"encoding/json"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// FuzzResponses holds that any body is refused as its sender's mistake, or becomes one that a vendor who keeps nothing can read, and a request.
func FuzzResponses(f *testing.F) {
	for _, s := range []string{
		`{"model":"m","input":"hi"}`, `{"previous_response_id":null,"model":"m","input":[]}`, `{"model":"m","store":null,"input":[{"role":"user","content":"x"}],"x":1,"previous\u005fresponse_id":null}`,
		`{"model":"m","input":[{"type":"reasoning","id":"rs","encrypted_content":"forge1-sig-YQpjYWxsCmc","summary":[{"text":"t"}]},{"type":"function_call","call_id":"c","name":"n","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","file_id":"f"}]}]}`,
		`{"model":"m","input":[{"type":"custom_tool_call","call_id":"c","name":"n","input":"\ud83d\ude00"}],"tools":[{"type":"custom","name":"n","format":{"definition":"x"}},{"type":"web_search"}],"tool_choice":{"type":"custom","name":"n"},"text":{"format":{"type":"json_schema","schema":{}}}}`,
		`{"model":"m","input":"x","store":true,"store":false}`, `{"MODEL":"m"}`, `{"model":"m","input":[{"type":"x","a":{"b":[1,2.5e3,null]}}]}`, "{\"model\":\"m\",\n \"previous_response_id\" : null ,\r\"input\":\"\\u0000\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := scanResponses(body)
		if err != nil {
			sendersFault(t, body, err)
			return
		}
		if env.previous != "" || env.refers {
			return // what is kept is looked up
		}
		conv, err := new(exchange).compose(env)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		all, err := scanResponses(conv.body)
		if err != nil || all.store || all.at[respPrevious].to > 0 && string(all.raw(respPrevious, "null")) != "null" {
			t.Fatalf("%q became %q: %v", body, conv.body, err)
		}
		if !json.Valid(arrayOfItems(conv.items)) {
			t.Fatalf("%q has the items %q", body, arrayOfItems(conv.items))
		}
		req, _, err := placeResponses(conv.body, false)
		if err != nil {
			sendersFault(t, body, err)
			return
		}
		w := respWriter{shape: shapeOf(env, inbound.Receipt{CallID: "c"}, 1), custom: env.customTools()}
		for _, m := range req.Messages { // what can be asked can be answered
			if m.Role == chat.RoleAssistant {
				w.whole(&chat.Choice{Parts: m.Parts})
			}
		}
		w.close("")
		if b := w.shape.object(nil, respState{status: "completed", output: arrayOfItems(w.output())}); !json.Valid(b) {
			t.Fatalf("%q is answered by %q", body, b)
		}
	})
}

// FuzzRelayedResponse holds that whatever a vendor sends goes through, and that JSON stays JSON.
func FuzzRelayedResponse(f *testing.F) {
	for _, s := range []string{
		`{"id":"r","status":"completed","store":false,"previous_response_id":null,"output":[{"id":"m"}]}`, "event: x\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[],\"store\":true}}\n\n",
		"data:{\"response\":{\"store\":{}}}\r\n\r\n", "data: {\"response\":1}\n\n", "event: data:\ndata: [\"response\"]\n\n", "data: {\"response\":{\"store\":1,\"store\":2}}\n\n", "\"response\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := &respCall{conv: &conversation{env: &respEnvelope{}}}
		if out := c.relayed(raw); json.Valid(raw) != json.Valid(out) {
			t.Fatalf("%q became %q", raw, out)
		}
		frame := append(append([]byte("data: "), raw...), "\n\n"...)
		out := c.frame(frame)
		if len(out) < len("data: \n\n") || json.Valid(frame[6:]) != json.Valid(out[6:]) {
			t.Fatalf("%q became %q", frame, out)
		}
		c.frame(raw)
		for _, item := range itemsOf(raw) {
			fullItem("resp_1", 0, item)
		}
	})
}
