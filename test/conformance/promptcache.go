package conformance

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// PromptCacheBound is the bound, in bytes, of each tenant in the caches that PromptCache is given.
const PromptCacheBound = 64 << 10

// PromptCache is the suite of outbound.PromptCache. new gives an empty cache with PromptCacheBound, and what lets time pass for it.
func PromptCache(t *testing.T, new func(t *testing.T) (cache outbound.PromptCache, pass func(time.Duration))) {
	tests := map[string]func(*testing.T, promptSuite){
		"an entry comes back byte for byte":             promptRoundTrip,
		"nothing is found of what was not kept":         promptUnknown,
		"two tenants never share an entry":              promptTenants,
		"an entry takes the place of the one before":    promptReplace,
		"entries end with their time":                   promptExpiry,
		"no time to live keeps nothing":                 promptNoTTL,
		"what was kept first goes first":                promptOldest,
		"one tenant's entries displace no other's":      promptNeighbours,
		"an entry kept again stands last":               promptRenewed,
		"an entry larger than the bound is not kept":    promptTooLarge,
		"the bound holds whatever is kept":              promptBound,
		"what has expired makes room":                   promptExpiredRoom,
		"many at once mix nothing up":                   promptRace,
		"a caller who has left gets that, or the entry": promptLeft,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cache, pass := new(t)
			test(t, promptSuite{cache, pass})
		})
	}
}

type promptSuite struct {
	outbound.PromptCache
	pass func(time.Duration)
}

func promptKey(n int) (k outbound.PromptKey) {
	copy(k[:], fmt.Sprintf("%032d", n))
	return k
}

func (s promptSuite) keep(t *testing.T, tenant string, n int, value []byte, ttl time.Duration) {
	t.Helper()
	must(t, "keep", s.Keep(t.Context(), tenant, promptKey(n), value, ttl))
}

// want fails the test unless the tenant's entry is this; nil: that there is none.
func (s promptSuite) want(t *testing.T, what, tenant string, n int, want []byte) {
	t.Helper()
	got, err := s.Find(t.Context(), tenant, promptKey(n))
	must(t, what, err)
	if (got == nil) != (want == nil) || !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes (nothing: %t), want %d (nothing: %t)", what, len(got), got == nil, len(want), want == nil)
	}
}

// block is an entry that is recognised by its number.
func block(n, size int) []byte { return bytes.Repeat([]byte{byte(n)}, size) }

func promptRoundTrip(t *testing.T, s promptSuite) {
	odd := []byte("\x00\x01\r\n$5\xff\xfe" + hostile)
	s.keep(t, "a", 1, odd, time.Minute)
	s.want(t, "at once", "a", 1, odd)
	s.want(t, "again", "a", 1, odd)
	var odder outbound.PromptKey
	for i := range odder {
		odder[i] = byte(255 - i)
	}
	must(t, "keep under a key of odd bytes", s.Keep(t.Context(), hostile, odder, block(3, 100), time.Minute))
	got, err := s.Find(t.Context(), hostile, odder)
	must(t, "find by a key of odd bytes", err)
	same(t, "of an odd tenant", got, block(3, 100))
}

func promptUnknown(t *testing.T, s promptSuite) {
	s.keep(t, "a", 1, block(1, 10), time.Minute)
	s.want(t, "another key", "a", 2, nil)
	s.want(t, "no tenant", "", 1, nil)
}

func promptTenants(t *testing.T, s promptSuite) {
	for i, tenant := range []string{"a", "a:", "a:b", "b", "A", "*", "a/b", "a%3A"} {
		s.keep(t, tenant, 1, block(i, 10), time.Minute)
	}
	for i, tenant := range []string{"a", "a:", "a:b", "b", "A", "*", "a/b", "a%3A"} {
		s.want(t, "tenant "+tenant, tenant, 1, block(i, 10))
	}
	s.want(t, "a tenant that kept nothing", "c", 1, nil)
}

func promptReplace(t *testing.T, s promptSuite) {
	s.keep(t, "a", 1, block(1, 1000), time.Minute)
	s.keep(t, "a", 1, block(2, 10), time.Hour)
	s.want(t, "the second", "a", 1, block(2, 10))
	s.pass(2 * time.Minute)
	s.want(t, "past the time of the first", "a", 1, block(2, 10))
}

func promptExpiry(t *testing.T, s promptSuite) {
	s.keep(t, "a", 1, block(1, 10), time.Minute)
	s.keep(t, "a", 2, block(2, 10), 2*time.Minute)
	s.pass(50 * time.Second)
	s.want(t, "before its end", "a", 1, block(1, 10))
	s.pass(10 * time.Second)
	s.want(t, "at its end", "a", 1, nil)
	s.want(t, "one that lasts longer", "a", 2, block(2, 10))
	s.pass(time.Minute)
	s.want(t, "at the end of that", "a", 2, nil)
}

