// Package event is how an aggregate says what happened to it, so that the store can keep that in the same transaction.
package event

import "time"

// Event is something that happened, in the past tense. Name is stable and appears in the audit log.
type Event interface{ EventName() string }

// Noted is what happened where nothing but the audit log asks for more than its name. It never holds a secret.
type Noted struct {
	Name    string // stable, in the words of the OWASP logging vocabulary where it has one
	Subject string // whom it is about
	Tenant  string // "": the actor's
	Session string // "": the actor's
	Reason  string
	Detail  map[string]string
	At      time.Time
}

// EventName implements Event.
func (n Noted) EventName() string { return n.Name }

// Log gathers the events of one aggregate until its store drains them. The zero value is ready.
type Log struct{ events []Event }

// Record adds an event.
func (l *Log) Record(e Event) { l.events = append(l.events, e) }

// Drain gives the events in order and forgets them.
func (l *Log) Drain() []Event {
	e := l.events
	l.events = nil
	return e
}
