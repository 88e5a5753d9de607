package blocklist

import (
	"math"
	"strings"
	"unicode"
)

// What a guesser pays, in bits, for what the lists do not say.
const (
	perPiece  = 1   // to think of one more piece
	perChange = 1   // to think of a change: a capital first, all capitals, a letter for a likeness, the word backwards
	perStep   = 1   // to think of a sequence, and its direction
	perYear   = 6   // zxcvbn has twenty years about today; here they are all those that live people know
	perDate   = 14  // a day of those years, in one of the usual orders
	perDigit  = 3.3 // log2(10)
	perLetter = 4.7 // log2(26)
	perOther  = 6

	mostChanges = 3 // letters replaced by their likeness are paid for up to this number
	shortestRun = 3 // a shorter sequence or repetition is one by chance
)

// marks are the usual marks, the most usual first.
const marks = "!. @-_*#$?&,:/"

// likeness holds the letter that a sign stands for. Two signs stand for two: each has its own reading.
var likeness = [2]map[rune]rune{
	{'4': 'a', '@': 'a', '8': 'b', '(': 'c', '3': 'e', '6': 'g', '9': 'g', '1': 'i', '!': 'i', '|': 'i', '0': 'o', '$': 's', '5': 's', '7': 't', '+': 't', '2': 'z'},
	{'4': 'a', '@': 'a', '8': 'b', '(': 'c', '3': 'e', '6': 'g', '9': 'g', '1': 'l', '!': 'l', '|': 'l', '0': 'o', '$': 's', '5': 's', '7': 'l', '+': 't', '2': 'z'},
}

// keys are the rows that people type along, in either direction.
var keys = []string{"qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "1234567890-=", "!@#$%^&*()", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn"}

// estimate finds the cheapest way to say a password in pieces.
type estimate struct {
	text []rune    // in lower case
	best []float64 // best[i]: the bits of the cheapest way to say text[:i]

	letters, capitals []int // letters[i]: how many of the first i were letters that have a case; of those, capitals
}

// bits gives the binary logarithm of the guesses that a password takes.
func bits(password string) float64 {
	e := estimate{best: []float64{0}, letters: []int{0}, capitals: []int{0}}
	for _, r := range password {
		if len(e.text) == mostRunes {
			break
		}
		letters, capitals := e.letters[len(e.text)], e.capitals[len(e.text)]
		switch {
		case unicode.IsUpper(r):
			letters, capitals = letters+1, capitals+1
		case unicode.IsLower(r):
			letters++
		}
		e.letters, e.capitals = append(e.letters, letters), append(e.capitals, capitals)
		e.text = append(e.text, unicode.ToLower(r))
		e.best = append(e.best, math.Inf(1))
	}
	words := e.words()
	said := e.said()
	for i := range e.text {
		e.reach(i, i+1, single(e.text[i]))
		for _, w := range words[i] {
			e.reach(i, w.end, perPiece+w.bits)
		}
		e.again(i, said[i])
		e.sequences(i)
		e.numbers(i)
	}
	return e.best[len(e.text)]
}

// reach notes a piece from i to j.
func (e *estimate) reach(i, j int, bits float64) { e.best[j] = min(e.best[j], e.best[i]+bits) }

// single gives what one sign costs.
func single(r rune) float64 {
	switch mark := strings.IndexRune(marks, r); {
	case mark >= 0:
		return 1 + math.Log2(float64(mark+1))
	case r >= '0' && r <= '9':
		return perDigit
	case unicode.IsLetter(r):
		return perLetter
	default:
		return perOther
	}
}

// said gives for each place the longest stretch from there that was said before; the two may overlap.
func (e *estimate) said() []int {
	n := len(e.text)
	longest := make([]int, n)
	common := make([]int, n+1) // common[p]: how long text[p:] and text[i:] are the same
	for i := n - 1; i > 0; i-- {
		for p := range i {
			if e.text[p] == e.text[i] {
				common[p] = common[p+1] + 1 // which is still that of i+1
			} else {
				common[p] = 0
			}
			longest[i] = max(longest[i], common[p])
		}
	}
	return longest
}

// again adds the pieces that were said before.
func (e *estimate) again(i, longest int) {
	for length := shortestRun; length <= longest; length++ {
		e.reach(i, i+length, perPiece+math.Log2(float64(i)))
	}
}

// sequences adds the runs from i: along the alphabet or the digits, along the keys.
func (e *estimate) sequences(i int) {
	first := single(e.text[i])
	for _, step := range []rune{-1, 1} {
		for j := i + 1; j < len(e.text) && e.text[j] == e.text[j-1]+step; j++ {
			e.run(i, j+1, first)
		}
	}
	for _, row := range keys {
		at := strings.IndexRune(row, e.text[i])
		if at < 0 {
			continue
		}
		for _, step := range []int{-1, 1} {
			for j, k := i+1, at+step; j < len(e.text) && k >= 0 && k < len(row) && e.text[j] == rune(row[k]); j, k = j+1, k+step {
				e.run(i, j+1, first)
			}
		}
	}
}

func (e *estimate) run(i, j int, first float64) {
	if j-i >= shortestRun {
		e.reach(i, j, perPiece+perStep+first+math.Log2(float64(j-i)))
	}
}

// numbers adds the year and the dates from i.
func (e *estimate) numbers(i int) {
	n := 0 // digits from i
	for n < 8 && i+n < len(e.text) && e.text[i+n] >= '0' && e.text[i+n] <= '9' {
		n++
	}
	digits := string(e.text[i : i+n])
	if n >= 4 && year(digits[:4]) {
		e.reach(i, i+4, perPiece+perYear)
	}
	if n >= 6 && (day(digits[:2], digits[2:4]) || day(digits[2:4], digits[4:6])) { // ddmmyy, mmddyy, yymmdd
		e.reach(i, i+6, perPiece+perDate)
	}
	if n == 8 && (day(digits[:2], digits[2:4]) && year(digits[4:]) || year(digits[:4]) && day(digits[4:6], digits[6:])) {
		e.reach(i, i+8, perPiece+perDate)
	}
}

func year(s string) bool { return s >= "1930" && s <= "2039" }

func day(a, b string) bool {
	within := func(s, most string) bool { return s >= "01" && s <= most }
	return within(a, "31") && within(b, "12") || within(a, "12") && within(b, "31")
}