func promptNoTTL(t *testing.T, s promptSuite) {
	for n, ttl := range []time.Duration{0, -time.Second} {
		s.keep(t, "a", n, block(1, 10), ttl)
		s.want(t, "kept for "+ttl.String(), "a", n, nil)
	}
}

const quarter = PromptCacheBound/4 - 512 // four of them fit, whatever each costs beside

func promptOldest(t *testing.T, s promptSuite) {
	for n := range 4 {
		s.keep(t, "a", n, block(n, quarter), time.Minute)
	}
	for n := range 4 {
		s.want(t, "while there is room", "a", n, block(n, quarter))
	}
	s.keep(t, "a", 4, block(4, quarter), time.Minute)
	s.want(t, "the first", "a", 0, nil)
	for n := 1; n < 5; n++ {
		s.want(t, "one that came later", "a", n, block(n, quarter))
	}
	s.keep(t, "a", 5, block(5, 2*quarter), time.Minute)
	s.want(t, "the second", "a", 1, nil)
	s.want(t, "the third", "a", 2, nil)
	s.want(t, "the fourth", "a", 3, block(3, quarter))
	s.want(t, "the large one", "a", 5, block(5, 2*quarter))
}

func promptNeighbours(t *testing.T, s promptSuite) {
	s.keep(t, "b", 0, block(9, quarter), time.Minute)
	for n := range 50 {
		s.keep(t, "a", n, block(n, quarter), time.Minute)
	}
	s.want(t, "the neighbour's", "b", 0, block(9, quarter))
	s.want(t, "the last one", "a", 49, block(49, quarter))
}

func promptRenewed(t *testing.T, s promptSuite) {
	for n := range 4 {
		s.keep(t, "a", n, block(n, quarter), time.Minute)
	}
	s.keep(t, "a", 0, block(7, quarter), time.Minute)
	for n := range 3 {
		s.want(t, "nothing had to go", "a", n+1, block(n+1, quarter))
	}
	s.keep(t, "a", 4, block(4, quarter), time.Minute)
	s.want(t, "kept again", "a", 0, block(7, quarter))
	s.want(t, "the one that is first now", "a", 1, nil)
}

func promptTooLarge(t *testing.T, s promptSuite) {
	s.keep(t, "a", 1, block(1, 10), time.Minute)
	s.keep(t, "a", 2, block(2, PromptCacheBound+1), time.Minute)
	s.want(t, "the large one", "a", 2, nil)
	s.want(t, "the one that was there", "a", 1, block(1, 10))
}

func promptBound(t *testing.T, s promptSuite) {
	for n := range 300 {
		s.keep(t, "a", n, block(n, 100+n*37%5000), time.Minute)
	}
	total, last := 0, true
	for n := 299; n >= 0; n-- {
		got, err := s.Find(t.Context(), "a", promptKey(n))
		must(t, "find", err)
		if got != nil && !last {
			t.Fatalf("entry %d is there, and one that was kept later is not", n)
		}
		last = got != nil
		total += len(got)
	}
	if total > PromptCacheBound || total < PromptCacheBound/2 {
		t.Errorf("%d bytes are kept, want nearly %d and no more", total, PromptCacheBound)
	}
}

func promptExpiredRoom(t *testing.T, s promptSuite) {
	for n := range 4 {
		s.keep(t, "a", n, block(n, quarter), time.Minute)
	}
	s.pass(time.Minute)
	for n := 4; n < 8; n++ {
		s.keep(t, "a", n, block(n, quarter), time.Minute)
	}
	for n := 4; n < 8; n++ {
		s.want(t, "kept after the others had expired", "a", n, block(n, quarter))
	}
}

func promptRace(t *testing.T, s promptSuite) {
	none(t, race(16, func(i int) error {
		tenant := string(rune('a' + i%3))
		for n := range 20 {
			if err := s.Keep(t.Context(), tenant, promptKey(n), block(n, 1000+i), time.Minute); err != nil {
				return err
			}
			got, err := s.Find(t.Context(), tenant, promptKey(n))
			if err != nil {
				return err
			}
			for _, b := range got {
				if b != byte(n) {
					return fmt.Errorf("entry %d holds what is another's", n)
				}
			}
		}
		return nil
	}))
}

func promptLeft(t *testing.T, s promptSuite) {
	s.keep(t, "a", 1, block(1, 10), time.Minute)
	got, err := s.Find(canceled(t), "a", promptKey(1))
	if err != nil {
		wantErr(t, "find with an ended context", err, context.Canceled)
	} else {
		same(t, "found", got, block(1, 10))
	}
}
