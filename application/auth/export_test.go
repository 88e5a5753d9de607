package auth

// Remembered counts what a gatekeeper remembers.
func Remembered(g *Gatekeeper) (n int) {
	for i := range g.admitted.shards {
		n += len(g.admitted.shards[i].entries)
	}
	return n
}
