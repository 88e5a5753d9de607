package ledger_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
)

// TestAFullQueueRefusesBeforeAVendorIsAsked fills the queue with calls under way.
func TestAFullQueueRefusesBeforeAVendorIsAsked(t *testing.T) {
	for store := range stores {
		t.Run(store, func(t *testing.T) {
			w := start(t, store, map[string]string{"CALLS_QUEUE": "2", "REQUEST_TIMEOUT": "40s"})
			for vendor := range map[string]bool{"openai": true, "anthropic": true, "gemini": true, "openrouter": true} {
				w.meter.behave(t, vendor, `{"mode":"echo","stall":true}`)
			}
			l := newLoad(t, w)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			var under sync.WaitGroup
			for _, name := range []string{"call-9000001", "call-9000002"} {
				seen := w.meter.arrival(name)
				under.Go(func() {
					if res, err := l.send(ctx, name, whole); err == nil {
						_ = res.Body.Close()
					}
				})
				<-seen
			}
			for kind, name := range map[int]string{whole: "call-9000003", stream: "call-9000004", chat: "call-9000005", chatStream: "call-9000006"} {
				soon, cancel := context.WithTimeout(t.Context(), patience/4)
				defer cancel()
				res, err := l.send(soon, name, kind)
				if err != nil {
					t.Fatalf("a call that there is no room for: %v", err)
				}
				body, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				var problem struct {
					Code  string
					Error struct{ Code string }
				}
				if json.Unmarshal(body, &problem) != nil || err != nil {
					t.Fatalf("%q, %v", body, err)
				}
				if code := problem.Code + problem.Error.Code; res.StatusCode != http.StatusServiceUnavailable || code != "busy" || res.Header.Get("Retry-After") == "" {
					t.Errorf("with a full queue: %s %s, Retry-After %q; want 503 busy", res.Status, code, res.Header.Get("Retry-After"))
				}
				if asked := w.meter.of(name); len(asked) > 0 {
					t.Errorf("a vendor was asked for a call that was refused: %+v", asked)
				}
			}
			leave()
			under.Wait()
			for vendor := range vendorOf {
				w.meter.behave(t, vendorOf[vendor], `{"mode":"echo"}`)
			}
			i := 0
			eventually(t, "an answer when there is room again", func() bool {
				i++
				return l.call(t.Context(), i*kinds).status == http.StatusOK // a whole one
			})
		})
	}
}
