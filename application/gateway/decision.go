package gateway

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// appendDecision writes a decision, with what became of it, as the JSON that is kept and shown. By hand, because every call does it: reflection
// would cost more than the decision itself.
func appendDecision(b []byte, d routing.Decision, attempts []outbound.CallAttempt, outcome string) []byte {
	if b == nil {
		b = make([]byte, 0, 256+256*len(d.Candidates)+96*(len(d.Excluded)+len(attempts)))
	}
	b = appendText(append(b, `{"id":`...), d.ID)
	b = append(b, `,"created_at":"`...)
	b = append(d.At.UTC().AppendFormat(b, time.RFC3339Nano), '"')
	b = appendText(append(b, `,"task_type":`...), string(d.Task))
	b = strconv.AppendInt(append(b, `,"policy_version":`...), d.PolicyVersion, 10)
	b = appendText(append(b, `,"snapshot_id":`...), d.SnapshotID)
	if chosen, ok := d.Chosen(); ok {
		b = append(appendTarget(append(b, `,"chosen":{`...), chosen.Target), '}')
	} else {
		b = append(b, `,"chosen":null`...)
	}
	b = append(b, `,"candidates":[`...)
	for i, c := range d.Candidates {
		b = appendCandidate(separate(b, i), c)
	}
	b = append(b, `],"excluded":[`...)
	for i, x := range d.Excluded {
		b = appendTarget(append(separate(b, i), '{'), x.Target)
		b = append(appendText(append(b, `,"reason":`...), string(x.Reason)), '}')
	}
	b = append(b, `],"attempts":[`...)
	for i, a := range attempts {
		b = appendTarget(append(separate(b, i), '{'), routing.Target{Provider: a.Provider, Model: a.Model})
		b = appendText(append(b, `,"outcome":`...), a.Outcome)
		b = append(strconv.AppendInt(append(b, `,"latency_ms":`...), a.LatencyMs, 10), '}')
	}
	return append(appendText(append(b, `],"outcome":`...), outcome), '}')
}

func appendCandidate(b []byte, c routing.Candidate) []byte {
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

func appendTarget(b []byte, t routing.Target) []byte {
	return appendText(append(appendText(append(b, `"provider":`...), t.Provider), `,"model":`...), t.Model)
}

func separate(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendNumber writes a number that JSON can hold.
func appendNumber(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = math.MaxFloat64
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendText writes a string. What comes here is valid UTF-8 without control characters: see plausible.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return append(append(b, s...), '"')
		}
		b = append(append(b, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
}
