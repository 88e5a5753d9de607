package rest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/tenant"
)

func TestARouteThatDoesNotSayWhoMayCallItIsRefused(t *testing.T) {
	handle := (*exchange).live
	tests := map[string]struct {
		route   route
		refused bool
	}{
		"nothing said":            {route{handle: handle}, true},
		"a level that is none":    {route{handle: handle, access: firstUnset}, true},
		"a scope that is missing": {route{handle: handle, access: scopedKey}, true},
		"a scope without use":     {route{handle: handle, access: anyone, scope: tenant.ScopeAI}, true},
		"no handler":              {route{access: anyone}, true},
		"all said":                {route{handle: handle, access: scopedKey, scope: tenant.ScopeAI}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); (p != nil) != tc.refused {
					t.Errorf("got the panic %v, want one: %t", p, tc.refused)
				}
			}()
			s := New(Deps{Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return time.Time{} }}, Config{})
			r := tc.route
			r.method, r.pattern, r.hidden = "GET", "/somewhere", true
			s.register([]route{r})
		})
	}
}

func TestEveryCodeOfThisPackageIsExplained(t *testing.T) {
	for _, f := range []error{
		errUnreadable, errTooSlow, errHeadTooLarge, errBodyTooLarge, errMediaType, errEncoding, errNoRoute, errMethod, errNoCredential, errScope,
		errSessionOnly, errTenant, errRole, errContext, errProof, errNoProof, errForeignPage, errForeignPart, errInternal, errGone, errStopping, errNoModel,
	} {
		f := faultOf(f)
		if e, ok := explanations[f.Code]; !ok || e.status != statusOf(f) {
			t.Errorf("%s: got %+v, want an explanation with the status %d", f.Code, e, statusOf(f))
		}
	}
}

func TestPlainUntilFindsWhatALoopFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.SampledFrom([]byte{'a', 'b', '"', '\\', 0, 0x1f, ' ', '!', '#', '[', ']', 0x7f, 0x80, 0xff, 0xdc, 0xa2}), 0, 40).Draw(t, "bytes")
		want := 0
		for want < len(b) && b[want] != '"' && b[want] != '\\' && b[want] >= ' ' {
			want++
		}
		if got := plainUntil(b, 0); got != want {
			t.Fatalf("%q: got %d, want %d", b, got, want)
		}
	})
}

// TestTheScanAgreesWithTheTranslation holds what routing is told against what a vendor would be sent.
func TestTheScanAgreesWithTheTranslation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := genChat(t)
		env, err := scanChat(body)
		if err != nil {
			t.Fatalf("%s: scan: %v", body, err)
		}
		req, _, err := translateChat(body, false)
		if err != nil {
			t.Fatalf("%s: parse: %v", body, err)
		}
		if env.textBytes != req.TextBytes() {
			t.Errorf("%s: got %d bytes of text, want %d", body, env.textBytes, req.TextBytes())
		}
		if env.vision != req.HasImages() || env.tools != (len(req.Tools) > 0) {
			t.Errorf("%s: got vision %t and tools %t", body, env.vision, env.tools)
		}
		if max := req.MaxTokens; (max == nil) != (env.maxTokens == 0) || max != nil && *max != env.maxTokens {
			t.Errorf("%s: got max_tokens %d", body, env.maxTokens)
		}
	})
}

// genChat makes a chat body that is fit for translation.
func genChat(t *rapid.T) []byte {
	text := rapid.String()
	message := func() map[string]any {
		switch rapid.IntRange(0, 4).Draw(t, "message") {
		case 0:
			return map[string]any{"role": "user", "content": text.Draw(t, "text")}
		case 1:
			return map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{
				map[string]any{"id": "c", "type": "function", "function": map[string]any{"name": text.Draw(t, "name"), "arguments": text.Draw(t, "arguments") + "x"}},
			}}
		case 2:
			return map[string]any{"role": "tool", "tool_call_id": "c", "content": text.Draw(t, "text")}
		case 3:
			return map[string]any{"role": "assistant", "content": text.Draw(t, "text"), "images": []any{
				map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64,AA"}},
			}[:rapid.IntRange(0, 1).Draw(t, "images")]}
		}
		parts := []any{map[string]any{"type": "text", "text": text.Draw(t, "text")}}
		if rapid.Bool().Draw(t, "image") {
			parts = append(parts, map[string]any{"type": "image_url", "image_url": map[string]any{"url": "https://x"}})
		}
		return map[string]any{"role": "user", "content": parts}
	}
	body := map[string]any{"model": "auto", text.Draw(t, "key") + "?": text.Draw(t, "value")}
	var messages []any
	for range rapid.IntRange(1, 4).Draw(t, "messages") {
		messages = append(messages, message())
	}
	body["messages"] = messages
	if rapid.Bool().Draw(t, "tools") {
		var tools []any
		for range rapid.IntRange(0, 2).Draw(t, "tools") {
			tools = append(tools, map[string]any{"type": "function", "function": map[string]any{
				"name": text.Draw(t, "name") + "x", "description": text.Draw(t, "description"), "parameters": map[string]any{text.Draw(t, "property"): nil},
			}})
		}
		body["tools"] = tools
	}
	for _, key := range []string{"max_tokens", "max_completion_tokens"} {
		if rapid.Bool().Draw(t, key) {
			body[key] = rapid.IntRange(1, 9).Draw(t, key)
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzScan holds that what the scan lets through is one JSON object, read by everybody alike.
func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"model":"a","messages":[{"role":"user","content":"x\u00e9\ud83d\ude00"}],"stream":true,"max_tokens":1,"tools":[{"function":{"parameters":{}}}]}`))
	f.Add([]byte(`{"model":"a","messages":[{"content":[{"type":"text","text":"x"},{"image_url":1}],"tool_calls":[{"function":{"name":1}}]}],"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`))
	f.Add([]byte(`{"model":"a","model":"b","MODEL":"c","messages":[{}],"x":[-0.1e+5,null,true,false]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := scanChat(body)
		if err != nil {
			return
		}
		var seen struct {
			Model    string
			Stream   *bool
			Messages []json.RawMessage
		}
		if err := json.Unmarshal(body, &seen); err != nil {
			t.Fatalf("%q is let through, but encoding/json says %v", body, err)
		}
		if seen.Model != env.model || (seen.Stream != nil && *seen.Stream) != env.stream || len(seen.Messages) == 0 {
			t.Fatalf("%q: got %+v, encoding/json reads %+v", body, env, seen)
		}
	})
}

func chatOf(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"openai/gpt-x","stream":false,"temperature":0.7,"messages":[{"role":"system","content":"You are helpful."}`)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"Message %d: please explain \"this\" in plain words, step by step.\nThen say it again."}`, i)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkScan4KB(b *testing.B)  { benchmarkScan(b, 4<<10) }
func BenchmarkScan64KB(b *testing.B) { benchmarkScan(b, 64<<10) }

func benchmarkScan(b *testing.B, size int) {
	body := chatOf(size)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scanChat(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTranslate4KB(b *testing.B) {
	body := chatOf(4 << 10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := translateChat(body, false); err != nil {
			b.Fatal(err)
		}
	}
}
