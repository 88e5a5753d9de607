package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// What the prompt cache did for a call.
const (
	cacheHit    = "hit"
	cacheMiss   = "miss"
	cacheBypass = "bypass" // it was not asked, or not allowed to answer
)

// The cache's own ways to fail.
var (
	ErrNotCached = fault.New(fault.Timeout, "not_cached", "the request asks for a cached answer alone, and there is none")
	errTooSlow   = fault.New(fault.Unavailable, "too_slow", "the reader fell too far behind an answer that others read too")
)

// visit is a call as the prompt cache sees it, before a vendor is asked. It has a receipt and, when it is answered by the cache or by a call that is
// under way, a row of its own, but no decision.
type visit struct {
	*call
	key  outbound.PromptKey
	mark uint32 // of the flights that had landed before the store was asked
}

// visit takes a call in as the cache sees it; nil is one that the cache has nothing to do with. The policy is read and the model's name resolved
// first, so what does not exist or may not be seen is refused as ever, and a change of policy or flags makes every older answer unreachable.
func (s *Service) visit(ctx context.Context, in inbound.Call) (*visit, inbound.Receipt, error) {
	if s.Cache == nil || s.Settings.CacheTTL <= 0 || in.Cache == inbound.CacheOff || in.Fingerprint == nil {
		return nil, inbound.Receipt{Cache: cacheBypass}, nil
	}
	var err error
	c := s.newCall(in)
	if c.loaded, err = c.policies.find(ctx, string(in.Caller.TenantID), c.began); err != nil {
		return nil, c.receipt, err
	}
	c.policy = c.loaded.policy
	if c.wish, err = c.resolve(c.landscape, c.policy, in.Model, in.TaskType); err != nil {
		return nil, c.receipt, err
	}
	if in.Cache == inbound.CacheDefault && in.Surface != inbound.SurfaceExecute && !c.policy.CachesV1() {
		return nil, c.receipt, nil
	}
	body, err := in.Fingerprint()
	if err != nil { // a body too large to be worth it
		return nil, c.receipt, nil //nolint:nilerr // the call goes its way uncached
	}
	c.receipt.Cache, c.receipt.Task = label(in), c.wish.task
	v := &visit{call: c, key: c.promptKey(body)}
	v.mark = s.flights.mark(v.key)
	return v, c.receipt, nil
}

// uncached is a call that goes by the cache.
func (s *Service) uncached(in inbound.Call) inbound.Call {
	s.Meter.Cache(string(in.Surface), cacheBypass)
	in.Cache = inbound.CacheOff
	return in
}

// label is what a call is said to be that a vendor answers: a miss only if the cache was asked.
func label(in inbound.Call) string {
	if in.CacheMaxAge < 0 {
		return cacheBypass
	}
	return cacheMiss
}

// promptKey hashes all that an answer depends on, each part with its length, so that no two callers meet by how their parts join. The policy is in it by
// content as well as by version, since an installation's defaults change without one.
func (c *call) promptKey(body [32]byte) (k outbound.PromptKey) {
	h := sha256.New()
	for _, part := range []string{
		"forge1 prompt 1", string(c.in.Caller.TenantID), string(c.in.Surface), string(c.in.Dialect), c.in.Model, string(c.wish.task),
		strconv.Itoa(c.in.SLOMs), strconv.FormatBool(c.in.Strict), strconv.FormatInt(c.policy.Version(), 10), c.loaded.paper().id, string(body[:]),
	} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	h.Sum(k[:0])
	return k
}

// recall asks the store for an answer that may be given to this caller; nil: there is none. A store that fails is one that has nothing.
func (v *visit) recall(ctx context.Context) *entry {
	if v.in.CacheMaxAge < 0 {
		return nil
	}
	b, err := v.Cache.Find(ctx, string(v.in.Caller.TenantID), v.key)
	e, readable := decodeEntry(b)
	switch {
	case err != nil:
		v.Meter.CacheStore("find", "failed", 0)
	case !readable:
		v.Meter.CacheStore("find", "none", 0)
	default:
		v.Meter.CacheStore("find", "ok", len(b))
	}
	if err != nil || !readable || !v.takes(e) {
		return nil
	}
	return e
}

