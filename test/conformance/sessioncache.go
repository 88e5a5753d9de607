package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/ports/outbound"
)

// SessionCache is the suite of outbound.SessionCache. new gives an empty cache and what lets time pass for it.
func SessionCache(t *testing.T, new func(t *testing.T) (cache outbound.SessionCache, pass func(time.Duration))) {
	tests := map[string]func(t *testing.T, cache outbound.SessionCache, pass func(time.Duration)){
		"a record comes back as it was":                    cacheRoundTrip,
		"nothing is known of what was not kept":            cacheUnknown,
		"a record is not kept over another":                cacheKeepsFirst,
		"a tombstone replaces a record":                    cacheBury,
		"a late record does not bring back what was ended": cacheLateRecord,
		"records and tombstones end with their time":       cacheExpiry,
		"burying anew lasts as long as the longer":         cacheBuryAgain,
		"of records kept at once one stays":                cacheRace,
		"a record and a tombstone at once leave the grave": cacheBuryRace,
		"no time to live keeps nothing":                    cacheNoTTL,
		"it answers":                                       cachePing,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cache, pass := new(t)
			test(t, cache, pass)
		})
	}
}

func record(role string) outbound.SessionRecord {
	return outbound.SessionRecord{
		ID: session.ID(nextID()), UserID: "user", TenantID: "tenant " + hostile, Role: role, Platform: role == "owner", Epoch: 1 << 40,
		Until: storeEpoch.Add(time.Hour), ReadAt: storeEpoch.Add(time.Microsecond),
	}
}

// wantCached fails the test unless the cache knows this record; nil: that it knows none. dead: that there is a tombstone.
func wantCached(t *testing.T, what string, cache outbound.SessionCache, id session.ID, want *outbound.SessionRecord, dead bool) {
	t.Helper()
	got, known, isDead, err := cache.Record(t.Context(), id)
	must(t, what, err)
	if known != (want != nil) || isDead != dead {
		t.Errorf("%s: known %t, dead %t; want %t, %t", what, known, isDead, want != nil, dead)
		return
	}
	if want != nil {
		same(t, what, got, *want)
		utc(t, what, got.Until)
		utc(t, what, got.ReadAt)
	} else {
		same(t, what, got, outbound.SessionRecord{})
	}
}

func cacheRoundTrip(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	r := record("owner")
	must(t, "keep", cache.Keep(t.Context(), r, time.Minute))
	wantCached(t, "the record", cache, r.ID, &r, false)
	other := record("viewer")
	other.Until, other.ReadAt = time.Time{}, time.Time{}
	must(t, "keep", cache.Keep(t.Context(), other, time.Minute))
	wantCached(t, "a record without times", cache, other.ID, &other, false)
	wantCached(t, "the first record", cache, r.ID, &r, false)
}

func cacheUnknown(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	r := record("owner")
	must(t, "keep", cache.Keep(t.Context(), r, time.Minute))
	for _, id := range []session.ID{session.ID(nextID()), "", r.ID + "*", r.ID[:len(r.ID)-1], "a\r\nDEL b"} {
		wantCached(t, "session "+string(id), cache, id, nil, false)
	}
}

func cacheKeepsFirst(t *testing.T, cache outbound.SessionCache, pass func(time.Duration)) {
	r := record("owner")
	must(t, "keep", cache.Keep(t.Context(), r, time.Minute))
	second := r
	second.Role = "viewer"
	must(t, "keep another", cache.Keep(t.Context(), second, time.Hour))
	wantCached(t, "the first record", cache, r.ID, &r, false)
	pass(time.Minute)
	wantCached(t, "after the first one's time", cache, r.ID, nil, false)
	must(t, "keep the other", cache.Keep(t.Context(), second, time.Hour))
	wantCached(t, "the second record", cache, r.ID, &second, false)
}

func cacheBury(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	r, other := record("owner"), record("owner")
	must(t, "keep", cache.Keep(t.Context(), r, time.Minute))
	must(t, "keep another", cache.Keep(t.Context(), other, time.Minute))
	must(t, "bury", cache.Bury(t.Context(), r.ID, time.Minute))
	wantCached(t, "the ended session", cache, r.ID, nil, true)
	wantCached(t, "the other session", cache, other.ID, &other, false)
}

func cacheLateRecord(t *testing.T, cache outbound.SessionCache, pass func(time.Duration)) {
	r := record("owner")
	must(t, "bury", cache.Bury(t.Context(), r.ID, time.Hour))
	must(t, "keep late", cache.Keep(t.Context(), r, 2*time.Hour))
	wantCached(t, "at once", cache, r.ID, nil, true)
	pass(59 * time.Minute)
	wantCached(t, "later", cache, r.ID, nil, true)
}

func cacheExpiry(t *testing.T, cache outbound.SessionCache, pass func(time.Duration)) {
	kept, buried := record("owner"), record("owner")
	must(t, "keep", cache.Keep(t.Context(), kept, time.Minute))
	must(t, "bury", cache.Bury(t.Context(), buried.ID, 2*time.Minute))
	pass(50 * time.Second)
	wantCached(t, "the record, before its end", cache, kept.ID, &kept, false)
	pass(10 * time.Second)
	wantCached(t, "the record, at its end", cache, kept.ID, nil, false)
	wantCached(t, "the tombstone, before its end", cache, buried.ID, nil, true)
	pass(time.Minute)
	wantCached(t, "the tombstone, at its end", cache, buried.ID, nil, false)
}

func cacheBuryAgain(t *testing.T, cache outbound.SessionCache, pass func(time.Duration)) {
	r := record("owner")
	must(t, "bury", cache.Bury(t.Context(), r.ID, time.Minute))
	pass(30 * time.Second)
	must(t, "bury again", cache.Bury(t.Context(), r.ID, time.Minute))
	pass(45 * time.Second)
	wantCached(t, "past the first one's time", cache, r.ID, nil, true)
}

func cacheRace(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	id := record("owner").ID
	all := make([]outbound.SessionRecord, 20)
	for i := range all {
		all[i] = record("owner")
		all[i].ID, all[i].Epoch = id, int64(i)
	}
	none(t, race(len(all), func(i int) error { return cache.Keep(t.Context(), all[i], time.Minute) }))
	got, known, dead, err := cache.Record(t.Context(), id)
	must(t, "record", err)
	if !known || dead {
		t.Fatalf("known %t, dead %t; want a record", known, dead)
	}
	same(t, "the one that stayed", got, all[got.Epoch])
}

func cacheBuryRace(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	for range 20 {
		r := record("owner")
		none(t, race(6, func(i int) error {
			if i == 0 {
				return cache.Bury(t.Context(), r.ID, time.Minute)
			}
			return cache.Keep(t.Context(), r, time.Minute)
		}))
		wantCached(t, "after both", cache, r.ID, nil, true)
	}
}

func cacheNoTTL(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	r := record("owner")
	for _, ttl := range []time.Duration{0, -time.Second} {
		must(t, "keep", cache.Keep(t.Context(), r, ttl))
		must(t, "bury", cache.Bury(t.Context(), r.ID, ttl))
		wantCached(t, "kept for "+ttl.String(), cache, r.ID, nil, false)
	}
}

func cachePing(t *testing.T, cache outbound.SessionCache, _ func(time.Duration)) {
	must(t, "ping", cache.Ping(t.Context()))
	_, _, _, err := cache.Record(canceled(t), "x")
	if err != nil {
		wantErr(t, "record with an ended context", err, context.Canceled)
	}
}
