package rest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/chat"
)

func TestItemsStandForThoseThatWereKept(t *testing.T) {
	w := start(t)
	w.upstream(vendorSaid("resp_a", `{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"enc"},{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"four"}]}`))
	w.post(responsesPath, respBody(""), aiKey)
	bodies := w.upstream(vendorSaid("resp_b", ""))
	input := `[{"type":"reasoning","id":"rs_1","summary":[]},{"type":"item_reference","id":"msg_1"},{"id":"msg_1"},{"type":"reasoning","id":"rs_gone","summary":[]},{"role":"user","id":"msg_x","content":"hi"}]`
	a := w.post(responsesPath, `{"model":"auto","store":false,"input":`+input+`}`, aiKey)
	message := `{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"four"}]}`
	want := `{"model":"auto","store":false,"input":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"enc"},` + message + `,` + message +
		`,{"type":"reasoning","id":"rs_gone","summary":[]},{"role":"user","id":"msg_x","content":"hi"}]}`
	if a.status != 200 || (*bodies)[0] != want {
		t.Errorf("%s\ngot  %s\nwant %s", a, (*bodies)[0], want)
	}
	for id, status := range map[string]int{"msg_2": 404, "resp_a": 404} {
		a := w.post(responsesPath, `{"model":"auto","input":[{"role":"user","content":"x"},{"type":"item_reference","id":"`+id+`"}]}`, aiKey)
		var e struct {
			Error struct{ Code, Param string }
		}
		a.into(t, &e)
		if a.status != status || e.Error.Code != "item_not_found" || e.Error.Param != "input[1].id" {
			t.Errorf("%s: got %s", id, a)
		}
	}
	long := `[{"type":"item_reference","id":"msg_1"},{"role":"user","content":"` + strings.Repeat("x", 900<<10) + `"}]`
	if a := w.post(responsesPath, `{"model":"auto","store":false,"input":`+long+`}`, aiKey); a.status != 200 {
		t.Errorf("beside a long text: got %d", a.status)
	}
	many := strings.Repeat(`{"type":"item_reference","id":"msg_1"},`, 257)
	if a := w.post(responsesPath, `{"model":"auto","input":[`+strings.TrimSuffix(many, ",")+`]}`, aiKey); a.status != 422 {
		t.Errorf("many: got %s", a)
	}
	// An item that is kept by itself is no response.
	if a := w.get(responsesPath+"/msg_1", aiKey); a.status != 404 {
		t.Errorf("got %s", a)
	}
}

func TestAKeptResponseIsAskedFor(t *testing.T) {
	w := start(t)
	tests := map[string]struct {
		query  string
		status int
		param  string
	}{
		"as it is":               {"", 200, ""},
		"with more":              {"?include=reasoning.encrypted_content&include[]=message.output_text.logprobs", 200, ""},
		"with what nobody knows": {"?include=x", 422, "include"},
		"as a stream":            {"?stream=true", 422, "stream"},
		"not as a stream":        {"?stream=false", 200, ""},
		"from an event on":       {"?starting_after=3", 422, "starting_after"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := w.get(responsesPath+"/resp_1"+tc.query, aiKey)
			var e struct{ Error struct{ Param string } }
			a.into(t, &e)
			if a.status != tc.status || e.Error.Param != tc.param {
				t.Errorf("got %s", a)
			}
		})
	}
}

func TestTheItemsOfAResponseAreListed(t *testing.T) {
	w := start(t)
	w.foreign(chat.Said("x", chat.FinishStop))
	w.post(responsesPath, `{"model":"auto","input":[{"role":"user","content":"one"},{"type":"message","id":"msg_2","role":"assistant","status":"completed","content":"two"},
		{"type":"function_call","id":null,"call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"three"}]}`, aiKey)
	type page struct {
		Object  string
		Data    []map[string]any
		FirstID *string `json:"first_id"`
		LastID  *string `json:"last_id"`
		HasMore bool    `json:"has_more"`
	}
	list := func(query string) (p page) {
		t.Helper()
		w.get(responsesPath+"/resp_01901/input_items"+query, aiKey).into(t, &p)
		return p
	}
	all := list("?order=asc")
	if len(all.Data) != 4 || all.Object != "list" || all.HasMore || *all.FirstID != all.Data[0]["id"] || *all.LastID != all.Data[3]["id"] {
		t.Fatalf("got %+v", all)
	}
	id := all.Data[0]["id"].(string)
	want := []map[string]any{
		{"id": id, "type": "message", "role": "user", "status": "completed", "content": []any{map[string]any{"type": "input_text", "text": "one"}}},
		{"id": "msg_2", "type": "message", "role": "assistant", "status": "completed", "content": []any{map[string]any{"type": "output_text", "annotations": []any{}, "logprobs": []any{}, "text": "two"}}},
	}
	if d := cmp.Diff(want, all.Data[:2]); d != "" || !strings.HasPrefix(id, "msg_") || !strings.HasPrefix(all.Data[2]["id"].(string), "fc_") {
		t.Errorf("%s\n%v", d, all.Data[2])
	}
	var ids []any
	for after, n := "", 0; n < 4; n++ {
		p := list("?limit=1&after=" + after)
		if len(p.Data) != 1 || p.HasMore != (n < 3) {
			t.Fatalf("page %d: %+v", n, p)
		}
		after = p.Data[0]["id"].(string)
		ids = append(ids, after)
	}
	if d := cmp.Diff([]any{all.Data[3]["id"], all.Data[2]["id"], all.Data[1]["id"], all.Data[0]["id"]}, ids); d != "" {
		t.Error(d)
	}
	if p := list("?after=" + id); len(p.Data) != 0 || p.FirstID != nil {
		t.Errorf("behind the last: %+v", p)
	}
	for _, query := range []string{"?limit=0", "?limit=101", "?limit=x", "?order=up", "?after=nobody", "?include=x"} {
		if a := w.get(responsesPath+"/resp_01901/input_items"+query, aiKey); a.status != 422 {
			t.Errorf("%s: got %s", query, a)
		}
	}
}
