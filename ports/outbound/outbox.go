package outbound

import (
	"context"
	"time"
)

// Message is a mail that waits to be sent. Its text and the address are sealed, so that a copy of the database holds no token.
type Message struct {
	ID        string
	DedupeKey string // a second message of the same key is not kept
	Sealed    []byte // Mail as JSON, sealed with label "outbox" and the id
	CreatedAt time.Time
	NotBefore time.Time
	Tries     int
}

// Outbox keeps messages until they are sent. Implementations pass conformance.Outbox.
type Outbox interface {
	// Put keeps a message, unless one of its DedupeKey was kept.
	Put(ctx context.Context, m Message) error
	// Claim gives up to limit messages whose time has come, choosing the longest due, and puts them off until then, so that no other worker takes them meanwhile.
	Claim(ctx context.Context, now, until time.Time, limit int) ([]Message, error)
	// Sent forgets the text of a message that was sent; its key stays. An id that is not there changes nothing.
	Sent(ctx context.Context, id string) error
	// Retry puts a message off and counts the try, unless it was sent. An id that is not there changes nothing.
	Retry(ctx context.Context, id string, notBefore time.Time) error
	// Sweep deletes messages that were sent before then, with their keys, and says how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Mail is a message as it is sent.
type Mail struct {
	ID      string // becomes the Message-ID, so that a mail sent twice can be recognised
	To      string
	Subject string
	Text    string
	HTML    string // "": text alone
}

// Mailer sends mail. Implementations pass conformance.Mailer.
type Mailer interface {
	// Send hands a mail over. It fails when the mail was not taken; sending again is right then.
	Send(ctx context.Context, m Mail) error
}
