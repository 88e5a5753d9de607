package rest

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
)

// maxDecision bounds the header that carries a decision.
const maxDecision = 8 << 10

// writeReceipt says in headers what became of an AI call, as far as that is known. outcome is "" while it is not.
func (x *exchange) writeReceipt(r inbound.Receipt, outcome string) {
	h := &x.fc.Response.Header
	for _, f := range [...]header{
		{"X-Forge-Decision-Id", r.Decision.ID}, {"X-Forge-Provider", r.Provider}, {"X-Forge-Model", r.Model}, {"X-Forge-Cache", r.Cache},
	} {
		if f.value != "" {
			h.Set(f.name, f.value)
		}
	}
	x.writeAge(r)
	if len(r.Dropped) > 0 {
		h.Set("X-Forge-Dropped", namesIn(x.ownNames(r.Dropped)))
	}
	if x.explain && r.Decision.ID != "" {
		h.Set("X-Forge-Decision", decisionHeader(decisionOf(r, outcome)))
	}
}

// maxListed bounds the header that lists what was dropped: clients name their fields as they like.
const maxListed = 4 << 10

// namesIn writes names for a header. Those that do not fit are left out, and three dots stand for them.
func namesIn(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len()+len(name) > maxListed {
			b.WriteString("...")
			break
		}
		if !printable(name) {
			name = strings.Trim(strconv.QuoteToASCII(name), `"`)
		}
		b.WriteString(name)
	}
	return b.String()
}

// Decision explains how a call was routed.
type Decision struct {
	ID            string      `json:"id"`
	CreatedAt     time.Time   `json:"created_at"`
	TaskType      string      `json:"task_type"`
	PolicyVersion int64       `json:"policy_version"`
	SnapshotID    string      `json:"snapshot_id" doc:"The facts that it was made from"`
	Alias         string      `json:"alias,omitempty" doc:"The alias that was asked for"`
	Chosen        *TargetRef  `json:"chosen" doc:"Null when there is no candidate"`
	Candidates    []Candidate `json:"candidates" nullable:"false" doc:"Best first"`
	Excluded      []Exclusion `json:"excluded" nullable:"false"`
	Attempts      []Attempt   `json:"attempts" nullable:"false" doc:"Empty when no vendor was asked"`
	Outcome       *string     `json:"outcome" doc:"What became of the call: ok, or the code of its failure; null while it is not known, and when there was no call"`
	Trimmed       bool        `json:"trimmed,omitempty" doc:"Exclusions, and then candidates from the last, were left out for lack of room; GET /api/v1/router/decisions/{id} has all"`
}

// TargetRef names a provider and a model.
type TargetRef struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
}

// Candidate is a target that may serve, with what its score is made of.
type Candidate struct {
	Provider   string  `json:"provider"`
	Model      string  `json:"model"`
	Rank       int     `json:"rank" doc:"1 is best"`
	Score      float64 `json:"score" doc:"Lower is better"`
	CostCents  float64 `json:"cost_cents"`
	P95Ms      int     `json:"p95_ms"`
	P95Known   bool    `json:"p95_known"`
	EstInput   int     `json:"est_input_tokens"`
	EstOutput  int     `json:"est_output_tokens"`
	SLOPenalty float64 `json:"slo_penalty"`
}

// Exclusion is a target that may not serve, with the one reason.
type Exclusion struct {
	Provider string     `json:"provider"`
	Model    string     `json:"model"`
	Reason   string     `json:"reason" enum:"not_configured,task_type,policy,disabled,not_forced,not_pinned,capability,context_window,breaker_open,rate_limited"`
	Until    *time.Time `json:"until,omitempty" doc:"When that may end, if anybody knows"`
	Detail   string     `json:"detail,omitempty" doc:"Of capability: which; of rate_limited: that the credential was refused"`
}

// Attempt is one try of one target.
type Attempt struct {
	Provider  string  `json:"provider"`
	Model     string  `json:"model"`
	Outcome   string  `json:"outcome" enum:"ok,timeout,rate_limited,overloaded,server_error,connect_error,auth_error,bad_response,canceled"`
	LatencyMs float64 `json:"latency_ms"`
}

func attemptsOf(as []inbound.Attempt) []Attempt {
	out := make([]Attempt, len(as))
	for i, a := range as {
		out[i] = Attempt{Provider: a.Provider, Model: a.Model, Outcome: a.Outcome, LatencyMs: millis(a.Latency)}
	}
	return out
}

// decisionOf explains a call that was made.
func decisionOf(r inbound.Receipt, outcome string) Decision {
	d := explained(r.Decision)
	d.Attempts, d.Outcome = attemptsOf(r.Attempts), orNull(outcome)
	return d
}

// explained explains a decision on its own.
func explained(from routing.Decision) Decision {
	d := Decision{
		ID: from.ID, CreatedAt: from.At.UTC(), TaskType: string(from.Task), PolicyVersion: from.PolicyVersion, SnapshotID: from.SnapshotID,
		Candidates: make([]Candidate, len(from.Candidates)), Excluded: make([]Exclusion, len(from.Excluded)), Attempts: []Attempt{},
	}
	if a := from.Request.Alias; a != nil {
		d.Alias = a.Name
	}
	if c, ok := from.Chosen(); ok {
		d.Chosen = &TargetRef{Provider: c.Provider, Model: c.Model}
	}
	for i, c := range from.Candidates {
		d.Candidates[i] = Candidate{
			Provider: c.Provider, Model: c.Model, Rank: c.Rank, Score: c.Score, CostCents: c.CostCents, P95Ms: c.P95Ms, P95Known: c.P95Known,
			EstInput: c.EstInput, EstOutput: c.EstOutput, SLOPenalty: c.SLOPenalty,
		}
	}
	for i, e := range from.Excluded {
		d.Excluded[i] = Exclusion{
			Provider: e.Provider, Model: e.Model, Reason: string(e.Reason), Until: timeOrNull(e.Until), Detail: e.Detail,
		}
	}
	return d
}

// decisionHeader writes a decision for a header. When it is too large, exclusions and then candidates are left out, from the end.
func decisionHeader(d Decision) string {
	for {
		s := base64.RawURLEncoding.EncodeToString(encode(d))
		switch {
		case len(s) <= maxDecision:
			return s
		case len(d.Excluded) > 0:
			d.Excluded = d.Excluded[:len(d.Excluded)/2]
		case len(d.Candidates) > 1:
			d.Candidates = d.Candidates[:len(d.Candidates)/2]
		case len(d.Attempts) > 0:
			d.Attempts = d.Attempts[:len(d.Attempts)/2]
		default:
			return ""
		}
		d.Trimmed = true
	}
}

// dollars writes nano-dollars as a plain decimal, with no zeros at the end.
func dollars(nanos int64) string { return decimal(nanos, 9) }

// decimal writes n/10^places as a plain decimal.
func decimal(n int64, places int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	digits := strconv.FormatInt(n, 10)
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	whole, part := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
	if part == "" {
		return sign + whole
	}
	return sign + whole + "." + part
}
