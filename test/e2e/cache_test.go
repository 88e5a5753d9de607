package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/forge1/forge1/test/harness"
)

// withCache is a Forge whose prompt cache is as it comes, between vendors that repeat the hash of a prompt.
func withCache(t *testing.T, stores harness.Stores, more ...string) *harness.Forge {
	t.Helper()
	env := map[string]string{"PROMPT_CACHE_TTL_SECS": "300"}
	for i := 0; i+1 < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	f := harness.New(t, harness.Options{Stores: stores, Env: env})
	echo(t, f, `{"mode":"echo"}`)
	return f
}

func echo(t *testing.T, f *harness.Forge, how string) {
	t.Helper()
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		f.Behave(t, v, how)
	}
}

// calls counts what all vendors were asked.
func calls(t *testing.T, f *harness.Forge) (n int) {
	t.Helper()
	for _, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		n += int(f.VendorStats(t, v).Requests)
	}
	return n
}

func chatBody(model, text string, more ...string) map[string]any {
	b := map[string]any{"model": model, "messages": []map[string]string{{"role": "user", "content": text}}}
	for i := 0; i+1 < len(more); i += 2 {
		b[more[i]] = json.RawMessage(more[i+1])
	}
	return b
}

const chatRoute, executeRoute = "/v1/chat/completions", "/api/v1/ai/execute"

func wantCache(t *testing.T, what string, a harness.Answer, status string) {
	t.Helper()
	if got := a.Header.Get("X-Forge-Cache"); a.Status != http.StatusOK || got != status {
		t.Fatalf("%s: got %d, cache %q, want 200 and %s: %s", what, a.Status, got, status, a.Body)
	}
	if age := a.Header.Get("Age"); (age != "") != (status == "hit") {
		t.Errorf("%s: Age is %q at a %s", what, age, status)
	}
}

func TestACachedTaskIsAnsweredAtNoCost(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := withCache(t, stores)
			body := map[string]any{"task": "What is said twice?", "context": map[string]any{"max_tokens": 50}}
			type result struct {
				Output   string
				Metadata struct {
					DecisionID  string `json:"decision_id"`
					UsageSource string `json:"usage_source"`
					CostUSD     string `json:"cost_usd"`
					TokensUsed  int    `json:"tokens_used"`
					Cache       string
					Attempts    []any
					Decision    *struct {
						ID         string
						Candidates []any
					}
				}
			}
			var first, second result
			wantCache(t, "the first", f.JSON(t, http.MethodPost, executeRoute, body, &first), "miss")
			body["context"] = map[string]any{"max_tokens": 50, "end_user": "another", "tags": []string{"x"}}
			a := f.JSON(t, http.MethodPost, executeRoute, body, &second, "X-Forge-Explain", "true")
			wantCache(t, "the second", a, "hit")
			m := second.Metadata
			if second.Output != first.Output || m.DecisionID != first.Metadata.DecisionID || m.UsageSource != "cache" || m.CostUSD != "0" || m.Cache != "hit" ||
				m.TokensUsed != first.Metadata.TokensUsed || m.TokensUsed == 0 || len(m.Attempts) != 0 || m.Decision == nil || len(m.Decision.Candidates) == 0 {
				t.Errorf("got %s, want the first answer again, explained by its decision, at no cost", a.Body)
			}
			if n := calls(t, f); n != 1 {
				t.Errorf("vendors were asked %d times, want once", n)
			}
			for what, headers := range map[string][]string{
				"off": {"X-Forge-Cache", "off"}, "no-store": {"Cache-Control", "no-store"}, "no-cache": {"Cache-Control", "no-cache"},
			} {
				wantCache(t, what, f.Do(t, http.MethodPost, executeRoute, body, headers...), "bypass")
			}
			body["context"] = map[string]any{"max_tokens": 50, "cache": false}
			wantCache(t, "context.cache false", f.Do(t, http.MethodPost, executeRoute, body), "bypass")
			if n := calls(t, f); n != 5 {
				t.Errorf("vendors were asked %d times, want five times", n)
			}
			var usage struct {
				Items []struct {
					Cache       string
					Outcome     string
					CostNanos   *int64 `json:"cost_nanos"`
					UsageSource string `json:"usage_source"`
					DecisionID  string `json:"decision_id"`
				}
			}
			harness.Eventually(t, "the rows", func() bool {
				f.JSON(t, http.MethodGet, "/api/v1/usage/calls", nil, &usage)
				return len(usage.Items) == 6
			})
			hits := 0
			for _, row := range usage.Items {
				if row.Cache == "hit" {
					hits++
					if row.CostNanos == nil || *row.CostNanos != 0 || row.UsageSource != "cache" || row.DecisionID != m.DecisionID {
						t.Errorf("the row of the hit: %+v", row)
					}
				}
			}
			if hits != 1 {
				t.Errorf("%d rows are hits, want 1", hits)
			}
		})
	}
}

