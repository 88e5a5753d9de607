package conformance

import (
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Challenges is the suite of outbound.Challenges. new gives an empty store of them and what lets time pass for it.
func Challenges(t *testing.T, new func(t *testing.T) (challenges outbound.Challenges, pass func(time.Duration))) {
	tests := map[string]func(t *testing.T, c outbound.Challenges, pass func(time.Duration)){
		"a challenge comes back as it was":                     challengeRoundTrip,
		"nothing is given for a token that nobody has":         challengeUnknown,
		"after the most tries nobody is given it, for good":    challengeTries,
		"a claim takes it away":                                challengeClaim,
		"it ends with its time":                                challengeExpiry,
		"put anew it begins anew":                              challengeAgain,
		"of 100 tries at once no more than the most are given": challengeTryRace,
		"of 50 claims at once exactly one gets it":             challengeClaimRace,
		"of many who try and then claim exactly one gets it":   challengeTryThenClaim,
		"no time to live keeps nothing":                        challengeNoTTL,
		"it does what the model does":                          challengeModel,
		"an ended context is an error, or an answer":           challengeCanceled,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, pass := new(t)
			test(t, c, pass)
		})
	}
}

const challengeTTL = 5 * time.Minute

func newChallenge() ([32]byte, outbound.Challenge) {
	id := nextID()
	return sha256.Sum256([]byte(id)), outbound.Challenge{User: user.ID(id), Tenant: "tenant " + hostile, Epoch: 1<<53 + 1}
}

// putChallenge keeps a challenge and gives its hash.
func putChallenge(t *testing.T, c outbound.Challenges) ([32]byte, outbound.Challenge) {
	t.Helper()
	hash, challenge := newChallenge()
	must(t, "put", c.Put(t.Context(), hash, challenge, challengeTTL))
	return hash, challenge
}

// wantTry fails the test unless a try is given this challenge; nil: none.
func wantTry(t *testing.T, what string, c outbound.Challenges, hash [32]byte, most int, want *outbound.Challenge) {
	t.Helper()
	got, ok, err := c.Try(t.Context(), hash, most)
	must(t, what, err)
	if ok != (want != nil) {
		t.Errorf("%s: given %t, want %t", what, ok, want != nil)
		return
	}
	if want == nil {
		want = &outbound.Challenge{}
	}
	same(t, what, got, *want)
}

func wantClaim(t *testing.T, what string, c outbound.Challenges, hash [32]byte, want bool) {
	t.Helper()
	got, err := c.Claim(t.Context(), hash)
	must(t, what, err)
	if got != want {
		t.Errorf("%s: claimed %t, want %t", what, got, want)
	}
}

func challengeRoundTrip(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	hash, challenge := putChallenge(t, c)
	other, another := putChallenge(t, c)
	wantTry(t, "the first", c, hash, 5, &challenge)
	wantTry(t, "the second", c, other, 5, &another)
	empty, nobody := sha256.Sum256([]byte("nobody")), outbound.Challenge{}
	must(t, "put an empty one", c.Put(t.Context(), empty, nobody, challengeTTL))
	wantTry(t, "the empty one", c, empty, 5, &nobody)
}

func challengeUnknown(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	hash, challenge := putChallenge(t, c)
	near := hash
	near[31] ^= 1
	for _, h := range [][32]byte{near, {}} {
		wantTry(t, "try an unknown one", c, h, 5, nil)
		wantClaim(t, "claim an unknown one", c, h, false)
		wantTry(t, "try it after that", c, h, 5, nil)
	}
	wantTry(t, "the one there is", c, hash, 5, &challenge)
}

func challengeTries(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	hash, challenge := putChallenge(t, c)
	for range 5 {
		wantTry(t, "one of the five", c, hash, 5, &challenge)
	}
	wantTry(t, "the sixth", c, hash, 5, nil)
	wantTry(t, "the seventh, though more were allowed", c, hash, 100, nil)
	wantClaim(t, "one of the five was right", c, hash, true)
	wantClaim(t, "another was", c, hash, false)
	wantTry(t, "the eighth", c, hash, 100, nil)
	hash, _ = putChallenge(t, c)
	wantTry(t, "no tries at all", c, hash, 0, nil)
	wantTry(t, "nor later", c, hash, 5, nil)
}

func challengeClaim(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	hash, _ := putChallenge(t, c)
	other, challenge := putChallenge(t, c)
	wantClaim(t, "the first claim", c, hash, true)
	wantClaim(t, "the second", c, hash, false)
	wantTry(t, "a try after the claim", c, hash, 5, nil)
	wantTry(t, "the other one", c, other, 5, &challenge)
}

func challengeExpiry(t *testing.T, c outbound.Challenges, pass func(time.Duration)) {
	hash, challenge := putChallenge(t, c)
	other, _ := putChallenge(t, c)
	pass(challengeTTL - time.Microsecond)
	wantTry(t, "a moment before its end", c, hash, 5, &challenge)
	pass(time.Microsecond)
	wantTry(t, "at its end", c, hash, 5, nil)
	wantClaim(t, "a claim at its end", c, other, false)
	pass(-challengeTTL)
	wantTry(t, "when the clock is moved back", c, hash, 5, nil)
	wantClaim(t, "claimed at its end, when the clock is moved back", c, other, false)
}

