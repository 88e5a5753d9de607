package anthropic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
)

// block is one of an answer, as it comes whole and as it comes in pieces.
type block struct {
	whole  string
	start  string
	deltas []string
}

// js is a value as JSON.
func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// pieces cuts a text between its code points.
func pieces(t *rapid.T, s string) []string {
	var out []string
	for _, r := range s {
		if len(out) == 0 || rapid.Bool().Draw(t, "cut") {
			out = append(out, "")
		}
		out[len(out)-1] += string(r)
	}
	return out
}

func deltas(t *rapid.T, kind, member, text string) []string {
	var out []string
	for _, p := range pieces(t, text) {
		out = append(out, fmt.Sprintf(`{"type":%q,%q:%s}`, kind, member, js(p)))
	}
	return out
}

var words = rapid.StringMatching(`[a-z][a-zß👋🏽"\\<&\x{2028}]{1,12}`)

const (
	cite    = `{"type":"web_search_result_location","cited_text":"c","url":"https://a.test/x","title":"t","encrypted_index":"E1"}`
	result1 = `{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://a.test"}]}`
)

// drawBlock makes any block that the vendor answers with.
func drawBlock(t *rapid.T) block {
	text := words.Draw(t, "text")
	input := fmt.Sprintf(`{"q":%s,"n":1.50}`, js(text))
	switch rapid.SampledFrom([]string{"text", "cited", "thinking", "omitted", "redacted", "tool", "no args", "server", "result", "compaction"}).Draw(t, "kind") {
	case "cited":
		d := append([]string{`{"type":"citations_delta","citation":` + cite + `}`}, deltas(t, "text_delta", "text", text)...)
		d = append(d, `{"type":"citations_delta","citation":`+cite+`}`)
		return block{fmt.Sprintf(`{"type":"text","text":%s,"citations":[%s,%s]}`, js(text), cite, cite), `{"type":"text","text":"","citations":[]}`, d}
	case "thinking":
		return block{
			fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":"s=="}`, js(text)), `{"type":"thinking","thinking":"","signature":""}`,
			append(deltas(t, "thinking_delta", "thinking", text), `{"type":"signature_delta","signature":"s=="}`),
		}
	case "omitted":
		return block{
			`{"type":"thinking","thinking":"","signature":"o=="}`, `{"type":"thinking","thinking":"","signature":""}`,
			[]string{`{"type":"signature_delta","signature":"o"}`, `{"type":"signature_delta","signature":"=="}`},
		}
	case "redacted":
		return block{`{"type":"redacted_thinking","data":"r=="}`, `{"type":"redacted_thinking","data":"r=="}`, nil}
	case "tool":
		d := append([]string{`{"type":"input_json_delta","partial_json":""}`}, deltas(t, "input_json_delta", "partial_json", input)...)
		id := rapid.StringMatching(`toolu_[a-z]{20}`).Draw(t, "id") // two calls never share one
		return block{fmt.Sprintf(`{"type":"tool_use","id":%q,"name":"f","input":%s}`, id, input), fmt.Sprintf(`{"type":"tool_use","id":%q,"name":"f","input":{}}`, id), d}
	case "no args":
		id := rapid.StringMatching(`toolu_[0-9]{20}`).Draw(t, "id")
		b := fmt.Sprintf(`{"type":"tool_use","id":%q,"name":"g","input":{}}`, id)
		return block{b, b, []string{`{"type":"input_json_delta","partial_json":""}`}}
	case "server":
		return block{
			`{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":` + input + `}`,
			`{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`, deltas(t, "input_json_delta", "partial_json", input),
		}
	case "result":
		return block{result1, result1, nil}
	case "compaction":
		return block{
			fmt.Sprintf(`{"type":"compaction","content":%s,"marks":[%s]}`, js(text), "1,2"), `{"type":"compaction","content":null}`,
			append(deltas(t, "compaction_delta", "content", text), `{"type":"compaction_delta","marks":[1,2]}`),
		}
	default:
		return block{fmt.Sprintf(`{"type":"text","text":%s}`, js(text)), `{"type":"text","text":""}`, deltas(t, "text_delta", "text", text)}
	}
}

// drawAnswer makes an answer, whole and as a stream.
func drawAnswer(t *rapid.T) (whole, stream string, blocks []block) {
	blocks = rapid.SliceOfN(rapid.Custom(drawBlock), 0, 6).Draw(t, "blocks")
	var content []string
	var s strings.Builder
	s.WriteString(event(`{"type":"message_start","message":{"id":"msg_1","type":"message","model":"m","content":[],"usage":{"input_tokens":5,"output_tokens":1,"service_tier":"priority"}}}`))
	for i, b := range blocks {
		content = append(content, b.whole)
		s.WriteString(event(fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s  }`, i, b.start)))
		for _, d := range b.deltas {
			s.WriteString(event(fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":%s}   `, i, d)))
			if rapid.IntRange(0, 5).Draw(t, "ping") == 0 {
				s.WriteString(event(`{"type": "ping"}`))
			}
		}
		s.WriteString(event(fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i)))
	}
	const end = `"stop_reason":"stop_sequence","stop_sequence":"END"`
	s.WriteString(event(`{"type":"message_delta","delta":{` + end + `},"usage":{"input_tokens":50,"output_tokens":9}}`))
	s.WriteString(closing)
	whole = `{"type":"message","id":"msg_1","model":"m","content":[` + strings.Join(content, ",") + `],` + end + `,"usage":{"input_tokens":50,"output_tokens":9,"service_tier":"priority"}}`
	return whole, s.String(), blocks
}

