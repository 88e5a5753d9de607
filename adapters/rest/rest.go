// Package rest serves Forge 1 over HTTP with Fiber: the routes of /api/v1 and of the /v1 that OpenAI's and Anthropic's clients know, their
// OpenAPI document, and the pages that go with them. It asks the application through ports/inbound and decides nothing itself.
//
// One table (routes.go) registers every route and writes the document, so that the two cannot drift. One exchange (exchange.go) stands for
// one request: it carries the ids, admits the caller, renders failures and writes the log line. Streams outlive their handler; they are in
// stream.go, and nothing there touches the request.
package rest

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/forge1/forge1/ports/inbound"
)

// Deps is what the server asks of the rest of the program.
type Deps struct {
	Auth       inbound.Auth
	Gatekeeper inbound.Gatekeeper
	APIKeys    inbound.APIKeys
	Passwords  inbound.Passwords
	MFA        inbound.MFA
	Sessions   inbound.Sessions
	Members    inbound.Members
	Audit      inbound.Audit
	Platform   inbound.Platform
	Policies   inbound.Policies
	Decisions  inbound.Decisions
	Usage      inbound.Usage
	Keys       inbound.Keys
	Gateway    inbound.Gateway
	Health     inbound.Health

	Embeddings  inbound.Embeddings
	TokenCounts inbound.TokenCounts
	Responses   inbound.Responses

	// QR draws a text as an SVG picture, for the page that sets a second factor up.
	QR func(text string) ([]byte, error)

	Logger *slog.Logger
	Clock  func() time.Time
	// NewID makes a UUIDv7 in text form.
	NewID func() string
	// Observe is told of every request that was answered; nil: nobody is.
	Observe func(Observation)
}

// Observation is what metrics may know of one request. Route is the pattern, never the path.
type Observation struct {
	Route    string
	Method   string
	Status   int
	Duration time.Duration
}

// Config is how the server is set up. Zero durations and sizes take the defaults named.
type Config struct {
	PublicBaseURL   string // links and problem types; no slash at the end
	Version         string
	MaxBodyBytes    int            // of AI routes; 32 MiB
	CORSOrigins     []string       // "*" alone, or exact origins
	CORSCredentials bool           // has no effect with "*"
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For counts

	HeaderTimeout  time.Duration // for the headers and, on all but AI routes, the body: 10 s
	BodyTimeout    time.Duration // for the body of AI routes, after the headers: 2 min
	IdleTimeout    time.Duration // of a kept connection: 2 min
	WriteTimeout   time.Duration // for each piece written to a client that does not read: 30 s
	SilenceTimeout time.Duration // after which a stream that has nothing yet sends its headers: 10 s
	Heartbeat      time.Duration // between comments on a silent stream: 10 s
	CloseTimeout   time.Duration // for calls to end once the grace of Shutdown is over: 2 s
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.MaxBodyBytes <= 0 {
		c.MaxBodyBytes = 32 << 20
	}
	for _, d := range []struct {
		of *time.Duration
		to time.Duration
	}{
		{&c.HeaderTimeout, 10 * time.Second},
		{&c.BodyTimeout, 2 * time.Minute},
		{&c.IdleTimeout, 2 * time.Minute},
		{&c.WriteTimeout, 30 * time.Second},
		{&c.SilenceTimeout, 10 * time.Second},
		{&c.Heartbeat, 10 * time.Second},
		{&c.CloseTimeout, 2 * time.Second},
	} {
		if *d.of <= 0 {
			*d.of = d.to
		}
	}
	return c
}

// Server is the HTTP side of Forge 1.
type Server struct {
	deps    Deps
	config  Config
	log     *slog.Logger
	app     *fiber.App
	routes  []route
	started time.Time
	cors    cors
	fixed   []fixedHeader   // on every response
	large   map[string]bool // paths that take large bodies
	wider   []*route        // those that take more than small ones
	openapi []byte

	base   context.Context // lives until the grace of Shutdown is over
	cancel context.CancelFunc
}

// New makes a server. It panics on a route that does not say who may call it, which is a mistake of the program.
func New(deps Deps, config Config) *Server {
	s := &Server{deps: deps, config: config.withDefaults(), started: deps.Clock(), large: map[string]bool{}}
	s.base, s.cancel = context.WithCancel(context.Background())
	s.log = deps.Logger.With(slog.String("logger", "rest"))
	s.cors = newCORS(config.CORSOrigins, config.CORSCredentials)
	s.fixed = fixedHeaders()
	s.app = s.newApp()
	s.register(s.table())
	return s
}

// Listen serves on an address until Shutdown.
func (s *Server) Listen(address string) error {
	ln, err := new(net.ListenConfig).Listen(s.base, "tcp", address)
	if err != nil {
		return err
	}
	return s.Serve(ln)
}

// Serve serves on a listener, which it closes, until Shutdown.
func (s *Server) Serve(ln net.Listener) error {
	return s.app.Listener(&listener{Listener: ln, writeTimeout: s.config.WriteTimeout})
}

// Shutdown takes no more connections and waits for requests and streams to end. When ctx is done first, what still runs is cancelled and
// gets a moment to say so to its client; then Shutdown gives ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	hard, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() {
		s.cancel()
		time.AfterFunc(s.config.CloseTimeout, giveUp)
	})()
	err := s.app.ShutdownWithContext(hard)
	s.cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
