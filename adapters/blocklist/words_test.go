package blocklist_test

import (
	"bytes"
	"cmp"
	"compress/flate"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trustelem/zxcvbn/frequency"
)

// With -update the lists are written anew: go generate ./adapters/blocklist.
var update = flag.Bool("update", false, "write words.z")

const file = "words.z"

// merged gives every word of the module's lists once, in lower case, at its best rank: line n holds, between blanks, the words of rank n.
func merged() string {
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
	for i, word := range words {
		if before := best[words[max(0, i-1)]]; best[word] > before {
			b.WriteString(strings.Repeat("\n", best[word]-before))
		} else if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestTheListsAreThoseOfTheModule(t *testing.T) {
	if *update {
		if err := os.WriteFile(file, pack(t, merged()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil || string(text) != merged() {
		t.Errorf("%s is not what go generate makes: %v", file, err)
	}
	line := map[string]int{}
	for n, words := range strings.Split(string(text), "\n") {
		for word := range strings.FieldsSeq(words) {
			if before, twice := line[word]; twice {
				t.Errorf("%q is of rank %d and %d", word, before, n)
			}
			line[word] = n
		}
	}
	for name, list := range frequency.FrequencyLists {
		for rank, word := range list {
			if at, there := line[strings.ToLower(word)]; !there || at > rank {
				t.Errorf("%s: %q is of rank %d (%v), want at most %d", name, word, at, there, rank)
			}
		}
	}
}
