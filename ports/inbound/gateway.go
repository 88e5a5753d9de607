package inbound

import (
	"context"
	"iter"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/routing"
)

// Surface names the route that a call came in by.
type Surface string

// The surfaces.
const (
	SurfaceExecute         Surface = "execute"
	SurfaceChatCompletions Surface = "chat.completions"
	SurfaceResponses       Surface = "responses"
	SurfaceMessages        Surface = "messages"
	SurfaceCountTokens     Surface = "messages.count_tokens"
	SurfaceEmbeddings      Surface = "embeddings"
)

// Call is one task for a model.
type Call struct {
	Caller    Caller
	Surface   Surface
	Dialect   chat.Dialect // of Body
	TraceID   string
	RequestID string

	Model    string // as requested: "", auto, auto:<task type>, an alias, <provider>/<model> or a bare name
	TaskType string // "" is general, or what the model name says
	SLOMs    int    // 0: none
	// Others are the models that the body has a vendor answer with in place of its own. They pass with it, so a tenant's list of models must have them.
	Others  []string
	Stream  bool
	Strict  bool
	Tags    []string
	EndUser string

	// Cache says what the prompt cache may do for the call.
	Cache CacheMode
	// CacheMaxAge is how old an answer from the prompt cache may be. 0: any age; less than 0: none is new enough, but the answer is put there.
	CacheMaxAge time.Duration
	// CacheOnly has the call answered by the prompt cache or not at all.
	CacheOnly bool
	// Fingerprint gives the SHA-256 of every field of the request's body in canonical form, without those that do not change the answer. Nil: the
	// call cannot be cached. It is called at most once, and only when the cache may be used.
	Fingerprint func() ([32]byte, error)

	// Body is the request in the client's dialect, nil when the client speaks none that a vendor speaks. It is not changed, and is kept
	// until the call ends, so it must not be a reused buffer.
	Body []byte
	// Header holds what of the client's headers may concern a vendor that the body is passed to, by canonical name.
	Header map[string]string
	// Parse gives the request in neutral form. It is called at most once, and only when a target needs it. Nil for embeddings.
	Parse func() (*chat.Request, error)
	// ParseEmbedding likewise gives a request for embeddings.
	ParseEmbedding func() (*embedding.Request, error)

	// What routing must know, read off the body by whoever received it.
	TextBytes int
	MaxTokens int // 0: not given
	Vision    bool
	Tools     bool
	Schema    bool
}

// CacheMode is what the prompt cache may do for a call.
type CacheMode string

// The modes. CacheDefault is on for execute; under /v1 it is off unless the tenant turned the cache on.
const (
	CacheDefault CacheMode = ""
	CacheOn      CacheMode = "on"
	CacheOff     CacheMode = "off" // the answer is neither taken from the cache nor put there
)

// Attempt is one try of one target.
type Attempt struct {
	Provider string
	Model    string
	Outcome  string // ok, timeout, rate_limited, overloaded, server_error, connect_error, auth_error, bad_response, canceled
	Latency  time.Duration
}

// Receipt is what became of a call: who, what, why, and what it cost.
type Receipt struct {
	CallID      string
	Decision    routing.Decision
	Task        routing.TaskType
	Provider    string // "" when none was reached
	Model       string
	ServedModel string
	Finish      chat.Finish
	Usage       chat.Usage // of all attempts: a broken one may be billed
	UsageSource chat.UsageSource
	CostNanos   *int64        // the sum over the attempts; nil: one is of an unpriced model, or nothing was used
	Cache       string        // hit, miss or bypass
	Age         time.Duration // of a hit: since the answer was made
	Attempts    []Attempt
	Took        time.Duration
	Dropped     []string // request fields that the target could not honour
	Exhausted   bool     // the attempt budget is spent: the client should not try again at once
}

// Answer is a whole answer: relayed bytes in the client's dialect, or a response to be rendered.
type Answer struct {
	Receipt  Receipt
	Body     []byte         // the vendor's bytes; nil unless relayed
	Response *chat.Response // nil when relayed
}

