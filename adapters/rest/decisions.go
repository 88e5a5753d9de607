package rest

import (
	"encoding/base64"
	"net/http"
	"regexp"

	"github.com/forge1/forge1/domain/routing"
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
	out := List[Decision]{Items: []Decision{}}
	for i, r := range records {
		if i == limit {
			next := base64.RawURLEncoding.EncodeToString([]byte(records[limit-1].Decision.ID))
			out.Next = &next
			break
		}
		out.Items = append(out.Items, recorded(r))
	}
	return x.reply(http.StatusOK, out)
}

// What the values of the list's filters look like.
var (
	providerFilter = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	modelFilter    = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,256}$`)
	outcomeFilter  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
)

func (x *exchange) decisionQuery() (q inbound.DecisionQuery, err error) {
	args := x.fc.QueryArgs()
	if q.TaskType = string(args.Peek("task_type")); q.TaskType != "" {
		if _, err := routing.ParseTaskType(q.TaskType); err != nil {
			return q, queryFault("task_type", "must be a task type; see /api/v1/ai/capabilities")
		}
	}
	for _, f := range []struct {
		name string
		dst  *string
		is   *regexp.Regexp
		must string
	}{
		{"provider", &q.Provider, providerFilter, "must be the name of a provider"},
		{"model", &q.Model, modelFilter, "must be the name of a model, without its provider"},
		{"outcome", &q.Outcome, outcomeFilter, "must be ok, or the code of a failure"},
	} {
		*f.dst = string(args.Peek(f.name))
		if *f.dst != "" && !f.is.MatchString(*f.dst) {
			return q, queryFault(f.name, f.must)
		}
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
	if q.Limit, err = x.limit(); err != nil {
		return q, err
	}
	if s := string(args.Peek("cursor")); s != "" {
		last, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || !auditFilter.Match(last) {
			return q, errCursor
		}
		q.Before = string(last)
	}
	return q, nil
}

// recorded shows a decision with what became of its call.
func recorded(r inbound.DecisionRecord) Decision {
	d := explained(r.Decision)
	d.Alias, d.Attempts, d.Outcome = r.Alias, attemptsOf(r.Attempts), orNull(r.Outcome)
	return d
}
