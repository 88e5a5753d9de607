// Package blocklist knows common passwords, also where they are dressed up: password1234, P@ssw0rd2026!, letmein letmein. It asks how many guesses somebody
// needs who has a list of common passwords, English words and names and tries the usual changes to them, as zxcvbn does
// (https://www.usenix.org/conference/usenixsecurity16/technical-sessions/presentation/wheeler), whose lists it takes from github.com/trustelem/zxcvbn.
// The module itself is not linked: its lists would cost 2 MiB and 0.3 ms of every garbage collection, its tables 6 MiB more, and its estimate up to 0.2 s for
// 128 signs.
//
// The lists are of Latin letters: of other scripts only rows and repetitions are seen. They take 0.4 MiB in the program, packed, and 1 MiB of memory from
// the first question on.
package blocklist

import (
	"math"
	"sync"
	"unicode/utf8"
)

//go:generate go test -run TestTheListsAreThoseOfTheModule . -update

const (
	// fewGuesses is how many guesses make a password common: what zxcvbn calls somewhat guessable, and a thief of the hash tries in five weeks on one core.
	fewGuesses = 1e8

	// mostRunes is how much of a password is weighed; a longer one is judged by its beginning. The work grows with the square of it.
	mostRunes = 128
)

var limit = math.Log2(fewGuesses)

// list is unpacked at the first question.
var list = sync.OnceValue(unpack)

// List is the common passwords that a policy would let through by their length.
type List struct{ minLength int }

// New makes the list of a policy that takes no password shorter than minLength code points.
func New(minLength int) *List { return &List{minLength} }

// Common implements outbound.CommonPassword. A password that is too short for the policy is not in the list.
func (l *List) Common(password string) bool {
	return utf8.RuneCountInString(password) >= l.minLength && bits(password) <= limit
}
