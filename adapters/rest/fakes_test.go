package rest_test

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

var (
	errCredential = fault.New(fault.Unauthenticated, "unauthenticated", "a valid access token or API key is needed")
	errToken      = fault.New(fault.Malformed, "token_invalid", "the link is not valid any more")
)

// The credentials that the fake gatekeeper knows.
const (
	sessionToken = "session-token"
	aiKey        = "f1_ai"
	routerKey    = "f1_router"
)

// people is a fake of everything that signs in: each answers as its field says.
type people struct {
	register func(inbound.Register) (inbound.Registered, error)
	login    func(inbound.Login) (inbound.LoggedIn, error)
	logout   func(inbound.Logout) error
}

func (p *people) Register(_ context.Context, c inbound.Register) (inbound.Registered, error) {
	if p.register != nil {
		return p.register(c)
	}
	switch c.InviteToken {
	case "good":
		return inbound.Registered{Verified: true}, nil
	case "bad":
		return inbound.Registered{}, errToken
	}
	return inbound.Registered{ExpiresIn: 24 * time.Hour}, nil
}

func (p *people) VerifyEmail(_ context.Context, token string, _ inbound.Origin) (inbound.Verified, error) {
	if token != "good" {
		return inbound.Verified{}, errToken
	}
	return inbound.Verified{UsernameAssigned: true, TenantID: "t1", TenantSlug: "ada", UserID: "u1"}, nil
}

func (p *people) Login(_ context.Context, c inbound.Login) (inbound.LoggedIn, error) {
	if p.login != nil {
		return p.login(c)
	}
	t := tokens()
	return inbound.LoggedIn{Tokens: &t}, nil
}

func (p *people) Refresh(_ context.Context, token string, _ inbound.Origin) (inbound.Tokens, error) {
	if token != "fr1.good" {
		return inbound.Tokens{}, fault.New(fault.Unauthenticated, "refresh_invalid", "sign in again")
	}
	return tokens(), nil
}

func (p *people) Logout(_ context.Context, c inbound.Logout) error {
	if p.logout != nil {
		return p.logout(c)
	}
	return nil
}

func (p *people) Me(_ context.Context, c inbound.Caller) (inbound.Profile, error) {
	out := inbound.Profile{
		UserID: c.UserID, Email: "ada@example.com", EmailVerified: true, DisplayName: "Ada", CreatedAt: epoch, TenantID: c.TenantID,
		TenantSlug: "ada", Role: c.Role,
	}
	if c.SessionID != "" {
		out.SessionID, out.AuthTime, out.AMR, out.SessionUntil = c.SessionID, epoch, []string{"pwd"}, epoch.Add(time.Hour)
	}
	return out, nil
}

// kindToken begins the credentials of the kinds of caller that the table of rights has.
const kindToken = "kind-"

// ofKind makes the caller that a kind's name says.
func ofKind(name string) inbound.Caller {
	c := inbound.Caller{UserID: "u1", TenantID: "t1", SessionID: "s1", Role: tenant.Role(name)}
	scope, isKey := strings.CutPrefix(name, "key:")
	switch {
	case name == "platform":
		c.Role, c.Platform = tenant.Viewer, true
	case isKey:
		c.SessionID, c.KeyID, c.Role = "", "k1", tenant.Admin
		if scope, ok := strings.CutSuffix(scope, "-of-member"); ok {
			c.Role, c.Scopes = tenant.Plain, []tenant.Scope{tenant.Scope(scope)}
		} else {
			c.Scopes = []tenant.Scope{tenant.Scope(scope)}
		}
	}
	return c
}

func (p *people) Authenticate(_ context.Context, credential string) (inbound.Caller, error) {
	if kind, ok := strings.CutPrefix(credential, kindToken); ok {
		return ofKind(kind), nil
	}
	c := inbound.Caller{UserID: "u1", TenantID: "t1", Role: tenant.Owner}
	switch credential {
	case sessionToken:
		c.SessionID = "s1"
	case aiKey:
		c.KeyID, c.Scopes = "k1", []tenant.Scope{tenant.ScopeAI}
	case routerKey:
		c.KeyID, c.Scopes = "k2", []tenant.Scope{tenant.ScopeRouter}
	case "away":
		return inbound.Caller{}, fault.ErrDependency
	default:
		return inbound.Caller{}, errCredential
	}
	return c, nil
}

