package inbound

import (
	"context"
	"time"
)

// Quota is how a limit stands that the caller may know of, for the RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10).
type Quota struct {
	Policy    string // such as login-ip
	Limit     int
	Window    time.Duration
	Remaining int
	Reset     time.Duration
}

// Quotas gathers the limits that one request met. It is used by one goroutine.
type Quotas struct{ Met []Quota }

type quotasKey struct{}

// WithQuotas has the limits that a request meets gathered.
func WithQuotas(ctx context.Context, q *Quotas) context.Context {
	return context.WithValue(ctx, quotasKey{}, q)
}

// Meet tells whoever gathers them how a limit stands; a later word on the same policy replaces an earlier one.
func Meet(ctx context.Context, met Quota) {
	q, _ := ctx.Value(quotasKey{}).(*Quotas)
	if q == nil {
		return
	}
	for i := range q.Met {
		if q.Met[i].Policy == met.Policy {
			q.Met[i] = met
			return
		}
	}
	q.Met = append(q.Met, met)
}

type originKey struct{}

// WithOrigin says where a request came from, for the use-cases that take a Caller.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf gives where a request came from; the zero Origin is the installation itself.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
