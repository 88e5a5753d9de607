package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

type routerCmd struct {
	Explain  routerExplainCmd  `cmd:"" help:"Show where a call would go now, and why, without asking a vendor."`
	Decision routerDecisionCmd `cmd:"" help:"Show where a call went, and why."`
}

// pixel is a picture, for a question about models that see.
const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="

// maxTask bounds the task that is read from standard input; the server takes no more.
const maxTask = 1 << 20

type routerExplainCmd struct {
	remote
	TaskType  string `help:"general, code_generation, analysis, creative or review." enum:"general,code_generation,analysis,creative,review" default:"general"`
	SLO       int    `name:"slo-ms" help:"Latency objective in milliseconds, 1 to 600000." placeholder:"N"`
	Model     string `help:"auto, an alias, <provider>/<model>, or a model's name; routed by default." placeholder:"M"`
	MaxTokens int    `help:"Most tokens of the answer; learned by default." placeholder:"N"`
	Tools     bool   `help:"The call has tools."`
	Vision    bool   `help:"The call has a picture."`
	Schema    bool   `help:"The call asks for JSON after a schema."`
	Task      string `help:"The task, whose length counts; - reads it from standard input." default:"Hello." placeholder:"TEXT"`
}

// Run explains.
func (c *routerExplainCmd) Run(s *session) error {
	if c.SLO < 0 || c.SLO > 600_000 || c.MaxTokens < 0 {
		return fmt.Errorf("%w: --slo-ms is 1 to 600000 and --max-tokens at least 1", errUsage)
	}
	task := c.Task
	if task == "-" {
		b, err := io.ReadAll(io.LimitReader(s.in, maxTask))
		if err != nil {
			return fmt.Errorf("read the task: %w", err)
		}
		task = string(b)
	}
	raw, err := c.call(s, "POST", "/api/v1/router/explain", c.body(task))
	if err != nil {
		return err
	}
	return s.printDecision(raw)
}

// body is execute's, with what the flags ask for.
func (c *routerExplainCmd) body(task string) map[string]any {
	context := map[string]any{}
	if c.SLO > 0 {
		context["latency_slo_ms"] = c.SLO
	}
	if c.MaxTokens > 0 {
		context["max_tokens"] = c.MaxTokens
	}
	if c.Tools {
		context["tools"] = []any{map[string]any{"type": "function", "function": map[string]any{"name": "tool", "parameters": map[string]any{"type": "object"}}}}
	}
	if c.Vision {
		context["messages"] = []any{map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "image_url", "image_url": map[string]any{"url": pixel}},
		}}}
	}
	if c.Schema {
		context["response_format"] = map[string]any{
			"type": "json_schema", "json_schema": map[string]any{"name": "answer", "schema": map[string]any{"type": "object"}},
		}
	}
	body := map[string]any{"task": task, "task_type": c.TaskType, "context": context}
	if c.Model != "" {
		body["model_name"] = c.Model
	}
	return body
}

type routerDecisionCmd struct {
	remote
	ID     string `arg:"" help:"Id of the decision: X-Forge-Decision-Id, or metadata.decision_id."`
	Replay bool   `help:"Make it again from the facts that it was made from, and fail if it comes to something else."`
}

// Run shows the decision.
func (c *routerDecisionCmd) Run(s *session) error {
	path := "/api/v1/router/decisions/" + url.PathEscape(c.ID)
	if !c.Replay {
		raw, err := c.call(s, "GET", path, nil)
		if err != nil {
			return err
		}
		return s.printDecision(raw)
	}
	raw, err := c.call(s, "GET", path+"/replay", nil)
	if err != nil {
		return err
	}
	var again struct {
		Same     bool
		Decision json.RawMessage
	}
	if err := json.Unmarshal(raw, &again); err != nil {
		return errNotForge
	}
	shown := raw
	if !s.asJSON {
		shown = again.Decision
	}
	if err := s.printDecision(shown); err != nil {
		return err
	}
	if !again.Same {
		return fmt.Errorf("made again, the decision comes to something else; compare it with 'forge1 router decision %s'", c.ID)
	}
	s.note("made again from its facts, the decision is the same")
	return nil
}

