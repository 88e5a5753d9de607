// Package decisions keeps routing decisions explainable: what is kept of one reads back as it was, and can be made again from the facts that it was
// made from. codec.go writes what a decision was made from, decode.go reads it, shown.go is the decision as it is kept and shown, and decisions.go
// finds, lists and replays.
package decisions

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/routing"
)

// version is that of every format here. What is kept under another one is refused rather than half understood.
const version = 1

// inputsHead begins the inputs.
const inputsHead = `{"v":1,"request":{"task":`

// EncodeInputs writes what a decision was asked and what it read that its snapshot does not say. It is written by hand, because every call does it.
func EncodeInputs(r routing.Request, readings []routing.Reading) []byte {
	b := make([]byte, 0, 192+288*len(readings))
	b = appendText(append(b, inputsHead...), string(r.Task))
	if r.Pin != nil {
		b = appendTarget(append(b, `,"pin":{`...), *r.Pin)
		b = append(b, '}')
	}
	if r.Alias != nil {
		b = appendAlias(append(b, `,"alias":`...), r.Alias)
	}
	if r.Draw != 0 {
		b = strconv.AppendUint(append(b, `,"draw":`...), r.Draw, 10)
	}
	b = appendCount(b, `,"slo_ms":`, r.SLOMs)
	b = appendCount(b, `,"input_tokens":`, r.InputTokens)
	b = appendCount(b, `,"max_tokens":`, r.MaxTokens)
	b = appendSet(b, `,"embedding":true`, r.Embedding)
	b = appendSet(b, `,"vision":true`, r.Vision)
	b = appendSet(b, `,"tools":true`, r.Tools)
	b = appendSet(b, `,"schema":true`, r.Schema)
	b = append(b, '}')
	if len(readings) > 0 {
		b = append(b, `,"readings":[`...)
		for i := range readings {
			b = appendReading(separate(b, i), &readings[i])
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendAlias(b []byte, a *routing.Alias) []byte {
	b = appendText(append(b, `{"name":`...), a.Name)
	b = appendText(append(b, `,"mode":`...), string(a.Mode))
	b = append(b, `,"targets":[`...)
	for i := range a.Targets {
		t := &a.Targets[i]
		b = appendTarget(append(separate(b, i), '{'), t.Target)
		if t.Weight != 0 {
			b = appendNumber(append(b, `,"weight":`...), t.Weight)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

func appendReading(b []byte, r *routing.Reading) []byte {
	b = appendText(append(b, `{"provider":`...), r.Provider)
	b = append(appendModel(append(b, `,"model":`...), &r.Model), '}')
	if r.Whole {
		b = append(b[:len(b)-1], `,"whole":true}`...)
	}
	return b
}

// appendModel writes the facts of a model. What is zero is left out.
func appendModel(b []byte, m *routing.ModelFacts) []byte {
	b = appendText(append(b, `{"model":`...), m.Model)
	b = appendSet(b, `,"known":true`, m.Known)
	if len(m.Tasks) > 0 {
		b = append(b, `,"tasks":[`...)
		for i, task := range m.Tasks {
			b = appendText(separate(b, i), string(task))
		}
		b = append(b, ']')
	}
	b = appendSet(b, `,"embeds":true`, m.Embeds)
	b = appendSet(b, `,"vision":true`, m.Vision)
	b = appendSet(b, `,"tools":true`, m.Tools)
	b = appendSet(b, `,"schema":true`, m.Schema)
	b = appendCount(b, `,"context":`, m.Context)
	b = appendPrice(b, &m.Price)
	b = appendMoment(b, `,"open_until":`, m.OpenUntil)
	b = appendMoment(b, `,"rest_until":`, m.RestUntil)
	b = appendSet(b, `,"refused":true`, m.Refused)
	figures := false
	for _, task := range routing.TaskTypes() {
		f := m.Of(task)
		if f == (routing.Figures{}) {
			continue
		}
		if !figures {
			b = append(b, `,"figures":{`...)
		} else {
			b = append(b, ',')
		}
		figures = true
		b = appendText(b, string(task))
		b = strconv.AppendInt(append(b, ":["...), int64(f.P95Ms), 10)
		b = strconv.AppendInt(append(b, ','), int64(f.Samples), 10)
		b = strconv.AppendInt(append(b, ','), int64(f.OutputTokens), 10)
		b = append(b, ']')
	}
	return append(appendSet(b, "}", figures), '}')
}

// EncodeFacts writes a snapshot of facts.
func EncodeFacts(f routing.Facts) []byte {
	b := make([]byte, 0, 4<<10)
	b = appendText(append(b, `{"v":1,"snapshot_id":`...), f.SnapshotID)
	b = appendMoment(b, `,"at":`, f.At)
	b = append(b, `,"providers":[`...)
	for i := range f.Providers {
		p := &f.Providers[i]
		b = appendText(append(separate(b, i), `{"name":`...), p.Name)
		b = appendSet(b, `,"configured":true`, p.Configured)
		b = appendText(append(b, `,"default_model":`...), p.DefaultModel)
		b = appendPrice(b, &p.Price)
		b = append(b, `,"models":[`...)
		for j := range p.Models {
			b = appendModel(separate(b, j), &p.Models[j])
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

// appendPrice writes every field of a price that is not zero under its own name, whatever a price is made of. It is in snapshots and in readings of
// models that no snapshot has, not in those of every call.
func appendPrice(b []byte, p *routing.Price) []byte {
	v := reflect.ValueOf(p).Elem()
	if v.IsZero() {
		return b
	}
	return appendValue(append(b, `,"price":`...), v)
}

func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			b = appendValue(separate(b, i), v.Index(i))
		}
		return append(b, ']')
	case reflect.Struct:
		b = append(b, '{')
		n := 0
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				b = append(appendText(separate(b, n), v.Type().Field(i).Name), ':')
				b = appendValue(b, f)
				n++
			}
		}
		return append(b, '}')
	default:
		panic("decisions: a price cannot be kept that holds " + v.Type().String()) // the tests hold every field of it
	}
}

func appendTarget(b []byte, t routing.Target) []byte {
	return appendText(append(appendText(append(b, `"provider":`...), t.Provider), `,"model":`...), t.Model)
}

func appendCount(b []byte, key string, n int) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, key...), int64(n), 10)
}

func appendSet(b []byte, what string, set bool) []byte {
	if !set {
		return b
	}
	return append(b, what...)
}

// appendMoment writes a time as seconds since 1970 and nanoseconds: exact, and any time there is.
func appendMoment(b []byte, key string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = strconv.AppendInt(append(append(b, key...), '['), t.Unix(), 10)
	b = strconv.AppendInt(append(b, ','), int64(t.Nanosecond()), 10)
	return append(b, ']')
}

func separate(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendNumber writes a number that JSON can hold.
func appendNumber(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = math.MaxFloat64
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendText writes a string. Nearly all are names, with nothing in them to escape.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendOddText(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendOddText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	s = strings.ToValidUTF8(s, "\uFFFD")
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
