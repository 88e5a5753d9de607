package rest

import (
	"net/http"

	"github.com/forge1/forge1/domain/tenant"
)

// decisionRoutes lists how the router is asked why: before a call, and after it. Platform administrators may ask of any tenant's calls.
func decisionRoutes() []route {
	r := func(path string, of route) route {
		of.method, of.pattern, of.access, of.scope, of.tag = http.MethodGet, "/api/v1/router/"+path, scopedKey, tenant.ScopeRouter, "router"
		return of
	}
	id := []param{{in: "path", name: "id", doc: "As in X-Forge-Decision-Id and metadata.decision_id", schema: ""}}
	return append([]route{{
		method: http.MethodPost, pattern: "/api/v1/router/explain", access: scopedKey, scope: tenant.ScopeRouter, large: true, id: "explain",
		tag: "router", summary: "Decide without asking a vendor",
		doc:    "The decision that execute would make of the same body now, also when nobody could serve it: then chosen is null. It is of no call, so it is not kept.",
		params: aiHeaders(), body: ExecuteBody{}, example: exampleTask, handle: (*exchange).explainRoute,
		replies: []answer{{status: 200, doc: "The decision", body: Decision{}}}, faults: []int{404, 422, 503},
	}}, inAnyTenant([]route{
		r("decisions", route{
			id: "list-decisions", summary: "List the decisions of calls", handle: (*exchange).listDecisions, params: append(listParams(),
				param{in: "query", name: "task_type", doc: "Of this task type alone", schema: "", enum: taskTypes()},
				param{in: "query", name: "provider", doc: "Whose first choice was this provider", schema: ""},
				param{in: "query", name: "model", doc: "Whose first choice was this model", schema: ""},
				param{in: "query", name: "outcome", doc: "ok, or the code of the call's failure", schema: ""},
				param{in: "query", name: "from", doc: "At or after this time (RFC 3339)", schema: ""},
				param{in: "query", name: "to", doc: "Before this time (RFC 3339)", schema: ""},
			),
			replies: []answer{{status: 200, doc: "Newest first", body: List[Decision]{}}},
		}),
		r("decisions/{id}", route{
			id: "decision", summary: "Why a call went where it went",
			doc:    "There from the moment that the call was decided on the node that did, within two seconds on others, until it is swept.",
			params: id, handle: (*exchange).decision, faults: []int{404}, replies: []answer{{status: 200, doc: "The decision", body: Decision{}}},
		}),
		r("decisions/{id}/replay", route{
			id: "replay-decision", summary: "Make a decision again",
			doc:    "From the policy and the facts that it was made from, which are kept with it. 404 facts_gone when they no longer are.",
			params: id, handle: (*exchange).replayDecision, faults: []int{404},
			replies: []answer{{status: 200, doc: "What it comes to", body: Replay{}}},
		}),
	})...)
}