func TestTheOfficialOpenAIClientGetsCachedAnswersInEitherForm(t *testing.T) {
	f := withCache(t, harness.Embedded)
	client := openai.NewClient(option.WithBaseURL(f.URL+"/v1"), option.WithAPIKey(f.Key), option.WithMaxRetries(0), option.WithHeader("X-Forge-Cache", "on"))
	for _, model := range models {
		for _, first := range []string{"whole", "stream"} {
			t.Run(model+", first "+first, func(t *testing.T) {
				text := "Say this hash in either form, first " + first + " by " + model
				before := calls(t, f)
				for i, form := range []string{first, "whole", "stream", "stream with usage", "whole"} {
					var head *http.Response
					var got string
					if form == "whole" {
						c, err := client.Chat.Completions.New(t.Context(), ask(model, text), option.WithResponseInto(&head))
						if err != nil {
							t.Fatal(err)
						}
						got = c.Choices[0].Message.Content
						if c.Choices[0].FinishReason != "stop" || c.Usage.TotalTokens == 0 || c.ID == "" || c.Model == "" {
							t.Errorf("%s: %+v", form, c)
						}
					} else {
						p := ask(model, text)
						if strings.HasSuffix(form, "usage") {
							p.StreamOptions.IncludeUsage = openai.Bool(true)
						}
						stream := client.Chat.Completions.NewStreaming(t.Context(), p, option.WithResponseInto(&head))
						var acc openai.ChatCompletionAccumulator
						usage := false
						for stream.Next() {
							if !acc.AddChunk(stream.Current()) {
								t.Errorf("%s: a chunk that does not fit: %+v", form, stream.Current())
							}
							usage = usage || stream.Current().Usage.TotalTokens > 0
						}
						if err := stream.Err(); err != nil {
							t.Fatal(err)
						}
						got = acc.Choices[0].Message.Content
						if acc.Choices[0].FinishReason != "stop" || usage != strings.HasSuffix(form, "usage") {
							t.Errorf("%s: finish %q, usage sent: %t", form, acc.Choices[0].FinishReason, usage)
						}
					}
					if !strings.Contains(got, sha(text)) {
						t.Errorf("%s: got %q, want the hash", form, got)
					}
					want := map[bool]string{true: "miss", false: "hit"}[i == 0]
					if status := head.Header.Get("X-Forge-Cache"); status != want {
						t.Errorf("call %d, %s: cache %q, want %q", i, form, status, want)
					}
				}
				if n := calls(t, f) - before; n != 1 {
					t.Errorf("vendors were asked %d times, want once", n)
				}
			})
		}
	}
}

func TestARelayedAnswerIsRepeatedByteForByte(t *testing.T) {
	f := withCache(t, harness.Embedded)
	body := chatBody("openai/gpt-4o-mini", "byte for byte")
	first := f.Do(t, http.MethodPost, chatRoute, body, "X-Forge-Cache", "on")
	wantCache(t, "the first", first, "miss")
	second := f.Do(t, http.MethodPost, chatRoute, body, "X-Forge-Cache", "on")
	wantCache(t, "the second", second, "hit")
	if string(first.Body) != string(second.Body) {
		t.Errorf("got %s, want %s", second.Body, first.Body)
	}
}

func TestUnderV1TheCacheIsOffUntilTheTenantOrTheRequestTurnsItOn(t *testing.T) {
	f := withCache(t, harness.Embedded)
	body := chatBody("openai/gpt-4o-mini", "off at first")
	for range 2 {
		wantCache(t, "nothing said", f.Do(t, http.MethodPost, chatRoute, body), "bypass")
	}
	wantCache(t, "on", f.Do(t, http.MethodPost, chatRoute, body, "X-Forge-Cache", "on"), "miss")
	wantCache(t, "nothing said after that", f.Do(t, http.MethodPost, chatRoute, body), "bypass")
	owner := owner(t, f)
	if a := owner.Do(t, http.MethodPut, "/api/v1/admin/flags/cache.v1", map[string]bool{"enabled": true}); a.Status != http.StatusOK {
		t.Fatalf("turn the flag on: %d %s", a.Status, a.Body)
	}
	wantCache(t, "by the flag", f.Do(t, http.MethodPost, chatRoute, body), "miss")
	wantCache(t, "by the flag, again", f.Do(t, http.MethodPost, chatRoute, body), "hit")
	wantCache(t, "off", f.Do(t, http.MethodPost, chatRoute, body, "X-Forge-Cache", "off"), "bypass")
}

