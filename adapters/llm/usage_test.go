package llm_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/adapters/llm/gemini"
	"github.com/forge1/forge1/adapters/llm/internal/usage"
	"github.com/forge1/forge1/adapters/llm/openai"
	"github.com/forge1/forge1/adapters/llm/openrouter"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/conformance"
)

// usageCase is a body of which others say what was used, and by which price list it costs what. Their lists are of 2026-08-21.
type usageCase struct {
	Model    string          `json:"model"`
	Body     json.RawMessage `json:"body"`
	Source   string          `json:"source_file"`
	Expected []struct {
		Usage  map[string]int  `json:"usage"`
		Prices []expectedPrice `json:"prices"`
	} `json:"expected"`
}

type expectedPrice struct {
	Provider string `json:"provider_id"`
	Flavour  string `json:"api_flavor"`
	Input    string `json:"input_price"`
	Output   string `json:"output_price"`
}

// api tells by its shape which API a body is of: every one counts under names of its own.
func (c *usageCase) api() string {
	var body struct {
		Gemini *struct{}                  `json:"usageMetadata"`
		Usage  map[string]json.RawMessage `json:"usage"`
	}
	_ = json.Unmarshal(c.Body, &body)
	has := func(field string) bool { _, there := body.Usage[field]; return there }
	switch {
	case body.Gemini != nil:
		return "gemini"
	case has("cache_creation_input_tokens"):
		return "anthropic"
	case has("input_tokens"):
		return "responses"
	case has("completion_tokens"):
		return "chat"
	case has("prompt_tokens"):
		return "embeddings"
	}
	return ""
}

// owner tells whose body it is. The API says it of Gemini's, Anthropic's and of the two that only OpenAI has. Chat completions are spoken by many: the
// marketplace's come from a recording that names it or state their own cost; of others the model's bare name tells whose price list holds. Those of
// other vendors are nobody's here.
func (c *usageCase) owner() string {
	switch api := c.api(); {
	case api == "gemini" || api == "anthropic":
		return api
	case api == "responses" || api == "embeddings":
		return "openai"
	case strings.Contains(c.Source, "openrouter") || bytes.Contains(c.Body, []byte(`"cost_details"`)):
		return "openrouter"
	case strings.Contains(c.Model, "/"):
		return ""
	}
	for prefix, vendor := range map[string]string{"gpt-": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "claude": "anthropic", "gemini": "gemini"} {
		if strings.HasPrefix(c.Model, prefix) {
			return vendor
		}
	}
	return ""
}

// listed are the price lists of the cases by our names of vendors.
var listed = map[string]string{"openai": "openai", "anthropic": "anthropic", "google": "gemini", "openrouter": "openrouter"}

// flavours are the names that the cases have for APIs by ours; a vendor's own API is the default one.
var flavours = map[string]string{"gemini": "default", "anthropic": "default", "responses": "responses", "embeddings": "embeddings", "chat": "chat"}

// own reports whether an entry is that of the body's own vendor and API. The same body also parses as one of another's. Those that are of nobody here
// are read as chat completions of OpenAI are, and cost nothing that could be known.
func (c *usageCase) own(p expectedPrice) bool {
	owner := c.owner()
	if owner == "" {
		owner = "openai"
	}
	return listed[p.Provider] == owner && p.Flavour == flavours[c.api()]
}

func usageCases(t *testing.T) []usageCase {
	t.Helper()
	var cases []usageCase
	for line := range bytes.Lines(conformance.PriceFixture(t, "usage_cases.jsonl")) {
		var c usageCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("read usage_cases.jsonl: %v", err)
		}
		cases = append(cases, c)
	}
	return cases
}

// reader puts a body's usage into a whole answer of its API and lets the vendor's own provider read it.
type reader struct {
	server *httptest.Server
	client *http.Client
	answer []byte
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{client: llm.NewClient(llm.ClientConfig{})}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(r.answer) }))
	t.Cleanup(func() { r.client.CloseIdleConnections(); r.server.Close() })
	return r
}

var frames = map[string]string{
	"gemini":    `"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]`,
	"anthropic": `"type":"message","content":[],"stop_reason":"end_turn"`,
	"chat":      `"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]`,
}

func (r *reader) read(t *testing.T, c *usageCase) *chat.Usage {
	t.Helper()
	api := c.api()
	switch api {
	case "responses":
		return usage.Responses(c.Body)
	case "embeddings":
		return usage.Embeddings(c.Body)
	}
	r.answer = slices.Concat([]byte("{"+frames[api]+","), bytes.TrimSpace(c.Body)[1:])
	vendor := map[string]llm.Vendor{"gemini": gemini.Vendor, "anthropic": anthropic.Vendor, "chat": openai.Vendor}[api]
	if c.owner() == "openrouter" {
		vendor = openrouter.Vendor
	}
	dialect := map[string]chat.Dialect{"gemini": chat.DialectGemini, "anthropic": chat.DialectAnthropic, "chat": chat.DialectOpenAIChat}[api]
	a := vendor.New(r.client)
	to := outbound.Target{Model: "m", BaseURL: r.server.URL, Secret: secret.New("k")}
	got, err := a.Provider.Complete(t.Context(), to, &chat.Request{Messages: []chat.Message{chat.Text(chat.RoleUser, "hi")}})
	if err != nil {
		t.Fatalf("%s: %s: %v", c.Source, r.answer, err)
	}
	if relay := a.Relay(dialect); relay != nil {
		passed, err := relay.RelayWhole(t.Context(), to, outbound.Passage{Body: []byte(`{"model":"m","messages":[]}`)})
		if err != nil {
			t.Fatalf("%s: relayed: %v", c.Source, err)
		}
		if (passed.Usage == nil) != (got.Usage == nil) || got.Usage != nil && routing.TokensOf(*passed.Usage) != routing.TokensOf(*got.Usage) {
			t.Errorf("%s: relayed it is %+v, read it is %+v", c.Source, passed.Usage, got.Usage)
		}
	}
	return got.Usage
}

