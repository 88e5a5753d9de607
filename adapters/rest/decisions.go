package rest

import (
	"net/http"

	"github.com/forge1/forge1/ports/inbound"
)

// outcomeOK is the outcome of a call that was answered.
const outcomeOK = "ok"

// Replay is a decision made again from what it was made from.
type Replay struct {
	Same     bool     `json:"same" doc:"Every candidate with its figures and every exclusion with its reason is what it was"`
	Decision Decision `json:"decision" doc:"As it was made again; without attempts and outcome"`
}

// explainRoute decides without asking a vendor.
func (x *exchange) explainRoute() error {
	c, _, _, err := x.task()
	if err != nil {
		return err
	}
	d, err := x.s.deps.Gateway.Explain(x.ctx, c)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, explained(d))
}

func (x *exchange) decision() error {
	r, err := x.s.deps.Decisions.Find(x.ctx, x.caller, x.pathParam("id"))
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, recorded(r))
}

func (x *exchange) replayDecision() error {
	r, err := x.s.deps.Decisions.Replay(x.ctx, x.caller, x.pathParam("id"))
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, Replay{Same: r.Same, Decision: explained(r.Decision)})
}

func (x *exchange) listDecisions() error {
	q, err := x.decisionQuery()
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is another page
	records, err := x.s.deps.Decisions.List(x.ctx, x.caller, q)
	if err != nil {
		return err
	}
	id := func(r *inbound.DecisionRecord) string { return r.Decision.ID }
	return x.reply(http.StatusOK, pageOf(records, limit, id, func(r *inbound.DecisionRecord) Decision { return recorded(*r) }))
}

func (x *exchange) decisionQuery() (q inbound.DecisionQuery, err error) {
	if err = x.callFilters(&q.TaskType, &q.Provider, &q.Model, &q.Outcome); err != nil {
		return q, err
	}
	if q.From, err = x.queryTime("from"); err != nil {
		return q, err
	}
	if q.To, err = x.queryTime("to"); err != nil {
		return q, err
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, queryFault("to", "must be later than from")
	}
	err = x.window(&q.Limit, &q.Before)
	return q, err
}

// recorded shows a decision with what became of its call.
func recorded(r inbound.DecisionRecord) Decision {
	d := explained(r.Decision)
	d.Alias, d.Attempts, d.Outcome = r.Alias, attemptsOf(r.Attempts), orNull(r.Outcome)
	return d
}