// takes reports whether an answer is new enough, and of a provider that is still there and allowed.
func (v *visit) takes(e *entry) bool {
	age := v.age(e)
	if age > v.Settings.CacheTTL || v.in.CacheMaxAge > 0 && age > v.in.CacheMaxAge {
		return false
	}
	conn := v.connections[e.facts.Provider]
	return conn != nil && len(conn.Credentials) > 0 && !v.policy.Disabled(e.facts.Provider)
}

// age is how long ago an answer was made; the clocks of two nodes may differ a little.
func (v *visit) age(e *entry) time.Duration { return max(0, v.Clock().Sub(e.created)) }

// suits reports whether an answer can be given in the form that the caller wants.
func (v *visit) suits(e *entry) bool {
	if v.in.Stream {
		_, _, ok := v.pieces(e)
		return ok
	}
	_, ok := v.whole(e)
	return ok
}

// whole gives an answer whole, if it is held so.
func (v *visit) whole(e *entry) (inbound.Answer, bool) {
	return inbound.Answer{Body: e.body, Response: e.response}, e.body != nil || e.response != nil
}

// pieces gives an answer in pieces, if it can be had so: frames as they were relayed, or chunks cut out of the whole.
func (v *visit) pieces(e *entry) (out []inbound.Piece, relayed, ok bool) {
	if e.frames != nil {
		for _, f := range e.frames {
			out = append(out, inbound.Piece{Raw: f.raw, UsageOnly: f.usage})
		}
		return out, true, true
	}
	r := e.response
	if relay := v.relayOf(e.facts.Provider); r == nil && relay != nil {
		r = relay.Read(e.body).Response
	}
	if r == nil {
		return nil, false, false
	}
	for _, c := range r.Chunks() {
		out = append(out, inbound.Piece{Chunk: c})
	}
	return out, false, true
}

// relayOf gives what a provider's answers in the call's dialect came through; nil: they do not come as bytes.
func (v *visit) relayOf(provider string) outbound.Relay {
	if conn := v.connections[provider]; conn != nil {
		return conn.Relay(v.in.Dialect)
	}
	return nil
}

// fill makes the receipt one of an answer that somebody else's call got: it cost this caller nothing.
func (v *visit) fill(of *inbound.Receipt, age time.Duration) {
	r := &v.receipt
	r.Cache, r.Age, r.UsageSource, r.CostNanos = cacheHit, age, chat.UsageCache, new(int64)
	r.Provider, r.Model, r.ServedModel, r.Finish, r.Usage = of.Provider, of.Model, of.ServedModel, of.Finish, of.Usage
	r.Usage.CostNanos = nil
	r.Dropped, r.Decision = slices.Clone(of.Dropped), of.Decision
	v.decision = of.Decision
}

// book ends a visit that was answered without a call of its own: with its row, for which a place has been reserved.
func (v *visit) book(err error) {
	v.Meter.Cache(string(v.in.Surface), v.receipt.Cache)
	v.settle(tokens{finish: v.receipt.Finish, model: v.receipt.ServedModel}, err)
}

// fail ends a visit that waited for somebody else's call in vain.
func (v *visit) fail(err error, of *inbound.Receipt) (inbound.Receipt, error) {
	if full := v.Recorder.Reserve(); full != nil {
		return v.receipt, full
	}
	r := &v.receipt
	r.Provider, r.Model, r.Exhausted, r.Decision = of.Provider, of.Model, of.Exhausted, of.Decision
	v.decision = of.Decision
	v.book(err)
	return v.receipt, err
}

// lasts reports whether an answer is one that others may have later: complete, and by the model's own end.
func (v *visit) lasts(e *entry) bool {
	if e == nil || e.cut || e.facts.Finish != chat.FinishStop && e.facts.Finish != chat.FinishToolCalls {
		return false
	}
	relay := v.relayOf(e.facts.Provider)
	return e.body == nil || relay != nil && relay.Read(e.body).Complete
}

// keep puts an answer into the store, if it lasts and is not too large.
func (v *visit) keep(ctx context.Context, e *entry) {
	if !v.lasts(e) {
		return
	}
	b, ok := e.encode()
	if !ok {
		return
	}
	if err := v.Cache.Keep(context.WithoutCancel(ctx), string(v.in.Caller.TenantID), v.key, b, v.Settings.CacheTTL); err != nil {
		v.Meter.CacheStore("keep", "failed", 0)
		return
	}
	v.Meter.CacheStore("keep", "ok", len(b))
}
