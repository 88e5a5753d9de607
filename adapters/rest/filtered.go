package rest

import (
	"encoding/base64"
	"regexp"

	"github.com/forge1/forge1/domain/routing"
)

// What lists that their store cuts into pages have in common: filters, the size of a page, and a cursor that is the id of the last item shown.

// filter is a parameter that narrows a list.
type filter struct {
	name string
	into *string
	is   *regexp.Regexp
	must string // what is said when it is not
}

// What the values of filters look like.
var (
	auditFilter    = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,128}$`) // the name of an event, or an id
	providerFilter = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	modelFilter    = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,256}$`)
	outcomeFilter  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	textFilter     = regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,256}$`) // tags and end users
)

// filters reads the parameters that narrow a list; one that is left out is "".
func (x *exchange) filters(all ...filter) error {
	for _, f := range all {
		*f.into = string(x.fc.QueryArgs().Peek(f.name))
		if *f.into != "" && !f.is.MatchString(*f.into) {
			return queryFault(f.name, f.must)
		}
	}
	return nil
}

// callFilters reads the filters that lists of calls share: task type, provider, model and outcome.
func (x *exchange) callFilters(task, provider, model, outcome *string) error {
	if *task = string(x.fc.QueryArgs().Peek("task_type")); *task != "" {
		if _, err := routing.ParseTaskType(*task); err != nil {
			return queryFault("task_type", "must be a task type; see /api/v1/ai/capabilities")
		}
	}
	return x.filters(
		filter{"provider", provider, providerFilter, "must be the name of a provider"},
		filter{"model", model, modelFilter, "must be the name of a model, without its provider"},
		filter{"outcome", outcome, outcomeFilter, "must be ok, or the code of a failure"},
	)
}

// window reads the size of a page and the id that it begins after.
func (x *exchange) window(limit *int, before *string) (err error) {
	if *limit, err = x.limit(); err != nil {
		return err
	}
	s := string(x.fc.QueryArgs().Peek("cursor"))
	if s == "" {
		return nil
	}
	last, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || !auditFilter.Match(last) {
		return errCursor
	}
	*before = string(last)
	return nil
}

// pageOf shows at most limit of the items, of which there is one more when there is another page.
func pageOf[T, U any](items []T, limit int, id func(*T) string, show func(*T) U) List[U] {
	out := List[U]{Items: make([]U, 0, min(limit, len(items)))}
	for i := range items[:min(limit, len(items))] {
		out.Items = append(out.Items, show(&items[i]))
	}
	if len(items) > limit {
		next := base64.RawURLEncoding.EncodeToString([]byte(id(&items[limit-1])))
		out.Next = &next
	}
	return out
}
