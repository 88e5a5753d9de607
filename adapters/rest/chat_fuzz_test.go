package rest

import (
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
)

// sendersFault fails unless an error is the sender's mistake.
func sendersFault(t *testing.T, body []byte, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Malformed && f.Kind != fault.Invalid {
		t.Fatalf("%q: got %v, which is no mistake of the sender", body, err)
	}
	if param := openAIErrorOf(f).Error.Param; param != nil && !utf8.ValidString(*param) {
		t.Fatalf("%q: the mistake is at %q", body, *param)
	}
}

// FuzzParseChat holds that whatever body the scan lets through is either translated into what vendors can be sent, or refused as the sender's mistake.
func FuzzParseChat(f *testing.F) {
	f.Add([]byte(`{"model":"a","messages":[{"role":"user","content":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := scanChat(body)
		if err != nil {
			sendersFault(t, body, err)
			return
		}
		r, _, err := translateChat(body, false)
		if err != nil {
			sendersFault(t, body, err)
			return
		}
		for i, m := range r.Messages {
			checkMessage(t, body, i, m)
		}
		for _, tool := range r.Tools {
			if tool.Server == "" && tool.Name == "" || tool.Server != "" && tool.Foreign == nil {
				t.Fatalf("%q: got the tool %+v", body, tool)
			}
		}
		if r.MaxTokens != nil && *r.MaxTokens < 1 || r.Choices < 0 || r.Choices > maxChoices || env.vision && r.TextBytes() < 0 {
			t.Fatalf("%q: got %+v", body, r)
		}
		again, _, err := translateChat(body, false)
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%q is read as %+v, and then as %+v, %v", body, r, again, err)
		}
	})
}

// checkMessage holds that a message is of the neutral form: results stand in tools' messages alone, and every part has what its kind says.
func checkMessage(t *testing.T, body []byte, i int, m chat.Message) {
	t.Helper()
	switch m.Role {
	case chat.RoleSystem, chat.RoleUser, chat.RoleAssistant, chat.RoleTool:
	default:
		t.Fatalf("%q: message %d is of the role %q", body, i, m.Role)
	}
	for _, p := range m.Parts {
		ok := true
		switch p.Kind {
		case chat.PartImage, chat.PartAudio, chat.PartFile:
			ok = p.Media != nil
		case chat.PartToolCall:
			ok = p.Call != nil && p.Call.Arguments != "" && m.Role == chat.RoleAssistant
		case chat.PartToolResult:
			ok = p.Result != nil && p.Result.CallID != ""
		case chat.PartThinking:
			ok = p.Text != "" || p.Signature != nil
		}
		if !ok || (p.Kind == chat.PartToolResult) != (m.Role == chat.RoleTool) {
			t.Fatalf("%q: message %d of %s has the part %+v", body, i, m.Role, p)
		}
	}
}

// FuzzParseEmbedding holds the same of requests for embeddings, and that the scan has counted what there is.
func FuzzParseEmbedding(f *testing.F) {
	f.Add([]byte(`{"model":"a","input":["x","y"],"dimensions":3}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := scan(body, &embeddingFields)
		if err != nil {
			sendersFault(t, body, err)
			return
		}
		var r *embedding.Request
		if r, err = parseEmbedding(body, env.tokens, true); err != nil {
			sendersFault(t, body, err)
			return
		}
		if len(r.Inputs) == 0 || len(r.Inputs) > maxInputs || r.TextBytes() != env.textBytes || r.Dimensions != nil && *r.Dimensions < 1 {
			t.Fatalf("%q: scanned as %+v, read as %+v", body, env, r)
		}
	})
}