// decision is what a server says of one.
type decision struct {
	ID            string
	CreatedAt     time.Time `json:"created_at"`
	TaskType      string    `json:"task_type"`
	PolicyVersion int64     `json:"policy_version"`
	SnapshotID    string    `json:"snapshot_id"`
	Alias         string
	Candidates    []struct {
		Provider, Model string
		Rank            int
		Score           float64
		CostCents       float64 `json:"cost_cents"`
		P95Ms           int     `json:"p95_ms"`
		P95Known        bool    `json:"p95_known"`
		EstInput        int     `json:"est_input_tokens"`
		EstOutput       int     `json:"est_output_tokens"`
		SLOPenalty      float64 `json:"slo_penalty"`
	}
	Excluded []struct {
		Provider, Model, Reason, Detail string
		Until                           *time.Time
	}
	Attempts []struct {
		Provider, Model, Outcome string
		LatencyMs                float64 `json:"latency_ms"`
	}
	Outcome *string
}

// printDecision writes a decision as a table, or with --json what the server said.
func (s *session) printDecision(raw []byte) error {
	if s.asJSON {
		_, err := fmt.Fprintln(s.out, strings.TrimSpace(string(raw)))
		return err
	}
	var d decision
	if err := json.Unmarshal(raw, &d); err != nil || d.ID == "" {
		return errNotForge
	}
	var b strings.Builder
	fmt.Fprintf(&b, "decision %s of %s\ntask type %s, policy version %d, facts %s", cell(d.ID), d.CreatedAt.UTC().Format(time.RFC3339), cell(d.TaskType), d.PolicyVersion, cell(d.SnapshotID))
	if d.Alias != "" {
		fmt.Fprintf(&b, ", alias %s", cell(d.Alias))
	}
	b.WriteString("\n\n")
	d.tables(&b)
	if d.Outcome != nil {
		fmt.Fprintf(&b, "outcome: %s\n", cell(*d.Outcome))
	}
	if len(d.Candidates) == 0 {
		s.note("no provider could serve this")
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}

func (d *decision) tables(to io.Writer) {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	line := func(cells ...any) { _, _ = fmt.Fprintf(table, strings.Repeat("%v\t", len(cells)-1)+"%v\n", cells...) }
	end := func() {
		_ = table.Flush() // neither fails into a builder
		_, _ = fmt.Fprintln(to)
	}
	if len(d.Candidates) > 0 {
		line("RANK", "TARGET", "SCORE", "COST (CENTS)", "P95 (MS)", "TOKENS IN", "OUT", "SLO PENALTY")
		for _, c := range d.Candidates {
			p95 := fmt.Sprint(c.P95Ms)
			if !c.P95Known {
				p95 += " assumed"
			}
			line(c.Rank, cell(c.Provider+"/"+c.Model), figure(c.Score), figure(c.CostCents), p95, c.EstInput, c.EstOutput, figure(c.SLOPenalty))
		}
		end()
	}
	if len(d.Excluded) > 0 {
		line("EXCLUDED", "REASON", "")
		for _, x := range d.Excluded {
			more := x.Detail
			if x.Until != nil {
				more = strings.TrimSpace(more + " until " + x.Until.UTC().Format(time.RFC3339))
			}
			line(cell(x.Provider+"/"+x.Model), cell(x.Reason), cell(more))
		}
		end()
	}
	if len(d.Attempts) > 0 {
		line("ATTEMPT", "TARGET", "OUTCOME", "LATENCY (MS)")
		for i, a := range d.Attempts {
			line(i+1, cell(a.Provider+"/"+a.Model), cell(a.Outcome), figure(a.LatencyMs))
		}
		end()
	}
}

// figure writes a number to four decimals, without zeros at the end.
func figure(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", x), "0"), ".")
}

// cell takes what would spoil a table or a terminal out of a text.
func cell(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
