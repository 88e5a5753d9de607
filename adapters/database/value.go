package database

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	bundialect "github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/forge1/forge1/domain/fault"
)

// instant is a time in a column: timestamptz on Postgres, whole microseconds since 1970 on SQLite, NULL for the zero time. Both come back as
// UTC to the microsecond.
type instant struct{ time.Time }

var (
	_ schema.QueryAppender = instant{}
	_ sql.Scanner          = (*instant)(nil)
)

// at makes a column's time.
func at(t time.Time) instant { return instant{t} }

// AppendQuery implements schema.QueryAppender.
func (i instant) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if i.IsZero() {
		return append(b, "NULL"...), nil
	}
	if gen.Dialect().Name() == bundialect.SQLite {
		return strconv.AppendInt(b, i.UnixMicro(), 10), nil
	}
	b = append(b, '\'')
	b = i.UTC().Truncate(time.Microsecond).AppendFormat(b, "2006-01-02 15:04:05.999999")
	return append(b, "+00'::timestamptz"...), nil
}

// Scan implements sql.Scanner.
func (i *instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		i.Time = time.Time{}
	case int64:
		i.Time = time.UnixMicro(v).UTC()
	case time.Time:
		i.Time = v.UTC()
	default:
		return fmt.Errorf("a time cannot be read from %T", src)
	}
	return nil
}

// list is a value kept as JSON: jsonb on Postgres, text on SQLite.
type list[T any] struct{ Of T }

// listOf makes a column's list.
func listOf[T any](v T) list[T] { return list[T]{v} }

// Value implements driver.Valuer, which is the one interface that Bun asks for in a column of JSON.
func (l list[T]) Value() (driver.Value, error) {
	raw, err := json.Marshal(l.Of)
	return string(raw), err
}

// Scan implements sql.Scanner. NULL, which an outer join gives, is the zero list.
func (l *list[T]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		l.Of = *new(T)
		return nil
	case string:
		return json.Unmarshal([]byte(v), &l.Of)
	case []byte:
		return json.Unmarshal(v, &l.Of)
	default:
		return fmt.Errorf("JSON cannot be read from %T", src)
	}
}

// key is a text that rows are looked up by. One that no column can hold becomes NULL, which equals nothing, so that it is simply not found.
type key string

// AppendQuery implements schema.QueryAppender.
func (k key) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if !storable(string(k)) {
		return append(b, "NULL"...), nil
	}
	return gen.Dialect().AppendString(b, string(k)), nil
}

// storable reports whether both databases keep a text as it is: UTF-8 without NUL.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// mended gives a text that both databases keep: what is no UTF-8, and NUL, becomes U+FFFD.
func mended(s string) string {
	if storable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// errText is a text that cannot be kept. Postgres says so with SQLSTATE 22021; asking first keeps the transaction good, and SQLite alike.
var errText = fault.ErrValidation.Saying("text must be UTF-8 without NUL")

// checkText looks at every text of a row. It fails with errText.
func checkText(row any) error {
	if !textIn(reflect.ValueOf(row)) {
		return errText
	}
	return nil
}

func textIn(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return storable(v.String())
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || textIn(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return true
		}
		for i := range v.NumField() {
			if !textIn(v.Field(i)) {
				return false
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return true
		}
		for i := range v.Len() {
			if !textIn(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if !textIn(k) || !textIn(v.MapIndex(k)) {
				return false
			}
		}
	}
	return true
}
