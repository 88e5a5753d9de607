package rest

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/fault"
)

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

// order is how a list is sorted: by a time and, where two are the same, as its source has it.
type order int

const (
	oldestFirst order = 1
	newestFirst order = -1
)

var errCursor = queryFault("cursor", "must be a next_cursor of this list")

// listParams documents limit and cursor.
func listParams() []param {
	return []param{
		{in: "query", name: "limit", doc: "50 when absent", schema: 0, min: 1, max: maxLimit},
		{in: "query", name: "cursor", doc: "next_cursor of the page before", schema: ""},
	}
}

// limit reads the size of a page.
func (x *exchange) limit() (int, error) {
	s := string(x.fc.QueryArgs().Peek("limit"))
	if s == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		return 0, queryFault("limit", "must be 1 to "+strconv.Itoa(maxLimit))
	}
	return n, nil
}

// page cuts a page out of a list, as the query's limit and cursor say. The cursor is the time and key of the last item shown; when that one
// has gone since, the page begins at the first item that is later in the order.
func page[T any](x *exchange, items []T, o order, key func(T) (time.Time, string)) (List[T], error) {
	limit, err := x.limit()
	if err != nil {
		return List[T]{}, err
	}
	if s := string(x.fc.QueryArgs().Peek("cursor")); s != "" {
		at, id, err := readCursor(s)
		if err != nil {
			return List[T]{}, err
		}
		items = items[after(items, o, at, id, key):]
	}
	out := List[T]{Items: append([]T{}, items[:min(limit, len(items))]...)}
	if len(items) > limit {
		at, id := key(items[limit-1])
		next := base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.UnixMicro(), 10) + " " + id))
		out.Next = &next
	}
	return out, nil
}

func readCursor(s string) (int64, string, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, "", errCursor
	}
	micros, id, ok := strings.Cut(string(b), " ")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !ok {
		return 0, "", errCursor
	}
	return at, id, nil
}

// after gives the index of the first item behind the one that a cursor names.
func after[T any](items []T, o order, at int64, id string, key func(T) (time.Time, string)) int {
	for i, item := range items {
		if _, k := key(item); k == id {
			return i + 1
		}
	}
	i := slices.IndexFunc(items, func(item T) bool {
		t, k := key(item)
		switch d := t.UnixMicro() - at; {
		case d == 0:
			return (k > id) == (o == oldestFirst)
		default:
			return (d > 0) == (o == oldestFirst)
		}
	})
	if i < 0 {
		return len(items)
	}
	return i
}

// mapList puts the items of a page in another form.
func mapList[T, U any](in List[T], f func(T) U) List[U] {
	out := List[U]{Items: make([]U, len(in.Items)), Next: in.Next}
	for i, item := range in.Items {
		out.Items[i] = f(item)
	}
	return out
}

// queryTime reads a time of the query; the zero time when it is absent.
func (x *exchange) queryTime(name string) (time.Time, error) {
	s := string(x.fc.QueryArgs().Peek(name))
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.IsZero() {
		return time.Time{}, queryFault(name, "must be a time such as 2030-01-31T12:00:00Z")
	}
	return t.UTC(), nil
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
