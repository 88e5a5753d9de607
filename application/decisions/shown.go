package decisions

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// AppendShown writes a decision, with what became of its call, as it is kept. An outcome of "" is not known yet. By hand, because every call does it:
// reflection would cost more than the decision itself.
func AppendShown(b []byte, d routing.Decision, attempts []outbound.CallAttempt, outcome string) []byte {
	if b == nil {
		b = make([]byte, 0, 320+256*len(d.Candidates)+128*len(d.Excluded)+96*len(attempts))
	}
	b = appendText(append(b, `{"id":`...), d.ID)
	b = appendTime(append(b, `,"created_at":`...), d.At)
	b = appendText(append(b, `,"task_type":`...), string(d.Task))
	b = strconv.AppendInt(append(b, `,"policy_version":`...), d.PolicyVersion, 10)
	b = appendText(append(b, `,"snapshot_id":`...), d.SnapshotID)
	if d.Request.Alias != nil {
		b = appendText(append(b, `,"alias":`...), d.Request.Alias.Name)
	}
	if chosen, ok := d.Chosen(); ok {
		b = append(appendTarget(append(b, `,"chosen":{`...), chosen.Target), '}')
	} else {
		b = append(b, `,"chosen":null`...)
	}
	b = append(b, `,"candidates":[`...)
	for i := range d.Candidates {
		b = appendCandidate(separate(b, i), &d.Candidates[i])
	}
	b = append(b, `],"excluded":[`...)
	for i := range d.Excluded {
		b = appendExclusion(separate(b, i), &d.Excluded[i])
	}
	b = append(b, `],"attempts":[`...)
	for i := range attempts {
		a := &attempts[i]
		b = appendTarget(append(separate(b, i), '{'), routing.Target{Provider: a.Provider, Model: a.Model})
		b = appendText(append(b, `,"outcome":`...), a.Outcome)
		b = append(strconv.AppendInt(append(b, `,"latency_ms":`...), a.LatencyMs, 10), '}')
	}
	if outcome == "" {
		return append(b, `],"outcome":null}`...)
	}
	return append(appendText(append(b, `],"outcome":`...), outcome), '}')
}

func appendCandidate(b []byte, c *routing.Candidate) []byte {
	b = appendTarget(append(b, '{'), c.Target)
	b = strconv.AppendInt(append(b, `,"rank":`...), int64(c.Rank), 10)
	b = appendNumber(append(b, `,"score":`...), c.Score)
	b = appendNumber(append(b, `,"cost_cents":`...), c.CostCents)
	b = strconv.AppendInt(append(b, `,"p95_ms":`...), int64(c.P95Ms), 10)
	b = strconv.AppendBool(append(b, `,"p95_known":`...), c.P95Known)
	b = strconv.AppendInt(append(b, `,"est_input_tokens":`...), int64(c.EstInput), 10)
	b = strconv.AppendInt(append(b, `,"est_output_tokens":`...), int64(c.EstOutput), 10)
	return append(appendNumber(append(b, `,"slo_penalty":`...), c.SLOPenalty), '}')
}

func appendExclusion(b []byte, x *routing.Exclusion) []byte {
	b = appendTarget(append(b, '{'), x.Target)
	b = appendText(append(b, `,"reason":`...), string(x.Reason))
	if !x.Until.IsZero() {
		b = appendTime(append(b, `,"until":`...), x.Until)
	}
	if x.Detail != "" {
		b = appendText(append(b, `,"detail":`...), x.Detail)
	}
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

type keptDecision struct {
	ID            string           `json:"id"`
	CreatedAt     time.Time        `json:"created_at"`
	Task          routing.TaskType `json:"task_type"`
	PolicyVersion int64            `json:"policy_version"`
	SnapshotID    string           `json:"snapshot_id"`
	Alias         string           `json:"alias"`
	Candidates    []keptCandidate  `json:"candidates"`
	Excluded      []keptExclusion  `json:"excluded"`
	Attempts      []keptAttempt    `json:"attempts"`
	Outcome       string           `json:"outcome"`
}

type keptCandidate struct {
	keptTarget
	Rank       int     `json:"rank"`
	Score      float64 `json:"score"`
	CostCents  float64 `json:"cost_cents"`
	P95Ms      int     `json:"p95_ms"`
	P95Known   bool    `json:"p95_known"`
	EstInput   int     `json:"est_input_tokens"`
	EstOutput  int     `json:"est_output_tokens"`
	SLOPenalty float64 `json:"slo_penalty"`
}

type keptExclusion struct {
	keptTarget
	Reason routing.Reason `json:"reason"`
	Until  time.Time      `json:"until"`
	Detail string         `json:"detail"`
}

type keptAttempt struct {
	keptTarget
	Outcome   string `json:"outcome"`
	LatencyMs int64  `json:"latency_ms"`
}

// DecodeShown reads what AppendShown wrote, of any version: of a decision's kept form, later versions say more and nothing else.
func DecodeShown(b []byte) (inbound.DecisionRecord, error) {
	var in keptDecision
	if err := json.Unmarshal(b, &in); err != nil {
		return inbound.DecisionRecord{}, fmt.Errorf("decode decision: %w", err)
	}
	r := inbound.DecisionRecord{Alias: in.Alias, Outcome: in.Outcome, Decision: routing.Decision{
		ID: in.ID, At: in.CreatedAt, Task: in.Task, PolicyVersion: in.PolicyVersion, SnapshotID: in.SnapshotID,
	}}
	for _, c := range in.Candidates {
		r.Decision.Candidates = append(r.Decision.Candidates, routing.Candidate{
			Target: c.target(), Rank: c.Rank, Score: c.Score, CostCents: c.CostCents, P95Ms: c.P95Ms, P95Known: c.P95Known,
			EstInput: c.EstInput, EstOutput: c.EstOutput, SLOPenalty: c.SLOPenalty,
		})
	}
	for _, x := range in.Excluded {
		r.Decision.Excluded = append(r.Decision.Excluded, routing.Exclusion{Target: x.target(), Reason: x.Reason, Until: x.Until, Detail: x.Detail})
	}
	for _, a := range in.Attempts {
		r.Attempts = append(r.Attempts, inbound.Attempt{
			Provider: a.Provider, Model: a.Model, Outcome: a.Outcome, Latency: time.Duration(a.LatencyMs) * time.Millisecond,
		})
	}
	return r, nil
}
