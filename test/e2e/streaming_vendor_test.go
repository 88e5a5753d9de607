package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

// wire is how a vendor streams: what comes before the first word, a piece of words, and an error.
type wire struct{ start, piece, broken string }

// wires are the dialects that vendors speak, by what their paths hold.
var wires = map[string]wire{
	"/chat/completions": {
		start:  chatFrame(`{"role":"assistant","content":""}`),
		piece:  chatFrame(`{"content":"%s"}`),
		broken: "data: {\"error\":{\"message\":\"The server had an error.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n",
	},
	"/responses": {
		start: "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}}\n\n" +
			"event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"status\":\"in_progress\",\"content\":[]}}\n\n" +
			"event: response.content_part.added\ndata: {\"type\":\"response.content_part.added\",\"sequence_number\":2,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}}\n\n",
		piece:  "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":3,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"%s\"}\n\n",
		broken: "event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":\"server_error\",\"message\":\"The server had an error.\",\"param\":null}\n\n",
	},
	"/v1/messages": {
		start: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n" +
			"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
		piece:  "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}\n\n",
		broken: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
	},
	":streamGenerateContent": {
		piece:  "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"%s\"}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"m\"}\r\n\r\n",
		broken: "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n",
	},
}

func chatFrame(delta string) string {
	return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}` + "\n\n"
}

// streamer is a vendor of every dialect that streams as a test wants. It counts what it sends.
type streamer struct {
	*httptest.Server
	sent atomic.Int64
	open atomic.Int64 // calls under way
}

// newStreamer runs a vendor until the test ends. Its connections have small buffers, so that what is not read stays with it.
func newStreamer(t testing.TB, play func(s *streamer, d wire, w http.ResponseWriter, r *http.Request)) *streamer {
	t.Helper()
	s := &streamer{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for path, d := range wires {
			if strings.Contains(r.URL.Path, path) {
				s.open.Add(1)
				defer s.open.Add(-1)
				w.Header().Set("Content-Type", "text/event-stream")
				play(s, d, w, r)
				return
			}
		}
		http.NotFound(w, r)
	}))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if tcp, ok := c.(*net.TCPConn); ok && state == http.StateNew {
			_ = tcp.SetWriteBuffer(64 << 10)
		}
	}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// say sends a frame at once and reports whether anybody takes it.
func (s *streamer) say(w http.ResponseWriter, frame string) bool {
	n, err := io.WriteString(w, frame)
	s.sent.Add(int64(n))
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	return err == nil
}

// kinds are the vendors: their names as kinds of providers, Forge's own names of them, and a model of each.
var kinds = []struct{ kind, provider, model string }{
	{"openai", "openai", "gpt-4o-mini"},
	{"anthropic", "claude", "claude-haiku-4-5"},
	{"gemini", "gemini", "gemini-2.5-flash"},
	{"openrouter", "openrouter", "openai/gpt-4o-mini"},
}

// withSecond runs a Forge in which every vendor has a second provider, odd-KIND, played by s, and an alias, saved-KIND, that asks the second first and
// then another vendor's own.
func withSecond(t testing.TB, s *streamer, env map[string]string) *harness.Forge {
	t.Helper()
	var providers, aliases strings.Builder
	for i, k := range kinds {
		other := kinds[(i+1)%len(kinds)]
		fmt.Fprintf(&providers, "  - {name: odd-%s, kind: %s, base_url: %q, credentials: [ODD_KEY], model: %q, catalogue: %s}\n", k.kind, k.kind, s.URL, k.model, k.kind)
		fmt.Fprintf(&aliases, "  saved-%s: {targets: [{provider: odd-%s, model: %q}, {provider: %s, model: %q}]}\n", k.kind, k.kind, k.model, other.provider, other.model)
	}
	all := map[string]string{
		"ODD_KEY": "odd", "CIRCUIT_BREAKER_THRESHOLD": "1000",
		"CONFIG_FILE": configured(t, "providers:\n"+providers.String()+"aliases:\n"+aliases.String()),
	}
	for name, value := range env {
		all[name] = value
	}
	return harness.New(t, harness.Options{Env: all})
}

// everywhere are all surfaces, Forge's own among them.
var everywhere = append(append([]surfaces.Surface{}, surfaces.All...), surfaces.Execute)

// terminators end a stream that is whole, by surface.
var terminators = map[string]string{"chat": "[DONE]", "messages": "message_stop", "responses": "response.completed", "execute": "event: done"}
