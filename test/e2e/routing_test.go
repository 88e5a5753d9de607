package e2e_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

func sha(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

type executed struct {
	Success   bool   `json:"success"`
	Output    string `json:"output"`
	ModelUsed string `json:"model_used"`
	Metadata  struct {
		Provider    string `json:"provider"`
		DecisionID  string `json:"decision_id"`
		UsageSource string `json:"usage_source"`
		Input       int    `json:"input_tokens"`
		Output      int    `json:"output_tokens"`
		Used        int    `json:"tokens_used"`
		Attempts    []struct {
			Provider string `json:"provider"`
			Outcome  string `json:"outcome"`
		} `json:"attempts"`
	} `json:"metadata"`
}

// prompts gives 200 prompts: real ones where the shared folder is there, else made ones.
func prompts(t *testing.T) []string {
	t.Helper()
	var out []string
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "fixtures", "traffic", "prompts.jsonl"))
	if err != nil {
		t.Log("real prompts are not here; made ones are used")
		for i := range 200 {
			out = append(out, fmt.Sprintf("Task %d: explain %s 🚲\n\twith \"quotes\" and \\ backslashes.", i, strings.Repeat("why ", i%40)))
		}
		return out
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && len(out) < 200 {
		var p struct{ Turns []string }
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Turns[0])
	}
	return out
}

func TestTwoHundredTasksSixteenAtATimeEachGetTheirOwnAnswerWhileOneVendorFailsHalfItsCalls(t *testing.T) {
	f := harness.New(t, harness.Options{Env: map[string]string{
		"CIRCUIT_BREAKER_THRESHOLD":      "1000", // two failures in a row happen at half; here every vendor is to stay in the race
		"OPENROUTER_1K_TOKEN_COST_CENTS": "0.0001",
	}})
	for _, v := range []string{"openai", "anthropic", "gemini"} {
		f.Behave(t, v, `{"mode":"echo"}`)
	}
	f.Behave(t, "openrouter", `{"mode":"echo","fail_rate":0.5,"fail_status":500}`)

	all := prompts(t)
	got := make([]executed, len(all))
	work := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range work {
				f.JSON(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": all[i], "context": map[string]any{"cache": false}}, &got[i])
			}
		})
	}
	for i := range all {
		work <- i
	}
	close(work)
	wg.Wait()

	failed := 0
	for i, a := range got {
		if !strings.Contains(a.Output, sha(all[i])) {
			t.Errorf("answer %d does not carry the hash of its prompt", i)
		}
		last := a.Metadata.Attempts[len(a.Metadata.Attempts)-1]
		if last.Outcome != "ok" || last.Provider != a.Metadata.Provider {
			t.Errorf("answer %d: the last attempt %+v is not the provider that answered, %s", i, last, a.Metadata.Provider)
		}
		for _, at := range a.Metadata.Attempts[:len(a.Metadata.Attempts)-1] {
			failed++
			if at.Outcome != "server_error" || at.Provider != "openrouter" {
				t.Errorf("answer %d: got a failed attempt %+v, want server_error of openrouter", i, at)
			}
		}
		if n := len(a.Metadata.Attempts); n > 2 {
			t.Errorf("answer %d took %d attempts, want at most 2", i, n)
		}
	}
	if sim := f.VendorStats(t, "openrouter").Failed; int(sim) != failed || failed == 0 {
		t.Errorf("failed attempts recorded: %d, the simulator's count: %d; want them equal and more than none", failed, sim)
	}
}
