package anthropic

import (
	"strconv"

	"github.com/forge1/forge1/domain/chat"
)

// toolIDs gives every call of a conversation an id that the vendor takes: of its alphabet, and once only in a request. An id that is
// both already stays, so the vendor's own come back unchanged; others are rewritten the same way every time.
type toolIDs struct {
	current map[string]string // the caller's id -> ours, of the latest call
	used    map[string]bool
}

func newToolIDs() toolIDs { return toolIDs{current: map[string]string{}, used: map[string]bool{}} }

// call gives the id of a call.
func (t *toolIDs) call(id string) string {
	ours := chat.PortableID(id)
	for n := 1; t.used[ours]; n++ {
		ours = chat.PortableID(id + "#" + strconv.Itoa(n)) // never portable itself, so always a new one
	}
	t.current[id], t.used[ours] = ours, true
	return ours
}

// result gives the id of the call that a result answers. A result without its call keeps the vendor's word about it.
func (t *toolIDs) result(id string) string {
	if ours, ok := t.current[id]; ok {
		return ours
	}
	return chat.PortableID(id)
}
