package blocklist

import (
	"math"
	"slices"
)

// word is a word of the lists that begins somewhere in the password.
type word struct {
	end  int
	bits float64
}

// words finds the words of the lists by where they begin: as they stand, with likenesses read as letters, and backwards.
func (e *estimate) words() [][]word {
	n := len(e.text)
	found := make([][]word, n)
	e.look(e.text, func(i, j int, bits float64) {
		found[i] = append(found[i], word{j, bits + e.caps(i, j)})
	})
	mirrored := slices.Clone(e.text)
	slices.Reverse(mirrored)
	e.look(mirrored, func(i, j int, bits float64) {
		i, j = n-j, n-i
		found[i] = append(found[i], word{j, bits + perChange + e.caps(i, j)})
	})
	for _, letters := range likeness {
		read := make([]rune, n)
		changes := make([]int, n+1)
		for i, r := range e.text {
			read[i], changes[i+1] = r, changes[i]
			if letter, ok := letters[r]; ok {
				read[i], changes[i+1] = letter, changes[i]+1
			}
		}
		e.look(read, func(i, j int, bits float64) {
			if changed := changes[j] - changes[i]; changed > 0 {
				found[i] = append(found[i], word{j, bits + float64(min(changed, mostChanges)*perChange) + e.caps(i, j)})
			}
		})
	}
	return found
}

// look finds every stretch of a text that is a word.
func (e *estimate) look(text []rune, found func(i, j int, bits float64)) {
	t := list()
	for i := range text {
		hash := uint64(hashBasis)
		for j := i; j < min(len(text), i+longestWord); j++ {
			hash = extend(hash, text[j])
			if j == i {
				continue // a single letter is dearer in the lists than it is to guess
			}
			if bits, ok := t.bits(hash); ok {
				found(i, j+1, bits)
			}
		}
	}
}

// caps gives what the capitals of a stretch cost.
func (e *estimate) caps(i, j int) float64 {
	letters, n := e.letters[j]-e.letters[i], e.capitals[j]-e.capitals[i]
	switch {
	case n == 0:
		return 0
	case n == 1 && e.capitals[i+1] > e.capitals[i]:
		return perChange
	default: // all of them, or any that are chosen
		return perChange + math.Log2(binomial(letters, n))
	}
}

// binomial gives how many ways there are to choose k of n.
func binomial(n, k int) float64 {
	ways := 1.0
	for i := range k {
		ways = ways * float64(n-i) / float64(i+1)
	}
	return ways
}