func TestUsageIsReadAsOthersReadIt(t *testing.T) {
	r := newReader(t)
	seen := map[string]int{}
	for _, c := range usageCases(t) {
		api := c.api()
		for _, e := range c.Expected {
			if !slices.ContainsFunc(e.Prices, c.own) {
				continue
			}
			seen[api]++
			u := r.read(t, &c)
			if u == nil {
				u = &chat.Usage{}
			}
			got := map[string]int{
				"input_tokens": u.Input, "output_tokens": u.Output, "cache_read_tokens": u.CacheRead, "cache_write_tokens": u.CacheWrite,
				"input_audio_tokens": u.AudioInput, "output_audio_tokens": u.AudioOutput, "cache_audio_read_tokens": u.AudioCacheRead,
				"output_image_tokens": u.ImageOutput, "output_reasoning_tokens": u.Reasoning,
			}
			for kind := range maps.Keys(got) {
				if got[kind] != e.Usage[kind] {
					t.Errorf("%s (%s, %s): %d %s, want %d, of %s", c.Source, c.Model, api, got[kind], kind, e.Usage[kind], c.Body)
				}
			}
		}
	}
	t.Log(seen)
	for _, api := range []string{"anthropic", "chat", "embeddings", "gemini", "responses"} {
		if len(seen) > 0 && seen[api] == 0 {
			t.Errorf("no case of %s was looked at", api)
		}
	}
}

// TestCostsAreThoseOfTheList holds what every case costs by the price list of its vendor, at the day of the list. Bodies of the marketplace also
// state their own cost, which is what such a call costs in Forge: that is no part of this, but of the next test.
func TestCostsAreThoseOfTheList(t *testing.T) {
	table, err := catalogue.New(func() time.Time { return time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	first := conformance.PriceFixture(t, "genai_prices.json")
	r := newReader(t)
	seen := map[string]int{}
	for _, c := range usageCases(t) {
		u := r.read(t, &c)
		if u == nil {
			u = &chat.Usage{}
		}
		for _, e := range c.Expected {
			for _, p := range e.Prices {
				if !c.own(p) || c.owner() == "" {
					continue
				}
				vendor := c.owner()
				m, _ := table.Model(vendor, c.Model)
				switch {
				case p.Input != "":
					seen["priced "+vendor]++
					if want := nanos(t, p.Input, p.Output); !m.Priced || m.Price.Nanos(routing.TokensOf(*u)) != want {
						t.Errorf("%s: %s/%s costs %d nano-dollars at %+v, want %d, of %s", c.Source, vendor, c.Model, m.Price.Nanos(routing.TokensOf(*u)), m, want, c.Body)
					}
				case m.Priced:
					// The list of the cases has no price; the second list, which says more models, may.
					seen["priced by the second list alone"]++
					if bytes.Contains(first, []byte(`"`+c.Model+`"`)) || m.Price.Nanos(routing.TokensOf(*u)) == 0 {
						t.Errorf("%s: %s/%s has the price %+v, want none", c.Source, vendor, c.Model, m.Price)
					}
				default:
					seen["unpriced"]++
				}
			}
		}
	}
	t.Log(seen)
}

func TestTheMarketplaceSaysWhatACallCosts(t *testing.T) {
	r := newReader(t)
	for _, c := range usageCases(t) {
		var body struct {
			Usage struct {
				Cost    *json.Number `json:"cost"`
				OwnKey  bool         `json:"is_byok"`
				Details struct {
					Upstream json.Number `json:"upstream_inference_cost"`
				} `json:"cost_details"`
			} `json:"usage"`
		}
		if err := json.Unmarshal(c.Body, &body); err != nil || body.Usage.Cost == nil || c.api() != "chat" {
			continue
		}
		want := nanos(t, body.Usage.Cost.String(), "0")
		if body.Usage.OwnKey { // what is stated is the fee, beside what the upstream takes
			want = nanos(t, body.Usage.Cost.String(), body.Usage.Details.Upstream.String())
		}
		if u := r.read(t, &c); u.CostNanos == nil || *u.CostNanos != want {
			t.Errorf("%s costs %v nano-dollars, want %d", c.Source, u.CostNanos, want)
		}
	}
}

// nanos adds decimals of dollars and rounds the sum half up to nano-dollars.
func nanos(t *testing.T, dollars ...string) int64 {
	t.Helper()
	sum := new(big.Rat)
	for _, d := range dollars {
		r, ok := new(big.Rat).SetString(d)
		if !ok {
			t.Fatalf("%q is no decimal", d)
		}
		sum.Add(sum, r)
	}
	sum.Add(sum.Mul(sum, big.NewRat(1_000_000_000, 1)), big.NewRat(1, 2))
	return new(big.Int).Quo(sum.Num(), sum.Denom()).Int64()
}
