package simulator

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// The vendors, by the names of their folders, of the control paths and of Config's maps.
const (
	OpenAI     = "openai"
	Anthropic  = "anthropic"
	Gemini     = "gemini"
	OpenRouter = "openrouter"
)

// Vendors lists the names of all vendors.
func Vendors() []string { return []string{OpenAI, Anthropic, Gemini, OpenRouter} }

// BasePath is where a vendor is served, to be put after scheme, host and port: what the vendor's BASE_URL variable takes.
func BasePath(vendor string) string {
	switch vendor {
	case OpenAI:
		return "/openai/v1"
	case OpenRouter:
		return "/openrouter/api/v1"
	default:
		return "/" + vendor
	}
}

// controlPrefix is where the control paths are.
const controlPrefix = "_sim"

// maxBody bounds the body of a request.
const maxBody = 64 << 20

// Config says what the simulator plays. Its maps are by vendor; all of it may be left out.
type Config struct {
	Cases map[string]fs.FS // wire cases: *.http files anywhere in the tree
	// Models are the names that a vendor knows, beside those of its wire cases that end well. Without any, a vendor takes names that look
	// like its own (gpt-*, claude-*, gemini-*, maker/model). Any other name is refused with 404.
	Models map[string][]string
	Clock  func() time.Time // nil: answers are dated 2026-01-01
	// Handlers serve further dialects, each under its own prefix: one named bedrock gets what begins with /bedrock/, without that. They have their own
	// manners; the control paths do not reach them.
	Handlers map[string]http.Handler
}

// Server plays the vendors. Its methods may be called at any time.
type Server struct {
	vendors map[string]*vendor
	clock   func() time.Time
	further map[string]http.Handler
	serial  atomic.Uint64
	base    context.Context // ends when the listener closes
	close   context.CancelFunc
}

// vendor is one of the played.
type vendor struct {
	name     string
	display  string
	dialect  dialect
	script   *script
	models   []string // as configured
	behaves  atomic.Pointer[conduct]
	counters atomic.Pointer[counters]
	memory   atomic.Pointer[memory]
}

// New makes a simulator. It fails when a wire case cannot be read or a map names no vendor.
func New(config Config) (*Server, error) {
	s := &Server{clock: config.Clock, further: maps.Clone(config.Handlers), vendors: map[string]*vendor{
		OpenAI:     {display: "OpenAI", dialect: openai{kept: newKept()}},
		Anthropic:  {display: "Claude", dialect: anthropic{}},
		Gemini:     {display: "Gemini", dialect: gemini{}},
		OpenRouter: {display: "OpenRouter", dialect: openrouter{}},
	}}
	if s.clock == nil {
		s.clock = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	}
	s.base, s.close = context.WithCancel(context.Background())
	for name := range s.further {
		if _, taken := s.vendors[name]; taken || name == controlPrefix || name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("simulator: a further handler cannot be at %q", name)
		}
	}
	for name, models := range config.Models {
		v, known := s.vendors[name]
		if !known {
			return nil, unknownVendor(name)
		}
		v.models = slices.Clone(models)
	}
	for name := range config.Cases {
		if _, known := s.vendors[name]; !known {
			return nil, unknownVendor(name)
		}
	}
	for name, v := range s.vendors {
		v.name = name
		var cases []Case
		if files := config.Cases[name]; files != nil {
			var err error
			if cases, err = ParseCases(files); err != nil {
				return nil, fmt.Errorf("simulate %s: %w", name, err)
			}
		}
		v.script = newScript(v.dialect, name, cases)
		v.reset()
	}
	return s, nil
}

func unknownVendor(name string) error {
	return fmt.Errorf("simulator: no vendor %q; there are %s", name, strings.Join(Vendors(), ", "))
}

// reset makes the vendor behave well and counts from zero.
func (v *vendor) reset() {
	b, _ := Behaviour{}.complete() // the zero value is complete without fault
	v.behaves.Store(newConduct(b))
	v.counters.Store(newCounters())
	v.memory.Store(newMemory())
}

// knows reports whether the vendor has a model of that name.
func (v *vendor) knows(model string) bool {
	if v.script.models[model] || slices.Contains(v.models, model) {
		return true
	}
	base, _, variant := strings.Cut(model, ":") // OpenRouter's variants, such as :free
	if variant && v.name == OpenRouter && slices.Contains(v.models, base) {
		return true
	}
	return len(v.models) == 0 && v.dialect.resembles(model)
}

// list is every model name that the vendor lists.
func (v *vendor) list() []string {
	names := slices.Clone(v.models)
	for name := range v.script.models {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Configure makes a vendor behave so from now on; calls under way keep to what they began with. It gives the behaviour in force.
func (s *Server) Configure(vendor string, b Behaviour) (Behaviour, error) {
	v, known := s.vendors[vendor]
	if !known {
		return Behaviour{}, unknownVendor(vendor)
	}
	b, err := b.complete()
	if err != nil {
		return Behaviour{}, fmt.Errorf("configure %s: %w", vendor, err)
	}
	v.behaves.Store(newConduct(b))
	return b, nil
}

// Reset makes a vendor behave well and counts from zero. Calls under way are counted no more.
func (s *Server) Reset(vendor string) error {
	v, known := s.vendors[vendor]
	if !known {
		return unknownVendor(vendor)
	}
	v.reset()
	return nil
}

// Stats gives what each vendor has counted.
func (s *Server) Stats() map[string]Stats {
	out := make(map[string]Stats, len(s.vendors))
	for name, v := range s.vendors {
		out[name] = v.counters.Load().stats()
	}
	return out
}

// Handler serves the vendors and the control paths.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name == controlPrefix {
		s.control(w, r, rest)
		return
	}
	if further := s.further[name]; further != nil {
		http.StripPrefix("/"+name, further).ServeHTTP(w, r)
		return
	}
	v, known := s.vendors[name]
	if !known {
		writeControl(w, http.StatusNotFound, controlProblem{"no such path; vendors are at /openai/v1, /anthropic, /gemini and /openrouter/api/v1"})
		return
	}
	p := &performance{w: w, r: r, v: v, c: v.behaves.Load(), entry: v.counters.Load().enter(), serial: s.serial.Add(1), created: s.clock().Unix()}
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	defer context.AfterFunc(s.base, stop)()
	p.ctx = ctx
	p.play("/" + rest)
	p.entry.close()
	if p.abort {
		panic(http.ErrAbortHandler) // net/http closes the connection without ending the answer
	}
}
