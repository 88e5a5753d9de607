package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Sessions implements outbound.SessionCache: forge1:session:<id> holds the record as JSON, or the tombstone. An id is no secret.
type Sessions struct{ client *Client }

var _ outbound.SessionCache = (*Sessions)(nil)

// NewSessions keeps records by a client.
func NewSessions(c *Client) *Sessions { return &Sessions{client: c} }

// tombstone is no JSON, so that it is never taken for a record.
const tombstone = "R"

func sessionKey(id session.ID) string { return "forge1:session:" + string(id) }

// sessionValue is a record as it is kept; times are microseconds since 1970, 0 for none.
type sessionValue struct {
	User   string `json:"u"`
	Tenant string `json:"t"`
	Role   string `json:"r"`
	Admin  bool   `json:"p,omitempty"`
	Epoch  int64  `json:"e"`
	Until  int64  `json:"x"`
	ReadAt int64  `json:"a"`
}

func sessionValueOf(r outbound.SessionRecord) sessionValue {
	return sessionValue{
		User: string(r.UserID), Tenant: r.TenantID, Role: r.Role, Admin: r.Platform, Epoch: r.Epoch, Until: micros(r.Until), ReadAt: micros(r.ReadAt),
	}
}

func (v sessionValue) record(id session.ID) outbound.SessionRecord {
	return outbound.SessionRecord{
		ID: id, UserID: user.ID(v.User), TenantID: v.Tenant, Role: v.Role, Platform: v.Admin, Epoch: v.Epoch, Until: instant(v.Until), ReadAt: instant(v.ReadAt),
	}
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Record implements outbound.SessionCache. What cannot be read, such as a record of another version, is unknown.
func (s *Sessions) Record(ctx context.Context, id session.ID) (r outbound.SessionRecord, known, dead bool, err error) {
	var text string
	err = s.client.do(ctx, func(ctx context.Context) (err error) {
		text, err = s.client.rdb.Get(ctx, sessionKey(id)).Result()
		return err
	})
	switch {
	case errors.Is(err, redis.Nil):
		return outbound.SessionRecord{}, false, false, nil
	case err != nil:
		return outbound.SessionRecord{}, false, false, fmt.Errorf("read session record: %w", err)
	case text == tombstone:
		return outbound.SessionRecord{}, false, true, nil
	}
	var v sessionValue
	if json.Unmarshal([]byte(text), &v) != nil || v.User == "" {
		return outbound.SessionRecord{}, false, false, nil //nolint:nilerr // what another version wrote counts as not there
	}
	return v.record(id), true, false, nil
}

// Keep implements outbound.SessionCache.
func (s *Sessions) Keep(ctx context.Context, r outbound.SessionRecord, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	value, err := json.Marshal(sessionValueOf(r))
	if err != nil {
		return fmt.Errorf("keep session record: %w", err)
	}
	err = s.client.do(ctx, func(ctx context.Context) error {
		return s.client.rdb.SetArgs(ctx, sessionKey(r.ID), value, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	})
	if err != nil && !errors.Is(err, redis.Nil) { // nil: there is one already
		return fmt.Errorf("keep session record: %w", err)
	}
	return nil
}

// Bury implements outbound.SessionCache.
func (s *Sessions) Bury(ctx context.Context, id session.ID, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	err := s.client.do(ctx, func(ctx context.Context) error { return s.client.rdb.Set(ctx, sessionKey(id), tombstone, ttl).Err() })
	if err != nil {
		return fmt.Errorf("bury session: %w", err)
	}
	return nil
}

// Ping implements outbound.SessionCache.
func (s *Sessions) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx); err != nil {
		return fmt.Errorf("ping the session cache: %w", err)
	}
	return nil
}
