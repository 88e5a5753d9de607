// Package responses keeps responses of the Responses API, so that a client can go on from one by its id whichever vendor answered it. They are packed
// and sealed before they reach the store, which never sees a word of them.
package responses

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// label names the key that responses are sealed with.
const label = "responses"

// Settings are the operator's choices.
type Settings struct {
	TTL time.Duration // how long responses are kept
}

// Deps are what Service needs.
type Deps struct {
	Kept     outbound.KeptResponses
	Keyring  outbound.Keyring
	Clock    outbound.Clock
	Settings Settings
}

// Service implements inbound.Responses.
type Service struct{ Deps }

var _ inbound.Responses = (*Service)(nil)

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Keep implements inbound.Responses.
func (s *Service) Keep(ctx context.Context, caller inbound.Caller, r inbound.KeptResponse) error {
	packed, err := pack(r)
	if err != nil {
		return fmt.Errorf("keep response: %w", err)
	}
	tenantID := string(caller.TenantID)
	err = s.Kept.Add(ctx, outbound.SealedResponse{
		TenantID: tenantID, ID: r.ID, CreatedAt: r.CreatedAt, ExpiresAt: s.Clock().Add(s.Settings.TTL),
		Sealed: s.Keyring.Seal(label, packed, place(tenantID, r.ID)),
	})
	if err != nil {
		return fmt.Errorf("keep response: %w", err)
	}
	return nil
}

// Find implements inbound.Responses. One that is sealed under a root that is no longer known, or damaged, is as good as gone.
func (s *Service) Find(ctx context.Context, caller inbound.Caller, id string) (inbound.KeptResponse, error) {
	tenantID := string(caller.TenantID)
	kept, err := s.Kept.Find(ctx, tenantID, id, s.Clock())
	if err != nil {
		return inbound.KeptResponse{}, gone("find response", err)
	}
	packed, err := s.Keyring.Open(label, kept.Sealed, place(tenantID, id))
	if err != nil {
		return inbound.KeptResponse{}, inbound.ErrNoResponse.With(fmt.Errorf("open response: %w", err))
	}
	r, err := unpack(packed)
	if err != nil {
		return inbound.KeptResponse{}, inbound.ErrNoResponse.With(fmt.Errorf("unpack response: %w", err))
	}
	r.ID, r.CreatedAt = id, kept.CreatedAt
	return r, nil
}

// Remove implements inbound.Responses.
func (s *Service) Remove(ctx context.Context, caller inbound.Caller, id string) error {
	if err := s.Kept.Remove(ctx, string(caller.TenantID), id, s.Clock()); err != nil {
		return gone("remove response", err)
	}
	return nil
}

// gone says in the API's words that there is no such response.
func gone(verb string, err error) error {
	if errors.Is(err, fault.ErrNotFound) {
		return inbound.ErrNoResponse.With(err)
	}
	return fmt.Errorf("%s: %w", verb, err)
}

// place binds a sealed response to its tenant and id.
func place(tenantID, id string) []byte {
	return fmt.Appendf(nil, "%d:%s%s", len(tenantID), tenantID, id)
}
