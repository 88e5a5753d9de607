package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// outcome is what became of a call, streamed or whole, in one form.
type outcome struct {
	Text, Refusal, Model string // of the first choice
	Tools                []chat.ToolCall
	Choices              []chat.Choice // all of them, whole
	Finish               chat.Finish
	Usage                *chat.Usage
	Yielded              bool // the failure came after something else
	Class                chat.Class
	RetryAfter           time.Duration
	Message, Code, Param string
}

// neutral is the request that the suite sends: what a vendor answers does not depend on it.
func neutral() *chat.Request {
	most := 256
	return &chat.Request{
		Messages:  []chat.Message{chat.Text(chat.RoleSystem, "Be brief."), chat.Text(chat.RoleUser, greeting)},
		MaxTokens: &most,
	}
}

const greeting = "Grüß Gott, 👋🏽!"

// call asks a provider and checks what every implementation promises.
func call(ctx context.Context, t *testing.T, p outbound.Provider, to outbound.Target, streamed bool) outcome {
	t.Helper()
	var o outcome
	if streamed {
		stream, err := p.Stream(ctx, to, neutral())
		if err == nil {
			err = o.collect(t, stream)
		} else if stream != nil {
			t.Error("Stream gave both a stream and an error")
		}
		o.fail(t, err)
		return o
	}
	r, err := p.Complete(ctx, to, neutral())
	o.fail(t, err)
	if err == nil {
		o.see(r)
		o.checkWhole(t)
	}
	return o
}

// see notes an answer.
func (o *outcome) see(r *chat.Response) {
	first := r.First()
	o.Text, o.Refusal, o.Model, o.Finish, o.Usage = first.Text(), first.Refusal(), r.Model, first.Finish, r.Usage
	for _, c := range first.Calls() {
		o.Tools = append(o.Tools, *c)
	}
	o.Choices = r.Choices
}

// collect reads a stream to its end.
func (o *outcome) collect(t *testing.T, stream chat.Stream) error {
	t.Helper()
	var g chat.Gatherer
	begun, finished := map[[2]int]bool{}, map[int]bool{}
	var failed error
	for c, err := range stream {
		if failed != nil {
			t.Fatalf("%+v follows a failure", c)
		}
		if failed = err; err != nil {
			if !o.Yielded {
				t.Errorf("%v is yielded, though nothing came before it; want it returned", err)
			}
			continue
		}
		if finished[c.Choice] && c.Content() {
			t.Errorf("content follows the finish: %+v", c)
		}
		o.Yielded = true
		finished[c.Choice] = finished[c.Choice] || c.Finish != ""
		if d := c.Tool; d != nil {
			at := [2]int{c.Choice, d.Index}
			if begun[at] && (d.ID != "" || d.Name != "") {
				t.Errorf("id or name came again: %+v", *d)
			}
			if !begun[at] && d.Index > 0 && !begun[[2]int{c.Choice, d.Index - 1}] {
				t.Errorf("the calls are not numbered from 0: %+v", *d)
			}
			begun[at] = true
		}
		g.Add(c)
	}
	o.see(g.Response())
	if failed == nil {
		o.checkWhole(t)
	}
	return failed
}

// checkWhole fails the test unless the answer is one.
func (o *outcome) checkWhole(t *testing.T) {
	t.Helper()
	if o.Finish == "" {
		t.Error("a whole answer has no finish")
	}
	var ids []string
	for _, c := range o.Tools {
		if c.Name == "" || c.ID == "" || !json.Valid([]byte(c.Arguments)) || slices.Contains(ids, c.ID) {
			t.Errorf("a tool call needs an id of its own, a name, and arguments that are JSON: %+v", c)
		}
		ids = append(ids, c.ID)
	}
}

