package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

var validToolID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// toolIDs gives every call of a conversation an id that the vendor takes: of its alphabet, and once only in a request. An id that is
// both already stays, so the vendor's own come back unchanged; others are rewritten the same way every time.
type toolIDs struct {
	current map[string]string // the caller's id -> ours, of the latest call
	used    map[string]bool
}

func newToolIDs() toolIDs { return toolIDs{current: map[string]string{}, used: map[string]bool{}} }

// call gives the id of a call.
func (t *toolIDs) call(id string) string {
	ours := id
	for n := 0; !validToolID.MatchString(ours) || t.used[ours]; n++ {
		ours = rewrite(id, n)
	}
	t.current[id], t.used[ours] = ours, true
	return ours
}

// result gives the id of the call that a result answers. A result without its call keeps the vendor's word about it.
func (t *toolIDs) result(id string) string {
	if ours, ok := t.current[id]; ok {
		return ours
	}
	if validToolID.MatchString(id) {
		return id
	}
	return rewrite(id, 0)
}

func rewrite(id string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s", n, id))
	return "toolu_" + hex.EncodeToString(sum[:12])
}
