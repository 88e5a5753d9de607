package fleet_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// known reports whether a replica knows the p95 of a provider's default model, by the decision that it would make.
func (w *world) known(t *testing.T, node, provider string) bool {
	t.Helper()
	a, err := w.send(t.Context(), http.MethodPost, node+"/api/v1/router/explain", `{"task":"hello"}`)
	var d struct {
		Candidates []struct {
			Provider string
			Known    bool `json:"p95_known"`
			P95      int  `json:"p95_ms"`
		}
	}
	if err == nil {
		err = json.Unmarshal(a.body, &d)
	}
	if err != nil {
		t.Fatalf("explain: %v", err)
	}
	for _, c := range d.Candidates {
		if c.Provider == provider {
			return c.Known && c.P95 < 1000
		}
	}
	return false
}

// TestWhatOneReplicaMeasuredAllKnow has one replica make calls; the others, and one that is started afterwards, know how long they took. Without Redis each
// goes on with what it knows.
func TestWhatOneReplicaMeasuredAllKnow(t *testing.T) {
	w := newWorld(t)
	call := func(node string) {
		a, err := w.send(t.Context(), http.MethodPost, node+"/api/v1/ai/execute", `{"task":"hello","model_name":"claude/claude-haiku-4-5","context":{"cache":false}}`)
		if err != nil || a.status != http.StatusOK {
			t.Errorf("a call: %d %s, %v", a.status, a.body, err)
		}
	}
	if w.known(t, w.nodes[1], "claude") {
		t.Fatal("a latency is known before there was a call")
	}
	for range 8 {
		call(w.nodes[0])
	}
	for _, node := range w.nodes {
		eventually(t, "every replica to know", func() bool { return w.known(t, node, "claude") })
	}
	late := w.replica(t)
	eventually(t, "a new replica to know", func() bool { return w.known(t, late, "claude") })

	w.redis.pause()
	defer w.redis.resume()
	call(late)
	if !w.known(t, late, "claude") || !w.known(t, w.nodes[2], "claude") {
		t.Error("what was known is forgotten when Redis holds still")
	}
}
