package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/forge1/forge1/adapters/simulator"
	"github.com/forge1/forge1/test/harness"
)

// deep has one model of every vendor that thinks and calls tools. Gemini's newest refuses a call whose thought signature is lost.
var deep = []string{"openai/gpt-5-mini", "claude/claude-sonnet-4-5", "gemini/gemini-3-pro-preview", "openrouter/anthropic/claude-sonnet-4.5"}

// claude is the official client, which sends its key as x-api-key.
func claude(f *harness.Forge, key string) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(f.URL), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func message(model string, content ...anthropic.ContentBlockParamUnion) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: model, MaxTokens: 4096, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(content...)}}
}

// messageOnce asks for an answer, whole or streamed.
func messageOnce(t *testing.T, client anthropic.Client, p anthropic.MessageNewParams, streamed bool) anthropic.Message {
	t.Helper()
	if !streamed {
		got, err := client.Messages.New(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		return *got
	}
	stream := client.Messages.NewStreaming(t.Context(), p)
	var got anthropic.Message
	for stream.Next() {
		if err := got.Accumulate(stream.Current()); err != nil {
			t.Fatalf("%s does not fit: %v", stream.Current().RawJSON(), err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// configured writes a configuration and gives its path.
func configured(t testing.TB, yaml string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "forge1.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func said(m anthropic.Message) string {
	var b strings.Builder
	for _, block := range m.Content {
		b.WriteString(block.Text)
	}
	return b.String()
}

func TestTheOfficialAnthropicClientGetsMessages(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, model := range append([]string{"auto"}, deep...) {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %t", model, streamed), func(t *testing.T) {
				got := messageOnce(t, claude(f, f.Key), message(model, anthropic.NewTextBlock("[sim:say=a message]")), streamed)
				if said(got) != "a message" || got.StopReason != anthropic.StopReasonEndTurn || got.Role != "assistant" || !strings.HasPrefix(got.ID, "msg_") {
					t.Errorf("got %s", got.RawJSON())
				}
				if got.Usage.InputTokens == 0 || got.Usage.OutputTokens == 0 {
					t.Errorf("got the usage %s", got.Usage.RawJSON())
				}
			})
		}
		t.Run(model+", counted", func(t *testing.T) {
			client := claude(f, f.Key)
			p := message(model, anthropic.NewTextBlock("How many tokens are in these words?"))
			n, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: p.Model, Messages: p.Messages})
			if err != nil || n.InputTokens < 5 {
				t.Errorf("got %+v, %v, want a count", n, err)
			}
		})
	}
}

func TestTheOfficialAnthropicClientShowsPicturesAndFilesAndGetsStructuredAnswers(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for _, model := range pinned {
		t.Run(model, func(t *testing.T) {
			client := claude(f, f.Key)
			got := said(messageOnce(t, client, message(model, anthropic.NewTextBlock("What are they?"),
				anthropic.NewImageBlockBase64("image/png", pixel), anthropic.NewDocumentBlock(anthropic.Base64PDFSourceParam{Data: pdf})), false))
			for _, want := range []string{given("image", "image/png", pixel), "application/pdf, sha256:" + sha(pdf)[:16]} {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want it to have been given %s", got, want)
				}
			}
			p := message(model, anthropic.NewTextBlock("Where is it?"))
			p.OutputConfig.Format = anthropic.JSONOutputFormatParam{Schema: citySchema}
			var place struct {
				City *string `json:"city"`
			}
			if got := said(messageOnce(t, client, p, true)); json.Unmarshal([]byte(got), &place) != nil || place.City == nil {
				t.Errorf("got %q, want a place", got)
			}
		})
	}
}

// TestACodingAgentByTheOfficialAnthropicClient works for twenty turns, streamed and thinking. The vendors refuse every call without its result, every id
// that is not their own kind's, and every thought that was lost or changed.
func TestACodingAgentByTheOfficialAnthropicClient(t *testing.T) {
	f := harness.New(t, harness.Options{})
	const turns = 20
	for _, model := range deep {
		for _, thinks := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, thinking %t", model, thinks), func(t *testing.T) {
				client := claude(f, f.Key)
				p := message(model, anthropic.NewTextBlock(fmt.Sprintf("[sim:agent=%d] mend it", turns)))
				p.System = []anthropic.TextBlockParam{{Text: "You write code.", CacheControl: anthropic.NewCacheControlEphemeralParam()}}
				p.Tools = []anthropic.ToolUnionParam{
					{OfTool: &anthropic.ToolParam{Name: "look", Description: anthropic.String("Looks at a city"), InputSchema: anthropic.ToolInputSchemaParam{
						Properties: citySchema["properties"], Required: []string{"city"},
					}}},
				}
				if thinks {
					p.Thinking = anthropic.ThinkingConfigParamOfEnabled(2000)
				}
				var results []string
				thoughts := 0
				for turn := range turns + 2 {
					got := messageOnce(t, client, p, true)
					var back []anthropic.ContentBlockParamUnion
					for _, block := range got.Content {
						switch block := block.AsAny().(type) {
						case anthropic.ThinkingBlock, anthropic.RedactedThinkingBlock:
							thoughts++
						case anthropic.ToolUseBlock:
							results = append(results, fmt.Sprintf("result %d of %s", len(results), block.Input))
							back = append(back, anthropic.NewToolResultBlock(block.ID, results[len(results)-1], false))
						}
					}
					if len(back) == 0 {
						if want := simulator.Proof(results...); turn != turns || said(got) != want || got.StopReason != anthropic.StopReasonEndTurn {
							t.Errorf("turn %d ends with %q (%s), want %q after %d", turn, said(got), got.StopReason, want, turns)
						}
						if thinks && thoughts == 0 {
							t.Error("no thought was seen")
						}
						return
					}
					if got.StopReason != anthropic.StopReasonToolUse {
						t.Errorf("turn %d stops for %s", turn, got.StopReason)
					}
					p.Messages = append(p.Messages, got.ToParam(), anthropic.NewUserMessage(back...))
				}
				t.Error("it goes on calling")
			})
		}
	}
}

