package llm

import "slices"

// efforts are the words for how much is thought, from the least to the most.
var efforts = [...]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// NearestEffort gives, of a model's efforts, which are all of those between least and most, the nearest to what was asked. A word that is none stays as
// it is, for the vendor to judge.
func NearestEffort(asked, least, most string) string {
	i := slices.Index(efforts[:], asked)
	if i < 0 {
		return asked
	}
	return efforts[min(max(i, slices.Index(efforts[:], least)), slices.Index(efforts[:], most))]
}

// CommonEffort gives the nearest of the three efforts that every model has, beside not to think at all.
func CommonEffort(asked string) string {
	if asked == "none" {
		return asked
	}
	return NearestEffort(asked, "low", "high")
}

// HonoursEffort reports whether an effort that is sent is what was asked. More of it is; less is not, nor is any where none was asked.
func HonoursEffort(asked, sent string) bool {
	if asked == sent || asked == "" {
		return true
	}
	want, have := slices.Index(efforts[:], asked), slices.Index(efforts[:], sent)
	return want > 0 && have >= want
}
