// Package gateway serves AI calls: it resolves the model name, decides where a call goes, tries the candidates under one deadline and
// one attempt budget, and settles what the call cost. Read gateway.go, then resolve.go, call.go, failover.go, whole.go and stream.go.
package gateway

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

var _ inbound.Gateway = (*Service)(nil)

// Deps is what the gateway needs.
type Deps struct {
	Connections []outbound.Connection // every provider in the order of configuration, those without credentials included
	Catalogue   outbound.Catalogue
	Policies    outbound.Policies
	Circuits    outbound.Circuits
	Latencies   outbound.Latencies
	Meter       outbound.Meter
	Recorder    Recorder
	Cache       outbound.PromptCache // nil: there is none
	Log         *slog.Logger         // nil: nothing is logged
	Clock       outbound.Clock
	NewID       outbound.NewID
	Random      outbound.Random
	Settings    Settings
}

// Recorder keeps one row of every call. A place is reserved before a vendor is asked, so that no call is made that cannot be accounted for.
type Recorder interface {
	// Reserve takes a place for one row. It fails with fault.ErrBusy when there is none.
	Reserve() error
	// Keep hands the row over to the place that was reserved for it; each Reserve that succeeded is followed by one Keep.
	Keep(row outbound.Call)
	// Decided hands a decision over as soon as it was made, so that it can be read while its call is under way. Keep brings it again, with what became
	// of the call. It does not block.
	Decided(d outbound.Decision)
	// Sheet hands over what decisions refer to, before the first that does, and again from time to time. It does not block.
	Sheet(s outbound.Sheet)
}

// Settings are the installation's own choices. A zero value stands for the default.
type Settings struct {
	Region           string
	RequestTimeout   time.Duration // of a whole call with all its attempts; 120 s
	StreamTimeout    time.Duration // of a streamed one; 600 s
	FirstByteTimeout time.Duration // of an attempt at a stream, until its first event, which a keep-alive is not; 60 s
	BreakerCooldown  time.Duration // how long refused and exhausted credentials rest; 60 s
	BackoffBase      time.Duration // 250 ms
	PolicyTTL        time.Duration // how long another node's change of a policy may go unseen; 1 s
	CacheTTL         time.Duration // how long the prompt cache may give an answer; 0: there is no prompt cache
}

// Defaults of Settings.
const (
	DefaultRequestTimeout   = 120 * time.Second
	DefaultStreamTimeout    = 600 * time.Second
	DefaultFirstByteTimeout = 60 * time.Second
	DefaultBreakerCooldown  = 60 * time.Second
	DefaultBackoffBase      = 250 * time.Millisecond
	DefaultPolicyTTL        = time.Second
)

// Service implements inbound.Gateway.
type Service struct {
	Deps
	land      atomic.Pointer[landscape]
	reshaping sync.Mutex // over making the next landscape
	policies  *policyCache
	flights   flights
}

// New makes the gateway. It subscribes to circuits and latencies, so they must not be in use yet.
func New(d Deps) *Service {
	d.Settings = d.Settings.withDefaults()
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Deps: d}
	s.policies = newPolicyCache(d.Policies, d.Clock, d.Settings.PolicyTTL)
	s.Reconfigure(d.Connections)
	d.Circuits.OnChange(s.circuitChanged)
	d.Latencies.OnChange(s.latencyChanged)
	return s
}

// Invalidate makes a change of a tenant's policy, flags or aliases act at once on this node.
func (s *Service) Invalidate(tenantID string) { s.policies.invalidate(tenantID) }

func (s Settings) withDefaults() Settings {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&s.RequestTimeout, DefaultRequestTimeout},
		{&s.StreamTimeout, DefaultStreamTimeout},
		{&s.FirstByteTimeout, DefaultFirstByteTimeout},
		{&s.BreakerCooldown, DefaultBreakerCooldown},
		{&s.BackoffBase, DefaultBackoffBase},
		{&s.PolicyTTL, DefaultPolicyTTL},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return s
}
