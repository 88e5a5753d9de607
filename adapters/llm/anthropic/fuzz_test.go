package anthropic_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// FuzzRelayStream holds of any stream that what is passed on is its beginning, all of it when nothing failed, however it comes; and that what the
// translation takes, the relay takes too.
func FuzzRelayStream(f *testing.F) {
	for _, body := range conformance.Answers(f, anthropic.Vendor) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		frames, raw, err := framed(t, bytes.NewReader(body))
		if !bytes.HasPrefix(body, raw) {
			t.Fatalf("%q was passed on as %q", body, raw)
		}
		again, _, cut := framed(t, iotest.OneByteReader(bytes.NewReader(body)))
		if diff := cmp.Diff(frames, again); diff != "" || chat.ClassOf(err) != chat.ClassOf(cut) {
			t.Errorf("whole %v, byte by byte %v (-whole +bytes):\n%s", err, cut, diff)
		}
		if _, failed := gathered(t, bytes.NewReader(body)); failed == nil && err != nil {
			t.Errorf("the translation takes what the relay refuses: %v", err)
		}
	})
}

// FuzzPassage holds of any body that it is passed on as JSON that means the same but for the model, unless something in it had to go.
func FuzzPassage(f *testing.F) {
	for _, body := range []string{
		`{"model":"m","messages":[]}`, ` { "a":[1,{"model":2}],"model":null } `, `{"model":"m","model":"n"}`, `{}`, `[]`, `{"thinking":{"type":"enabled"},"messages":[{"role":"assistant","content":[{"type":"thinking","signature":"` + sealed("x") + `"},{"type":"tool_use","id":"a.b"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a.b"}]}]}`,
		`{"messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"` + sealed("x") + `"}]}],"tool_use":1}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, sent, out, err := passed(t, chat.DialectAnthropic, outbound.Passage{Body: body}, okBody)
		var was, is map[string]any
		if json.Unmarshal(body, &was) != nil || was == nil {
			if err == nil {
				t.Fatalf("%q was sent", body)
			}
			return
		}
		if err != nil {
			if chat.ClassOf(err) != chat.ClassInvalid {
				t.Fatalf("got %v", err)
			}
			return
		}
		if err := json.Unmarshal(sent, &is); err != nil || is["model"] != target.Model {
			t.Fatalf("%q was sent as %q", body, sent)
		}
		if bytes.Contains(body, []byte("tool_use")) {
			delete(was, "messages") // an id may have been rewritten
			delete(is, "messages")
		}
		for _, d := range out.Dropped {
			name := strings.TrimSuffix(d, "[].reasoning")
			delete(was, name)
			delete(is, name)
		}
		was["model"] = target.Model
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("%q was sent as %q (-was +is):\n%s", body, sent, diff)
		}
	})
}
