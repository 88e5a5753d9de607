package password

// Occupy takes every turn of a hasher until the function returned is called.
func Occupy(h *Hasher) (free func()) {
	for range cap(h.turns) {
		h.turns <- struct{}{}
	}
	return func() {
		for range cap(h.turns) {
			<-h.turns
		}
	}
}

// AtOnce is how many hashes are made at once.
func (h *Hasher) AtOnce() int { return cap(h.turns) }

// Parse is the reader of kept hashes.
var Parse = parse