func challengeAgain(t *testing.T, c outbound.Challenges, pass func(time.Duration)) {
	hash, challenge := putChallenge(t, c)
	for range 3 {
		wantTry(t, "before", c, hash, 3, &challenge)
	}
	pass(challengeTTL - time.Second)
	second := challenge
	second.Epoch++
	must(t, "put anew", c.Put(t.Context(), hash, second, challengeTTL))
	pass(time.Minute)
	for range 3 {
		wantTry(t, "after", c, hash, 3, &second)
	}
	wantTry(t, "one too many", c, hash, 3, nil)
}

func challengeTryRace(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	for range 3 {
		hash, challenge := putChallenge(t, c)
		var given atomic.Int32
		none(t, race(100, func(int) error {
			got, ok, err := c.Try(t.Context(), hash, 5)
			if ok {
				given.Add(1)
				if got != challenge {
					return errors.New("given another challenge")
				}
			}
			return err
		}))
		if n := given.Load(); n != 5 {
			t.Errorf("%d of 100 were given it, want 5", n)
		}
		wantClaim(t, "after the race, by one who was given it", c, hash, true)
	}
}

func challengeClaimRace(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	for range 5 {
		hash, _ := putChallenge(t, c)
		var won atomic.Int32
		none(t, race(50, func(int) error {
			ok, err := c.Claim(t.Context(), hash)
			if ok {
				won.Add(1)
			}
			return err
		}))
		if n := won.Load(); n != 1 {
			t.Errorf("%d of 50 claimed it, want 1", n)
		}
	}
}

func challengeTryThenClaim(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	for range 5 {
		hash, _ := putChallenge(t, c)
		var won atomic.Int32
		none(t, race(50, func(int) error {
			if _, ok, err := c.Try(t.Context(), hash, 50); err != nil || !ok {
				return err
			}
			ok, err := c.Claim(t.Context(), hash)
			if ok {
				won.Add(1)
			}
			return err
		}))
		if n := won.Load(); n != 1 {
			t.Errorf("%d of 50 claimed it, want 1", n)
		}
	}
}

func challengeNoTTL(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	for _, ttl := range []time.Duration{0, -time.Second} {
		hash, challenge := newChallenge()
		must(t, "put", c.Put(t.Context(), hash, challenge, ttl))
		wantTry(t, "kept for "+ttl.String(), c, hash, 5, nil)
	}
}

// challengeModel compares with a map that holds what a challenge is, in one line a rule.
func challengeModel(t *testing.T, c outbound.Challenges, pass func(time.Duration)) {
	type kept struct {
		is    outbound.Challenge
		tries int
		spent bool
		left  time.Duration
	}
	rapid.Check(t, func(r *rapid.T) {
		var hashes [3][32]byte
		for i := range hashes {
			hashes[i], _ = newChallenge()
		}
		model := map[[32]byte]*kept{}
		hash := rapid.SampledFrom(hashes[:])
		r.Repeat(map[string]func(*rapid.T){
			"put": func(r *rapid.T) {
				h, ttl := hash.Draw(r, "hash"), time.Duration(rapid.IntRange(1, 5).Draw(r, "ttl"))*time.Second
				is := outbound.Challenge{User: user.ID(rapid.StringMatching("[a-z]{0,3}").Draw(r, "user")), Epoch: rapid.Int64().Draw(r, "epoch")}
				if err := c.Put(t.Context(), h, is, ttl); err != nil {
					r.Fatalf("put: %v", err)
				}
				model[h] = &kept{is: is, left: ttl}
			},
			"try": func(r *rapid.T) {
				h, most := hash.Draw(r, "hash"), rapid.IntRange(0, 4).Draw(r, "most")
				got, ok, err := c.Try(t.Context(), h, most)
				var want outbound.Challenge
				m := model[h]
				if m != nil {
					if m.tries++; m.spent || m.tries > most {
						m.spent = true
						m = nil
					} else {
						want = m.is
					}
				}
				if err != nil || ok != (m != nil) || got != want {
					r.Fatalf("got %+v, %t, %v; want %+v, %t", got, ok, err, want, m != nil)
				}
			},
			"claim": func(r *rapid.T) {
				h := hash.Draw(r, "hash")
				ok, err := c.Claim(t.Context(), h)
				if err != nil || ok != (model[h] != nil) {
					r.Fatalf("claimed %t, %v; want %t", ok, err, model[h] != nil)
				}
				delete(model, h)
			},
			"time": func(r *rapid.T) {
				d := time.Duration(rapid.IntRange(1, 4).Draw(r, "seconds")) * time.Second
				pass(d)
				for h, m := range model {
					if m.left -= d; m.left <= 0 {
						delete(model, h)
					}
				}
			},
		})
	})
}

func challengeCanceled(t *testing.T, c outbound.Challenges, _ func(time.Duration)) {
	hash, challenge := putChallenge(t, c)
	got, ok, err := c.Try(canceled(t), hash, 5)
	if err == nil {
		same(t, "the challenge", got, challenge)
	}
	if ok != (err == nil) {
		t.Errorf("given %t with error %v", ok, err)
	}
}
