package outbound

import (
	"context"
	"iter"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/secret"
)

// Target is where one attempt goes and with what credential. It comes with each call; a provider keeps nothing of it.
type Target struct {
	Provider   string // the connection's name
	Model      string
	Credential string // id of the credential, fit for logs
	Secret     secret.Text
	BaseURL    string
}

// Provider speaks one vendor's dialect. It makes one attempt: it never retries, logs, or falls back. Every failure is a
// *chat.Failure. Cancelling the context ends the upstream call. Implementations pass conformance.Provider.
type Provider interface {
	// Complete asks for a whole answer.
	Complete(ctx context.Context, to Target, r *chat.Request) (*chat.Response, error)
	// Stream asks for an answer in pieces. An error returned means that nothing was received, one that the vendor sends as the
	// first event of a 200 included; an error yielded is final.
	Stream(ctx context.Context, to Target, r *chat.Request) (chat.Stream, error)
}

// Relay is the second, optional ability of an adapter: to pass a body of its own dialect through as bytes while a tap reads usage and finish. There is
// one for each dialect that is passed through. Of the request nothing is changed but the model, what the vendor must be asked for so that its usage
// is known, and what another vendor made and this one would refuse: signatures of foreign formats are left out, with what hangs on them, and ids
// that the vendor does not take are rewritten. Of the answer nothing is changed. Failures are as in Provider.
// Implementations pass conformance.Relay.
type Relay interface {
	// Dialect is the dialect that is passed through.
	Dialect() chat.Dialect
	// RelayWhole passes a request and gives the answer's bytes. The body is not kept after the call.
	RelayWhole(ctx context.Context, to Target, p Passage) (*Relayed, error)
	// RelayStream passes a request whose stream field is true and gives the answer's frames. A dialect that has no streams fails with ClassUnsupport.
	RelayStream(ctx context.Context, to Target, p Passage) (iter.Seq2[Frame, error], error)
	// Read reads a whole answer that was relayed.
	Read(body []byte) Reading
	// Gather reads the frames of one relayed stream as they pass: add takes one after the other, and read says what they came to.
	Gather() (add func(frame []byte), read func() Reading)
}

// Passage is a request on its way through.
type Passage struct {
	Body   []byte
	Header map[string]string // of the client's that may concern the vendor, by canonical name; the relay sends on those it knows
	Strict bool              // a field that cannot be honoured fails the call instead of being dropped
}

// Embedder makes vectors of texts. Failures are as in Provider. Implementations pass conformance.Embedder.
type Embedder interface {
	// Embed makes one attempt.
	Embed(ctx context.Context, to Target, r *embedding.Request) (*embedding.Response, error)
}

// Counter counts the tokens that a vendor would make of a request, without answering it. Failures are as in Provider. Implementations pass
// conformance.Counter.
type Counter interface {
	// Count makes one attempt.
	Count(ctx context.Context, to Target, r *chat.Request) (int, error)
}

// Lister lists the models that a server says it has. Implementations pass conformance.Lister.
type Lister interface {
	// List asks for the names, in the server's order. Of the target only the address and the secret count.
	List(ctx context.Context, to Target) ([]string, error)
}

// Abilities is what an adapter can do. Provider is always there; the others may be nil.
type Abilities struct {
	Provider Provider
	Relays   []Relay // one for each dialect
	Embedder Embedder
	Counter  Counter
	Lister   Lister
}

// Relay finds the relay of a dialect; nil: there is none.
func (a *Abilities) Relay(d chat.Dialect) Relay {
	for _, r := range a.Relays {
		if r.Dialect() == d {
			return r
		}
	}
	return nil
}

// Reading is a relayed answer as it was understood, for whoever keeps it.
type Reading struct {
	// Response is the answer in neutral form. It is nil when that form cannot hold all that the client was told, such as parts that are unknown here.
	Response *chat.Response
	// Complete says that every choice came to its own end: none was cut at a limit, filtered, or broken off.
	Complete bool
}

// Relayed is a whole answer as bytes, with what the tap read.
type Relayed struct {
	Body    []byte
	Model   string
	Finish  chat.Finish // "" in dialects that have none
	Usage   *chat.Usage // nil: the vendor did not say
	Dropped []string    // what of the request was left out
}

// Frame is one frame of a relayed stream: an event with its terminating blank line, or a comment. Raw is the vendor's bytes and is
// valid until the next frame is asked for.
type Frame struct {
	Raw       []byte
	Content   bool // the client would see a piece of the answer
	UsageOnly bool // its only news is usage: withheld from a client that did not ask for it
	Comment   bool // a keep-alive
	Model     string
	Finish    chat.Finish // once the answer is whole: every choice that was started has finished
	Usage     *chat.Usage
	Dropped   []string // with the first frame: what of the request was left out
}

// Connection is one configured provider: what bootstrap made of configuration.
type Connection struct {
	Name         string
	Vendor       string // the catalogue's name of the vendor; "" when the catalogue has none of its models
	BaseURL      string
	DefaultModel string
	Credentials  []Credential // none: not configured
	Abilities
	// Resold gives the name under which this provider sells a model of another vendor of the catalogue; nil: it sells none.
	Resold     func(vendor, model string) string
	CostCents  *float64 // per 1,000 tokens, for routing; nil: the catalogue's price
	TableCents float64  // per 1,000 tokens, for routing, when neither is known
}

// Credential is a key of a connection. ID is fit for logs.
type Credential struct {
	ID     string
	Secret secret.Text
}
