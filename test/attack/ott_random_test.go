package attack_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func init() {
	row("OTT-14", "ten thousand mailed tokens: lengths, uniqueness, shared beginnings and ends, chi-square", tokensAtRandom, overlapped, env("THROTTLE_DISABLED", "true"))
}

// tokensAtRandom takes reset links of many users, three an hour each, by a clock that moves on: no hash is spent on them, and each has come by mail.
func tokensAtRandom(t *testing.T, w *world) {
	const people, most, hands = 100, 10_000, 8
	users := make([]account, people)
	for i := range users {
		users[i] = w.user(t)
	}
	for round := 0; round*people*3 < most; round++ {
		if round > 0 {
			w.clock.move(t, time.Hour+time.Second)
		}
		together(hands, func(hand int) int {
			for i := hand; i < people*3 && round*people*3+i < most; i += hands {
				if a := w.post(t, "request-password-reset", fields{"email": users[i/3].email}); a.status != http.StatusAccepted {
					t.Errorf("%s, want 202", a)
				}
			}
			return 0
		})
		w.mails(t, "")
	}
	var tokens []string
	for _, l := range w.mail.all("") {
		if url, token := l.link(); strings.Contains(url, "/auth/reset?") {
			tokens = append(tokens, token)
		}
	}
	if len(tokens) != most {
		t.Fatalf("%d tokens came, want %d", len(tokens), most)
	}
	judge(t, tokens)
}

// judge looks for what tells tokens from random bytes.
func judge(t *testing.T, tokens []string) {
	t.Helper()
	const bits = 256
	seen, heads, tails := map[string]bool{}, map[string]int{}, map[string]int{}
	var bytesOf [bits / 8][256]int // how often a byte has a value, by its place
	var all [256]int
	var ones [bits]int
	for _, token := range tokens {
		raw, err := b64.DecodeString(token)
		if len(token) < 43 || err != nil || len(raw)*8 != bits {
			t.Fatalf("a token of %d characters and %d bytes (%v), want 43 of base64url", len(token), len(raw), err)
		}
		if seen[token] {
			t.Fatal("a token was issued twice")
		}
		seen[token] = true
		heads[token[:8]]++ // 48 bits, which ten thousand share once in five million runs
		tails[token[len(token)-9:]]++
		for i, b := range raw {
			bytesOf[i][b]++
			all[b]++
			for bit := range 8 {
				ones[8*i+bit] += int(b >> bit & 1)
			}
		}
	}
	for part, n := range heads {
		if n > 1 {
			t.Errorf("%d tokens begin alike, by %d characters", n, len(part))
		}
	}
	for part, n := range tails {
		if n > 1 {
			t.Errorf("%d tokens end alike, by %d characters", n, len(part))
		}
	}
	if z := excess(all[:]); math.Abs(z) > 5 {
		t.Errorf("all bytes: chi-square is %.1f standard deviations off", z)
	}
	for i := range bytesOf {
		if z := excess(bytesOf[i][:]); math.Abs(z) > 6 { // of 32 places
			t.Errorf("byte %d: chi-square is %.1f standard deviations off", i, z)
		}
	}
	for i, n := range ones {
		if z := (float64(n) - float64(len(tokens))/2) / (math.Sqrt(float64(len(tokens))) / 2); math.Abs(z) > 6 { // of 256 bits
			t.Errorf("bit %d is set in %d of %d tokens", i, n, len(tokens))
		}
	}
}

// excess gives by how many standard deviations the chi-square of counts that should be equal is off.
func excess(counts []int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	want, chi := float64(total)/float64(len(counts)), 0.0
	for _, n := range counts {
		chi += (float64(n) - want) * (float64(n) - want) / want
	}
	free := float64(len(counts) - 1)
	return (chi - free) / math.Sqrt(2*free)
}