// gathered takes a stream together.
func gathered(t testing.TB, body io.Reader) (*chat.Response, error) {
	w := wire(func(*http.Request) *http.Response { return answer("text/event-stream", body) })
	s, err := provider(w).Stream(t.Context(), target, talk(user("Hi")))
	if err != nil {
		return nil, err
	}
	var g chat.Gatherer
	for c, err := range s {
		if err != nil {
			return g.Response(), err
		}
		g.Add(c)
	}
	return g.Response(), nil
}

func completed(t testing.TB, body string) (*chat.Response, error) {
	w := wire(func(*http.Request) *http.Response { return answer("application/json", strings.NewReader(body)) })
	return provider(w).Complete(t.Context(), target, talk(user("Hi")))
}

// scattered gives a body in pieces of random sizes.
type scattered struct {
	r   *bytes.Reader
	rng *rand.Rand
}

// Read implements io.Reader.
func (s scattered) Read(b []byte) (int, error) {
	return s.r.Read(b[:min(len(b), 1+s.rng.IntN(40))])
}

// meant compares what is foreign by what it means: a text has many spellings in JSON.
var meant = cmp.Transformer("meant", func(f chat.Foreign) any {
	var v any
	if json.Unmarshal(f.JSON, &v) != nil {
		return f.JSON
	}
	return []any{string(f.Dialect), v}
})

func TestAnAnswerIsTheSameWholeAndInPieces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		whole, stream, _ := drawAnswer(r)
		want, err := completed(t, whole)
		if err != nil {
			r.Fatalf("whole: %v\n%s", err, whole)
		}
		for name, body := range map[string]io.Reader{
			"whole": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"scattered": scattered{bytes.NewReader([]byte(stream)), rand.New(rand.NewPCG(1, uint64(len(stream))))},
			"CRLF":      strings.NewReader(strings.ReplaceAll(stream, "\n", "\r\n")),
		} {
			got, err := gathered(t, body)
			if err != nil {
				r.Fatalf("%s: %v\n%s", name, err, stream)
			}
			if diff := cmp.Diff(want, got, meant); diff != "" {
				r.Fatalf("%s (-whole +streamed):\n%s\n%s", name, diff, stream)
			}
		}
	})
}

func TestAnAnswerGoesBackAsItCame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		whole, _, blocks := drawAnswer(r)
		if len(blocks) == 0 {
			return
		}
		came, err := completed(t, whole)
		if err != nil {
			r.Fatal(err)
		}
		body, resp, err := sent(t, talk(user("Hi"), chat.Message{Role: chat.RoleAssistant, Parts: came.First().Parts}, user("Go on.")))
		if err != nil {
			r.Fatal(err)
		}
		if len(resp.Dropped) > 0 {
			r.Fatalf("%q were dropped", resp.Dropped)
		}
		var content []string
		for _, b := range blocks {
			content = append(content, b.whole)
		}
		got := body["messages"].([]any)[1].(map[string]any)["content"]
		if diff := cmp.Diff(decoded(t, "["+strings.Join(content, ",")+"]"), got); diff != "" {
			r.Fatalf("content (-came +went):\n%s", diff)
		}
	})
}

// TestWhatIsSentKeepsTheVendorsRules sends any conversation, and looks at what the vendor would refuse.
func TestWhatIsSentKeepsTheVendorsRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		req := talk(user("Hi"))
		open := []string{}
		for range rapid.IntRange(0, 8).Draw(r, "turns") {
			switch rapid.IntRange(0, 3).Draw(r, "turn") {
			case 0:
				req.Messages = append(req.Messages, user(rapid.SampledFrom([]string{"", " ", "x", "y\n"}).Draw(r, "text")))
			case 1:
				id := rapid.SampledFrom([]string{"functions.f:0", "call_0", "toolu_bdrk_1", strings.Repeat("x", 70), "ü"}).Draw(r, "id")
				p := called(id)
				p.Cache = rapid.SampledFrom([]chat.CacheControl{"", chat.Cache5m, chat.Cache1h}).Draw(r, "cache")
				req.Messages = append(req.Messages, says(chat.RoleAssistant, p))
				open = append(open, id)
			case 2:
				for _, id := range open {
					req.Messages = append(req.Messages, result(id, "r"))
				}
				open = nil
			default:
				req.Messages = append(req.Messages, assistant("z"))
			}
		}
		req.Messages = append(req.Messages, user("end"))
		body, _, err := sent(t, req)
		if err != nil {
			r.Fatal(err)
		}
		checkRules(r, body)
	})
}

func checkRules(r *rapid.T, body map[string]any) {
	role, points, ids := "assistant", 0, map[string]bool{}
	for _, m := range body["messages"].([]any) {
		m := m.(map[string]any)
		if m["role"] == role {
			r.Fatalf("two turns of one role: %v", body)
		}
		role = m["role"].(string)
		others := false
		for _, b := range m["content"].([]any) {
			b := b.(map[string]any)
			if b["cache_control"] != nil {
				points++
			}
			switch b["type"] {
			case "text":
				if strings.TrimSpace(b["text"].(string)) == "" {
					r.Fatalf("a blank text: %v", body)
				}
				others = true
			case "tool_use":
				id := b["id"].(string)
				if chat.PortableID(id) != id || ids[id] {
					r.Fatalf("the id %s is refused, or stands twice", id)
				}
				ids[id] = true
			case "tool_result":
				if others || !ids[b["tool_use_id"].(string)] {
					r.Fatalf("a result behind text, or without its call: %v", body)
				}
			}
		}
	}
	if points > 4 {
		r.Fatalf("%d cache points", points)
	}
}