func tokens() inbound.Tokens {
	return inbound.Tokens{
		Access: "a.b.c", AccessFor: 15 * time.Minute, Refresh: "fr1.next", RefreshFor: 7 * 24 * time.Hour, SessionID: "s1", TenantID: "t1",
		AuthTime: epoch, AMR: []string{"pwd"}, UserID: "u1", Email: "ada@example.com",
	}
}

// keys is a fake of the key management.
type keys struct{ views []inbound.KeyView }

func (k *keys) Create(_ context.Context, _ inbound.Caller, c inbound.CreateKey) (inbound.CreatedKey, error) {
	scopes, err := tenant.ParseScopes(c.Scopes)
	if err != nil {
		return inbound.CreatedKey{}, err
	}
	return inbound.CreatedKey{View: inbound.KeyView{ID: "k9", Name: c.Name, Scopes: scopes, CreatedAt: epoch, ExpiresAt: c.ExpiresAt}, Key: "f1_new"}, nil
}

func (k *keys) List(context.Context, inbound.Caller) ([]inbound.KeyView, error) { return k.views, nil }

func (k *keys) Rotate(_ context.Context, _ inbound.Caller, id tenant.KeyID, grace time.Duration) (inbound.CreatedKey, error) {
	if id != "k1" {
		return inbound.CreatedKey{}, tenant.ErrKeyNotFound
	}
	return inbound.CreatedKey{View: inbound.KeyView{ID: "k9", Name: "n", CreatedAt: epoch, EndsAt: epoch.Add(grace)}, Key: "f1_next"}, nil
}

func (k *keys) Revoke(_ context.Context, _ inbound.Caller, id tenant.KeyID) error {
	if id != "k1" {
		return tenant.ErrKeyNotFound
	}
	return nil
}

// models is a fake gateway.
type models struct {
	execute func(context.Context, inbound.Call) (inbound.Answer, error)
	stream  func(context.Context, inbound.Call) (inbound.StreamAnswer, error)
	explain func(inbound.Call) (routing.Decision, error)
	embed   func(inbound.Call) (inbound.Vectors, error)
	count   func(inbound.Call) (inbound.Count, error)
}

func (m *models) Count(_ context.Context, c inbound.Call) (inbound.Count, error) {
	if m.count != nil {
		return m.count(c)
	}
	return inbound.Count{Receipt: receipt(), Tokens: 12}, nil
}

func (m *models) Execute(ctx context.Context, c inbound.Call) (inbound.Answer, error) {
	if m.execute != nil {
		return m.execute(ctx, c)
	}
	return inbound.Answer{Receipt: receipt(), Response: chat.Said("hello", chat.FinishStop)}, nil
}

func (m *models) Stream(ctx context.Context, c inbound.Call) (inbound.StreamAnswer, error) {
	if m.stream != nil {
		return m.stream(ctx, c)
	}
	return streamOf(false, chunks("hel", "lo")...), nil
}

func (m *models) Explain(_ context.Context, c inbound.Call) (routing.Decision, error) {
	if m.explain != nil {
		return m.explain(c)
	}
	return decision(), nil
}

func (m *models) Embed(_ context.Context, c inbound.Call) (inbound.Vectors, error) {
	if m.embed != nil {
		return m.embed(c)
	}
	return inbound.Vectors{Receipt: receipt(), Response: &embedding.Response{Vectors: [][]float64{{0.5, -1}}}}, nil
}

func (m *models) Aliases(context.Context, inbound.Caller) ([]string, error) {
	return []string{"fast"}, nil
}

