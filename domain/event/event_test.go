package event_test

import (
	"testing"

	"github.com/forge1/forge1/domain/event"
)

type happened string

func (h happened) EventName() string { return string(h) }

func TestALogIsDrainedInOrderAndOnce(t *testing.T) {
	var l event.Log
	if got := l.Drain(); len(got) != 0 {
		t.Errorf("a new log holds %v", got)
	}
	l.Record(happened("first"))
	l.Record(happened("second"))
	got := l.Drain()
	if len(got) != 2 || got[0].EventName() != "first" || got[1].EventName() != "second" {
		t.Errorf("drained %v, want first and second", got)
	}
	if got := (event.Noted{Name: "authz_fail"}).EventName(); got != "authz_fail" {
		t.Errorf("a noted event is called %q, want by its name", got)
	}
	if again := l.Drain(); len(again) != 0 {
		t.Errorf("drained again: %v", again)
	}
}