func TestTheOfficialAnthropicClientGetsTypedErrors(t *testing.T) {
	f := harness.New(t, harness.Options{Env: map[string]string{"CIRCUIT_BREAKER_THRESHOLD": "1000", "CONFIG_FILE": configured(t, "routing:\n  max_attempts: 1\n")}})
	hi := anthropic.NewTextBlock("hi")
	none := message("auto", hi)
	none.MaxTokens = 0
	tests := map[string]struct {
		key    string
		params anthropic.MessageNewParams
		behave string
		status int
		kind   anthropic.ErrorType
	}{
		"a key that is none":        {"f1_nope", message("auto", hi), "{}", http.StatusUnauthorized, anthropic.ErrorTypeAuthenticationError},
		"a model that nobody knows": {f.Key, message("no-such-model", hi), "{}", http.StatusNotFound, anthropic.ErrorTypeNotFoundError},
		"no tokens":                 {f.Key, none, "{}", http.StatusUnprocessableEntity, anthropic.ErrorTypeInvalidRequestError},
		"what the vendor refuses":   {f.Key, message("openai/gpt-4o-mini", anthropic.NewTextBlock("[sim:nonsense]")), "{}", http.StatusBadRequest, anthropic.ErrorTypeInvalidRequestError},
		"a vendor that is busy":     {f.Key, message("openai/gpt-4.1-mini", hi), `{"fail_rate":1,"fail_status":429,"retry_after":7}`, http.StatusTooManyRequests, anthropic.ErrorTypeRateLimitError},
		"a vendor that is broken":   {f.Key, message("openai/gpt-4.1", hi), `{"fail_rate":1,"fail_status":500}`, http.StatusBadGateway, anthropic.ErrorTypeAPIError},
	}
	for name, tc := range tests {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %t", name, streamed), func(t *testing.T) {
				f.Behave(t, "openai", tc.behave)
				client := claude(f, tc.key)
				_, err := client.Messages.New(t.Context(), tc.params)
				if streamed {
					stream := client.Messages.NewStreaming(t.Context(), tc.params)
					for stream.Next() {
						t.Errorf("got %s, want an error", stream.Current().RawJSON())
					}
					err = stream.Err()
				}
				var failed *anthropic.Error
				if !errors.As(err, &failed) {
					t.Fatalf("got %v, want an *anthropic.Error", err)
				}
				if failed.StatusCode != tc.status || failed.Type() != tc.kind || failed.RequestID == "" {
					t.Errorf("got %d %s of %q, want %d %s: %s", failed.StatusCode, failed.Type(), failed.RequestID, tc.status, tc.kind, failed.RawJSON())
				}
			})
		}
	}
}

func TestTheOfficialAnthropicClientIsToldOfABreakAndLeaves(t *testing.T) {
	f := harness.New(t, harness.Options{})
	for i, v := range []string{"openai", "anthropic", "gemini", "openrouter"} {
		t.Run(pinned[i], func(t *testing.T) {
			client := claude(f, f.Key)
			stream := client.Messages.NewStreaming(t.Context(), message(pinned[i], anthropic.NewTextBlock("[sim:error]")))
			events, stopped := 0, false
			for stream.Next() {
				events++
				stopped = stopped || stream.Current().Type == "message_stop"
			}
			if err := stream.Err(); err == nil || stopped || events == 0 {
				t.Errorf("got %d events, stopped %t, then %v, want an error after some", events, stopped, err)
			}

			f.Behave(t, v, `{"chunk_delay_ms":5}`)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream = client.Messages.NewStreaming(ctx, message(pinned[i], anthropic.NewTextBlock("[sim:bytes=100000]")))
			for range 4 {
				if !stream.Next() {
					t.Fatalf("the stream ended early: %v", stream.Err())
				}
			}
			cancel()
			harness.Eventually(t, "the vendor's call ends", func() bool { return f.VendorStats(t, v).Canceled == 1 })
		})
	}
}

func TestTheOfficialAnthropicClientListsModels(t *testing.T) {
	f := harness.New(t, harness.Options{})
	client := claude(f, f.Key)
	names := map[string]bool{}
	pages := client.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{})
	for pages.Next() {
		names[pages.Current().ID] = true
	}
	if err := pages.Err(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"auto", "openai/gpt-4o-mini", "claude/claude-haiku-4-5"} {
		if !names[want] {
			t.Errorf("the list has no %s", want)
		}
	}
}
