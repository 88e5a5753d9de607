package rest

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/fault"
)

// The bounds of JSON bodies: of sign-in and management, and of AI routes, whose messages and schemas nest.
var (
	smallJSON = strictjson.Limits{Depth: 4, Keys: 32}
	largeJSON = strictjson.Limits{Depth: 200, Keys: 10_000, Values: 200_000, NUL: true}
)

// decode reads the body into a value of the route's body type.
func (x *exchange) decode(dst any) error {
	body := x.fc.Request.Body()
	if len(body) == 0 && x.route.bodyOptional {
		body = []byte("{}")
	}
	limits := smallJSON
	if x.route.large {
		limits = largeJSON
	}
	return strictjson.Decode(body, dst, limits)
}

// The bounds of a list's page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// List is a page of a list.
type List[T any] struct {
	Items []T     `json:"items" nullable:"false"`
	Next  *string `json:"next_cursor" doc:"Give it as cursor for the next page; null on the last"`
}

// page cuts a page out of a list, as the query's limit and cursor say. The cursor is the key of the last item shown.
func page[T any](x *exchange, items []T, key func(T) string) (List[T], error) {
	q := x.fc.QueryArgs()
	limit := defaultLimit
	if s := string(q.Peek("limit")); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxLimit {
			return List[T]{}, queryFault("limit", "must be 1 to "+strconv.Itoa(maxLimit))
		}
		limit = n
	}
	if s := string(q.Peek("cursor")); s != "" {
		last, err := base64.RawURLEncoding.DecodeString(s)
		i := slices.IndexFunc(items, func(item T) bool { return key(item) == string(last) })
		if err != nil || i < 0 {
			return List[T]{}, queryFault("cursor", "must be a next_cursor of this list")
		}
		items = items[i+1:]
	}
	out := List[T]{Items: append([]T{}, items[:min(limit, len(items))]...)}
	if len(items) > limit {
		next := base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1])))
		out.Next = &next
	}
	return out, nil
}

func queryFault(name, message string) error {
	return fault.ErrValidation.At(fault.Field{Pointer: name, Code: "invalid_value", Message: message})
}

// orNull gives nil for "", so that JSON says null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