// fail notes a failure, and checks that it is typed and keeps the key to itself.
func (o *outcome) fail(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	f, ok := err.(*chat.Failure) //nolint:errorlint // the failure itself is promised, not one within another
	if !ok {
		t.Fatalf("got the error %v of type %T, want a *chat.Failure", err, err)
	}
	o.Class, o.RetryAfter, o.Message, o.Code, o.Param = f.Class, f.RetryAfter, f.Message, f.Code, f.Param
	if all := fmt.Sprintf("%v %+v %#v %s %s %s", err, err, f, f.Message, f.Code, f.Param); strings.Contains(all, Key) {
		t.Errorf("the failure tells the key: %s", all)
	}
	if f.RetryAfter < 0 || f.RetryAfter > 300*time.Second {
		t.Errorf("got a retry after %v, want 0 to 300 s", f.RetryAfter)
	}
	if own := f.Message + f.Code + f.Param; own != "" && !f.Class.CallersFault() && !f.Class.ModelSpecific() {
		t.Errorf("the vendor's words %q are passed on for %s", own, f.Class)
	}
}

// views are the expectations that a wire case may state, and how to see them.
var views = map[string]func(outcome) string{
	"text":        func(o outcome) string { return o.Text },
	"refusal":     func(o outcome) string { return o.Refusal },
	"model":       func(o outcome) string { return o.Model },
	"finish":      func(o outcome) string { return string(o.Finish) },
	"class":       func(o outcome) string { return string(o.Class) },
	"code":        func(o outcome) string { return o.Code },
	"param":       func(o outcome) string { return o.Param },
	"message":     func(o outcome) string { return o.Message },
	"retry-after": func(o outcome) string { return strings.TrimSuffix(o.RetryAfter.String(), "0s") },
	"input":       tokens(func(u chat.Usage) int { return u.Input }),
	"output":      tokens(func(u chat.Usage) int { return u.Output }),
	"cache-read":  tokens(func(u chat.Usage) int { return u.CacheRead }),
	"cache-write": tokens(func(u chat.Usage) int { return u.CacheWrite }),
	"reasoning":   tokens(func(u chat.Usage) int { return u.Reasoning }),
	"cost-nanos": func(o outcome) string {
		if o.Usage == nil || o.Usage.CostNanos == nil {
			return ""
		}
		return strconv.FormatInt(*o.Usage.CostNanos, 10)
	},
}

func tokens(of func(chat.Usage) int) func(outcome) string {
	return func(o outcome) string {
		if o.Usage == nil || of(*o.Usage) == 0 {
			return ""
		}
		return strconv.Itoa(of(*o.Usage))
	}
}

// want is what is expected of an outcome, by the names of views, and tools.
type want map[string]string

// always are the views that must be empty where nothing else is expected; ofAnswers those of answers alone.
var (
	always    = []string{"text", "refusal", "class"}
	ofAnswers = []string{"finish", "input", "output", "cache-read", "cache-write", "reasoning"}
)

func (w want) check(t *testing.T, o outcome) {
	t.Helper()
	names := slices.Clone(always)
	if w["class"] == "" {
		names = append(names, ofAnswers...)
	}
	for name := range w {
		if name != "tools" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		got, exp := views[name](o), w[name]
		if exp == "0" { // as good as unsaid
			exp = ""
		}
		if name == "retry-after" {
			d, err := time.ParseDuration(exp)
			if err != nil {
				t.Fatalf("want-retry-after: %v", err)
			}
			got, exp = o.RetryAfter.String(), d.String()
		}
		if got != exp {
			t.Errorf("%s: got %q, want %q", name, got, exp)
		}
	}
	w.checkTools(t, o.Tools)
}

// checkTools compares calls by name and by what the arguments mean, and by id where one is expected.
func (w want) checkTools(t *testing.T, got []chat.ToolCall) {
	t.Helper()
	type call struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Arguments any    `json:"arguments"`
	}
	var exp []call
	if w["tools"] != "" {
		if err := json.Unmarshal([]byte(w["tools"]), &exp); err != nil {
			t.Fatalf("want-tools: %v", err)
		}
	}
	if w["class"] != "" && exp == nil {
		return
	}
	if len(got) != len(exp) {
		t.Fatalf("got the calls %+v, want %+v", got, exp)
	}
	for i, e := range exp {
		var args any
		_ = json.Unmarshal([]byte(got[i].Arguments), &args)
		if got[i].Name != e.Name || (e.ID != "" && got[i].ID != e.ID) || !reflect.DeepEqual(args, e.Arguments) {
			t.Errorf("got the call %+v, want %+v", got[i], e)
		}
	}
}
