package decisions_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// TestTheKeptFormsStay holds what is written against what stores hold already. A change here is another version.
func TestTheKeptFormsStay(t *testing.T) {
	at := time.Unix(1_760_000_000, 123_456_789)
	m := routing.ModelFacts{
		Model: "m", Known: true, Tasks: []routing.TaskType{routing.Review}, Vision: true, Tools: true, Schema: true, Context: 1000,
		Price: routing.Price{Input: 5, Tiers: []routing.Tier{{Above: 200_000, Price: routing.Price{Output: 7}}}},
		State: routing.State{OpenUntil: at, RestUntil: at.Add(time.Second), Refused: true},
	}
	m.Set(routing.General, routing.Figures{P95Ms: 1, Samples: 2, OutputTokens: 3})
	m.Set(routing.Review, routing.Figures{P95Ms: 4})
	const model = `{"model":"m","known":true,"tasks":["review"],"vision":true,"tools":true,"schema":true,"context":1000,` +
		`"price":{"Input":5,"Tiers":[{"Above":200000,"Price":{"Output":7}}]},"open_until":[1760000000,123456789],"rest_until":[1760000001,123456789],"refused":true,"figures":{"general":[1,2,3],"review":[4,0,0]}}`

	r := routing.Request{
		Task: routing.General, Pin: &routing.Target{Provider: "openai", Model: "a/b"}, Draw: 1<<64 - 1, SLOMs: 1, InputTokens: 2, MaxTokens: 3,
		Vision: true, Tools: true, Schema: true,
		Alias: &routing.Alias{Name: "fast", Mode: routing.Weighted, Targets: []routing.AliasTarget{{Target: routing.Target{Provider: "p", Model: `q"`}, Weight: 0.1}}},
	}
	d := routing.Decision{ID: "d", At: at, Task: routing.General, Request: r, PolicyVersion: 7, SnapshotID: "s"}
	d.Candidates = []routing.Candidate{{
		Target: routing.Target{Provider: "p", Model: "m"}, Rank: 1, Score: 1.5, CostCents: 1e-7, P95Ms: 9, P95Known: true, EstInput: 2, EstOutput: 3, SLOPenalty: 0.25,
	}}
	d.Excluded = []routing.Exclusion{{Target: routing.Target{Provider: "x", Model: "y"}, Reason: routing.RateLimited, Until: at, Detail: routing.CredentialRefused}}
	attempts := []outbound.CallAttempt{{Provider: "p", Model: "m", Outcome: "ok", LatencyMs: 5}}
	_, policy := decisions.EncodePolicy(routing.NewPolicy("t", routing.Defaults{Order: []string{"p", "x"}}))

	for what, c := range map[string]struct{ got, want string }{
		"inputs": {
			string(decisions.EncodeInputs(r, []routing.Reading{{Provider: "p", Model: m, Whole: true}})),
			`{"v":1,"request":{"task":"general","pin":{"provider":"openai","model":"a/b"},"alias":{"name":"fast","mode":"weighted",` +
				`"targets":[{"provider":"p","model":"q\"","weight":0.1}]},"draw":18446744073709551615,"slo_ms":1,"input_tokens":2,"max_tokens":3,` +
				`"vision":true,"tools":true,"schema":true},"readings":[{"provider":"p","model":` + model + `,"whole":true}]}`,
		},
		"few inputs": {string(decisions.EncodeInputs(routing.Request{Task: routing.Review}, nil)), `{"v":1,"request":{"task":"review"}}`},
		"facts": {
			string(decisions.EncodeFacts(routing.Facts{SnapshotID: "s", At: at, Providers: []routing.ProviderFacts{
				{Name: "p", Configured: true, DefaultModel: "m", Models: []routing.ModelFacts{m}}, {Name: "x"},
			}})),
			`{"v":1,"snapshot_id":"s","at":[1760000000,123456789],"providers":[{"name":"p","configured":true,"default_model":"m","models":[` + model + `]},` +
				`{"name":"x","default_model":"","models":[]}]}`,
		},
		"policy": {
			string(policy), `{"v":1,"version":1,"cost":1,"latency":0.01,"slo_penalty":0.5,"order":["p","x"],"routes":{},"allowed_models":[],"flags":[],` +
				`"max_attempts":3,"deadline_ns":0}`,
		},
		"decision": {
			string(decisions.AppendShown(nil, d, attempts, "ok")),
			`{"id":"d","created_at":"2025-10-09T08:53:20.123456789Z","task_type":"general","policy_version":7,"snapshot_id":"s","alias":"fast",` +
				`"chosen":{"provider":"p","model":"m"},"candidates":[{"provider":"p","model":"m","rank":1,"score":1.5,"cost_cents":1e-07,"p95_ms":9,` +
				`"p95_known":true,"est_input_tokens":2,"est_output_tokens":3,"slo_penalty":0.25}],"excluded":[{"provider":"x","model":"y","reason":"rate_limited",` +
				`"until":"2025-10-09T08:53:20.123456789Z","detail":"credential refused"}],"attempts":[{"provider":"p","model":"m","outcome":"ok","latency_ms":5}],"outcome":"ok"}`,
		},
		"decision under way": {
			string(decisions.AppendShown(nil, routing.Decision{ID: "d", Task: routing.General}, nil, "")),
			`{"id":"d","created_at":"0001-01-01T00:00:00Z","task_type":"general","policy_version":0,"snapshot_id":"","chosen":null,"candidates":[],"excluded":[],` +
				`"attempts":[],"outcome":null}`,
		},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