func TestBodiesThatSayTheSameShareAnAnswer(t *testing.T) {
	f := withCache(t, harness.Embedded)
	post := func(body string) harness.Answer {
		t.Helper()
		return f.Do(t, http.MethodPost, chatRoute, json.RawMessage(body), "X-Forge-Cache", "on")
	}
	const message = `[{"role":"user","content":"same"}]`
	wantCache(t, "the first", post(`{"model":"gpt-4o-mini","messages":`+message+`,"temperature":0.5}`), "miss")
	for _, same := range []string{
		`{"temperature":0.5,"messages":` + message + `,"model":"gpt-4o-mini"}`, `{ "model" : "gpt-4o\u002dmini", "messages":` + message + `,"temperature":0.5, "user":"u", "metadata":{"a":"b"} }`,
	} {
		wantCache(t, same, post(same), "hit")
	}
	for _, other := range []string{
		`{"model":"gpt-4o-mini","messages":` + message + `,"temperature":0.6}`, `{"model":"gpt-4o-mini","messages":` + message + `,"temperature":0.5,"prediction":{"type":"content","content":"same"}}`,
		`{"model":"openai/gpt-4o-mini","messages":` + message + `,"temperature":0.5}`,
	} {
		wantCache(t, other, post(other), "miss")
	}
}

func TestTwoTenantsNeverShareAnEntry(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := withCache(t, stores)
			other := newcomer(t, f)
			body := map[string]any{"task": "Whose is it?"}
			wantCache(t, "one tenant", f.Do(t, http.MethodPost, executeRoute, body), "miss")
			wantCache(t, "the other", other.Do(t, http.MethodPost, executeRoute, body), "miss")
			wantCache(t, "one tenant again", f.Do(t, http.MethodPost, executeRoute, body), "hit")
			wantCache(t, "the other again", other.Do(t, http.MethodPost, executeRoute, body), "hit")
		})
	}
}

func TestFailuresAndTruncatedAnswersAreNotCached(t *testing.T) {
	f := withCache(t, harness.Embedded, "CIRCUIT_BREAKER_THRESHOLD", "1000")
	for name, how := range map[string]string{"an error": `{"mode":"echo","fail_rate":1,"fail_status":400}`, "a break": `{"mode":"echo","cut_after_events":4}`} {
		for _, stream := range []bool{false, true} {
			body := map[string]any{"task": fmt.Sprintf("Fail once: %s, stream %t", name, stream), "stream": stream, "model_name": "openai/gpt-4o-mini"}
			echo(t, f, how)
			f.Do(t, http.MethodPost, executeRoute, body)
			echo(t, f, `{"mode":"echo"}`)
			wantCache(t, name, f.Do(t, http.MethodPost, executeRoute, body), "miss")
			wantCache(t, name+", then well", f.Do(t, http.MethodPost, executeRoute, body), "hit")
		}
	}
}

func TestManyIdenticalMissesMakeOneUpstreamCall(t *testing.T) {
	f := withCache(t, harness.Servers)
	echo(t, f, `{"mode":"echo","latency_ms":1500}`)
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			body := map[string]any{"task": "All at once.", "stream": i%2 == 1}
			if a := f.Do(t, http.MethodPost, executeRoute, body); a.Status != http.StatusOK || !strings.Contains(string(a.Body), sha("All at once.")) {
				t.Errorf("got %d %s", a.Status, a.Body)
			}
		})
	}
	all.Wait()
	if n := calls(t, f); n != 1 {
		t.Errorf("vendors were asked %d times, want once", n)
	}
}

func TestWithoutATimeToLiveThereIsNoCache(t *testing.T) {
	f := withCache(t, harness.Embedded, "PROMPT_CACHE_TTL_SECS", "0")
	for range 2 {
		wantCache(t, "execute", f.Do(t, http.MethodPost, executeRoute, map[string]any{"task": "Again?"}), "bypass")
		wantCache(t, "chat", f.Do(t, http.MethodPost, chatRoute, chatBody("auto", "Again?"), "X-Forge-Cache", "on"), "bypass")
	}
}

func TestOnlyIfCached(t *testing.T) {
	f := withCache(t, harness.Embedded)
	body := map[string]any{"task": "Only if it is there."}
	if a := f.Do(t, http.MethodPost, executeRoute, body, "Cache-Control", "only-if-cached"); a.Status != http.StatusGatewayTimeout || a.Field("code") != "not_cached" {
		t.Errorf("got %d %s, want 504 not_cached", a.Status, a.Body)
	}
	if n := calls(t, f); n != 0 {
		t.Errorf("vendors were asked %d times", n)
	}
	wantCache(t, "asked for", f.Do(t, http.MethodPost, executeRoute, body), "miss")
	wantCache(t, "only if cached", f.Do(t, http.MethodPost, executeRoute, body, "Cache-Control", "only-if-cached"), "hit")
}