// Vectors is an answer to a request for embeddings: relayed bytes, or a response to be rendered.
type Vectors struct {
	Receipt  Receipt
	Body     []byte              // the vendor's bytes; nil unless relayed
	Response *embedding.Response // nil when relayed
}

// Count is how many tokens a request has.
type Count struct {
	Receipt   Receipt
	Body      []byte // the vendor's bytes; nil unless relayed
	Tokens    int    // unless relayed
	Estimated bool   // no vendor counted: a quarter of the bytes
}

// Piece is a piece of a streamed answer: a frame's bytes when relayed, else a chunk.
type Piece struct {
	Raw       []byte // valid until the next piece is asked for
	UsageOnly bool   // withhold from a client that did not ask for usage
	Comment   bool
	Chunk     chat.Chunk // Usage and Finish are set for relayed pieces too
}

// StreamAnswer is an answer that arrives in pieces. The first piece has been received when it is given.
type StreamAnswer struct {
	// Head is the receipt as far as it is known when the first piece is there.
	Head    Receipt
	Relayed bool
	// Pieces must be ranged over, or Close called; either settles the call. A failure in the middle is yielded last, as the error that the
	// client is to see.
	Pieces iter.Seq2[Piece, error]
	// Receipt is the final receipt, once Pieces has ended.
	Receipt func() Receipt
	// Close ends the upstream call and settles the call, when Pieces was not ranged over to its end. It may be called twice.
	Close func()
}

// ModelView is a model that can be asked for.
type ModelView struct {
	Provider     string
	Model        string
	Capabilities []routing.TaskType
	Features     []string // vision, tools, json_schema, streaming
	Context      int      // tokens; 0: unknown
	Price        *routing.Price
	Available    bool
	Reason       routing.Reason // why not
}

// Capabilities says who serves what.
type Capabilities struct {
	TaskTypes []routing.TaskType
	Matrix    map[routing.TaskType][]string
}

// ProviderHealth is how a provider stands.
type ProviderHealth struct {
	Name       string
	Configured bool
	Breaker    string // closed, open, half_open; of its default model
	OpenUntil  time.Time
	P95Ms      int     // the highest of its task types; 0: not known yet
	Attempts   int     // how many of the last attempts Success stands on, at most 100
	Success    float64 // 0 to 1, over Attempts
	LastError  string  // class of the last failed attempt, "" when none failed yet
}

// Gateway serves AI calls. Errors are faults whose kind and code are the contract; a receipt comes with them.
type Gateway interface {
	// Execute asks for a whole answer. On an error the receipt of the answer says what was tried.
	Execute(ctx context.Context, c Call) (Answer, error)
	// Stream asks for an answer in pieces. It returns when the first piece with content is there, or the call has failed; on an error the
	// head says what was tried. ctx must live as long as the stream.
	Stream(ctx context.Context, c Call) (StreamAnswer, error)
	// Explain decides without asking any vendor.
	Explain(ctx context.Context, c Call) (routing.Decision, error)
	// Models lists what the caller can ask for.
	Models(ctx context.Context, caller Caller) ([]ModelView, error)
	// Aliases lists, sorted, the aliases that the caller can ask for by name.
	Aliases(ctx context.Context, caller Caller) ([]string, error)
	// Capabilities says which providers serve which task type for the caller.
	Capabilities(ctx context.Context, caller Caller) (Capabilities, error)
	// Health says how the providers stand.
	Health(ctx context.Context) []ProviderHealth
}

// Embeddings makes vectors of texts. Errors are as in Gateway.
type Embeddings interface {
	// Embed asks for the vectors. It fails over to the same model at another provider alone, since vectors of two models do not compare; a name that
	// stands for no one model, such as auto, is refused. On an error the receipt says what was tried.
	Embed(ctx context.Context, c Call) (Vectors, error)
}

// TokenCounts counts the tokens of requests. Errors are as in Gateway.
type TokenCounts interface {
	// Count asks the vendor that the call would go to. Where it cannot count, or fails to, the count is an estimate. Nothing is used, and no row kept.
	Count(ctx context.Context, c Call) (Count, error)
}
