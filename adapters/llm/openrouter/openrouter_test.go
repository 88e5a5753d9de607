package openrouter_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/openrouter"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

func TestWhatStandsBehindAnError(t *testing.T) {
	tests := map[string]struct {
		status        int
		body          string
		class         chat.Class
		message, code string
	}{
		"JSON of the upstream": {
			400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"At most 1 image.\",\"code\":\"too_many_images\"}}","provider_name":"Acme"}}}`,
			chat.ClassInvalid, "At most 1 image.", "too_many_images",
		},
		"its own shape": {
			400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"message\":\"At most 1 image.\",\"code\":400}"}}}`,
			chat.ClassInvalid, "At most 1 image.", "",
		},
		"prose": {
			400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"At most 1 image."}}}`,
			chat.ClassInvalid, "At most 1 image.", "",
		},
		"JSON that says nothing": {
			400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":7}"}}}`,
			chat.ClassInvalid, "Provider returned error", "",
		},
		"a conversation that is too long for the upstream": {
			400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"Too much.\",\"code\":\"context_length_exceeded\"}}"}}}`,
			chat.ClassTooLong, "Too much.", "context_length_exceeded",
		},
		"a flagged input": {
			403, `{"error":{"message":"The input was flagged.","code":403,"metadata":{"reasons":["violence"],"flagged_input":"...","provider_name":"Acme"}}}`,
			chat.ClassInvalid, "The input was flagged.", "moderation",
		},
		"a key that may not": {403, `{"error":{"message":"Key limit exceeded.","code":403}}`, chat.ClassAuth, "", ""},
		"an upstream down":   {502, `{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"no healthy upstream"}}}`, chat.ClassServer, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			client := llm.NewClient(llm.ClientConfig{})
			defer client.CloseIdleConnections()
			p := openrouter.Vendor.New(client).Provider
			_, err := p.Complete(t.Context(), outbound.Target{Model: "m", BaseURL: server.URL}, &chat.Request{})
			f, ok := errors.AsType[*chat.Failure](err)
			if !ok || f.Class != tt.class || f.Message != tt.message || f.Code != tt.code {
				t.Errorf("got %+v, want %s, %q, %q", f, tt.class, tt.message, tt.code)
			}
		})
	}
}
