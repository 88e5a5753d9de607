// Package frequencies merges the frequency lists of github.com/trustelem/zxcvbn. Only the generator and the tests of adapters/blocklist link it.
package frequencies

import (
	"cmp"
	"slices"
	"strings"

	"github.com/trustelem/zxcvbn/frequency"
)

// Merged gives every word once, in lower case, at its best rank: line n holds, between blanks, the words of rank n.
func Merged() string {
	best := map[string]int{}
	for _, list := range frequency.FrequencyLists {
		for i, word := range list {
			word = strings.ToLower(word)
			if rank, seen := best[word]; !seen || i < rank {
				best[word] = i
			}
		}
	}
	words := make([]string, 0, len(best))
	for word := range best {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(best[a], best[b]), strings.Compare(a, b)) })
	var b strings.Builder
	rank := 0
	for i, word := range words {
		switch {
		case i == 0:
		case best[word] == rank:
			b.WriteByte(' ')
		default:
			b.WriteString(strings.Repeat("\n", best[word]-rank))
			rank = best[word]
		}
		b.WriteString(word)
	}
	return b.String()
}