func (m *models) Models(context.Context, inbound.Caller) ([]inbound.ModelView, error) {
	return []inbound.ModelView{
		{Provider: "openai", Model: "gpt-x", Capabilities: routing.TaskTypes(), Features: []string{"tools"}, Context: 1000, Price: &routing.Price{Input: 2_500_000_000_000, Output: 10_000_000_000_000}, Available: true},
		{Provider: "claude", Model: "sonnet", Reason: routing.NotConfigured},
		{Provider: "openrouter", Model: "vendor/model:free", Reason: routing.BreakerOpen},
	}, nil
}

func (m *models) Capabilities(context.Context, inbound.Caller) (inbound.Capabilities, error) {
	return inbound.Capabilities{
		TaskTypes: []routing.TaskType{routing.General, routing.Review}, Matrix: map[routing.TaskType][]string{routing.General: {"openai"}},
	}, nil
}

func (m *models) Health(context.Context) []inbound.ProviderHealth {
	return []inbound.ProviderHealth{
		{Name: "openai", Configured: true, Breaker: "closed", P95Ms: 900, Attempts: 4, Success: 0.75, LastError: "timeout"}, {Name: "claude", Breaker: "open", OpenUntil: epoch},
	}
}

// checks is a fake of the health checks.
type checks struct{ readiness inbound.Readiness }

func (c *checks) Ready(context.Context) inbound.Readiness { return c.readiness }

func decision() routing.Decision {
	return routing.Decision{
		ID: "d1", At: epoch, Task: routing.General, PolicyVersion: 3, SnapshotID: "f1",
		Candidates: []routing.Candidate{{Target: routing.Target{Provider: "openai", Model: "gpt-x"}, Rank: 1, Score: 12.5, CostCents: 2.5, P95Ms: 1000, EstInput: 3, EstOutput: 256}},
		Excluded:   []routing.Exclusion{{Target: routing.Target{Provider: "claude", Model: "sonnet"}, Reason: routing.BreakerOpen, Until: epoch}},
	}
}

func receipt() inbound.Receipt {
	cost := int64(123_456_000)
	return inbound.Receipt{
		CallID: "0190-call", Decision: decision(), Task: routing.General, Provider: "openai", Model: "gpt-x", ServedModel: "gpt-x-2026", Finish: chat.FinishStop,
		Usage: chat.Usage{Input: 10, Output: 5, CacheRead: 4, Reasoning: 2}, UsageSource: chat.UsageProvider, CostNanos: &cost, Cache: "miss",
		Attempts: []inbound.Attempt{{Provider: "openai", Model: "gpt-x", Outcome: "ok", Latency: 1500 * time.Microsecond}}, Took: 1500 * time.Millisecond,
	}
}

func chunks(texts ...string) []inbound.Piece {
	var out []inbound.Piece
	for _, t := range texts {
		out = append(out, inbound.Piece{Chunk: chat.Chunk{Text: t}})
	}
	return out
}

// frames makes relayed pieces of raw frames; those that begin with usage are withheld from clients that did not ask.
func frames(raw ...string) []inbound.Piece {
	var out []inbound.Piece
	for _, r := range raw {
		out = append(out, inbound.Piece{Raw: []byte(r)})
	}
	return out
}

// streamOf makes an answer of pieces.
func streamOf(relayed bool, pieces ...inbound.Piece) inbound.StreamAnswer {
	return streamFrom(relayed, func(yield func(inbound.Piece, error) bool) {
		for _, p := range pieces {
			if !yield(p, nil) {
				return
			}
		}
	})
}

func streamFrom(relayed bool, pieces iter.Seq2[inbound.Piece, error]) inbound.StreamAnswer {
	head := receipt()
	head.Usage = chat.Usage{}
	return inbound.StreamAnswer{Head: head, Relayed: relayed, Pieces: pieces, Receipt: receipt, Close: func() {}}
}

// saying makes an answer of parts.
func saying(parts ...chat.Part) *chat.Response {
	return &chat.Response{Choices: []chat.Choice{{Parts: parts}}}
}

// calling makes a part of a tool call.
func calling(id, name, arguments string) chat.Part {
	return chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: id, Name: name, Arguments: arguments}}
}
