package rest_test

import (
	"context"
	"sync"

	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// standing is a response that each tenant has, and that nothing removes.
const standing = "resp_1"

// shelf is a fake of the kept responses.
type shelf struct {
	mu   sync.Mutex
	kept map[tenant.ID]map[string]inbound.KeptResponse
	err  error // instead of keeping or finding anything
}

func (s *shelf) Keep(_ context.Context, caller inbound.Caller, r inbound.KeptResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.kept == nil {
		s.kept = map[tenant.ID]map[string]inbound.KeptResponse{}
	}
	if s.kept[caller.TenantID] == nil {
		s.kept[caller.TenantID] = map[string]inbound.KeptResponse{}
	}
	if _, there := s.kept[caller.TenantID][r.ID]; !there {
		s.kept[caller.TenantID][r.ID] = r
	}
	return nil
}

func (s *shelf) Find(_ context.Context, caller inbound.Caller, id string) (inbound.KeptResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, there := s.kept[caller.TenantID][id]
	switch {
	case s.err != nil:
		return r, s.err
	case there:
		return r, nil
	case id == standing:
		return inbound.KeptResponse{
			ID: standing, CreatedAt: epoch, Input: []byte(`[{"role":"user","content":"hi"}]`), Output: []byte(`[]`),
			Body: []byte(`{"id":"resp_1","object":"response","status":"completed","output":[]}`),
		}, nil
	}
	return r, inbound.ErrNoResponse
}

func (s *shelf) Remove(_ context.Context, caller inbound.Caller, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.kept[caller.TenantID][id]; !there && id != standing {
		return inbound.ErrNoResponse
	}
	delete(s.kept[caller.TenantID], id)
	return s.err
}

// of lists the ids that a tenant has.
func (s *shelf) of(id tenant.ID) map[string]inbound.KeptResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[id]
}
