package conformance

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// Sketches is the suite of outbound.Sketches. new gives an empty store and what lets time pass for it.
func Sketches(t *testing.T, new func(t *testing.T) (s outbound.Sketches, pass func(time.Duration))) {
	tests := map[string]func(*testing.T, outbound.Sketches, func(time.Duration)){
		"others get what was published":              sketchesPassed,
		"what is published anew takes its place":     sketchesReplaced,
		"a body ends with its time":                  sketchesExpire,
		"a short life ends nothing else":             sketchesApart,
		"names and bodies may be any bytes":          sketchesNames,
		"what many publish at once is there":         sketchesRace,
		"for nobody there is all":                    sketchesAll,
		"a body that is too large is refused":        sketchesTooLarge,
		"a context that has ended publishes nothing": sketchesContext,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, pass := new(t)
			test(t, s, pass)
		})
	}
}

func publish(t *testing.T, s outbound.Sketches, replica string, part int64, body string, ttl time.Duration) {
	t.Helper()
	must(t, "publish", s.Publish(t.Context(), outbound.SharedSketch{Replica: replica, Part: part, Body: []byte(body)}, ttl))
}

// others lists what a replica sees, as text.
func others(t *testing.T, s outbound.Sketches, replica string, parts ...int64) []string {
	t.Helper()
	got, err := s.Others(t.Context(), replica, parts)
	must(t, "read", err)
	out := []string{}
	for _, sk := range got {
		out = append(out, fmt.Sprintf("%s %d %x", sk.Replica, sk.Part, sk.Body))
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

func sketchesPassed(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	same(t, "of nobody", others(t, s, "a", 1, 2), []string{})
	publish(t, s, "a", 1, "one\x00\xff", time.Minute)
	publish(t, s, "a", 2, "two", time.Minute)
	publish(t, s, "b", 2, "", time.Minute)
	same(t, "for a", others(t, s, "a", 1, 2), []string{"b 2 "})
	same(t, "for b", others(t, s, "b", 1, 2, 3), []string{"a 1 6f6e6500ff", "a 2 74776f"})
	same(t, "for c, of one part", others(t, s, "c", 2), []string{"a 2 74776f", "b 2 "})
	same(t, "of no part", others(t, s, "c"), []string{})
}

func sketchesReplaced(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	publish(t, s, "a", 1, "old", time.Minute)
	publish(t, s, "a", 1, "new", time.Minute)
	same(t, "for b", others(t, s, "b", 1), []string{fmt.Sprintf("a 1 %x", "new")})
}

func sketchesExpire(t *testing.T, s outbound.Sketches, pass func(time.Duration)) {
	publish(t, s, "a", 1, "short", 2*time.Second)
	publish(t, s, "b", 1, "long", time.Hour)
	publish(t, s, "c", 1, "none", 0)
	pass(3 * time.Second)
	same(t, "later", others(t, s, "d", 1), []string{fmt.Sprintf("b 1 %x", "long")})
}

func sketchesApart(t *testing.T, s outbound.Sketches, pass func(time.Duration)) {
	publish(t, s, "a", 1, "long", time.Hour)
	publish(t, s, "b", 1, "long", time.Hour)
	publish(t, s, "b", 2, "short", 2*time.Second)
	publish(t, s, "c", 1, "short", 2*time.Second)
	pass(3 * time.Second)
	long := fmt.Sprintf(" 1 %x", "long")
	same(t, "later", others(t, s, "d", 1, 2), []string{"a" + long, "b" + long})
}

func sketchesNames(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	for _, name := range []string{"a:1", "a", "A", "*", "a b", "ü"} {
		publish(t, s, name, 1, name+"\x00\r\n+", time.Minute)
	}
	got, err := s.Others(t.Context(), "z", []int64{1})
	must(t, "read", err)
	if len(got) != 6 {
		t.Errorf("%d sketches, want 6", len(got))
	}
	for _, sk := range got {
		if want := sk.Replica + "\x00\r\n+"; string(sk.Body) != want || sk.Part != 1 {
			t.Errorf("%q of part %d under the name %q, want %q of part 1", sk.Body, sk.Part, sk.Replica, want)
		}
	}
}

func sketchesAll(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	publish(t, s, "a", 1, "", time.Minute)
	publish(t, s, "b", 1, "", time.Minute)
	same(t, "for nobody", others(t, s, "", 1), []string{"a 1 ", "b 1 "})
}

func sketchesRace(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for part := range int64(11) {
				publish(t, s, fmt.Sprint("r", i), part, "x", time.Minute)
			}
		})
	}
	all.Wait()
	parts := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	if got := others(t, s, "r0", parts...); len(got) != 19*len(parts) {
		t.Errorf("%d sketches, want the 11 of each of 19 others", len(got))
	}
}

func sketchesTooLarge(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	body := bytes.Repeat([]byte("x"), outbound.MaxSketchBytes+1)
	err := s.Publish(t.Context(), outbound.SharedSketch{Replica: "a", Part: 1, Body: body}, time.Minute)
	wantErr(t, "publish too much", err, fault.ErrValidation)
	must(t, "publish the most", s.Publish(t.Context(), outbound.SharedSketch{Replica: "a", Part: 1, Body: body[1:]}, time.Minute))
	got, err := s.Others(t.Context(), "b", []int64{1})
	must(t, "read", err)
	if len(got) != 1 || len(got[0].Body) != outbound.MaxSketchBytes {
		t.Errorf("got %d sketches, want the largest", len(got))
	}
}

func sketchesContext(t *testing.T, s outbound.Sketches, _ func(time.Duration)) {
	wantErr(t, "publish", s.Publish(canceled(t), outbound.SharedSketch{Replica: "a", Part: 1}, time.Minute), context.Canceled)
	_, err := s.Others(canceled(t), "b", []int64{1})
	wantErr(t, "read", err, context.Canceled)
	same(t, "for b", others(t, s, "b", 1), []string{})
}
