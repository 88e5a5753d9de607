package rest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/ports/inbound"
)

// UsageGroup is a sum over calls. It has those of the first seven that group_by names.
type UsageGroup struct {
	Day      *string `json:"day,omitempty" doc:"Of UTC, as 2006-01-02"`
	Model    *string `json:"model,omitempty" doc:"Empty: none was reached"`
	Provider *string `json:"provider,omitempty" doc:"Empty: none was reached"`
	TaskType *string `json:"task_type,omitempty"`
	Member   *string `json:"member,omitempty" doc:"A user's id"`
	Key      *string `json:"key,omitempty" doc:"An API key's id; empty: sessions"`
	Tag      *string `json:"tag,omitempty" doc:"Empty: calls without tags"`

	Calls        int64  `json:"calls"`
	InputTokens  int64  `json:"input_tokens" doc:"Cached and cache-write tokens included"`
	OutputTokens int64  `json:"output_tokens" doc:"Reasoning tokens included"`
	CachedTokens int64  `json:"cached_tokens"`
	CostUSD      string `json:"cost_usd" doc:"Decimal; of the calls that have a price"`
	Unpriced     int64  `json:"unpriced_calls" doc:"Calls that used tokens of a model without a price: their cost is not in cost_usd"`
}

// set puts a value in the field of its dimension.
func (g *UsageGroup) set(by inbound.UsageDimension, value string) {
	*map[inbound.UsageDimension]**string{
		inbound.UsageDay: &g.Day, inbound.UsageModel: &g.Model, inbound.UsageProvider: &g.Provider, inbound.UsageTaskType: &g.TaskType,
		inbound.UsageMember: &g.Member, inbound.UsageKey: &g.Key, inbound.UsageTag: &g.Tag,
	}[by] = &value
}

// maxDimensions is how many dimensions a summary may have.
const maxDimensions = 3

func (x *exchange) usage() error {
	q, err := x.usageQuery()
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is another page
	groups, err := x.s.deps.Usage.Summary(x.ctx, x.caller, q)
	if err != nil {
		return err
	}
	out := List[UsageGroup]{Items: []UsageGroup{}}
	for i, g := range groups {
		if i == limit {
			next := base64.RawURLEncoding.EncodeToString(encode(groups[limit-1].Values))
			out.Next = &next
			break
		}
		item := UsageGroup{
			Calls: g.Calls, InputTokens: g.InputTokens, OutputTokens: g.OutputTokens, CachedTokens: g.CachedTokens, CostUSD: dollars(g.CostNanos), Unpriced: g.Unpriced,
		}
		for n, by := range q.By {
			item.set(by, g.Values[n])
		}
		out.Items = append(out.Items, item)
	}
	return x.reply(http.StatusOK, out)
}

func (x *exchange) usageQuery() (q inbound.UsageQuery, err error) {
	if q.From, q.To, err = x.span(); err != nil {
		return q, err
	}
	if q.By, err = x.dimensions(); err != nil {
		return q, err
	}
	if q.Limit, err = x.limit(); err != nil {
		return q, err
	}
	if s := string(x.fc.QueryArgs().Peek("cursor")); s != "" {
		last, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || json.Unmarshal(last, &q.After) != nil || len(q.After) != len(q.By) {
			return q, errCursor
		}
	}
	return q, nil
}

// dimensions reads group_by.
func (x *exchange) dimensions() ([]inbound.UsageDimension, error) {
	args := x.fc.QueryArgs()
	if !args.Has("group_by") {
		return []inbound.UsageDimension{inbound.UsageDay}, nil
	}
	var by []inbound.UsageDimension
	for name := range strings.SplitSeq(string(args.Peek("group_by")), ",") {
		d := inbound.UsageDimension(name)
		if !slices.Contains(inbound.UsageDimensions(), d) || slices.Contains(by, d) || len(by) == maxDimensions {
			return nil, queryFault("group_by", "must be one to three of day, model, provider, task_type, member, key and tag, each once, separated by commas")
		}
		by = append(by, d)
	}
	return by, nil
}

// span reads from and to. A day is one of UTC, and to includes it.
func (x *exchange) span() (from, to time.Time, err error) {
	if from, _, err = x.queryDay("from"); err != nil {
		return from, to, err
	}
	to, day, err := x.queryDay("to")
	if err != nil {
		return from, to, err
	}
	if day {
		to = to.AddDate(0, 0, 1)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, queryFault("to", "must be later than from")
	}
	return from, to, nil
}

// queryDay reads a time, or the beginning of a day.
func (x *exchange) queryDay(name string) (at time.Time, day bool, err error) {
	s := string(x.fc.QueryArgs().Peek(name))
	if at, err := time.Parse(time.DateOnly, s); err == nil && at.Year() > 0 && !at.IsZero() {
		return at, true, nil
	}
	if at, err = x.queryTime(name); err != nil {
		return at, false, queryFault(name, "must be a day such as 2030-01-31, or a time such as 2030-01-31T12:00:00Z")
	}
	return at, false, nil
}

func (x *exchange) usageCalls() error {
	q, err := x.callQuery()
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is another page
	records, err := x.s.deps.Usage.Calls(x.ctx, x.caller, q)
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, pageOf(records, limit, func(r *inbound.CallRecord) string { return r.ID }, callRowOf))
}

func (x *exchange) callQuery() (q inbound.CallQuery, err error) {
	if q.From, q.To, err = x.span(); err != nil {
		return q, err
	}
	if err = x.callFilters(&q.TaskType, &q.Provider, &q.Model, &q.Outcome); err != nil {
		return q, err
	}
	err = x.filters(
		filter{"member", &q.Member, auditFilter, "must be a user's id"},
		filter{"key", &q.Key, auditFilter, "must be an API key's id"},
		filter{"tag", &q.Tag, textFilter, "must be a tag"},
		filter{"end_user", &q.EndUser, textFilter, "must be the name of an end user"},
	)
	if err != nil {
		return q, err
	}
	err = x.window(&q.Limit, &q.Before)
	return q, err
}
